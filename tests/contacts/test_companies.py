"""Companies: subjects of their own, and the people linked to them."""

from typing import Any

import pytest
from httpx import Response

from crm.db import Database
from crm.interactions import upkeep
from crm.kit.ids import is_id, new_id
from tests.contacts.clocks import Later
from tests.product import SERVE, Product

COMPANY = {
    "name": "Ångström & Söhne", "emails": ["office@example.org"], "phones": ["+49 30 4711"],
    "addresses": [{"city": "Uppsala"}], "profile": {"websites": ["https://example.org"], "note": "supplier"},
    "country": "se", "language": "sv",
}  # fmt: skip


async def make(product: Product, /, **fields: Any) -> str:
    answer = await product.staff.post("/v1/companies", json={"name": "Acme", "confirm_duplicate": True, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def opened(product: Product, company: str) -> dict[str, Any]:
    answer = await product.staff.get(f"/v1/companies/{company}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def patch(product: Product, company: str, tag: str | None = None, **body: Any) -> Response:
    tag = tag or (await product.staff.get(f"/v1/companies/{company}")).headers["etag"]
    return await product.staff.patch(f"/v1/companies/{company}", json=body, headers={"if-match": tag})


async def test_everything_comes_back_as_given(product: Product) -> None:
    answer = await product.staff.post("/v1/companies", json={**COMPANY, "confirm_duplicate": True})

    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "log_index"}
    company = answer.json()["id"]
    assert is_id(company)
    page = await product.staff.get(f"/v1/companies/{company}", params={"reason": "order"})
    assert page.headers["etag"] == '"1.1.1.1"'
    assert page.headers["cache-control"] == "no-store"
    found = page.json()
    assert found["name"] == COMPANY["name"]
    assert found["channels"] == {name: COMPANY[name] for name in ("emails", "phones", "addresses")}
    assert found["profile"] == COMPANY["profile"]
    assert (found["country"], found["language"], found["owner"]) == ("SE", "sv", product.keeper.cast["staff"].id)
    assert found["people"] == {"matches": [], "count": "fewer than 10"}


async def test_it_has_a_name(product: Product) -> None:
    company = await make(product)

    for body, pointer in (({}, "/body/name"), ({"name": " "}, "/body/name"), ({"name": None}, "/body/name")):
        answer = await product.staff.post("/v1/companies", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    for name in ("", None):
        assert (await patch(product, company, name=name)).status_code == 422
    assert (await opened(product, company))["name"] == "Acme"


async def test_a_repeated_id_answers_as_the_first_time(product: Product) -> None:
    body = {"id": new_id(), "name": "Acme"}

    first = await product.staff.post("/v1/companies", json=body)
    again = await product.staff.post("/v1/companies", json={**body, "name": "Other", "phones": ["1"]})

    assert first.json() == again.json()
    found = await opened(product, body["id"])
    assert (found["name"], found["channels"]) == ("Acme", {})


async def test_people_and_companies_are_not_taken_for_each_other(product: Product) -> None:
    person, company = await product.contact(), await make(product)
    staff, none = product.staff, new_id()

    for wrong, unknown in (
        (staff.get(f"/v1/contacts/{company}", params=SERVE), staff.get(f"/v1/contacts/{none}", params=SERVE)),
        (staff.get(f"/v1/companies/{person}"), staff.get(f"/v1/companies/{none}")),
        (
            staff.patch(f"/v1/contacts/{company}", json={"language": "fr"}, headers={"if-match": '"1.1.0.0"'}),
            staff.patch(f"/v1/companies/{person}", json={"language": "fr"}, headers={"if-match": '"1.1.0.0"'}),
        ),
        (
            staff.delete(f"/v1/contacts/{company}", params={"ground": "request"}),
            staff.delete(f"/v1/companies/{person}", params={"ground": "request"}),
        ),
        (staff.post(f"/v1/contacts/{company}/merge", json={"into": person}),
         staff.post(f"/v1/companies/{person}/merge", json={"into": company})),
        (staff.post(f"/v1/contacts/{person}/merge", json={"into": company}),
         staff.post(f"/v1/contacts/{none}/merge", json={"into": person})),
        (staff.post(f"/v1/contacts/{company}/merge/undo"), staff.post(f"/v1/companies/{person}/merge/undo")),
        (staff.post(f"/v1/contacts/{company}/erase/cancel"), staff.post(f"/v1/companies/{person}/erase/cancel")),
        (staff.post("/v1/contacts", json={"id": company, "given_name": "Ada"}),
         staff.post("/v1/companies", json={"id": person, "name": "Acme"})),
        (staff.get(f"/v1/contacts/{company}/consents"), staff.get(f"/v1/contacts/{none}/consents")),
    ):  # fmt: skip
        answers = [await wrong, await unknown]
        assert [answer.status_code for answer in answers] == [404, 404], answers[0].request.url
        assert answers[0].content == answers[1].content
    assert (await opened(product, company))["name"] == "Acme"
    assert (await product.opened(person))["identity"] == {"given_name": "Ada"}


async def test_search_finds_companies_only(product: Product) -> None:
    word = f"Söhne{new_id()[:8]}"
    await product.contact(company=word)
    company = await make(product, name=f"Meyer {word}", emails=["office@example.org"])

    found = (await product.staff.post("/v1/companies/search", json={"q": word.replace("ö", "o")})).json()

    label = {"id": company, "name": f"Meyer {word}", "email_masked": "o•••@e•••.org"}
    assert found == {"matches": [label], "more": False}


async def test_a_shared_address_is_a_warning(product: Product) -> None:
    address = f"{new_id()[:8]}@family.example"
    company = await make(product, emails=[address])

    warned = await product.staff.post("/v1/companies", json={"name": "Other", "emails": [address]})

    assert (warned.status_code, warned.json()["code"]) == (409, "duplicate")
    assert [label["id"] for label in warned.json()["matches"]] == [company]


async def test_it_is_changed_by_merge_patch(product: Product) -> None:
    company = await make(product, phones=["+4930123"], profile={"note": "x"})

    answer = await patch(product, company, name="Acme & Co", phones=None, profile={"websites": ["w"]}, country="de")

    found = await opened(product, company)
    assert answer.status_code == 200
    assert (found["name"], found["channels"], found["country"]) == ("Acme & Co", {}, "DE")
    assert found["profile"] == {"note": "x", "websites": ["w"]}
    assert (await patch(product, company, '"1.1.1.1"', country="fr")).status_code == 412


async def test_its_page_shows_eight_people_and_counts_in_tens(product: Product) -> None:
    company, family = await make(product), f"Fam{new_id()[:8]}"
    people = [await product.contact(given_name=f"N{n}", family_name=family, company_id=company) for n in range(10)]

    nine = await product.staff.delete(f"/v1/contacts/{people[0]}", params={"ground": "mistake"})
    few = (await opened(product, company))["people"]
    await product.staff2.post(f"/v1/contacts/{people[0]}/erase/cancel")
    ten = (await opened(product, company))["people"]

    assert nine.status_code == 202
    assert [label["id"] for label in few["matches"]] == people[:1:-1]
    assert set(few["matches"][0]) == {"id", "name", "company", "email_masked"}
    assert (few["count"], len(ten["matches"]), ten["count"]) == ("fewer than 10", 8, 10)


async def test_a_contact_is_linked_and_let_go(product: Product) -> None:
    company, contact = await make(product), await product.contact(company="Acme, as Ada writes it")
    etag = (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).headers["etag"]
    url = f"/v1/contacts/{contact}"

    linked = await product.staff.patch(url, json={"company_id": company}, headers={"if-match": etag})
    found = await product.opened(contact)
    people = (await opened(product, company))["people"]["matches"]
    etag = linked.headers["etag"]
    cleared = await product.staff.patch(url, json={"company_id": None}, headers={"if-match": etag})

    assert (linked.status_code, cleared.status_code) == (200, 200)
    assert found["company_id"] == company
    assert found["identity"]["company"] == "Acme, as Ada writes it"
    assert [label["id"] for label in people] == [contact]
    assert (await opened(product, company))["people"]["matches"] == []


async def test_a_company_that_is_not_there_is_not_linked(product: Product) -> None:
    person, gone = await product.contact(), await make(product)
    await product.staff.delete(f"/v1/companies/{gone}", params={"ground": "mistake"})

    answers = [
        await product.staff.post("/v1/contacts", json={"given_name": "Ada", "company_id": other})
        for other in (new_id(), person, gone)
    ]

    assert {(answer.status_code, answer.json()["pointer"]) for answer in answers} == {(422, "/body/company_id")}
    assert len({answer.content for answer in answers}) == 1


async def test_merged_companies_have_their_people_together_until_undone(product: Product) -> None:
    gone, kept = await make(product, name="Acme Ltd", phones=["+4930111"]), await make(product)
    people = [await product.contact(company_id=company) for company in (gone, kept)]

    merged = await product.staff.post(f"/v1/companies/{gone}/merge", json={"into": kept, "keep": ["phones"]})

    assert merged.status_code == 200
    found = await opened(product, kept)
    assert (found["name"], found["channels"]) == ("Acme", {"phones": ["+4930111"]})
    assert {label["id"] for label in found["people"]["matches"]} == set(people)
    assert (await product.staff.get(f"/v1/companies/{gone}")).status_code == 404
    assert (await product.staff.post(f"/v1/companies/{gone}/merge/undo")).status_code == 200
    for company, person in zip((gone, kept), people, strict=True):
        assert [label["id"] for label in (await opened(product, company))["people"]["matches"]] == [person]


async def test_the_people_of_an_erased_company_stay(product: Product) -> None:
    company, database = await make(product), product.app.state.held.database
    contact = await product.contact(company_id=company)
    assert isinstance(database, Database)

    asked = await product.staff.delete(f"/v1/companies/{company}", params={"ground": "request"})
    cancelled = await product.staff2.post(f"/v1/companies/{company}/erase/cancel")
    again = await product.privacy.delete(f"/v1/companies/{company}", params={"ground": "request"})
    hidden = await product.opened(contact)
    await upkeep.remove_due(database, Later(days=4))

    assert [answer.status_code for answer in (asked, cancelled, again)] == [202, 200, 202]
    assert hidden["company_id"] == company
    assert (await product.opened(contact))["company_id"] is None
    assert (await product.staff.get(f"/v1/companies/{company}")).status_code == 404


@pytest.mark.parametrize("verb", ["open", "labels"])
async def test_without_the_keeper_nothing_is_shown(
    product: Product, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    company = await make(product)
    await product.contact(company_id=company)

    async def dies(*_: object, **__: object) -> None:
        raise SystemError

    monkeypatch.setattr(product.app.state.held.keeper, verb, dies)

    answer = await product.staff.get(f"/v1/companies/{company}")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


async def test_terms_are_shown_as_text(product: Product) -> None:
    for kind, term in (("stage", "Kunde"), ("product", "Rohr"), ("tag", "Blau")):
        await product.term(kind, term)
    company = await make(product, stage="Kunde", product="Rohr", tags=["Blau"])

    found = await opened(product, company)

    assert (found["stage"], found["product"], found["tags"]) == ("Kunde", "Rohr", ["Blau"])
