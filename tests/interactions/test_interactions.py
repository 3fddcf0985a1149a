"""Interactions of a contact."""

import asyncio
from typing import Any

from crm.kit.ids import new_id
from tests.product import SERVE, Product

CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}


async def log(at: Product, contact: str, **fields: Any) -> dict[str, Any]:
    answer = await at.staff.post(f"/v1/contacts/{contact}/interactions", json={**CALL, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_it_comes_back_with_the_contact(product: Product) -> None:
    await product.term("product", "Kettle")
    await product.term("need", "Quieter")
    contact = await product.contact()

    made = await log(
        product, contact, kind="meeting", direction="out", occurred_at="2026-11-23T10:00:00.1239+01:00",
        summary="Zoë 🙂 asked", notes="first\nsecond", product="kettle", needs=["Quieter", "quieter"],
    )  # fmt: skip

    (shown,) = (await product.opened(contact))["interactions"]
    assert set(made) == {"id", "version", "log_index"}
    assert shown.pop("created_at")
    assert shown == {
        "id": made["id"], "version": 1, "log_index": made["log_index"], "kind": "meeting", "direction": "out",
        "occurred_at": "2026-11-23T09:00:00.123Z", "author": product.keeper.cast["staff"].id,
        "product": "Kettle", "needs": ["Quieter"], "summary": "Zoë 🙂 asked", "notes": "first\nsecond",
        "attachments": [],
    }  # fmt: skip


async def test_the_same_id_again_answers_as_the_first_time(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()

    first = await log(product, contact, id=id_, summary="one")
    again = await log(product, contact, id=id_, summary="two")

    assert first == again
    assert [one["summary"] for one in (await product.opened(contact))["interactions"]] == ["one"]


async def test_a_double_click_logs_one(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()

    await asyncio.gather(*(log(product, contact, id=id_, summary="one") for _ in range(4)))

    assert [one["summary"] for one in (await product.opened(contact))["interactions"]] == ["one"]


async def test_the_newest_fifty_and_then_the_older_ones(product: Product) -> None:
    contact = await product.contact()
    # Two minutes of each number: what happened at one moment is in order too.
    for number in range(55):
        await log(product, contact, occurred_at=f"2026-11-23T10:{number // 2:02d}:00Z", summary=str(number))

    page = await product.opened(contact)
    older = await product.staff.get(f"/v1/contacts/{contact}/interactions", params={"before": page["next"]})

    first = [one["summary"] for one in page["interactions"]]
    rest = [one["summary"] for one in older.json()["interactions"]]
    assert (len(first), len(rest), older.json()["next"]) == (50, 5, None)
    assert {*first, *rest} == {str(number) for number in range(55)}
    assert [int(text) // 2 for text in [*first, *rest]] == sorted((n // 2 for n in range(55)), reverse=True)


async def test_one_page_is_one_entry(product: Product) -> None:
    contact = await product.contact()
    for _ in range(3):
        await log(product, contact)

    opened = await product.opened(contact)

    entries = await product.auditor.get("/v1/log/entries", params={"subject": contact, "act": "open"})
    (entry,) = entries.json()["entries"]
    assert entry["index"] == opened["log_index"]
    assert sorted(entry["records"]) == sorted(one["id"] for one in opened["interactions"])


async def test_mistakes_are_pointed_at(product: Product) -> None:
    contact = await product.contact()

    for change, pointer in (
        ({"kind": "dream"}, "/body/kind"),
        ({"direction": "up"}, "/body/direction"),
        ({"occurred_at": "2026-11-23T10:00:00"}, "/body/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "/body/occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "/body/occurred_at"),
        ({"notes": "x" * 20_001}, "/body/notes"),
        ({"summary": "a\0b"}, "/body/summary"),
    ):
        answer = await product.staff.post(f"/v1/contacts/{contact}/interactions", json={**CALL, **change})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    answer = await product.staff.post(f"/v1/contacts/{contact}/interactions", json={**CALL, "needs": ["?"]})
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/needs/0")


async def test_a_continue_token_that_is_none(product: Product) -> None:
    contact = await product.contact()

    for before in ("x", "1-2", "99999999999999999999-" + "a" * 32):
        answer = await product.staff.get(f"/v1/contacts/{contact}/interactions", params={"before": before})
        assert answer.status_code == 422
    for far in ("9999999999999", "-9999999999999"):
        answer = await product.staff.get(f"/v1/contacts/{contact}/interactions", params={"before": f"{far}-{'a' * 32}"})
        assert (answer.status_code, answer.json()["interactions"]) == (200, [])


async def test_older_ones_of_nobody(product: Product) -> None:
    for name, status in (("staff", 404), ("marketing", 403)):
        answer = await product.as_(name).get(f"/v1/contacts/{new_id()}/interactions")
        assert answer.status_code == status


async def test_a_record_changed_in_the_database_is_not_opened(product: Product) -> None:
    """Ciphertext is bound to its contact and place: rows swapped by whoever writes the database do not open."""
    one, other = await product.contact(), await product.contact()
    mine, theirs = await log(product, one, summary="mine"), await log(product, other, summary="theirs")
    async with product.app.state.held.database.writes() as db:
        connection = await db.connection()
        swap = "update interaction set sealed = (select sealed from interaction where id = $1) where id = $2"
        await connection.exec_driver_sql(swap, (theirs["id"], mine["id"]))

    answer = await product.staff.get(f"/v1/contacts/{one}", params=SERVE)

    assert answer.status_code >= 400
    assert "theirs" not in answer.text
