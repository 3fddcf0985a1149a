"""All SQL about contacts. A row merged away or being erased is there only for those who ask for it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from asyncpg import Record
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    CursorResult,
    Table,
    Update,
    bindparam,
    delete,
    exists,
    func,
    literal,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

from crm.contacts import models  # noqa: F401 - the tables below
from crm.db import Id, Query, ReadSession, WriteSession

_TABLES = SQLModel.metadata.tables
CONTACT: Table = _TABLES["contact"]
JOB: Table = _TABLES["import_job"]
UPKEEP: Table = _TABLES["upkeep"]
_C = CONTACT.c
LIVE = (_C.merged_into.is_(None), _C.erase_due_at.is_(None))
PEOPLE = (_C.kind == "contact", *LIVE)
_OTHER = CONTACT.alias("other")

_FIND = Query(
    select(
        _C.id, _C.kind, _C.stage, _C.product, _C.tags, _C.language, _C.country, _C.time_zone, _C.owner,
        _C.company_id, _C.created_at, _C.updated_at, _C.version, _C.log_index,
        exists().where(_OTHER.c.merged_into == _C.id).label("is_merged"),
    ).where(_C.id == bindparam("id"), _C.kind == bindparam("kind"), *LIVE)
)  # fmt: skip
_ANY_STATE = Query(select(_C.kind, _C.merged_into, _C.erase_due_at, _C.log_index).where(_C.id == bindparam("id")))


def _of_ids(*columns: ColumnElement[Any]) -> Query:
    """Select columns of many contacts, one look into the primary key for each.

    Of `id = any(...)` PostgreSQL reads the whole table until its statistics are taken: an import that is its first
    spent half a second on each batch of the fiftieth thousand. An offset is what it does not plan across.
    """
    asked = func.unnest(bindparam("ids", type_=ARRAY(Id))).table_valued("id").render_derived()
    found = select(*columns).where(_C.id == asked.c.id).offset(literal_column("0")).lateral()
    return Query(select(*found.c).select_from(asked.join(found, true())))


_STANDING = _of_ids(_C.id)
_STATES = _of_ids(_C.id, _C.merged_into, _C.erase_due_at)
_DUE = Query(select(_C.id).where(_C.erase_due_at < bindparam("before")).limit(bindparam("most")))
# One statement a batch, and not one for each contact.
_IMPORTED = func.unnest(
    bindparam("ids", type_=ARRAY(Id)), bindparam("languages", type_=ARRAY(_C.language.type)),
    bindparam("countries", type_=ARRAY(_C.country.type)),
).table_valued("id", "language", "country").render_derived()  # fmt: skip
_ADD_IMPORTED = (
    insert(CONTACT)
    .from_select(
        ["id", "language", "country", "kind", "owner", "created_at", "updated_at", "version", "log_index"],
        select(
            _IMPORTED.c.id, _IMPORTED.c.language, _IMPORTED.c.country, literal("contact"),
            bindparam("owner", type_=Id), bindparam("at", type_=_C.created_at.type),
            bindparam("at", type_=_C.created_at.type), literal(1), bindparam("log_index", type_=_C.log_index.type),
        ),
    )
    .on_conflict_do_nothing()
)  # fmt: skip
_JOB = Query(select(JOB).where(JOB.c.id == bindparam("id")))


async def find(db: ReadSession, contact: str, kind: str = "contact") -> Record | None:
    """Read the plain attributes of one live contact, or of one live company."""
    return await db.row(_FIND, id=contact, kind=kind)


async def find_in_any_state(db: ReadSession, contact: str) -> Record | None:
    """Read the state of one contact, merged away and erasing included."""
    return await db.row(_ANY_STATE, id=contact)


async def standing(db: ReadSession, ids: Collection[str]) -> set[str]:
    """Say which of these contacts have a row, whatever its state."""
    return {row["id"] for row in await db.rows(_STANDING, ids=list(ids))} if ids else set()


async def states(db: ReadSession, ids: Collection[str]) -> dict[str, Record]:
    """Read what these contacts were merged into and when they go, of those that have a row."""
    return {row["id"]: row for row in await db.rows(_STATES, ids=list(ids))} if ids else {}


async def set_state(db: WriteSession, seen: Record, into: str | None, due_at: datetime | None) -> None:
    """Let a contact stand as the keeper says, unless somebody changed that since it was seen."""
    was = (
        _C.merged_into.is_not_distinct_from(seen["merged_into"]),
        _C.erase_due_at.is_not_distinct_from(seen["erase_due_at"]),
    )
    await db.execute(update(CONTACT).where(_C.id == seen["id"], *was).values(merged_into=into, erase_due_at=due_at))


async def add(db: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert contacts; one that is there stays as it is."""
    await db.execute(insert(CONTACT).on_conflict_do_nothing(), list(rows))


async def add_imported(
    db: WriteSession, rows: Sequence[Mapping[str, Any]], *, owner: str, at: datetime, log_index: int
) -> None:
    """Insert contacts that differ in id, language and country; one that is there stays as it is."""
    arrays = {"ids": "id", "languages": "language", "countries": "country"}
    given = {array: [row[name] for row in rows] for array, name in arrays.items()}
    await db.execute(_ADD_IMPORTED, {**given, "owner": owner, "at": at, "log_index": log_index})


async def change(db: WriteSession, contact: str, version: int, values: Mapping[str, Any]) -> bool:
    """Change a live row of exactly this version; False where somebody else was first."""
    statement = (
        update(CONTACT)
        .where(_C.id == contact, _C.version == version, *LIVE)
        .values(version=version + 1, **values)
        .returning(_C.id)
    )
    return (await db.execute(statement)).first() is not None


async def touch(db: WriteSession, contact: str, at: datetime) -> None:
    """Note when a contact was last changed."""
    await db.execute(update(CONTACT).where(_C.id == contact).values(updated_at=at))


async def set_merged(db: WriteSession, contact: str, into: str | None, at: datetime) -> None:
    """Point a merged-away contact at the one that stands for it, or let it stand for itself again."""
    values = {"merged_into": into, "updated_at": at, "version": _C.version + 1}
    await db.execute(update(CONTACT).where(_C.id == contact).values(**values))


async def take_merge(db: WriteSession, contact: str, into: str) -> int | None:
    """Let a contact stand for itself again; returns the row's version from then on, None where others were first."""
    return await _take(db, contact, _C.merged_into == into, merged_into=None)


async def give_merge_back(db: WriteSession, contact: str, taken: int, into: str) -> None:
    """Point it at the other again, unless somebody changed the row since it was taken."""
    await db.execute(update(CONTACT).where(_C.id == contact, _C.version == taken).values(merged_into=into))


async def _take(db: WriteSession, contact: str, was: ColumnElement[bool], **values: None) -> int | None:
    statement = update(CONTACT).where(_C.id == contact, was).values(version=_C.version + 1, **values)
    row = (await db.execute(statement.returning(_C.version))).first()
    return None if row is None else int(row[0])


def set_of(contact: ColumnElement[str]) -> CTE:
    """Select a contact and all that were merged into it, through any number of steps."""
    tree = select(_C.id).where(_C.id == contact).cte("tree", recursive=True)
    step = CONTACT.alias("step")
    return tree.union_all(select(step.c.id).join(tree, step.c.merged_into == tree.c.id))


async def set_erasing(db: WriteSession, contact: str, due_at: datetime | None) -> None:
    """Hide a contact and what was merged into it until its rows go, or show them again."""
    tree = set_of(literal(contact))
    values = {"erase_due_at": due_at, "version": _C.version + 1}
    await db.execute(update(CONTACT).where(_C.id.in_(select(tree.c.id))).values(**values))


async def take_erasure(db: WriteSession, contact: str, due_at: datetime) -> int | None:
    """Show a contact and what was merged into it again; returns the version, None where others were first."""
    taken = await _take(db, contact, _C.erase_due_at == due_at, erase_due_at=None)
    if taken:
        await _set_rest_erasing(db, contact, None)
    return taken


async def give_erasure_back(db: WriteSession, contact: str, taken: int, due_at: datetime) -> None:
    """Hide them again, unless somebody changed the row since it was taken."""
    is_as_taken = (_C.id == contact, _C.version == taken)
    if await changed(db, update(CONTACT).where(*is_as_taken).values(erase_due_at=due_at)):
        await _set_rest_erasing(db, contact, due_at)


async def _set_rest_erasing(db: WriteSession, contact: str, due_at: datetime | None) -> None:
    tree = set_of(literal(contact))
    rest = (_C.id.in_(select(tree.c.id)), _C.id != contact)
    await db.execute(update(CONTACT).where(*rest).values(erase_due_at=due_at))


async def due(db: ReadSession, before: datetime, most: int) -> list[str]:
    """List contacts whose erasure fell due before a moment."""
    return [row["id"] for row in await db.rows(_DUE, before=before, most=most)]


async def remove(db: WriteSession, ids: Collection[str], before: datetime) -> int:
    """Delete rows that are due; those that were cancelled meanwhile stay."""
    # What was merged into them is due with them, though perhaps not in the same batch.
    await db.execute(update(CONTACT).where(_C.merged_into.in_(list(ids))).values(merged_into=None))
    statement = delete(CONTACT).where(_C.id.in_(list(ids)), _C.erase_due_at < before).returning(_C.id)
    return len((await db.execute(statement)).all())


async def add_job(db: WriteSession, values: Mapping[str, Any]) -> bool:
    """Insert an import; False where one of this id is there."""
    statement = insert(JOB).values(**values).on_conflict_do_nothing().returning(JOB.c.id)
    return (await db.execute(statement)).first() is not None


async def find_job(db: ReadSession, job: str) -> Record | None:
    """Read one import."""
    return await db.row(_JOB, id=job)


async def note_job(db: WriteSession, job: str, values: Mapping[str, Any]) -> None:
    """Write how far an import has come."""
    await db.execute(update(JOB).where(JOB.c.id == job).values(**values))


async def claim(db: WriteSession, task: str, now: datetime, stale: datetime) -> int | None:
    """Take a recurring task if nobody works on it; returns how far it has come."""
    await db.execute(insert(UPKEEP).values(task=task).on_conflict_do_nothing())
    statement = (
        update(UPKEEP)
        .where(UPKEEP.c.task == task, func.coalesce(UPKEEP.c.claimed_at < stale, True))
        .values(claimed_at=now)
        .returning(UPKEEP.c.position)
    )
    row = (await db.execute(statement)).first()
    return None if row is None else int(row[0])


async def release(db: WriteSession, task: str, position: int) -> None:
    """Give a recurring task back, with how far it has come now."""
    await db.execute(update(UPKEEP).where(UPKEEP.c.task == task).values(claimed_at=None, position=position))


async def link_as(db: WriteSession, contact: str, other: str) -> None:
    """Link a contact to the company that another is linked to."""
    linked = select(_OTHER.c.company_id).where(_OTHER.c.id == other).scalar_subquery()
    await db.execute(update(CONTACT).where(_C.id == contact).values(company_id=linked, version=_C.version + 1))


async def changed(db: WriteSession, statement: Update) -> int:
    """Run an update and count the rows it changed."""
    return cast("CursorResult[Any]", await db.execute(statement)).rowcount
