"""Counts of people by plain attributes, made so that asking twice tells little more than asking once.

A count is told in tens, below ten not at all, over at most three criteria. Where leaving out a criterion would add
fewer than ten people, the count is told without it: who is left out by it is too few to be told apart.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from crm.contacts import group_queries
from crm.contacts.answers import FEWEST_TOLD, told
from crm.contacts.caller import Caller
from crm.contacts.schemas import CountIn
from crm.contacts.service import plain_values
from crm.contacts.vocabulary import Vocabulary
from crm.db import ReadSession


async def count(reads: ReadSession, caller: Caller, given: CountIn, *, vocabulary: Vocabulary) -> dict[str, Any]:
    """Count the people who fit.

    Raises:
        Invalid: a term no vocabulary has.
    """
    plain = await plain_values(given, caller, vocabulary, keeping=None)
    tags = plain.pop("tags", ())
    if "owner" in given.model_fields_set:
        plain["owner"] = caller.id if given.owner == "me" else given.owner
    fit, wider = await group_queries.count(
        reads, plain, tags=tags, active_since=_start(given.active_since), quiet_since=_start(given.quiet_since)
    )
    return {"count": told(_blurred(fit, wider))}


def _start(day: date | None) -> datetime | None:
    """Begin a day, in UTC."""
    return datetime.combine(day, time(), UTC) if day else None


def _blurred(fit: int, wider: Sequence[int]) -> int:
    """Leave out the criteria that leave out too few."""
    if fit < FEWEST_TOLD:
        return fit
    return max([fit, *(many for many in wider if many - fit < FEWEST_TOLD)])
