"""Medians with their spread, and tables of them."""

import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of values in order."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


@dataclass(frozen=True, slots=True)
class Spread:
    """What several repeats gave."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, digits: int = 0) -> str:
        """Print the median and, where there is more than one repeat, the least and the most."""
        if len(self.values) == 1:
            return f"{self.median:,.{digits}f}"
        return f"**{self.median:,.{digits}f}** ({min(self.values):,.{digits}f}-{max(self.values):,.{digits}f})"


def spread(values: Iterable[float]) -> Spread:
    return Spread(tuple(values))


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


@dataclass
class Report:
    """What one run found: Markdown for people, a tree of numbers for the next run."""

    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        """Begin a part, with the load the machine has at its start."""
        self.lines += ["", f"## {text}", "", f"Load average at the start: {load():.1f}.", ""]

    def say(self, text: str) -> None:
        self.lines += [text, ""]

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        self.lines.append("| " + " | ".join(head) + " |")
        self.lines.append("|" + "---|" * len(head))
        self.lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
        self.lines.append("")

    def target(self, what: str, *, is_met: bool, found: str) -> None:
        """Say whether a target is met; a miss is repeated at the end."""
        self.lines.append(f"- {'met' if is_met else '**MISSED**'}: {what}: {found}")
        self.data.setdefault("targets", []).append({"what": what, "met": is_met, "found": found})
        if not is_met:
            self.missed.append(f"{what}: {found}")

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.data, indent=1, default=lambda spread: spread.values))


def machine() -> dict[str, str]:
    """Describe what the figures were taken on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return {
        "cpu": f"{os.cpu_count()} x {model}",
        "memory": f"{int(memory) / 2**20:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
