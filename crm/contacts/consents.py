"""What people said about being written to: added, never changed; from it follows what holds.

By topic and channel the last word holds, by when it was said and not when it was noted; of two things said at one
moment, the stricter. An objection holds for every topic and channel and for ever: the keeper keeps it too, over
every roster. Whoever was merged into somebody spoke for both as long as the merge lasts.
"""

from collections.abc import Iterable
from typing import Any

from asyncpg import Record

from crm.contacts import consent_queries, queries
from crm.contacts.answers import consent_out, standing_out, time_out
from crm.contacts.caller import Caller
from crm.contacts.schemas import ConsentIn
from crm.contacts.vocabulary import Kind, Vocabulary
from crm.db import ReadSession, WriteSession, milliseconds, moment
from crm.errors import Invalid, NotFound
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import ContactId, new_id

MOST_SHOWN = 100
# A client's clock may be ahead of this one.
SLACK_MS = 5 * 60_000


async def add(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    *,
    given: ConsentIn,
    reads: ReadSession,
    vocabulary: Vocabulary,
    clock: Clock,
) -> dict[str, Any]:
    """Note what a person said, or answer as the first time when its id was used before.

    Raises:
        NotFound: no such contact.
        Invalid: a topic or wording no vocabulary has, or a time that has not come yet.
    """
    if await queries.find(reads, contact) is None:
        raise NotFound
    consent = given.id or new_id()
    if given.id and (row := await consent_queries.find_consent(reads, contact, consent)):
        return {"id": consent, "log_index": row["log_index"]}
    now = clock.wall_ms()
    at = milliseconds(given.at) if given.at else now
    if at > now + SLACK_MS:
        raise Invalid("This has not been said yet.", pointer="/body/at")
    terms = await _terms_of(given, caller, vocabulary)
    index = await _record(keeper, caller, contact, given, terms)
    said = {
        "id": consent, "state": given.state, **terms, "channel": given.channel, "source": given.source,
        "at": moment(at), "recorded_at": moment(now), "author": caller.id, "log_index": index,
    }  # fmt: skip
    # An objection outlives the merge: it is said for each of the set, as the keeper takes it.
    everyone = await consent_queries.members(reads, contact) if given.state == "objected" else [contact]
    stands = await consent_queries.add_consents(db, [{"contact": one, **said} for one in everyone])
    return {"id": consent, "log_index": stands}


async def _terms_of(given: ConsentIn, caller: Caller, vocabulary: Vocabulary) -> dict[str, str | None]:
    """Find topic and wording; a retired one is taken for everything but new consent."""
    keeping = () if given.state == "given" else None
    found: dict[str, str | None] = {}
    for kind, term in ((Kind.TOPIC, given.topic), (Kind.WORDING, given.wording)):
        pointer = f"/body/{kind}"
        found[kind.value] = term and await vocabulary.id_of(caller.token, kind, term, pointer, keeping=keeping)
    return found


async def _record(keeper: Keeper, caller: Caller, contact: str, given: ConsentIn, terms: dict[str, str | None]) -> int:
    """Write the entry: an objection is the keeper's own, since no roster may overlook it."""
    if given.state == "objected":
        return await keeper.object(caller.token, contact)
    about = {"state": given.state, "channel": given.channel, "source": given.source, **terms}
    detail = {name: value for name, value in about.items() if value}
    return await keeper.record(caller.token, "consent", [contact], detail=detail)


async def list_of(reads: ReadSession, caller: Caller, contact: ContactId, *, vocabulary: Vocabulary) -> dict[str, Any]:
    """List what a person said, the newest hundred, and what holds.

    Raises:
        NotFound: no such contact.
    """
    if await queries.find(reads, contact) is None:
        raise NotFound
    said = await consent_queries.consents(reads, contact, MOST_SHOWN)
    standing = await consent_queries.standing_consents(reads, contact)
    objected_at = await consent_queries.objected_at(reads, contact)
    terms = await vocabulary.texts_of(caller.token, _terms_in([*said, *standing]))
    return {
        "consents": [consent_out(row, terms) for row in said],
        "standing": standing_out(standing, terms, is_objected=objected_at is not None),
        "objected_at": objected_at and time_out(objected_at),
    }


def _terms_in(rows: Iterable[Record]) -> set[tuple[Kind, str | None]]:
    return {(kind, row.get(kind.value)) for row in rows for kind in (Kind.TOPIC, Kind.WORDING)}
