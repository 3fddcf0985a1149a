"""Which moments a day has, where somebody is: what is due today, overdue, or due this week."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm.contacts.standards import TIME_ZONES
from crm.db import moment

# Read at import, as the names are: later this process may not reach the files.
ZONES = {name: ZoneInfo(name) for name in TIME_ZONES}
# Before and behind every moment that is taken in.
EVER_FROM, EVER_BEFORE = datetime(1800, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)


class Due(StrEnum):
    """What a list of follow-ups can be asked for; the week is today and the six days behind it."""

    TODAY = "today"
    OVERDUE = "overdue"
    WEEK = "week"


def span(due: Due | None, zone: str, now_ms: int) -> tuple[datetime, datetime]:
    """Return the first moment of what is asked for and the one behind its last, by the calendar of a time zone."""
    if due is None:
        return EVER_FROM, EVER_BEFORE
    today = moment(now_ms).astimezone(ZONES[zone]).date()
    if due is Due.OVERDUE:
        return EVER_FROM, _begin(today, zone)
    days = 7 if due is Due.WEEK else 1
    return _begin(today, zone), _begin(today + timedelta(days=days), zone)


def _begin(day: date, zone: str) -> datetime:
    """Return a day's first moment: where midnight is skipped, the moment the clocks are put forward."""
    return datetime.combine(day, time.min, ZONES[zone]).astimezone(UTC)
