"""Run the shipped keeper with a clock that a file moves.

    python -m tests.keeper.clocked CLOCK_FILE run --home HOME [--journal FOLDER]

The clock is a parameter of ``crm.keeper.__main__.run``; nothing in the product takes it from anywhere, so the
entry point is a test's own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from crm.keeper.__main__ import run
from crm.keeper.home import Home
from crm.kit.clock import Clock


class MovedClock(Clock):
    """This machine's clocks, moved by the milliseconds a file names (wall, steady)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _moved(self) -> list[int]:
        return [int(part) for part in self._path.read_text().split()]

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""
        return super().wall_ms() + self._moved()[0]

    def steady_ms(self) -> int:
        """Milliseconds since boot."""
        return super().steady_ms() + self._moved()[1]


def main(argv: Sequence[str]) -> int:
    """Run with ``CLOCK run --home HOME [--journal FOLDER]``."""
    clock, _, _, home, *journal = argv
    return run(Home(Path(home), Path(journal[1]) if journal else None), None, clock=MovedClock(Path(clock)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
