"""Every answer that is not a success: `application/problem+json` (RFC 9457) with a stable `code`.

The domain names a code, this page gives it a status. Nothing a client sent is repeated: a validation error
says where (a JSON pointer made of our own field names and list positions) and why, never what.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from api.http import logs
from crm.contacts.schemas import label_out
from crm.errors import CrmError

MEDIA_TYPE = "application/problem+json"
# What every route may answer, as the schema shows it.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:kept:problem:stale"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; what a program decides by."},
        "detail": {"type": "string"},
        "pointer": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "reason"],
                "properties": {"pointer": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
        "budget": {"type": "string"},
        "retry_after_s": {"type": "integer"},
        "matches": {"type": "array", "items": {"type": "object"}, "maxItems": 8},
    },
}
STATUS: Mapping[str, int] = {
    "unauthenticated": 401,
    "second-factor-required": 401,
    "proof-required": 403,
    "purpose-not-yours": 403,
    "not-found": 404,
    "duplicate": 409,
    "roles-conflict": 409,
    "stale": 412,
    "too-large": 413,
    "invalid": 422,
    "precondition-required": 428,
    "over-budget": 429,
    "keeper-sealed": 503,
    "keeper-unavailable": 503,
}
TITLES: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read."),
    404: ("not-found", "There is no such record."),
    405: ("method-not-allowed", "This address does not take this method."),
    413: ("too-large", "This is too large."),
    415: ("unsupported-media-type", "This address takes another kind of body."),
    429: ("too-many-requests", "Too many requests; wait a moment."),
    500: ("internal", "Something went wrong."),
    503: ("database-unavailable", "The database does not answer."),
}
# What an error of the domain may carry to a client; anything else in its detail stays here.
TOLD = ("pointer", "budget", "retry_after_s", "state")
RETRY_S = 60


def status_of(code: str) -> int:
    """Return the status of a code, of the domain or of the framework."""
    found = STATUS.get(code) or next((status for status, (each, _) in TITLES.items() if each == code), None)
    return found or HTTPStatus.INTERNAL_SERVER_ERROR


def body(code: str, title: str, status: int, **members: Any) -> bytes:  # noqa: ANN401 - members of a JSON object
    """Print one problem."""
    document = {"type": f"urn:kept:problem:{code}", "title": title, "status": status, "code": code, **members}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _answer(content: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(content, status, headers, media_type=MEDIA_TYPE)


def of_error(error: CrmError) -> Response:
    """Answer a refusal of the domain."""
    status = STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    members: dict[str, Any] = {name: error.detail[name] for name in TOLD if name in error.detail}
    if error.reason != error.title:
        members["detail"] = error.reason
    if "matches" in error.detail:
        members["matches"] = [label_out(label) for label in error.detail["matches"]]
    headers: dict[str, str] = {}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["retry-after"] = str(error.detail.get("retry_after_s", RETRY_S))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return _answer(body(error.code, error.title, status, **members), status, headers)


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer what the framework refuses, in its own status and our words."""
    code, title = TITLES.get(status) or (f"http-{status}", HTTPStatus(status).phrase)
    return _answer(body(code, title, status), status, headers)


def of_validation(errors: Iterable[Mapping[str, Any]]) -> Response:
    """Answer input that is not well formed: where and why, never what."""
    told = [{"pointer": _pointer(error), "reason": _reason(error)} for error in errors]
    return _answer(body("invalid", "The request is not well formed.", 422, errors=told), 422)


def _pointer(error: Mapping[str, Any]) -> str:
    location: Sequence[str | int] = error["loc"]
    # The last step of an unknown field is a name the client made up; a JSON key can be somebody's address.
    if error["type"] == "extra_forbidden":
        location = location[:-1]
    if error["type"] == "json_invalid":
        location = location[:1]
    return "".join(f"/{step}" for step in location)


def _reason(error: Mapping[str, Any]) -> str:
    """Give the kind of mistake as a code; pydantic's messages may quote the input, its codes cannot."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])  # our own validators, whose messages are constants
    return str(error["type"]).replace("_", " ")


async def on_crm_error(_: Request, error: Exception) -> Response:
    """Handle `CrmError`."""
    assert isinstance(error, CrmError)  # noqa: S101 - registered for it
    return of_error(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Handle what Starlette and FastAPI raise: 404, 405, 400 and the like; their details are dropped."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return of_status(error.status_code, {"allow": ", ".join(sorted(_methods(request)))})
    return of_status(error.status_code, error.headers)


def _methods(request: Request) -> set[str]:
    """Return what an address takes; the framework names only the methods of the first route that fits it."""
    matching = (
        context.methods or set()
        for context in iter_route_contexts(request.app.routes)
        if isinstance(context.original_route, Route)
        and context.original_route.matches(request.scope)[0] is not Match.NONE
    )
    return set[str]().union(*matching)


async def on_validation_error(_: Request, error: Exception) -> Response:
    """Handle a body, query or path that does not fit its schema."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    return of_validation(error.errors())


async def on_database_error(_: Request, error: Exception) -> Response:
    """Handle a database that does not answer, or not in time."""
    logs.failure(error)
    return of_status(503, {"retry-after": str(RETRY_S)})
