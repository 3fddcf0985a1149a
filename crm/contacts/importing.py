"""Takes in a file of contacts, in batches, so that any crash is mended by giving the same file again.

A contact's id is a keyed hash of what its card says: the same card is the same contact, in this file, in the
next try and in next year's. The key is the web process's own, so a dump cannot be asked whether it
holds a given card. What was erased stays erased: the keeper refuses its id.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack
from pydantic import ValidationError

from crm.contacts import phones, queries, sources, standard_names
from crm.contacts.caller import Caller
from crm.contacts.models import ImportJob
from crm.contacts.schemas import SECTIONS, PersonIn, sections_of
from crm.contacts.service import put_items
from crm.contacts.sources import Entry, Source, Survey
from crm.contacts.tables import Data
from crm.db import DOWN, Database, WriteSession, milliseconds, moment
from crm.errors import CrmError, Invalid, NotFound, Stale, TooLarge
from crm.keeper_client import Keeper
from crm.kit import email
from crm.kit.clock import Clock, rfc3339
from crm.kit.ids import new_id

BATCH = 200
MOST_TOLD = 1000
MOST_REMEMBERED = 100
SILENT_MS = 60_000
COUNTS = ("stored", "known", "repeated", "rejected", "warned")


@dataclass(slots=True)
class Person:
    """One card or row, ready to be stored."""

    line: int
    id: str
    sections: dict[str, dict[str, Any]]
    plain: dict[str, str]


@dataclass(slots=True)
class Tally:
    """How far an import has come: counts, and by line and reason what was rejected or is worth a look."""

    stored: int = 0
    known: int = 0
    repeated: int = 0
    rejected: int = 0
    warned: int = 0
    rejects: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        """Count one that cannot be stored; the list ends at `MOST_TOLD`, the count does not."""
        self.rejected += 1
        _tell(self.rejects, line, reason)

    def warn(self, line: int, reasons: Sequence[str]) -> None:
        """Count one that is stored, though not all of it was understood."""
        self.warned += bool(reasons)
        for reason in reasons:
            _tell(self.warnings, line, reason)

    def repeat(self, line: int, first: int) -> None:
        """Count one that says the same as an earlier one."""
        self.repeated += 1
        _tell(self.warnings, line, f"says the same as line {first}")

    def report(self) -> dict[str, Any]:
        """Print counts and lists."""
        return {name: getattr(self, name) for name in (*COUNTS, "rejects", "warnings")}


def _tell(told: list[dict[str, Any]], line: int, reason: str) -> None:
    if len(told) < MOST_TOLD:
        told.append({"line": line, "reason": reason})


class Headings:
    """The headings of the files given last, for who gave them.

    They stay in this process: PostgreSQL gets the fields they stand for, since a heading may name somebody.
    """

    def __init__(self) -> None:
        self._by_job: OrderedDict[str, list[str]] = OrderedDict()

    def keep(self, job: str, source: Source) -> None:
        """Keep the headings of one more file, and let go of the oldest."""
        self._by_job[job] = [column.heading for column in source.columns]
        while len(self._by_job) > MOST_REMEMBERED:
            self._by_job.popitem(last=False)

    def of(self, job: str, count: int) -> Sequence[str | None]:
        """Give the headings of a job; None for each where another process took the file in."""
        return self._by_job.get(job) or [None] * count


def id_key(service_key: bytes) -> bytes:
    """Derive the key of imported ids from the service key."""
    return hmac.digest(service_key, b"kept import ids 1", "sha256")


@dataclass(slots=True)
class Intake:
    """Reads the people of one file: whom to store, who is there twice, and who cannot be read and why."""

    key: bytes
    region: str | None
    tally: Tally = field(default_factory=Tally)
    _seen: dict[bytes, int] = field(default_factory=dict)

    def take(self, entries: Iterator[Entry]) -> list[Person]:
        """Read until a batch is full or the file ends; what cannot be read is counted."""
        batch: list[Person] = []
        for entry in entries:
            if (person := self._person(entry)) is not None:
                batch.append(person)
                if len(batch) == BATCH:
                    break
        return batch

    def _person(self, entry: Entry) -> Person | None:
        if entry.refused:
            self.tally.reject(entry.line, entry.refused)
            return None
        warnings = entry.warnings
        fields, plain = self._standard(entry.fields, warnings)
        try:
            sections = sections_of(PersonIn.model_validate(fields))
        except ValidationError as error:
            self.tally.reject(entry.line, _why(error))
            return None
        if not any(sections.values()):
            self.tally.reject(entry.line, "nobody")
            return None
        digest = _digest(self.key, sections, plain)
        if (first := self._seen.setdefault(digest, entry.line)) != entry.line:
            self.tally.repeat(entry.line, first)
            return None
        self.tally.warn(entry.line, warnings)
        return Person(entry.line, digest.hex(), sections, plain)

    def _standard(self, fields: dict[str, Any], warnings: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Set plain attributes apart, by their codes where they are clear."""
        plain: dict[str, str] = {}
        if (said := fields.pop("language", None)) is not None:
            if language := standard_names.language(said):
                plain["language"] = language
            else:
                warnings.append("language: not one that is known, and not kept")
        written = [address["country"] for address in fields.get("addresses", ()) if "country" in address]
        for name in (fields.pop("country", ""), *written):
            if name and (country := standard_names.country(name)):
                plain["country"] = country
                break
        if not all(phones.match_key(number, self.region) for number in fields.get("phones", ())):
            warnings.append("phones: not a number that can be called, kept as it is written")
        return fields, plain


def _digest(key: bytes, sections: Mapping[str, Mapping[str, Any]], plain: Mapping[str, str]) -> bytes:
    """Digest what a person is said to be; spellings of one mailbox, and the order of fields, make no other one."""
    said: list[Any] = [sections.get(name, {}).get(field) for name, fields in SECTIONS.items() for field in fields]
    said[_EMAILS] = [email.match_key(address) for address in said[_EMAILS] or ()]
    said[_ADDRESSES] = [sorted(address.items()) for address in said[_ADDRESSES] or ()]
    said.append(plain.get("language"))
    return hashlib.blake2b(msgpack.packb(said), key=key, digest_size=16).digest()


_FIELDS = [field for fields in SECTIONS.values() for field in fields]
_EMAILS, _ADDRESSES = _FIELDS.index("emails"), _FIELDS.index("addresses")


def _why(error: ValidationError) -> str:
    """Print the first mistake as field and kind; both are words of ours."""
    first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    kinds = {
        "value_error": str(context.get("error")),  # our own validators, whose messages are constants
        "string_too_long": f"longer than {context.get('max_length')} characters",
        "too_long": f"more than {context.get('max_length')}",
    }
    return f"{first['loc'][0]}: {kinds.get(first['type'], first['type'].replace('_', ' '))}"


async def _open(data: Data) -> tuple[Source, Survey]:
    """Find out what a file holds.

    Raises:
        Invalid: nobody that could be made out.
    """
    source = await asyncio.to_thread(sources.find, data)
    survey = await asyncio.to_thread(source.survey)
    if not survey.total:
        raise Invalid(
            "This is neither a vCard file nor a table under headings that say name, e-mail or phone.",
            pointer="/body/file",
        )
    return source, survey


def _columns(
    headings: Sequence[str | None], fields: Sequence[str | None], filled: Sequence[int]
) -> list[dict[str, Any]]:
    """Print columns: what they are taken for, and in how many rows they say anything."""
    told = enumerate(zip(headings, fields, filled, strict=True), 1)
    return [{"number": number, "heading": one[0], "field": one[1], "filled": one[2]} for number, one in told]


def _unknown(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the columns that say something and are not taken, by heading where it is known."""
    return [
        column["heading"] or f"column {column['number']}"
        for column in columns
        if column["field"] is None and column["filled"]
    ]


async def rehearse(
    database: Database, keeper: Keeper, caller: Caller, data: Data, *, key: bytes, region: str | None
) -> dict[str, Any]:
    """Say what an import would do, and store nothing; that it was asked is an entry.

    Raises:
        Invalid: this is no file of contacts.
    """
    source, survey = await _open(data)
    await keeper.record(
        caller.token, "import", ref=f"import:{new_id()}", detail={"cards": survey.total, "rehearsal": "yes"}
    )
    intake, entries = Intake(key, region), source.entries()
    while batch := await asyncio.to_thread(intake.take, entries):
        known = await queries.standing(database.reads, [person.id for person in batch])
        intake.tally.known += len(known)
        intake.tally.stored += len(batch) - len(known)
    told = source.columns
    columns = _columns([one.heading for one in told], [one.field for one in told], survey.filled)
    report = {"dry_run": True, "total": survey.total, **intake.tally.report()}
    return {**report, "columns": columns, "unknown_columns": _unknown(columns)}


async def begin(
    database: Database, keeper: Keeper, caller: Caller, data: Data, *, job: str | None, headings: Headings, clock: Clock
) -> tuple[str, Source | None]:
    """Note an import and give its source to run; None for an id that was used before: it is answered as it was.

    Raises:
        Invalid: this is no file of contacts.
    """
    chosen = job or new_id()
    if job and await queries.find_job(database.reads, job):
        return chosen, None
    source, survey = await _open(data)
    await keeper.record(caller.token, "import", ref=f"import:{chosen}", detail={"cards": survey.total})
    now = moment(clock.wall_ms())
    row = ImportJob(
        id=chosen, owner=caller.id, total=survey.total, started_at=now, seen_at=now,
        fields=[column.field for column in source.columns], filled=survey.filled,
    )  # fmt: skip
    async with database.writes() as db:
        await queries.add_job(db, row)
    headings.keep(chosen, source)
    return chosen, source


@dataclass(slots=True)
class Import:
    """One file on its way in."""

    database: Database
    keeper: Keeper
    caller: Caller
    job: str
    intake: Intake
    clock: Clock
    _committing: asyncio.Task[None] | None = None
    _told: int = -1

    async def run(self, source: Source) -> None:
        """Store the contacts batch by batch; ends as done, or as failed with the code of what stopped it.

        While the keeper takes one batch, a thread reads the next and PostgreSQL commits the one before.
        """
        entries = source.entries()
        state, reason = "done", None
        reading = asyncio.create_task(asyncio.to_thread(self.intake.take, entries))
        try:
            while batch := await reading:
                reading = asyncio.create_task(asyncio.to_thread(self.intake.take, entries))
                await self._store(batch)
            await self._committed()
        except CrmError as error:
            state, reason = "failed", error.code
        except DOWN:
            state, reason = "failed", "database-unavailable"
        except asyncio.CancelledError:
            state, reason = "failed", "interrupted"
            raise
        except Exception:
            state, reason = "failed", "internal"
            raise
        finally:
            await self._end([reading], state, reason)

    async def _end(self, reading: list[asyncio.Task[Any]], state: str, reason: str | None) -> None:
        """Wait for what is under way and note the end; where the database is down, silence says that it ended."""
        under_way = [*reading, *filter(None, [self._committing])]
        await asyncio.wait(under_way)
        for task in under_way:
            task.cancelled() or task.exception()
        with contextlib.suppress(*DOWN):
            async with self.database.writes() as db:
                await self._note(db, state, reason)

    async def _store(self, batch: list[Person]) -> None:
        known = await queries.standing(self.database.reads, [person.id for person in batch])
        self.intake.tally.known += len(known)
        await self._put([person for person in batch if person.id not in known])

    async def _put(self, people: list[Person]) -> None:
        """Store people, the keeper first; one it refuses is looked for by halves and left out."""
        index = 0
        if people:
            items = [item for person in people for item in put_items(person.id, person.sections)]
            try:
                index = (await self.keeper.put(self.caller.token, "intake", items, bulk=True)).index
            except (NotFound, Stale, Invalid, TooLarge) as error:
                await self._halve(people, error)
                return
        await self._committed()
        self._committing = asyncio.create_task(self._commit(people, index))

    async def _halve(self, people: list[Person], error: CrmError) -> None:
        if len(people) == 1:
            self.intake.tally.reject(people[0].line, "erased" if isinstance(error, NotFound) else error.code)
            return
        middle = len(people) // 2
        await self._put(people[:middle])
        await self._put(people[middle:])

    async def _committed(self) -> None:
        """Wait until the last batch is in PostgreSQL."""
        if (task := self._committing) is not None:
            await asyncio.shield(task)

    async def _commit(self, people: list[Person], index: int) -> None:
        now = moment(self.clock.wall_ms())
        async with self.database.writes() as db:
            if people:
                rows = [{"id": person.id, "language": None, "country": None, **person.plain} for person in people]
                await queries.add_imported(db, rows, owner=self.caller.id, at=now, log_index=index)
            self.intake.tally.stored += len(people)
            await self._note(db, "running", None)

    async def _note(self, db: WriteSession, state: str, reason: str | None) -> None:
        tally = self.intake.tally
        values = {name: getattr(tally, name) for name in COUNTS}
        values |= {"state": state, "reason": reason, "seen_at": moment(self.clock.wall_ms())}
        # The lists can be long, and most batches add nothing to them.
        if (told := len(tally.rejects) + len(tally.warnings)) != self._told:
            values |= {"rejects": list(tally.rejects), "warnings": list(tally.warnings)}
            self._told = told
        await queries.note_job(db, self.job, values)


async def progress(database: Database, caller: Caller, job: str, *, headings: Headings, clock: Clock) -> dict[str, Any]:
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
    columns = _columns(headings.of(job, len(row["fields"])), row["fields"], row["filled"])
    return {
        "id": row["id"],
        "state": "interrupted" if is_silent else row["state"],
        "reason": row["reason"],
        "total": row["total"],
        "read": done,
        **{name: row[name] for name in COUNTS},
        "per_second": round(1000 * done / max(seen_ms - started_ms, 1)),
        **{name: json.loads(row[name]) for name in ("rejects", "warnings")},
        "columns": columns,
        "unknown_columns": _unknown(columns),
        "started_at": rfc3339(started_ms),
        "seen_at": rfc3339(seen_ms),
    }
