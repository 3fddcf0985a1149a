"""All SQL that takes an interaction with everything of it to another contact."""

from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg import Record
from sqlalchemy import ColumnElement, CompoundSelect, Table, bindparam, delete, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from crm.contacts.queries import set_of
from crm.db import Query, ReadSession, WriteSession
from crm.interactions.queries.tables import ATTACHMENT, FOLLOW_UP, FORMER, INTERACTION

_I, _A, _F, _P = INTERACTION.c, ATTACHMENT.c, FOLLOW_UP.c, FORMER.c
# A record and the bytes it was sealed to, with the entry it was sealed in.
Sealed = Mapping[str, tuple[bytes, int]]


def _parts(contact: Any, interaction: Any) -> CompoundSelect[Any]:  # noqa: ANN401 - a value or a parameter
    of = (_I.contact == contact, _I.id == interaction)
    with_file = (_A.contact == contact, _A.interaction == interaction)
    return union_all(
        select(_I.record, _I.sealed).where(*of),
        select(_F.record, _F.sealed).where(_F.contact == contact, _F.origin.in_(select(_I.record).where(*of))),
        select(_A.title, _A.sealed_title).where(*with_file),
        select(_A.record, _A.sealed).where(*with_file),
    )


_PARTS = Query(_parts(bindparam("contact"), bindparam("interaction")))
_WENT = Query(
    select(_P.contact).where(
        _P.contact.in_(select(set_of(bindparam("contact")).c.id)),
        _P.record == bindparam("interaction"),
        _P.moved_to == bindparam("to"),
    )
)


async def parts(db: ReadSession, contact: str, interaction: str) -> list[Record]:
    """Read every sealed record of an interaction: versions, titles of its follow-ups, names and bytes of files."""
    return await db.rows(_PARTS, contact=contact, interaction=interaction)


async def names(db: WriteSession, contact: str, interaction: str) -> set[str]:
    """Read the records alone within the transaction."""
    found = _parts(contact, interaction).subquery()
    return set((await db.execute(select(found.c.record))).scalars())


async def went(db: ReadSession, contact: str, interaction: str, to: str) -> bool:
    """Say whether an interaction was moved from a contact's set to another contact."""
    return bool(await db.row(_WENT, contact=contact, interaction=interaction, to=to))


async def has_gone(db: WriteSession, contact: str, interaction: str, to: str) -> bool:
    """Say the same within the transaction, of one contact."""
    statement = select(_P.record).where(_P.contact == contact, _P.record == interaction, _P.moved_to == to)
    return (await db.execute(statement)).first() is not None


async def carry(db: WriteSession, contact: str, interaction: str, to: str, sealed: Sealed) -> bool:
    """Take all rows of an interaction to another contact, sealed anew; False where an id is taken there."""
    of, with_file = (
        (_I.contact == contact, _I.id == interaction),
        (_A.contact == contact, _A.interaction == interaction),
    )
    versions, files = await _rows(db, INTERACTION, *of), await _rows(db, ATTACHMENT, *with_file)
    plans = await _rows(db, FOLLOW_UP, _F.contact == contact, _F.origin.in_([row["record"] for row in versions]))
    arriving = [row | _at(to, sealed[row["record"]]) for row in versions]
    files_arriving = [
        row | _at(to, sealed[row["record"]]) | {"sealed_title": sealed[row["title"]][0]} for row in files
    ]  # fmt: skip
    if not (await _insert(db, INTERACTION, arriving) and await _insert(db, ATTACHMENT, files_arriving)):
        return False
    for row in plans:
        await db.execute(update(FOLLOW_UP).where(_F.id == row["id"]).values(**_at(to, sealed[row["record"]])))
    await db.execute(delete(INTERACTION).where(*of))
    await db.execute(delete(ATTACHMENT).where(*with_file))
    left = {row["record"]: row["log_index"] for row in versions}
    left |= {row[name]: row["log_index"] for row in files for name in ("record", "title")}
    await _leave(db, contact, to, left | {row["record"]: row["log_index"] for row in plans})
    return True


def _at(to: str, sealed: tuple[bytes, int]) -> dict[str, Any]:
    return {"contact": to, "sealed": sealed[0], "log_index": sealed[1]}


async def _rows(db: WriteSession, table: Table, *which: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Read whole rows but for the bytes, which are in memory sealed anew."""
    columns = [column for column in table.c if not column.name.startswith("sealed")]
    return [dict(row) for row in (await db.execute(select(*columns).where(*which))).mappings()]


async def _insert(db: WriteSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> bool:
    for row in rows:
        statement = insert(table).values(**row).on_conflict_do_nothing().returning(table.c.contact)
        if (await db.execute(statement)).first() is None:
            return False
    return True


async def _leave(db: WriteSession, contact: str, to: str, left: Mapping[str, int]) -> None:
    """Leave a trace of what went, and let go of that of what came back."""
    new = insert(FORMER)
    statement = new.on_conflict_do_update(
        index_elements=[_P.contact, _P.record],
        set_={"moved_to": new.excluded.moved_to, "log_index": new.excluded.log_index},
    )
    rows = [
        {"contact": contact, "record": record, "moved_to": to, "log_index": index} for record, index in left.items()
    ]
    await db.execute(statement, rows)
    await db.execute(delete(FORMER).where(_P.contact == to, _P.record.in_(list(left))))
