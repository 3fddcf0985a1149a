"""What is typed and not logged yet."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.interactions import drafting
from crm.interactions.queries import drafts as queries
from crm.kit.clock import parse_rfc3339
from crm.kit.ids import new_id
from tests.interactions.calls import CALL, DUE, entries, log, made
from tests.product import Product


def url(contact: str) -> str:
    return f"/v1/contacts/{contact}/draft"


async def save(at: Product, contact: str, name: str = "staff", **fields: Any) -> dict[str, Any]:
    return made(await at.as_(name).put(url(contact), json=fields), 200)


async def read(product: Product, contact: str, name: str = "staff") -> Any:
    """Return what the draft says; None where there is none."""
    answer = await product.as_(name).get(url(contact))
    return None if answer.status_code == 404 else made(answer, 200)["draft"]


async def test_it_comes_back_as_it_was_typed(product: Product) -> None:
    contact = await product.contact()
    typed = {
        "kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z", "summary": "Zoë", "notes": "a\nb",
        "product": "no such thing yet", "needs": ["neither"], "follow_up": {"title": "Ring", "due": DUE},
    }  # fmt: skip

    saved = await save(product, contact, **typed)
    answer = await product.staff.get(url(contact), params={"reason": "call"})

    body = answer.json()
    assert body["draft"] == {**typed, "follow_up": {"title": "Ring", "due": "2026-11-25T09:00:00Z"}}
    assert (body["saved_at"], body["expires_at"]) == (saved["saved_at"], saved["expires_at"])
    assert answer.headers["cache-control"] == "no-store"


async def test_opening_it_is_an_open_with_its_reason(product: Product) -> None:
    contact = await product.contact()
    await save(product, contact, notes="x")

    answer = await product.staff.get(url(contact), params={"reason": "complaint"})

    (entry,) = await entries(product, contact, "open")
    assert (entry["index"], entry["reason"], entry["purpose"]) == (answer.json()["log_index"], "complaint", "serve")


async def test_one_a_person_and_contact(product: Product) -> None:
    contact, other = await product.contact(), await product.contact()
    await save(product, contact, notes="first")

    await save(product, contact, notes="second")

    assert await read(product, contact) == {"notes": "second"}
    assert await read(product, contact, "staff2") is None
    assert await read(product, other) is None


async def test_the_last_of_many_at_once_stands_whole(product: Product) -> None:
    contact = await product.contact()

    await asyncio.gather(*(save(product, contact, summary=str(n), notes=str(n)) for n in range(12)))

    found = await read(product, contact)
    assert found["summary"] == found["notes"]


async def test_it_goes_when_the_interaction_is_logged(product: Product) -> None:
    contact, other = await product.contact(), await product.contact()
    for one in (contact, other):
        await save(product, one, notes="x")
    await save(product, contact, "staff2", notes="theirs")

    await log(product, contact)

    assert await read(product, contact) is None
    assert await read(product, other) == {"notes": "x"}
    assert await read(product, contact, "staff2") == {"notes": "theirs"}


async def test_it_stays_when_logging_fails(product: Product) -> None:
    contact = await product.contact()
    await save(product, contact, notes="x")

    answer = await product.staff.post(f"/v1/contacts/{contact}/interactions", json={**CALL, "needs": ["?"]})

    assert answer.status_code == 422
    assert await read(product, contact) == {"notes": "x"}


async def test_it_is_dropped(product: Product) -> None:
    contact = await product.contact()
    await save(product, contact, notes="x")
    await save(product, contact, "staff2", notes="theirs")

    answers = [await product.staff.delete(url(contact)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert await read(product, contact) is None
    assert await read(product, contact, "staff2") == {"notes": "theirs"}


async def test_it_is_kept_for_seven_days(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = await product.contact()
    saved = await save(product, contact, notes="x")
    monkeypatch.setattr(drafting, "KEPT", timedelta(0))

    assert parse_rfc3339(saved["expires_at"]) - parse_rfc3339(saved["saved_at"]) == 7 * 24 * 3_600_000
    assert await read(product, contact) is None


async def test_that_of_the_merged_away_shows_with_the_one_who_stands(product: Product) -> None:
    gone, kept = await product.contact(), await product.contact()
    await save(product, gone, notes="old")
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    assert await read(product, kept) == {"notes": "old"}
    await save(product, kept, notes="new")
    assert await read(product, kept) == {"notes": "new"}
    await log(product, kept)
    assert await read(product, kept) is None


async def test_erased_and_unknown_are_one_answer(product: Product) -> None:
    contact, fine = await product.contact(), await product.contact()
    await save(product, contact, notes="x")
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})

    bodies = set()
    for one in (contact, new_id(), "x"):
        answers = [
            await product.staff.put(url(one), json={"notes": "x"}),
            await product.staff.get(url(one)),
            await product.staff.delete(url(one)),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
        bodies |= {answer.content for answer in answers}
    bodies.add((await product.staff.get(url(fine))).content)
    assert len(bodies) == 1


async def test_mistakes_are_pointed_at_and_not_quoted(product: Product) -> None:
    contact = await product.contact()

    for body, pointer in (
        ({"kind": "Quilligan"}, "/body/kind"),
        ({"notes": "Quilligan" * 9999}, "/body/notes"),
        ({"Quilligan": "x"}, "/body"),
        ({"follow_up": {"title": "Quilligan\0"}}, "/body/follow_up/title"),
    ):
        answer = await product.staff.put(url(contact), json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert "Quilligan" not in answer.text
    assert (await product.staff.get(url(contact), params={"reason": "fun"})).status_code == 422


async def test_a_failure_behind_the_keeper_leaves_the_draft_that_stood(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = await product.contact()
    await save(product, contact, notes="stands")

    async def dies(*_: Any) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(queries, "save", dies)
        assert (await product.staff.put(url(contact), json={"notes": "lost"})).status_code == 500

    assert await read(product, contact) == {"notes": "stands"}


async def test_one_saved_while_another_is_logged_is_there_whole_or_gone(product: Product) -> None:
    """Logging lets go of the draft between the two statements of a saving: what was saved then is a first one."""
    contact = await product.contact()
    await save(product, contact, notes="old")
    held = product.app.state.held
    author = product.keeper.cast["staff"].id
    row = await held.reads.row(queries._FIND, contact=contact, author=author, since=datetime(2000, 1, 1, tzinfo=UTC))
    values = {
        "contact": contact, "author": author, "record": new_id(), "saved_at": row["saved_at"], "sealed": b"new",
        "log_index": 0,
    }  # fmt: skip

    async with held.database.writes() as db:
        executed = db.execute
        statements = 0

        async def execute(statement: Any, *rest: Any) -> Any:
            nonlocal statements
            statements += 1
            if statements == 2:
                assert (await product.staff.delete(url(contact))).status_code == 204
            return await executed(statement, *rest)

        db.execute = execute  # type: ignore[method-assign]
        await queries.save(db, values)

    row = await held.reads.row(queries._FIND, contact=contact, author=author, since=datetime(2000, 1, 1, tzinfo=UTC))
    assert (row["record"], row["sealed"], statements) == (values["record"], b"new", 3)
