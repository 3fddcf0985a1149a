"""What nobody asks for and has to be done: making the two stores agree, and removing what is erased.

Every web process runs this; a row in `upkeep` is claimed, so that one of them works at a time.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from asyncpg import Record

from crm.contacts import queries as contacts
from crm.db import Database, milliseconds, moment
from crm.interactions import queries
from crm.interactions.drafting import KEPT
from crm.interactions.queries import drafts
from crm.keeper_client import Keeper
from crm.kit.clock import Clock

REMOVE = "remove"
EVERY_S = 3600
RETRY_S = 30
# A request that is under way has an entry and no row yet; none takes longer than this.
SETTLE_S = 40
CLAIM_MS = 10 * 60_000
# The keeper's clock and this one may differ; the rows are unreadable from the moment the key is dead.
GRACE_MS = 3_600_000
BATCH = 500

Report = Callable[..., None]


async def run(
    database: Database, keeper: Keeper, clock: Clock, *, report: Report, fail: Callable[[BaseException], None]
) -> None:
    """Remove and reconcile now, and every hour; what fails is reported and tried again soon, whatever it is."""
    while True:
        pause = EVERY_S
        try:
            # First what needs no keeper: a log that cannot be reconciled keeps nobody's rows.
            removed = await remove_due(database, clock)
            marked = await reconcile(database, keeper, clock)
            report("upkeep", marked=marked, removed=removed)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would notice that it ended
            fail(error)
            pause = RETRY_S
        await asyncio.sleep(pause)


def reconciling(origin: str) -> str:
    """Name the task for one log: after a restore with loss another begins at 0, and nothing of it was looked at."""
    return f"reconcile {sha256(origin.encode()).hexdigest()[:16]}"


async def reconcile(database: Database, keeper: Keeper, clock: Clock, *, settle_s: float = SETTLE_S) -> int:
    """Make PostgreSQL agree with the keeper, whose word is first; returns how many differed.

    What the keeper made and PostgreSQL never got is marked in the log; who is merged or to be erased in the
    keeper becomes so here.
    """
    origin, size, _ = (await keeper.checkpoint()).split("\n", 2)
    # What is written from here on belongs to the next round.
    task, end = reconciling(origin), int(size)
    position = await _claim(database, task, clock)
    if position is None:
        return 0
    marked = 0
    try:
        while position < end - 1:
            page = await keeper.made(position)
            items = [item for item in page["items"] if item["index"] < end]
            missing, moved = await _missing(database, items), await _moved(database, page["now"])
            if missing or moved:
                await asyncio.sleep(settle_s)
                missing = await _missing(database, missing)
                # Somebody may have undone it meanwhile: what counts is how they stand by now.
                moved = await _moved(database, (await keeper.made(position))["now"])
            for start in range(0, len(missing), BATCH):
                await keeper.orphan(missing[start : start + BATCH])
            if moved:
                async with database.writes() as db:
                    for seen, into, due_at in moved:
                        await contacts.set_state(db, seen, into, due_at)
            marked += len(missing) + len(moved)
            position = end - 1 if page["next"] is None else min(page["next"], end - 1)
    finally:
        async with database.writes() as db:
            await contacts.release(db, task, position)
            await queries.forget_former(db, position)
    return marked


async def _claim(database: Database, task: str, clock: Clock) -> int | None:
    now = clock.wall_ms()
    async with database.writes() as db:
        return await contacts.claim(db, task, moment(now), moment(now - CLAIM_MS))


async def _missing(database: Database, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep those of which there is no row."""
    people = await contacts.standing(database.reads, {item["subject"] for item in items})
    pairs = {(item["subject"], item["record"]) for item in items if item["record"]}
    records = await queries.standing(database.reads, pairs)
    return [
        {"subject": item["subject"], "record": item["record"]}
        for item in items
        if ((item["subject"], item["record"]) not in records if item["record"] else item["subject"] not in people)
    ]


async def _moved(
    database: Database, now: dict[str, dict[str, Any]]
) -> list[tuple[Record, str | None, datetime | None]]:
    """Return the rows of those who stand otherwise in the keeper, and how they stand there."""
    found = []
    there = await contacts.standing(database.reads, {one["into"] for one in now.values()} - {None})
    for seen in (await contacts.states(database.reads, now.keys())).values():
        into, due = now[seen["id"]]["into"], now[seen["id"]]["due"]
        if into not in there:
            # A row cannot point at one that never came.
            into = None
        if due == 0:
            # The key is dead, and no merge is remembered: all there is to do is to let the rows go.
            is_equal, into = seen["erase_due_at"] is not None, seen["merged_into"]
        else:
            is_equal = (seen["merged_into"], seen["erase_due_at"] and milliseconds(seen["erase_due_at"])) == (into, due)
        if not is_equal:
            found.append((seen, into, None if due is None else moment(due)))
    return found


async def remove_due(database: Database, clock: Clock) -> int:
    """Delete the rows of contacts whose key is dead, and drafts that are too old; returns how many contacts went."""
    position = await _claim(database, REMOVE, clock)
    if position is None:
        return 0
    before = moment(clock.wall_ms() - GRACE_MS)
    async with database.writes() as db:
        await drafts.let_go_before(db, moment(clock.wall_ms()) - KEPT)
    removed = 0
    try:
        while ids := await contacts.due(database.reads, before, BATCH):
            async with database.writes() as db:
                await queries.remove_of(db, ids)
                removed += await contacts.remove(db, ids, before)
    finally:
        async with database.writes() as db:
            await contacts.release(db, REMOVE, position)
    return removed
