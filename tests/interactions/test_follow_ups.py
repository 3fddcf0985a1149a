"""What somebody means to do, and for whom."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm.contacts.caller import Caller
from crm.errors import NotFound
from crm.interactions import planning
from crm.interactions.queries import follow_ups as queries
from crm.interactions.records import What, record_of
from crm.kit.clock import Clock, rfc3339
from crm.kit.ids import new_id
from tests.interactions.calls import DUE, agenda, entries, follow, made
from tests.product import Product

# Noon of the day the product lives in is far from midnight in every zone used here.
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class At(Clock):
    """The clock of the application, stopped."""

    def wall_ms(self) -> int:
        return int(NOON.timestamp() * 1000)


@pytest.fixture
def noon(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product.app.state.held, "clock", At())


def due(**after: float) -> str:
    return rfc3339(int((NOON + timedelta(**after)).timestamp() * 1000))


def titles(found: list[dict[str, Any]], *contacts: str) -> list[str]:
    return [one["title"] for one in found if one["contact"]["id"] in contacts]


async def test_it_is_listed_with_label_and_title(product: Product) -> None:
    contact = await product.contact(given_name="Ada", company="Acme", emails=["ada@example.org"])

    plan = await follow(product, contact, title="Zoë 🙂")

    me = product.keeper.cast["staff"].id
    (shown,) = [one for one in await agenda(product.staff) if one["id"] == plan["id"]]
    assert shown.pop("created_at")
    assert plan == {"id": plan["id"], "version": 1, "log_index": plan["log_index"]}
    assert shown == {
        "id": plan["id"], "version": 1, "due": DUE, "title": "Zoë 🙂", "assignee": me, "author": me,
        "contact": {"id": contact, "name": "Ada", "company": "Acme", "email_masked": "a•••@e•••.org"},
    }  # fmt: skip


async def test_only_the_assignee_has_it_on_the_list(product: Product) -> None:
    contact = await product.contact()
    await follow(product, contact, assignee=product.keeper.cast["staff2"].id)

    assert titles(await agenda(product.staff), contact) == []
    assert titles(await agenda(product.staff2), contact) == ["Ring back"]


async def test_a_page_is_one_open_of_titles_and_few_of_labels(product: Product) -> None:
    contact, other = await product.contact(), await product.contact()
    assignee = product.keeper.cast["staff2"].id
    first, second = [await follow(product, one, assignee=assignee) for one in (contact, other)]

    page = made(await product.staff2.get("/v1/follow-ups"), 200)

    opens = [one for one in await entries(product, contact, "open") if one["index"] == page["log_index"]]
    (entry,) = opens
    assert (entry["purpose"], entry["fields"]) == ("agenda", [])
    assert {record_of(What.TITLE, one["id"]) for one in (first, second)} <= set(entry["records"])
    assert {contact, other} <= set(entry["subjects"])
    looks = (await product.staff.get(f"/v1/contacts/{contact}/looks")).json()["looks"]
    assert [look["purpose"] for look in looks if look["index"] == page["log_index"]] == ["agenda"]


@pytest.mark.usefixtures("noon")
async def test_by_day_in_the_time_zone_asked_for(product: Product) -> None:
    contact = await product.contact()
    for hours in (-13, -11, 0, 11, 13, 6 * 24 + 11, 6 * 24 + 13):
        await follow(product, contact, title=str(hours), due=due(hours=hours))

    async def listed(**params: str) -> list[str]:
        return titles(await agenda(product.staff, **params), contact)

    # Noon in UTC is one in the morning of the 26th in Auckland.
    assert await listed(due="overdue") == ["-13"]
    assert await listed(due="today") == ["-11", "0", "11"]
    assert await listed(due="week") == ["-11", "0", "11", "13", "155"]
    assert await listed(due="overdue", zone="Pacific/Auckland") == ["-13", "-11"]
    assert await listed(due="today", zone="Pacific/Auckland") == ["0", "11", "13"]
    assert await listed() == ["-13", "-11", "0", "11", "13", "155", "157"]


async def test_page_after_page_in_the_order_they_fall_due(product: Product) -> None:
    contact, other = await product.contact(), await product.contact()
    for number in range(53):
        # Some fall due at one moment: those are in order too.
        await follow(
            product, other if number % 2 else contact, title=str(number), due=f"2150-01-01T00:{number // 3:02d}:00Z"
        )

    page = made(await product.staff.get("/v1/follow-ups"), 200)
    found = titles(await agenda(product.staff), contact, other)

    assert len(page["follow_ups"]) <= 50
    assert page["next"]
    assert sorted(found, key=int) == sorted(map(str, range(53)), key=int)
    assert [int(title) // 3 for title in found] == sorted(number // 3 for number in range(53))


@pytest.mark.usefixtures("noon")
async def test_a_continue_token_does_not_leave_what_was_asked_for(product: Product) -> None:
    contact = await product.contact()
    await follow(product, contact, title="before", due=due(days=-2))
    await follow(product, contact, title="now", due=due())

    before = {"due": "today", "after": f"{0}-{'a' * 32}"}
    behind = {"due": "today", "after": f"{9 * 10**12}-{'a' * 32}"}

    assert titles(await agenda(product.staff, **before), contact) == ["now"]
    assert titles(await agenda(product.staff, **behind), contact) == []
    assert (await product.staff.get("/v1/follow-ups", params={"after": "x"})).status_code == 422


async def test_an_empty_list_opens_nothing(product: Product) -> None:
    page = made(await product.staff.get("/v1/follow-ups", params={"after": f"{9 * 10**12}-{'a' * 32}"}), 200)

    assert page == {"follow_ups": [], "next": None, "log_index": None}


async def test_done_once_and_for_all(product: Product) -> None:
    contact = await product.contact()
    plan = await follow(product, contact)
    url = f"/v1/follow-ups/{plan['id']}/done"

    answers = await asyncio.gather(*(product.staff.post(url) for _ in range(6)))
    again = await product.staff2.post(url)

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {again.content}
    assert again.json()["version"] == 2
    assert titles(await agenda(product.staff), contact) == []
    (entry,) = [one for one in await entries(product, contact, "record") if one["index"] == again.json()["log_index"]]
    assert (entry["what"], entry["detail"]) == ("follow_up", {"id": plan["id"], "change": "done"})


async def test_what_is_done_is_not_changed_any_more(product: Product) -> None:
    plan = await follow(product, await product.contact())
    await product.staff.post(f"/v1/follow-ups/{plan['id']}/done")

    for version in ("1", "2"):
        answer = await product.staff.patch(
            f"/v1/follow-ups/{plan['id']}", json={"due": DUE}, headers={"if-match": f'"{version}"'}
        )
        assert answer.status_code == 412


async def test_it_is_handed_on_and_put_off(product: Product) -> None:
    contact = await product.contact()
    plan = await follow(product, contact)
    colleague = product.keeper.cast["staff2"].id
    url = f"/v1/follow-ups/{plan['id']}"

    answer = await product.staff.patch(
        url, json={"assignee": colleague, "due": "2026-11-26T10:00:00+01:00"}, headers={"if-match": '"1"'}
    )

    assert (answer.status_code, answer.headers["etag"], answer.json()["version"]) == (200, '"2"', 2)
    (shown,) = [one for one in await agenda(product.staff2) if one["id"] == plan["id"]]
    assert (shown["due"], shown["assignee"], shown["version"]) == ("2026-11-26T09:00:00.000Z", colleague, 2)
    assert titles(await agenda(product.staff), contact) == []
    (entry,) = await entries(product, contact, "record")
    assert entry["detail"] == {"id": plan["id"], "change": "due_at.assignee"}


async def test_two_who_change_it_at_once_are_told_apart(product: Product) -> None:
    plan = await follow(product, await product.contact())
    url = f"/v1/follow-ups/{plan['id']}"

    answers = await asyncio.gather(
        *(
            product.staff.patch(url, json={"due": f"2026-12-{day}T00:00:00Z"}, headers={"if-match": '"1"'})
            for day in range(10, 16)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5


async def test_a_change_says_what_it_changes_from_and_what(product: Product) -> None:
    plan = await follow(product, await product.contact())
    url = f"/v1/follow-ups/{plan['id']}"
    assert (await product.staff.patch(url, json={"due": DUE})).status_code == 428

    for etag in ('"2"', "x", '""'):
        assert (await product.staff.patch(url, json={"due": DUE}, headers={"if-match": etag})).status_code == 412
    for body, pointer in (
        ({"due": None}, "/body/due"),
        ({"assignee": None}, "/body/assignee"),
        ({"assignee": "x"}, "/body/assignee"),
        ({"due": "2026-11-25"}, "/body/due"),
        ({"due": "2026-11-25T10:00:00"}, "/body/due"),
        ({"title": "x"}, "/body"),
    ):
        answer = await product.staff.patch(url, json=body, headers={"if-match": '"1"'})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), body
    for body, pointer in (({}, "/body"), ({"assignee": new_id()}, "/body/assignee")):
        answer = await product.staff.patch(url, json=body, headers={"if-match": '"1"'})
        assert (answer.status_code, answer.json()["pointer"]) == (422, pointer), body


async def test_mistakes_are_pointed_at(product: Product) -> None:
    contact = await product.contact()
    whole = {"contact": contact, "due": DUE, "title": "x"}

    for change, pointer in (
        ({"contact": "x"}, "/body/contact"),
        ({"title": " "}, "/body/title"),
        ({"title": "x" * 201}, "/body/title"),
        ({"title": "a\0b"}, "/body/title"),
        ({"due": "tomorrow"}, "/body/due"),
        ({"due": "2500-01-01T00:00:00Z"}, "/body/due"),
        ({"assignee": "x"}, "/body/assignee"),
        ({"id": "x"}, "/body/id"),
    ):
        answer = await product.staff.post("/v1/follow-ups", json={**whole, **change})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), change
    answer = await product.staff.post("/v1/follow-ups", json={**whole, "assignee": new_id()})
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/assignee")
    for params, pointer in (({"due": "never"}, "/query/due"), ({"zone": "Ada/Lovelace"}, "/query/zone")):
        answer = await product.staff.get("/v1/follow-ups", params=params)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert "Lovelace" not in answer.text
    assert titles(await agenda(product.staff), contact) == []


async def test_unknown_erasing_and_malformed_are_one_answer(product: Product) -> None:
    contact = await product.contact()
    plan = await follow(product, contact)
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})

    bodies = set()
    for id_ in (plan["id"], new_id(), "x"):
        done = await product.staff.post(f"/v1/follow-ups/{id_}/done")
        changed = await product.staff.patch(f"/v1/follow-ups/{id_}", json={"due": DUE}, headers={"if-match": '"1"'})
        assert (done.status_code, changed.status_code) == (404, 404)
        bodies |= {done.content, changed.content}
    for one in (contact, new_id()):
        answer = await product.staff.post("/v1/follow-ups", json={"contact": one, "due": DUE, "title": "x"})
        assert answer.status_code == 404
        bodies.add(answer.content)
    assert len(bodies) == 1


async def test_two_hundred_at_once_make_one(product: Product) -> None:
    contact, id_ = await product.contact(), new_id()
    body = {"id": id_, "contact": contact, "due": DUE, "title": "Once"}

    answers = await asyncio.gather(*(product.staff.post("/v1/follow-ups", json=body) for _ in range(200)))
    again = await follow(product, contact, id=id_, title="Other")

    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.json() == again for answer in answers)
    assert titles(await agenda(product.staff), contact) == ["Once"]


async def test_an_id_of_somebody_elses_is_a_clash(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact, other = await product.contact(), await product.contact()
    plan = await follow(product, contact)
    body = {"id": plan["id"], "contact": other, "due": DUE, "title": "x"}

    answer = await product.staff.post("/v1/follow-ups", json=body)

    async def unseen(*_: object) -> None:
        return None

    monkeypatch.setattr(queries, "find", unseen)
    late = await product.staff.post("/v1/follow-ups", json=body)
    assert {(one.status_code, one.json()["code"]) for one in (answer, late)} == {(409, "duplicate")}


async def test_whoever_is_being_erased_disappears_and_comes_back_when_it_is_cancelled(product: Product) -> None:
    contact, merged, kept = [await product.contact() for _ in range(3)]
    for one in (contact, merged, kept):
        await follow(product, one, title="x")
    await product.staff.post(f"/v1/contacts/{merged}/merge", json={"into": contact})
    assert len(titles(await agenda(product.staff), contact, kept)) == 3

    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})

    found = await agenda(product.staff)
    assert (titles(found, contact, merged), titles(found, kept)) == ([], ["x"])
    await product.staff2.post(f"/v1/contacts/{contact}/erase/cancel")
    assert len(titles(await agenda(product.staff), contact, kept)) == 3


async def test_whom_only_the_keeper_knows_as_erased_is_left_out(product: Product) -> None:
    """The process died between the two: the others' titles are shown all the same."""
    erased, kept = await product.contact(), await product.contact()
    for one in (erased, kept):
        await follow(product, one, title="x", due="1950-01-01T00:00:00Z")
    await product.app.state.held.keeper.erase(product.keeper.token("staff"), erased, "request")

    found = await agenda(product.staff)

    assert (titles(found, erased), titles(found, kept)) == ([], ["x"])


async def test_a_page_of_nobody_the_keeper_knows_is_empty(product: Product) -> None:
    erased, assignee = await product.contact(), product.keeper.cast["privacy"].id
    await follow(product, erased, assignee=assignee)
    await product.app.state.held.keeper.erase(product.keeper.token("staff"), erased, "request")

    rows = await queries.mine(
        product.app.state.held.reads,
        assignee,
        datetime(1900, 1, 1, tzinfo=UTC),
        "",
        datetime(2300, 1, 1, tzinfo=UTC),
        9,
    )
    labels, opened = await planning._open(
        product.app.state.held.keeper,
        Caller(product.keeper.token("staff"), assignee, frozenset()),  # type: ignore[arg-type]
        rows,
        {row["contact"]: row["contact"] for row in rows},
    )

    assert (len(rows), labels, opened) == (1, {}, None)


@pytest.mark.parametrize("times", [1, 2])
async def test_somebody_erased_between_labels_and_titles(
    product: Product, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    contact = await product.contact()
    await follow(product, contact, title="x")
    keeper = product.app.state.held.keeper
    opening, left = keeper.open, times

    async def late(*given: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise NotFound
        return await opening(*given, **named)

    monkeypatch.setattr(keeper, "open", late)
    answer = await product.staff.get("/v1/follow-ups")

    assert answer.status_code == (200 if times == 1 else 404)


async def test_those_of_the_merged_away_show_with_the_one_who_stands(product: Product) -> None:
    first, second, third = [await product.contact(given_name=name) for name in ("A", "B", "C")]
    plan = await follow(product, first, title="old")
    await product.staff.post(f"/v1/contacts/{first}/merge", json={"into": second})
    await product.staff.post(f"/v1/contacts/{second}/merge", json={"into": third})

    (shown,) = [one for one in await agenda(product.staff) if one["id"] == plan["id"]]

    assert (shown["title"], shown["contact"]["id"], shown["contact"]["name"]) == ("old", third, "C")
    assert (await product.staff.post(f"/v1/follow-ups/{plan['id']}/done")).status_code == 200


@pytest.mark.parametrize("verb", ["add", "change", "finish"])
async def test_a_failure_behind_the_keeper_changes_nothing(
    product: Product, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    contact = await product.contact()
    plan = await follow(product, contact, title="stands")

    async def dies(*_: Any) -> None:
        raise SystemError

    monkeypatch.setattr(queries, verb, dies)
    url = f"/v1/follow-ups/{plan['id']}"
    answer = await {
        "add": lambda: product.staff.post("/v1/follow-ups", json={"contact": contact, "due": DUE, "title": "lost"}),
        "change": lambda: product.staff.patch(url, json={"due": "2030-01-01T00:00:00Z"}, headers={"if-match": '"1"'}),
        "finish": lambda: product.staff.post(f"{url}/done"),
    }[verb]()

    assert answer.status_code == 500
    (shown,) = [one for one in await agenda(product.staff) if one["contact"]["id"] == contact]
    assert (shown["title"], shown["due"], shown["version"]) == ("stands", DUE, 1)
