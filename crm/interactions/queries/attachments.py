"""All SQL about files of interactions, but for moving them."""

from collections.abc import Collection, Mapping
from typing import Any

from asyncpg import Record
from sqlalchemy import ARRAY, RowMapping, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from crm.contacts.queries import set_of
from crm.db import Id, Query, ReadSession, WriteSession
from crm.interactions.queries.tables import ATTACHMENT

_A = ATTACHMENT.c
_MADE = (_A.id, _A.interaction, _A.kind, _A.size_bytes, _A.log_index)
_LISTED = Query(
    select(_A.contact, _A.id, _A.interaction, _A.title, _A.kind, _A.size_bytes, _A.created_at, _A.sealed_title)
    .where(
        _A.contact == any_(bindparam("contacts", type_=ARRAY(Id))),
        _A.interaction == any_(bindparam("interactions", type_=ARRAY(Id))),
    )
    .order_by(_A.created_at, _A.id)
)
_FILE = Query(
    select(_A.contact, _A.record, _A.kind, _A.sealed).where(
        _A.contact.in_(select(set_of(bindparam("contact")).c.id)),
        _A.interaction == bindparam("interaction"),
        _A.id == bindparam("id"),
    )
)
_FIND = Query(select(*_MADE).where(_A.contact == bindparam("contact"), _A.id == bindparam("id")))


async def listed(db: ReadSession, contacts: Collection[str], interactions: Collection[str]) -> list[Record]:
    """Read all but the bytes of the files of some interactions, oldest first."""
    return await db.rows(_LISTED, contacts=list(contacts), interactions=list(interactions))


async def file(db: ReadSession, contact: str, interaction: str, attachment: str) -> Record | None:
    """Read the sealed bytes of one file of a contact's set."""
    return await db.row(_FILE, contact=contact, interaction=interaction, id=attachment)


async def find(db: ReadSession, contact: str, attachment: str) -> Record | None:
    """Read what one file's creation answered."""
    return await db.row(_FIND, contact=contact, id=attachment)


async def find_written(db: WriteSession, contact: str, attachment: str) -> RowMapping | None:
    """Read the same within the transaction."""
    statement = select(*_MADE).where(_A.contact == contact, _A.id == attachment)
    return (await db.execute(statement)).mappings().first()


async def count(db: WriteSession, contact: str, interaction: str) -> int:
    """Count the files of one interaction."""
    statement = select(func.count()).where(_A.contact == contact, _A.interaction == interaction)
    return (await db.execute(statement)).scalar_one()


async def add(db: WriteSession, values: Mapping[str, Any]) -> bool:
    """Insert one file; False where its id is taken."""
    statement = insert(ATTACHMENT).values(**values).on_conflict_do_nothing().returning(_A.id)
    return (await db.execute(statement)).first() is not None
