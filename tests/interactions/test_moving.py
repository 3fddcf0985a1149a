"""An interaction logged with the wrong person goes to the right one, whole, or stays."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crm.interactions import moving
from crm.interactions.queries import moving as queries
from crm.kit.ids import new_id
from tests.interactions.calls import CALL, DUE, agenda, at, attach, entries, log, made, move, renew, summaries, versions
from tests.product import Product


async def test_it_goes_with_versions_file_and_follow_up(product: Product) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong, summary="one", follow_up={"due": DUE, "title": "After"})
    await renew(product, wrong, first["id"], 1, summary="two")
    file = await attach(product, wrong, first["id"])
    await log(product, wrong, summary="stays")

    answer = await move(product, wrong, first["id"], right)

    assert answer == {"id": first["id"], "contact": right, "log_index": answer["log_index"]}
    assert await summaries(product, wrong) == ["stays"]
    (shown,) = (await product.opened(right))["interactions"]
    assert (shown["id"], shown["summary"], shown["version"]) == (first["id"], "two", 2)
    assert [one["name"] for one in shown["attachments"]] == ["Zoë's notes.txt"]
    assert [one["summary"] for one in await versions(product, right, first["id"])] == ["one", "two"]
    got = await product.staff.get(at(right, first["id"], f"attachments/{file['id']}"))
    assert got.content == "what Zoë said\n".encode()
    (plan,) = [one for one in await agenda(product.staff) if one["id"] == first["follow_up"]]
    assert (plan["title"], plan["contact"]["id"]) == ("After", right)
    for what in ("versions", f"attachments/{file['id']}"):
        assert (await product.staff.get(at(wrong, first["id"], what))).status_code == 404


async def test_both_are_in_the_log(product: Product) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong)

    answer = await move(product, wrong, first["id"], right)

    (opened,), (sealed,) = await entries(product, wrong, "open"), await entries(product, right, "seal")
    (moved,) = await entries(product, right, "record")
    assert (opened["records"], opened["reason"], opened["ref"]) == (
        [first["id"]],
        "correction",
        f"interaction:{first['id']}",
    )
    assert (sealed["index"], sealed["subjects"]) == (answer["log_index"], [right])
    assert (moved["what"], moved["subjects"], moved["ref"]) == (
        "interaction_moved",
        [wrong, right],
        f"interaction:{first['id']}",
    )


async def test_asked_again_it_answers_as_the_first_time(product: Product) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong, id=new_id(), summary="one")

    answer = await move(product, wrong, first["id"], right)

    assert await move(product, wrong, first["id"], right) == answer
    assert await move(product, right, first["id"], right) == answer
    assert len(await entries(product, right, "seal")) == 1
    # Logged again by a client that never heard the answer, it is not doubled either.
    assert await log(product, wrong, id=first["id"], summary="one") == first
    assert await summaries(product, wrong) == []


async def test_there_and_back_and_there_again(product: Product) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong, summary="one")

    for source, target in ((wrong, right), (right, wrong), (wrong, right)):
        await move(product, source, first["id"], target)
        assert (await summaries(product, source), await summaries(product, target)) == ([], ["one"])


async def test_what_was_moved_on_is_no_longer_there(product: Product) -> None:
    one, two, three = [await product.contact() for _ in range(3)]
    first = await log(product, one)
    await move(product, one, first["id"], two)
    await move(product, two, first["id"], three)

    answer = await product.staff.post(at(one, first["id"], "move"), json={"to": two})

    assert answer.status_code == 404
    assert len(await versions(product, three, first["id"])) == 1


async def test_what_came_with_a_merge_is_moved_too(product: Product) -> None:
    gone, kept, right = [await product.contact() for _ in range(3)]
    first = await log(product, gone, summary="one")
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    answer = await move(product, kept, first["id"], right)

    assert await move(product, kept, first["id"], right) == answer
    assert (await summaries(product, kept), await summaries(product, right)) == ([], ["one"])


async def test_it_can_be_given_to_the_one_who_stands_for_good(product: Product) -> None:
    """What stays with the contact that stands is not taken along when the merge is undone."""
    gone, kept = await product.contact(), await product.contact()
    first = await log(product, gone, summary="one")
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    await move(product, kept, first["id"], kept)
    await product.staff.post(f"/v1/contacts/{gone}/merge/undo")

    assert (await summaries(product, gone), await summaries(product, kept)) == ([], ["one"])


async def test_nobody_else_sees_or_gets_anything(product: Product) -> None:
    one, other, third = [await product.contact() for _ in range(3)]
    first = await log(product, one)

    unknown = await product.staff.post(at(new_id(), first["id"], "move"), json={"to": other})
    for contact, interaction, to in (
        (one, new_id(), other),
        (one, "x", other),
        (other, first["id"], third),  # foreign
        (other, first["id"], one),  # foreign, though it is where it is said to go
        (one, first["id"], new_id()),
    ):
        answer = await product.staff.post(at(contact, interaction, "move"), json={"to": to})
        assert (answer.status_code, answer.content) == (404, unknown.content)
    for body in ({}, {"to": "x"}, {"to": other, "from": one}):
        assert (await product.staff.post(at(one, first["id"], "move"), json=body)).status_code == 422
    assert (await product.auditor.post(at(one, first["id"], "move"), json={"to": other})).status_code == 403
    assert len(await versions(product, one, first["id"])) == 1


async def test_somebody_who_is_being_erased_gets_and_gives_nothing(product: Product) -> None:
    one, erased = await product.contact(), await product.contact()
    mine, theirs = await log(product, one), await log(product, erased)
    await product.staff.delete(f"/v1/contacts/{erased}", params={"ground": "request"})

    for contact, interaction, to in ((one, mine["id"], erased), (erased, theirs["id"], one)):
        answer = await product.staff.post(at(contact, interaction, "move"), json={"to": to})
        assert answer.status_code == 404
    assert len((await product.opened(one))["interactions"]) == 1


async def test_an_id_that_is_taken_there_is_a_clash_and_nothing_moves(product: Product) -> None:
    one, other = await product.contact(), await product.contact()
    id_ = new_id()
    await log(product, one, id=id_, summary="mine")
    await log(product, other, id=id_, summary="theirs")

    answer = await product.staff.post(at(one, id_, "move"), json={"to": other})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert (await summaries(product, one), await summaries(product, other)) == (["mine"], ["theirs"])


async def test_a_files_id_that_is_taken_there_is_a_clash_and_nothing_moves(product: Product) -> None:
    one, other, id_ = await product.contact(), await product.contact(), new_id()
    mine, theirs = await log(product, one, summary="mine"), await log(product, other, summary="theirs")
    for contact, interaction in ((one, mine["id"]), (other, theirs["id"])):
        await attach(product, contact, interaction, id=id_)

    answer = await product.staff.post(at(one, mine["id"], "move"), json={"to": other})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    assert (await summaries(product, one), await summaries(product, other)) == (["mine"], ["theirs"])


@pytest.mark.parametrize("step", ["carry", "_leave"])
async def test_a_failure_between_leaves_it_where_it_was(
    product: Product, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Over-reported and neither lost nor doubled: the entries stand, the rows do not change place."""
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong, summary="one")

    async def dies(*_: Any) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(queries, step, dies)
        answer = await product.staff.post(at(wrong, first["id"], "move"), json={"to": right})

    assert answer.status_code == 500
    assert (await summaries(product, wrong), await summaries(product, right)) == (["one"], [])
    assert len(await entries(product, right, "seal")) == 1
    await move(product, wrong, first["id"], right)
    assert (await summaries(product, wrong), await summaries(product, right)) == ([], ["one"])


async def test_a_move_to_somebody_erased_meanwhile_moves_nothing(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong, summary="one")
    keeper = product.app.state.held.keeper
    seal = keeper.seal

    async def late(*given: Any) -> Any:
        await product.staff2.delete(f"/v1/contacts/{right}", params={"ground": "request"})
        return await seal(*given)

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "seal", late)
        answer = await product.staff.post(at(wrong, first["id"], "move"), json={"to": right})

    assert answer.status_code == 404
    assert await summaries(product, wrong) == ["one"]


async def test_eight_who_move_it_to_one_place_move_it_once(product: Product) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong, summary="one")

    answers = await asyncio.gather(*(move(product, wrong, first["id"], right) for _ in range(8)))

    assert all(answer == answers[0] for answer in answers)
    assert (await summaries(product, wrong), await summaries(product, right)) == ([], ["one"])


async def test_two_who_move_it_to_two_places_move_it_to_one(product: Product) -> None:
    wrong, one, other = [await product.contact() for _ in range(3)]
    first = await log(product, wrong, summary="one")

    answers = await asyncio.gather(
        *(product.staff.post(at(wrong, first["id"], "move"), json={"to": to}) for to in (one, other) * 4)
    )

    codes = {answer.status_code for answer in answers}
    assert codes <= {200, 404, 412}
    assert 200 in codes
    places = [await summaries(product, contact) for contact in (wrong, one, other)]
    assert sorted(places) == [[], [], ["one"]]


Change = Callable[[Product, str, str], Awaitable[int]]


async def by_version(product: Product, contact: str, interaction: str) -> int:
    answer = await product.staff2.post(
        at(contact, interaction, "versions"), json={**CALL, "version": 1, "summary": "two"}
    )
    return answer.status_code


async def by_file(product: Product, contact: str, interaction: str) -> int:
    file = {"file": ("x.txt", b"x", "text/plain")}
    return (await product.staff2.post(at(contact, interaction, "attachments"), files=file)).status_code


async def by_move(product: Product, contact: str, interaction: str) -> int:
    to = await product.contact()
    return (await product.staff2.post(at(contact, interaction, "move"), json={"to": to})).status_code


@pytest.mark.parametrize("change", [by_version, by_file, by_move])
async def test_what_changed_since_it_was_opened_is_not_moved(
    product: Product, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong)
    seal_for = moving.seal_for

    async def meanwhile(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(moving, "seal_for", seal_for)
        sealed = await seal_for(*given, **named)
        assert await change(product, wrong, first["id"]) in {200, 201}
        return sealed

    monkeypatch.setattr(moving, "seal_for", meanwhile)
    answer = await product.staff.post(at(wrong, first["id"], "move"), json={"to": right})

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert await summaries(product, right) == []


@pytest.mark.parametrize("change", [by_version, by_file])
async def test_a_change_meets_a_move_and_neither_is_torn(product: Product, change: Change) -> None:
    """Whoever is first wins; the other is told, and everything of the interaction is in one place."""
    for _ in range(5):
        wrong, right = await product.contact(), await product.contact()
        first = await log(product, wrong)

        moved, changed = await asyncio.gather(
            product.staff.post(at(wrong, first["id"], "move"), json={"to": right}), change(product, wrong, first["id"])
        )

        assert (moved.status_code, changed) in {(200, 201), (412, 201), (200, 412), (200, 404)}
        here, there = await summaries(product, wrong), await summaries(product, right)
        assert len(here) + len(there) == 1
        place = right if moved.status_code == 200 else wrong
        (shown,) = (await product.opened(place))["interactions"]
        assert shown["version"] + len(shown["attachments"]) == (2 if changed == 201 else 1)


async def test_a_large_one_is_carried_in_portions(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "MOST_RECORDS", 2)
    monkeypatch.setattr(moving, "MOST_BYTES", 3000)
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong, summary="v1")
    for version in (1, 2, 3):
        await renew(product, wrong, first["id"], version, summary=f"v{version + 1}", notes="x" * 2000)
    file = await attach(product, wrong, first["id"], ("big.txt", b"y" * 9000, "text/plain"))

    await move(product, wrong, first["id"], right)

    opens = await entries(product, wrong, "open")
    assert len(opens) > 3
    assert all(len(entry["records"]) <= 2 for entry in opens)
    assert [one["summary"] for one in await versions(product, right, first["id"])] == ["v1", "v2", "v3", "v4"]
    got = await product.staff.get(at(right, first["id"], f"attachments/{file['id']}"))
    assert got.content == b"y" * 9000


async def test_ten_full_files_are_moved(product: Product) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong)
    data = b"%PDF-" + b"\0" * (5 * 1024 * 1024 - 5)
    for _ in range(10):
        await attach(product, wrong, first["id"], ("x.pdf", data, "application/pdf"))

    made(await product.staff.post(at(wrong, first["id"], "move"), json={"to": right}), 200)

    (shown,) = (await product.opened(right))["interactions"]
    assert [one["size_bytes"] for one in shown["attachments"]] == [len(data)] * 10


async def test_one_id_given_to_everything_is_several_records(product: Product) -> None:
    """A client that uses an id again for the follow-up and the file mixes nothing up, moved or not."""
    wrong, right, id_ = await product.contact(), await product.contact(), new_id()
    await log(product, wrong, id=id_, summary="one", follow_up={"id": id_, "due": DUE, "title": "After"})
    await attach(product, wrong, id_, id=id_)

    await move(product, wrong, id_, right)

    (shown,) = (await product.opened(right))["interactions"]
    assert (shown["summary"], [one["name"] for one in shown["attachments"]]) == ("one", ["Zoë's notes.txt"])
    assert (await product.staff.get(at(right, id_, f"attachments/{id_}"))).content == "what Zoë said\n".encode()
    assert [one["title"] for one in await agenda(product.staff) if one["id"] == id_] == ["After"]
