"""Clocks that are ahead."""

from datetime import datetime

from crm.db import moment
from crm.kit.clock import Clock

DAY_MS = 24 * 3_600_000


def in_days(days: float) -> datetime:
    """The moment so many days from now."""
    return moment(Clock().wall_ms() + int(days * DAY_MS))


class Later(Clock):
    """This machine's clock, so many days ahead."""

    def __init__(self, *, days: float) -> None:
        self._ahead_ms = int(days * DAY_MS)

    def wall_ms(self) -> int:
        return super().wall_ms() + self._ahead_ms
