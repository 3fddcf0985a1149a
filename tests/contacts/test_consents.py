"""GET and POST /v1/contacts/{id}/consents."""

import asyncio
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import KeeperUnavailable
from crm.interactions import upkeep
from crm.kit.ids import new_id
from tests.contacts.clocks import Later, in_days
from tests.product import Product

WORDING = "Yes, please write to me about new products. I can end this at any time."
GIVEN = {"state": "given", "topic": "News", "channel": "email", "wording": WORDING, "source": "form"}
WITHDRAWN = {"state": "withdrawn", "topic": "News", "channel": "email", "source": "link"}
OBJECTED = {"state": "objected", "source": "letter"}


@pytest.fixture
async def contact(product: Product) -> str:
    """A contact, and the words its consents are made of."""
    await product.term("topic", "News")
    await product.term("topic", "Events")
    await product.term("wording", WORDING)
    return await product.contact()


def at(minute: int) -> str:
    """A moment long ago."""
    return f"2026-01-01T10:{minute:02d}:00.000Z"


async def say(product: Product, contact: str, *, client: AsyncClient | None = None, **body: Any) -> Response:
    return await (client or product.staff).post(f"/v1/contacts/{contact}/consents", json=body)


async def standing(product: Product, contact: str) -> dict[tuple[str, str], str]:
    found = (await product.staff.get(f"/v1/contacts/{contact}/consents")).json()
    return {(one["topic"], one["channel"]): one["state"] for one in found["standing"]}


async def test_what_is_given_is_listed_with_its_wording(product: Product, contact: str) -> None:
    answer = await say(product, contact, **GIVEN, at=at(0))

    found = (await product.staff.get(f"/v1/contacts/{contact}/consents")).json()
    assert answer.status_code == 201
    assert set(answer.json()) == {"id", "log_index"}
    (consent,) = found["consents"]
    version = consent["wording"]["version"]
    assert {name: consent[name] for name in ("id", "log_index")} == answer.json()
    assert {name: consent[name] for name in ("state", "topic", "channel", "source", "at", "author")} == {
        "state": "given", "topic": "News", "channel": "email", "source": "form", "at": at(0),
        "author": product.keeper.cast["staff"].id,
    }  # fmt: skip
    assert consent["wording"] == {"version": version, "text": WORDING}
    assert found["standing"] == [{"topic": "News", "channel": "email", "state": "given", "at": at(0)}]
    assert found["objected_at"] is None


async def test_it_is_an_entry_in_ids_and_codes(product: Product, contact: str) -> None:
    index = (await say(product, contact, **GIVEN)).json()["log_index"]

    entries = (await product.auditor.get("/v1/log/entries", params={"subject": contact, "act": "record"})).json()
    (entry,) = entries["entries"]
    assert (entry["index"], entry["what"], entry["subjects"]) == (index, "consent", [contact])
    assert set(entry["detail"]) == {"state", "channel", "source", "topic", "wording"}
    assert "news" not in str(entry["detail"]).lower()


async def test_the_last_word_holds_by_topic_and_channel(product: Product, contact: str) -> None:
    for body in (GIVEN | {"at": at(1)}, GIVEN | {"channel": "phone", "at": at(1)}, WITHDRAWN | {"at": at(2)}):
        await say(product, contact, **body)

    assert await standing(product, contact) == {("News", "email"): "withdrawn", ("News", "phone"): "given"}
    await say(product, contact, **GIVEN, at=at(3))
    assert await standing(product, contact) == {("News", "email"): "given", ("News", "phone"): "given"}


async def test_what_is_noted_late_counts_by_when_it_was_said(product: Product, contact: str) -> None:
    await say(product, contact, **WITHDRAWN, at=at(5))
    await say(product, contact, **GIVEN, at=at(4))

    assert await standing(product, contact) == {("News", "email"): "withdrawn"}


async def test_of_two_things_said_at_one_moment_the_stricter_holds(product: Product, contact: str) -> None:
    pairs = [(topic, channel) for topic in ("News", "Events") for channel in ("email", "phone", "post", "sms")]
    for place, (topic, channel) in enumerate(pairs):
        both = [body | {"topic": topic, "channel": channel, "at": at(1)} for body in (GIVEN, WITHDRAWN)]
        for body in both if place % 2 else both[::-1]:
            assert (await say(product, contact, **body)).status_code == 201

    assert await standing(product, contact) == dict.fromkeys(pairs, "withdrawn")


async def test_an_objection_holds_for_everything_and_for_ever(product: Product, contact: str) -> None:
    await say(product, contact, **GIVEN, at=at(1))
    objected = await say(product, contact, **OBJECTED, at=at(2))
    await say(product, contact, **GIVEN, at=at(3))
    await say(product, contact, **GIVEN | {"topic": "Events"}, at=at(4))

    found = (await product.staff.get(f"/v1/contacts/{contact}/consents")).json()
    assert {one["state"] for one in found["standing"]} == {"objected"}
    assert found["objected_at"] == at(2)
    assert len(found["consents"]) == 4
    entries = (await product.auditor.get("/v1/log/entries", params={"subject": contact, "act": "object"})).json()
    assert [entry["index"] for entry in entries["entries"]] == [objected.json()["log_index"]]
    rows = product.keeper.rows("SELECT count(*) FROM objection WHERE subject=?", contact)
    assert rows == [(1,)]


async def test_the_privacy_officer_notes_and_reads_them_too(product: Product, contact: str) -> None:
    answer = await say(product, contact, client=product.privacy, **OBJECTED)

    found = await product.privacy.get(f"/v1/contacts/{contact}/consents")
    assert (answer.status_code, found.status_code) == (201, 200)
    assert found.json()["consents"][0]["author"] == product.keeper.cast["privacy"].id


@pytest.mark.parametrize("body", [GIVEN, OBJECTED])
async def test_the_same_id_again_answers_as_the_first_time(
    product: Product, contact: str, body: dict[str, Any]
) -> None:
    said = body | {"id": new_id()}

    first = await say(product, contact, **said)
    again = await say(product, contact, **WITHDRAWN | {"id": said["id"]})
    at_once = await asyncio.gather(*(say(product, contact, **body | {"id": "a" * 32}) for _ in range(8)))

    assert first.json() == again.json()
    assert {answer.status_code for answer in at_once} == {201}
    assert len({answer.content for answer in at_once}) == 1
    found = (await product.staff.get(f"/v1/contacts/{contact}/consents")).json()["consents"]
    assert sorted(one["id"] for one in found) == sorted([said["id"], "a" * 32])
    assert {one["state"] for one in found} == {body["state"]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"state": "given", "source": "form"}, "/body"),
        (GIVEN | {"topic": None}, "/body"),
        (GIVEN | {"wording": None}, "/body"),
        (WITHDRAWN | {"channel": None}, "/body"),
        (GIVEN | {"channel": "pigeon"}, "/body/channel"),
        (GIVEN | {"source": "Ada told me"}, "/body/source"),
        (GIVEN | {"state": "maybe"}, "/body/state"),
        (GIVEN | {"at": "2026-01-01"}, "/body/at"),
        (GIVEN | {"at": "2026-01-01T10:00:00"}, "/body/at"),
        (GIVEN | {"at": "1815-12-10T10:00:00Z"}, "/body/at"),
        (GIVEN | {"at": "0001-01-01T00:00:00+14:00"}, "/body/at"),
        (GIVEN | {"ip": "192.0.2.1"}, "/body"),
    ],
)
async def test_bad_input(product: Product, contact: str, body: dict[str, Any], pointer: str) -> None:
    answer = await say(product, contact, **body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_words_no_vocabulary_has_and_times_that_have_not_come(product: Product, contact: str) -> None:
    tomorrow = in_days(1).isoformat()

    for more, pointer in (({"topic": "Mood"}, "topic"), ({"wording": "Yes"}, "wording"), ({"at": tomorrow}, "at")):
        answer = await say(product, contact, **GIVEN | more)
        assert (answer.status_code, answer.json()["pointer"]) == (422, f"/body/{pointer}")
    assert await standing(product, contact) == {}


async def test_a_clock_a_little_ahead_is_believed(product: Product, contact: str) -> None:
    soon = in_days(2 / (24 * 60)).isoformat()

    assert (await say(product, contact, **GIVEN, at=soon)).status_code == 201


async def test_nobody_consents_to_what_is_retired_but_anybody_may_leave_it(product: Product) -> None:
    topic, wording = await product.term("topic", "Fax"), await product.term("wording", "Fax me.")
    contact, body = await product.contact(), GIVEN | {"topic": "Fax", "wording": "Fax me."}
    assert (await say(product, contact, **body)).status_code == 201
    for kind, term in (("topic", topic), ("wording", wording)):
        await product.admin.patch(f"/v1/vocabulary/{kind}/{term}", json={"retired": True})

    given = await say(product, contact, **body)
    left = await say(product, contact, **WITHDRAWN | {"topic": "Fax", "wording": "Fax me."})

    assert (given.status_code, left.status_code) == (422, 201)
    assert await standing(product, contact) == {("Fax", "email"): "withdrawn"}


async def test_merged_people_spoke_for_each_other(product: Product, contact: str) -> None:
    gone, kept = await product.contact(), contact
    await say(product, gone, **WITHDRAWN, at=at(2))
    await say(product, kept, **GIVEN, at=at(1))

    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    assert await standing(product, kept) == {("News", "email"): "withdrawn"}
    assert (await say(product, gone, **GIVEN)).status_code == 404
    await product.staff.post(f"/v1/contacts/{gone}/merge/undo")
    assert await standing(product, kept) == {("News", "email"): "given"}
    assert await standing(product, gone) == {("News", "email"): "withdrawn"}


async def test_an_objection_of_one_holds_for_the_merged_set(product: Product, contact: str) -> None:
    gone = await product.contact()
    await say(product, gone, **OBJECTED)
    await say(product, contact, **GIVEN)

    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": contact})

    assert await standing(product, contact) == {("News", "email"): "objected"}
    await product.staff.post(f"/v1/contacts/{gone}/merge/undo")
    assert await standing(product, contact) == {("News", "email"): "given"}


async def test_an_objection_of_a_merged_set_outlives_the_merge(product: Product, contact: str) -> None:
    first, second = await product.contact(), await product.contact()
    await product.staff.post(f"/v1/contacts/{first}/merge", json={"into": second})
    await product.staff.post(f"/v1/contacts/{second}/merge", json={"into": contact})

    await say(product, contact, **OBJECTED, at=at(1))

    found = (await product.staff.get(f"/v1/contacts/{contact}/consents")).json()
    assert len(found["consents"]) == 1
    for one in (second, first):
        await product.staff.post(f"/v1/contacts/{one}/merge/undo")
        found = (await product.staff.get(f"/v1/contacts/{one}/consents")).json()
        assert found["objected_at"] == at(1)
        assert product.keeper.rows("SELECT count(*) FROM objection WHERE subject=?", one) == [(1,)]


@pytest.mark.parametrize("verb", ["record", "object"])
async def test_without_an_entry_nothing_is_noted(
    product: Product, contact: str, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    async def down(*_: object, **__: object) -> int:
        raise KeeperUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(product.app.state.held.keeper, verb, down)
        answer = await say(product, contact, **(GIVEN if verb == "record" else OBJECTED))
    assert answer.status_code == 503

    found = (await product.staff.get(f"/v1/contacts/{contact}/consents")).json()
    assert found == {"consents": [], "standing": [], "objected_at": None}


async def test_what_broke_off_behind_the_entry_is_done_by_asking_again(
    product: Product, contact: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, keeper = OBJECTED | {"id": new_id()}, product.app.state.held.keeper
    object_ = keeper.object

    async def dies(token: str, subject: str) -> int:
        await object_(token, subject)
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "object", dies)
        assert (await say(product, contact, **body)).status_code == 500

    assert (await say(product, contact, **body)).status_code == 201
    found = (await product.staff.get(f"/v1/contacts/{contact}/consents")).json()
    assert [one["state"] for one in found["consents"]] == ["objected"]


async def test_no_process_changes_or_deletes_what_was_said(product: Product, contact: str) -> None:
    await say(product, contact, **OBJECTED)
    web = await asyncpg.connect(product.server.dsn("kept_web").reveal())

    for statement in ("update consent set state = 'given'", "delete from consent", "truncate consent"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await web.execute(statement)
    await web.close()


async def test_it_goes_when_the_erasure_has_fallen_due(product: Product, contact: str) -> None:
    await say(product, contact, **GIVEN)
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})
    hidden = await product.staff.get(f"/v1/contacts/{contact}/consents")
    admin = await asyncpg.connect(product.server.admin_dsn, database="kept")
    count = "select count(*) from consent where contact = $1"

    before = await admin.fetchval(count, contact)
    await upkeep.remove_due(product.app.state.held.database, Later(days=4))
    after = await admin.fetchval(count, contact)
    await admin.close()

    assert (hidden.status_code, before, after) == (404, 1, 0)


PAIRS = [("News", "email"), ("News", "phone"), ("Events", "email")]
SAID = st.tuples(st.sampled_from(["given", "withdrawn", "objected"]), st.sampled_from(PAIRS), st.integers(0, 2))


def expected(said: list[tuple[str, tuple[str, str], int]]) -> dict[tuple[str, str], str]:
    """What holds, told once more in other words: the strictest of what was said last; an objection, everywhere."""
    strictness = ["given", "withdrawn", "objected"]
    held: dict[tuple[str, str], tuple[int, int]] = {}
    for state, pair, minute in said:
        held[pair] = max(held.get(pair, (-1, -1)), (minute, strictness.index(state)))
    is_objected = any(state == "objected" for state, _, _ in said)
    return {pair: "objected" if is_objected else strictness[strict] for pair, (_, strict) in held.items()}


@pytest.mark.usefixtures("contact")
@given(st.lists(SAID, max_size=6), st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_holds_follows_from_what_was_said_in_whatever_order_it_is_noted(
    product: Product, said: list[tuple[str, tuple[str, str], int]], data: st.DataObject
) -> None:
    """And from whoever of a merged set said it."""
    people = [await product.contact(), await product.contact()]
    for state, (topic, channel), minute in said:
        who = data.draw(st.sampled_from(people))
        body = {"state": state, "topic": topic, "channel": channel, "wording": WORDING, "source": "other"}
        assert (await say(product, who, **body, at=at(minute))).status_code == 201

    await product.staff.post(f"/v1/contacts/{people[0]}/merge", json={"into": people[1]})

    assert await standing(product, people[1]) == expected(said)
