"""POST /v1/contacts/compare."""

import pytest

from crm.kit.ids import new_id
from tests.product import Product


async def test_two_people_stand_side_by_side_with_what_differs(product: Product) -> None:
    one = await product.contact(family_name="Lovelace", emails=["ada@example.org"], profile={"note": "x"})
    two = await product.contact(family_name="Byron", emails=["ada@example.org"], phones=["+4930123"])

    answer = await product.staff.post("/v1/contacts/compare", json={"ids": [one, two]})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert set(found) == {"people", "differs", "log_index"}
    assert [person["id"] for person in found["people"]] == [one, two]
    assert found["people"][0] == {
        "id": one, "identity": {"given_name": "Ada", "family_name": "Lovelace"},
        "channels": {"emails": ["ada@example.org"]}, "profile": {"note": "x"},
    }  # fmt: skip
    assert found["differs"] == ["family_name", "phones", "note"]


async def test_it_is_one_entry_about_both(product: Product) -> None:
    pair = [await product.contact(), await product.contact()]

    index = (await product.staff.post("/v1/contacts/compare", json={"ids": pair})).json()["log_index"]

    for one in pair:
        entries = (await product.auditor.get("/v1/log/entries", params={"subject": one})).json()["entries"]
        entry = next(entry for entry in entries if entry["index"] == index)
        assert (entry["act"], entry["purpose"], entry["subjects"]) == ("open", "compare", pair)


async def test_who_is_not_there_is_not_compared(product: Product) -> None:
    here, gone, merged = [await product.contact() for _ in range(3)]
    company = (await product.staff.post("/v1/companies", json={"name": "Acme"})).json()["id"]
    await product.staff.delete(f"/v1/contacts/{gone}", params={"ground": "request"})
    await product.staff.post(f"/v1/contacts/{merged}/merge", json={"into": here})
    size = (await product.nobody.get("/health")).json()["keeper"]["size"]

    answers = [
        await product.staff.post("/v1/contacts/compare", json={"ids": pair})
        for other in (gone, merged, company, new_id())
        for pair in ([here, other], [other, here])
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert (await product.nobody.get("/health")).json()["keeper"]["size"] == size


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_it_takes_two(product: Product, count: int) -> None:
    answer = await product.staff.post("/v1/contacts/compare", json={"ids": [new_id() for _ in range(count)]})

    assert answer.status_code == 422


async def test_one_is_not_compared_with_itself(product: Product) -> None:
    contact = await product.contact()

    answer = await product.staff.post("/v1/contacts/compare", json={"ids": [contact, contact]})

    assert answer.json()["errors"] == [{"pointer": "/body", "reason": "two different ids"}]
