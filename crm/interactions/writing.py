"""Logging what happened, and saying it anew: nothing is edited in place."""

from typing import Any

from asyncpg import Record
from sqlalchemy import RowMapping

from crm.contacts import queries as contacts
from crm.contacts.caller import Caller
from crm.contacts.vocabulary import Kind, Vocabulary
from crm.db import ReadSession, WriteSession, moment
from crm.errors import Duplicate, NotFound, Stale, TooLarge
from crm.interactions import moving, planning
from crm.interactions.queries import drafts, follow_ups
from crm.interactions.queries import interactions as queries
from crm.interactions.schemas import InteractionIn, VersionIn, text_of, to_ms
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import ContactId, new_id

# All of them are opened in one call: as many of the longest texts as a frame takes.
MOST_VERSIONS = 100


async def create(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    *,
    given: InteractionIn,
    reads: ReadSession,
    vocabulary: Vocabulary,
    clock: Clock,
) -> dict[str, Any]:
    """Log one interaction with what is to follow, or answer as the first time when its id was used before.

    Raises:
        NotFound: no such contact.
        Invalid: a term no vocabulary has, an assignee nobody is.
        Duplicate: an id that stands for something else.
    """
    if await contacts.find(reads, contact) is None:
        raise NotFound
    interaction = given.id or new_id()
    if given.id and (row := await queries.find_first(reads, contact, interaction)):
        return await _answer(reads, contact, row, interaction, interaction)
    # The first version's text is bound to the interaction's own id, so repeating it seals the same address.
    values = await _values(keeper, caller, given, vocabulary, clock)
    values |= {"contact": contact, "id": interaction, "version": 1, "record": interaction}
    return await _write(db, keeper, caller, given, values, reads=reads)


async def add_version(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    interaction: str,
    *,
    given: VersionIn,
    reads: ReadSession,
    vocabulary: Vocabulary,
    clock: Clock,
) -> dict[str, Any]:
    """Replace a version by the next, or answer as the first time when its id was used before.

    An interaction that came with a merge is taken over to the contact that stands: the keeper seals for no other.

    Raises:
        NotFound: no such contact, or no such interaction of it.
        Stale: another version stands by now.
        TooLarge: there are as many versions as one opens at once.
        Invalid: a term no vocabulary has, an assignee nobody is.
        Duplicate: an id that stands for something else.
    """
    row = await contacts.find(reads, contact)
    found = row and await queries.locate(reads, contact, interaction, is_merged=row["is_merged"])
    if not found:
        raise NotFound
    if given.id == interaction:
        # That of the first version, which this would otherwise be taken for, and be lost.
        raise Duplicate
    if given.id and (seen := await queries.find_record(reads, found["contact"], given.id)):
        return await _answer(reads, found["contact"], seen, interaction, given.id)
    if found["version"] != given.version:
        raise Stale
    if given.version >= MOST_VERSIONS:
        raise TooLarge("An interaction has at most 100 versions.")
    values = await _values(keeper, caller, given, vocabulary, clock)
    values |= {"contact": contact, "id": interaction, "version": given.version + 1, "record": given.id or new_id()}
    carried = None
    if found["contact"] != contact:
        carried = await moving.seal_for(reads, keeper, caller, contact, found, to=contact)
    return await _write(db, keeper, caller, given, values, reads=reads, carried=carried)


async def _values(
    keeper: Keeper, caller: Caller, given: InteractionIn, vocabulary: Vocabulary, clock: Clock
) -> dict[str, Any]:
    """Return the plain columns of a version, terms as ids, once everything named is known to be there."""
    if given.follow_up:
        await planning.check_assignee(keeper, caller, given.follow_up.assignee, "/body/follow_up/assignee")
    return {
        "is_current": True,
        "kind": given.kind,
        "direction": given.direction,
        "occurred_at": to_ms(given.occurred_at),
        "created_at": moment(clock.wall_ms()),
        "author": caller.id,
        "product": given.product and await vocabulary.id_of(caller.token, Kind.PRODUCT, given.product, "/body/product"),
        "needs": await vocabulary.ids_of(caller.token, Kind.NEED, given.needs, "/body/needs"),
    }


async def _write(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    given: InteractionIn,
    values: dict[str, Any],
    *,
    reads: ReadSession,
    carried: moving.Carried | None = None,
) -> dict[str, Any]:
    """Seal text and title in one entry, then write all rows; the draft they came from goes with them."""
    contact, interaction, record = values["contact"], values["id"], values["record"]
    items = [{"subject": contact, "record": record, "fields": text_of(given)}]
    plan = None
    if given.follow_up:
        plan = planning.Plan.of(contact, given.follow_up, caller, values["created_at"], origin=record)
        items.append(plan.item)
    sealed = await keeper.seal(caller.token, "serve", items)
    if carried:
        await moving.write(db, carried)
    is_first = values["version"] == 1
    if not is_first and not await queries.lock(db, contact, interaction):
        raise Stale
    row = {**values, "sealed": sealed.blobs[record], "log_index": sealed.index}
    if not await queries.add(db, row):
        seen = await queries.find_written(db, contact, record)
        if seen is None:
            raise Stale
        return await _answer(reads, contact, seen, interaction, record)
    if not is_first:
        await queries.supersede(db, contact, interaction, values["version"] - 1)
    if plan and not await follow_ups.add(db, plan.row(sealed)):
        raise Duplicate
    await drafts.let_go(db, contact, caller.id)
    return _print(row, plan.id if plan else None)


async def _answer(
    reads: ReadSession, contact: str, seen: Record | RowMapping, interaction: str, record: str
) -> dict[str, Any]:
    """Answer as the first time.

    Raises:
        Duplicate: the id is that of another interaction, or of a version of it.
    """
    if seen["id"] != interaction:
        raise Duplicate
    return _print(seen, await follow_ups.find_of(reads, contact, record))


def _print(row: Any, follow_up: str | None) -> dict[str, Any]:  # noqa: ANN401 - a row of any kind
    made = {"id": row["id"], "version": row["version"], "log_index": row["log_index"]}
    return made | {"follow_up": follow_up} if follow_up else made
