"""Budgets, as a fold over the log.

What counts is read from entries, live and at start alike, so no counter can be reset without changing the
log. Windows roll by the steady clock: setting the wall clock forward refills nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from crm.keeper import policy
from crm.kit.window import Window

TALLIED = frozenset({"import", "records", "acts"})
ASKING = frozenset({"match", "search", "subject"})  # finding nobody is an answer too, and counts as one
SHOWN = ("people", "labels", "intake")


class Budgets:
    """The fold: for each budget and person, what was counted within its window."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.limits = {name: int(limits.get(name, value)) for name, (value, _) in policy.BUDGETS.items()}
        self._windows: defaultdict[tuple[str, str], Window] = defaultdict(Window)
        self._lifts: dict[str, int] = {}

    def fold(self, entry: Mapping[str, Any], now: int) -> None:
        """Count one entry as of ``now``, in milliseconds of the steady clock like every ``now`` here."""
        act, actor, subjects = entry["act"], entry.get("actor", ""), entry.get("subjects", ())
        if act == "decide" and (entry["what"], entry["outcome"]) == ("lift", "approve"):
            self._lifts[entry["about"]] = now + policy.HOUR_MS
        rule = policy.RULES.get((act, entry.get("purpose", "")), policy.NOTHING)
        if not rule.budget or entry["outcome"] != "ok":
            return
        window = self._window(rule.budget, actor, now)
        if rule.budget in TALLIED:
            window.tally(max(1, len(entry.get("records", subjects))), now)
            return
        # Whoever was merged into one of them stands at the end: a set counts as one.
        heads = subjects[: len(subjects) - entry.get("merged", 0)]
        window.keys |= dict.fromkeys(self._fresh(rule.budget, actor, heads, now), now)
        if act in ASKING and not subjects:
            window.tally(1, now)
        if rule.budget == "people":
            self._window("installation", "", now).tally(1, now)

    def over(self, budget: str, actor: str, subjects: Sequence[str], now: int) -> tuple[str, int] | None:
        """Return which budget would be overdrawn, and the seconds until a part of it is free; None when none is."""
        wanted = max(1, len(subjects)) if budget in TALLIED else len(self._fresh(budget, actor, subjects, now))
        for name, who, more in (("installation", "", 1 if budget == "people" else 0), (budget, actor, wanted)):
            window = self._window(name, who, now)
            if more and window.used + more > self._limit(name, who, now):
                wait = (window.oldest() if window.used else now) + policy.BUDGETS[name][1] - now
                return name, max(1, wait // 1000)
        return None

    def left(self, actor: str, now: int) -> dict[str, dict[str, int]]:
        """Say what is used and allowed of each budget that people see."""
        return {
            budget: {"used": self._window(budget, actor, now).used, "limit": self._limit(budget, actor, now)}
            for budget in SHOWN
        }

    def _fresh(self, budget: str, actor: str, subjects: Sequence[str], now: int) -> list[str]:
        """Return who does not count yet; whom the actor opened within the window is no label any more."""
        known = self._window(budget, actor, now).keys
        opened = self._window("people", actor, now).keys if budget == "labels" else known
        return [one for one in dict.fromkeys(subjects) if one not in known and one not in opened]

    def _window(self, budget: str, actor: str, now: int) -> Window:
        window = self._windows[budget, actor]
        window.forget(now - policy.BUDGETS[budget][1])
        return window

    def _limit(self, budget: str, actor: str, now: int) -> int:
        return self.limits[budget] * (policy.LIFT if self._lifts.get(actor, 0) > now else 1)
