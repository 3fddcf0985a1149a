"""All SQL about what people said about being written to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from asyncpg import Record
from sqlalchemy import BindParameter, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import SQLModel

from crm.contacts.queries import set_of
from crm.db import Id, Query, ReadSession, WriteSession

CONSENT: Table = SQLModel.metadata.tables["consent"]
_S = CONSENT.c
_VALUE: BindParameter[str] = bindparam("value", type_=Id)
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
