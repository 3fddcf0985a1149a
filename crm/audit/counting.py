"""What a stretch of the log comes to: counts by act, hour and day, refusals, how much of a budget somebody used."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm.audit.browsing import Entry, Span, Wanted, windows
from crm.keeper_client import Keeper

LABELLING = frozenset({"labels", "match", "search"})
SHOWING = LABELLING | {"open", "subject"}
OWN = frozenset({"house", "agenda"})  # purposes that open what is no customer's page
# Whose act counts against which budget, by subject; the rest counts acts.
BUDGETS: Mapping[str, str] = {"open": "people", **dict.fromkeys(LABELLING, "labels"), "put": "intake"}


@dataclass(slots=True)
class Tally:
    """Counts of entries; hours and days are ``zone``'s. ``start`` is the index down to which it was counted."""

    zone: ZoneInfo
    start: int
    entries: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    hours: Counter[datetime] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    openers: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused_days: Counter[date] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _used: defaultdict[str, defaultdict[tuple[str, date], set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    def take(self, entry: Entry) -> None:
        """Count one entry."""
        at = datetime.fromisoformat(entry["at"]).astimezone(self.zone)
        self.entries += 1
        self.acts[entry["act"]] += 1
        if entry["act"] == "refused":
            times = int(entry.get("count", 1))
            self.refusals[entry["what"], entry["outcome"]] += times
            self.refused_days[at.date()] += times
            self.refused[entry.get("actor") or entry.get("about") or ""] += times
        elif is_look(entry):
            self._open(entry, at)
        budget = BUDGETS.get(entry["act"])
        if budget and entry.get("purpose") not in OWN and "actor" in entry:
            self._used[budget][entry["actor"], at.date()] |= set(entry.get("subjects", ()))

    def _open(self, entry: Entry, at: datetime) -> None:
        self.hours[at.replace(minute=0, second=0, microsecond=0)] += 1
        self.days[at.date()] += 1
        self.openers.add(entry["actor"])
        self.opened |= set(heads_of(entry))
        self.reasons[entry.get("reason", "")] += 1

    def used(self) -> dict[str, int]:
        """Return the most of each budget that one person used on one day."""
        return {budget: max(map(len, days.values())) for budget, days in sorted(self._used.items())}


def is_look(entry: Entry) -> bool:
    """Say whether an entry opened somebody's page."""
    return entry["act"] == "open" and entry["outcome"] == "ok" and entry.get("purpose") not in OWN


def heads_of(entry: Entry) -> list[str]:
    """Return whom an entry is about; whoever was merged into one of them stands behind and does not count."""
    subjects: list[str] = entry.get("subjects", [])
    return subjects[: len(subjects) - entry.get("merged", 0)]


async def count(keeper: Keeper, token: str, span: Span, wanted: Wanted, zone: ZoneInfo) -> Tally:
    """Count a stretch, from its end on backwards."""
    tally = Tally(zone, span.end)
    async for start, entries in windows(keeper, token, span, wanted):
        tally.start = start
        for entry in entries:
            tally.take(entry)
    return tally


def limits_of(status: Mapping[str, Any]) -> dict[str, int]:
    """Return what one person may use of each budget within a day, as the keeper was initialised."""
    limits: dict[str, int] = status["limits"]
    return limits
