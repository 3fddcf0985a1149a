"""Search, merge and undo, erase and cancel, looks."""

import pytest

from crm.errors import NotFound
from crm.kit.ids import new_id
from tests.product import SERVE, Product

CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}


async def test_search_shows_labels_by_the_beginning_of_any_word(product: Product) -> None:
    name = f"Łu{new_id()[:6]}"
    contact = await product.contact(given_name="Jan", family_name=name, company="Söhne", emails=["jan@example.org"])

    answer = await product.staff.post("/v1/contacts/search", json={"q": name[:6].replace("Ł", "l")})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    label = {"id": contact, "name": f"Jan {name}", "company": "Söhne", "email_masked": "j•••@e•••.org"}
    assert label in answer.json()["matches"]


async def test_search_shows_eight_and_says_that_there_are_more(product: Product) -> None:
    family = f"Fam{new_id()[:8]}"
    for number in range(9):
        await product.contact(given_name=f"N{number}", family_name=family)

    body = (await product.staff.post("/v1/contacts/search", json={"q": family})).json()

    assert (len(body["matches"]), body["more"]) == (8, True)


async def test_search_takes_three_characters_and_no_list_of_everybody(product: Product) -> None:
    for body in ({"q": "ab"}, {"q": "  a "}, {"q": ""}, {}, {"q": "abc", "limit": 100}, {"q": "abc", "page": 2}):
        assert (await product.staff.post("/v1/contacts/search", json=body)).status_code == 422, body
    for params in ({}, {"owner": "everybody"}, {"owner": new_id()}):
        assert (await product.staff.get("/v1/contacts", params=params)).status_code == 422


async def test_a_merged_set_is_one_contact(product: Product) -> None:
    gone, kept = await product.contact(given_name="Ada"), await product.contact(given_name="A.")
    for contact, summary in ((gone, "old"), (kept, "new")):
        await product.staff.post(f"/v1/contacts/{contact}/interactions", json={**CALL, "summary": summary})

    answer = await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    assert answer.status_code == 200
    assert (await product.staff.get(f"/v1/contacts/{gone}", params=SERVE)).status_code == 404
    found = await product.opened(kept)
    assert found["identity"] == {"given_name": "A."}
    assert {one["summary"] for one in found["interactions"]} == {"old", "new"}


async def test_a_chain_of_merges_is_one_contact(product: Product) -> None:
    first, second, third = [await product.contact() for _ in range(3)]
    for contact in (first, second, third):
        await product.staff.post(f"/v1/contacts/{contact}/interactions", json=CALL)

    await product.staff.post(f"/v1/contacts/{first}/merge", json={"into": second})
    await product.staff.post(f"/v1/contacts/{second}/merge", json={"into": third})

    assert len((await product.opened(third))["interactions"]) == 3
    older = await product.staff.get(f"/v1/contacts/{third}/interactions")
    assert len(older.json()["interactions"]) == 3


async def test_a_merge_takes_the_fields_that_are_kept(product: Product) -> None:
    gone = await product.contact(
        given_name="Ada", job_title="Countess", emails=["ada@example.org"], phones=["+4930111"]
    )
    kept = await product.contact(given_name="A.", company="Acme", phones=["+4930222"])

    answer = await product.staff.post(
        f"/v1/contacts/{gone}/merge", json={"into": kept, "keep": ["given_name", "emails", "note"]}
    )

    found = await product.opened(kept)
    assert answer.status_code == 200
    assert found["identity"] == {"given_name": "Ada", "company": "Acme"}
    assert found["channels"] == {"emails": ["ada@example.org"], "phones": ["+4930222"]}


async def test_a_merge_is_undone(product: Product) -> None:
    gone, kept = await product.contact(given_name="Ada"), await product.contact(given_name="A.")
    await product.staff.post(f"/v1/contacts/{gone}/interactions", json=CALL)
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    answer = await product.staff.post(f"/v1/contacts/{gone}/merge/undo")

    assert answer.status_code == 200
    assert (await product.opened(gone))["identity"] == {"given_name": "Ada"}
    assert (await product.opened(kept))["interactions"] == []


@pytest.mark.parametrize("is_done", [False, True])
async def test_undoing_is_mended_by_doing_it_again_wherever_it_broke_off(
    product: Product, monkeypatch: pytest.MonkeyPatch, *, is_done: bool
) -> None:
    """The process dies before or behind the keeper's word; both contacts open all the same."""
    gone, kept = await product.contact(given_name="Ada"), await product.contact(given_name="A.")
    await product.staff.post(f"/v1/contacts/{gone}/interactions", json=CALL)
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})
    keeper = product.app.state.held.keeper
    unmerge = keeper.unmerge

    async def dies(token: str, subject: str) -> int:
        if is_done:
            await unmerge(token, subject)
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "unmerge", dies)
        assert (await product.staff.post(f"/v1/contacts/{gone}/merge/undo")).status_code == 500

    assert (await product.opened(kept))["interactions"] == []
    again = await product.staff.post(f"/v1/contacts/{gone}/merge/undo")
    assert again.status_code == (404 if is_done else 200)
    assert len((await product.opened(gone))["interactions"]) == 1


async def test_a_refused_undo_changes_nothing(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, kept = await product.contact(given_name="Ada"), await product.contact(given_name="A.")
    await product.staff.post(f"/v1/contacts/{gone}/interactions", json=CALL)
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    async def late(*_: object) -> int:
        raise NotFound

    with monkeypatch.context() as patch:
        patch.setattr(product.app.state.held.keeper, "unmerge", late)
        assert (await product.staff.post(f"/v1/contacts/{gone}/merge/undo")).status_code == 404

    assert len((await product.opened(kept))["interactions"]) == 1


async def test_merges_that_cannot_be(product: Product) -> None:
    contact = await product.contact()

    for body, status in (
        ({"into": contact}, 422),
        ({"into": new_id()}, 404),
        ({"into": "x"}, 422),
        ({"into": new_id(), "keep": ["name"]}, 422),
    ):
        assert (await product.staff.post(f"/v1/contacts/{contact}/merge", json=body)).status_code == status
    assert (await product.staff.post(f"/v1/contacts/{contact}/merge/undo")).status_code == 404
    assert (await product.opened(contact))["identity"]


async def test_an_erasure_stops_everything_and_a_second_person_cancels_it(product: Product) -> None:
    contact = await product.contact(family_name=f"Gone{new_id()[:8]}")
    await product.staff.post(f"/v1/contacts/{contact}/interactions", json=CALL)

    asked = await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})

    assert asked.status_code == 202
    assert set(asked.json()) == {"log_index", "due_at"}
    for answer in (
        await product.staff.get(f"/v1/contacts/{contact}", params=SERVE),
        await product.staff.get(f"/v1/contacts/{contact}/interactions"),
        await product.staff.post(f"/v1/contacts/{contact}/interactions", json=CALL),
        await product.staff.patch(
            f"/v1/contacts/{contact}", json={"language": "fr"}, headers={"if-match": '"1.1.0.0"'}
        ),
        await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"}),
    ):
        assert answer.status_code == 404
    same = await product.staff.post(f"/v1/contacts/{contact}/erase/cancel")
    other = await product.staff2.post(f"/v1/contacts/{contact}/erase/cancel")
    assert (same.status_code, other.status_code) == (403, 200)
    assert len((await product.opened(contact))["interactions"]) == 1


async def test_a_refused_cancellation_changes_nothing(product: Product) -> None:
    contact = await product.contact()
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "mistake"})

    await product.staff.post(f"/v1/contacts/{contact}/erase/cancel")

    assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 404
    assert (await product.staff2.post(f"/v1/contacts/{contact}/erase/cancel")).status_code == 200


async def test_an_erasure_is_asked_for_by_privacy_too(product: Product) -> None:
    contact = await product.contact()

    asked = await product.privacy.delete(f"/v1/contacts/{contact}", params={"ground": "objection"})

    assert asked.status_code == 202
    assert (await product.staff.post(f"/v1/contacts/{contact}/erase/cancel")).status_code == 200


async def test_an_erasure_takes_a_ground_of_the_list(product: Product) -> None:
    contact = await product.contact()

    for params in ({}, {"ground": "because"}):
        assert (await product.staff.delete(f"/v1/contacts/{contact}", params=params)).status_code == 422


async def test_looks_say_who_why_when_and_where(product: Product) -> None:
    contact = await product.contact()
    opened = await product.opened(contact)

    for name in ("staff", "privacy", "auditor"):
        look = (await product.as_(name).get(f"/v1/contacts/{contact}/looks")).json()["looks"][0]
        assert (look["actor"], look["reason"], look["index"]) == (
            product.keeper.cast["staff"].id, "call", opened["log_index"],
        )  # fmt: skip
        assert look["at"]
