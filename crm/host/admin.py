"""What the machine's own account may ask of a running keeper, over the keeper's ``admin`` socket."""

import asyncio
from pathlib import Path
from typing import Any

from crm.errors import CrmError
from crm.host.home import HomeRefused, names_of
from crm.keeper_client import Keeper

# A snapshot of a million people, or wrapping all their keys anew, takes minutes.
TIMEOUT_S = 3600.0


class AdminRefused(Exception):
    """Raised when the keeper does not do it; the message says why."""


def ask(home: Path, verb: str, **arguments: object) -> dict[str, Any]:
    """Ask for one verb and return the answer.

    Raises:
        AdminRefused: there is no such home, nobody answers there, or the answer is no.
    """
    try:
        return asyncio.run(_ask(home, verb, arguments))
    except CrmError as error:
        raise AdminRefused(error.reason) from error
    except HomeRefused as error:
        raise AdminRefused(str(error)) from error


async def _ask(home: Path, verb: str, arguments: dict[str, object]) -> dict[str, Any]:
    named = names_of(home)
    keeper = Keeper(named.socket("admin"), named.service_key("admin"), timeout_s=TIMEOUT_S)
    try:
        answer: dict[str, Any] = await keeper.call(verb, **arguments)
    finally:
        await keeper.close()
    return answer
