"""Going back through a log: whatever the windows are, the newest entries that fit, each once."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.audit import browsing
from crm.audit.browsing import Page, Span, Wanted
from crm.errors import TooLarge
from crm.keeper_client import Keeper

ANN, BOB = "a" * 32, "b" * 32
SMALL = 8
ENTRIES = st.lists(
    st.tuples(st.sampled_from((ANN, BOB)), st.sampled_from(("open", "refused")), st.integers(0, 4)), max_size=200
)


class Told:
    """Lists entries as the keeper does: in order, so many looked at in one call; the weight of an answer is limited."""

    def __init__(self, entries: Sequence[tuple[str, str, int]], heaviest: int) -> None:
        self.rows = [
            {"index": index, "actor": actor, "act": act, "what": "open" if weight % 2 else "put", "weight": weight}
            for index, (actor, act, weight) in enumerate(entries)
        ]
        self._heaviest = heaviest

    async def entries(self, _: str, *, after: int, limit: int, **where: str) -> dict[str, Any]:
        looked = [row for row in self.rows[after + 1 :] if where.get("actor") in {None, row["actor"]}][:SMALL]
        if "actor" not in where:
            looked = self.rows[after + 1 : after + 1 + SMALL]
        fits = [row for row in looked if all(row[name] == value for name, value in where.items())]
        found, last = fits[:limit], len(self.rows) - 1
        if len(found) == limit:
            last = found[-1]["index"]
        elif len(looked) == SMALL:
            last = looked[-1]["index"]
        if len(found) > 1 and sum(row["weight"] for row in found) > self._heaviest:
            raise TooLarge
        return {"entries": found, "next": last if last < len(self.rows) - 1 else None}


def newest(told: Told, span: Span, wanted: Wanted, most: int) -> Page:
    with mock.patch.multiple(browsing, SCAN=SMALL, WIDER=4, CALLS=10_000):
        return asyncio.run(browsing.newest(cast("Keeper", told), "", span, wanted, most))


@given(
    entries=ENTRIES,
    heaviest=st.integers(4, 60),
    stretch=st.tuples(st.integers(0, 200), st.integers(0, 200)),
    most=st.integers(1, 20),
    wanted=st.builds(
        Wanted,
        st.sampled_from(({}, {"actor": ANN}, {"act": "refused"}, {"actor": BOB, "act": "open"})),
        st.sampled_from((None, "open")),
    ),
)
def test_pages_together_are_the_stretch_from_its_end(
    *, entries: list[tuple[str, str, int]], heaviest: int, stretch: tuple[int, int], most: int, wanted: Wanted
) -> None:
    told = Told(entries, heaviest)
    span = Span(*sorted(min(place, len(entries)) for place in stretch))
    expected = [
        row["index"]
        for row in told.rows[span.start : span.end]
        if all(row[name] == value for name, value in wanted.where.items()) and wanted.what in {None, row["what"]}
    ]

    found, end = list[int](), span.end
    while True:
        page = newest(told, Span(span.start, end), wanted, most)
        assert len(page.entries) <= most
        found += [entry["index"] for entry in page.entries]
        if page.next is None:
            break
        assert page.next < end
        end = page.next

    assert found == expected[::-1]


def test_what_is_behind_the_last_call_is_said_not_to_have_been_looked_at() -> None:
    told = Told([(ANN, "open", 0)] * 100, 60)

    with mock.patch.multiple(browsing, SCAN=SMALL, CALLS=3):
        page = asyncio.run(browsing.newest(cast("Keeper", told), "", Span(0, 100), Wanted({"act": "refused"})))

    assert page == Page([], 100 - 3 * SMALL)


@pytest.mark.parametrize("most", [1, 50])
def test_an_empty_stretch_is_an_empty_page(most: int) -> None:
    assert newest(Told([], 1), Span(0, 0), Wanted(), most) == Page([], None)
