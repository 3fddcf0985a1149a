"""Interactions are said anew, never edited."""

import asyncio
from typing import Any

import pytest

from crm.interactions import writing
from crm.interactions.queries import interactions as queries
from crm.kit.ids import new_id
from tests.interactions.calls import (
    CALL,
    DUE,
    agenda,
    at,
    attach,
    entries,
    follow,
    log,
    move,
    renew,
    summaries,
    versions,
)
from tests.product import Product


async def test_the_newest_stands_and_all_can_be_read_in_order(product: Product) -> None:
    await product.term("need", "Softer")
    contact = await product.contact()
    first = await log(product, contact, summary="one", notes="n1")

    second = await renew(product, contact, first["id"], 1, kind="chat", summary="two", needs=["softer"])
    await renew(product, contact, first["id"], 2, summary="three", occurred_at="2026-11-20T08:00:00Z")

    (shown,) = (await product.opened(contact))["interactions"]
    found = await versions(product, contact, first["id"])
    assert second == {"id": first["id"], "version": 2, "log_index": second["log_index"]}
    assert (shown["version"], shown["summary"], shown["occurred_at"]) == (3, "three", "2026-11-20T08:00:00.000Z")
    assert [(one["version"], one["kind"], one["summary"], one["notes"], one["needs"]) for one in found] == [
        (1, "call", "one", "n1", []),
        (2, "chat", "two", "", ["Softer"]),
        (3, "call", "three", "", []),
    ]


async def test_anybody_of_the_staff_may_and_it_is_told_who(product: Product) -> None:
    contact = await product.contact()
    first = await log(product, contact)

    answer = await product.staff2.post(at(contact, first["id"], "versions"), json={**CALL, "version": 1})

    assert answer.status_code == 201
    authors = [one["author"] for one in await versions(product, contact, first["id"])]
    assert authors == [product.keeper.cast[name].id for name in ("staff", "staff2")]
    assert (await entries(product, contact, "seal"))[-1]["actor"] == authors[1]


async def test_reading_all_versions_is_one_entry_and_names_them(product: Product) -> None:
    contact = await product.contact()
    first = await log(product, contact)
    await renew(product, contact, first["id"], 1)

    answer = await product.staff.get(at(contact, first["id"], "versions"), params={"reason": "complaint"})

    (entry,) = await entries(product, contact, "open")
    assert entry["index"] == answer.json()["log_index"]
    assert (len(entry["records"]), entry["reason"], entry["fields"]) == (2, "complaint", [])
    assert entry["ref"] == f"interaction:{first['id']}"


async def test_another_than_the_newest_cannot_be_replaced(product: Product) -> None:
    contact = await product.contact()
    first = await log(product, contact, summary="one")
    await renew(product, contact, first["id"], 1, summary="two")

    for version in (1, 3):
        answer = await product.staff.post(at(contact, first["id"], "versions"), json={**CALL, "version": version})
        assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert await summaries(product, contact) == ["two"]


async def test_two_who_write_at_once_are_told_apart(product: Product) -> None:
    contact = await product.contact()
    first = await log(product, contact)
    url = at(contact, first["id"], "versions")

    answers = await asyncio.gather(
        *(product.staff.post(url, json={**CALL, "version": 1, "summary": str(number)}) for number in range(8))
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 7
    (written,) = [number for number, answer in enumerate(answers) if answer.status_code == 201]
    assert [one["summary"] for one in await versions(product, contact, first["id"])] == ["", str(written)]
    assert await summaries(product, contact) == [str(written)]


async def test_the_same_id_again_answers_as_the_first_time(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()
    first = await log(product, contact)
    plan = {"due": DUE, "title": "Once"}

    answers = await asyncio.gather(
        *(renew(product, contact, first["id"], 1, id=id_, summary="two", follow_up=plan) for _ in range(6))
    )
    await renew(product, contact, first["id"], 2, summary="three")
    late = await renew(product, contact, first["id"], 1, id=id_, summary="other")

    assert all(answer == late for answer in answers)
    assert late["version"] == 2
    assert [one["summary"] for one in await versions(product, contact, first["id"])] == ["", "two", "three"]
    assert [one["id"] for one in await agenda(product.staff) if one["contact"]["id"] == contact] == [late["follow_up"]]


async def test_an_interaction_logged_again_answers_with_its_first_version(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()
    first = await log(product, contact, id=id_, summary="one")
    await renew(product, contact, id_, 1, summary="two")

    assert await log(product, contact, id=id_, summary="one") == first
    assert await summaries(product, contact) == ["two"]


async def test_an_id_that_stands_for_something_else_is_a_clash(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()
    one, other = await log(product, contact, summary="one"), await log(product, contact, summary="other")
    await renew(product, contact, one["id"], 1, id=id_, summary="two")

    answers = [
        await product.staff.post(at(contact), json={**CALL, "id": id_}),
        await product.staff.post(at(contact, other["id"], "versions"), json={**CALL, "id": id_, "version": 1}),
        await product.staff.post(at(contact, one["id"], "versions"), json={**CALL, "id": other["id"], "version": 2}),
        await product.staff.post(at(contact, one["id"], "versions"), json={**CALL, "id": one["id"], "version": 2}),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "duplicate")] * 4
    assert sorted(await summaries(product, contact)) == ["other", "two"]


async def test_what_came_with_a_merge_is_said_anew_by_the_one_who_stands(product: Product) -> None:
    """Nothing is sealed for somebody merged away, so it goes over whole: versions, file and follow-up."""
    gone, kept = await product.contact(), await product.contact()
    first = await log(product, gone, summary="one", follow_up={"due": DUE, "title": "After"})
    file = await attach(product, gone, first["id"])
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    second = await renew(product, kept, first["id"], 1, summary="two")
    await renew(product, kept, first["id"], 2, summary="three")

    assert second["version"] == 2
    assert [one["summary"] for one in await versions(product, kept, first["id"])] == ["one", "two", "three"]
    assert (await product.staff.post(f"/v1/contacts/{gone}/merge/undo")).status_code == 200
    (shown,) = (await product.opened(kept))["interactions"]
    assert [one["id"] for one in shown["attachments"]] == [file["id"]]
    assert (await product.opened(gone))["interactions"] == []
    assert [one["title"] for one in await agenda(product.staff) if one["contact"]["id"] == kept] == ["After"]


async def test_there_are_no_more_versions_than_one_opens_at_once(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_VERSIONS", 2)
    contact = await product.contact()
    first = await log(product, contact)
    await renew(product, contact, first["id"], 1)

    answer = await product.staff.post(at(contact, first["id"], "versions"), json={**CALL, "version": 2})

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_unknown_foreign_and_malformed_interactions_are_one_answer(product: Product) -> None:
    contact, other = await product.contact(), await product.contact()
    theirs = await log(product, other)
    for name in (theirs["id"], new_id(), "x"):
        written = await product.staff.post(at(contact, name, "versions"), json={**CALL, "version": 1})
        read = await product.staff.get(at(contact, name, "versions"))
        assert (written.status_code, read.status_code) == (404, 404)
        assert written.content == read.content
    assert (await product.marketing.get(at(contact, theirs["id"], "versions"))).status_code == 403


async def test_mistakes_are_pointed_at(product: Product) -> None:
    contact = await product.contact()
    first = await log(product, contact)
    url = at(contact, first["id"], "versions")

    for change, pointer in (
        ({}, "/body/version"),
        ({"version": 0}, "/body/version"),
        ({"version": 2**31}, "/body/version"),
        ({"version": 1, "kind": "dream"}, "/body/kind"),
        ({"version": 1, "follow_up": {"due": DUE, "title": ""}}, "/body/follow_up/title"),
        ({"version": 1, "follow_up": {"due": DUE, "title": "x", "assignee": "me"}}, "/body/follow_up/assignee"),
    ):
        answer = await product.staff.post(url, json={**CALL, **change})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    for change, pointer in (
        ({"needs": ["?"]}, "/body/needs/0"),
        ({"follow_up": {"due": DUE, "title": "x", "assignee": new_id()}}, "/body/follow_up/assignee"),
    ):
        answer = await product.staff.post(url, json={**CALL, "version": 1, **change})
        assert (answer.status_code, answer.json()["pointer"]) == (422, pointer)
    assert len(await versions(product, contact, first["id"])) == 1


async def test_a_failure_behind_the_keeper_leaves_the_version_that_stood(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = await product.contact()
    first = await log(product, contact, summary="one")

    async def broken(*_: Any) -> bool:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(queries, "add", broken)
        answer = await product.staff.post(at(contact, first["id"], "versions"), json={**CALL, "version": 1})

    assert answer.status_code == 500
    assert await summaries(product, contact) == ["one"]
    assert (await renew(product, contact, first["id"], 1, summary="two"))["version"] == 2


async def test_what_follows_is_made_in_the_same_transaction_or_not_at_all(product: Product) -> None:
    contact = await product.contact()
    taken = await follow(product, contact)

    answer = await product.staff.post(
        at(contact), json={**CALL, "follow_up": {"id": taken["id"], "due": DUE, "title": "Again"}}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert await summaries(product, contact) == []


async def test_what_follows_stands_in_the_same_entry(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()
    colleague = product.keeper.cast["staff2"].id
    body = {"id": id_, "follow_up": {"due": DUE, "title": "Ring back", "assignee": colleague}}

    first, again = await log(product, contact, **body), await log(product, contact, **body)

    assert first == again
    (shown,) = [one for one in await agenda(product.staff2) if one["id"] == first["follow_up"]]
    assert (shown["title"], shown["due"], shown["assignee"]) == ("Ring back", DUE, colleague)
    (entry,) = await entries(product, contact, "seal")
    assert (entry["index"], len(entry["records"])) == (first["log_index"], 2)


async def test_two_hundred_at_once_log_one(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()
    body = {**CALL, "id": id_, "summary": "one", "follow_up": {"due": DUE, "title": "Once"}}

    answers = await asyncio.gather(*(product.staff.post(at(contact), json=body) for _ in range(200)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await summaries(product, contact) == ["one"]
    assert len([one for one in await agenda(product.staff) if one["contact"]["id"] == contact]) == 1


async def test_erasing_and_logging_at_once_lose_nothing(product: Product) -> None:
    contact = await product.contact()

    erased, *logged = await asyncio.gather(
        product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"}),
        *(product.staff.post(at(contact), json={**CALL, "summary": str(number)}) for number in range(8)),
    )

    assert erased.status_code == 202
    assert {answer.status_code for answer in logged} <= {201, 404}
    assert (await product.staff.get(f"/v1/contacts/{contact}?purpose=serve")).status_code == 404
    assert (await product.staff2.post(f"/v1/contacts/{contact}/erase/cancel")).status_code == 200
    kept = {str(number) for number, answer in enumerate(logged) if answer.status_code == 201}
    assert set(await summaries(product, contact)) == kept


async def test_of_two_with_one_id_who_were_merged_the_contacts_own_is_meant(product: Product) -> None:
    gone, kept, id_ = await product.contact(), await product.contact(), new_id()
    for contact in (gone, kept):
        await log(product, contact, id=id_, summary="one")
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    await renew(product, kept, id_, 1, summary="two")

    assert [one["summary"] for one in await versions(product, kept, id_)] == ["one", "two"]
    await product.staff.post(f"/v1/contacts/{gone}/merge/undo")
    assert await summaries(product, gone) == ["one"]


@pytest.mark.parametrize("is_moved", [False, True])
async def test_what_happens_between_sealing_and_writing_is_told(
    product: Product, monkeypatch: pytest.MonkeyPatch, *, is_moved: bool
) -> None:
    """Somebody wrote the next version meanwhile, or moved it to another person."""
    contact, right = await product.contact(), await product.contact()
    first = await log(product, contact, summary="one")
    keeper = product.app.state.held.keeper
    seal = keeper.seal

    async def late(*given: Any) -> Any:
        monkeypatch.setattr(keeper, "seal", seal)
        if is_moved:
            await move(product, contact, first["id"], right)
        else:
            await renew(product, contact, first["id"], 1, summary="theirs")
        return await seal(*given)

    monkeypatch.setattr(keeper, "seal", late)
    answer = await product.staff.post(at(contact, first["id"], "versions"), json={**CALL, "version": 1})

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert await summaries(product, right if is_moved else contact) == ["one" if is_moved else "theirs"]
