"""The schema of the API: what a route takes and answers, with an example of each, and every refusal it has.

A refusal follows from what a route declares and takes, so none is written by hand but those of `EXAMPLES`.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from api.http import problem
from api.http.deps import declared_by, if_match
from api.http.examples import EXAMPLES, LABEL, Example
from crm.errors import BY_CODE
from crm.promises.classes import CLASSES, JSON

_REF = {"$ref": "#/components/schemas/Problem"}
# What needs neither the keeper nor a database.
_ALONE = frozenset({"/health", "/v1/promises"})
# The members that some refusals carry beside the four that all have.
_MORE: dict[str, dict[str, Any]] = {
    "invalid": {"errors": [{"pointer": "/body/emails/0", "reason": "not an e-mail address"}]},
    "over-budget": {"budget": "people", "retry_after_s": 3600},
    "duplicate": {"matches": [LABEL]},
}
_DESCRIBED = """REST of Kept. Ids are 32 lower-case hex digits, times RFC 3339 in UTC. Every refusal is
`application/problem+json` with a stable `code`; no answer repeats what was sent. See docs/rest.md."""


def describe(app: FastAPI) -> None:
    """Let the application serve this schema."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        document = plain()
        if is_new:
            _complete(app, document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(app: FastAPI, document: dict[str, Any]) -> None:
    document["info"]["description"] = _DESCRIBED
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = problem.SCHEMA
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                _operation(operation, method, route, EXAMPLES.get((method, route.path), Example()))


def _operation(operation: dict[str, Any], method: str, route: APIRoute, example: Example) -> None:
    if example.body is not None:
        operation["requestBody"]["content"][JSON]["example"] = example.body
    for parameter in operation.get("parameters", ()):
        # Not for the framework, which would answer 422 where the contract says 428.
        if parameter["name"] == "If-Match":
            parameter |= {"required": True, "schema": {"type": "string"}, "example": '"1.1.0.0"'}
    status = str(route.status_code or 200)
    answer = operation["responses"].get(status, {"description": HTTPStatus(int(status)).phrase})
    if status != "204":
        row = CLASSES.get((method, route.path))
        answer["content"] = {row.media if row else JSON: _content(example.answer)}
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*_refusals(route.path, route.dependant, operation), *example.refusals)):
        by_status.setdefault(problem.status_of(code), []).append(code)
    operation["responses"] = {
        status: answer,
        **{str(each): _refused(each, codes) for each, codes in sorted(by_status.items())},
    }


def _content(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Print the schema of an answer with its example: of an object the names, which are all there always."""
    if answer is None:
        return {"schema": {"type": "string", "format": "binary"}}
    if isinstance(answer, str):
        return {"schema": {"type": "string"}, "example": answer}
    names: dict[str, Any] = {name: {} for name in answer}
    return {"schema": {"type": "object", "required": sorted(names), "properties": names}, "example": answer}


def _refusals(path: str, dependant: Dependant, operation: dict[str, Any]) -> Iterator[str]:
    """Say which codes a route answers with."""
    yield "too-many-requests"
    yield "internal"
    if path not in _ALONE:
        yield from ("keeper-unavailable", "keeper-sealed", "database-unavailable")
    if declared_by(dependant) is not None:
        yield from ("unauthenticated", "second-factor-required", "purpose-not-yours", "over-budget")
    # A path that is not as its template says is one of nothing that is there.
    if dependant.path_params:
        yield "not-found"
    if "requestBody" in operation:
        yield from ("bad-request", "too-large")
    if "requestBody" in operation or operation.get("parameters"):
        yield "invalid"
    if _takes(dependant, if_match):
        yield from ("precondition-required", "stale")


def _takes(dependant: Dependant, what: object) -> bool:
    return dependant.call is what or any(_takes(one, what) for one in dependant.dependencies)


def _refused(status: int, codes: Iterable[str]) -> dict[str, Any]:
    """Print the refusals of one status, each code with its example."""
    examples = {code: {"value": _example(code, status)} for code in codes}
    return {
        "description": HTTPStatus(status).phrase + ": " + ", ".join(f"`{code}`" for code in examples),
        "content": {problem.MEDIA_TYPE: {"schema": _REF, "examples": examples}},
    }


def _example(code: str, status: int) -> dict[str, Any]:
    title = BY_CODE[code].title if code in BY_CODE else problem.TITLES[status][1]
    return {"type": f"urn:kept:problem:{code}", "title": title, "status": status, "code": code, **_MORE.get(code, {})}
