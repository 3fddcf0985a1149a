"""What falls due by itself: holidays that end, people whom nobody deals with any more.

Every web process runs this; each step changes only what has not been changed yet, so that they may run at once.
"""

import asyncio
from collections.abc import Callable

from crm.contacts import group_queries, retention
from crm.db import DOWN, Database, moment
from crm.kit.clock import Clock

EVERY_S = 3600
RETRY_S = 30


async def run(
    database: Database,
    clock: Clock,
    retention_days: int | None,
    *,
    report: Callable[..., None],
    fail: Callable[[BaseException], None],
) -> None:
    """Do what is due now, and every hour; a database that is down is tried again soon."""
    while True:
        pause = EVERY_S
        try:
            returned = await end_hand_overs(database, clock)
            proposed = await retention.propose(database, clock, retention_days)
            report("contacts_upkeep", returned=returned, proposed=proposed)
        except DOWN as error:
            fail(error)
            pause = RETRY_S
        await asyncio.sleep(pause)


async def end_hand_overs(database: Database, clock: Clock) -> int:
    """Give back what was lent for holidays that are over; returns how many contacts went back."""
    async with database.writes() as db:
        return await group_queries.end_hand_overs(db, moment(clock.wall_ms()))
