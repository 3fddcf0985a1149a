"""Drafts: what is typed and not logged yet survives a time-out, sealed; never in a browser's storage."""

from datetime import timedelta
from typing import Any

from crm.contacts import queries as contacts
from crm.contacts.answers import time_out
from crm.contacts.caller import Caller
from crm.db import ReadSession, WriteSession, moment
from crm.errors import NotFound
from crm.interactions.queries import drafts as queries
from crm.interactions.schemas import DraftIn, draft_of, draft_out
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import ContactId, new_id

KEPT = timedelta(days=7)


async def save(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    *,
    given: DraftIn,
    reads: ReadSession,
    clock: Clock,
) -> dict[str, Any]:
    """Keep what the caller has typed about a contact, in the place of what there was, for `KEPT`.

    Raises:
        NotFound: no such contact.
    """
    if await contacts.find(reads, contact) is None:
        raise NotFound
    record = new_id()
    sealed = await keeper.seal(
        caller.token, "serve", [{"subject": contact, "record": record, "fields": draft_of(given)}]
    )
    now = moment(clock.wall_ms())
    await queries.save(
        db,
        {
            "contact": contact,
            "author": caller.id,
            "record": record,
            "saved_at": now,
            "sealed": sealed.blobs[record],
            "log_index": sealed.index,
        },
    )
    return {"saved_at": time_out(now), "expires_at": time_out(now + KEPT), "log_index": sealed.index}


async def read(
    reads: ReadSession, keeper: Keeper, caller: Caller, contact: ContactId, *, reason: str, clock: Clock
) -> dict[str, Any]:
    """Open the caller's own draft about a contact; it counts like opening the contact.

    Raises:
        NotFound: no such contact, or no draft of the caller's that is not too old.
    """
    since = moment(clock.wall_ms()) - KEPT
    row = await contacts.find(reads, contact) and await queries.find(reads, contact, caller.id, since=since)
    if not row:
        raise NotFound
    records = {row["contact"]: {row["record"]: row["sealed"]}}
    opened = await keeper.open(caller.token, "serve", subjects=[contact], fields=[], records=records, reason=reason)
    return draft_out(row, opened, row["saved_at"] + KEPT)


async def drop(db: WriteSession, caller: Caller, contact: ContactId, *, reads: ReadSession) -> None:
    """Let go of the caller's own draft about a contact, if there is one.

    Raises:
        NotFound: no such contact.
    """
    if await contacts.find(reads, contact) is None:
        raise NotFound
    await queries.let_go(db, contact, caller.id)
