"""The auditor's pages without a browser: who may see which, what they show, and what they refuse."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response

from crm.audit import browsing
from crm.audit.receipts import receipt
from crm.db import moment
from crm.errors import KeeperUnavailable, TooLarge
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import new_id
from tests.keeper.home import CAST, PASSWORD
from tests.product import SERVE, Product

NOW = moment(Clock().wall_ms())
HERE = {"sec-fetch-site": "same-origin"}
SOME_ID = "0af7651916cd43dd8448eb211c80319c"
# Every page: method, path, who sees it, what its form sends.
AUDITOR = {"auditor"}
PAGES: list[tuple[str, str, set[str], dict[str, str]]] = [
    ("GET", "/log", AUDITOR, {}),
    ("GET", "/log/tree", AUDITOR, {}),
    ("GET", "/log/entries/3", AUDITOR, {}),
    ("GET", "/log/entries/3/proof", AUDITOR, {}),
    ("GET", "/reports", AUDITOR, {}),
    ("POST", "/reports/subject", AUDITOR, {"email": "nobody@example.org"}),
    ("GET", f"/reports/people/{SOME_ID}", AUDITOR, {}),
    ("GET", "/reports/colleagues", AUDITOR, {}),
    ("GET", "/reports/refusals", AUDITOR, {}),
    ("GET", "/reports/week", AUDITOR, {}),
    ("GET", "/alerts", AUDITOR, {}),
    ("POST", f"/alerts/{SOME_ID}/acknowledge", AUDITOR, {"note_code": "followed_up"}),
    ("GET", "/alerts/canaries", AUDITOR, {}),
    ("POST", "/alerts/canaries", AUDITOR, {"given_name": "Ada"}),
    ("GET", "/decisions", {"auditor", "privacy"}, {}),
    ("POST", f"/decisions/{SOME_ID}", {"auditor", "privacy"}, {"verdict": "refuse"}),
]
NAMES = [f"{method} {path.replace(SOME_ID, 'id')}" for method, path, *_ in PAGES]


class Reader:
    """Somebody's browser, without one: the session's cookie, and our own pages as where it comes from."""

    def __init__(self, client: AsyncClient, token: str) -> None:
        self._client = client
        self._cookie = {"cookie": f"__Host-kept={token}"}

    async def get(self, path: str, **params: str) -> Response:
        return await self._client.get(path, params=params or None, headers=self._cookie)

    async def post(self, path: str, **data: str) -> Response:
        return await self._client.post(path, data=data, headers={**self._cookie, **HERE})

    async def ask(self, method: str, path: str, data: dict[str, str]) -> Response:
        return await (self.post(path, **data) if method == "POST" else self.get(path))


class House:
    """The product as its pages show it."""

    def __init__(self, product: Product, client: AsyncClient) -> None:
        self.product = product
        self.nobody = client

    def as_(self, name: str) -> Reader:
        return Reader(self.nobody, self.product.keeper.token(name))

    @property
    def auditor(self) -> Reader:
        return self.as_("auditor")


@pytest.fixture
async def house(product: Product) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        transport = ASGITransport(product.app, raise_app_exceptions=False)
        yield House(product, await stack.enter_async_context(AsyncClient(transport=transport, base_url="http://t")))


# Who sees them


@pytest.mark.parametrize(("method", "path", "roles", "data"), PAGES, ids=NAMES)
async def test_a_page_is_for_its_roles_alone(
    house: House, method: str, path: str, roles: set[str], data: dict[str, str]
) -> None:
    for name in set(CAST) - roles:
        answer = await house.as_(name).ask(method, path, data)

        assert answer.status_code == 403, name
        assert "Not for your role" in answer.text
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(("method", "path", "roles", "data"), PAGES, ids=NAMES)
async def test_whoever_is_not_signed_in_is_asked_to(
    house: House, method: str, path: str, roles: set[str], data: dict[str, str]
) -> None:
    answer = await house.nobody.request(method, path, data=data, headers=HERE)

    assert (answer.status_code, roles) == (303 if method == "GET" else 401, roles)
    assert method == "POST" or answer.headers["location"].startswith("/sign-in?next=/")


@pytest.mark.parametrize("path", [path for method, path, *_ in PAGES if method == "POST"])
async def test_another_site_changes_nothing(house: House, path: str) -> None:
    cookie = f"__Host-kept={house.product.keeper.token('auditor')}"
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}, {}):
        answer = await house.nobody.post(path, data={"verdict": "refuse"}, headers={"cookie": cookie, **headers})

        assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/log", "/log/tree", "/reports/week", "/alerts/canaries"])
async def test_other_methods_are_not_taken(house: House, path: str) -> None:
    cookie = f"__Host-kept={house.product.keeper.token('auditor')}"

    answer = await house.nobody.request("DELETE", path, headers={"cookie": cookie, **HERE})

    assert answer.status_code == 405


async def test_unknown_and_malformed_ids_are_one_page(house: House) -> None:
    paths = [f"/reports/people/{new_id()}", "/reports/people/x", "/log/entries/9007199254740993", "/log/entries/x"]

    answers = [await house.auditor.get(path) for path in paths]
    answers += [
        await house.auditor.post(f"/alerts/{id_}/acknowledge", note_code="followed_up") for id_ in (SOME_ID, "x")
    ]
    answers += [await house.auditor.post(f"/decisions/{id_}", verdict="refuse") for id_ in (SOME_ID, "x")]
    answers.append(await house.auditor.get("/log/entries/x/proof"))

    assert {answer.status_code for answer in answers} == {404}
    assert {"Nothing here" in answer.text for answer in answers} == {True}


async def test_no_page_of_an_auditor_names_a_customer(house: House) -> None:
    name, address = "Quirinfelsblume", "quirin.felsblume@example.org"
    contact = await house.product.contact(given_name=name, family_name="Zwtx", company="Kxvq Ltd", emails=[address])
    opened = await house.product.opened(contact)
    await house.product.staff.post("/v1/contacts/search", json={"q": name})
    found = await house.auditor.post("/reports/subject", email=address)
    paths = [
        "/log", f"/log?subject={contact}", f"/log/entries/{opened['log_index']}", f"/reports/people/{contact}",
        f"/reports/colleagues?person={house.product.keeper.cast['staff'].id}", "/reports", "/reports/refusals",
        f"/reports/week?week={NOW:%G-W%V}", "/alerts", "/alerts/canaries", "/decisions", "/log/tree",
        f"/log/entries/{opened['log_index']}/proof",
    ]  # fmt: skip

    answers = [found, *[await house.auditor.get(path) for path in paths]]

    assert [answer.status_code for answer in answers] == [303] + [200] * len(paths)
    for answer in answers:
        for word in (name, "Zwtx", "Kxvq", address, "felsblume"):
            assert word.casefold() not in f"{answer.text}{answer.headers}".casefold()


# The log


async def test_the_newest_entry_comes_first_and_older_ones_behind(house: House) -> None:
    contact = await house.product.contact()
    first = (await house.product.opened(contact))["log_index"]
    for _ in range(55):
        last = (await house.product.opened(contact))["log_index"]

    page = await house.auditor.get("/log", subject=contact)
    second = await house.auditor.get("/log", subject=contact, before=str(last - 49))

    assert page.status_code == 200
    assert page.text.index(f'href="/log/entries/{last}"') < page.text.index(f'href="/log/entries/{last - 1}"')
    assert f'href="/log/entries/{first}"' not in page.text
    assert f"before={last - 49}" in page.text
    assert f'href="/log/entries/{first}"' in second.text
    assert "Entries" not in second.text.split("<form")[0].split("figures")[0]


async def test_each_filter_leaves_out_what_does_not_fit(house: House) -> None:
    contact = await house.product.contact()
    index = (await house.product.opened(contact))["log_index"]
    staff, auditor = (house.product.keeper.cast[name].id for name in ("staff", "auditor"))
    line = f'href="/log/entries/{index}"'

    for fits in (
        {"actor": staff}, {"act": "open"}, {"purpose": "serve"}, {"outcome": "ok"}, {"from": "2020-01-01T00:00"},
        {"to": "2200-01-01T00:00"}, {"act": "open", "actor": staff, "from": "2020-01-01T00:00:00+02:00"},
    ):  # fmt: skip
        assert line in (await house.auditor.get("/log", subject=contact, **fits)).text, fits
    for other in (
        {"actor": auditor}, {"act": "put"}, {"purpose": "audit"}, {"outcome": "approve"}, {"outcome": "refused"},
        {"to": "2020-01-01T00:00"}, {"from": "2200-01-01T00:00"}, {"outcome": "over-budget"},
    ):  # fmt: skip
        assert line not in (await house.auditor.get("/log", subject=contact, **other)).text, other


async def test_a_refusal_is_found_by_what_was_refused(house: House) -> None:
    await house.product.counsel.post("/v1/contacts/search", json={"q": "ada"})
    counsel = house.product.keeper.cast["counsel"].id

    refused = await house.auditor.get("/log", actor=counsel, act="search", outcome="refused")
    other = await house.auditor.get("/log", actor=counsel, act="merge", outcome="purpose-not-yours")

    assert "is-refused" in refused.text
    assert "Not their role" in refused.text
    assert "No such entry" in other.text


async def test_what_no_filter_can_be_is_said_beside_what_was_typed(house: House) -> None:
    wrong = {
        "subject": "kxvq@example.org", "actor": "x", "act": "sell", "purpose": "fun", "outcome": "maybe",
        "from": "yesterday", "to": "0001-01-01T00:00",
    }  # fmt: skip
    for name, value in wrong.items():
        answer = await house.auditor.get("/log", **{name: value})

        assert answer.status_code == (200 if value.startswith("0001") else 422), name
        assert ("nothing was looked for" in answer.text) is not value.startswith("0001")
    for odd in ("\N{SUPERSCRIPT TWO}", "9" * 20):
        assert (await house.auditor.get("/log", subject=odd)).status_code == 422
    assert (await house.auditor.get("/log", before="-1")).status_code == 422


async def test_an_entry_number_leads_to_the_entry(house: House) -> None:
    answer = await house.auditor.get("/log", subject=" 3 ")

    assert (answer.status_code, answer.headers["location"]) == (303, "/log/entries/3")


async def test_an_entry_shows_every_field_and_a_proof_that_holds(house: House) -> None:
    contact = await house.product.contact()
    index = (await house.product.opened(contact))["log_index"]

    page = await house.auditor.get(f"/log/entries/{index}")
    receipt = await house.auditor.get(f"/log/entries/{index}/proof")

    for word in ("from the entry to the signed root", contact, "serve", "steady", "&#34;salt&#34;", "kept log verify"):
        assert word in page.text
    assert receipt.text.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
    assert receipt.headers["content-disposition"] == f'attachment; filename="entry-{index}.tlog-proof"'
    assert receipt.headers["content-type"].startswith("text/plain")


async def test_a_proof_that_does_not_hold_is_loud(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lied(log: Keeper, index: int) -> str:
        return (await receipt(log, index)).replace(f"index {index}\n", f"index {index}\n{'A' * 43}=\n")

    monkeypatch.setattr(browsing, "receipt", lied)
    answer = await house.auditor.get("/log/entries/3")

    assert answer.status_code == 200
    assert "The proof leads to another root" in answer.text


async def test_a_window_too_large_for_one_answer_is_made_smaller(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    told, refused = Keeper.entries, list[int]()

    async def small(self: Keeper, token: str, **asked: Any) -> Any:
        if asked["limit"] > 7:
            refused.append(asked["limit"])
            raise TooLarge
        return await told(self, token, **asked)

    expected = await house.auditor.get("/log", act="start")
    monkeypatch.setattr(Keeper, "entries", small)
    answer = await house.auditor.get("/log/tree")
    page = await house.auditor.get("/log")

    assert (answer.status_code, page.status_code, expected.status_code) == (200, 200, 200)
    assert refused
    assert "/log/entries/" in page.text


async def test_the_keeper_that_does_not_answer_is_told_and_nothing_is_shown(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise KeeperUnavailable

    monkeypatch.setattr(Keeper, "entries", gone)
    answer = await house.auditor.get("/log")

    assert answer.status_code == 503
    assert "The keeper does not answer" in answer.text


async def test_the_tree_is_the_published_checkpoint(house: House) -> None:
    checkpoint = (await house.nobody.get("/log/checkpoint")).text
    page = await house.auditor.get("/log/tree")

    assert checkpoint.split("\n")[0] in page.text
    assert "kept log verify --url" in page.text


# Reports


async def test_a_complaint_is_answered_by_address_or_number(house: House) -> None:
    address, phone = f"{new_id()}@example.org", "+44 20 7946 0891"
    contact = await house.product.contact(emails=[address], phones=[phone])
    await house.product.opened(contact)

    by_address = await house.auditor.post("/reports/subject", email=address.upper())
    by_number = await house.auditor.post("/reports/subject", phone=phone)
    report = await house.auditor.get(f"/reports/people/{contact}")

    assert (by_address.status_code, by_address.headers["location"]) == (303, f"/reports/people/{contact}")
    assert by_number.headers["location"] == f"/reports/people/{contact}"
    assert report.status_code == 200
    for word in ("<strong>staff</strong>", "Call", "Opened a person", "Asked for an id", "/proof", "Show as table"):
        assert word in report.text


async def test_nobody_and_nothing_are_told_apart_and_kept_as_typed(house: House) -> None:
    unknown = await house.auditor.post("/reports/subject", email="xq@example.org")
    malformed = await house.auditor.post("/reports/subject", email="xq-at-example")
    missing = await house.auditor.post("/reports/subject")

    assert (unknown.status_code, malformed.status_code, missing.status_code) == (200, 422, 422)
    assert "Nobody here has it" in unknown.text
    assert 'value="xq@example.org"' in unknown.text
    assert "no whole e-mail address" in malformed.text
    assert 'value="xq-at-example"' in malformed.text
    assert "no whole e-mail address" in missing.text


async def test_somebody_nobody_looked_at_has_an_empty_report(house: House) -> None:
    answer = await house.auditor.get(f"/reports/people/{await house.product.contact()}")

    assert "Nobody has looked" in answer.text


async def test_a_look_older_than_the_chart_is_in_the_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = await house.product.contact()
    await house.product.opened(contact)
    told = Keeper.looks

    async def old(self: Keeper, token: str, subject: str) -> list[dict[str, Any]]:
        return [row | {"at": "2020-02-29T10:00:00.000Z"} for row in await told(self, token, subject)]

    monkeypatch.setattr(Keeper, "looks", old)
    answer = await house.auditor.get(f"/reports/people/{contact}")

    assert "29 Feb 2020" in answer.text
    assert '<td class="number">1</td>' not in answer.text


async def test_a_colleagues_opens_are_counted_by_day_and_reason(house: House) -> None:
    contact = await house.product.contact()
    index = (await house.product.opened(contact))["log_index"]
    staff, today = house.product.keeper.cast["staff"].id, f"{NOW:%Y-%m-%d}"

    now = await house.auditor.get("/reports/colleagues", person=staff)
    before = await house.auditor.get("/reports/colleagues", person=staff, to="2020-01-02", **{"from": "2020-01-01"})
    day = await house.auditor.get(
        "/reports/colleagues", person=staff, to=today, before=str(index), **{"from": "2020-01-01"}
    )

    assert f'href="/log/entries/{index}"' in now.text
    assert "Nobody was shown" in before.text
    assert f'href="/log/entries/{index}"' not in day.text


async def test_a_report_is_told_whom_and_when(house: House) -> None:
    staff = house.product.keeper.cast["staff"].id
    for wrong in ({"person": new_id()}, {"person": ""}, {"person": staff, "from": "x"}, {"person": staff, "to": "x"}):
        answer = await house.auditor.get("/reports/colleagues", **wrong)

        assert answer.status_code == 422
        assert "Nothing was counted" in answer.text
    assert (await house.auditor.get("/reports/refusals", to="x")).status_code == 422


async def test_refusals_are_counted_with_whom_and_why(house: House) -> None:
    await house.product.marketing.get("/v1/log/entries")

    now = await house.auditor.get("/reports/refusals")
    before = await house.auditor.get("/reports/refusals", to="2020-01-02", **{"from": "2020-01-01"})

    assert "Read the log: Not their role" in now.text
    assert "marketing" in now.text
    assert "Nothing was refused" in before.text


async def test_a_week_tells_no_name_at_all(house: House) -> None:
    await house.product.opened(await house.product.contact())
    await house.product.marketing.get("/v1/log/entries")

    page = await house.auditor.get("/reports/week", week=f"{NOW:%G-W%V}")
    main = page.text.split("<main")[1].split("</main>")[0]

    for word in ("Opened a person", "Not their role", "People opened", "of 10,000,000", "An account was made"):
        assert word in main
    for person in house.product.keeper.cast.values():
        assert person.id not in main
    assert "staff2" not in main


async def test_a_week_that_is_none_is_said_and_the_last_one_shown(house: House) -> None:
    assert (await house.auditor.get("/reports/week")).status_code == 200
    for wrong in ("2026-W60", "next", "2026-11-24"):
        answer = await house.auditor.get("/reports/week", week=wrong)

        assert answer.status_code == 422
        assert "A week is written as" in answer.text
    assert "Nothing happened" in (await house.auditor.get("/reports/week", week="2020-W01")).text


async def test_a_report_over_more_than_it_goes_through_says_how_far_it_came(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.audit.browsing.CALLS", 1)
    monkeypatch.setattr("crm.audit.browsing.windows.__defaults__", (5,))

    for path in ("/reports/refusals", f"/reports/week?week={NOW:%G-W%V}"):
        answer = await house.auditor.get(path)

        assert "goes through" in answer.text


# Alerts, canaries


async def open_alert(house: House) -> dict[str, Any]:
    """Have one raised: an account is made by two people."""
    made = await house.product.admin.post("/v1/people", json={"name": new_id()[:12], "roles": ["staff"]})
    await house.product.auditor.post(f"/v1/decisions/{made.json()['decision']}", json={"verdict": "approve"})
    found = (await house.product.auditor.get("/v1/alerts", params={"state": "open"})).json()["alerts"]
    return dict(found[0])


async def test_an_alert_is_taken_with_a_word_and_then_has_an_owner(house: House) -> None:
    alert = await open_alert(house)
    before = await house.auditor.get("/alerts", state="open")

    taken = await house.auditor.post(f"/alerts/{alert['id']}/acknowledge", note_code="escalated")
    after = await house.auditor.get("/alerts", state="open")
    owned = await house.auditor.get("/alerts", state="acknowledged")

    assert f"alert-{alert['id']}" in before.text
    assert (taken.status_code, taken.headers["location"]) == (303, "/alerts")
    assert f"alert-{alert['id']}" not in after.text
    assert "auditor: Escalated" in owned.text


async def test_a_word_that_is_none_of_the_list_changes_nothing(house: House) -> None:
    alert = await open_alert(house)

    answer = await house.auditor.post(f"/alerts/{alert['id']}/acknowledge", note_code="she looked fine to me")

    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert f"alert-{alert['id']}" in (await house.auditor.get("/alerts", state="open")).text
    assert (await house.auditor.get("/alerts", state="lost")).status_code == 422


async def test_a_canary_is_made_and_whoever_touches_it_first_stands_there(house: House) -> None:
    id_, name = new_id(), f"Canary{new_id()[:6]}"
    made = await house.auditor.post("/alerts/canaries", id=id_, given_name=name, emails=f"{id_}@example.org")
    again = await house.auditor.post("/alerts/canaries", id=id_, given_name=name, emails=f"{id_}@example.org")
    untouched = await house.auditor.get("/alerts/canaries")
    first = await house.product.staff2.get(f"/v1/contacts/{id_}", params=SERVE)
    await house.product.staff.get(f"/v1/contacts/{id_}", params=SERVE)

    page = await house.auditor.get("/alerts/canaries")
    alerts = await house.auditor.get("/alerts")

    assert (made.status_code, made.headers["location"]) == (303, "/alerts/canaries")
    assert again.status_code == 303
    assert untouched.text.count(f'data-id="{id_}"') == 1
    row = page.text.split(f'data-id="{id_}"')[1].split("</tr>")[0]
    assert f"/log/entries/{first.json()['log_index']}" in row
    assert row.index("staff2") < row.rindex("staff")
    assert name not in page.text
    assert "A canary was opened" in alerts.text


async def test_a_canary_that_cannot_be_comes_back_as_it_was_typed(house: House) -> None:
    address = f"{new_id()}@example.org"
    await house.product.contact(emails=[address])

    malformed = await house.auditor.post("/alerts/canaries", given_name="Gxq", emails="no address")
    taken = await house.auditor.post("/alerts/canaries", given_name="Gxq", emails=address)
    nobodys = await house.auditor.post("/alerts/canaries", given_name="Gxq", id=await house.product.contact())

    for answer in (malformed, taken, nobodys):
        assert answer.status_code == 422
        assert "Nothing was made" in answer.text
        assert 'value="Gxq"' in answer.text
    assert "This cannot be one." in malformed.text
    assert "Somebody has it already." in taken.text


# Decisions


async def asked(house: House, **body: Any) -> dict[str, Any]:
    """Invite somebody as admin; returns the answer with the first half of the code."""
    answer = await house.product.admin.post(
        "/v1/people", json={"name": f"New {new_id()[:8]}", "roles": ["staff"], **body}
    )
    return dict(answer.json())


async def test_an_approval_shows_its_half_of_the_code_once(house: House) -> None:
    name = f"New {new_id()[:8]}"
    made = await asked(house, name=name)
    waiting = await house.auditor.get("/decisions")

    page = await house.auditor.post(f"/decisions/{made['decision']}", verdict="approve")
    half = page.text.split('class="code-half"><code>')[1].split("</code>")[0]
    again = await house.auditor.post(f"/decisions/{made['decision']}", verdict="approve")
    after = await house.auditor.get("/decisions")
    spent = await house.product.nobody.post(
        "/v1/invitations", json={"code": f"{made['code']}.{half}", "password": PASSWORD}
    )

    assert f"An account for {name}" in waiting.text
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert spent.status_code == 201
    assert again.status_code == 412
    for answer in (again, after):
        assert half not in answer.text
    assert f'action="/decisions/{made["decision"]}"' not in after.text


async def test_a_refusal_goes_back_to_what_waits(house: House) -> None:
    made = await asked(house)

    answer = await house.auditor.post(f"/decisions/{made['decision']}", verdict="refuse")

    assert (answer.status_code, answer.headers["location"]) == (303, "/decisions")


async def test_a_verdict_that_is_none_decides_nothing(house: House) -> None:
    made = await asked(house)

    answer = await house.auditor.post(f"/decisions/{made['decision']}", verdict="perhaps")

    assert answer.status_code == 422
    assert f'action="/decisions/{made["decision"]}"' in answer.text


async def test_a_lift_is_a_privacy_officers_too_and_shows_no_code(house: House) -> None:
    lift = (await house.product.staff2.post("/v1/me/lift")).json()["decision"]
    account = await asked(house)
    privacy = house.as_("privacy")

    waiting = await privacy.get("/decisions")
    foreign = await privacy.post(f"/decisions/{account['decision']}", verdict="approve")
    taken = await privacy.post(f"/decisions/{lift}", verdict="approve")

    assert "A lift of budgets for staff2" in waiting.text
    assert account["decision"] not in waiting.text
    assert foreign.status_code == 404
    assert (taken.status_code, taken.headers["location"]) == (303, "/decisions")
    assert "Approved" in (await privacy.get("/decisions")).text


async def test_roles_and_resets_say_what_they_do(house: House) -> None:
    made = await asked(house)
    page = await house.auditor.post(f"/decisions/{made['decision']}", verdict="approve")
    half = page.text.split('class="code-half"><code>')[1].split("</code>")[0]
    await house.product.nobody.post("/v1/invitations", json={"code": f"{made['code']}.{half}", "password": PASSWORD})
    path = f"/v1/people/{made['id']}"
    await house.product.admin.patch(path, json={"roles": ["staff", "privacy"]})
    reset = (await house.product.admin.patch(path, json={"state": "reset"})).json()["decision"]

    waiting = await house.auditor.get("/decisions")
    code = await house.auditor.post(f"/decisions/{reset}", verdict="approve")

    assert "Other roles for" in waiting.text
    assert "A reset of" in waiting.text
    assert "sets a new password" in code.text
