"""POST /v1/contacts."""

import asyncio

from crm.contacts.caller import Caller, StaffId
from crm.kit.ids import is_id, new_id
from tests.product import Product

EVERYTHING = {
    "given_name": "Zoë",
    "family_name": "O'Brien-Łukasz",
    "company": "Ångström & Söhne",
    "job_title": "Köchin",
    "emails": ["zoe+news@example.org", "zoë@bücher.example"],
    "phones": ["+49 30 123456", "call the office"],
    "addresses": [{"street": "1 Example Street\nBack yard", "city": "Kyiv", "country": "Україна"}, "somewhere else"],
    "language": "de-Latn-CH",
    "country": "ch",
    "time_zone": "Europe/Zurich",
    "profile": {"nickname": "Z", "birthday": "--02-29", "websites": ["https://example.org"], "note": "prefers\ntea"},
}  # fmt: skip


async def test_everything_comes_back_as_given(product: Product) -> None:
    await product.term("stage", "Lead")
    await product.term("tag", "Red")

    answer = await product.staff.post(
        "/v1/contacts", json={**EVERYTHING, "stage": "Lead", "tags": ["Red"], "confirm_duplicate": True}
    )

    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "log_index"}
    assert is_id(answer.json()["id"])
    found = await product.opened(answer.json()["id"])
    assert found["identity"] == {
        name: EVERYTHING[name] for name in ("given_name", "family_name", "company", "job_title")
    }
    assert found["channels"] == {name: EVERYTHING[name] for name in ("emails", "phones", "addresses")}
    assert found["profile"] == EVERYTHING["profile"]
    assert (found["language"], found["country"], found["time_zone"]) == ("de-Latn-CH", "CH", "Europe/Zurich")
    assert (found["stage"], found["tags"]) == ("Lead", ["Red"])


async def test_the_same_id_again_answers_as_the_first_time(product: Product) -> None:
    body = {"id": new_id(), "given_name": "Grace", "emails": [f"{new_id()}@example.org"]}

    first = await product.staff.post("/v1/contacts", json=body)
    again = await product.staff.post("/v1/contacts", json={**body, "given_name": "Other"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await product.opened(body["id"]))["identity"] == {"given_name": "Grace"}


async def test_a_double_click_makes_one(product: Product) -> None:
    body = {"id": new_id(), "given_name": "Grace", "confirm_duplicate": True}

    answers = await asyncio.gather(*(product.staff.post("/v1/contacts", json=body) for _ in range(5)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1


async def test_what_a_crash_left_in_the_keeper_is_finished(product: Product) -> None:
    """The keeper has the contact, PostgreSQL never got its row; the client tries again."""
    body = {"id": new_id(), "given_name": "Grace", "emails": [f"{new_id()}@example.org"]}
    item = {"subject": body["id"], "kind": "contact", "expected": 0}
    identity = {**item, "section": "identity", "fields": {"given_name": "Grace"}}
    channels = {**item, "section": "channels", "fields": {"emails": body["emails"]}}
    keeper, token = product.app.state.held.keeper, product.keeper.token("staff")
    put = await keeper.put(token, "intake", [identity, channels])

    answer = await product.staff.post("/v1/contacts", json=body)

    assert (answer.status_code, answer.json()["log_index"]) == (201, put.index)
    assert (await product.opened(body["id"]))["channels"] == {"emails": body["emails"]}


async def test_a_duplicate_is_a_warning_that_can_be_confirmed(product: Product) -> None:
    address = f"{new_id()[:8]}@family.example"
    first = await product.contact(given_name="Ada", family_name="Lovelace", company="Acme", emails=[address])
    body = {"given_name": "Byron", "emails": [address.upper()]}

    warned = await product.staff.post("/v1/contacts", json=body)
    confirmed = await product.staff.post("/v1/contacts", json={**body, "confirm_duplicate": True})

    assert (warned.status_code, warned.json()["code"]) == (409, "duplicate")
    masked = f"{address[0]}•••@f•••.example"
    assert warned.json()["matches"] == [
        {"id": first, "name": "Ada Lovelace", "company": "Acme", "email_masked": masked}
    ]
    assert confirmed.status_code == 201


async def test_a_phone_in_another_spelling_is_a_duplicate(product: Product) -> None:
    number = f"{int(new_id()[:6], 16) % 9_000_000 + 1_000_000}"
    first = await product.contact(phones=[f"+49 (30) {number}"])

    warned = await product.staff.post("/v1/contacts", json={"given_name": "B", "phones": [f"+4930{number}"]})

    assert [label["id"] for label in warned.json()["matches"]] == [first]


async def test_nobody_is_no_contact(product: Product) -> None:
    for body in ({}, {"given_name": "  "}, {"emails": []}, {"job_title": "Buyer", "addresses": ["x"]}):
        assert (await product.staff.post("/v1/contacts", json=body)).status_code == 422


async def test_limits(product: Product) -> None:
    for body in (
        {"emails": [f"a{number}@example.org" for number in range(21)]},
        {"phones": [""]},
        {"given_name": "x" * 201},
        {"given_name": "Ada", "tags": ["x"] * 51},
        {"given_name": "Ada", "id": "A" * 32},
    ):
        assert (await product.staff.post("/v1/contacts", json=body)).status_code == 422, body


def test_a_caller_prints_no_token() -> None:
    caller = Caller("secret-token", StaffId("a" * 32), frozenset({"staff"}))

    assert repr(caller) == f"Caller({'a' * 32})"
    assert "secret" not in f"{caller}"


async def test_a_family_shares_a_number(product: Product) -> None:
    """Each is warned of somebody who holds it, one label a number; nobody is kept out, all are found."""
    number = f"+4930{int(new_id()[:6], 16) % 9_000_000 + 1_000_000}"
    family = [await product.contact(given_name="Ada", phones=[number])]
    for name in ("Byron", "Annabella", "Ralph"):
        body = {"id": new_id(), "given_name": name, "family_name": f"K{number[-7:]}", "phones": [number, number]}

        warned = await product.staff.post("/v1/contacts", json=body)
        confirmed = await product.staff.post("/v1/contacts", json={**body, "confirm_duplicate": True})
        again = await product.staff.post("/v1/contacts", json=body)

        assert (warned.status_code, confirmed.status_code) == (409, 201)
        assert len(warned.json()["matches"]) == 1
        assert warned.json()["matches"][0]["id"] in family
        assert again.json() == confirmed.json()
        family.append(confirmed.json()["id"])
    found = (await product.staff.post("/v1/contacts/search", json={"q": f"K{number[-7:]}"})).json()["matches"]
    assert {label["id"] for label in found} == set(family[1:])


async def test_each_person_is_named_once(product: Product) -> None:
    digits = f"{int(new_id()[:6], 16) % 9_000_000 + 1_000_000}"
    addresses = [f"{new_id()[:8]}@{where}.example" for where in ("home", "work", "nobody")]
    one = await product.contact(emails=addresses[:2])
    two = await product.contact(given_name="Byron", phones=[f"+49 30 {digits}"])

    warned = await product.staff.post(
        "/v1/contacts", json={"given_name": "C", "emails": addresses[::-1], "phones": [f"+4930{digits}"]}
    )

    assert [label["id"] for label in warned.json()["matches"]] == [one, two]


async def test_a_warning_is_an_entry_and_counts_as_labels(product: Product) -> None:
    address = f"{new_id()}@example.org"
    first = await product.contact(emails=[address])

    await product.staff.post("/v1/contacts", json={"given_name": "B", "emails": [address]})

    where = {"subject": first, "act": "match"}
    (entry,) = (await product.auditor.get("/v1/log/entries", params=where)).json()["entries"]
    assert (entry["subjects"], entry["count"]) == ([first], 1)


async def test_who_is_erased_is_no_duplicate_and_is_one_again_when_that_is_cancelled(product: Product) -> None:
    address = f"{new_id()}@example.org"
    first = await product.contact(emails=[address])
    body = {"given_name": "B", "emails": [address]}
    await product.staff.delete(f"/v1/contacts/{first}", params={"ground": "mistake"})

    free = await product.staff.post("/v1/contacts", json=body)
    await product.staff2.post(f"/v1/contacts/{first}/erase/cancel")

    assert free.status_code == 201
    assert (await product.staff.post("/v1/contacts", json=body)).status_code == 409


async def test_a_merged_set_is_named_as_the_one_that_stands_for_it(product: Product) -> None:
    address = f"{new_id()}@example.org"
    gone, kept = await product.contact(emails=[address]), await product.contact()
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    warned = await product.staff.post("/v1/contacts", json={"given_name": "B", "emails": [address]})

    assert [label["id"] for label in warned.json()["matches"]] == [kept]
