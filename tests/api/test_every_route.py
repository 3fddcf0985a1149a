"""One table of all routes; a route without a row fails, and each row is tried by everybody it is not for."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from api.http.deps import PUBLIC, OpenRouteError, closed, declarations
from crm.kit.ids import new_id
from crm.promises.classes import PAGES
from tests.keeper.home import CAST
from tests.product import SERVE, Product

STAFF, CARE = {"staff", "staff2"}, {"staff", "staff2", "privacy"}
ADMIN, AUDITOR, EVERYBODY = {"admin"}, {"auditor"}, set(CAST)
SOME_ID = new_id()
CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}
FORM = {"files": {"file": ("x", b"BEGIN:VCARD\r\nFN:A\r\nEND:VCARD\r\n", "text/plain")}}
PASSKEY = {"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30"}}
FOLLOW_UP = {"due": "2026-11-25T09:00:00Z", "title": "x"}


@dataclass(frozen=True)
class Row:
    """A route, what a well-formed call carries, and who may call it."""

    method: str
    path: str
    roles: set[str]
    call: dict[str, Any] = field(default_factory=dict)

    def url(self, id_: str) -> str:
        path = self.path
        for name in (
            "contact", "company", "interaction", "attachment", "follow_up", "person", "decision", "job", "term",
            "alert", "passkey",
        ):  # fmt: skip
            path = path.replace("{" + name + "}", id_)
        return path.replace("{kind}", "stage").replace("{index}", "3").replace("{path:path}", "000.p/1")


def json(**body: Any) -> dict[str, Any]:
    return {"json": body}


ROWS = [
    Row("GET", "/v1/contacts/{contact}", STAFF, {"params": SERVE}),
    Row("POST", "/v1/contacts/search", STAFF, json(q="lovelace")),
    Row("POST", "/v1/contacts", STAFF, json(given_name="Ada")),
    Row("PATCH", "/v1/contacts/{contact}", STAFF, {"headers": {"if-match": '"1.1.0.0"'}, **json(job_title="x")}),
    Row("DELETE", "/v1/contacts/{contact}", CARE, {"params": {"ground": "request"}}),
    Row("POST", "/v1/contacts/{contact}/erase/cancel", CARE),
    Row("POST", "/v1/contacts/{contact}/merge", STAFF, json(into=SOME_ID)),
    Row("POST", "/v1/contacts/{contact}/merge/undo", STAFF),
    Row("PUT", "/v1/contacts/{contact}/restriction", {"privacy"}),
    Row("DELETE", "/v1/contacts/{contact}/restriction", {"privacy"}),
    Row("GET", "/v1/contacts/{contact}/looks", CARE | AUDITOR),
    Row("GET", "/v1/contacts", STAFF, {"params": {"owner": "me"}}),
    Row("POST", "/v1/contacts/count", STAFF | {"privacy", "marketing"}, json(language="fr")),
    Row("POST", "/v1/contacts/compare", STAFF, json(ids=[SOME_ID, new_id()])),
    Row("GET", "/v1/contacts/{contact}/consents", CARE),
    Row("POST", "/v1/contacts/{contact}/consents", CARE, json(state="objected", source="call")),
    Row("POST", "/v1/contacts/{contact}/keep", CARE, json(until="2027-11-24")),
    Row("GET", "/v1/retention", CARE),
    Row("GET", "/v1/companies/{company}", STAFF),
    Row("POST", "/v1/companies/search", STAFF, json(q="acme")),
    Row("POST", "/v1/companies", STAFF, json(name="Acme")),
    Row("PATCH", "/v1/companies/{company}", STAFF, {"headers": {"if-match": '"1.1.0.0"'}, **json(name="x")}),
    Row("DELETE", "/v1/companies/{company}", CARE, {"params": {"ground": "request"}}),
    Row("POST", "/v1/companies/{company}/erase/cancel", CARE),
    Row("POST", "/v1/companies/{company}/merge", STAFF, json(into=SOME_ID)),
    Row("POST", "/v1/companies/{company}/merge/undo", STAFF),
    Row("GET", "/v1/contacts/{contact}/interactions", STAFF),
    Row("POST", "/v1/contacts/{contact}/interactions", STAFF, json(**CALL)),
    Row("GET", "/v1/contacts/{contact}/interactions/{interaction}/versions", STAFF),
    Row("POST", "/v1/contacts/{contact}/interactions/{interaction}/versions", STAFF, json(**CALL, version=1)),
    Row("POST", "/v1/contacts/{contact}/interactions/{interaction}/move", STAFF, json(to=SOME_ID)),
    Row("POST", "/v1/contacts/{contact}/interactions/{interaction}/attachments", STAFF, FORM),
    Row("GET", "/v1/contacts/{contact}/interactions/{interaction}/attachments/{attachment}", STAFF),
    Row("PUT", "/v1/contacts/{contact}/draft", STAFF, json(summary="x")),
    Row("GET", "/v1/contacts/{contact}/draft", STAFF),
    Row("DELETE", "/v1/contacts/{contact}/draft", STAFF),
    Row("GET", "/v1/follow-ups", STAFF),
    Row("POST", "/v1/follow-ups", STAFF, json(**FOLLOW_UP, contact=SOME_ID)),
    Row("PATCH", "/v1/follow-ups/{follow_up}", STAFF, {"headers": {"if-match": '"1"'}, **json(due=FOLLOW_UP["due"])}),
    Row("POST", "/v1/follow-ups/{follow_up}/done", STAFF),
    Row("GET", "/v1/passkeys", EVERYBODY),
    Row("POST", "/v1/passkeys", EVERYBODY, json(passkey=PASSKEY)),
    Row("POST", "/v1/passkeys/options", EVERYBODY, json(ceremony="enrol")),
    Row("DELETE", "/v1/passkeys/{passkey}", EVERYBODY),
    Row("POST", "/v1/sessions/current/proof", EVERYBODY, json(password="x")),
    Row("GET", "/v1/sessions", EVERYBODY),
    Row("DELETE", "/v1/sessions", EVERYBODY),
    Row("DELETE", "/v1/sessions/current", EVERYBODY),
    Row("GET", "/v1/me", EVERYBODY),
    Row("GET", "/v1/me/recent", STAFF),
    Row("GET", "/v1/me/log", EVERYBODY),
    Row("POST", "/v1/me/password", EVERYBODY, json(old="x", new="y")),
    Row("POST", "/v1/me/totp", EVERYBODY),
    Row("PUT", "/v1/me/totp", EVERYBODY, json(code="123456")),
    Row("POST", "/v1/me/lift", STAFF),
    Row("GET", "/v1/vocabulary/{kind}", EVERYBODY),
    Row("POST", "/v1/vocabulary/{kind}", ADMIN, json(term="x")),
    Row("PATCH", "/v1/vocabulary/{kind}/{term}", ADMIN, json(retired=True)),
    Row("POST", "/v1/imports", STAFF, FORM),
    Row("GET", "/v1/imports/{job}", STAFF),
    Row("GET", "/v1/colleagues", EVERYBODY),
    Row("GET", "/v1/people", ADMIN | AUDITOR),
    Row("POST", "/v1/people", ADMIN, json(name="x", roles=["product"])),
    Row("PATCH", "/v1/people/{person}", ADMIN, json(state="left")),
    Row("POST", "/v1/people/{person}/hand-over", ADMIN, json(to=SOME_ID, kind="leaver")),
    Row("POST", "/v1/people/{person}/recovery", ADMIN | AUDITOR),
    Row("GET", "/v1/decisions", ADMIN | CARE | AUDITOR),
    Row("POST", "/v1/decisions/{decision}", AUDITOR | {"privacy"}, json(verdict="refuse")),
    Row("GET", "/v1/log/entries", AUDITOR),
    Row("GET", "/v1/log/entries/{index}/proof", AUDITOR),
    Row("POST", "/v1/log/subject", AUDITOR, json(email="ada@example.org")),
    Row("GET", "/log/tile/entries/{path:path}", AUDITOR),
    Row("GET", "/v1/alerts", AUDITOR),
    Row("POST", "/v1/alerts/{alert}/acknowledge", AUDITOR, json(note_code="followed_up")),
    Row("GET", "/v1/canaries", AUDITOR),
    Row("POST", "/v1/canaries", AUDITOR, json(given_name="Ada")),
]
NAMES = [f"{row.method} {row.path}" for row in ROWS]


def test_the_table_has_every_route(product: Product) -> None:
    routes = {(method, path) for method, path, _ in declarations(product.app) if method != "HEAD"}

    # Pages have a table of their own: tests/web/test_every_page.py.
    assert routes - PAGES.keys() == {(row.method, row.path) for row in ROWS} | PUBLIC - PAGES.keys()


def test_a_route_that_declares_nothing_does_not_start() -> None:
    router = APIRouter()

    @router.get("/v1/everybody")
    async def everybody() -> None: ...

    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(router)

    with pytest.raises(OpenRouteError, match="GET /v1/everybody"):
        closed(app)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_it_rejects_strangers(product: Product, row: Row) -> None:
    answer = await product.nobody.request(row.method, row.url(new_id()), **row.call)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_it_rejects_a_token_nobody_has(product: Product, row: Row) -> None:
    call = {**row.call, "headers": {**row.call.get("headers", {}), "authorization": "Bearer " + "x" * 43}}

    answer = await product.nobody.request(row.method, row.url(new_id()), **call)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_it_refuses_other_roles_before_it_looks_at_the_id(product: Product, row: Row) -> None:
    for name in set(CAST) - row.roles:
        for id_ in (new_id(), "no-id"):
            answer = await product.as_(name).request(row.method, row.url(id_), **row.call)

            assert (answer.status_code, answer.json()["code"]) == (403, "purpose-not-yours"), name


WITH_ID = [row for row in ROWS if row.url("a") != row.url("b")]


@pytest.mark.parametrize("row", WITH_ID, ids=[f"{row.method} {row.path}" for row in WITH_ID])
async def test_unknown_and_malformed_ids_are_one_answer(product: Product, row: Row) -> None:
    client = product.as_(min(row.roles))

    answers = [await client.request(row.method, row.url(id_), **row.call) for id_ in (new_id(), "no-id", "A" * 32)]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


# GET /v1/contacts/search is GET /v1/contacts/{contact} with an odd id, and so are its neighbours.
ODD_IDS = {
    "/v1/contacts/search", "/v1/contacts/count", "/v1/contacts/compare", "/v1/companies/search", "/v1/passkeys/options"
}  # fmt: skip
PATHS = sorted({row.path for row in ROWS} - ODD_IDS)


@pytest.mark.parametrize("path", PATHS)
async def test_it_rejects_other_methods(product: Product, path: str) -> None:
    row = next(row for row in ROWS if row.path == path)
    taken = {row.method for row in ROWS if row.path == path} | {method for method, public in PUBLIC if public == path}

    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - taken:
        answer = await product.staff.request(method, row.url(new_id()))

        assert answer.status_code == 405
        assert method == "HEAD" or answer.json()["code"] == "method-not-allowed"
