"""Vocabularies."""

import asyncio
from typing import Any

import pytest

from crm.contacts import vocabulary
from crm.contacts.vocabulary import HOUSE, Kind, Vocabulary
from crm.errors import NotFound, Stale
from crm.kit.ids import new_id
from tests.product import Product


async def test_a_term_is_added_and_listed(product: Product) -> None:
    id_ = await product.term("tag", "Gründungsmitglied")

    for name in ("staff", "marketing", "auditor"):
        terms = (await product.as_(name).get("/v1/vocabulary/tag")).json()["terms"]
        assert {"id": id_, "term": "Gründungsmitglied"} in terms


async def test_the_same_word_is_the_same_term(product: Product) -> None:
    first = await product.term("need", "Schnellere Lieferung")

    assert await product.term("need", "schnellere LIEFERUNG") == first


async def test_the_same_id_again_answers_as_the_first_time(product: Product) -> None:
    body = {"term": "Twice", "id": new_id()}

    answers = [await product.admin.post("/v1/vocabulary/topic", json=body) for _ in range(2)]

    assert [answer.json()["id"] for answer in answers] == [body["id"]] * 2


async def test_terms_added_at_once_all_stay(product: Product) -> None:
    await asyncio.gather(*(product.term("product", f"Product {number}") for number in range(4)))

    terms = (await product.staff.get("/v1/vocabulary/product")).json()["terms"]
    assert {f"Product {number}" for number in range(4)} <= {term["term"] for term in terms}


async def test_a_vocabulary_there_is_not(product: Product) -> None:
    assert (await product.staff.get("/v1/vocabulary/mood")).status_code == 422


async def test_terms_are_taken_by_text_or_id_and_shown_as_text(product: Product) -> None:
    stage, tag = await product.term("stage", "Interessent"), await product.term("tag", "VIP")

    contact = await product.contact(stage="interessent", tags=[tag, "vip"])
    found = await product.opened(contact)

    assert (found["stage"], found["tags"]) == ("Interessent", ["VIP"])
    assert stage not in str(found["stage"])


async def test_a_process_that_has_not_read_the_vocabulary_reads_it(product: Product) -> None:
    await product.term("stage", "Kunde")
    contact = await product.contact(stage="Kunde")
    product.app.state.held.vocabulary._keep({})

    assert (await product.opened(contact))["stage"] == "Kunde"


async def test_an_id_nobody_can_name_any_more_is_shown_as_it_is(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, token, gone = product.app.state.held.vocabulary, product.keeper.token("staff"), new_id()
    reads = 0
    read = held.read

    async def counted(given: str) -> Any:
        nonlocal reads
        reads += 1
        return await read(given)

    monkeypatch.setattr(held, "read", counted)

    texts = [await held.text_of(token, Kind.TAG, gone) for _ in range(3)]

    assert (texts, reads) == ([gone] * 3, 1)


async def test_a_vocabulary_that_is_full(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    await product.term("topic", "One")
    monkeypatch.setattr(vocabulary, "MOST_TERMS", 1)

    answer = await product.admin.post("/v1/vocabulary/topic", json={"term": "Two"})

    assert (answer.status_code, answer.json()["pointer"]) == (422, "/term")


class Empty:
    """A keeper without a house, whose writes are always too late."""

    async def open(self, *_: Any, **__: Any) -> Any:
        raise NotFound

    async def put(self, *_: Any, **__: Any) -> Any:
        raise Stale


async def test_an_installation_without_terms_and_one_that_never_gets_a_turn() -> None:
    words = Vocabulary(Empty())  # type: ignore[arg-type]

    assert await words.read("token") == ({}, 0)
    with pytest.raises(Stale):
        await words.add("token", Kind.STAGE, "Lead")
    assert len(HOUSE) == 32
