"""What the keeper's tests say often: a customer who is there, and what the log holds."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.home import PASSWORD, KeeperHome, invitation, item

WAIT_S = 30.0


def entries(home: KeeperHome, act: str = "") -> list[dict[str, Any]]:
    """Return the log's entries as the file holds them, of one act when it is named."""
    decoded = [json.loads(body) for body in home.entries()]
    return [entry for entry in decoded if act in ("", entry["act"])]


def last(home: KeeperHome, act: str = "") -> dict[str, Any]:
    """Return the newest entry, of one act when it is named."""
    return entries(home, act)[-1]


async def contact(
    home: KeeperHome,
    web: Keeper,
    name: str = "Ada Lovelace",
    *,
    company: str = "",
    emails: Sequence[str] = (),
    phones: Sequence[str] = (),
    by: str = "staff",
    kind: str = "contact",
) -> str:
    """Store a customer through the import lane and return the id."""
    given, _, family = name.partition(" ")
    identity = {"given_name": given, "family_name": family, "company": company}
    channels = {"emails": list(emails), "phones": list(phones), "addresses": []}
    subject = new_id()
    await web.put(home.token(by), "intake", item(subject, kind=kind, identity=identity, channels=channels), bulk=True)
    return subject


async def hire(home: KeeperHome, web: Keeper, name: str, roles: Sequence[str]) -> str:
    """Bring somebody in by the usual two people; returns the token of a session."""
    await web.accept(await invitation(home, web, name, roles), Pii(PASSWORD))
    return await sign_in(web, name)


async def sign_in(web: Keeper, name: str) -> str:
    """Begin another session of somebody without a second factor."""
    return (await web.sign_in(name, Pii(PASSWORD))).token.reveal()


async def eventually(is_so: Callable[[], bool]) -> None:
    """Wait for what the keeper does by itself, once a second."""
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.02)
