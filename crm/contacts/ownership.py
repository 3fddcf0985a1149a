"""Who looks after whom: one's own contacts, and handing them to a colleague without looking at any."""

from collections.abc import Mapping
from typing import Any

from crm.contacts import group_queries
from crm.contacts.answers import told
from crm.contacts.caller import Caller
from crm.contacts.companies import list_group
from crm.contacts.schemas import HandOverIn
from crm.db import ReadSession, WriteSession, milliseconds, moment
from crm.errors import Invalid, NotFound
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import new_id

MOST_OWNED = 20
LONGEST_HOLIDAY_MS = 366 * 24 * 3_600_000


async def list_owned(reads: ReadSession, keeper: Keeper, caller: Caller) -> dict[str, Any]:
    """Label the contacts of one's own that changed last, at most twenty, and count them all.

    There is no next page: whoever looks for somebody else among their own searches.
    """
    return await list_group(reads, keeper, caller.token, "owner", caller.id, most=MOST_OWNED)


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
    """Give all that one colleague owns to another, and tell how many they were, in tens.

    What is lent for a holiday goes back when it ends, unless somebody decided otherwise meanwhile; what stands in for
    a third person goes along and returns to them. A leaver's own that are lent out are given away with the rest. The
    end of a holiday has no entry of its own: this one names it.

    Raises:
        NotFound: nobody of this id ever worked here, or the hand-over's id was used for somebody else.
        Invalid: nobody who serves customers is there to take them, or the holiday ends too soon or too late.
    """
    people = {one["id"]: one for one in await keeper.people(caller.token)}
    if person not in people:
        raise NotFound
    hand_over_id = given.id or new_id()
    if given.id and (row := await group_queries.find_hand_over(reads, given.id)):
        return _told(row, person)
    taker = people.get(given.to, {"state": "", "roles": ()})
    if given.to == person or taker["state"] != "active" or "staff" not in taker["roles"]:
        raise Invalid("Name an active colleague who serves customers.", pointer="/body/to")
    now = clock.wall_ms()
    until = given.until and milliseconds(given.until)
    if until and not now < until <= now + LONGEST_HOLIDAY_MS:
        raise Invalid("A holiday ends within a year from now.", pointer="/body/until")
    detail = {"hand_over": hand_over_id, "kind": given.kind, "from": person, "to": given.to}
    index = await keeper.record(caller.token, "owner", detail=detail | ({"until": until} if until else {}))
    values = {
        "id": hand_over_id, "kind": given.kind, "giver": person, "taker": given.to,
        "until": until and moment(until), "created_at": moment(now), "author": caller.id, "log_index": index,
    }  # fmt: skip
    if row := await group_queries.add_hand_over(db, values):
        return _told(row, person)
    if given.kind == "holiday":
        moved = await group_queries.lend(db, hand_over_id, person, given.to)
    else:
        moved = await group_queries.give(db, hand_over_id, person, given.to, moment(now))
    return _told({**values, "count": moved}, person)


def _told(row: Mapping[str, Any], person: str) -> dict[str, Any]:
    if row["giver"] != person:
        raise NotFound
    return {"id": row["id"], "count": told(row["count"]), "log_index": row["log_index"]}
