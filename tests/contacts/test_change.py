"""PATCH /v1/contacts/{id}."""

import asyncio
from typing import Any

from httpx import Response

from crm.kit.ids import new_id
from tests.product import SERVE, Product


async def etag(product: Product, contact: str) -> str:
    return (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).headers["etag"]


async def patch(product: Product, contact: str, tag: str | None = None, **body: Any) -> Response:
    headers = {"if-match": tag or await etag(product, contact)}
    return await product.staff.patch(f"/v1/contacts/{contact}", json=body, headers=headers)


async def test_it_changes_what_is_named_and_nothing_else(product: Product) -> None:
    contact = await product.contact(family_name="Lovelace", emails=["a@example.org"], language="en")

    answer = await patch(product, contact, job_title="Countess", language="fr")

    found = await product.opened(contact)
    assert answer.status_code == 200
    assert answer.headers["etag"] == await etag(product, contact)
    assert found["identity"] == {"given_name": "Ada", "family_name": "Lovelace", "job_title": "Countess"}
    assert found["channels"] == {"emails": ["a@example.org"]}
    assert found["language"] == "fr"


async def test_null_clears_and_lists_are_replaced_whole(product: Product) -> None:
    await product.term("tag", "Blue")
    contact = await product.contact(
        family_name="Lovelace", emails=["a@example.org", "b@example.org"], tags=["Blue"], profile={"note": "x"}
    )

    await patch(product, contact, family_name=None, emails=["c@example.org"], tags=None, profile=None)

    found = await product.opened(contact)
    assert found["identity"] == {"given_name": "Ada"}
    assert found["channels"] == {"emails": ["c@example.org"]}
    assert (found["tags"], found["profile"]) == ([], {})


async def test_a_nested_patch_is_merged(product: Product) -> None:
    contact = await product.contact(profile={"nickname": "A", "note": "x"})

    await patch(product, contact, profile={"note": None, "birthday": "1815-12-10"})

    assert (await product.opened(contact))["profile"] == {"nickname": "A", "birthday": "1815-12-10"}


async def test_a_section_that_was_not_there(product: Product) -> None:
    contact = await product.contact()

    answer = await patch(product, contact, phones=["+4930123"])

    assert answer.status_code == 200
    assert (await product.opened(contact))["channels"] == {"phones": ["+4930123"]}


async def test_it_asks_which_version_is_changed(product: Product) -> None:
    contact = await product.contact()

    answer = await product.staff.patch(f"/v1/contacts/{contact}", json={"job_title": "x"})

    assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")


async def test_a_version_that_is_over_is_refused(product: Product) -> None:
    contact = await product.contact()
    seen = await etag(product, contact)

    for change in ({"job_title": "x"}, {"language": "fr"}):
        now = await etag(product, contact)
        assert (await patch(product, contact, now, **change)).status_code == 200
        for late in ({"job_title": "y"}, {"language": "de"}, {"phones": ["1"], "language": "de"}):
            for old in (seen, now, '"nonsense"', "*", 'W/"1.2"'):
                answer = await patch(product, contact, old, **late)
                assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    found = await product.opened(contact)
    assert (found["identity"]["job_title"], found["language"], found["channels"]) == ("x", "fr", {})


async def test_of_two_editors_one_is_told(product: Product) -> None:
    contact = await product.contact()
    seen = await etag(product, contact)

    for changes in (
        [{"job_title": f"editor {number}"} for number in range(5)],
        [{"language": language} for language in ("de", "en", "fr", "it")],
    ):
        answers = await asyncio.gather(*(patch(product, contact, seen, **change) for change in changes))
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * (len(changes) - 1)
        seen = await etag(product, contact)


async def test_of_two_who_add_the_same_section_the_one_told_200_is_kept(product: Product) -> None:
    for _ in range(5):
        contact = await product.contact()
        seen = await etag(product, contact)
        numbers = [f"+493012345{number}" for number in range(4)]

        answers = await asyncio.gather(*(patch(product, contact, seen, phones=[number]) for number in numbers))

        kept = (await product.opened(contact))["channels"]["phones"]
        won = [[number] for number, answer in zip(numbers, answers, strict=True) if answer.status_code == 200]
        assert won == [kept]
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_a_change_of_plain_attributes_is_an_entry(product: Product) -> None:
    contact = await product.contact()

    answer = await patch(product, contact, language="fr", owner=None)

    entries = await product.auditor.get("/v1/log/entries", params={"subject": contact, "act": "record"})
    (entry,) = entries.json()["entries"]
    assert (entry["what"], entry["index"]) == ("attributes", answer.json()["log_index"])
    assert set(entry["detail"]["fields"].split(".")) == {"language", "owner"}
    assert "fr" not in str(entry["detail"]).replace("fields", "")


async def test_nothing_to_change(product: Product) -> None:
    contact = await product.contact()

    assert (await patch(product, contact)).status_code == 422


async def test_the_owner_is_handed_over(product: Product) -> None:
    contact = await product.contact()
    other = product.keeper.cast["staff2"].id

    await patch(product, contact, owner=other)

    assert (await product.opened(contact))["owner"] == other


async def test_unknown_contact_before_stale_version(product: Product) -> None:
    answer = await product.staff.patch(f"/v1/contacts/{new_id()}", json={"language": "fr"}, headers={"if-match": "x"})

    assert answer.status_code == 404
