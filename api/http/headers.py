"""The outermost layer: headers on every answer, a size limit on every body, the access line, and a last net.

Pure ASGI and one wrapper for all of it: a second `send` wrapper per request is paid on every open.
"""

import re
from collections.abc import Mapping
from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import logs, problem

BODY_LIMIT = 1 << 20
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"interest-cohort=(), browsing-topics=()"),
    (b"strict-transport-security", b"max-age=63072000"),
]
NO_STORE = (b"cache-control", b"no-store")
ID = "{id}"
_ID = re.compile(r"[0-9a-f]{32}")


class Edge:
    """Wraps the application; `limits` names the paths, ids in them as `ID`, that take more than `BODY_LIMIT` bytes."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int]) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _extend(message)
            await send(message)

        refusal = await self._guarded(scope, receive, send_with_headers)
        # An answer that has begun cannot be taken back; the server closes the connection.
        if refusal and not status:
            await problem.of_status(refusal)(scope, receive, send_with_headers)
        template = getattr(scope.get("route"), "path", "-")
        logs.access(scope["method"], template, status, round((perf_counter() - started) * 1000))

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Run the application within its limit; returns the status it could not answer with itself."""
        limit = self._limits.get(_ID.sub(ID, scope["path"]), BODY_LIMIT)
        length = _declared(scope)
        try:
            if length is None:
                receive = _counted(receive, limit)
            elif length > limit:
                return 413
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the server would print it with its values
            logs.failure(error)
            return 500
        return 0


def _extend(message: Message) -> None:
    headers = message["headers"] = [*message.get("headers", ()), *HEADERS]
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append(NO_STORE)


def _declared(scope: Scope) -> int | None:
    """Read the declared length; None for a body that is sent in chunks (0 where there is no body)."""
    length: int | None = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
        if name == b"transfer-encoding":
            length = None
    return length


def _counted(receive: Receive, limit: int) -> Receive:
    total = 0

    async def receive_counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            # The framework's own kind of error: any other one, out of a body, it takes for a broken body.
            raise HTTPException(413)
        return message

    return receive_counted
