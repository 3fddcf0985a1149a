"""Many at once: nothing is lost, nothing is doubled, and whoever was too late is told."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from httpx import Response

from crm.kit.ids import new_id
from tests.product import SERVE, Product

ROUNDS = 6


async def etag(product: Product, contact: str) -> str:
    return (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).headers["etag"]


def patch(product: Product, contact: str, tag: str, **body: Any) -> Awaitable[Response]:
    return product.staff.patch(f"/v1/contacts/{contact}", json=body, headers={"if-match": tag})


async def entries(product: Product, contact: str, act: str) -> list[int]:
    where = {"subject": contact, "act": act}
    found = (await product.auditor.get("/v1/log/entries", params=where)).json()["entries"]
    return [entry["index"] for entry in found]


async def test_two_hundred_creations_of_one_id_make_one(product: Product) -> None:
    contact = new_id()
    body = {"id": contact, "given_name": "Ada", "emails": [f"{contact}@example.org"], "language": "en"}

    answers = await asyncio.gather(*(product.staff.post("/v1/contacts", json=body) for _ in range(200)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await entries(product, contact, "put")) == 1
    found = await product.opened(contact)
    assert found["channels"] == {"emails": [f"{contact}@example.org"]}
    assert (await etag(product, contact)) == '"1.1.1.0"'


async def test_two_hundred_creations_of_one_company_make_one(product: Product) -> None:
    body = {"id": new_id(), "name": "Acme", "phones": ["+4930123"], "confirm_duplicate": True}

    answers = await asyncio.gather(*(product.staff.post("/v1/companies", json=body) for _ in range(200)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await entries(product, body["id"], "put")) == 1


async def test_of_editors_at_once_each_is_told_the_truth(product: Product) -> None:
    """Sections and plain attributes: what was answered 200 is there, what was answered 412 is not."""
    for _ in range(ROUNDS):
        contact = await product.contact()
        seen = await etag(product, contact)
        changes: list[dict[str, Any]] = [
            {"job_title": "a"}, {"job_title": "b"}, {"phones": ["+4930111"]}, {"language": "fr"}, {"country": "FR"},
        ]  # fmt: skip

        answers = await asyncio.gather(*(patch(product, contact, seen, **change) for change in changes))

        assert {answer.status_code for answer in answers} <= {200, 412}
        (won,) = [change for change, answer in zip(changes, answers, strict=True) if answer.status_code == 200]
        found = await product.opened(contact)
        plain = {name: found[name] for name in ("language", "country") if found[name]}
        field, value = next(iter(won.items()))
        assert (found["identity"] | found["channels"] | plain).get(field) == value
        assert await etag(product, contact) == next(a for a in answers if a.status_code == 200).headers["etag"]


async def test_a_merge_and_edits_of_both(product: Product) -> None:
    for _ in range(ROUNDS):
        gone, kept = await product.contact(phones=["+4930111"]), await product.contact(emails=["a@example.org"])
        tags = [await etag(product, gone), await etag(product, kept)]

        merged, of_gone, of_kept = await asyncio.gather(
            product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept, "keep": ["phones"]}),
            patch(product, gone, tags[0], phones=["+4930222"]),
            patch(product, kept, tags[1], emails=["b@example.org"]),
        )

        assert merged.status_code in {200, 412}
        assert of_gone.status_code in {200, 404, 412}
        assert of_kept.status_code in {200, 412}
        if merged.status_code != 200:
            again = await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept, "keep": ["phones"]})
            assert again.status_code == 200
        channels = (await product.opened(kept))["channels"]
        if of_gone.status_code == 200:
            assert channels["phones"] == ["+4930222"]
        if of_kept.status_code == 200:
            assert channels["emails"] == ["b@example.org"]
        assert (await product.staff.get(f"/v1/contacts/{gone}", params=SERVE)).status_code == 404


async def test_merges_that_exclude_each_other(product: Product) -> None:
    for _ in range(ROUNDS):
        one, two, three = [await product.contact() for _ in range(3)]
        pairs = [(one, two), (two, one), (one, three)]

        answers = await asyncio.gather(
            *(product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept}) for gone, kept in pairs)
        )

        assert {answer.status_code for answer in answers} <= {200, 404}
        won = [pair for pair, answer in zip(pairs, answers, strict=True) if answer.status_code == 200]
        gone = {pair[0] for pair in won}
        assert len(gone) == len(won) >= 1
        for contact in (one, two, three):
            opened = await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)
            assert opened.status_code == (404 if contact in gone else 200)


async def test_nothing_opens_behind_an_erasure(product: Product) -> None:
    for _ in range(ROUNDS):
        contact = await product.contact()
        opens = [product.staff.get(f"/v1/contacts/{contact}", params=SERVE) for _ in range(10)]
        erasure = product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "mistake"})

        *opened, erased = await asyncio.gather(*opens[:5], *opens[5:], erasure)

        assert erased.status_code == 202
        assert {answer.status_code for answer in opened} <= {200, 404}
        shown = [answer.json()["log_index"] for answer in opened if answer.status_code == 200]
        assert all(index < erased.json()["log_index"] for index in shown)
        assert sorted(shown) == await entries(product, contact, "open")


async def test_an_erasure_and_an_edit(product: Product) -> None:
    for _ in range(ROUNDS):
        contact = await product.contact()
        seen = await etag(product, contact)

        edited, erased = await asyncio.gather(
            patch(product, contact, seen, phones=["+4930111"], language="fr"),
            product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "mistake"}),
        )

        assert erased.status_code == 202
        assert edited.status_code in {200, 404, 412}
        assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 404
        assert (await product.staff2.post(f"/v1/contacts/{contact}/erase/cancel")).status_code == 200
        if edited.status_code == 200:
            found = await product.opened(contact)
            assert (found["channels"], found["language"]) == ({"phones": ["+4930111"]}, "fr")


async def test_of_two_who_undo_one_does(product: Product) -> None:
    for _ in range(ROUNDS):
        gone, kept = await product.contact(), await product.contact()
        await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

        answers = await asyncio.gather(*(product.staff.post(f"/v1/contacts/{gone}/merge/undo") for _ in range(3)))

        assert sorted(answer.status_code for answer in answers) == [200, 404, 404]
        for contact in (gone, kept):
            assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 200


async def test_of_two_who_cancel_one_does(product: Product) -> None:
    for _ in range(ROUNDS):
        contact = await product.contact()
        await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "mistake"})

        answers = await asyncio.gather(
            *(product.staff2.post(f"/v1/contacts/{contact}/erase/cancel") for _ in range(3)),
            product.staff.post(f"/v1/contacts/{contact}/erase/cancel"),
        )

        assert sorted(answer.status_code for answer in answers[:3]) == [200, 404, 404]
        assert answers[3].status_code in {403, 404}
        assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 200


async def test_who_is_refused_does_not_hide_what_somebody_else_cancelled(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who asked for the erasure takes the row, another cancels meanwhile, and the first is refused."""
    contact = await product.contact()
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "mistake"})
    keeper = product.app.state.held.keeper
    cancel = keeper.cancel_erase

    async def slowly(token: str, subject: str) -> int:
        monkeypatch.setattr(keeper, "cancel_erase", cancel)
        assert (await product.staff2.post(f"/v1/contacts/{contact}/erase/cancel")).status_code == 200
        return int(await cancel(token, subject))

    monkeypatch.setattr(keeper, "cancel_erase", slowly)

    assert (await product.staff.post(f"/v1/contacts/{contact}/erase/cancel")).status_code == 404
    assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 200


async def test_who_is_refused_does_not_merge_again_what_somebody_else_undid(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = await product.contact(), await product.contact()
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})
    keeper = product.app.state.held.keeper
    unmerge = keeper.unmerge

    async def slowly(token: str, subject: str) -> int:
        monkeypatch.setattr(keeper, "unmerge", unmerge)
        assert (await product.staff2.post(f"/v1/contacts/{gone}/merge/undo")).status_code == 200
        return int(await unmerge(token, subject))

    monkeypatch.setattr(keeper, "unmerge", slowly)

    assert (await product.staff.post(f"/v1/contacts/{gone}/merge/undo")).status_code == 404
    assert (await product.staff.get(f"/v1/contacts/{gone}", params=SERVE)).status_code == 200


async def test_of_a_patch_that_is_refused_nothing_is_written(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two change different sections; the keeper would take both."""
    contact = await product.contact()
    seen = await etag(product, contact)
    held = product.app.state.held
    find = held.reads.row

    async def late(*given: Any, **values: Any) -> Any:
        row = await find(*given, **values)
        monkeypatch.setattr(held.reads, "row", find)
        assert (await patch(product, contact, seen, phones=["+4930111"])).status_code == 200
        return row

    monkeypatch.setattr(held.reads, "row", late)

    assert (await patch(product, contact, seen, job_title="Countess")).status_code == 412
    found = await product.opened(contact)
    assert (found["identity"], found["channels"]) == ({"given_name": "Ada"}, {"phones": ["+4930111"]})


async def test_whoever_reads_between_the_two_steps_of_a_patch_loses_nothing(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one between keeps what they were answered; the patch of both kinds is told that its plain half is late."""
    contact = await product.contact()
    seen, keeper = await etag(product, contact), product.app.state.held.keeper
    put = keeper.put

    async def late(*given: Any) -> Any:
        monkeypatch.setattr(keeper, "put", put)
        between = await etag(product, contact)
        assert (await patch(product, contact, between, language="fr")).status_code == 200
        return await put(*given)

    monkeypatch.setattr(keeper, "put", late)

    answer = await patch(product, contact, seen, job_title="Countess", language="de")

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    found = await product.opened(contact)
    assert (found["language"], found["identity"]["job_title"]) == ("fr", "Countess")
