"""All SQL about interactions; each statement names the contact, so that a cluster asks one node."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from asyncpg import Record
from sqlalchemy import ARRAY, BindParameter, ColumnElement, Select, Table, any_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

import crm.interactions.models  # noqa: F401 - the table registers itself
from crm.contacts.queries import set_of
from crm.db import Id, Query, ReadSession, WriteSession

INTERACTION: Table = SQLModel.metadata.tables["interaction"]
_I = INTERACTION.c
_SHOWN = (
    _I.contact, _I.id, _I.version, _I.record, _I.kind, _I.direction, _I.occurred_at, _I.created_at, _I.author,
    _I.product, _I.needs, _I.sealed, _I.log_index,
)  # fmt: skip


def _newest(whose: ColumnElement[bool]) -> Select[Any]:
    return select(*_SHOWN).where(whose, _I.is_current).order_by(_I.occurred_at.desc(), _I.id).limit(bindparam("most"))


def _after(statement: Select[Any]) -> Select[Any]:
    """Go on behind the last one shown."""
    earlier = _I.occurred_at < bindparam("at")
    return statement.where(earlier | ((_I.occurred_at == bindparam("at")) & (_I.id > bindparam("last"))))


_CONTACT: BindParameter[str] = bindparam("contact")
_ONE = _I.contact == _CONTACT
_SET = _I.contact.in_(select(set_of(_CONTACT).c.id))
# By whether others were merged into the contact: one contact's rows come in order from their index.
_NEWEST = {False: Query(_newest(_ONE)), True: Query(_newest(_SET))}
_NEWEST_AFTER = {False: Query(_after(_newest(_ONE))), True: Query(_after(_newest(_SET)))}
_FIND = Query(
    select(_I.version, _I.log_index).where(_ONE, _I.id == bindparam("id")).order_by(_I.version.desc()).limit(1)
)
_STANDING = Query(
    select(_I.contact, _I.record).where(
        _I.contact == any_(bindparam("contacts", type_=ARRAY(Id))),
        _I.record == any_(bindparam("records", type_=ARRAY(Id))),
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


async def find(db: ReadSession, contact: str, interaction: str) -> Record | None:
    """Read the newest version's number and log index of one interaction."""
    return await db.row(_FIND, contact=contact, id=interaction)


async def add(db: WriteSession, values: Mapping[str, Any]) -> None:
    """Insert one version; a repetition of the same changes nothing."""
    await db.execute(insert(INTERACTION).values(**values).on_conflict_do_nothing())


async def remove_of(db: WriteSession, contacts: Collection[str]) -> None:
    """Delete what is left of erased contacts."""
    await db.execute(delete(INTERACTION).where(_I.contact.in_(list(contacts))))


async def standing(db: ReadSession, records: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Say which of these (contact, record) pairs have a row."""
    if not records:
        return set()
    contacts = list({contact for contact, _ in records})
    rows = await db.rows(_STANDING, contacts=contacts, records=[record for _, record in records])
    return {(row["contact"], row["record"]) for row in rows}
