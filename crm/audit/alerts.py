"""Alerts: what of the log an auditor should look at, as a fold over its entries.

The same log gives the same alerts, however it is cut into pages, and more entries never take one back: an
alert is named by its kind and the first entry it rests on, and only grows. Nothing here knows a name, and
what is carried from page to page holds no id of a person the records are about.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from crm.kit import canonical
from crm.kit.clock import parse_rfc3339
from crm.kit.ids import is_id

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

NOTICE, WARNING, CRITICAL = "notice", "warning", "critical"
SEVERITY: Mapping[str, str] = {
    "account_made": NOTICE,
    "night_or_weekend": NOTICE,
    "account_reset": WARNING,
    "backup_old": WARNING,
    "budget_exhausted": WARNING,
    "budget_lifted": WARNING,
    "canary_shown": WARNING,
    "failed_sign_ins": WARNING,
    "keeper_changed": WARNING,
    "keeper_ended": WARNING,
    "many_people": WARNING,
    "refusals": WARNING,
    "roles_changed": WARNING,
    "unusual_hours": WARNING,
    "canary_opened": CRITICAL,
    "clock_jumped": CRITICAL,
    "connection_refused": CRITICAL,
    "restored_with_loss": CRITICAL,
}
# Kinds whose evidence shows people, and those of them of which only the canaries matter.
CANARIES = frozenset({"canary_opened", "canary_shown"})
ABOUT_PEOPLE = CANARIES | {"many_people", "night_or_weekend", "unusual_hours"}
NOTES = frozenset({"acknowledged", "false_alarm", "followed_up", "escalated"})

FEW, FEW_WITHIN_MS = 5, 10 * MINUTE_MS  # refusals, and attempts to sign in
MANY, MANY_WITHIN_MS = 10, MINUTE_MS  # people opened
BACKUP_MS = 8 * DAY_MS
CLOCK_SLACK_MS = 120_000
HISTORY_DAYS, LEAST_DAYS = 14, 3  # how far back hours of work are known, and how many days of them say anything
MORNING, EVENING, SATURDAY = 6, 20, 5
QUIET_MS = DAY_MS  # after which the same person and the same canary are an alert again
EVIDENCE = 20  # indexes that are named; the count goes on

# How long after its last entry an alert of a kind still grows; later, or once it is somebody's, the next one begins.
GAP_MS: Mapping[str, int] = {
    "budget_exhausted": HOUR_MS,
    "connection_refused": HOUR_MS,
    "failed_sign_ins": FEW_WITHIN_MS,
    "many_people": MANY_WITHIN_MS,
    "night_or_weekend": 4 * HOUR_MS,
    "refusals": FEW_WITHIN_MS,
    "unusual_hours": 4 * HOUR_MS,
}
SIGNING_IN = frozenset({"sign_in", "prove", "accept"})
LABELLING = frozenset({"labels", "match", "search"})
DECIDED = {
    "person": "account_made", "roles": "roles_changed", "reset": "account_reset", "recover": "account_reset",
    "lift": "budget_lifted",
}  # fmt: skip
# What a restart changes only by a release, or by two people's hand.
BUILT_OF = ("build", "limits", "origins", "policy", "rp_id", "second_factor")

Entry = Mapping[str, Any]
Digest = Callable[[str], str]


@dataclass(slots=True)
class Alert:
    """One alert; times are milliseconds since 1970, ``evidence`` the first indexes it rests on, in order."""

    kind: str
    first: int
    last: int
    at: int
    last_at: int
    actor: str | None
    about: str | None
    count: int
    evidence: list[int]

    def id_in(self, origin: str) -> str:
        """Return its name in the log of this origin."""
        return hashlib.sha256(f"{origin}\n{self.kind}\n{self.first}".encode()).hexdigest()[:32]


class Acknowledged(NamedTuple):
    """An auditor's word on an alert, as the log has it."""

    alert: str
    by: str
    note_code: str
    at: int
    log_index: int


@dataclass(slots=True)
class State:
    """What is carried from one page to the next, as JSON: plain values only."""

    last: tuple[str, int, int] | None = None  # act, wall and steady time of the entry before
    built: str | None = None
    backup: tuple[int, int, bool] | None = None  # index and time of the newest, and whether its age was told
    makers: list[str] = field(default_factory=list)
    hours: dict[str, dict[str, int]] = field(default_factory=dict)  # by person and day, a bit for each hour
    windows: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)  # time, index, weight
    opened: dict[str, list[tuple[int, int, list[str]]]] = field(default_factory=dict)  # time, index, digests
    touched: dict[str, int] = field(default_factory=dict)  # by kind, person and digest, when last
    running: dict[str, dict[str, Any]] = field(default_factory=dict)


def acknowledgement(entry: Entry) -> Acknowledged | None:
    """Read an entry as an auditor's word on an alert, if it is one."""
    note = entry.get("detail", {}).get("state")
    is_one = (entry["act"], entry.get("what"), entry["outcome"]) == ("record", "alert", "ok")
    if not is_one or note not in NOTES or "auditor" not in entry["role"].split("+") or not entry["subjects"]:
        return None
    return Acknowledged(entry["subjects"][0], entry["actor"], note, parse_rfc3339(entry["at"]), entry["index"])


def is_canary(entry: Entry) -> bool:
    """Say whether an entry made a canary."""
    return (entry["act"], entry.get("purpose"), entry["outcome"]) == ("put", "canary", "ok")


class Fold:
    """Takes entries in order, each once; ``raised`` and ``acknowledged`` are what they changed.

    ``origin`` is the log's, ``digest`` stands for a person in what is carried on, and ``canaries`` are those
    made before the first entry.
    """

    def __init__(
        self, origin: str, zone: ZoneInfo, digest: Digest, canaries: Collection[str], *, state: State | None = None
    ) -> None:
        self.state = state or State()
        self._origin = origin
        self.raised: list[Alert] = []
        self.acknowledged: list[Acknowledged] = []
        self._zone = zone
        self._digest = digest
        self._canaries = set(canaries)
        self._running = {key: Alert(**run) for key, run in self.state.running.items()}
        self._changed: dict[int, Alert] = {}
        self._now = 0
        self._rules: dict[str, Callable[[Entry], None]] = {
            "backup": self._backed_up,
            "decide": self._decided,
            "invite": self._made,
            "open": self._opened,
            "people_add": self._made,
            "put": self._stored,
            "record": self._recorded,
            "refused": self._refused,
            "restored_with_loss": self._restored,
            "rotate": self._backed_up,
            "start": self._started,
            **dict.fromkeys(LABELLING, self._labelled),
        }

    def take(self, entry: Entry) -> None:
        """Take the next entry."""
        self._now = parse_rfc3339(entry["at"])
        self._time(entry)
        if rule := self._rules.get(entry["act"]):
            rule(entry)
        if entry["act"] != "refused" and (actor := entry.get("actor")):
            self._work(actor)
        self.state.last = (entry["act"], self._now, entry["steady"])

    def carry(self) -> State:
        """Return what the next page needs, without what is too old to matter to any later entry."""
        state, now = self.state, self._now
        oldest = self._local(now).toordinal() - HISTORY_DAYS
        state.running = {
            key: {name: getattr(run, name) for name in Alert.__slots__}
            for key, run in self._running.items()
            if now - run.last_at <= GAP_MS[run.kind]
        }
        state.windows = {
            key: kept for key, seen in state.windows.items() if (kept := _since(seen, now - FEW_WITHIN_MS))
        }
        state.touched = {key: at for key, at in state.touched.items() if now - at <= QUIET_MS}
        state.opened = {key: kept for key, seen in state.opened.items() if (kept := _since(seen, now - MANY_WITHIN_MS))}
        state.hours = {
            actor: recent
            for actor, days in state.hours.items()
            if (recent := {day: mask for day, mask in days.items() if int(day) >= oldest})
        }
        return state

    # Raising

    def _raise(self, alert: Alert) -> Alert:
        if id(alert) not in self._changed:
            self._changed[id(alert)] = alert
            self.raised.append(alert)
        return alert

    def _once(self, kind: str, entry: Entry, *before: int, actor: str | None = None, about: str | None = None) -> None:
        """Raise an alert that rests on this entry (and some before it) and does not grow."""
        evidence = [*before, entry["index"]]
        self._raise(Alert(kind, evidence[0], evidence[-1], self._now, self._now, actor, about, 1, evidence))

    def _run(self, kind: str, entry: Entry, who: str | None, weight: int = 1) -> bool:
        """Let the alert of this kind and person that is still growing grow; False where there is none."""
        run = self._running.get(f"{kind}:{who or ''}")
        if run is None or self._now - run.last_at > GAP_MS[kind]:
            return False
        run.last, run.last_at, run.count = entry["index"], self._now, run.count + weight
        if len(run.evidence) < EVIDENCE:
            run.evidence.append(entry["index"])
        self._raise(run)
        return True

    def _begin(self, kind: str, entry: Entry, who: str | None, seen: list[tuple[int, int]], count: int) -> None:
        """Begin an alert that grows, on entries seen before and this one, their times and indexes in order."""
        at, first = seen[0]
        evidence = [index for _, index in seen[:EVIDENCE]]
        alert = Alert(kind, first, entry["index"], at, self._now, who, None, count, evidence)
        self._running[f"{kind}:{who or ''}"] = self._raise(alert)

    def _grow(self, kind: str, entry: Entry, who: str | None, weight: int = 1) -> None:
        """Let an alert grow that one entry is enough for."""
        if not self._run(kind, entry, who, weight):
            self._begin(kind, entry, who, [(self._now, entry["index"])], weight)

    # What is refused

    def _refused(self, entry: Entry) -> None:
        # The first of a kind is logged at once, the rest of its minute by number and actor alone.
        who, what, why = entry.get("about") or entry.get("actor"), entry["what"], entry["outcome"]
        who, weight = who if who and is_id(who) else None, int(entry.get("count", 1))
        if what == "connect":
            self._grow("connection_refused", entry, None, weight)
        elif what in SIGNING_IN:
            if why != "second-factor-required":  # the right password, on the way to a code
                self._few("failed_sign_ins", entry, who, max(weight, FEW) if why == "over-budget" else weight)
        elif why == "over-budget":
            self._grow("budget_exhausted", entry, who, weight)
        else:
            self._few("refusals", entry, who, weight)

    def _few(self, kind: str, entry: Entry, who: str | None, weight: int) -> None:
        """Raise when there were a few within their time."""
        key = f"{kind}:{who or ''}"
        seen = [
            *_since(self.state.windows.get(key, []), self._now - FEW_WITHIN_MS),
            (self._now, entry["index"], weight),
        ]
        self.state.windows[key] = seen
        total = sum(weight for *_, weight in seen)
        if not self._run(kind, entry, who, weight) and total >= FEW:
            self._begin(kind, entry, who, [(at, index) for at, index, _ in seen], total)

    # Who is looked at

    def _opened(self, entry: Entry) -> None:
        if entry["outcome"] != "ok" or entry.get("purpose") == "house":
            return
        actor, subjects = entry["actor"], entry["subjects"]
        self._touch("canary_opened", entry)
        self._hours(entry, actor)
        # Whoever was merged into one of them stands at the end: a set is one person.
        heads = subjects[: len(subjects) - entry.get("merged", 0)]
        before = _since(self.state.opened.get(actor, []), self._now - MANY_WITHIN_MS)
        seen = [*before, (self._now, entry["index"], [self._digest(one) for one in heads])]
        self.state.opened[actor] = seen
        many = len({one for *_, some in seen for one in some})
        if not self._run("many_people", entry, actor) and many >= MANY:
            self._begin("many_people", entry, actor, [(at, index) for at, index, _ in seen], len(seen))

    def _labelled(self, entry: Entry) -> None:
        if entry["outcome"] == "ok":
            self._touch("canary_shown", entry)

    def _touch(self, kind: str, entry: Entry) -> None:
        """Raise for each canary that is new to somebody; never let one hide behind another."""
        touched, actor = self.state.touched, entry["actor"]
        keys = [f"{kind}:{actor}:{self._digest(one)}" for one in entry["subjects"] if one in self._canaries]
        if any(self._now - touched.get(key, -QUIET_MS) > QUIET_MS for key in keys):
            self._once(kind, entry, actor=actor)
        touched |= dict.fromkeys(keys, self._now)

    def _stored(self, entry: Entry) -> None:
        if is_canary(entry):
            self._canaries.update(entry["subjects"])
            if entry["actor"] not in self.state.makers:
                self.state.makers.append(entry["actor"])

    # When

    def _local(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._zone)

    def _work(self, actor: str) -> None:
        at = self._local(self._now)
        days, day = self.state.hours.setdefault(actor, {}), str(at.toordinal())
        days[day] = days.get(day, 0) | 1 << at.hour

    def _hours(self, entry: Entry, actor: str) -> None:
        """Compare with the hours of the days before; an hour beside one that was worked is one of them."""
        at = self._local(self._now)
        today = at.toordinal()
        days = self.state.hours.get(actor, {})
        known = [mask for day, mask in days.items() if today - HISTORY_DAYS <= int(day) < today]
        usual = {hour % 24 for mask in known for hour in _about_hours(mask)}
        if len(known) >= LEAST_DAYS and at.hour not in usual:
            self._grow("unusual_hours", entry, actor)
        if at.weekday() >= SATURDAY or not MORNING <= at.hour < EVENING:
            self._grow("night_or_weekend", entry, actor)

    # Accounts, and the keeper itself

    def _decided(self, entry: Entry) -> None:
        if entry["outcome"] == "approve":
            self._once(DECIDED[entry["what"]], entry, actor=entry["actor"], about=entry["about"])

    def _made(self, entry: Entry) -> None:
        if "decision" not in entry:  # whoever waits for a second person is made by that one's decision
            self._once("account_made", entry, actor=entry.get("actor"), about=entry["about"])

    def _recorded(self, entry: Entry) -> None:
        word = acknowledgement(entry)
        if word is None:
            return
        self.acknowledged.append(word)
        # What follows is news to whoever had a look: it must not grow what is done with.
        for key, run in list(self._running.items()):
            if run.id_in(self._origin) == word.alert:
                del self._running[key]
                self.state.windows.pop(key, None)
                if run.kind == "many_people":
                    self.state.opened.pop(run.actor or "", None)

    def _started(self, entry: Entry) -> None:
        before = self.state.last
        if before is not None and before[0] not in {"stop", "restored_with_loss"}:
            self._once("keeper_ended", entry)
        built = hashlib.sha256(canonical.encode([entry.get(name) for name in BUILT_OF])).hexdigest()
        if self.state.built not in {None, built}:
            self._once("keeper_changed", entry)
        self.state.built = built

    def _backed_up(self, entry: Entry) -> None:
        self.state.backup = (entry["index"], self._now, False)

    def _restored(self, entry: Entry) -> None:
        self._once("restored_with_loss", entry)

    def _time(self, entry: Entry) -> None:
        """Look at how much time passed, by both clocks, since the entry before, and since the last backup."""
        if self.state.last is not None:
            _, wall, steady = self.state.last
            passed = entry["steady"] - steady
            # A steady clock that is behind was begun anew: the machine was.
            if passed >= 0 and abs(self._now - wall - passed) > CLOCK_SLACK_MS:
                self._once("clock_jumped", entry)
        index, at, is_told = self.state.backup or (entry["index"], self._now, False)
        if not is_told and self._now - at > BACKUP_MS:
            self._once("backup_old", entry, index)
            is_told = True
        self.state.backup = (index, at, is_told)


def _since(seen: list[Any], oldest: int) -> list[Any]:
    """Keep what is not older; each begins with its time."""
    return [one for one in seen if one[0] >= oldest]


def _about_hours(mask: int) -> list[int]:
    """List the hours of a day's bits, and those beside them."""
    return [hour + beside for hour in range(24) if mask >> hour & 1 for beside in (-1, 0, 1)]
