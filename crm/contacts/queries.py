"""All SQL about contacts. A row merged away or being erased is there only for those who ask for it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from asyncpg import Record
from sqlalchemy import (
    ARRAY,
    CTE,
    BindParameter,
    Boolean,
    ColumnElement,
    CursorResult,
    DateTime,
    Table,
    Update,
    and_,
    any_,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    table,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import SQLModel

from crm.contacts.models import ImportJob
from crm.db import Id, Query, ReadSession, WriteSession

_TABLES = SQLModel.metadata.tables
CONTACT: Table = _TABLES["contact"]
JOB: Table = _TABLES["import_job"]
UPKEEP: Table = _TABLES["upkeep"]
CONSENT: Table = _TABLES["consent"]
HAND_OVER: Table = _TABLES["hand_over"]
# Named and not imported, since it belongs to the slice above: only when something last happened is asked here.
_INTERACTION = table(
    "interaction", column("contact", Id), column("occurred_at", DateTime(timezone=True)), column("is_current", Boolean)
)
_C, _S, _H = CONTACT.c, CONSENT.c, HAND_OVER.c
_LIVE = (_C.merged_into.is_(None), _C.erase_due_at.is_(None))
_PEOPLE = (_C.kind == "contact", *_LIVE)
_OTHER = CONTACT.alias("other")
_UPKEEP_TIMEOUT = text("set local statement_timeout = '10min'")

_FIND = Query(
    select(
        _C.id, _C.kind, _C.stage, _C.product, _C.tags, _C.language, _C.country, _C.time_zone, _C.owner,
        _C.company_id, _C.created_at, _C.updated_at, _C.version, _C.log_index,
        exists().where(_OTHER.c.merged_into == _C.id).label("is_merged"),
    ).where(_C.id == bindparam("id"), _C.kind == bindparam("kind"), *_LIVE)
)  # fmt: skip
_ANY_STATE = Query(select(_C.kind, _C.merged_into, _C.erase_due_at, _C.log_index).where(_C.id == bindparam("id")))
_STANDING = Query(select(_C.id).where(_C.id == any_(bindparam("ids", type_=ARRAY(Id)))))
_STATES = Query(select(_C.id, _C.merged_into, _C.erase_due_at).where(_C.id == any_(bindparam("ids", type_=ARRAY(Id)))))
_DUE = Query(select(_C.id).where(_C.erase_due_at < bindparam("before")).limit(bindparam("most")))
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


async def change(db: WriteSession, contact: str, version: int, values: Mapping[str, Any]) -> bool:
    """Change a live row of exactly this version; False where somebody else was first."""
    statement = (
        update(CONTACT)
        .where(_C.id == contact, _C.version == version, *_LIVE)
        .values(version=version + 1, **values)
        .returning(_C.id)
    )
    return (await db.execute(statement)).first() is not None


async def set_merged(db: WriteSession, contact: str, into: str | None, at: datetime) -> None:
    """Point a merged-away contact at the one that stands for it, or let it stand for itself again."""
    await db.execute(update(CONTACT).where(_C.id == contact).values(merged_into=into, updated_at=at))


def set_of(contact: ColumnElement[str]) -> CTE:
    """Select a contact and all that were merged into it, through any number of steps."""
    tree = select(_C.id).where(_C.id == contact).cte("tree", recursive=True)
    step = CONTACT.alias("step")
    return tree.union_all(select(step.c.id).join(tree, step.c.merged_into == tree.c.id))


async def set_erasing(db: WriteSession, contact: str, due_at: datetime | None) -> None:
    """Hide a contact and what was merged into it until its rows go, or show them again."""
    tree = set_of(literal(contact))
    await db.execute(update(CONTACT).where(_C.id.in_(select(tree.c.id))).values(erase_due_at=due_at))


async def due(db: ReadSession, before: datetime, most: int) -> list[str]:
    """List contacts whose erasure fell due before a moment."""
    return [row["id"] for row in await db.rows(_DUE, before=before, most=most)]


async def remove(db: WriteSession, ids: Collection[str], before: datetime) -> int:
    """Delete rows that are due; those that were cancelled meanwhile stay."""
    # What was merged into them is due with them, though perhaps not in the same batch.
    await db.execute(update(CONTACT).where(_C.merged_into.in_(list(ids))).values(merged_into=None))
    statement = delete(CONTACT).where(_C.id.in_(list(ids)), _C.erase_due_at < before).returning(_C.id)
    return len((await db.execute(statement)).all())


async def add_job(db: WriteSession, job: ImportJob) -> None:
    """Insert an import."""
    db.add(job)


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


# Companies, owners, proposals: the first of a group, and how many they are


_VALUE: BindParameter[str] = bindparam("value", type_=Id)


def _first_of(group: ColumnElement[bool]) -> Query:
    """Select the people of a group who changed last; every row says how many there are."""
    everybody = select(_C.id, func.count().over().label("count")).where(group, *_PEOPLE)
    return Query(everybody.order_by(_C.updated_at.desc(), _C.id).limit(bindparam("most")))


_FIRST_OF = {
    "company": _first_of(_C.company_id.in_(select(set_of(_VALUE).c.id))),
    "owner": _first_of(_C.owner == _VALUE),
    "proposed": _first_of(_C.proposed_at.is_not(None)),
    "proposed_of": _first_of(_C.proposed_at.is_not(None) & (_C.owner == _VALUE)),
}


async def first_of(db: ReadSession, group: str, value: str, most: int) -> tuple[list[str], int]:
    """List the people of a group who changed last, at most so many, and count them all."""
    rows = await db.rows(_FIRST_OF[group], value=value, most=most)
    return [row["id"] for row in rows], rows[0]["count"] if rows else 0


async def link(db: WriteSession, contact: str, company: str | None) -> None:
    """Link a contact to a company."""
    await db.execute(update(CONTACT).where(_C.id == contact).values(company_id=company, version=_C.version + 1))


# Counts


def _seen(since: datetime, *, with_consents: bool) -> CTE:
    """Select who was dealt with since a moment, and whom they were merged into, through any number of steps."""
    touched = select(_INTERACTION.c.contact.label("id")).where(
        _INTERACTION.c.is_current, _INTERACTION.c.occurred_at >= since
    )
    said = select(_S.contact).where(_S.recorded_at >= since)
    first = select(union_all(touched, said).subquery().c.id) if with_consents else touched
    seen = first.cte("seen", recursive=True)
    step = CONTACT.alias("step")
    into = select(step.c.merged_into).join(seen, step.c.id == seen.c.id).where(step.c.merged_into.is_not(None))
    return seen.union(into)


def _is_seen(since: datetime, *, with_consents: bool = False) -> ColumnElement[bool]:
    seen = _seen(since, with_consents=with_consents)
    return exists().where(seen.c.id == _C.id)


async def count(
    db: ReadSession,
    plain: Mapping[str, Any],
    *,
    tags: Iterable[str],
    active_since: datetime | None,
    quiet_since: datetime | None,
) -> tuple[int, list[int]]:
    """Count the people who fit all criteria; and, for each criterion, those who fit all the others."""
    criteria = [_C[name].is_not_distinct_from(value) for name, value in plain.items()]
    criteria += [literal(tag, Id) == any_(_C.tags) for tag in tags]
    criteria += [_is_seen(active_since)] if active_since else []
    criteria += [~_is_seen(quiet_since)] if quiet_since else []
    sets = [criteria, *([one for one in criteria if one is not left_out] for left_out in criteria)]
    counts: list[Any] = [func.count().filter(and_(true(), *one)) for one in sets]
    row = await db.row(Query(select(*counts).where(*_PEOPLE)))
    narrow, *wider = tuple(row or ())
    return narrow, wider


# Consents


_SET = _S.contact.in_(select(set_of(_VALUE).c.id))
# An objection stands once for each of a merged set; it was said once.
_HISTORY = Query(
    select(CONSENT).where(_SET).ext(distinct_on(_S.at, _S.id)).order_by(_S.at.desc(), _S.id).limit(bindparam("most"))
)
# Where two things were said at one moment, the stricter holds, whichever was noted first.
_STANDING_CONSENTS = Query(
    select(_S.topic, _S.channel, _S.state, _S.at)
    .where(_SET, _S.topic.is_not(None), _S.channel.is_not(None))
    .ext(distinct_on(_S.topic, _S.channel))
    .order_by(_S.topic, _S.channel, _S.at.desc(), _S.state == "given")
)
_OBJECTED = Query(select(func.min(_S.at).label("at")).where(_SET, _S.state == "objected"))
_CONSENT = Query(select(_S.log_index).where(_S.contact == bindparam("contact"), _S.id == bindparam("id")))
_MEMBERS = Query(select(set_of(_VALUE).c.id))


async def consents(db: ReadSession, contact: str, most: int) -> list[Record]:
    """Read what a person and all that were merged into them said, newest first."""
    return await db.rows(_HISTORY, value=contact, most=most)


async def standing_consents(db: ReadSession, contact: str) -> list[Record]:
    """Read the last word of a merged set on each topic and channel."""
    return await db.rows(_STANDING_CONSENTS, value=contact)


async def objected_at(db: ReadSession, contact: str) -> datetime | None:
    """Say when anybody of a merged set first objected."""
    row = await db.row(_OBJECTED, value=contact)
    return row and row["at"]


async def find_consent(db: ReadSession, contact: str, consent: str) -> Record | None:
    """Read the log index of one consent."""
    return await db.row(_CONSENT, contact=contact, id=consent)


async def members(db: ReadSession, contact: str) -> list[str]:
    """List a contact and all that were merged into it."""
    return [row["id"] for row in await db.rows(_MEMBERS, value=contact)]


async def add_consents(db: WriteSession, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert what was said, for each of a set; returns the log index that stands: the first time's."""
    await db.execute(insert(CONSENT).values(list(rows)).on_conflict_do_nothing())
    first = rows[0]
    statement = select(_S.log_index).where(_S.contact == first["contact"], _S.id == first["id"])
    return int((await db.execute(statement)).scalar_one())


# Owners


_HAND_OVER = Query(select(HAND_OVER).where(_H.id == bindparam("id")))


async def find_hand_over(db: ReadSession, hand_over: str) -> Record | None:
    """Read one hand-over."""
    return await db.row(_HAND_OVER, id=hand_over)


async def add_hand_over(db: WriteSession, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Insert a hand-over; where it was there already, that one is returned."""
    added = insert(HAND_OVER).values(**values, count=0).on_conflict_do_nothing().returning(_H.id)
    if (await db.execute(added)).first():
        return None
    return dict((await db.execute(select(HAND_OVER).where(_H.id == values["id"]))).mappings().one())


async def lend(db: WriteSession, hand_over: str, giver: str, taker: str) -> int:
    """Give what one owns to another until the hand-over ends; what is lent to them already stays lent by its first."""
    lent = func.coalesce(_C.hand_over, hand_over)
    return await _hand_on(db, hand_over, _C.owner == giver, {"owner": taker, "hand_over": lent})


async def give(db: WriteSession, hand_over: str, giver: str, taker: str, at: datetime) -> int:
    """Give what one owns to another for good, what they had lent out included."""
    open_ones = select(_H.id).where(_H.giver == giver, _H.ended_at.is_(None))
    is_lent = _C.hand_over.in_(open_ones)
    lent = case((is_lent, None), else_=_C.hand_over)
    moved = await _hand_on(db, hand_over, or_(_C.owner == giver, is_lent), {"owner": taker, "hand_over": lent})
    await db.execute(update(HAND_OVER).where(_H.giver == giver, _H.ended_at.is_(None)).values(ended_at=at))
    return moved


async def _hand_on(db: WriteSession, hand_over: str, what: ColumnElement[bool], values: Mapping[str, Any]) -> int:
    moved = await _change(db, update(CONTACT).where(what).values(version=_C.version + 1, **values))
    await db.execute(update(HAND_OVER).where(_H.id == hand_over).values(count=moved))
    return moved


async def end_hand_overs(db: WriteSession, now: datetime) -> int:
    """Give what was lent for a holiday back to its owners; returns how many contacts went back."""
    is_over = (_H.ended_at.is_(None), _H.until <= now)
    back = update(CONTACT).where(_C.hand_over == _H.id, *is_over)
    returned = await _change(db, back.values(owner=_H.giver, hand_over=None, version=_C.version + 1))
    await db.execute(update(HAND_OVER).where(*is_over).values(ended_at=now))
    return returned


# Retention


async def propose(db: WriteSession, now: datetime, since: datetime) -> int:
    """Propose people for erasure whom nobody has dealt with since a moment; returns how many are new."""
    await db.execute(_UPKEEP_TIMEOUT)
    is_kept = func.coalesce(_C.keep_until > now, False)
    quiet = (_C.proposed_at.is_(None), _C.updated_at < since, ~is_kept, ~_is_seen(since, with_consents=True))
    return await _change(db, update(CONTACT).where(*_PEOPLE, *quiet).values(proposed_at=now))


async def withdraw_proposals(db: WriteSession, since: datetime | None) -> None:
    """Take back the proposals of people whom somebody has dealt with; all of them where nothing is proposed."""
    await db.execute(_UPKEEP_TIMEOUT)
    is_over = true() if since is None else or_(_C.updated_at >= since, _is_seen(since, with_consents=True))
    await db.execute(update(CONTACT).where(_C.proposed_at.is_not(None), is_over).values(proposed_at=None))


async def keep(db: WriteSession, contact: str, until: datetime) -> None:
    """Propose a contact no more before a moment."""
    await db.execute(update(CONTACT).where(_C.id == contact).values(keep_until=until, proposed_at=None))


async def _change(db: WriteSession, statement: Update) -> int:
    return cast("CursorResult[Any]", await db.execute(statement)).rowcount
