"""Who works here, by id: entries name nobody, pages do."""

from collections.abc import Mapping
from typing import Any

from web.seat import Seat

Colleagues = Mapping[str, Mapping[str, Any]]


async def colleagues_of(seat: Seat) -> Colleagues:
    """Return everybody who has or had an account; to a privacy officer, who has one now."""
    if "auditor" in seat.caller.roles:
        people = await seat.keeper.people(seat.token)
    else:
        people = await seat.keeper.colleagues(seat.token)
    return {one["id"]: one for one in sorted(people, key=lambda one: str(one["name"]).casefold())}
