"""Which moments a day has, where somebody is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.db import milliseconds
from crm.interactions.days import EVER_BEFORE, EVER_FROM, ZONES, Due, span

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone is put behind
    lambda at: at.replace(tzinfo=UTC, microsecond=0)
)
SOME_ZONES = st.sampled_from(sorted(ZONES))


@given(MOMENTS, SOME_ZONES)
def test_today_holds_now_and_all_moments_of_its_date(now: datetime, zone: str) -> None:
    begin, end = span(Due.TODAY, zone, milliseconds(now))
    there = ZoneInfo(zone)

    assert begin <= now < end
    assert timedelta(hours=1) < end - begin < timedelta(hours=49)
    assert begin.astimezone(there).date() == now.astimezone(there).date()
    assert (begin - timedelta(seconds=1)).astimezone(there).date() < now.astimezone(there).date()
    assert end.astimezone(there).date() > now.astimezone(there).date()


@given(MOMENTS, SOME_ZONES)
def test_overdue_ends_where_today_begins_and_a_week_begins_there(now: datetime, zone: str) -> None:
    overdue, today, week = (span(due, zone, milliseconds(now)) for due in (Due.OVERDUE, Due.TODAY, Due.WEEK))

    assert overdue == (EVER_FROM, today[0])
    assert week[0] == today[0]
    assert timedelta(days=6) - timedelta(hours=25) < week[1] - today[1] < timedelta(days=6) + timedelta(hours=25)


@pytest.mark.parametrize(
    ("zone", "now", "begin", "end"),
    [
        ("UTC", "2026-11-24T12:00Z", "2026-11-24T00:00Z", "2026-11-25T00:00Z"),
        ("Europe/Berlin", "2026-11-24T23:30Z", "2026-11-24T23:00Z", "2026-11-25T23:00Z"),
        ("Pacific/Auckland", "2026-11-24T12:00Z", "2026-11-24T11:00Z", "2026-11-25T11:00Z"),
        ("Asia/Kathmandu", "2026-11-24T12:00Z", "2026-11-23T18:15Z", "2026-11-24T18:15Z"),
        # A day of 23 hours, and one of 25.
        ("Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        # Midnight itself is skipped: the day begins at one o'clock.
        ("America/Sao_Paulo", "2018-11-04T12:00Z", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
    ],
)
def test_days_of_every_length(zone: str, now: str, begin: str, end: str) -> None:
    at = milliseconds(datetime.fromisoformat(now))

    assert span(Due.TODAY, zone, at) == (datetime.fromisoformat(begin), datetime.fromisoformat(end))


def test_without_a_day_it_is_ever() -> None:
    assert span(None, "UTC", 0) == (EVER_FROM, EVER_BEFORE)
