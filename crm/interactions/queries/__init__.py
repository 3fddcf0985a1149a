"""All SQL of this slice, a module a table; here what concerns every sealed record, whatever it holds."""

from collections.abc import Collection

from sqlalchemy import ARRAY, bindparam, delete, select, union_all
from sqlalchemy import any_ as any_of

from crm.db import Id, Query, ReadSession, WriteSession
from crm.interactions.queries.tables import ATTACHMENT, DRAFT, FOLLOW_UP, FORMER, INTERACTION

# Every column that holds the address of something sealed. An erasure empties each of these tables.
_RECORDS = (
    INTERACTION.c.record, FOLLOW_UP.c.record, DRAFT.c.record, ATTACHMENT.c.record, ATTACHMENT.c.title, FORMER.c.record,
)  # fmt: skip
_TABLES = (INTERACTION, FOLLOW_UP, DRAFT, ATTACHMENT, FORMER)
_STANDING = Query(
    union_all(
        *(
            select(column.table.c.contact, column.label("record")).where(
                column.table.c.contact == any_of(bindparam("contacts", type_=ARRAY(Id))),
                column == any_of(bindparam("records", type_=ARRAY(Id))),
            )
            for column in _RECORDS
        )
    )
)


async def standing(db: ReadSession, records: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Say which of these (contact, record) pairs have a row, or had one that was let go on purpose."""
    if not records:
        return set()
    contacts = list({contact for contact, _ in records})
    rows = await db.rows(_STANDING, contacts=contacts, records=[record for _, record in records])
    return {(row["contact"], row["record"]) for row in rows}


async def remove_of(db: WriteSession, contacts: Collection[str]) -> None:
    """Delete what is left of erased contacts."""
    ids = list(contacts)
    for table in _TABLES:
        await db.execute(delete(table).where(table.c.contact.in_(ids)))
    await db.execute(delete(FORMER).where(FORMER.c.moved_to.in_(ids)))


async def forget_former(db: WriteSession, position: int) -> None:
    """Delete the traces of records up to an entry that was reconciled: nobody will miss their rows any more."""
    await db.execute(delete(FORMER).where(FORMER.c.moved_to.is_(None), FORMER.c.log_index <= position))
