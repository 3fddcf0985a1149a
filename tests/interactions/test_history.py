"""Whatever is done to interactions in whatever order, each stands in one place with all that was said."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.interactions.calls import attach, log, move, renew, versions
from tests.product import Product

PEOPLE = 3
WHICH = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.integers(0, PEOPLE - 1), WHICH),
        st.tuples(st.just("renew"), st.just(0), WHICH),
        st.tuples(st.just("attach"), st.just(0), WHICH),
        st.tuples(st.just("move"), st.integers(0, PEOPLE - 1), WHICH),
    ),
    min_size=4,
    max_size=14,
)


@dataclass
class Said:
    """What an interaction should be by now."""

    id: str
    place: int
    texts: list[str]
    files: list[str] = field(default_factory=list)


async def new(product: Product, contact: str, place: int) -> Said:
    """Say something for the first time."""
    made = await log(product, contact, summary="first")
    return Said(made["id"], place, ["first"])


async def step(product: Product, people: list[str], one: Said, kind: str, to: int) -> None:
    """Do one thing to what was said."""
    if kind == "renew":
        one.texts.append(f"again {len(one.texts)}")
        await renew(product, people[one.place], one.id, len(one.texts) - 1, summary=one.texts[-1])
    elif kind == "attach":
        one.files.append((await attach(product, people[one.place], one.id))["id"])
    else:
        await move(product, people[one.place], one.id, people[to])
        one.place = to


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_each_stands_in_one_place_with_all_that_was_said(
    product: Product, steps: list[tuple[str, int, int]]
) -> None:
    people, said = [await product.contact() for _ in range(PEOPLE)], list[Said]()

    for kind, to, which in steps:
        if kind == "log" or not said:
            said.append(await new(product, people[to], to))
        else:
            await step(product, people, said[which % len(said)], kind, to)

    for place, contact in enumerate(people):
        shown = {one["id"]: one for one in (await product.opened(contact))["interactions"]}
        assert shown.keys() == {one.id for one in said if one.place == place}
        for one in (one for one in said if one.place == place):
            assert (shown[one.id]["version"], shown[one.id]["summary"]) == (len(one.texts), one.texts[-1])
            assert {file["id"] for file in shown[one.id]["attachments"]} == set(one.files)
            assert [version["summary"] for version in await versions(product, contact, one.id)] == one.texts
