"""Takes in a file of contacts, in batches, so that any crash is mended by giving the same file again.

Whoever is there already is passed over, since ids are made of what a file says (`intake`). What was erased stays
erased: the keeper refuses its id.
"""

import asyncio
import contextlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.contacts import queries, sources
from crm.contacts.caller import Caller
from crm.contacts.intake import COUNTS, Intake, Person
from crm.contacts.service import put_items
from crm.contacts.sources import Entry, Source, Survey
from crm.contacts.tables import Data
from crm.db import DOWN, Database, WriteSession, milliseconds, moment
from crm.errors import CrmError, Invalid, NotFound, Stale, TooLarge
from crm.keeper_client import Keeper
from crm.kit.clock import Clock, rfc3339
from crm.kit.ids import new_id

MOST_REMEMBERED = 100
SILENT_MS = 60_000
LEAST_TOLD = 10


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


def _coarse(held: int | None) -> int | str | None:
    """Say how many, from ten on: fewer would tell of a file of one whether somebody with that address is there."""
    return held if held is None or held >= LEAST_TOLD else f"fewer than {LEAST_TOLD}"


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
    # An import's entry says how many cards; that none of them is to be stored makes it a rehearsal's.
    detail = {"cards": survey.total, "count": 0}
    await keeper.record(caller.token, "import", ref=f"import:{new_id()}", detail=detail)
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
    values = {
        "id": chosen, "owner": caller.id, "state": "running", "total": survey.total, "started_at": now, "seen_at": now,
        **dict.fromkeys(("stored", "known", "repeated", "rejected"), 0),
        "fields": [column.field for column in source.columns], "filled": survey.filled,
    }  # fmt: skip
    async with database.writes() as db:
        is_first = await queries.add_job(db, values)
    if not is_first:
        return chosen, None
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

        While the keeper takes one batch, the next is read and looked up, and PostgreSQL commits the one before.
        """
        entries = source.entries()
        state, reason = "done", None
        reading = asyncio.create_task(self._read(entries))
        try:
            while (batch := await reading) is not None:
                reading = asyncio.create_task(self._read(entries))
                await self._put(batch)
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

    async def _read(self, entries: Iterator[Entry]) -> list[Person] | None:
        """Give whom to store of the next batch; None behind the last."""
        if not (batch := await asyncio.to_thread(self.intake.take, entries)):
            return None
        known = await queries.standing(self.database.reads, [person.id for person in batch])
        self.intake.tally.known += len(known)
        return [person for person in batch if person.id not in known]

    async def _put(self, people: list[Person]) -> None:
        """Store people, the keeper first; one it refuses is looked for by halves and left out."""
        index = 0
        if people:
            items = [item for person in people for item in put_items(person.id, person.sections)]
            try:
                put = await self.keeper.put(self.caller.token, "intake", items, bulk=True)
            except (NotFound, Stale, Invalid, TooLarge) as error:
                await self._halve(people, error)
                return
            index = put.index
            self.intake.tally.hold(put.held)
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
        values = {name: getattr(tally, name) for name in (*COUNTS, "held")}
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
        "known_addresses": _coarse(row["held"]),
        "per_second": round(1000 * done / max(seen_ms - started_ms, 1)),
        **{name: json.loads(row[name]) for name in ("rejects", "warnings")},
        "columns": columns,
        "unknown_columns": _unknown(columns),
        "started_at": rfc3339(started_ms),
        "seen_at": rfc3339(seen_ms),
    }
