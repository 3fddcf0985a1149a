"""All SQL about alerts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg import Record
from sqlalchemy import Table, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel

import crm.audit.models  # noqa: F401 - the tables register themselves
from crm.db import Query, ReadSession, WriteSession, moment

FOLD: Table = SQLModel.metadata.tables["alert_fold"]
ALERT: Table = SQLModel.metadata.tables["alert"]
_A = ALERT.c
GROWING = ("last_index", "last_at", "count", "evidence")

_FOLD = Query(select(FOLD.c.position, FOLD.c.tip, FOLD.c.state).where(FOLD.c.log == bindparam("log")))
_FIND = Query(select(ALERT).where(_A.log == bindparam("log"), _A.id == bindparam("id")))
_STATES = {"open": _A.acknowledged_index.is_(None), "acknowledged": _A.acknowledged_index.is_not(None)}
_NEWEST = select(ALERT).where(_A.log == bindparam("log")).order_by(_A.first_index.desc(), _A.id)
_BEHIND = or_(_A.first_index < bindparam("first"), (_A.first_index == bindparam("first")) & (_A.id > bindparam("last")))
_PAGES = {
    (state, is_first): Query(
        (_NEWEST if is_first else _NEWEST.where(_BEHIND))
        .where(*([_STATES[state]] if state else []))
        .limit(bindparam("most"))
    )
    for state in (None, *_STATES)
    for is_first in (True, False)
}


async def find_fold(db: ReadSession, log: str) -> tuple[int, str, dict[str, Any]] | None:
    """Read how far a log was read, the digest of that entry, and what is carried on."""
    row = await db.row(_FOLD, log=log)
    return (row["position"], row["tip"], json.loads(row["state"])) if row else None


async def advance(
    db: WriteSession, log: str, before: int, *, position: int, tip: str, state: Mapping[str, Any]
) -> bool:
    """Write how far a log was read by now; False where somebody else was first."""
    values = {"position": position, "tip": tip, "state": dict(state)}
    statement = (
        insert(FOLD)
        .values(log=log, **values)
        .on_conflict_do_update(index_elements=[FOLD.c.log], set_=values, where=FOLD.c.position == before)
        .returning(FOLD.c.log)
    )
    return (await db.execute(statement)).first() is not None


async def put_alerts(db: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert alerts, or let those that are there grow."""
    statement = insert(ALERT)
    grown = {name: statement.excluded[name] for name in GROWING}
    await db.execute(
        statement.on_conflict_do_update(
            index_elements=[_A.id], set_=grown, where=_A.last_index < statement.excluded.last_index
        ),
        list(rows),
    )


async def acknowledge(db: WriteSession, log: str, alert: str, *, by: str, note_code: str, at: int, index: int) -> None:
    """Note whose an alert is; the first in the log counts."""
    values = {"acknowledged_by": by, "note_code": note_code, "acknowledged_at": moment(at), "acknowledged_index": index}
    is_first = or_(_A.acknowledged_index.is_(None), _A.acknowledged_index > index)
    await db.execute(update(ALERT).where(_A.log == log, _A.id == alert, is_first).values(**values))


async def find(db: ReadSession, log: str, alert: str) -> Record | None:
    """Read one alert."""
    return await db.row(_FIND, log=log, id=alert)


async def newest(
    db: ReadSession, log: str, *, state: str | None, after: tuple[int, str] | None, most: int
) -> list[Record]:
    """Read alerts, newest first, behind one where that is given (its first index, and its id)."""
    behind = {} if after is None else {"first": after[0], "last": after[1]}
    return await db.rows(_PAGES[state, after is None], log=log, most=most, **behind)
