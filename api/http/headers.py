"""The outermost layer: headers on every answer, limits on every request, the access line, and a last net.

Pure ASGI and one wrapper for all of it: a second `send` wrapper per request is paid on every open.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from time import perf_counter

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import logs, problem
from api.http.limits import Limiter, Sizes, limited
from crm.promises.classes import MEDIA, PROBLEM

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
# The registry of cookies: whatever else is set is dropped and counted. The session's holds the keeper's random
# token; each of the others one word of a list, chosen on a page by whoever works here.
SESSION, REASON, THEME, LANGUAGE, ZONE = (f"__Host-{name}" for name in ("kept", "reason", "theme", "language", "zone"))
COOKIES = frozenset(name.encode() for name in (SESSION, REASON, THEME, LANGUAGE, ZONE))
Shown = Callable[[Scope, Response], Response]
_MEDIA = frozenset(media.encode() for media in MEDIA | {PROBLEM})


def as_it_is(_: Scope, response: Response) -> Response:
    """Show a problem as REST tells it."""
    return response


class ForeignMediaError(Exception):
    """Raised for an answer of a kind that never leaves; nothing of it has been sent."""


class Edge:
    """Wraps the application; `limits` adds to the sizes of bodies by path, `refused` counts what was not sent.

    ``shown`` makes of a problem what the caller of an address understands.
    """

    def __init__(
        self, app: ASGIApp, limits: Mapping[str, int], limiter: Limiter, refused: Counter[str], shown: Shown = as_it_is
    ) -> None:
        self._app = app
        self._sizes = Sizes(limits)
        self._limiter = limiter
        self._refused = refused
        self._shown = shown

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
                self._dress(message)
                status = message["status"]
            await send(message)

        refusal, retry_s = 0, self._limiter.wait_s(scope)
        if retry_s:
            refusal = 429
        else:
            refusal = await self._guarded(scope, receive, send_with_headers)
        # An answer that has begun cannot be taken back; the server closes the connection.
        if refusal and not status:
            headers = {"retry-after": str(retry_s)} if retry_s else None
            answer = self._shown(scope, problem.of_status(refusal, headers))
            await answer(scope, receive, send_with_headers)
        template = getattr(scope.get("route"), "path", "-")
        logs.access(scope["method"], template, status, round((perf_counter() - started) * 1000))

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Run the application within its limits; returns the status it could not answer with itself."""
        try:
            bounded = limited(scope, receive, self._sizes.of(scope["path"]), _declared(scope))
            if bounded is None:
                return 413
            await self._app(scope, bounded, send)
        except Exception as error:  # noqa: BLE001 - the server would print it with its values
            logs.failure(error)
            return 500
        return 0

    def _dress(self, message: Message) -> None:
        """Put our headers on an answer and take off what must not leave with it."""
        headers = list(message.get("headers", ()))
        kind = next((value for name, value in headers if name == b"content-type"), None)
        if kind is not None and kind.partition(b";")[0] not in _MEDIA:
            self._refused["media"] += 1
            raise ForeignMediaError
        set_ = [pair for pair in headers if pair[0] == b"set-cookie" and pair[1].partition(b"=")[0] not in COOKIES]
        if set_:
            self._refused["cookie"] += len(set_)
            headers = [pair for pair in headers if pair not in set_]
        # A page brings its own content policy, with the nonce of its scripts; to any other answer ours is added.
        said = {name for name, _ in headers} if kind is not None and kind.startswith(b"text/html") else ()
        headers += [pair for pair in HEADERS if pair[0] not in said]
        if not any(name == b"cache-control" for name, _ in headers):
            headers.append(NO_STORE)
        message["headers"] = headers


def _declared(scope: Scope) -> int | None:
    """Read the declared length; None for a body that is sent in chunks (0 where there is no body)."""
    length: int | None = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
        if name == b"transfer-encoding":
            length = None
    return length
