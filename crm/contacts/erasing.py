"""Erasing a contact or company: at once out of sight, gone in 72 hours unless a second person cancels."""

from typing import Any

from crm.contacts import queries
from crm.contacts.caller import Caller
from crm.db import Database, ReadSession, WriteSession, moment
from crm.errors import CrmError, NotFound
from crm.keeper_client import Keeper
from crm.kit.clock import parse_rfc3339
from crm.kit.ids import ContactId, new_id


async def erase(
    db: WriteSession,
    keeper: Keeper,
    token: str,
    contact: ContactId,
    *,
    ground: str,
    reads: ReadSession,
    kind: str = "contact",
) -> dict[str, Any]:
    """Stop every open at once; what is left goes in 72 hours unless a second person cancels.

    Raises:
        NotFound: no such contact or company, or it is being erased already.
    """
    row = await queries.find_in_any_state(reads, contact)
    # What is of another kind is asked for as an id that cannot exist: a wrong role is told 403 all the same.
    subject = contact if row is None or row["kind"] == kind else new_id()
    scheduled = await keeper.erase(token, subject, ground)
    await queries.set_erasing(db, contact, moment(parse_rfc3339(scheduled["due_at"])))
    return {"log_index": scheduled["index"], "due_at": scheduled["due_at"]}


async def cancel_erase(
    database: Database, keeper: Keeper, caller: Caller, contact: ContactId, *, kind: str = "contact"
) -> int:
    """Cancel a scheduled erasure, as a second person.

    The row is committed first, as in `merging.unmerge`: were the keeper first, a crash between would leave a living
    person whose rows go when they fall due. This way round it leaves rows that nothing opens.

    Raises:
        NotFound: nothing is scheduled.
        PurposeNotYours: the caller is the one who asked for it.
    """
    row = await queries.find_in_any_state(database.reads, contact)
    if row is None or row["kind"] != kind:
        raise NotFound
    async with database.writes() as db:
        taken = row["erase_due_at"] and await queries.take_erasure(db, contact, row["erase_due_at"])
    try:
        index = await keeper.cancel_erase(caller.token, contact)
    except CrmError:
        if taken:
            async with database.writes() as db:
                await queries.give_erasure_back(db, contact, taken, row["erase_due_at"])
        raise
    if not taken:
        # Whoever took it may be refused, and have put it back.
        async with database.writes() as db:
            await queries.set_erasing(db, contact, None)
    return index
