"""Every answer that is no success is problem+json, and none repeats what was sent."""

import logging
from typing import Any

import pytest
from httpx import AsyncClient, Response

from api.http.problem import STATUS
from crm.db import Database
from crm.errors import BY_CODE
from crm.kit.ids import new_id
from tests.product import SERVE, Product

CANARY = "Zzyzx.Quilligan+canary@xn--mnchen-3ya.example"


def is_problem(answer: Response, status: int, code: str) -> bool:
    body = answer.json()
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:kept:problem:{code}")
    assert body["title"]
    return CANARY.casefold() not in answer.text.casefold() and CANARY not in str(answer.headers)


async def test_the_frameworks_own(product: Product) -> None:
    staff = product.staff

    assert is_problem(await staff.get(f"/v1/{CANARY}"), 404, "not-found")
    assert is_problem(await staff.put("/v1/contacts"), 405, "method-not-allowed")
    assert is_problem(await staff.post("/v1/contacts/", json={}), 404, "not-found")
    assert (await staff.get("/docs")).status_code == 404


def mistake(at: str, why: str) -> list[dict[str, str]]:
    return [{"pointer": f"/body{at}", "reason": why}]


NO_TEXT = "control characters are not text"
NOBODY = "a contact needs a name, a company, an e-mail address or a phone number"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"emails": [CANARY.replace("@", " ")]}, mistake("/emails/0", "not an e-mail address")),
        ({"given_name": "Ada", CANARY: 1}, mistake("", "extra forbidden")),
        ({"given_name": "Ada", "profile": {CANARY: 1}}, mistake("/profile", "extra forbidden")),
        ({"given_name": [CANARY]}, mistake("/given_name", "string type")),
        ({"given_name": CANARY * 9}, mistake("/given_name", "string too long")),
        ({"given_name": "\0" + CANARY}, mistake("/given_name", NO_TEXT)),
        ({"given_name": "Ada", "language": CANARY[:20]}, mistake("/language", "not a language tag of BCP 47")),
        ({"given_name": "Ada", "country": CANARY[:8]}, mistake("/country", "not a country code of ISO 3166")),
        ({"given_name": "Ada", "time_zone": CANARY}, mistake("/time_zone", "not a time zone of the IANA list")),
        ({}, mistake("", NOBODY)),
        ([CANARY], mistake("", "model attributes type")),
    ],
)
async def test_a_mistake_is_pointed_at_and_not_quoted(product: Product, body: Any, errors: Any) -> None:
    answer = await product.staff.post("/v1/contacts", json=body)

    assert is_problem(answer, 422, "invalid")
    assert answer.json()["errors"] == errors


@pytest.mark.parametrize(
    "content",
    [
        b'{"given_name": "' + CANARY.encode(),
        b"\xff\xfe" + CANARY.encode(),
        b'{"given_name": "\\ud800' + CANARY.encode() + b'"}',
        CANARY.encode(),
        b"[" * 100_000,
    ],
)
async def test_bytes_that_are_no_json(product: Product, content: bytes) -> None:
    answer = await product.staff.post("/v1/contacts", content=content, headers={"content-type": "application/json"})

    assert answer.status_code in {400, 422}
    assert is_problem(answer, answer.status_code, answer.json()["code"])


async def test_an_unknown_term_is_pointed_at(product: Product) -> None:
    for field in ("stage", "product"):
        answer = await product.staff.post("/v1/contacts", json={"given_name": "Ada", field: CANARY})
        assert is_problem(answer, 422, "invalid")
        assert answer.json()["pointer"] == f"/body/{field}"
    answer = await product.staff.post("/v1/contacts", json={"given_name": "Ada", "tags": [CANARY]})
    assert answer.json()["pointer"] == "/body/tags/0"


async def test_a_body_over_the_limit(product: Product) -> None:
    large = {"given_name": CANARY, "profile": {"note": "x" * (1 << 20)}}

    assert is_problem(await product.staff.post("/v1/contacts", json=large), 413, "too-large")


async def test_a_body_of_unknown_length_over_the_limit(product: Product) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 100_000

    answer = await product.staff.post("/v1/contacts", content=chunks(), headers={"content-type": "application/json"})

    assert is_problem(answer, 413, "too-large")


async def test_a_mistake_of_ours_says_nothing(
    product: Product, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise KeyError(CANARY)

    monkeypatch.setattr(product.app.state.held.reads, "row", broken)
    with caplog.at_level(logging.DEBUG):
        answer = await product.staff.get(f"/v1/contacts/{new_id()}", params=SERVE)

    assert is_problem(answer, 500, "internal")
    assert "KeyError" in caplog.text
    assert CANARY not in caplog.text


async def test_a_database_that_is_down(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = await product.contact()
    held = product.app.state.held
    nowhere = type(product.server.dsn("kept_web"))("postgresql://kept_web@/kept?host=/nowhere")
    async with Database(nowhere, nowhere) as database:
        monkeypatch.setattr(held, "reads", database.reads)
        monkeypatch.setattr(held, "database", database)
        answer = await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)
        health = await product.nobody.get("/health")

    assert is_problem(answer, 503, "database-unavailable")
    assert answer.headers["retry-after"]
    assert health.json()["database"] == "unavailable"


async def test_a_keeper_that_is_down(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = await product.contact()
    held = product.app.state.held
    monkeypatch.setattr(
        held, "keeper", type(held.keeper)(product.keeper.path / "none.sock", held.settings.service_key_file)
    )

    answer = await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)
    health = await product.nobody.get("/health")

    assert is_problem(answer, 503, "keeper-unavailable")
    assert health.json()["keeper"]["state"] == "unavailable"


async def test_a_client_that_goes_away(product: Product) -> None:
    """A broken form ends in an answer, not in a task that waits."""
    broken: AsyncClient = product.staff

    answer = await broken.post(
        "/v1/imports", content=b"--x\r\nbroken", headers={"content-type": "multipart/form-data; boundary=x"}
    )

    assert is_problem(answer, 422, "invalid")


def test_every_code_of_the_domain_has_a_status() -> None:
    assert set(BY_CODE) == set(STATUS)
