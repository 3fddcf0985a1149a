"""All SQL about interactions; each statement names the contact, so that a cluster asks one node."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asyncpg import Record
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    RowMapping,
    Select,
    bindparam,
    exists,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from crm.contacts.queries import set_of
from crm.db import Query, ReadSession, WriteSession
from crm.interactions.queries.tables import ATTACHMENT, FORMER, INTERACTION

_I = INTERACTION.c
_F = FORMER.c
_HAS_FILES = exists().where(ATTACHMENT.c.contact == _I.contact, ATTACHMENT.c.interaction == _I.id)
_SHOWN = (
    _I.contact, _I.id, _I.version, _I.record, _I.kind, _I.direction, _I.occurred_at, _I.created_at, _I.author,
    _I.product, _I.needs, _I.sealed, _I.log_index,
)  # fmt: skip


def _newest(whose: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_SHOWN, _HAS_FILES.label("has_files"))
        .where(whose, _I.is_current)
        .order_by(_I.occurred_at.desc(), _I.id)
        .limit(bindparam("most"))
    )


def _after(statement: Select[Any]) -> Select[Any]:
    """Go on behind the last one shown."""
    earlier = _I.occurred_at < bindparam("at")
    return statement.where(earlier | ((_I.occurred_at == bindparam("at")) & (_I.id > bindparam("last"))))


_CONTACT: BindParameter[str] = bindparam("contact")
_ONE = _I.contact == _CONTACT
_SET = _I.contact.in_(select(set_of(_CONTACT).c.id))
_ID = _I.id == bindparam("id")
# By whether others were merged into the contact: one contact's rows come in order from their index.
_NEWEST = {False: Query(_newest(_ONE)), True: Query(_newest(_SET))}
_NEWEST_AFTER = {False: Query(_after(_newest(_ONE))), True: Query(_after(_newest(_SET)))}
_LOCATE = {
    # One id may have been used for two who were merged since: the contact's own goes first.
    is_merged: Query(
        select(_I.contact, _I.id, _I.version)
        .where(whose, _ID, _I.is_current)
        .order_by((_I.contact == _CONTACT).desc())
        .limit(1)
    )
    for is_merged, whose in ((False, _ONE), (True, _SET))
}
_VERSIONS = Query(select(*_SHOWN).where(_ONE, _ID).order_by(_I.version))
_RECORD = Query(select(_I.id, _I.version, _I.log_index).where(_ONE, _I.record == bindparam("record")))
# The first version's record is the interaction's own id; what was moved away is remembered by it.
_FIRST = Query(
    union_all(
        select(_I.id, _I.version, _I.log_index).where(_ONE, _I.record == bindparam("record")),
        select(_F.record, literal(1), _F.log_index).where(
            _F.contact == _CONTACT, _F.record == bindparam("record"), _F.moved_to.is_not(None)
        ),
    )
)


async def newest(db: ReadSession, contact: str, *, is_merged: bool, most: int) -> list[Record]:
    """Read the newest interactions of a contact; of the whole set, where others were merged into it."""
    return await db.rows(_NEWEST[is_merged], contact=contact, most=most)


async def newest_after(
    db: ReadSession, contact: str, *, is_merged: bool, most: int, at: datetime, last: str
) -> list[Record]:
    """Read the next older interactions behind one."""
    return await db.rows(_NEWEST_AFTER[is_merged], contact=contact, most=most, at=at, last=last)


async def locate(db: ReadSession, contact: str, interaction: str, *, is_merged: bool) -> Record | None:
    """Find under which contact of the set an interaction stands, and its newest version's number."""
    return await db.row(_LOCATE[is_merged], contact=contact, id=interaction)


async def versions(db: ReadSession, contact: str, interaction: str) -> list[Record]:
    """Read all versions of one interaction, oldest first."""
    return await db.rows(_VERSIONS, contact=contact, id=interaction)


async def find_record(db: ReadSession, contact: str, record: str) -> Record | None:
    """Find whose version a sealed record is: id, version, log index."""
    return await db.row(_RECORD, contact=contact, record=record)


async def find_first(db: ReadSession, contact: str, interaction: str) -> Record | None:
    """Find the first version by its record, also where the interaction was moved to somebody else since."""
    return await db.row(_FIRST, contact=contact, record=interaction)


async def find_written(db: WriteSession, contact: str, record: str) -> RowMapping | None:
    """Find within the transaction whose version a sealed record is."""
    statement = select(_I.id, _I.version, _I.log_index).where(_I.contact == contact, _I.record == record)
    return (await db.execute(statement)).mappings().first()


async def add(db: WriteSession, values: Mapping[str, Any]) -> bool:
    """Insert one version; False where its id or record is taken, and then that row is committed."""
    statement = insert(INTERACTION).values(**values).on_conflict_do_nothing().returning(_I.id)
    return (await db.execute(statement)).first() is not None


async def lock(db: WriteSession, contact: str, interaction: str) -> bool:
    """Keep all others from changing one interaction until the end; False where it does not stand here.

    Versions, files and moves lock the first version, which is never changed: what is read afterwards stays so.
    """
    statement = select(_I.id).where(_I.contact == contact, _I.id == interaction, _I.version == 1).with_for_update()
    return (await db.execute(statement)).first() is not None


async def supersede(db: WriteSession, contact: str, interaction: str, version: int) -> None:
    """Let a version be no longer the newest, once the next stands."""
    which = (_I.contact == contact, _I.id == interaction, _I.version == version)
    await db.execute(update(INTERACTION).where(*which).values(is_current=False))
