"""PATCH owner, GET /v1/contacts?owner=me, POST /v1/people/{id}/hand-over."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient, Response

from crm.contacts import upkeep
from crm.errors import KeeperUnavailable
from crm.kit.clock import rfc3339
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.contacts.clocks import Later, in_days
from tests.keeper.home import PASSWORD, invitation
from tests.product import SERVE, Product

OWN = {"owner": "me"}


class Colleague:
    """One more person who serves customers, and owns nobody yet."""

    def __init__(self, id_: str, client: AsyncClient) -> None:
        self.id = id_
        self.client = client

    async def makes(self, count: int = 1) -> list[str]:
        made = [await self.client.post("/v1/contacts", json={"given_name": f"N{n}"}) for n in range(count)]
        return [answer.json()["id"] for answer in made]

    async def owns(self) -> dict[str, Any]:
        return dict((await self.client.get("/v1/contacts", params=OWN)).json())

    async def owned(self) -> set[str]:
        return {label["id"] for label in (await self.owns())["matches"]}


async def hire(product: Product) -> Colleague:
    keeper, name = product.app.state.held.keeper, f"Colleague {new_id()}"
    await keeper.accept(await invitation(product.keeper, keeper, name, ["staff"]), Pii(PASSWORD))
    signed = await keeper.sign_in(name, Pii(PASSWORD))
    client = AsyncClient(
        transport=product.staff._transport, base_url="http://kept.test",
        headers={"authorization": f"Bearer {signed.token.reveal()}"},
    )  # fmt: skip
    return Colleague(signed.person["id"], client)


async def hand_over(product: Product, giver: Colleague, taker: Colleague, **body: Any) -> Response:
    return await product.admin.post(f"/v1/people/{giver.id}/hand-over", json={"to": taker.id, "kind": "leaver", **body})


async def patch_owner(product: Product, contact: str, owner: str | None, /, **more: Any) -> Response:
    etag = (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).headers["etag"]
    return await product.staff.patch(
        f"/v1/contacts/{contact}", json={"owner": owner, **more}, headers={"if-match": etag}
    )


# One's own list


async def test_ones_own_are_labelled_newest_change_first(product: Product) -> None:
    ann = await hire(product)
    made = await ann.makes(3)
    await product.contact(given_name="somebody else's")
    await ann.client.post("/v1/companies", json={"name": "Acme"})

    answer = await ann.client.get("/v1/contacts", params=OWN)

    assert answer.headers["cache-control"] == "no-store"
    assert [label["id"] for label in answer.json()["matches"]] == made[::-1]
    assert set(answer.json()) == {"matches", "count"}
    assert answer.json()["matches"][0] == {"id": made[2], "name": "N2", "company": "", "email_masked": ""}
    assert answer.json()["count"] == "fewer than 10"


async def test_twenty_are_shown_and_there_is_no_next_page(product: Product) -> None:
    ann = await hire(product)
    made = await ann.makes(23)

    found = await ann.owns()
    for more in ({"after": made[3]}, {"page": "2"}, {"limit": "100"}, {"order": "id"}):
        assert (await ann.client.get("/v1/contacts", params=OWN | more)).json() == found

    assert [label["id"] for label in found["matches"]] == made[:2:-1]
    assert found["count"] == 20


async def test_whoever_owns_nobody_is_shown_nobody(product: Product) -> None:
    assert await (await hire(product)).owns() == {"matches": [], "count": "fewer than 10"}


async def test_who_is_merged_away_or_erased_is_not_shown(product: Product) -> None:
    ann = await hire(product)
    here, merged, erased = await ann.makes(3)
    await ann.client.post(f"/v1/contacts/{merged}/merge", json={"into": here})
    await ann.client.delete(f"/v1/contacts/{erased}", params={"ground": "mistake"})

    assert await ann.owned() == {here}


async def test_each_list_is_an_entry_and_counts_as_labels(product: Product) -> None:
    ann = await hire(product)
    made = await ann.makes(2)

    await ann.owns()

    budget = (await ann.client.get("/v1/me")).json()["budget"]["labels"]
    entries = (await product.auditor.get("/v1/log/entries", params={"actor": ann.id, "act": "labels"})).json()
    assert budget["used"] == 2
    assert entries["entries"][-1]["subjects"] == made[::-1]


# One contact


async def test_a_new_owner_is_an_entry_that_names_them(product: Product) -> None:
    ann, contact = await hire(product), await product.contact()

    answer = await patch_owner(product, contact, ann.id)
    cleared = await patch_owner(product, contact, None)

    assert (answer.status_code, cleared.status_code) == (200, 200)
    entries = (await product.auditor.get("/v1/log/entries", params={"subject": contact, "act": "record"})).json()
    assert [(entry["what"], entry["detail"]) for entry in entries["entries"]] == [
        ("owner", {"fields": "owner", "owner": ann.id}), ("owner", {"fields": "owner", "owner": "nobody"}),
    ]  # fmt: skip
    assert [entry["index"] for entry in entries["entries"]] == [
        answer.json()["log_index"], cleared.json()["log_index"],
    ]  # fmt: skip
    assert await ann.owned() == set()


async def test_a_new_owner_along_with_other_changes_is_named_too(product: Product) -> None:
    ann, contact = await hire(product), await product.contact()

    answer = await patch_owner(product, contact, ann.id, language="fr", job_title="Countess")

    entries = (await product.auditor.get("/v1/log/entries", params={"subject": contact, "act": "record"})).json()
    (entry,) = entries["entries"]
    assert (entry["what"], entry["detail"]["owner"]) == ("attributes", ann.id)
    assert entry["index"] < answer.json()["log_index"]
    assert await ann.owned() == {contact}


async def test_every_plain_attribute_at_once_fits_an_entry(product: Product) -> None:
    await product.term("stage", "Lead")
    contact = await product.contact()
    everything = {"language": "fr", "country": "FR", "time_zone": "Europe/Paris", "stage": "Lead", "product": None,
                  "tags": [], "company_id": None}  # fmt: skip

    assert (await patch_owner(product, contact, None, **everything)).status_code == 200


async def test_nobody_but_a_colleague_is_an_owner(product: Product) -> None:
    contact = await product.contact()

    for owner in (new_id(), contact):
        answer = await patch_owner(product, contact, owner)
        assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/owner")
    assert (await patch_owner(product, contact, "me")).status_code == 422


# Handing over


async def test_all_of_a_leavers_go_to_another_by_count(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    made = await ann.makes(11)
    etag = (await ann.client.get(f"/v1/contacts/{made[0]}", params=SERVE)).headers["etag"]

    answer = await hand_over(product, ann, bob)

    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "count", "log_index"}
    assert answer.json()["count"] == 10
    assert (await ann.owned(), await bob.owned()) == (set(), set(made))
    late = await ann.client.patch(f"/v1/contacts/{made[0]}", json={"owner": ann.id}, headers={"if-match": etag})
    assert late.status_code == 412


async def test_what_a_leaver_had_not_done_goes_along(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    (contact,) = await ann.makes()
    body = {"contact": contact, "due": "2030-01-02T09:00:00Z", "title": "Ring back"}
    made = [(await ann.client.post("/v1/follow-ups", json=body)).json()["id"] for _ in range(2)]
    await ann.client.post(f"/v1/follow-ups/{made[0]}/done")
    holiday = in_days(14).isoformat()
    await hand_over(product, ann, bob, kind="holiday", until=holiday)
    assert [one["id"] for one in (await ann.client.get("/v1/follow-ups")).json()["follow_ups"]] == [made[1]]

    await hand_over(product, ann, bob)

    assert (await ann.client.get("/v1/follow-ups")).json()["follow_ups"] == []
    assert [one["id"] for one in (await bob.client.get("/v1/follow-ups")).json()["follow_ups"]] == [made[1]]


async def test_the_entry_names_both_and_nobody_else(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    await ann.makes(2)

    told = (await hand_over(product, ann, bob)).json()

    after = {"after": str(told["log_index"] - 1), "act": "record"}
    entry = (await product.auditor.get("/v1/log/entries", params=after)).json()["entries"][0]
    assert (entry["what"], entry["subjects"]) == ("owner", [])
    assert entry["detail"] == {"hand_over": told["id"], "kind": "leaver", "from": ann.id, "to": bob.id}
    assert told["count"] == "fewer than 10"


async def test_a_repeated_id_answers_as_the_first_time(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    made, body = await ann.makes(12), {"id": new_id()}

    answers = await asyncio.gather(*(hand_over(product, ann, bob, **body) for _ in range(6)))
    await ann.makes(1)
    again = await hand_over(product, ann, bob, **body)
    others = await hand_over(product, bob, ann, **body)

    assert {answer.status_code for answer in [*answers, again]} == {201}
    assert len({answer.content for answer in [*answers, again]}) == 1
    assert again.json()["count"] == 10
    assert others.status_code == 404
    assert await bob.owned() == set(made)


async def test_a_holiday_ends_and_everybody_has_their_own_again(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    anns, bobs, database = await ann.makes(3), await bob.makes(1), product.app.state.held.database

    answer = await hand_over(product, ann, bob, kind="holiday", until=in_days(14).isoformat())
    await upkeep.end_hand_overs(database, Later(days=13))
    during = await bob.owned()
    # Decided meanwhile: the first is Bob's for good.
    await patch_owner(product, anns[0], None)
    await patch_owner(product, anns[0], bob.id)
    returned = [await upkeep.end_hand_overs(database, Later(days=15)) for _ in range(2)]

    assert answer.status_code == 201
    assert during == {*anns, *bobs}
    assert (returned[0] >= 2, returned[1]) == (True, 0)
    assert (await ann.owned(), await bob.owned()) == (set(anns[1:]), {anns[0], *bobs})


async def test_the_entry_names_the_end(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    until = in_days(7).replace(microsecond=0)

    index = (await hand_over(product, ann, bob, kind="holiday", until=until.isoformat())).json()["log_index"]

    after = {"after": str(index - 1), "act": "record"}
    detail = (await product.auditor.get("/v1/log/entries", params=after)).json()["entries"][0]["detail"]
    assert (detail["kind"], rfc3339(detail["until"])) == ("holiday", until.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


async def test_a_stand_in_who_goes_on_holiday_hands_on_what_is_lent(product: Product) -> None:
    ann, bob, cem = [await hire(product) for _ in range(3)]
    anns, bobs, database = await ann.makes(2), await bob.makes(1), product.app.state.held.database
    await hand_over(product, ann, bob, kind="holiday", until=in_days(20).isoformat())

    await hand_over(product, bob, cem, kind="holiday", until=in_days(10).isoformat())

    assert await cem.owned() == {*anns, *bobs}
    await upkeep.end_hand_overs(database, Later(days=11))
    assert (await bob.owned(), await cem.owned()) == (set(bobs), set(anns))
    await upkeep.end_hand_overs(database, Later(days=21))
    assert (await ann.owned(), await cem.owned()) == (set(anns), set())


async def test_a_leaver_gives_away_what_they_lent_out_and_not_what_is_lent_to_them(product: Product) -> None:
    ann, bob, cem, dan = [await hire(product) for _ in range(4)]
    anns, bobs, database = await ann.makes(2), await bob.makes(1), product.app.state.held.database
    await hand_over(product, ann, bob, kind="holiday", until=in_days(10).isoformat())
    await hand_over(product, bob, cem, kind="holiday", until=in_days(10).isoformat())

    left = await hand_over(product, bob, dan)

    assert (await cem.owned(), await dan.owned()) == (set(anns), set(bobs))
    await upkeep.end_hand_overs(database, Later(days=11))
    assert (await ann.owned(), await bob.owned(), await dan.owned()) == (set(anns), set(), set(bobs))
    assert left.json()["count"] == "fewer than 10"


async def test_what_is_hidden_now_goes_along(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    here, merged, erased = await ann.makes(3)
    await ann.client.post(f"/v1/contacts/{merged}/merge", json={"into": here})
    await ann.client.delete(f"/v1/contacts/{erased}", params={"ground": "mistake"})

    await hand_over(product, ann, bob)

    await product.staff.post(f"/v1/contacts/{erased}/erase/cancel")
    await product.staff.post(f"/v1/contacts/{merged}/merge/undo")
    assert await bob.owned() == {here, merged, erased}


async def test_who_cannot_take_them(product: Product) -> None:
    ann, gone = await hire(product), await hire(product)
    await ann.makes(1)
    await product.admin.patch(f"/v1/people/{gone.id}", json={"state": "left"})

    for to in (ann.id, gone.id, new_id(), product.keeper.cast["marketing"].id, product.keeper.cast["admin"].id):
        answer = await product.admin.post(f"/v1/people/{ann.id}/hand-over", json={"to": to, "kind": "leaver"})
        assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/to")
    assert len(await ann.owned()) == 1


async def test_somebody_who_has_left_is_handed_over_too(product: Product) -> None:
    ann, bob = await hire(product), await hire(product)
    made = await ann.makes(2)
    await product.admin.patch(f"/v1/people/{ann.id}", json={"state": "left"})

    assert (await hand_over(product, ann, bob)).status_code == 201
    assert await bob.owned() == set(made)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "holiday"}, None),
        ({"kind": "leaver", "until": "2026-12-24T00:00:00Z"}, None),
        ({"kind": "sabbatical"}, None),
        ({"to": "Ann"}, None),
        ({"kind": "holiday", "until": "2020-01-01T00:00:00Z"}, "/body/until"),
        ({"kind": "holiday", "until": "2100-01-01T00:00:00Z"}, "/body/until"),
    ],
)
async def test_bad_input(product: Product, body: dict[str, Any], pointer: str | None) -> None:
    ann, bob = await hire(product), await hire(product)

    answer = await hand_over(product, ann, bob, **body)

    assert (answer.status_code, answer.json().get("pointer")) == (422, pointer)


async def test_without_an_entry_nobody_moves(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = await hire(product), await hire(product)
    made = await ann.makes(2)

    async def down(*_: object, **__: object) -> int:
        raise KeeperUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(product.app.state.held.keeper, "record", down)
        assert (await hand_over(product, ann, bob)).status_code == 503

    assert await ann.owned() == set(made)


async def test_of_an_edit_and_a_hand_over_at_once_neither_is_lost(product: Product) -> None:
    for _ in range(3):
        ann, bob = await hire(product), await hire(product)
        (contact,) = await ann.makes(1)
        etag = (await ann.client.get(f"/v1/contacts/{contact}", params=SERVE)).headers["etag"]
        edit = ann.client.patch(f"/v1/contacts/{contact}", json={"language": "fr"}, headers={"if-match": etag})

        edited, moved = await asyncio.gather(edit, hand_over(product, ann, bob))

        found = await product.opened(contact)
        assert (moved.status_code, found["owner"]) == (201, bob.id)
        assert (edited.status_code, found["language"]) in {(200, "fr"), (412, None)}
