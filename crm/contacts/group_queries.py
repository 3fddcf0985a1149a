"""All SQL about many contacts at once: the first of a group and how many they are, counts, owners, proposals."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from asyncpg import Record
from sqlalchemy import (
    CTE,
    BindParameter,
    Boolean,
    ColumnElement,
    DateTime,
    Table,
    and_,
    any_,
    bindparam,
    case,
    column,
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
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

from crm.contacts.consent_queries import CONSENT
from crm.contacts.queries import CONTACT, PEOPLE, changed, set_of
from crm.db import Id, Query, ReadSession, WriteSession

HAND_OVER: Table = SQLModel.metadata.tables["hand_over"]
# Named and not imported, since it belongs to the slice above: only when something last happened is asked here.
_INTERACTION = table(
    "interaction", column("contact", Id), column("occurred_at", DateTime(timezone=True)), column("is_current", Boolean)
)
_C, _S, _H = CONTACT.c, CONSENT.c, HAND_OVER.c
_UPKEEP_TIMEOUT = text("set local statement_timeout = '10min'")
_VALUE: BindParameter[str] = bindparam("value", type_=Id)


def _first_of(group: ColumnElement[bool]) -> Query:
    """Select the people of a group who changed last; every row says how many there are."""
    everybody = select(_C.id, func.count().over().label("count")).where(group, *PEOPLE)
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
    row = await db.row(Query(select(*counts).where(*PEOPLE)))
    narrow, *wider = tuple(row or ())
    return narrow, wider


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
    moved = await changed(db, update(CONTACT).where(what).values(version=_C.version + 1, **values))
    await db.execute(update(HAND_OVER).where(_H.id == hand_over).values(count=moved))
    return moved


async def end_hand_overs(db: WriteSession, now: datetime) -> int:
    """Give what was lent for a holiday back to its owners; returns how many contacts went back."""
    is_over = (_H.ended_at.is_(None), _H.until <= now)
    back = update(CONTACT).where(_C.hand_over == _H.id, *is_over)
    returned = await changed(db, back.values(owner=_H.giver, hand_over=None, version=_C.version + 1))
    await db.execute(update(HAND_OVER).where(*is_over).values(ended_at=now))
    return returned


# Retention


async def propose(db: WriteSession, now: datetime, since: datetime) -> int:
    """Propose people for erasure whom nobody has dealt with since a moment; returns how many are new."""
    await db.execute(_UPKEEP_TIMEOUT)
    is_kept = func.coalesce(_C.keep_until > now, False)
    quiet = (_C.proposed_at.is_(None), _C.updated_at < since, ~is_kept, ~_is_seen(since, with_consents=True))
    return await changed(db, update(CONTACT).where(*PEOPLE, *quiet).values(proposed_at=now))


async def withdraw_proposals(db: WriteSession, since: datetime | None) -> None:
    """Take back the proposals of people whom somebody has dealt with; all of them where nothing is proposed."""
    await db.execute(_UPKEEP_TIMEOUT)
    is_over = true() if since is None else or_(_C.updated_at >= since, _is_seen(since, with_consents=True))
    await db.execute(update(CONTACT).where(_C.proposed_at.is_not(None), is_over).values(proposed_at=None))


async def keep(db: WriteSession, contact: str, until: datetime) -> None:
    """Propose a contact no more before a moment."""
    await db.execute(update(CONTACT).where(_C.id == contact).values(keep_until=until, proposed_at=None))
