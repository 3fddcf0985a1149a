"""POST /v1/contacts/count."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.contacts.answers import told
from crm.contacts.counting import _blurred
from crm.kit.ids import new_id
from tests.contacts.test_owners import hire
from tests.product import Product

FEW = {"count": "fewer than 10"}


async def count(product: Product, /, **criteria: Any) -> dict[str, Any]:
    answer = await product.marketing.post("/v1/contacts/count", json=criteria)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def make(product: Product, count: int, /, **fields: Any) -> list[str]:
    """Make contacts of a tag of their own, so that no other test's are counted."""
    return list(await asyncio.gather(*(product.contact(**fields) for _ in range(count))))


@pytest.fixture
async def tag(product: Product) -> str:
    name = f"Tag {new_id()[:8]}"
    await product.term("tag", name)
    return name


async def test_it_counts_in_tens_and_nothing_below_ten(product: Product, tag: str) -> None:
    seen = []
    for more in (9, 1, 9, 1):
        await make(product, more, tags=[tag])
        seen.append(await count(product, tags=[tag]))

    assert seen == [FEW, {"count": 10}, {"count": 10}, {"count": 20}]


async def test_criteria_narrow(product: Product, tag: str) -> None:
    await make(product, 20, tags=[tag], language="fr", country="FR")
    await make(product, 10, tags=[tag], language="fr", country="CH", time_zone="Europe/Zurich")
    await make(product, 10, tags=[tag])

    assert await count(product, tags=[tag]) == {"count": 40}
    assert await count(product, tags=[tag], language="fr") == {"count": 30}
    assert await count(product, tags=[tag], language="fr", country="CH") == {"count": 10}
    assert await count(product, tags=[tag], language=None) == {"count": 10}
    assert await count(product, tags=[tag], country="FR", time_zone="Europe/Zurich") == FEW


async def test_terms_are_asked_for_by_text_or_id_and_retired_ones_too(product: Product, tag: str) -> None:
    stage = await product.term("stage", f"Stage {tag}")
    await product.term("product", f"Product {tag}")
    await make(product, 10, tags=[tag], stage=stage, product=f"Product {tag}")
    await product.admin.patch(f"/v1/vocabulary/stage/{stage}", json={"retired": True})

    assert await count(product, stage=f"stage {tag}") == {"count": 10}
    assert await count(product, stage=stage, product=f"Product {tag}") == {"count": 10}


async def test_whoever_is_left_out_is_too_few_to_be_told_apart(product: Product, tag: str) -> None:
    """Twenty of a tag, one of them without a language: asking for the others tells of twenty."""
    await make(product, 19, tags=[tag], language="fr")
    await make(product, 1, tags=[tag])

    assert await count(product, tags=[tag]) == {"count": 20}
    assert await count(product, tags=[tag], language="fr") == {"count": 20}
    assert await count(product, tags=[tag], language=None) == FEW


async def test_by_owner(product: Product, tag: str) -> None:
    ann = await hire(product)
    for _ in range(10):
        await ann.client.post("/v1/contacts", json={"given_name": "Ada", "tags": [tag]})

    own = (await ann.client.post("/v1/contacts/count", json={"tags": [tag], "owner": "me"})).json()

    assert own == {"count": 10}
    assert await count(product, tags=[tag], owner=ann.id) == {"count": 10}
    assert await count(product, tags=[tag], owner="me") == FEW
    assert await count(product, tags=[tag], owner=None) == FEW


async def test_by_when_something_last_happened_to_any_of_a_merged_set(product: Product, tag: str) -> None:
    active, gone, between, quiet = [await make(product, 10, tags=[tag]) for _ in range(4)]
    call = {"kind": "call", "direction": "in", "occurred_at": "2026-03-01T10:00:00Z"}
    for contact in [*active, *gone]:
        await product.staff.post(f"/v1/contacts/{contact}/interactions", json=call)
    for first, second, third in zip(gone, between, quiet, strict=True):
        await product.staff.post(f"/v1/contacts/{first}/merge", json={"into": second})
        await product.staff.post(f"/v1/contacts/{second}/merge", json={"into": third})
    await make(product, 10, tags=[tag])

    assert await count(product, tags=[tag], active_since="2026-03-01") == {"count": 20}
    assert await count(product, tags=[tag], active_since="2026-03-02") == FEW
    assert await count(product, tags=[tag], quiet_since="2026-03-01") == {"count": 10}
    assert await count(product, tags=[tag], quiet_since="2026-03-02") == {"count": 30}


async def test_companies_merged_and_erasing_people_are_not_counted(product: Product, tag: str) -> None:
    people = await make(product, 11, tags=[tag])
    await product.staff.post("/v1/companies", json={"name": "Acme", "tags": [tag]})
    await product.staff.post(f"/v1/contacts/{people[0]}/merge", json={"into": people[1]})

    ten = await count(product, tags=[tag])
    await product.staff.delete(f"/v1/contacts/{people[1]}", params={"ground": "mistake"})

    assert (ten, await count(product, tags=[tag])) == ({"count": 10}, FEW)


async def test_without_criteria_it_counts_everybody(product: Product) -> None:
    await make(product, 10)

    assert (await count(product))["count"] >= 10


@pytest.mark.parametrize(
    "body",
    [
        {"language": "fr", "country": "FR", "stage": "x", "product": "y"},
        {"tags": ["a", "b"], "language": "fr", "country": "FR"},
        {"tags": ["a", "b", "c", "d"]},
        {"tags": []},
        {"active_since": None},
        {"quiet_since": "yesterday"},
        {"owner": "everybody"},
        {"given_name": "Ada"},
        {"emails": ["ada@example.org"]},
    ],
)
async def test_bad_input(product: Product, body: dict[str, Any]) -> None:
    answer = await product.staff.post("/v1/contacts/count", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_a_term_no_vocabulary_has(product: Product) -> None:
    answer = await product.staff.post("/v1/contacts/count", json={"tags": ["Nobody's"]})

    assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/tags/0")


async def test_it_opens_nobody(product: Product, tag: str) -> None:
    await make(product, 10, tags=[tag])
    await count(product, tags=[tag])
    size = (await product.nobody.get("/health")).json()["keeper"]["size"]

    await count(product, tags=[tag])

    assert (await product.nobody.get("/health")).json()["keeper"]["size"] == size


@given(st.integers(0, 200), st.lists(st.integers(0, 60), max_size=3))
def test_a_count_is_near_the_truth_and_never_tells_few_from_none(fit: int, left_out: list[int]) -> None:
    answer = told(_blurred(fit, [fit + more for more in left_out]))

    if fit < 10:
        assert answer == "fewer than 10"
    else:
        assert isinstance(answer, int)
        assert answer % 10 == 0
        assert fit - 10 < answer < fit + 10


@given(st.integers(10, 200), st.integers(1, 9))
@settings(max_examples=200)
def test_asking_wide_and_narrow_does_not_tell_fewer_than_ten_apart(fit: int, left_out: int) -> None:
    """Asked with a criterion and without it, the answer is the same."""
    wide = fit + left_out

    assert told(_blurred(fit, [wide])) == told(_blurred(wide, []))
