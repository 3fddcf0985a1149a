"""Taking an interaction to another contact: every record of it is opened, sealed anew, and changes place at once.

The keeper is first, as everywhere: a crash before the commit leaves entries too many, the texts where they were.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from crm.contacts import queries as contacts
from crm.contacts.caller import Caller
from crm.db import ReadSession, WriteSession
from crm.errors import Duplicate, NotFound, Stale
from crm.interactions.queries import interactions as queries
from crm.interactions.queries import moving
from crm.interactions.schemas import MoveIn, again
from crm.keeper_client import Keeper
from crm.kit.ids import ContactId

# Of one call to the keeper: what goes in and comes back has to fit a frame, the names an entry.
MOST_BYTES, MOST_RECORDS = 8 << 20, 150


@dataclass(frozen=True, slots=True)
class Carried:
    """An interaction sealed for another contact, until it is written; `sealed` holds bytes and entry by record."""

    contact: str
    interaction: str
    to: str
    sealed: Mapping[str, tuple[bytes, int]]


async def move(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    interaction: str,
    *,
    given: MoveIn,
    reads: ReadSession,
) -> dict[str, Any]:
    """Take an interaction, its versions, files and follow-ups to the person it is about, or answer as the first time.

    Raises:
        NotFound: one of the contacts is not there, or no such interaction of the first.
        Stale: somebody wrote a version, added a file or moved it elsewhere meanwhile.
        Duplicate: the other contact has something with one of its ids.
    """
    row, target = await contacts.find(reads, contact), await contacts.find(reads, given.to)
    if row is None or target is None:
        raise NotFound
    found = await queries.locate(reads, contact, interaction, is_merged=row["is_merged"])
    if found is None and not await moving.went(reads, contact, interaction, given.to):
        raise NotFound
    if found is not None and found["contact"] != given.to:
        carried = await seal_for(reads, keeper, caller, contact, found, to=given.to)
        ref = f"interaction:{interaction}"
        await keeper.record(caller.token, "interaction_moved", [found["contact"], given.to], ref=ref)
        await write(db, carried)
    first = await queries.find_written(db, given.to, interaction)
    if first is None:
        raise NotFound
    return {"id": interaction, "contact": given.to, "log_index": first["log_index"]}


async def seal_for(reads: ReadSession, keeper: Keeper, caller: Caller, head: str, found: Record, *, to: str) -> Carried:
    """Open all records of an interaction as those of `head`, who stands for its contact, and seal them for another."""
    sealed: dict[str, tuple[bytes, int]] = {}
    ref = f"interaction:{found['id']}"
    for some in _portions(await moving.parts(reads, found["contact"], found["id"])):
        records = {found["contact"]: {part["record"]: part["sealed"] for part in some}}
        opened = await keeper.open(
            caller.token, "serve", subjects=[head], fields=[], records=records, reason="correction", ref=ref
        )
        made = await keeper.seal(caller.token, "serve", again(opened, to))
        sealed |= {record: (blob, made.index) for record, blob in made.blobs.items()}
    return Carried(found["contact"], found["id"], to, sealed)


async def write(db: WriteSession, carried: Carried) -> None:
    """Let an interaction change place, exactly as it was when it was opened, unless somebody else just did.

    Raises:
        Stale: it is not there any more, or has other records by now.
        Duplicate: an id is taken at the other contact.
    """
    contact, interaction = carried.contact, carried.interaction
    if not await queries.lock(db, contact, interaction):
        if await moving.has_gone(db, contact, interaction, carried.to):
            return
        raise Stale
    if await moving.names(db, contact, interaction) != carried.sealed.keys():
        raise Stale
    if not await moving.carry(db, contact, interaction, carried.to, carried.sealed):
        raise Duplicate


def _portions(parts: Sequence[Record]) -> Iterator[list[Record]]:
    """Cut into portions the keeper takes at once; no record alone is over the limit."""
    portion: list[Record] = []
    size = 0
    for part in parts:
        if portion and (size + len(part["sealed"]) > MOST_BYTES or len(portion) == MOST_RECORDS):
            yield portion
            portion, size = [], 0
        portion.append(part)
        size += len(part["sealed"])
    yield portion
