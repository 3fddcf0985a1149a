"""The only place that asks what time it is; everything else is handed a `Clock`."""

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# CLOCK_BOOTTIME goes on while the machine sleeps: a suspended laptop does not look like a clock put forward.
_STEADY: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """The clocks of this machine, in milliseconds: the wall's, and one that nobody can set."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 in UTC; may jump either way."""
        return time.time_ns() // 1_000_000

    def steady_ms(self) -> int:
        """Milliseconds since boot; never goes back."""
        return time.clock_gettime_ns(_STEADY) // 1_000_000


def rfc3339(ms: int) -> str:
    """Print milliseconds since 1970 as `2026-11-23T19:41:57.123Z`, always 24 characters."""
    return (_EPOCH + _MS * ms).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_rfc3339(text: str) -> int:
    """Read what `rfc3339` prints; `ValueError` for what it would not print so."""
    try:
        ms = (datetime.fromisoformat(text) - _EPOCH) // _MS
        if rfc3339(ms) == text:
            return ms
    except (TypeError, ValueError, OverflowError):  # no zone; no date; outside the years 1 to 9999
        pass
    raise ValueError("not a time in UTC with milliseconds")
