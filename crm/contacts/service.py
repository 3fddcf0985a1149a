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
    PlainIn,
    changes_of,
    parse_version,
    patched,
    print_version,
    sections_of,
)
from crm.contacts.vocabulary import Kind, Vocabulary
from crm.db import Database, ReadSession, WriteSession, moment
from crm.errors import Duplicate, Invalid, NotFound, Stale
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
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
    database: Database,
    keeper: Keeper,
    caller: Caller,
    contact: ContactId,
    *,
    patch: ContactPatch | CompanyPatch,
    etag: str,
    vocabulary: Vocabulary,
    clock: Clock,
) -> Written:
    """Apply a merge patch to exactly the version the caller saw; durable on return.

    The entry about plain attributes comes first. Before sections are written the row's version is taken, in a
    transaction of its own, so that whoever is too late is told before anything of theirs is stored. A crash behind
    that leaves a version that nobody has seen. Where a patch has both, somebody who reads and changes the row
    between the two steps leaves it with a 412 and its sections written: its ETag tells.

    Raises:
        NotFound: no such contact or company.
        Stale: somebody changed it meanwhile.
        Invalid: nothing to change, a term no vocabulary has, an owner or company that is not there.
    """
    reads = database.reads
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
        sections = await _whole(keeper, caller, contact, changes=sections, versions=versions)
        await _advance(database, contact, version, {})
        version += 1
        index = await write_sections(keeper, caller, row, sections=sections, versions=versions)
    now = moment(clock.wall_ms())
    if plain:
        await _advance(database, contact, version, {**plain, "updated_at": now})
        version += 1
    else:
        async with database.writes() as db:
            await queries.touch(db, contact, now)
    return Written(contact, index, print_version(version, versions))


async def _advance(database: Database, contact: str, version: int, values: dict[str, Any]) -> None:
    """Change a row of exactly this version to the next.

    Raises:
        Stale: somebody else was first.
    """
    async with database.writes() as db:
        is_first = await queries.change(db, contact, version, values)
    if not is_first:
        raise Stale


async def _record(keeper: Keeper, caller: Caller, contact: str, plain: dict[str, Any]) -> int:
    """Log which plain attributes change, and whose the contact is from now on."""
    fields = [name for name in plain if name != "hand_over"]
    detail = {"fields": ".".join(fields)}
    if "owner" in plain:
        detail["owner"] = plain["owner"] or "nobody"
    act = "owner" if fields == ["owner"] else "attributes"
    return await keeper.record(caller.token, act, [contact], detail=detail)


async def _whole(
    keeper: Keeper, caller: Caller, contact: str, *, changes: dict[str, dict[str, Any]], versions: dict[str, int]
) -> dict[str, dict[str, Any]]:
    """Apply changes to the sections as they stand; opened is only what is not replaced whole."""
    partly = [name for name, fields in changes.items() if versions[name] and set(fields) != set(SECTIONS[name])]
    standing: dict[str, Pii[dict[str, Any]]] = {}
    if partly:
        opened = await keeper.open(caller.token, "serve", subjects=[contact], fields=partly, reason="correction")
        standing = opened.people[contact]
        if any(opened.versions[contact].get(name, 0) != versions[name] for name in partly):
            raise Stale
    return {name: patched(standing.get(name), fields) for name, fields in changes.items()}


async def write_sections(
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
