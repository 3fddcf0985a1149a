"""Two people side by side, for whoever suspects that they are one."""

from collections.abc import Sequence
from typing import Any

from crm.contacts import queries
from crm.contacts.answers import compare_out
from crm.contacts.caller import Caller
from crm.contacts.schemas import SECTIONS
from crm.db import ReadSession
from crm.errors import NotFound
from crm.keeper_client import Keeper


async def compare(reads: ReadSession, keeper: Keeper, caller: Caller, pair: Sequence[str]) -> dict[str, Any]:
    """Open two people in one entry and say which fields differ.

    Raises:
        NotFound: one of them is not there.
    """
    if None in [await queries.find(reads, one) for one in pair]:
        raise NotFound
    opened = await keeper.open(caller.token, "compare", subjects=pair, fields=list(SECTIONS))
    return compare_out(pair, opened)
