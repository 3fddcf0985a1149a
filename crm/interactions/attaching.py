"""Files of interactions: sealed whole, opened one at a time."""

from typing import Any, NamedTuple

from asyncpg import Record

from crm.contacts import queries as contacts
from crm.contacts.caller import Caller
from crm.db import ReadSession, WriteSession, moment
from crm.errors import Duplicate, Invalid, NotFound, Stale, TooLarge
from crm.interactions import moving
from crm.interactions.files import kind_of
from crm.interactions.queries import attachments as queries
from crm.interactions.queries import interactions
from crm.interactions.records import What, record_of
from crm.interactions.schemas import bytes_of, name_of
from crm.interactions.service import refusal
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import ContactId, new_id
from crm.kit.pii import Pii

MOST_BYTES, MOST_FILES = 5 << 20, 10


class FileIn(NamedTuple):
    """A file as it was given: its bytes, what it is called and says it is, and an id of the client's making."""

    data: bytes
    name: Pii[str]
    declared: str
    id: str | None


class FileOut(NamedTuple):
    """An opened file."""

    data: bytes
    kind: str


async def add(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    interaction: str,
    *,
    given: FileIn,
    reads: ReadSession,
    clock: Clock,
) -> dict[str, Any]:
    """Seal one file of an interaction, or answer as the first time when its id was used before.

    Raises:
        NotFound: no such contact, or no such interaction of it.
        TooLarge: the file is over `MOST_BYTES`, or there are `MOST_FILES` already.
        Invalid: a kind of file that is not taken, or not what it says it is.
        Stale: the interaction was moved meanwhile.
        Duplicate: the id is that of a file of another interaction.
    """
    found = await _locate(reads, contact, interaction)
    if found is None:
        raise NotFound
    if given.id and (seen := await queries.find(reads, found["contact"], given.id)):
        return _answer(seen, interaction)
    if len(given.data) > MOST_BYTES:
        raise TooLarge("A file has at most 5 MB.")
    kind = kind_of(given.data, given.declared)
    if kind is None:
        raise Invalid("This kind of file is not taken, or it is not what it says it is.", pointer="/body/file")
    carried = None
    if found["contact"] != contact:
        carried = await moving.seal_for(reads, keeper, caller, contact, found, to=contact)
    id_ = given.id or new_id()
    record, title = record_of(What.FILE, id_), record_of(What.NAME, id_)
    sealed = await keeper.seal(
        caller.token,
        "serve",
        [
            {"subject": contact, "record": record, "fields": {"data": given.data}},
            {"subject": contact, "record": title, "fields": name_of(given.name)},
        ],
    )
    if carried:
        await moving.write(db, carried)
    row = {
        "contact": contact,
        "id": id_,
        "interaction": interaction,
        "record": record,
        "title": title,
        "kind": kind,
        "size_bytes": len(given.data),
        "author": caller.id,
        "created_at": moment(clock.wall_ms()),
        "sealed_title": sealed.blobs[title],
        "sealed": sealed.blobs[record],
        "log_index": sealed.index,
    }
    return await _write(db, row)


async def _locate(reads: ReadSession, contact: str, interaction: str) -> Record | None:
    row = await contacts.find(reads, contact)
    return row and await interactions.locate(reads, contact, interaction, is_merged=row["is_merged"])


async def _write(db: WriteSession, row: dict[str, Any]) -> dict[str, Any]:
    if not await interactions.lock(db, row["contact"], row["interaction"]):
        raise Stale
    if seen := await queries.find_written(db, row["contact"], row["id"]):
        return _answer(seen, row["interaction"])
    if await queries.count(db, row["contact"], row["interaction"]) >= MOST_FILES:
        raise TooLarge("An interaction has at most 10 files.")
    if not await queries.add(db, row):
        raise Duplicate
    return _answer(row, row["interaction"])


def _answer(row: Any, interaction: str) -> dict[str, Any]:  # noqa: ANN401 - a row of any kind
    if row["interaction"] != interaction:
        raise Duplicate
    return {"id": row["id"], "type": row["kind"], "size_bytes": row["size_bytes"], "log_index": row["log_index"]}


async def read(  # noqa: PLR0917 - the ids of one address
    reads: ReadSession,
    keeper: Keeper,
    token: str,
    contact: ContactId,
    interaction: str,
    attachment: str,
    *,
    purpose: str,
    reason: str,
) -> FileOut:
    """Open one file; it counts like opening the contact.

    Raises:
        NotFound: no such contact, interaction or file.
    """
    row = await contacts.find(reads, contact) and await queries.file(reads, contact, interaction, attachment)
    if not row:
        raise await refusal(keeper, token, purpose, reason)
    records = {row["contact"]: {row["record"]: row["sealed"]}}
    ref = f"interaction:{interaction}"
    opened = await keeper.open(token, purpose, subjects=[contact], fields=[], records=records, reason=reason, ref=ref)
    return FileOut(bytes_of(opened, row["record"]), row["kind"])
