"""The verbs of alerts: read on in the log, list, acknowledge.

The log opens to auditors only, so it is read on when one of them asks: page by page from where the last one
came to, which PostgreSQL remembers. Whoever is second with a page drops it; both would write the same.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from asyncpg import Record

from crm.audit import alerts, queries
from crm.audit.alerts import Fold, State
from crm.audit.schemas import alert_out
from crm.db import Database, moment
from crm.errors import NotFound, TooLarge
from crm.keeper_client import Keeper
from crm.kit import canonical

PAGE = 1000  # entries in one call to the keeper
PAGES = 50  # in one request: the next one goes on
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Watch:
    """How this installation looks: its time zone, and the key of the digests that stand for people meanwhile."""

    zone: ZoneInfo
    key: bytes

    @classmethod
    def of(cls, service_key: bytes, zone: ZoneInfo) -> "Watch":
        """Derive the key from the web process's service key."""
        return cls(zone, hmac.digest(service_key, b"kept alerts 1", "sha256"))

    def digest(self, text: str) -> str:
        """Return what stands for a person."""
        return hmac.digest(self.key, text.encode(), "sha256")[:12].hex()

    def name_of(self, log: str) -> str:
        """Name the reading of one log: with another key what was carried on cannot be used, so it begins anew."""
        return hmac.digest(self.key, log.encode(), "sha256")[:16].hex()


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a log was read: entries, of how many; whether it is another than before; its canaries, by then."""

    origin: str
    read: int
    size: int
    is_other: bool
    canaries: dict[str, dict[str, Any]]

    @property
    def log(self) -> str:
        """The log's name in PostgreSQL."""
        return log_of(self.origin)


def log_of(origin: str) -> str:
    """Name a log, for ever: after a restore with loss another begins at 0."""
    return hashlib.sha256(origin.encode()).hexdigest()[:32]


async def read_on(database: Database, keeper: Keeper, token: str, watch: Watch) -> Seen:
    """Look through what was not looked at before, at most ``PAGES`` of it; what was found is durable on return.

    Raises:
        PurposeNotYours: the session is no auditor's.
    """
    origin, size, _ = (await keeper.checkpoint()).split("\n", 2)
    name = watch.name_of(origin)
    position = -1
    canaries: dict[str, dict[str, Any]] = {}
    for _ in range(PAGES):
        position, tip, carried = await queries.find_fold(database.reads, name) or (-1, "", asdict(State()))
        state = State(**carried)
        # Each time anew: another process may have read on, over a canary.
        canaries = await _canaries(keeper, token, state.makers)
        # The entry that was the last one is read again: it must still be that one.
        found = await _ask(keeper, token, after=position - 1 if position >= 0 else None, limit=PAGE)
        page = found["entries"]
        if position >= 0 and (not page or _tip(page.pop(0)) != tip):
            return Seen(origin, position + 1, int(size), is_other=True, canaries=canaries)
        if not page:
            break
        fold = Fold(origin, watch.zone, watch.digest, canaries, state=state)
        for entry in page:
            fold.take(entry)
        if await _keep(database, fold, page[-1], name=name, origin=origin, before=position):
            position = page[-1]["index"]
    return Seen(origin, position + 1, max(int(size), position + 1), is_other=False, canaries=canaries)


async def _keep(database: Database, fold: Fold, last: dict[str, Any], *, name: str, origin: str, before: int) -> bool:
    """Write what a page gave, all or nothing; False where somebody else was first."""
    state = asdict(fold.carry())
    async with database.writes() as db:
        if not await queries.advance(db, name, before, position=last["index"], tip=_tip(last), state=state):
            return False
        log = log_of(origin)
        if fold.raised:
            await queries.put_alerts(db, [_row(alert, origin, log) for alert in fold.raised])
        for word in fold.acknowledged:
            await queries.acknowledge(
                db, log, word.alert, by=word.by, note_code=word.note_code, at=word.at, index=word.log_index
            )
    return True


def _row(alert: alerts.Alert, origin: str, log: str) -> dict[str, Any]:
    return {
        "id": alert.id_in(origin), "log": log, "kind": alert.kind, "severity": alerts.SEVERITY[alert.kind],
        "first_index": alert.first, "last_index": alert.last, "at": moment(alert.at),
        "last_at": moment(alert.last_at), "actor": alert.actor, "about": alert.about, "count": alert.count,
        "evidence": alert.evidence,
    }  # fmt: skip


def _tip(entry: dict[str, Any]) -> str:
    return hashlib.sha256(canonical.encode(entry)).hexdigest()[:32]


async def _ask(keeper: Keeper, token: str, *, after: int | None, limit: int, **where: str) -> dict[str, Any]:
    """Read the next entries; fewer at once, where they are large."""
    while True:
        try:
            return await keeper.entries(token, after=after, limit=limit, **where)
        except TooLarge:
            # One entry fits into a frame: this ends.
            limit //= 2


async def _entry(keeper: Keeper, token: str, index: int) -> dict[str, Any]:
    found = await keeper.entries(token, after=index - 1, limit=1)
    entry: dict[str, Any] = found["entries"][0]
    return entry


async def _pages(keeper: Keeper, token: str, **where: str) -> AsyncIterator[dict[str, Any]]:
    """Read all entries that fit."""
    after: int | None = None
    while True:
        found = await _ask(keeper, token, after=after, limit=PAGE, **where)
        for entry in found["entries"]:
            yield entry
        after = found["next"]
        if after is None:
            return


async def _canaries(keeper: Keeper, token: str, makers: list[str]) -> dict[str, dict[str, Any]]:
    """Find the canaries, in the log and nowhere else, by who made any; returns the entry of each."""
    return {
        subject: entry
        for maker in makers
        async for entry in _pages(keeper, token, actor=maker, act="put", purpose="canary", outcome="ok")
        for subject in entry["subjects"]
    }


def parse_cursor(text: str | None) -> tuple[int, str] | None:
    """Read where a page goes on, as ``list_alerts`` prints it."""
    if text is None:
        return None
    first, _, alert = text.partition("-")
    return int(first), alert


async def list_alerts(
    database: Database, keeper: Keeper, token: str, *, watch: Watch, state: str | None, after: tuple[int, str] | None
) -> dict[str, Any]:
    """List alerts, newest first, with how things stand now, and how far the log was read for them."""
    seen = await read_on(database, keeper, token, watch)
    rows = await queries.newest(database.reads, seen.log, state=state, after=after, most=SHOWN + 1)
    shown = rows[:SHOWN]
    return {
        "alerts": [alert_out(row, await _subjects(keeper, token, row, seen)) for row in shown],
        "next": f"{shown[-1]['first_index']}-{shown[-1]['id']}" if len(rows) > SHOWN else None,
        "conditions": await _conditions(keeper, seen),
        "read": seen.read,
        "size": seen.size,
    }


async def acknowledge(
    database: Database, keeper: Keeper, token: str, alert: str, *, note_code: str, watch: Watch
) -> dict[str, Any]:
    """Take an alert as one's own, with what became of it; again, or by a second one, it stays whose it is.

    Raises:
        NotFound: no such alert.
    """
    seen = await read_on(database, keeper, token, watch)
    row = await queries.find(database.reads, seen.log, alert)
    if row is None:
        raise NotFound
    if row["acknowledged_index"] is None:
        index = await keeper.record(token, "alert", [alert], detail={"state": note_code})
        word = alerts.acknowledgement(await _entry(keeper, token, index))
        assert word is not None  # noqa: S101 - it was just written
        async with database.writes() as db:
            await queries.acknowledge(
                db, seen.log, alert, by=word.by, note_code=word.note_code, at=word.at, index=index
            )
        row = await queries.find(database.reads, seen.log, alert)
    assert row is not None  # noqa: S101 - nothing deletes one
    return alert_out(row, await _subjects(keeper, token, row, seen))


async def _subjects(keeper: Keeper, token: str, row: Record, seen: Seen) -> set[str]:
    """Read whom an alert is about; of an alert about canaries, the canaries."""
    if row["kind"] not in alerts.ABOUT_PEOPLE or seen.is_other:
        return set()
    evidence = await asyncio.gather(*(_entry(keeper, token, index) for index in row["evidence"]))
    found = {subject for entry in evidence for subject in entry["subjects"]}
    return found & seen.canaries.keys() if row["kind"] in alerts.CANARIES else found


async def _conditions(keeper: Keeper, seen: Seen) -> list[dict[str, str]]:
    """Say what is wrong now; it is not in the log, and nobody acknowledges it: it ends when it is put right."""
    status = await keeper.status()
    _, signed, _ = (await keeper.checkpoint()).split("\n", 2)
    found = [
        ("keeper_sealed", alerts.CRITICAL, status["state"] != "open", status["reason"]),
        ("log_replaced", alerts.CRITICAL, seen.is_other, "The log is not the one that was read before."),
        ("log_stuck", alerts.CRITICAL, int(signed) < status["size"], "The signed tree is behind the log."),
        ("not_escrowed", alerts.WARNING, not status["escrow"], "Nobody could recover the keys."),
        ("one_factor", alerts.WARNING, status["second_factor"] != "required", "A password is enough to sign in."),
    ]
    return [{"kind": kind, "severity": severity, "reason": reason} for kind, severity, is_so, reason in found if is_so]
