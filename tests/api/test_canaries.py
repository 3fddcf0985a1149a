"""Canaries: contacts like any other to everybody but the log."""

import re
from typing import Any

import asyncpg
import pytest
from httpx import Response

from crm.contacts import canaries, queries
from crm.kit.ids import is_id, new_id
from tests.api.test_error_shape import CANARY, is_problem
from tests.api.test_every_route import ROWS, STAFF
from tests.keeper.home import item
from tests.product import SERVE, Product

URL = "/v1/canaries"
CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}


async def made(product: Product, **fields: Any) -> str:
    answer = await product.auditor.post(URL, json=fields)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"id", "log_index"}
    return str(answer.json()["id"])


async def listed(product: Product, contact: str) -> dict[str, Any]:
    answer = await product.auditor.get(URL)
    assert answer.status_code == 200, answer.text
    (found,) = (one for one in answer.json()["canaries"] if one["id"] == contact)
    return dict(found)


async def row_of(product: Product, contact: str) -> dict[str, Any]:
    """Read the row as a superuser would, with where PostgreSQL put it and who wrote it."""
    admin = await asyncpg.connect(product.server.admin_dsn, database="kept")
    row = await admin.fetchrow("select * from contact where id = $1", contact)
    await admin.close()
    return dict(row) if row else {}


# What an auditor sees


async def test_it_is_listed_by_id_until_somebody_looks_and_behind(product: Product) -> None:
    name = f"Bird{new_id()[:8]}"
    contact = await made(product, given_name="Jane", family_name=name)

    before = await listed(product, contact)
    assert set(before) == {
        "id", "made_at", "made_by", "log_index", "touched_at", "touched_by", "touched_index", "first_at", "first_by",
        "first_index",
    }  # fmt: skip
    assert before["made_by"] == product.keeper.cast["auditor"].id
    assert (before["touched_at"], before["touched_by"], before["touched_index"]) == (None, None, None)

    opened = await product.opened(contact)
    after = await listed(product, contact)
    assert (after["touched_by"], after["touched_index"]) == (product.keeper.cast["staff"].id, opened["log_index"])
    assert after["touched_at"] > after["made_at"]
    again = await product.opened(contact)
    assert await listed(product, contact) | {"first_index": opened["log_index"]} == {
        **after, "touched_at": (await listed(product, contact))["touched_at"], "touched_index": again["log_index"],
    }  # fmt: skip
    assert name not in (await product.auditor.get(URL)).text


async def test_they_are_listed_in_the_order_they_were_made(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "AT_ONCE", 2)
    ids = [await made(product) for _ in range(5)]

    body = (await product.auditor.get(URL)).json()

    assert [one["id"] for one in body["canaries"]][-5:] == ids
    assert body["read"] <= body["size"]


async def test_what_is_not_given_is_chosen_and_could_be_nobodys(product: Product) -> None:
    found = await product.opened(await made(product, country="ch"))

    assert found["identity"].keys() <= {"given_name", "family_name", "company", "job_title"}
    assert found["identity"]["given_name"] in canaries.GIVEN
    assert found["identity"]["family_name"] in canaries.FAMILY
    assert (found["channels"], found["profile"], found["country"]) == ({}, {}, "CH")
    assert found["owner"] in {product.keeper.cast[name].id for name in ("staff", "staff2")} | await staff_of(product)


async def staff_of(product: Product) -> set[str]:
    people = (await product.auditor.get("/v1/people")).json()["people"]
    return {one["id"] for one in people if "staff" in one["roles"] and one["state"] == "active"}


async def test_the_auditor_says_whose_it_is(product: Product) -> None:
    owner = product.keeper.cast["staff2"].id

    assert (await product.opened(await made(product, owner=owner)))["owner"] == owner
    for nobody in (product.keeper.cast["auditor"].id, new_id()):
        answer = await product.auditor.post(URL, json={"owner": nobody})
        assert is_problem(answer, 422, "invalid")
        assert answer.json()["pointer"] == "/body/owner"


async def test_without_staff_it_is_nobodys(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(_: str) -> list[Any]:
        return []

    monkeypatch.setattr(product.app.state.held.keeper, "people", nobody)

    assert (await row_of(product, await made(product)))["owner"] is None


async def test_what_a_customer_holds_is_refused_and_not_quoted(product: Product) -> None:
    address, number = f"{new_id()}@example.org", "+4930555000222"
    await product.contact(emails=[address], phones=[number])

    for body, pointer in (
        ({"emails": [f"{new_id()}@example.org", address]}, "/body/emails/1"),
        ({"phones": [number]}, "/body/phones/0"),
    ):
        answer = await product.auditor.post(URL, json={"given_name": "Jane", **body})
        assert is_problem(answer, 422, "invalid")
        assert answer.json()["pointer"] == pointer
        assert address not in answer.text
        assert number not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"emails": [CANARY.replace("@", " ")]}, {CANARY: 1}, {"id": CANARY}, {"owner": CANARY},
        {"given_name": [CANARY]}, {"stage": CANARY}, {"time_zone": CANARY}, [CANARY],
    ],
)  # fmt: skip
async def test_a_mistake_is_not_quoted(product: Product, body: Any) -> None:
    assert is_problem(await product.auditor.post(URL, json=body), 422, "invalid")


async def test_the_same_id_again_answers_as_the_first_time(product: Product) -> None:
    body = {"id": new_id(), "given_name": "Jane", "emails": [f"{new_id()}@example.org"]}

    first = await product.auditor.post(URL, json=body)
    again = await product.auditor.post(URL, json={**body, "given_name": "Other"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await product.opened(body["id"]))["identity"] == {"given_name": "Jane"}


async def test_a_customers_id_makes_no_canary(product: Product) -> None:
    """Neither with a row, nor where a crash left the keeper alone with them."""
    contact, halfway = await product.contact(), new_id()
    keeper = product.app.state.held.keeper
    await keeper.put(product.keeper.token("staff"), "intake", item(halfway, identity={"given_name": "Ada"}))

    for id_ in (contact, halfway):
        answer = await product.auditor.post(URL, json={"id": id_})
        assert is_problem(answer, 422, "invalid")
        assert answer.json()["pointer"] == "/body/id"
    assert not await row_of(product, halfway)
    body = (await product.auditor.get(URL)).json()
    assert not {contact, halfway} & {one["id"] for one in body["canaries"]}


async def test_what_broke_off_is_made_whole_by_asking_again(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies between the keeper and PostgreSQL."""
    body = {"id": new_id(), "given_name": "Jane", "emails": [f"{new_id()}@example.org"]}

    async def dies(*_: object) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(queries, "add", dies)
        assert is_problem(await product.auditor.post(URL, json=body), 500, "internal")
    assert not await row_of(product, body["id"])

    answer = await product.auditor.post(URL, json=body)

    assert answer.status_code == 201
    assert (await row_of(product, body["id"]))["log_index"] == answer.json()["log_index"]
    alerts = (await product.auditor.get("/v1/alerts")).json()["alerts"]
    assert not [one for one in alerts if body["id"] in one["subjects"]]


# What nobody else can tell


async def twins(product: Product) -> tuple[str, str, str]:
    """Make a contact as staff and a canary, of whom the same is known; returns their ids and their name."""
    stage = await product.term("stage", "Lead")
    word = f"Zwilling{new_id()[:8]}"
    common = {
        "given_name": "Jane", "company": f"{word} Services", "job_title": "Buyer", "language": "de", "country": "CH",
        "time_zone": "Europe/Zurich", "stage": stage, "profile": {"nickname": "J", "note": "tea"},
        "addresses": [{"street": "1 Example Street"}],
    }  # fmt: skip
    own = [{"family_name": word, "emails": [f"{new_id()}@example.org"]} for _ in range(2)]
    contact = await product.contact(**common, **own[0])
    canary = await made(product, owner=product.keeper.cast["staff"].id, **common, **own[1])
    return contact, canary, word


def shape(answer: Response) -> tuple[int, dict[str, str], str]:
    """Return an answer without what is drawn at random, counted or timed: status, headers, body."""
    text = answer.text
    for pattern, word in (
        (r"[0-9a-f]{32}", "ID"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "TIME"),
        (r'("(?:log_)?index"):[0-9]+', r"\1:INDEX"),
        (r'"email_masked":"[0-9a-f]', '"email_masked":"X'),
    ):
        text = re.sub(pattern, word, text)
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return answer.status_code, headers, text


def named(what: Any, ids: dict[str, str]) -> Any:
    """Put ids where their names stand in braces, in a path or in the parts of a call."""
    if isinstance(what, dict):
        return {key: named(value, ids) for key, value in what.items()}
    if not isinstance(what, str):
        return what
    for name, id_ in ids.items():
        what = what.replace("{" + name + "}", id_)
    return what


INTERACTION = "/v1/contacts/{contact}/interactions/{interaction}"
FILE = {"file": ("note.txt", b"plain", "text/plain")}
# Each route in which staff name a contact, in an order in which each of them says something.
STEPS: list[tuple[int, str, str, dict[str, Any]]] = [
    (200, "GET", "/v1/contacts/{contact}/looks", {}),
    (200, "GET", "/v1/contacts/{contact}", {"params": SERVE}),
    (200, "GET", "/v1/contacts/{contact}/looks", {}),
    (200, "GET", "/v1/contacts/{contact}/interactions", {}),
    (201, "POST", "/v1/contacts/{contact}/interactions", {"json": CALL}),
    (200, "GET", "/v1/contacts/{contact}", {"params": SERVE}),
    (200, "PATCH", "/v1/contacts/{contact}", {"json": {"job_title": "Owner"}, "headers": {"if-match": '"1.1.1.1"'}}),
    (200, "PATCH", "/v1/contacts/{contact}", {"json": {"country": "FR"}, "headers": {"if-match": '"2.2.1.1"'}}),
    (412, "PATCH", "/v1/contacts/{contact}", {"json": {"country": "FR"}, "headers": {"if-match": '"2.2.1.1"'}}),
    (200, "GET", "/v1/contacts/{contact}", {"params": SERVE}),
    (201, "POST", "/v1/contacts/{contact}/interactions", {"json": {**CALL, "id": "{interaction}"}}),
    (201, "POST", f"{INTERACTION}/versions", {"json": {**CALL, "version": 1}}),
    (200, "GET", f"{INTERACTION}/versions", {"params": SERVE}),
    (201, "POST", f"{INTERACTION}/attachments", {"files": FILE, "data": {"id": "{attachment}"}}),
    (200, "GET", f"{INTERACTION}/attachments/{{attachment}}", {"params": SERVE}),
    (200, "POST", f"{INTERACTION}/move", {"json": {"to": "{other}"}}),
    (200, "PUT", "/v1/contacts/{contact}/draft", {"json": {"summary": "x"}}),
    (200, "GET", "/v1/contacts/{contact}/draft", {}),
    (204, "DELETE", "/v1/contacts/{contact}/draft", {}),
    (201, "POST", "/v1/contacts/{contact}/consents", {"json": {"state": "objected", "source": "call"}}),
    (200, "GET", "/v1/contacts/{contact}/consents", {}),
    (200, "POST", "/v1/contacts/{contact}/keep", {"json": {"until": "2027-11-24"}}),
    (200, "POST", "/v1/contacts/{contact}/merge", {"json": {"into": "{other}"}}),
    (404, "GET", "/v1/contacts/{contact}", {"params": SERVE}),
    (200, "POST", "/v1/contacts/{contact}/merge/undo", {}),
    (202, "DELETE", "/v1/contacts/{contact}", {"params": {"ground": "request"}}),
    (403, "POST", "/v1/contacts/{contact}/erase/cancel", {}),
    (404, "GET", "/v1/contacts/{contact}", {"params": SERVE}),
]


def test_every_route_in_which_staff_name_a_contact_is_tried() -> None:
    theirs = {(row.method, row.path) for row in ROWS if "{contact}" in row.path and row.roles >= STAFF}

    assert {(method, path) for _, method, path, _ in STEPS} == theirs


async def test_staff_are_told_the_same_of_a_canary(product: Product) -> None:
    contact, canary, word = await twins(product)
    ids = [
        {"contact": one, "interaction": new_id(), "attachment": new_id(), "other": await product.contact()}
        for one in (contact, canary)
    ]

    for status, method, path, call in STEPS:
        answers = [
            await product.staff.request(method, named(path, each), **{key: named(of, each) for key, of in call.items()})
            for each in ids
        ]
        told, told_of_canary = map(shape, answers)
        assert told_of_canary == told, (method, path)
        assert told[0] == status, (method, path)
    for one in (contact, canary):
        assert (await product.staff2.post(f"/v1/contacts/{one}/erase/cancel")).status_code == 200
    search = (await product.staff2.post("/v1/contacts/search", json={"q": word})).json()
    assert {match["id"] for match in search["matches"]} == {contact, canary}
    assert len({(match["name"], match["company"]) for match in search["matches"]}) == 1
    recent = (await product.staff.get("/v1/me/recent")).json()["people"]
    assert {contact, canary} <= {one["id"] for one in recent}


async def test_staff_who_make_one_like_it_are_told_the_same(product: Product) -> None:
    contact, canary, _ = await twins(product)
    mail = {one: (await product.opened(one))["channels"]["emails"] for one in (contact, canary)}

    by_mail = [await product.staff.post("/v1/contacts", json={"emails": mail[one]}) for one in (contact, canary)]
    by_id = [
        await product.staff.post("/v1/contacts", json={"id": one, "given_name": "Ada"}) for one in (contact, canary)
    ]

    assert [answer.status_code for answer in by_mail + by_id] == [409, 409, 201, 201]
    for told, told_of_canary in (by_mail, by_id):
        assert shape(told_of_canary) == shape(told)


async def test_the_others_are_told_the_same_of_a_canary(product: Product) -> None:
    contact, canary, _ = await twins(product)

    for name in ("privacy", "marketing", "counsel", "product", "admin"):
        for path, params in (("", {"purpose": "subject_request"}), ("", SERVE), ("/looks", {})):
            answers = [
                await product.as_(name).get(f"/v1/contacts/{one}{path}", params=params) for one in (contact, canary)
            ]
            assert shape(answers[1]) == shape(answers[0]), (name, path)


async def test_its_row_is_like_any_other(product: Product) -> None:
    contact, canary, _ = await twins(product)
    later = await product.contact()

    ordinary, row, next_ = [await row_of(product, one) for one in (contact, canary, later)]

    drawn = {"id", "created_at", "updated_at", "log_index"}
    assert {name: value for name, value in row.items() if name not in drawn} == {
        name: value for name, value in ordinary.items() if name not in drawn
    }
    assert is_id(row["id"])
    assert row["created_at"] == row["updated_at"]
    # Whoever orders the rows by one of the two sees what they see by the other.
    assert ordinary["created_at"] <= row["created_at"] <= next_["created_at"]
    assert ordinary["log_index"] < row["log_index"] < next_["log_index"]
