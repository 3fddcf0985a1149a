"""All SQL about follow-ups. Those of somebody being erased are there for nobody."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from asyncpg import Record
from sqlalchemy import ARRAY, RowMapping, any_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from crm.contacts.queries import CONTACT
from crm.db import Id, Query, ReadSession, WriteSession
from crm.interactions.queries.tables import FOLLOW_UP

_F = FOLLOW_UP.c
_C = CONTACT.c
_JOINED = FOLLOW_UP.join(CONTACT, _C.id == _F.contact)
_MADE = (_F.id, _F.contact, _F.version, _F.done_at, _F.log_index)
_MINE = Query(
    select(
        _F.id, _F.contact, _F.record, _F.due_at, _F.assignee, _F.author, _F.created_at, _F.version, _F.sealed,
        _C.merged_into,
    )
    .select_from(_JOINED)
    .where(
        _F.assignee == bindparam("assignee"),
        _F.done_at.is_(None),
        _C.erase_due_at.is_(None),
        _F.due_at < bindparam("before"),
        (_F.due_at > bindparam("at")) | ((_F.due_at == bindparam("at")) & (_F.id > bindparam("last"))),
    )
    .order_by(_F.due_at, _F.id)
    .limit(bindparam("most"))
)  # fmt: skip
_FIND = Query(select(*_MADE).select_from(_JOINED).where(_F.id == bindparam("id"), _C.erase_due_at.is_(None)))
_OF = Query(select(_F.id).where(_F.contact == bindparam("contact"), _F.origin == bindparam("origin")).limit(1))
_UP = select(_C.id.label("start"), _C.id, _C.merged_into).where(
    _C.id == any_(bindparam("ids", type_=ARRAY(Id)))
).cte("up", recursive=True)  # fmt: skip
_NEXT = CONTACT.alias("next")
_CLIMB = _UP.union_all(
    select(_UP.c.start, _NEXT.c.id, _NEXT.c.merged_into).join(_NEXT, _NEXT.c.id == _UP.c.merged_into)
)
_HEADS = Query(select(_CLIMB.c.start, _CLIMB.c.id).where(_CLIMB.c.merged_into.is_(None)))


async def mine(  # noqa: PLR0917 - the parts of one range
    db: ReadSession, assignee: str, at: datetime, last: str, before: datetime, most: int
) -> list[Record]:
    """Read the open follow-ups of one person behind a moment and id, in the order they fall due."""
    return await db.rows(_MINE, assignee=assignee, at=at, last=last, before=before, most=most)


async def heads(db: ReadSession, contacts: Collection[str]) -> dict[str, str]:
    """Find who stands for merged-away contacts by now."""
    return {row["start"]: row["id"] for row in await db.rows(_HEADS, ids=list(contacts))} if contacts else {}


async def find(db: ReadSession, follow_up: str) -> Record | None:
    """Read whom a follow-up is about and how it stands."""
    return await db.row(_FIND, id=follow_up)


async def find_written(db: WriteSession, follow_up: str) -> RowMapping | None:
    """Read the same within the transaction."""
    return (await db.execute(select(*_MADE).where(_F.id == follow_up))).mappings().first()


async def find_of(db: ReadSession, contact: str, record: str) -> str | None:
    """Find the follow-up that was made with a version of an interaction."""
    row = await db.row(_OF, contact=contact, origin=record)
    return row["id"] if row else None


async def add(db: WriteSession, values: Mapping[str, Any]) -> bool:
    """Insert one follow-up; False where its id is taken."""
    statement = insert(FOLLOW_UP).values(**values).on_conflict_do_nothing().returning(_F.id)
    return (await db.execute(statement)).first() is not None


async def change(db: WriteSession, follow_up: str, version: int, values: Mapping[str, Any]) -> bool:
    """Change an open one of exactly this version; False where somebody else was first."""
    statement = (
        update(FOLLOW_UP)
        .where(_F.id == follow_up, _F.version == version, _F.done_at.is_(None))
        .values(version=version + 1, **values)
        .returning(_F.id)
    )
    return (await db.execute(statement)).first() is not None


async def hand_over(db: WriteSession, giver: str, taker: str) -> None:
    """Give all that one colleague still has to do to another."""
    statement = update(FOLLOW_UP).where(_F.assignee == giver, _F.done_at.is_(None))
    await db.execute(statement.values(assignee=taker, version=_F.version + 1))


async def finish(db: WriteSession, follow_up: str, at: datetime, log_index: int) -> RowMapping | None:
    """Mark an open one as done; None where it was done before."""
    statement = (
        update(FOLLOW_UP)
        .where(_F.id == follow_up, _F.done_at.is_(None))
        .values(done_at=at, log_index=log_index, version=_F.version + 1)
        .returning(*_MADE)
    )
    return (await db.execute(statement)).mappings().first()
