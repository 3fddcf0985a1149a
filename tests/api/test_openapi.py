"""The schema: an example of everything, every refusal, and none of it made up."""

from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter

from api.http.examples import EXAMPLES
from api.http.problem import MEDIA_TYPE, STATUS, TITLES, status_of
from crm.promises.classes import BYTES, CLASSES
from tests.product import SERVE, Product


def operations(product: Product) -> dict[tuple[str, str], dict[str, Any]]:
    routes = {
        (method, route.path): route.path_format
        for context in iter_route_contexts(product.app.routes)
        if isinstance(route := context.original_route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
    }
    paths = product.app.openapi()["paths"]
    return {(method, path): paths[printed][method.lower()] for (method, path), printed in routes.items()}


def test_every_route_has_its_examples_and_no_row_is_left_over(product: Product) -> None:
    assert set(EXAMPLES) == set(operations(product))


def test_every_route_says_what_it_is_for_and_every_refusal_is_a_problem(product: Product) -> None:
    for name, operation in operations(product).items():
        assert operation["description"], name
        answered = {status: answer for status, answer in operation["responses"].items() if status < "400"}
        assert len(answered) == 1, name
        refused = operation["responses"].keys() - answered.keys()
        assert {"429", "500"} <= refused, name
        for status in refused:
            content = operation["responses"][status]["content"]
            assert set(content) == {MEDIA_TYPE}, name
            for code, example in content[MEDIA_TYPE]["examples"].items():
                assert example["value"]["code"] == code
                assert example["value"]["status"] == int(status) == status_of(code)
                assert example["value"]["title"]


def test_every_body_and_every_answer_has_an_example(product: Product) -> None:
    for name, operation in operations(product).items():
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            assert media == "multipart/form-data" or "example" in content, name
        (answer,) = [each for status, each in operation["responses"].items() if status < "400"]
        media = CLASSES[name].media
        if "content" in answer:
            assert set(answer["content"]) == {media}, name
            assert media == BYTES or "example" in answer["content"][media], name


def test_the_bodies_of_the_examples_are_accepted(product: Product) -> None:
    checked = 0
    for context in iter_route_contexts(product.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.body_field is not None:
            (method,) = route.methods or ()
            TypeAdapter(route.body_field.field_info.annotation).validate_python(EXAMPLES[method, route.path].body)
            checked += 1
    assert checked > 10


async def test_the_examples_answer_as_the_product_does(product: Product) -> None:
    contact = await product.contact(emails=["ada@example.org"])
    logged = await product.staff.post(f"/v1/contacts/{contact}/interactions", json=EXAMPLES[LOG].body)
    interaction = f"/v1/contacts/{contact}/interactions/{logged.json()['id']}"
    await product.staff.post(f"{interaction}/attachments", files={"file": ("note.txt", b"plain", "text/plain")})
    await product.staff.post(
        "/v1/follow-ups", json={"contact": contact, "due": "2026-11-24T07:41:57.123Z", "title": "Call again"}
    )
    said = {"topic": "Exemplary news", "wording": "You may write to me about exemplary news."}
    for kind, text in said.items():
        await product.term(kind, text)
    consent = {**said, "state": "given", "channel": "email", "source": "form"}
    await product.staff.post(f"/v1/contacts/{contact}/consents", json=consent)
    company = (
        await product.staff.post("/v1/companies", json={"name": "Exemplary", "emails": ["desk@exemplary.example"]})
    ).json()["id"]
    await product.contact(company_id=company)
    pair = {"ids": [contact, await product.contact()]}
    await product.auditor.post("/v1/canaries", json={})

    for route, answer in (
        (("GET", "/v1/contacts/{contact}"), await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)),
        (("GET", "/v1/me"), await product.staff.get("/v1/me")),
        (("GET", "/v1/sessions"), await product.staff.get("/v1/sessions")),
        (("GET", "/v1/me/recent"), await product.staff.get("/v1/me/recent")),
        (("GET", "/v1/contacts/{contact}/looks"), await product.staff.get(f"/v1/contacts/{contact}/looks")),
        (
            ("GET", "/v1/contacts/{contact}/interactions"),
            await product.staff.get(f"/v1/contacts/{contact}/interactions"),
        ),
        (("GET", f"{PATH}/versions"), await product.staff.get(f"{interaction}/versions")),
        (("GET", "/v1/follow-ups"), await product.staff.get("/v1/follow-ups")),
        (("GET", "/v1/contacts/{contact}/consents"), await product.staff.get(f"/v1/contacts/{contact}/consents")),
        (("GET", "/v1/contacts"), await product.staff.get("/v1/contacts", params={"owner": "me"})),
        (("POST", "/v1/contacts/compare"), await product.staff.post("/v1/contacts/compare", json=pair)),
        (("GET", "/v1/companies/{company}"), await product.staff.get(f"/v1/companies/{company}")),
        (("GET", "/v1/alerts"), await product.auditor.get("/v1/alerts")),
        (("GET", "/v1/canaries"), await product.auditor.get("/v1/canaries")),
        (("GET", "/v1/people"), await product.admin.get("/v1/people")),
        (("GET", "/v1/decisions"), await product.auditor.get("/v1/decisions")),
        (("GET", "/health"), await product.nobody.get("/health")),
        (("GET", "/v1/promises"), await product.nobody.get("/v1/promises")),
    ):
        assert shape(answer.json()) >= shape(EXAMPLES[route].answer), route


PATH = "/v1/contacts/{contact}/interactions/{interaction}"
LOG = ("POST", "/v1/contacts/{contact}/interactions")


def shape(value: Any, at: str = "") -> set[str]:
    """Return the names in a document, those of list items by the first item alone."""
    if isinstance(value, list):
        return shape(value[0], f"{at}/0") if value else set()
    if not isinstance(value, dict):
        return set()
    below = (shape(each, f"{at}/{name}") for name, each in value.items() if name not in {"body", "identity"})
    return {f"{at}/{name}" for name in value}.union(*below)


@pytest.mark.parametrize("code", sorted(STATUS))
def test_a_code_has_its_status(code: str) -> None:
    assert status_of(code) == STATUS[code]


def test_the_frameworks_codes_have_theirs() -> None:
    assert {status_of(code) for code, _ in TITLES.values()} >= {400, 405, 415, 500}
    assert status_of("too-many-requests") == 429
    assert status_of("never heard of") == 500


async def test_it_is_served_the_same_twice(product: Product) -> None:
    first, again = [await product.nobody.get("/openapi.json") for _ in range(2)]

    assert first.content == again.content
    assert first.json() == product.app.openapi()


async def test_a_method_that_is_not_taken_is_told_which_are(product: Product) -> None:
    allowed = {
        "/v1/contacts": "GET, POST",
        "/v1/sessions": "DELETE, GET, POST",
        "/v1/me/totp": "POST, PUT",
        "/v1/vocabulary/stage": "GET, POST",
    }

    for path, methods in allowed.items():
        answer = await product.staff.request("OPTIONS", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)
