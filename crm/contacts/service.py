"""The verbs of a contact. The keeper is first: a crash leaves an entry without a row, never the reverse."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from asyncpg import Record

from crm.contacts import queries
from crm.contacts.caller import Caller
from crm.contacts.schemas import (
    PLAIN,
    SECTIONS,
    CompanyIn,
    CompanyPatch,
    ContactIn,
    ContactPatch,
    LinkedIn,
    MergeIn,
    PlainIn,
    changes_of,
    parse_version,
    patched,
    print_version,
    sections_of,
)
from crm.contacts.vocabulary import Kind, Vocabulary
from crm.db import Database, ReadSession, WriteSession, moment
from crm.errors import CrmError, Duplicate, Invalid, NotFound, Stale
from crm.keeper_client import Keeper
from crm.kit.clock import Clock, parse_rfc3339
from crm.kit.ids import ContactId, new_id
from crm.kit.pii import Pii

MOST_MATCHED = 8


@dataclass(frozen=True, slots=True)
class Written:
    """What a write answers: whose, in which entry, and the entity tag from now on."""

    id: str
    log_index: int
    etag: str


def put_items(contact: str, sections: dict[str, dict[str, Any]], kind: str = "contact") -> list[dict[str, Any]]:
    """Print new sections as the keeper's items."""
    return [
        {"subject": contact, "kind": kind, "section": name, "fields": fields, "expected": 0}
        for name, fields in sections.items()
    ]


async def create(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    given: ContactIn | CompanyIn,
    *,
    reads: ReadSession,
    vocabulary: Vocabulary,
    clock: Clock,
) -> Written:
    """Make a contact or a company, or answer as the first time when its id was used before.

    Raises:
        NotFound: the id is that of something else.
        Duplicate: somebody holds the same address or number, and the caller has not confirmed it.
        Invalid: a term no vocabulary has, or a company that is not there.
    """
    contact = given.id or new_id()
    if given.id and (row := await queries.find_in_any_state(reads, contact)):
        if row["kind"] != given.KIND:
            raise NotFound
        return Written(contact, row["log_index"], "")
    plain = await plain_values(given, caller, vocabulary) | await _link_of(given, reads)
    if not given.confirm_duplicate:
        await _warn(keeper, caller, given, contact)
    sections = sections_of(given)
    put = await keeper.put(caller.token, "intake", put_items(contact, sections, given.KIND))
    now = moment(clock.wall_ms())
    await queries.add(
        db,
        [{"id": contact, "kind": given.KIND, **plain, "owner": caller.id, "created_at": now, "updated_at": now,
          "version": 1, "log_index": put.index}],
    )  # fmt: skip
    return Written(contact, put.index, print_version(1, dict(zip(sections, put.versions, strict=True))))


async def plain_values(
    given: PlainIn, caller: Caller, vocabulary: Vocabulary, *, keeping: Container[str] | None = ()
) -> dict[str, Any]:
    """Take the plain attributes that were given, terms as ids; retired terms only where they stand already."""
    values: dict[str, Any] = {name: getattr(given, name) for name in PLAIN if name in given.model_fields_set}
    for kind in (Kind.STAGE, Kind.PRODUCT):
        if kind in given.model_fields_set:
            term = getattr(given, kind)
            values[kind] = term and await vocabulary.id_of(caller.token, kind, term, f"/body/{kind}", keeping=keeping)
    if "tags" in given.model_fields_set:
        values["tags"] = await vocabulary.ids_of(
            caller.token, Kind.TAG, given.tags or (), "/body/tags", keeping=keeping
        )
    return values


async def _link_of(given: PlainIn, reads: ReadSession) -> dict[str, Any]:
    """Take the company that was given."""
    if not isinstance(given, LinkedIn) or "company_id" not in given.model_fields_set:
        return {}
    if given.company_id and await queries.find(reads, given.company_id, "company") is None:
        raise Invalid("There is no such company.", pointer="/body/company_id")
    return {"company_id": given.company_id}


async def _owner_of(patch: ContactPatch | CompanyPatch, keeper: Keeper, caller: Caller) -> dict[str, Any]:
    """Take the owner that was given: a colleague or nobody; whoever lent it out gets it back no more."""
    if "owner" not in patch.model_fields_set:
        return {}
    if patch.owner and patch.owner not in {one["id"] for one in await keeper.colleagues(caller.token)}:
        raise Invalid("Nobody of this id works here.", pointer="/body/owner")
    return {"owner": patch.owner, "hand_over": None}


async def _warn(keeper: Keeper, caller: Caller, given: ContactIn | CompanyIn, contact: str) -> None:
    asked = [("email", address) for address in given.emails or ()] + [
        ("phone", number) for number in given.phones or ()
    ]
    found: dict[str, dict[str, Any]] = {}
    for kind, value in asked[:MOST_MATCHED]:
        label = await keeper.match(caller.token, kind, Pii(value))
        # A first try that broke off left this very contact in the keeper.
        if label and label["id"] != contact:
            found[label["id"]] = label
    if found:
        raise Duplicate(matches=list(found.values()))


async def change(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    *,
    patch: ContactPatch | CompanyPatch,
    reads: ReadSession,
    etag: str,
    vocabulary: Vocabulary,
    clock: Clock,
) -> Written:
    """Apply a merge patch to exactly the version the caller saw.

    The entry about plain attributes comes first, then the sections change, each only from its version, then the
    row. Two who change sections *and* plain attributes at the same moment can leave the later one with a 412 and
    its sections written: its ETag tells.

    Raises:
        NotFound: no such contact or company.
        Stale: somebody changed it meanwhile.
        Invalid: nothing to change, a term no vocabulary has, an owner or company that is not there.
    """
    row = await queries.find(reads, contact, patch.KIND)
    if row is None:
        raise NotFound
    version, versions = parse_version(etag)
    if row["version"] != version:
        raise Stale
    standing = {row["stage"], row["product"], *row["tags"]}
    plain = await plain_values(patch, caller, vocabulary, keeping=standing) | await _link_of(patch, reads)
    plain |= await _owner_of(patch, keeper, caller)
    sections = changes_of(patch)
    if not plain and not sections:
        raise Invalid("The patch changes nothing.", pointer="/body")
    index = await _record(keeper, caller, contact, plain) if plain else 0
    if sections:
        index = await _change_sections(keeper, caller, row, sections=sections, versions=versions)
    values = {**plain, "updated_at": moment(clock.wall_ms())}
    if not await queries.change(db, contact, version, values):
        raise Stale
    return Written(contact, index, print_version(version + 1, versions))


async def _record(keeper: Keeper, caller: Caller, contact: str, plain: dict[str, Any]) -> int:
    """Log which plain attributes change, and whose the contact is from now on."""
    fields = [name for name in plain if name != "hand_over"]
    detail = {"fields": ".".join(fields)}
    if "owner" in plain:
        detail["owner"] = plain["owner"] or "nobody"
    act = "owner" if fields == ["owner"] else "attributes"
    return await keeper.record(caller.token, act, [contact], detail=detail)


async def _change_sections(
    keeper: Keeper, caller: Caller, row: Record, *, sections: dict[str, dict[str, Any]], versions: dict[str, int]
) -> int:
    """Write the changed sections; `versions` says what they change from and, afterwards, to."""
    partly = [name for name, fields in sections.items() if versions[name] and set(fields) != set(SECTIONS[name])]
    standing: dict[str, Pii[dict[str, Any]]] = {}
    if partly:
        opened = await keeper.open(caller.token, "serve", subjects=[row["id"]], fields=partly, reason="correction")
        standing = opened.people[row["id"]]
        if any(opened.versions[row["id"]].get(name, 0) != versions[name] for name in partly):
            raise Stale
    changed = {name: patched(standing.get(name), fields) for name, fields in sections.items()}
    return await _write(keeper, caller, row, sections=changed, versions=versions)


async def _write(
    keeper: Keeper, caller: Caller, row: Record, *, sections: dict[str, dict[str, Any]], versions: dict[str, int]
) -> int:
    """Store whole sections of a contact that is there, each from its version only.

    Where nothing stands, the keeper takes a write for a repeated creation: it writes nothing when another was
    first, and answers with the contact's first entry. Such sections go alone, so that this can be seen.
    """
    index = 0
    for is_first in (True, False):
        names = [name for name in sections if (versions[name] == 0) is is_first]
        if not names:
            continue
        items = [
            {"subject": row["id"], "kind": row["kind"], "section": name, "fields": sections[name],
             "expected": versions[name]}
            for name in names
        ]  # fmt: skip
        put = await keeper.put(caller.token, "intake", items)
        if put.index <= row["log_index"]:
            raise Stale
        versions.update(zip(names, put.versions, strict=True))
        index = put.index
    return index


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
    """Let one contact or company stand for two; the fields in `keep` are taken from the one that goes.

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
    if given.keep and contact != given.into:
        await _keep(keeper, caller, gone["id"], kept, wanted=set(given.keep))
    index = await keeper.merge(caller.token, contact, given.into)
    await queries.set_merged(db, contact, given.into, moment(clock.wall_ms()))
    if "company" in given.keep:
        await queries.link(db, given.into, gone["company_id"])
    return index


async def _keep(keeper: Keeper, caller: Caller, gone: str, kept: Record, *, wanted: set[str]) -> None:
    """Take fields of the contact that goes over to the one that stays."""
    names = [name for name, fields in SECTIONS.items() if wanted.intersection(fields)]
    opened = await keeper.open(caller.token, "compare", subjects=[gone, kept["id"]], fields=names)
    theirs, ours = opened.people[gone], opened.people[kept["id"]]
    sections = {
        name: patched(ours.get(name), {k: v for k, v in patched(theirs.get(name), {}).items() if k in wanted})
        for name in names
    }
    versions = {name: opened.versions[kept["id"]].get(name, 0) for name in names}
    await _write(keeper, caller, kept, sections=sections, versions=versions)


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
    into = row["merged_into"]
    if into:
        await _set_merged(database, contact, None, clock)
    try:
        return await keeper.unmerge(caller.token, contact)
    except CrmError:
        if into:
            await _set_merged(database, contact, into, clock)
        raise


async def _set_merged(database: Database, contact: str, into: str | None, clock: Clock) -> None:
    async with database.writes() as db:
        await queries.set_merged(db, contact, into, moment(clock.wall_ms()))


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

    The one verb whose row is committed first: were the keeper first, a crash between would leave a living
    person whose rows go when they fall due. This way round it leaves rows that nothing opens.

    Raises:
        NotFound: nothing is scheduled.
        PurposeNotYours: the caller is the one who asked for it.
    """
    row = await queries.find_in_any_state(database.reads, contact)
    if row is None or row["kind"] != kind:
        raise NotFound
    due_at = row["erase_due_at"]
    async with database.writes() as db:
        await queries.set_erasing(db, contact, None)
    try:
        return await keeper.cancel_erase(caller.token, contact)
    except CrmError:
        async with database.writes() as db:
            await queries.set_erasing(db, contact, due_at)
        raise
