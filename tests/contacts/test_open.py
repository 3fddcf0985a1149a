"""GET /v1/contacts/{id}."""

from crm.kit.ids import new_id
from tests.product import SERVE, Product


async def test_it_works(product: Product) -> None:
    contact = await product.contact(family_name="Lovelace", emails=["ada@example.org"], language="en-gb")

    answer = await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["etag"] == '"1.1.1.0"'
    found = answer.json()
    assert found["identity"] == {"given_name": "Ada", "family_name": "Lovelace"}
    assert found["channels"] == {"emails": ["ada@example.org"]}
    assert found["language"] == "en-GB"
    assert found["interactions"] == []
    assert found["owner"] == product.keeper.cast["staff"].id


async def test_each_open_is_an_entry(product: Product) -> None:
    contact = await product.contact()

    found = await product.opened(contact)

    entries = (await product.auditor.get("/v1/log/entries", params={"subject": contact})).json()["entries"]
    entry = next(entry for entry in entries if entry["index"] == found["log_index"])
    assert (entry["act"], entry["reason"], entry["subjects"]) == ("open", "call", [contact])


async def test_it_rejects_strangers(product: Product) -> None:
    contact = await product.contact()

    answer = await product.nobody.get(f"/v1/contacts/{contact}", params=SERVE)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_it_refuses_other_roles_whatever_the_id(product: Product) -> None:
    contact = await product.contact()

    for name in ("marketing", "auditor", "admin", "product", "counsel"):
        for asked in (contact, new_id(), "no-id"):
            answer = await product.as_(name).get(f"/v1/contacts/{asked}", params=SERVE)
            assert (answer.status_code, answer.json()["code"]) == (403, "purpose-not-yours")


async def test_unknown_erased_and_merged_away_are_one_answer(product: Product) -> None:
    merged, erased, kept = await product.contact(), await product.contact(), await product.contact()
    await product.staff.post(f"/v1/contacts/{merged}/merge", json={"into": kept})
    await product.staff.delete(f"/v1/contacts/{erased}", params={"ground": "request"})

    answers = [
        await product.staff.get(f"/v1/contacts/{asked}", params=SERVE)
        for asked in (merged, erased, new_id(), "no-id", "A" * 32)
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_it_rejects_head(product: Product) -> None:
    contact = await product.contact()
    size = (await product.auditor.get("/health")).json()["keeper"]["size"]

    answer = await product.staff.head(f"/v1/contacts/{contact}", params=SERVE)

    assert answer.status_code == 405
    assert (await product.auditor.get("/health")).json()["keeper"]["size"] == size


async def test_it_asks_for_a_purpose(product: Product) -> None:
    contact = await product.contact()

    answer = await product.staff.get(f"/v1/contacts/{contact}")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/query/purpose", "reason": "missing"}]


async def test_reason_is_other_unless_told(product: Product) -> None:
    contact = await product.contact()

    await product.staff.get(f"/v1/contacts/{contact}", params={"purpose": "serve"})

    looks = (await product.staff.get(f"/v1/contacts/{contact}/looks")).json()["looks"]
    assert looks[0]["reason"] == "other"
