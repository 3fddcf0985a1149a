"""Alerts over REST, from a log that grows meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import chain
from typing import Any

import asyncpg
import pytest
from httpx import ASGITransport, AsyncClient

from crm.audit import queries, review
from crm.errors import TooLarge
from crm.kit.ids import is_id, new_id
from tests.api.test_error_shape import CANARY, is_problem
from tests.api.test_sessions import new_person
from tests.keeper.home import PASSWORD
from tests.product import SERVE, Product

URL = "/v1/alerts"
ALERT = {
    "id", "kind", "severity", "first_index", "last_index", "at", "last_at", "actor", "about", "subjects", "count",
    "evidence", "acknowledged",
}  # fmt: skip
Hire = Callable[[str], Any]


@pytest.fixture
async def hire(product: Product) -> AsyncIterator[Hire]:
    """Make one more person with a role: their client, and their id."""
    async with AsyncExitStack() as stack:

        async def hired(role: str) -> tuple[AsyncClient, str]:
            name = await new_person(product, role)
            body = {"name": name, "password": PASSWORD}
            signed = (await product.nobody.post("/v1/sessions", json=body)).json()
            client = AsyncClient(
                transport=ASGITransport(product.app, raise_app_exceptions=False),
                base_url="http://kept.test",
                headers={"authorization": f"Bearer {signed['token']}"},
            )
            return await stack.enter_async_context(client), signed["person"]["id"]

        yield hired


async def sql(product: Product, statement: str, *values: object) -> list[Any]:
    """Ask PostgreSQL as a superuser would."""
    admin = await asyncpg.connect(product.server.admin_dsn, database="kept")
    rows = await admin.fetch(statement, *values)
    await admin.close()
    return list(rows)


async def page(product: Product, **params: str) -> dict[str, Any]:
    answer = await product.auditor.get(URL, params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def everything(product: Product, **params: str) -> list[dict[str, Any]]:
    """Read on to the end of the log, then list all alerts."""
    while (body := await page(product, **params))["read"] < body["size"]:
        pass
    found = list(body["alerts"])
    while body["next"]:
        body = await page(product, after=body["next"], **params)
        found += body["alerts"]
    return found


async def of(product: Product, actor: str, kind: str) -> dict[str, Any]:
    (alert,) = (one for one in await everything(product) if (one["actor"], one["kind"]) == (actor, kind))
    return alert


async def refused(client: AsyncClient) -> None:
    """Ask for five things that are an auditor's or an admin's."""
    for method, path, body in (
        ("GET", "v1/log/entries", None), ("GET", "v1/people", None),
        ("POST", "v1/log/subject", {"email": "a@b.example"}),
        ("POST", "v1/people", {"name": "x", "roles": ["product"]}),
        ("PATCH", f"v1/people/{new_id()}", {"state": "left"}),
    ):  # fmt: skip
        assert (await client.request(method, f"/{path}", json=body)).status_code == 403


async def test_whoever_tries_what_is_not_theirs_is_an_alert(product: Product, hire: Hire) -> None:
    marketing, person = await hire("marketing")
    await refused(marketing)

    alert = await of(product, person, "refusals")

    assert alert.keys() == ALERT
    assert is_id(alert["id"])
    assert (alert["severity"], alert["count"], alert["about"], alert["subjects"]) == ("warning", 5, None, [])
    assert alert["acknowledged"] is None
    log = (await product.auditor.get("/v1/log/entries", params={"actor": person, "act": "refused"})).json()["entries"]
    assert alert["evidence"] == [entry["index"] for entry in log]
    assert (alert["first_index"], alert["last_index"]) == (log[0]["index"], log[-1]["index"])
    assert (alert["at"], alert["last_at"]) == (log[0]["at"], log[-1]["at"])


async def test_an_account_that_is_made_is_an_alert(product: Product, hire: Hire) -> None:
    _, person = await hire("counsel")

    (alert,) = (one for one in await everything(product) if one["about"] == person)

    assert (alert["kind"], alert["actor"]) == ("account_made", product.keeper.cast["auditor"].id)


async def test_many_people_at_once_are_named_by_id_and_by_nothing_else(product: Product, hire: Hire) -> None:
    staff, person = await hire("staff")
    contacts = [await product.contact(given_name="Unmistakable") for _ in range(10)]
    for contact in contacts:
        assert (await staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 200

    alert = await of(product, person, "many_people")

    assert alert["subjects"] == sorted(contacts)
    assert "Unmistakable" not in json.dumps(await everything(product))


async def test_a_canary_that_is_touched_is_an_alert_and_postgresql_does_not_know_which(
    product: Product, hire: Hire
) -> None:
    staff, person = await hire("staff")
    name = f"Bird{new_id()[:8]}"
    canary = (await product.auditor.post("/v1/canaries", json={"given_name": "Jane", "family_name": name})).json()["id"]
    other = await product.contact(given_name=name)

    shown = await staff.post("/v1/contacts/search", json={"q": name})
    assert {match["id"] for match in shown.json()["matches"]} == {canary, other}
    label = await of(product, person, "canary_shown")
    assert (await staff.get(f"/v1/contacts/{canary}", params=SERVE)).status_code == 200
    opened = await of(product, person, "canary_opened")

    assert (label["severity"], label["subjects"]) == ("warning", [canary])
    assert (opened["severity"], opened["subjects"]) == ("critical", [canary])
    for table in ("alert", "alert_fold"):
        assert canary not in str(await sql(product, f"select * from {table}"))  # noqa: S608
    # The index of the entry that made it stands in its row, as in every row, and would tell it as well.
    (row,) = await sql(product, "select log_index from contact where id = $1", canary)
    assert row["log_index"] not in {index for alert in (label, opened) for index in alert["evidence"]}


async def test_whoever_acknowledges_an_alert_owns_it(product: Product, hire: Hire) -> None:
    marketing, person = await hire("marketing")
    second, _ = await hire("auditor")
    await refused(marketing)
    alert = await of(product, person, "refusals")
    url = f"{URL}/{alert['id']}/acknowledge"

    first = await product.auditor.post(url, json={"note_code": "false_alarm"})
    again = await product.auditor.post(url, json={"note_code": "escalated"})
    other = await second.post(url, json={"note_code": "escalated"})

    assert [answer.status_code for answer in (first, again, other)] == [200] * 3
    assert first.json() == again.json() == other.json()
    owned = first.json()["acknowledged"]
    entries = (await product.auditor.get("/v1/log/entries", params={"subject": alert["id"]})).json()["entries"]
    assert [(entry["index"], entry["what"], entry["detail"]) for entry in entries] == [
        (owned["log_index"], "alert", {"state": "false_alarm"})
    ]
    assert owned == {
        "by": product.keeper.cast["auditor"].id, "at": entries[0]["at"], "note_code": "false_alarm",
        "log_index": entries[0]["index"],
    }  # fmt: skip
    assert first.json() == alert | {"acknowledged": owned}
    assert alert["id"] not in {one["id"] for one in await everything(product, state="open")}
    assert first.json() in await everything(product, state="acknowledged")


async def test_two_at_once_have_one_owner(product: Product, hire: Hire) -> None:
    marketing, person = await hire("marketing")
    second, _ = await hire("auditor")
    await refused(marketing)
    alert = await of(product, person, "refusals")

    await asyncio.gather(
        *(
            client.post(f"{URL}/{alert['id']}/acknowledge", json={"note_code": "followed_up"})
            for client in (product.auditor, second, product.auditor)
        )
    )

    entries = (await product.auditor.get("/v1/log/entries", params={"subject": alert["id"]})).json()["entries"]
    owned = (await of(product, person, "refusals"))["acknowledged"]
    assert (owned["log_index"], owned["by"]) == (entries[0]["index"], entries[0]["actor"])


async def test_an_acknowledgement_that_broke_off_is_read_from_the_log(
    product: Product, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the keeper and PostgreSQL."""
    marketing, person = await hire("marketing")
    await refused(marketing)
    alert = await of(product, person, "refusals")

    async def dies(*_: object, **__: object) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(queries, "acknowledge", dies)
        answer = await product.auditor.post(f"{URL}/{alert['id']}/acknowledge", json={"note_code": "escalated"})
        assert is_problem(answer, 500, "internal")

    owned = (await of(product, person, "refusals"))["acknowledged"]
    assert (owned["by"], owned["note_code"]) == (product.keeper.cast["auditor"].id, "escalated")


@pytest.mark.parametrize(
    "body", [{}, {"note_code": CANARY}, {"note_code": ""}, {"note_code": "escalated", CANARY: 1}, [CANARY]]
)
async def test_a_note_is_a_word_of_the_list(product: Product, body: Any) -> None:
    answer = await product.auditor.post(f"{URL}/{new_id()}/acknowledge", json=body)

    assert is_problem(answer, 422, "invalid")


@pytest.mark.parametrize("params", [{"state": "closed"}, {"after": CANARY}, {"after": "-1-" + "0" * 32}])
async def test_questions_that_are_none(product: Product, params: dict[str, str]) -> None:
    assert is_problem(await product.auditor.get(URL, params=params), 422, "invalid")


async def test_pages_are_newest_first_and_leave_nobody_out(
    product: Product, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await hire("product")
        await hire("counsel")
    whole = {state: await everything(product, state=state) for state in ("open", "acknowledged")}

    monkeypatch.setattr(review, "SHOWN", 2)
    paged = await everything(product)

    assert [one["id"] for one in paged] == [
        one["id"] for one in sorted(chain(*whole.values()), key=lambda one: (-one["first_index"], one["id"]))
    ]


async def test_all_of_it_can_be_worked_out_again(product: Product, hire: Hire, monkeypatch: pytest.MonkeyPatch) -> None:
    """In other pages, by several at once, and by a process that reads what another has read already."""
    staff, person = await hire("staff")
    await refused(staff)
    alert = await of(product, person, "refusals")
    await product.auditor.post(f"{URL}/{alert['id']}/acknowledge", json={"note_code": "followed_up"})
    before = await everything(product)
    held = product.app.state.held
    again = replace(held.watch, key=b"another" * 8)

    await sql(product, "delete from alert")
    monkeypatch.setattr(held, "watch", again)
    monkeypatch.setattr(review, "PAGES", 2)
    monkeypatch.setattr(review, "PAGE", 3)
    # The last of one page is the first of the next, to see that it is still that one.
    assert (await page(product))["read"] == 3 + 2
    monkeypatch.setattr(review, "PAGE", 13)
    await asyncio.gather(*(page(product) for _ in range(4)))

    assert await everything(product) == before


async def test_a_page_another_process_was_first_with_is_dropped(
    product: Product, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    marketing, person = await hire("marketing")
    await refused(marketing)
    advance, tries = queries.advance, list[int]()

    async def second(*args: Any, **values: Any) -> bool:
        tries.append(values["position"])
        return len(tries) > 1 and await advance(*args, **values)

    monkeypatch.setattr(queries, "advance", second)

    assert (await of(product, person, "refusals"))["count"] == 5
    assert tries[0] == tries[1]


async def test_entries_that_are_too_large_together_are_read_apart(
    product: Product, hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    marketing, person = await hire("marketing")
    await refused(marketing)
    keeper = product.app.state.held.keeper
    entries = keeper.entries

    async def small(token: str, *, limit: int, **where: Any) -> Any:
        if limit > 125 and not where.keys() & {"act", "actor"}:
            raise TooLarge
        return await entries(token, limit=limit, **where)

    monkeypatch.setattr(keeper, "entries", small)

    assert (await of(product, person, "refusals"))["count"] == 5


async def test_another_log_in_the_same_place_is_told_and_not_read(product: Product, hire: Hire) -> None:
    marketing, person = await hire("marketing")
    staff, opener = await hire("staff")
    for _ in range(10):
        await staff.get(f"/v1/contacts/{await product.contact()}", params=SERVE)
    assert (await of(product, opener, "many_people"))["subjects"]
    name = product.app.state.held.watch.name_of(await origin(product))
    (kept,) = await sql(product, "select tip, position from alert_fold where log = $1", name)

    try:
        await refused(marketing)
        for change in ("tip = repeat('0', 32)", "position = position + 1000000"):
            await sql(product, f"update alert_fold set {change} where log = $1", name)  # noqa: S608
            body = await page(product)
            told = [one for one in body["conditions"] if one["kind"] == "log_replaced"]
            assert [one["severity"] for one in told] == ["critical"]
            assert not [one for one in body["alerts"] if one["actor"] == person]
            assert not any(one["subjects"] for one in body["alerts"])
    finally:
        await sql(product, "update alert_fold set tip = $2, position = $3 where log = $1", name, *kept.values())

    assert "log_replaced" not in {one["kind"] for one in (await page(product))["conditions"]}
    assert (await of(product, person, "refusals"))["count"] == 5


async def origin(product: Product) -> str:
    return (await product.nobody.get("/log/checkpoint")).text.split("\n", 1)[0]


async def test_what_is_wrong_now_is_told_as_long_as_it_is(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async def told() -> dict[str, str]:
        return {one["kind"]: one["reason"] for one in (await page(product))["conditions"]}

    # The homes of tests have neither recovery recipients nor a second factor that is asked for.
    usual = await told()
    keeper = product.app.state.held.keeper
    status = await keeper.status()

    async def sealed() -> dict[str, Any]:
        return status | {
            "state": "sealed", "reason": "The clock was set back.", "size": status["size"] + 10**6, "escrow": True,
            "second_factor": "required",
        }  # fmt: skip

    monkeypatch.setattr(keeper, "status", sealed)

    assert usual.keys() == {"not_escrowed", "one_factor"}
    assert (await told()).keys() == {"keeper_sealed", "log_stuck"}
    assert (await told())["keeper_sealed"] == "The clock was set back."


async def test_without_the_keeper_there_is_no_alert_and_no_answer(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = product.app.state.held
    nowhere = type(held.keeper)(product.keeper.path / "none.sock", held.settings.service_key_file)
    monkeypatch.setattr(held, "keeper", nowhere)

    assert is_problem(await product.auditor.get(URL), 503, "keeper-unavailable")
