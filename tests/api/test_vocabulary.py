"""Vocabularies."""

import asyncio
from typing import Any

import pytest
from httpx import Response

from crm.contacts import vocabulary
from crm.contacts.vocabulary import HOUSE, Kind, Vocabulary
from crm.errors import Invalid, NotFound, Stale
from crm.keeper_client import Opened
from crm.kit.clock import Clock
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.product import SERVE, Product


async def test_a_term_is_added_and_listed(product: Product) -> None:
    id_ = await product.term("tag", "Gründungsmitglied")

    for name in ("staff", "marketing", "auditor"):
        terms = (await product.as_(name).get("/v1/vocabulary/tag")).json()["terms"]
        assert {"id": id_, "term": "Gründungsmitglied", "retired": False} in terms


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
    words = Vocabulary(Empty(), Clock())  # type: ignore[arg-type]

    assert await words.read("token") == ({}, 0)
    with pytest.raises(Stale):
        await words.add("token", Kind.STAGE, "Lead")
    assert len(HOUSE) == 32


# Renaming and retiring


async def listed(product: Product, kind: str, id_: str) -> dict[str, Any]:
    terms = (await product.staff.get(f"/v1/vocabulary/{kind}")).json()["terms"]
    return next(dict(term) for term in terms if term["id"] == id_)


async def change(product: Product, kind: str, id_: str, **body: Any) -> Response:
    return await product.admin.patch(f"/v1/vocabulary/{kind}/{id_}", json=body)


async def test_a_renamed_term_is_renamed_for_everybody_who_has_it(product: Product) -> None:
    stage = await product.term("stage", "Prospekt")
    contact = await product.contact(stage="Prospekt")

    answer = await change(product, "stage", stage, term="Anwärter")

    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "log_index"}
    assert await listed(product, "stage", stage) == {"id": stage, "term": "Anwärter", "retired": False}
    assert (await product.opened(contact))["stage"] == "Anwärter"
    old = await product.staff.post("/v1/contacts", json={"given_name": "Ada", "stage": "Prospekt"})
    assert (old.status_code, old.json()["detail"]) == (422, "The vocabulary has no such term.")


async def test_a_retired_term_stays_where_it_is_and_is_given_to_nobody_else(product: Product) -> None:
    kept, other = await product.term("tag", "Messe 2003"), await product.term("tag", "Messe 2026")
    contact = await product.contact(tags=["Messe 2003"])

    await change(product, "tag", kept, retired=True)

    assert await listed(product, "tag", kept) == {"id": kept, "term": "Messe 2003", "retired": True}
    assert (await product.opened(contact))["tags"] == ["Messe 2003"]
    refused = await product.staff.post("/v1/contacts", json={"given_name": "Ada", "tags": ["Messe 2003"]})
    assert (refused.status_code, refused.json()["pointer"]) == (422, "/body/tags/0")
    assert refused.json()["detail"] == "This term is retired."
    # Lists are replaced whole: whoever adds one sends the others back.
    etag = (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).headers["etag"]
    for tags, status in ((["Messe 2003", other], 200), ([other], 200), (["Messe 2003"], 422)):
        answer = await product.staff.patch(f"/v1/contacts/{contact}", json={"tags": tags}, headers={"if-match": etag})
        assert answer.status_code == status, tags
        etag = answer.headers.get("etag", etag)


@pytest.mark.parametrize("how", ["patch", "post"])
async def test_a_term_is_given_out_again(product: Product, how: str) -> None:
    stage = await product.term("stage", f"Again by {how}")
    await change(product, "stage", stage, retired=True)

    if how == "patch":
        await change(product, "stage", stage, retired=False)
    else:
        assert await product.term("stage", f"again BY {how}") == stage

    assert (await listed(product, "stage", stage))["retired"] is False
    assert (await product.opened(await product.contact(stage=stage)))["stage"] == f"Again by {how}"


async def test_two_terms_do_not_read_alike(product: Product) -> None:
    first, second = await product.term("need", "Schneller"), await product.term("need", "Billiger")

    answer = await change(product, "need", second, term="SCHNELLER")
    itself = await change(product, "need", first, term="schneller")

    assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/term")
    assert (itself.status_code, (await listed(product, "need", first))["term"]) == (200, "schneller")
    assert (await listed(product, "need", second))["term"] == "Billiger"


async def test_a_wording_is_never_reworded_and_may_be_long(product: Product) -> None:
    wording = await product.term("wording", "I agree. " * 100)

    answer = await change(product, "wording", wording, term="I agree to everything.")
    retired = await change(product, "wording", wording, retired=True)

    assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/term")
    assert retired.status_code == 200
    assert await listed(product, "wording", wording) == {
        "id": wording, "term": ("I agree. " * 100).strip(), "retired": True,
    }  # fmt: skip


async def test_limits_of_a_term(product: Product) -> None:
    tag = await product.term("tag", "x" * 80)

    for term in ("x" * 81, "", " ", "x" * 1001, None, "\0"):
        assert (await product.admin.post("/v1/vocabulary/tag", json={"term": term})).status_code == 422, term
    for body in ({"term": "x" * 81}, {"term": ""}, {"term": None}, {}, {"retired": "soon"}, {"id": new_id()}):
        assert (await change(product, "tag", tag, **body)).status_code == 422, body
    assert (await listed(product, "tag", tag))["term"] == "x" * 80


async def test_a_term_of_another_vocabulary_is_unknown(product: Product) -> None:
    tag = await product.term("tag", "Mine")

    for kind, id_ in (("stage", tag), ("tag", new_id())):
        answer = await change(product, kind, id_, retired=True)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_changes_at_once_all_stay(product: Product) -> None:
    terms = [await product.term("product", f"Ware {number}") for number in range(4)]

    answers = await asyncio.gather(
        *(change(product, "product", id_, term=f"Neue Ware {n}", retired=n == 1) for n, id_ in enumerate(terms))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert [(await listed(product, "product", id_))["term"] for id_ in terms] == [f"Neue Ware {n}" for n in range(4)]
    assert [(await listed(product, "product", id_))["retired"] for id_ in terms] == [False, True, False, False]


async def test_another_process_sees_a_change_within_five_minutes(product: Product) -> None:
    clock = Steady()
    elsewhere, token = Vocabulary(product.app.state.held.keeper, clock), product.keeper.token("staff")
    topic = await product.term("topic", "Old name")
    assert await elsewhere.text_of(token, Kind.TOPIC, topic) == "Old name"

    await change(product, "topic", topic, term="New name", retired=True)
    before = await elsewhere.text_of(token, Kind.TOPIC, topic)
    clock.ms += vocabulary.FRESH_MS
    after = await elsewhere.text_of(token, Kind.TOPIC, topic)

    assert (before, after) == ("Old name", "New name")
    with pytest.raises(Invalid, match="retired"):
        await elsewhere.id_of(token, Kind.TOPIC, topic, "/body/topic")


async def test_changing_never_gets_a_turn() -> None:
    class Busy(Empty):
        async def open(self, *_: Any, **__: Any) -> Any:
            terms = Pii({"stage": {"a" * 32: "Lead"}})
            return Opened(1, {HOUSE: {"vocabulary": terms}}, {HOUSE: {"vocabulary": 1}}, {})

    words = Vocabulary(Busy(), Clock())  # type: ignore[arg-type]

    with pytest.raises(Stale):
        await words.change("token", Kind.STAGE, "a" * 32, text="Prospect", is_retired=None)


class Steady(Clock):
    """A steady clock that a test moves."""

    ms = 0

    def steady_ms(self) -> int:
        return self.ms
