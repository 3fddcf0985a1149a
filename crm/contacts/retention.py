"""People nobody has dealt with for long, proposed for erasure to those who look after them.

Only proposed: it takes a person to erase somebody, and another may cancel it. Dealing with somebody is an interaction,
a consent, or a change of their record; whoever decides to keep them all the same says until when.
"""

from datetime import UTC, datetime, time
from typing import Any

from crm.contacts import group_queries, queries
from crm.contacts.answers import labels_out, time_out
from crm.contacts.caller import Caller
from crm.contacts.companies import list_group
from crm.contacts.schemas import KeepIn
from crm.db import Database, ReadSession, WriteSession, milliseconds, moment
from crm.errors import Invalid, NotFound
from crm.keeper_client import Keeper, Labels
from crm.kit.clock import Clock
from crm.kit.ids import ContactId

MOST_SHOWN = 8
DAY_MS = 24 * 3_600_000
LONGEST_KEPT_MS = 10 * 366 * DAY_MS


async def propose(database: Database, clock: Clock, days: int | None) -> int:
    """Propose whom nobody has dealt with for so many days, take back what is over; returns how many are new.

    With no number of days nothing is proposed, and what was is taken back.
    """
    now = clock.wall_ms()
    since = None if days is None else moment(now - days * DAY_MS)
    async with database.writes() as db:
        await group_queries.withdraw_proposals(db, since)
        return await group_queries.propose(db, moment(now), since) if since else 0


async def list_proposed(reads: ReadSession, keeper: Keeper, caller: Caller) -> dict[str, Any]:
    """Show what is proposed, at most eight at a time: to staff their own with labels, to privacy officers all by id.

    Who is dealt with leaves the list, and the next one comes.
    """
    if "staff" in caller.roles:
        return await list_group(reads, keeper, caller.token, "proposed_of", caller.id, most=MOST_SHOWN)
    ids, count = await group_queries.first_of(reads, "proposed", "", MOST_SHOWN)
    return labels_out(Labels([], more=False), count) | {"matches": [{"id": one} for one in ids]}


async def keep(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    *,
    given: KeepIn,
    reads: ReadSession,
    clock: Clock,
) -> dict[str, Any]:
    """Keep somebody until a day, however quiet.

    Raises:
        NotFound: no such contact.
        Invalid: the day is over, or more than ten years away.
    """
    if await queries.find(reads, contact) is None:
        raise NotFound
    until = datetime.combine(given.until, time(), UTC)
    if not 0 < milliseconds(until) - clock.wall_ms() <= LONGEST_KEPT_MS:
        raise Invalid("Keep somebody for some time, and for ten years at most.", pointer="/body/until")
    index = await keeper.record(caller.token, "attributes", [contact], detail={"fields": "keep_until"})
    await group_queries.keep(db, contact, until)
    return {"keep_until": time_out(until), "log_index": index}
