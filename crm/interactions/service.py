"""Opening a contact with the newest interactions, the older ones, and the versions of one."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from crm.contacts import queries as contacts
from crm.contacts.schemas import SECTIONS, print_version
from crm.contacts.vocabulary import Kind, Vocabulary
from crm.db import ReadSession, milliseconds, moment
from crm.errors import NotFound
from crm.interactions.queries import attachments
from crm.interactions.queries import interactions as queries
from crm.interactions.schemas import contact_out, interactions_out, versions_out
from crm.keeper_client import Keeper
from crm.kit.ids import ContactId, new_id

SHOWN = 50
CURSOR = re.compile(r"(-?[0-9]{1,13})-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Page:
    """An opened contact: what is printed, and its entity tag."""

    document: dict[str, Any]
    etag: str


async def open_contact(
    reads: ReadSession,
    keeper: Keeper,
    token: str,
    contact: ContactId,
    *,
    purpose: str,
    reason: str,
    ref: str | None,
    vocabulary: Vocabulary,
) -> Page:
    """Open one contact with its newest interactions: two statements (three with files) and one call to the keeper.

    Raises:
        NotFound: unknown, erased, merged away.
    """
    row = await contacts.find(reads, contact)
    if row is None:
        raise await refusal(keeper, token, purpose, reason)
    rows = await queries.newest(reads, contact, is_merged=row["is_merged"], most=SHOWN + 1)
    shown = rows[:SHOWN]
    files = await _files(reads, shown)
    opened = await keeper.open(
        token, purpose, subjects=[contact], fields=list(SECTIONS), records=_records(shown, files), reason=reason,
        ref=ref,
    )  # fmt: skip
    terms = await _terms(vocabulary, token, row, shown)
    document = contact_out(row, opened, terms)
    document["interactions"] = interactions_out(shown, files, opened, terms)
    document["next"] = cursor(rows, "occurred_at")
    return Page(document, print_version(row["version"], opened.versions[contact]))


async def open_details(
    reads: ReadSession, keeper: Keeper, token: str, contact: ContactId, *, reason: str, vocabulary: Vocabulary
) -> Page:
    """Open one contact without its interactions: as much as a change of it needs.

    Raises:
        NotFound: unknown, erased, merged away.
    """
    row = await contacts.find(reads, contact)
    if row is None:
        raise await refusal(keeper, token, "serve", reason)
    opened = await keeper.open(token, "serve", subjects=[contact], fields=list(SECTIONS), reason=reason)
    document = contact_out(row, opened, await _terms(vocabulary, token, row, ()))
    return Page(document, print_version(row["version"], opened.versions[contact]))


async def list_older(
    reads: ReadSession,
    keeper: Keeper,
    token: str,
    contact: ContactId,
    *,
    purpose: str,
    reason: str,
    before: str | None,
    vocabulary: Vocabulary,
) -> dict[str, Any]:
    """Open the next older interactions of one contact.

    Raises:
        NotFound: no such contact, or a continue token that is none.
    """
    row = await contacts.find(reads, contact)
    found = CURSOR.fullmatch(before) if before else None
    if row is None or (before and found is None):
        raise await refusal(keeper, token, purpose, reason)
    if found is None:
        rows = await queries.newest(reads, contact, is_merged=row["is_merged"], most=SHOWN + 1)
    else:
        at, last = moment(int(found[1])), found[2]
        rows = await queries.newest_after(reads, contact, is_merged=row["is_merged"], most=SHOWN + 1, at=at, last=last)
    shown = rows[:SHOWN]
    files = await _files(reads, shown)
    records = _records(shown, files)
    opened = await keeper.open(token, purpose, subjects=[contact], fields=[], records=records, reason=reason)
    terms = await _terms(vocabulary, token, None, shown)
    return {
        "interactions": interactions_out(shown, files, opened, terms),
        "next": cursor(rows, "occurred_at"),
        "log_index": opened.index,
    }


async def list_versions(
    reads: ReadSession,
    keeper: Keeper,
    token: str,
    contact: ContactId,
    interaction: str,
    *,
    purpose: str,
    reason: str,
    vocabulary: Vocabulary,
) -> dict[str, Any]:
    """Open all versions of one interaction, oldest first, in one entry.

    Raises:
        NotFound: no such contact, or no such interaction of it.
    """
    row = await contacts.find(reads, contact)
    found = row and await queries.locate(reads, contact, interaction, is_merged=row["is_merged"])
    if not found:
        raise await refusal(keeper, token, purpose, reason)
    rows = await queries.versions(reads, found["contact"], interaction)
    ref = f"interaction:{interaction}"
    opened = await keeper.open(
        token, purpose, subjects=[contact], fields=[], records=_records(rows), reason=reason, ref=ref
    )
    terms = await _terms(vocabulary, token, None, rows)
    return {"versions": versions_out(rows, opened, terms), "log_index": opened.index}


async def refusal(keeper: Keeper, token: str, purpose: str, reason: str) -> NotFound:
    """Let the keeper refuse an id nobody has: a stranger is told 401 or 403, everybody else 404."""
    await keeper.open(token, purpose, subjects=[new_id()], fields=[next(iter(SECTIONS))], reason=reason)
    return NotFound()


async def _files(reads: ReadSession, rows: Sequence[Record]) -> list[Record]:
    """Read the files of interactions, if any has one."""
    filed = [row for row in rows if row["has_files"]]
    if not filed:
        return []
    return await attachments.listed(reads, {row["contact"] for row in filed}, [row["id"] for row in filed])


def _records(rows: Iterable[Record], files: Iterable[Record] = ()) -> dict[str, dict[str, bytes]]:
    """Return sealed texts and names of files by contact and id."""
    sealed: dict[str, dict[str, bytes]] = {}
    for row in rows:
        sealed.setdefault(row["contact"], {})[row["record"]] = row["sealed"]
    for file in files:
        sealed[file["contact"]][file["title"]] = file["sealed_title"]
    return sealed


async def _terms(
    vocabulary: Vocabulary, token: str, contact: Record | None, rows: Iterable[Record]
) -> dict[str, str | None]:
    """Find the texts of all terms an answer shows; none costs a call once this process has read them."""
    wanted: set[tuple[Kind, str]] = set()
    if contact is not None:
        wanted |= {(Kind.STAGE, contact["stage"]), (Kind.PRODUCT, contact["product"])}
        wanted |= {(Kind.TAG, tag) for tag in contact["tags"]}
    for row in rows:
        wanted.add((Kind.PRODUCT, row["product"]))
        wanted |= {(Kind.NEED, need) for need in row["needs"]}
    return {id_: await vocabulary.text_of(token, kind, id_) for kind, id_ in wanted if id_}


def cursor(rows: Sequence[Record], by: str) -> str | None:
    """Print where the page behind the first `SHOWN` rows begins, if there is one; `by` names the moment in order."""
    if len(rows) <= SHOWN:
        return None
    last = rows[SHOWN - 1]
    return f"{milliseconds(last[by])}-{last['id']}"
