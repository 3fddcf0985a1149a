"""Running the checks, each once however many clauses rest on it, and remembering the report for a while."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crm.db import DOWN
from crm.errors import CrmError
from crm.kit.clock import Clock, rfc3339
from crm.promises.clauses import CLAUSES, Check, Clause
from crm.promises.ground import Ground
from crm.promises.verdict import Finding, Verdict, cannot_tell, worst

CHECK_S = 10.0
# Anybody may ask, so how often the parts are looked at is not for the asker to say.
KEPT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Report:
    """What every check found, and when (RFC 3339)."""

    checked_at: str
    found: Mapping[str, Finding]
    clauses: tuple[Clause, ...] = CLAUSES

    def of(self, clause: Clause) -> Verdict:
        """Return the verdict of one clause."""
        return worst(self.found[check.name].verdict for check in clause.checks)

    @property
    def is_broken(self) -> bool:
        """Say whether any clause is broken."""
        return any(self.of(clause) is Verdict.BROKEN for clause in self.clauses)


async def run(ground: Ground, clauses: tuple[Clause, ...] = CLAUSES) -> Report:
    """Run every check at once; one that fails to look cannot tell."""
    checks = {check.name: check for clause in clauses for check in clause.checks}
    found = await asyncio.gather(*(_find(check, ground) for check in checks.values()))
    return Report(rfc3339(ground.clock.wall_ms()), dict(zip(checks, found, strict=True)), clauses)


async def _find(check: Check, ground: Ground) -> Finding:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check.find(ground)
    except CrmError as error:
        return cannot_tell(error.reason)
    except DOWN:
        return cannot_tell("the database does not answer")


class Board:
    """The report of one process, at most ``KEPT_MS`` old; who asks meanwhile waits for the look that is under way."""

    def __init__(self, ground: Callable[[], Ground], clock: Clock) -> None:
        self._ground = ground
        self._clock = clock
        self._until_ms = 0
        self._report: Report | None = None
        self._looking = asyncio.Lock()

    async def report(self) -> Report:
        """Return the report, made anew when it is old."""
        async with self._looking:
            if self._report is None or self._clock.steady_ms() >= self._until_ms:
                self._report = await run(self._ground())
                self._until_ms = self._clock.steady_ms() + KEPT_MS
            return self._report


def to_json(report: Report) -> dict[str, Any]:
    """Print a report."""
    return {
        "checked_at": report.checked_at,
        "verdict": worst(map(report.of, report.clauses)),
        "clauses": [
            {
                "id": clause.id,
                "text": clause.text,
                "control": clause.control,
                "verdict": report.of(clause),
                "checks": list(map(_printed, clause.checks, _findings(report, clause))),
            }
            for clause in report.clauses
        ],
    }


def _findings(report: Report, clause: Clause) -> Iterable[Finding]:
    return [report.found[check.name] for check in clause.checks]


def _printed(check: Check, finding: Finding) -> dict[str, str]:
    return {
        "name": check.name, "control": check.control, "verdict": finding.verdict, "evidence": finding.evidence
    }  # fmt: skip


def from_json(told: Mapping[str, Any], clauses: tuple[Clause, ...] = CLAUSES) -> Report:
    """Read what another installation prints, against the clauses as they stand here: what it leaves out is not kept.

    Raises:
        ValueError: `to_json` prints nothing like it.
    """
    try:
        said = {
            str(check["name"]): Finding(Verdict(check["verdict"]), _printable(str(check["evidence"])))
            for clause in told["clauses"]
            for check in clause["checks"]
        }
        checked_at = _printable(str(told["checked_at"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a report") from error
    names = [check.name for clause in clauses for check in clause.checks]
    return Report(checked_at, {name: said.get(name) or cannot_tell("it does not say") for name in names}, clauses)


def _printable(text: str) -> str:
    """Leave out what would move a terminal's cursor."""
    return "".join(filter(str.isprintable, text))
