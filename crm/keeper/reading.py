"""The verbs that read the log: for everybody the checkpoint and hash tiles, for auditors the entries.

What they return is durable: the tree of the newest checkpoint, which a group that is still open does not
move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm.keeper.engine import Call, Effect, Engine, Invalid, Refused
from crm.keeper.finding import Finding
from crm.keeper.people import People
from crm.kit import clock, ids
from crm.kit.log import ABOUT, ACTED, SHOWN

SCAN = 1000
LOOKS = 500
MADE, MOVED = {"put", "seal"}, {"merge", "unmerge", "erase", "cancel_erase", "erased"}
TOLD = ("act", "subjects", "writes", "records")  # of these: not by whom and what for, which would give a canary away


@dataclass
class Reading:
    """The reading part of the keeper; ``facts`` is what a status says of the home."""

    engine: Engine
    people: People
    finding: Finding
    facts: dict[str, Any]

    @property
    def _size(self) -> int:
        return self.engine.store.head.size

    def checkpoint(self, _: Call) -> Effect:
        """Return the newest checkpoint."""
        return _there(self.engine.log.checkpoint() or None)

    def tile(self, call: Call) -> Effect:
        """Return a hash tile."""
        level, n, width = (int(call.args[name]) for name in ("level", "n", "width"))
        return _there(self.engine.log.tile(level, n, width, self._size))

    def entries(self, call: Call) -> Effect:
        """Return entries in order, each as its bytes: of a span of time, about or by somebody, at most ``SCAN``."""
        log, where, limit = self.engine.log, call.args.get("where") or {}, _limit(call)
        after, end = call.args.get("after"), self._size
        start = 0 if after is None else max(0, int(after) + 1)
        if moment := where.get("from"):
            start = max(start, log.index_at(clock.parse_rfc3339(moment)))
        if moment := where.get("to"):
            end = min(end, log.index_at(clock.parse_rfc3339(moment)))
        found: Sequence[int] = range(start, min(start + limit, end))
        if subject := where.get("subject"):
            found = log.mentions(subject, ABOUT | SHOWN, start, end, limit)
        elif actor := where.get("actor"):
            found = log.mentions(actor, ACTED, start, end, limit)
        is_all = len(found) < limit or found[-1] == end - 1
        rows = [(index, log.body(index)) for index in found]
        return Effect(answer={"entries": rows, "next": None if is_all else found[-1]})

    def looks(self, call: Call) -> Effect:
        """List who opened or was shown one subject or its merged set, newest first."""
        subjects = self.finding.subjects
        subject = subjects.canonical(call.args["subject"])
        if not subjects.find(subject):
            raise Refused("not-found")
        log, staff = self.engine.log, self.people.staff
        named = {i for one in subjects.members(subject) for i in log.mentions(one, SHOWN, 0, self._size, -LOOKS)}
        rows = [log.entry(index) | {"index": index} for index in sorted(named, reverse=True)[:LOOKS]]
        return Effect(answer=[row | {"name": staff[row["actor"]].name} for row in rows])

    def my_log(self, call: Call) -> Effect:
        """Return the caller's own entries, newest first."""
        log, before, limit = self.engine.log, call.args.get("after"), _limit(call)
        found = log.mentions(call.staff, ACTED, 0, self._size if before is None else int(before), -limit)
        next_ = found[-1] if len(found) == limit else None
        return Effect(answer={"entries": [(index, log.body(index)) for index in found], "next": next_})

    def made(self, call: Call) -> Effect:
        """List what was stored, sealed, merged or erased behind an index, in ids; ``now`` is how the latter stand."""
        start = max(-1, int(call.args["after"])) + 1
        end = min(start + SCAN, self._size)
        found = ((index, self.engine.log.entry(index)) for index in range(start, end))
        some = ((i, e) for i, e in found if e["act"] in MADE | MOVED and e.get("purpose") != "house")
        rows = [{"index": i, **{key: e[key] for key in TOLD if key in e}} for i, e in some if e["outcome"] == "ok"]
        now = {one: self.finding.subjects.standing(one) for r in rows if r["act"] in MOVED for one in r["subjects"]}
        return Effect(answer={"entries": rows, "now": now, "next": end - 1 if end < self._size else None})

    def orphan(self, call: Call) -> Effect:
        """Mark what never reached PostgreSQL; the log over-reports, and says so."""
        subjects, records = call.args["subjects"], call.args["records"]
        if not all(map(ids.is_id, [*subjects, *records])):
            raise Invalid("Ids are 32 hex digits.", "/subjects")
        self.engine.spend(call, subjects)
        return Effect([{"subjects": subjects, "records": records}])

    def status(self, _: Call) -> Effect:
        """Say how the keeper is; nothing secret."""
        closed = self.engine.closed
        state = {"state": "sealed" if closed else "open", "reason": closed, "size": self._size}
        return Effect(answer=state | {"search": "ready" if self.finding.is_ready else "building"} | self.facts)


def _there(body: object) -> Effect:
    if body is None:
        raise Refused("not-found")
    return Effect(answer=body)


def _limit(call: Call) -> int:
    return max(1, min(int(call.args.get("limit") or 100), SCAN))
