import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kit.clock import Clock, parse_rfc3339, rfc3339
from crm.kit.ids import is_id, new_id

LAST_MS = 253_402_300_799_999


def test_ids_differ_and_are_ids() -> None:
    ids = {new_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(map(is_id, ids))


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "A" * 32, "g" * 32, "0" * 32 + "\n", "٠" * 32])
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text)


def test_times_look_like_this() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_795_462_917_123) == "2026-11-23T19:41:57.123Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999Z"


@given(st.integers(-62_135_596_800_000, LAST_MS))
def test_times_come_back(ms: int) -> None:
    assert len(rfc3339(ms)) == 24
    assert parse_rfc3339(rfc3339(ms)) == ms


@given(st.integers(-62_135_596_800_000, LAST_MS), st.integers(-62_135_596_800_000, LAST_MS))
def test_texts_sort_as_times_do(a: int, b: int) -> None:
    assert (rfc3339(a) <= rfc3339(b)) == (a <= b)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T19:41:57.123",
        "2026-11-23T19:41:57Z",
        "2026-11-23T19:41:57.123456Z",
        "2026-11-23T19:41:57.123+00:00",
        "2026-11-23T20:41:57.123+01:00",
        "2026-11-23 19:41:57.123Z",
        "2026-11-23t19:41:57.123z",
        "2026-02-30T19:41:57.123Z",
        "0001-01-01T00:00:00.000+23:00",
        "20261123T194157.123Z",
    ],
)
def test_another_spelling_of_a_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        parse_rfc3339(text)


def test_the_wall_clock_is_that_of_the_machine() -> None:
    before = datetime.fromtimestamp(time.time() - 1, UTC)
    now = datetime.fromisoformat(rfc3339(Clock().wall_ms()))
    after = datetime.fromtimestamp(time.time() + 1, UTC)

    assert before <= now <= after


def test_the_steady_clock_does_not_go_back() -> None:
    clock = Clock()
    readings = [clock.steady_ms() for _ in range(1000)]

    assert readings == sorted(readings)
