"""Takes in a file of contacts, in batches, so that any crash is mended by giving the same file again.

A contact's id is a keyed hash of what its card says: the same card is the same contact, in this file, in the
next try and in next year's. The key is the web process's own, so a dump cannot be asked whether it
holds a given card. What was erased stays erased: the keeper refuses its id.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic import ValidationError

from crm.contacts import queries, vcard
from crm.contacts.caller import Caller
from crm.contacts.models import ImportJob
from crm.contacts.schemas import PersonIn, sections_of
from crm.contacts.service import put_items
from crm.contacts.vcard import Card, Data, NotACardError
from crm.db import Database, WriteSession, milliseconds, moment
from crm.errors import CrmError, Invalid, NotFound, Stale
from crm.keeper_client import Keeper
from crm.kit import canonical
from crm.kit.clock import Clock, rfc3339
from crm.kit.ids import new_id

BATCH = 200
MOST_REJECTS = 1000
SILENT_MS = 60_000


@dataclass(slots=True)
class Person:
    """One card, ready to be stored."""

    line: int
    id: str
    sections: dict[str, dict[str, Any]]


@dataclass(slots=True)
class Tally:
    """How far an import has come: counts, and the rejected by line and reason code."""

    stored: int = 0
    known: int = 0
    repeated: int = 0
    rejected: int = 0
    rejects: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        """Count one that cannot be stored; the list ends at `MOST_REJECTS`, the count does not."""
        self.rejected += 1
        if len(self.rejects) < MOST_REJECTS:
            self.rejects.append({"line": line, "reason": reason})


def id_key(service_key: bytes) -> bytes:
    """Derive the key of imported ids from the service key."""
    return hmac.digest(service_key, b"kept import ids 1", "sha256")


async def begin(
    database: Database, keeper: Keeper, caller: Caller, data: Data, *, job: str | None, clock: Clock
) -> tuple[str, bool]:
    """Note an import and say whether it has to be run: an id that was used before is answered as it was.

    Raises:
        Invalid: this is no file of contacts.
    """
    chosen = job or new_id()
    if job and await queries.find_job(database.reads, job):
        return chosen, False
    total = await asyncio.to_thread(lambda: sum(1 for _ in vcard.cards(data)))
    if not total:
        raise Invalid("This is not a vCard file.", pointer="/body/file")
    await keeper.record(caller.token, "import", ref=f"import:{chosen}", detail={"cards": total})
    now = moment(clock.wall_ms())
    async with database.writes() as db:
        await queries.add_job(db, ImportJob(id=chosen, owner=caller.id, total=total, started_at=now, seen_at=now))
    return chosen, True


@dataclass(slots=True)
class Import:
    """One file on its way in."""

    database: Database
    keeper: Keeper
    caller: Caller
    job: str
    key: bytes
    clock: Clock
    tally: Tally = field(default_factory=Tally)
    seen: set[str] = field(default_factory=set)

    async def run(self, data: Data) -> None:
        """Store the contacts batch by batch; ends as done, or as failed with the code of what stopped it.

        The next batch is read by a thread while the keeper and PostgreSQL take this one.
        """
        source = vcard.cards(data)
        state, reason = "done", None
        reading = asyncio.create_task(asyncio.to_thread(self._take, source))
        try:
            while batch := await reading:
                reading = asyncio.create_task(asyncio.to_thread(self._take, source))
                await self._store(batch)
        except CrmError as error:
            state, reason = "failed", error.code
        except asyncio.CancelledError:
            state, reason = "failed", "interrupted"
            raise
        except Exception:
            state, reason = "failed", "internal"
            raise
        finally:
            await asyncio.wait([reading])
            async with self.database.writes() as db:
                await self._note(db, state, reason)

    def _take(self, source: Iterator[Card]) -> list[Person]:
        """Read cards until a batch is full or the file ends; what cannot be read is counted."""
        batch: list[Person] = []
        while len(batch) < BATCH and (found := list(islice(source, BATCH - len(batch)))):
            for card in found:
                try:
                    person = _person(card, self.key)
                except NotACardError as error:
                    self.tally.reject(card.at, str(error))
                except ValidationError as error:
                    self.tally.reject(card.at, _why(error))
                else:
                    if person.id in self.seen:
                        self.tally.repeated += 1
                    else:
                        self.seen.add(person.id)
                        batch.append(person)
        return batch

    async def _store(self, batch: list[Person]) -> None:
        known = await queries.standing(self.database.reads, [person.id for person in batch])
        self.tally.known += len(known)
        await self._put([person for person in batch if person.id not in known])

    async def _put(self, people: list[Person]) -> None:
        """Store people, the keeper first; one it refuses is looked for by halves and left out."""
        rows: list[dict[str, Any]] = []
        if people:
            items = [item for person in people for item in put_items(person.id, person.sections)]
            try:
                put = await self.keeper.put(self.caller.token, "intake", items, bulk=True)
            except (NotFound, Stale, Invalid) as error:
                await self._halve(people, error)
                return
            now = moment(self.clock.wall_ms())
            plain = {"kind": "contact", "owner": self.caller.id, "created_at": now, "updated_at": now, "version": 1}
            rows = [{"id": person.id, "log_index": put.index, **plain} for person in people]
        async with self.database.writes() as db:
            if rows:
                await queries.add(db, rows)
            self.tally.stored += len(rows)
            await self._note(db, "running", None)

    async def _halve(self, people: list[Person], error: CrmError) -> None:
        if len(people) == 1:
            self.tally.reject(people[0].line, "erased" if isinstance(error, NotFound) else error.code)
            return
        middle = len(people) // 2
        await self._put(people[:middle])
        await self._put(people[middle:])

    async def _note(self, db: WriteSession, state: str, reason: str | None) -> None:
        tally = self.tally
        values = {
            "stored": tally.stored, "known": tally.known, "repeated": tally.repeated,
            "rejected": tally.rejected, "rejects": list(tally.rejects), "state": state, "reason": reason,
            "seen_at": moment(self.clock.wall_ms()),
        }  # fmt: skip
        await queries.note_job(db, self.job, values)


def _person(card: Card, key: bytes) -> Person:
    sections = sections_of(PersonIn.model_validate(vcard.read(card)))
    if not any(sections.values()):
        raise NotACardError("nobody")
    digest = hmac.digest(key, canonical.encode(sections), hashlib.sha256)
    return Person(card.at, digest[:16].hex(), sections)


def _why(error: ValidationError) -> str:
    """Print the first mistake as field and kind; both are words of ours."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{first['loc'][0]}: {first['type'].replace('_', ' ')}"


async def progress(database: Database, caller: Caller, job: str, *, clock: Clock) -> dict[str, Any]:
    """Say how far one's own import has come.

    Raises:
        NotFound: no such import, or another person's.
    """
    row = await queries.find_job(database.reads, job)
    if row is None or row["owner"] != caller.id:
        raise NotFound
    seen_ms, started_ms = milliseconds(row["seen_at"]), milliseconds(row["started_at"])
    is_silent = row["state"] == "running" and clock.wall_ms() - seen_ms > SILENT_MS
    done = row["stored"] + row["known"] + row["repeated"] + row["rejected"]
    return {
        "id": row["id"],
        "state": "interrupted" if is_silent else row["state"],
        "reason": row["reason"],
        "total": row["total"],
        "read": done,
        "stored": row["stored"],
        "known": row["known"],
        "repeated": row["repeated"],
        "rejected": row["rejected"],
        "per_second": round(1000 * done / max(seen_ms - started_ms, 1)),
        "rejects": json.loads(row["rejects"]),
        "started_at": rfc3339(started_ms),
        "seen_at": rfc3339(seen_ms),
    }
