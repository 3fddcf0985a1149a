"""The verbs of interactions, and opening a contact with the newest of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record

from crm.contacts import queries as contacts
from crm.contacts.caller import Caller
from crm.contacts.schemas import SECTIONS, print_version
from crm.contacts.vocabulary import Kind, Vocabulary
from crm.db import ReadSession, WriteSession, milliseconds, moment
from crm.errors import NotFound
from crm.interactions import queries
from crm.interactions.schemas import InteractionIn, contact_out, interactions_out, text_of
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import ContactId, new_id

SHOWN = 50
_CURSOR = re.compile(r"(-?[0-9]{1,13})-([0-9a-f]{32})")


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
    """Open one contact with its newest interactions: two statements and one call to the keeper.

    Raises:
        NotFound: unknown, erased, merged away.
    """
    row = await contacts.find(reads, contact)
    if row is None:
        raise await _refusal(keeper, token, purpose, reason)
    rows = await queries.newest(reads, contact, is_merged=row["is_merged"], most=SHOWN + 1)
    shown = rows[:SHOWN]
    opened = await keeper.open(
        token, purpose, subjects=[contact], fields=list(SECTIONS), records=_records(shown), reason=reason, ref=ref
    )
    terms = await _terms(vocabulary, token, row, shown)
    document = contact_out(row, opened, terms)
    document["interactions"] = interactions_out(shown, opened, terms)
    document["next"] = _cursor(rows)
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
    found = _CURSOR.fullmatch(before) if before else None
    if row is None or (before and found is None):
        raise await _refusal(keeper, token, purpose, reason)
    if found is None:
        rows = await queries.newest(reads, contact, is_merged=row["is_merged"], most=SHOWN + 1)
    else:
        at, last = moment(int(found[1])), found[2]
        rows = await queries.newest_after(reads, contact, is_merged=row["is_merged"], most=SHOWN + 1, at=at, last=last)
    shown = rows[:SHOWN]
    opened = await keeper.open(token, purpose, subjects=[contact], fields=[], records=_records(shown), reason=reason)
    terms = await _terms(vocabulary, token, None, shown)
    return {"interactions": interactions_out(shown, opened, terms), "next": _cursor(rows), "log_index": opened.index}


async def _refusal(keeper: Keeper, token: str, purpose: str, reason: str) -> NotFound:
    """Let the keeper refuse an id nobody has: a stranger is told 401 or 403, everybody else 404."""
    await keeper.open(token, purpose, subjects=[new_id()], fields=[next(iter(SECTIONS))], reason=reason)
    return NotFound()


def _records(rows: Iterable[Record]) -> dict[str, dict[str, bytes]]:
    """Return sealed records by contact and id."""
    sealed: dict[str, dict[str, bytes]] = {}
    for row in rows:
        sealed.setdefault(row["contact"], {})[row["record"]] = row["sealed"]
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


def _cursor(rows: Iterable[Record]) -> str | None:
    """Print where the next page begins, if there is one."""
    shown = list(rows)
    if len(shown) <= SHOWN:
        return None
    last = shown[SHOWN - 1]
    return f"{milliseconds(last['occurred_at'])}-{last['id']}"


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
    """Log one interaction, or answer as the first time when its id was used before.

    Raises:
        NotFound: no such contact.
        Invalid: a term no vocabulary has.
    """
    if await contacts.find(reads, contact) is None:
        raise NotFound
    interaction = given.id or new_id()
    if given.id and (row := await queries.find(reads, contact, interaction)):
        return {"id": interaction, "version": row["version"], "log_index": row["log_index"]}
    product = given.product and await vocabulary.id_of(caller.token, Kind.PRODUCT, given.product, "/body/product")
    needs = await vocabulary.ids_of(caller.token, Kind.NEED, given.needs, "/body/needs")
    # The first version's text is bound to the interaction's own id, so repeating it seals the same address.
    sealed = await keeper.seal(
        caller.token, "serve", [{"subject": contact, "record": interaction, "fields": text_of(given)}]
    )
    await queries.add(
        db,
        {
            "contact": contact,
            "id": interaction,
            "version": 1,
            "record": interaction,
            "is_current": True,
            "kind": given.kind,
            "direction": given.direction,
            "occurred_at": _to_ms(given.occurred_at),
            "created_at": moment(clock.wall_ms()),
            "author": caller.id,
            "product": product,
            "needs": needs,
            "sealed": sealed.blobs[interaction],
            "log_index": sealed.index,
        },
    )
    return {"id": interaction, "version": 1, "log_index": sealed.index}


def _to_ms(at: datetime) -> datetime:
    """Cut to milliseconds: what a continue token can name exactly."""
    return moment(milliseconds(at))
