"""Canaries: customers who do not exist, so that nobody has a reason to look at one.

In PostgreSQL, through every route and in the keeper's cards a canary is a contact like any other; only the
log says who made it and why. What PostgreSQL knows is therefore written by the same lines as for a contact.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from crm.audit.alerts import is_canary
from crm.audit.review import Seen, Watch, read_on
from crm.contacts import queries
from crm.contacts.caller import Caller
from crm.contacts.schemas import SECTIONS, CanaryIn, sections_of
from crm.contacts.service import Written, plain_values, put_items
from crm.contacts.vocabulary import Vocabulary
from crm.db import Database, ReadSession, WriteSession, moment
from crm.errors import Invalid
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import new_id
from crm.kit.pii import Pii

PURPOSE = "canary"
AT_ONCE = 8
# As common as names get: whoever knows this page cannot tell these from the customers who have them.
GIVEN = (
    "Alexander", "Alice", "Andrea", "Anna", "Anne", "Carlos", "Caroline", "Charlotte", "Christian", "Christine",
    "Claudia", "Daniel", "David", "Elena", "Elizabeth", "Emma", "Eva", "Francesca", "George", "Hannah", "Helen",
    "Ines", "Jan", "Jane", "Julia", "Julie", "Karin", "Laura", "Linda", "Lisa", "Lucas", "Maria", "Marie", "Mark",
    "Martin", "Michael", "Monica", "Nicole", "Olivia", "Paul", "Peter", "Robert", "Sandra", "Sarah", "Simon",
    "Sofia", "Stefan", "Susanne", "Thomas", "Victoria",
)  # fmt: skip
FAMILY = (
    "Adams", "Andersen", "Bailey", "Bauer", "Becker", "Bennett", "Bernard", "Brown", "Carter", "Clark", "Collins",
    "Cooper", "Dubois", "Edwards", "Evans", "Fernandez", "Fischer", "Fontaine", "Garcia", "Green", "Hall", "Hansen",
    "Harris", "Hoffmann", "Hughes", "Jensen", "Johnson", "Keller", "Klein", "Lambert", "Larsen", "Lefevre", "Lewis",
    "Lopez", "Martinez", "Meyer", "Miller", "Moore", "Moreau", "Morgan", "Morris", "Nielsen", "Parker", "Phillips",
    "Richter", "Roberts", "Rossi", "Russo", "Schmidt", "Schneider", "Scott", "Taylor", "Turner", "Vogel", "Walker",
    "Weber", "Wilson", "Winter", "Wolf", "Wood",
)  # fmt: skip
COMPANIES = ("", "", "{} Consulting", "{} & Partners", "{} Services", "{} Logistics")
TITLES = ("", "", "Account Manager", "Buyer", "Director", "Engineer", "Office Manager", "Owner")


async def create(
    db: WriteSession,
    keeper: Keeper,
    caller: Caller,
    given: CanaryIn,
    *,
    reads: ReadSession,
    vocabulary: Vocabulary,
    clock: Clock,
) -> Written:
    """Make a canary, or answer as the first time when its id was used before.

    Nothing is chosen that could be somebody's: an address or number is there when the auditor gives one.

    Raises:
        Invalid: the id, an address or a number is somebody's; the owner is not of staff; an unknown term.
    """
    contact = given.id or new_id()
    if given.id and (row := await queries.find_in_any_state(reads, contact)):
        await _must_be_canary(keeper, caller, row["log_index"])
        return Written(contact, row["log_index"], "")
    plain = await plain_values(given, caller, vocabulary)
    owner = await _owner(keeper, caller, given.owner)
    await _must_be_nobodys(keeper, caller, given, contact)
    sections = sections_of(given)
    sections["identity"] = sections["identity"] or _somebody()
    put = await keeper.put(caller.token, PURPOSE, put_items(contact, sections))
    await _must_be_canary(keeper, caller, put.index)
    now = moment(clock.wall_ms())
    await queries.add(
        db,
        [{"id": contact, "kind": "contact", **plain, "owner": owner, "created_at": now, "updated_at": now,
          "version": 1, "log_index": put.index}],
    )  # fmt: skip
    return Written(contact, put.index, "")


async def _must_be_canary(keeper: Keeper, caller: Caller, index: int) -> None:
    """Refuse an id under which the keeper has somebody who is none."""
    page = await keeper.entries(caller.token, after=index - 1, limit=1)
    if not is_canary(page["entries"][0]):
        raise Invalid("This id is somebody's.", pointer="/body/id")


async def _owner(keeper: Keeper, caller: Caller, given: str | None) -> str | None:
    """Take one of staff, as every contact has whoever made it; anyone of them where none is named.

    A contact without an owner, or whose owner is an auditor, would be told from the others at once.
    """
    people = await keeper.people(caller.token)
    staff = [one["id"] for one in people if one["state"] == "active" and "staff" in one["roles"]]
    if given and given not in staff:
        raise Invalid("The owner is one of staff.", pointer="/body/owner")
    return given or (secrets.choice(staff) if staff else None)


async def _must_be_nobodys(keeper: Keeper, caller: Caller, given: CanaryIn, contact: str) -> None:
    """Refuse what a customer holds: whoever looks for them by it would find the canary instead."""
    for field, kind in (("emails", "email"), ("phones", "phone")):
        for at, value in enumerate(getattr(given, field) or ()):
            holder = await keeper.subject_of(caller.token, kind, Pii(value))
            if holder not in {None, contact}:
                raise Invalid("This is somebody's.", pointer=f"/body/{field}/{at}")


def _somebody() -> dict[str, Any]:
    company = secrets.choice(COMPANIES).format(secrets.choice(FAMILY))
    chosen = (secrets.choice(GIVEN), secrets.choice(FAMILY), company, secrets.choice(TITLES))
    return {field: value for field, value in zip(SECTIONS["identity"], chosen, strict=True) if value}


async def list_all(database: Database, keeper: Keeper, token: str, *, watch: Watch) -> dict[str, Any]:
    """List the canaries in the order they were made, by id alone, with who was shown each first and last, and when."""
    seen = await read_on(database, keeper, token, watch)
    made = sorted(seen.canaries.items(), key=lambda pair: int(pair[1]["index"]))
    rows = list[dict[str, Any]]()
    for start in range(0, len(made), AT_ONCE):
        rows += await asyncio.gather(*(_row(keeper, token, *pair) for pair in made[start : start + AT_ONCE]))
    return {"canaries": rows, **_progress(seen)}


async def _row(keeper: Keeper, token: str, contact: str, entry: dict[str, Any]) -> dict[str, Any]:
    looks = await keeper.looks(token, contact)
    touched = _look("touched", looks[:1]) | _look("first", looks[-1:])
    return {"id": contact, "made_at": entry["at"], "made_by": entry["actor"], "log_index": entry["index"], **touched}


def _look(name: str, looks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    look = looks[0] if looks else {"at": None, "actor": None, "index": None}
    return {f"{name}_at": look["at"], f"{name}_by": look["actor"], f"{name}_index": look["index"]}


def _progress(seen: Seen) -> dict[str, int]:
    return {"read": seen.read, "size": seen.size}
