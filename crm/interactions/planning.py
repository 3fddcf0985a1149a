"""Follow-ups: what somebody means to do for a contact, and when. The title is sealed under the contact."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from asyncpg import Record

from crm.contacts import ownership
from crm.contacts import queries as contacts
from crm.contacts.caller import Caller
from crm.contacts.schemas import HandOverIn
from crm.db import ReadSession, WriteSession, moment
from crm.errors import Duplicate, Invalid, NotFound, Stale
from crm.interactions import days
from crm.interactions.queries import follow_ups as queries
from crm.interactions.records import What, record_of
from crm.interactions.schemas import FollowUpIn, FollowUpPart, FollowUpPatch, follow_ups_out, title_of, to_ms
from crm.interactions.service import CURSOR, SHOWN, cursor
from crm.keeper_client import Keeper, Opened, Sealed
from crm.kit.clock import Clock
from crm.kit.ids import new_id

LABELS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A follow-up that is being made; `item` is what the keeper seals of it."""

    id: str
    item: dict[str, Any]
    values: dict[str, Any]

    @classmethod
    def of(cls, contact: str, given: FollowUpPart, caller: Caller, now: datetime, *, origin: str | None = None) -> Self:
        """Plan what was asked for; `origin` is the record of the version it is made with."""
        id_ = given.id or new_id()
        record = record_of(What.TITLE, id_)
        values = {
            "id": id_,
            "contact": contact,
            "record": record,
            "origin": origin,
            "due_at": to_ms(given.due),
            "assignee": given.assignee or caller.id,
            "author": caller.id,
            "created_at": now,
            "version": 1,
        }
        return cls(id_, {"subject": contact, "record": record, "fields": title_of(given)}, values)

    def row(self, sealed: Sealed) -> dict[str, Any]:
        """Return the row, once the title is sealed."""
        return {**self.values, "sealed": sealed.blobs[self.values["record"]], "log_index": sealed.index}


async def check_assignee(keeper: Keeper, caller: Caller, assignee: str | None, pointer: str) -> None:
    """See that whoever is to do it works here.

    Raises:
        Invalid: nobody here has that id.
    """
    if assignee in {None, caller.id}:
        return
    if assignee not in {person["id"] for person in await keeper.colleagues(caller.token)}:
        raise Invalid("Nobody here has this id.", pointer=pointer)


async def create(
    db: WriteSession, keeper: Keeper, caller: Caller, *, given: FollowUpIn, reads: ReadSession, clock: Clock
) -> dict[str, Any]:
    """Make a follow-up, or answer as the first time when its id was used before.

    Raises:
        NotFound: no such contact.
        Invalid: an assignee nobody is.
        Duplicate: the id is that of a follow-up about somebody else.
    """
    if await contacts.find(reads, given.contact) is None:
        raise NotFound
    if given.id and (row := await queries.find(reads, given.id)):
        return _made(row, given.contact)
    await check_assignee(keeper, caller, given.assignee, "/body/assignee")
    plan = Plan.of(given.contact, given, caller, moment(clock.wall_ms()))
    row = plan.row(await keeper.seal(caller.token, "serve", [plan.item]))
    if not await queries.add(db, row):
        return _made(await queries.find_written(db, plan.id), given.contact)
    return _print(row)


def _made(row: Any, contact: str) -> dict[str, Any]:  # noqa: ANN401 - a row of any kind
    if row["contact"] != contact:
        raise Duplicate
    return _print(row)


def _print(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of any kind
    return {name: row[name] for name in ("id", "version", "log_index")}


async def list_mine(
    reads: ReadSession,
    keeper: Keeper,
    caller: Caller,
    *,
    due: days.Due | None,
    zone: str,
    after: str | None,
    clock: Clock,
) -> dict[str, Any]:
    """List the caller's open follow-ups in the order they fall due, with labels and titles; at most `SHOWN`.

    Whoever the keeper no longer knows is left out, though the database may not have heard of it yet.
    """
    begin, before = days.span(due, zone, clock.wall_ms())
    at, last = begin, ""
    if after and (found := CURSOR.fullmatch(after)):
        at, last = max((begin, ""), (moment(int(found[1])), found[2]))
    rows = await queries.mine(reads, caller.id, at, last, before, SHOWN + 1)
    shown = rows[:SHOWN]
    if not shown:
        return {"follow_ups": [], "next": None, "log_index": None}
    heads = {row["contact"]: row["contact"] for row in shown}
    heads |= await queries.heads(reads, [row["contact"] for row in shown if row["merged_into"]])
    labels, opened = await _open(keeper, caller, shown, heads)
    return {
        "follow_ups": follow_ups_out(shown, heads, labels, opened) if opened else [],
        "next": cursor(rows, "due_at"),
        "log_index": opened and opened.index,
    }


async def _open(
    keeper: Keeper, caller: Caller, rows: Sequence[Record], heads: Mapping[str, str], *, is_again: bool = False
) -> tuple[dict[str, dict[str, Any]], Opened | None]:
    """Label everybody the keeper knows, then open the titles about them in one entry."""
    people = list(dict.fromkeys(heads.values()))
    parts = [people[start : start + LABELS_AT_ONCE] for start in range(0, len(people), LABELS_AT_ONCE)]
    found = await asyncio.gather(*(keeper.labels(caller.token, part) for part in parts))
    labels = {label["id"]: label for part in found for label in part.matches}
    records: dict[str, dict[str, bytes]] = {}
    for row in rows:
        if heads[row["contact"]] in labels:
            records.setdefault(row["contact"], {})[row["record"]] = row["sealed"]
    if not records:
        return {}, None
    try:
        opened = await keeper.open(caller.token, "agenda", subjects=[*labels], fields=[], records=records)
    except NotFound:
        # Between the two calls somebody was erased or merged away: who, the labels say by now.
        if is_again:
            raise
        return await _open(keeper, caller, rows, heads, is_again=True)
    return labels, opened


async def finish(
    db: WriteSession, keeper: Keeper, caller: Caller, follow_up: str, *, reads: ReadSession, clock: Clock
) -> dict[str, Any]:
    """Mark a follow-up as done, or answer as the first time.

    Raises:
        NotFound: no such follow-up.
    """
    row = await queries.find(reads, follow_up)
    if row is None:
        raise NotFound
    if row["done_at"] is not None:
        return _print(row)
    index = await _record(keeper, caller, row, "done")
    done = await queries.finish(db, follow_up, moment(clock.wall_ms()), index)
    return _print(done or await queries.find_written(db, follow_up))


async def change(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    follow_up: str,
    *,
    patch: FollowUpPatch,
    etag: str,
    reads: ReadSession,
) -> dict[str, Any]:
    """Hand an open follow-up to somebody else, or let it fall due at another time, from exactly one version.

    Raises:
        NotFound: no such follow-up.
        Stale: somebody changed or finished it meanwhile.
        Invalid: nothing to change, or an assignee nobody is.
    """
    row = await queries.find(reads, follow_up)
    if row is None:
        raise NotFound
    if str(row["version"]) != etag or row["done_at"] is not None:
        raise Stale
    values: dict[str, Any] = {}
    if patch.due:
        values["due_at"] = to_ms(patch.due)
    if patch.assignee:
        await check_assignee(keeper, caller, patch.assignee, "/body/assignee")
        values["assignee"] = patch.assignee
    if not values:
        raise Invalid("The patch changes nothing.", pointer="/body")
    values["log_index"] = await _record(keeper, caller, row, ".".join(values))
    if not await queries.change(db, follow_up, row["version"], values):
        raise Stale
    return {"id": follow_up, "version": row["version"] + 1, "log_index": values["log_index"]}


async def hand_over(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    person: str,
    *,
    given: HandOverIn,
    reads: ReadSession,
    clock: Clock,
) -> dict[str, Any]:
    """Give a colleague's contacts to another, and of one who leaves what is still to be done too.

    Whoever is on holiday keeps their follow-ups: they fall due when they say, for whom they say.
    """
    told = await ownership.hand_over(db, keeper, caller, person, given=given, reads=reads, clock=clock)
    if given.kind == "leaver":
        await queries.hand_over(db, person, given.to)
    return told


async def _record(keeper: Keeper, caller: Caller, row: Record, what: str) -> int:
    detail = {"id": row["id"], "change": what}
    return await keeper.record(caller.token, "follow_up", [row["contact"]], detail=detail)
