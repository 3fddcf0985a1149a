"""All SQL about drafts. Whoever lets one go leaves the trace by which the reconciler knows its record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asyncpg import Record
from sqlalchemy import ColumnElement, bindparam, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from crm.contacts.queries import set_of
from crm.db import Query, ReadSession, WriteSession
from crm.interactions.queries.tables import DRAFT, FORMER

_D = DRAFT.c
_FIND = Query(
    select(_D.contact, _D.record, _D.saved_at, _D.sealed)
    .where(
        _D.contact.in_(select(set_of(bindparam("contact")).c.id)),
        _D.author == bindparam("author"),
        _D.saved_at > bindparam("since"),
    )
    .order_by(_D.saved_at.desc())
    .limit(1)
)


async def find(db: ReadSession, contact: str, author: str, *, since: datetime) -> Record | None:
    """Read the newest draft of one person about a contact's set, saved after a moment."""
    return await db.row(_FIND, contact=contact, author=author, since=since)


async def save(db: WriteSession, values: Mapping[str, Any]) -> None:
    """Insert a draft or put it in the place of the one there is; of two at once, the later."""
    mine = (_D.contact == values["contact"], _D.author == values["author"])
    standing = select(_D.contact, _D.record, _D.log_index).where(*mine).with_for_update()
    first = insert(DRAFT).values(**values).on_conflict_do_nothing().returning(_D.record)
    # Between the two statements the one that stood may have gone with its interaction: then this is the first.
    while (await db.execute(first)).first() is None:
        if old := (await db.execute(standing)).mappings().first():
            await db.execute(insert(FORMER).values(**old).on_conflict_do_nothing())
            await db.execute(update(DRAFT).where(*mine).values(**values))
            return


async def let_go(db: WriteSession, contact: str, author: str) -> None:
    """Delete one person's drafts about a contact's set."""
    await _let_go(db, (_D.contact.in_(select(set_of(literal(contact)).c.id))) & (_D.author == author))


async def let_go_before(db: WriteSession, before: datetime) -> None:
    """Delete the drafts last saved before a moment."""
    await _let_go(db, _D.saved_at < before)


async def _let_go(db: WriteSession, which: ColumnElement[bool]) -> None:
    gone = delete(DRAFT).where(which).returning(_D.contact, _D.record, _D.log_index).cte("gone")
    trace = insert(FORMER).from_select(["contact", "record", "log_index"], select(gone)).on_conflict_do_nothing()
    await db.execute(trace)
