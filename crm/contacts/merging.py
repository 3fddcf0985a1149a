"""One contact or company that stands for two, and taking that back."""

from contextlib import suppress

from asyncpg import Record

from crm.contacts import queries
from crm.contacts.caller import Caller
from crm.contacts.schemas import SECTIONS, MergeIn, patched
from crm.contacts.service import write_sections
from crm.db import Database, ReadSession, WriteSession, moment
from crm.errors import CrmError, NotFound
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import ContactId


async def merge(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    *,
    given: MergeIn,
    reads: ReadSession,
    clock: Clock,
    kind: str = "contact",
) -> int:
    """Let one contact or company stand for two; what the one that goes has of the fields in `keep` is taken over.

    Whoever was linked to a company that goes is linked to the one that stays. A kept company name brings the link.

    A crash behind the keeper leaves the one that goes unopened and its interactions out of sight, until the
    stores are reconciled.

    Raises:
        NotFound: one of them is not there.
        Stale: somebody changed a kept field meanwhile.
        Invalid: both are the same.
    """
    gone, kept = await queries.find(reads, contact, kind), await queries.find(reads, given.into, kind)
    if gone is None or kept is None:
        raise NotFound
    wanted = set(given.keep) if contact != given.into else set()
    taken = await _keep(keeper, caller, contact, kept, wanted=wanted, opening=[contact, given.into]) if wanted else {}
    index = await keeper.merge(caller.token, contact, given.into)
    if wanted:
        # Somebody may have edited the one that goes meanwhile. From here on nobody can, and the merge stands.
        with suppress(CrmError):
            await _keep(keeper, caller, contact, kept, wanted=wanted, opening=[given.into], taken=taken)
    await queries.set_merged(db, contact, given.into, moment(clock.wall_ms()))
    if "company" in wanted:
        await queries.link_as(db, given.into, contact)
    return index


async def _keep(
    keeper: Keeper,
    caller: Caller,
    gone: str,
    kept: Record,
    *,
    wanted: set[str],
    opening: list[str],
    taken: dict[str, int] | None = None,
) -> dict[str, int]:
    """Take fields, where the one that goes has them, over to the one that stays; returns the versions it was read at.

    Nothing is done where those are the versions that were `taken` before.
    """
    names = [name for name, fields in SECTIONS.items() if wanted.intersection(fields)]
    opened = await keeper.open(caller.token, "compare", subjects=opening, fields=names)
    if opened.versions[gone] == taken:
        return taken
    theirs, ours = opened.people[gone], opened.people[kept["id"]]
    sections = {}
    for name in names:
        changes = {field: value for field, value in patched(theirs.get(name), {}).items() if field in wanted}
        changed = patched(ours.get(name), changes)
        if changed != patched(ours.get(name), {}):
            sections[name] = changed
    await write_sections(
        keeper, caller, kept, sections=sections,
        versions={name: opened.versions[kept["id"]].get(name, 0) for name in names},
    )  # fmt: skip
    return opened.versions[gone]


async def unmerge(
    database: Database, keeper: Keeper, caller: Caller, contact: ContactId, *, clock: Clock, kind: str = "contact"
) -> int:
    """Undo a merge within its 30 days.

    The row is committed first, as in `cancel_erase`: were the keeper first, a crash between would leave the
    contact that stays with records of one it no longer stands for, and the keeper would open neither.

    Raises:
        NotFound: it was not merged, or too long ago.
    """
    row = await queries.find_in_any_state(database.reads, contact)
    if row is None or row["kind"] != kind:
        raise NotFound
    async with database.writes() as db:
        taken = row["merged_into"] and await queries.take_merge(db, contact, row["merged_into"])
    try:
        index = await keeper.unmerge(caller.token, contact)
    except CrmError:
        if taken:
            async with database.writes() as db:
                await queries.give_merge_back(db, contact, taken, row["merged_into"])
        raise
    if not taken:
        # Whoever took it may be refused, and have put it back.
        async with database.writes() as db:
            await queries.set_merged(db, contact, None, moment(clock.wall_ms()))
    return index
