"""How much one client may send: requests by account and by network, bytes by route, and how deep JSON may nest.

Addresses are looked at here and nowhere else. What is kept of one is a keyed hash of its network, in memory, under
a key drawn when the process starts, for ten minutes at most; nothing here is logged or told.
"""

import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from crm.kit.clock import Clock

# A note of 20,000 characters, each written as two escapes, and what stands beside it.
BODY_LIMIT = 512 << 10
# Smaller where nothing long is ever said; templates as the routes have them.
SIZES: Mapping[str, int] = {
    "/v1/sessions": 8 << 10,
    "/v1/sessions/options": 8 << 10,
    "/v1/sessions/current": 8 << 10,
    "/v1/sessions/current/proof": 8 << 10,
    "/v1/passkeys": 8 << 10,
    "/v1/passkeys/options": 8 << 10,
    "/v1/invitations": 8 << 10,
    "/v1/me/{what}": 8 << 10,
    "/v1/people": 8 << 10,
    "/v1/people/{person}": 8 << 10,
    "/v1/decisions/{decision}": 8 << 10,
    "/v1/contacts/search": 8 << 10,
    "/v1/contacts/{contact}/merge": 8 << 10,
    "/v1/log/subject": 8 << 10,
    "/v1/vocabulary/{kind}": 8 << 10,
    "/sign-in": 8 << 10,
    "/sign-in/{what}": 16 << 10,
    "/sign-out": 8 << 10,
    "/invitation": 8 << 10,
    "/look": 8 << 10,
    "/me/{what}": 8 << 10,
    "/people": 8 << 10,
    "/people/{person}/{what}": 8 << 10,
}
DEEPEST = 16

MOST_KNOWN = 50_000
FORGET_MS = 600_000
# Against one account: a network is an office of them, and a verifier fetches tiles as fast as it can.
NETWORK, TILES = 10, 20
SIGN_INS_A_MINUTE = 300
SIGN_IN = frozenset(
    ("POST", path)
    for path in (
        "/v1/sessions", "/v1/sessions/options", "/v1/invitations", "/sign-in", "/sign-in/options", "/sign-in/passkey",
        "/invitation",
    )
)  # fmt: skip
_MINUTE_MS = 60_000
_PREFIX_4, _PREFIX_6 = 3, 6  # bytes of /24 and /48

_TOKENS = re.compile(rb'\\[\s\S]|["\[\]{}]')


class Sizes:
    """The most bytes of a body, by path; a template's steps in braces stand for any one."""

    def __init__(self, more: Mapping[str, int]) -> None:
        both = {**SIZES, **more}
        self._whole = {path: size for path, size in both.items() if "{" not in path}
        self._templates = [
            (re.compile(re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(path))), size)
            for path, size in both.items()
            if "{" in path
        ]

    def of(self, path: str) -> int:
        """Return the limit of a path."""
        if path in self._whole:
            return self._whole[path]
        return next((size for pattern, size in self._templates if pattern.fullmatch(path)), BODY_LIMIT)


class Bucket(NamedTuple):
    """How many requests were free at a moment of the steady clock."""

    free: float
    at_ms: int


class Limiter:
    """A bucket for each account and each network; it fills within a minute and holds a minute's worth."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._buckets: OrderedDict[bytes, Bucket] = OrderedDict()

    def wait_s(self, scope: Scope) -> int:
        """Count one request; returns 0, or the seconds after which there is room for it."""
        now = self._clock.steady_ms()
        self._forget(now)
        return max(self._take(key, most, now) for key, most in self._asked(scope))

    def _asked(self, scope: Scope) -> Iterator[tuple[bytes, int]]:
        method, path = scope["method"], scope["path"]
        network = _network(scope)
        if (method, path) in SIGN_IN:
            yield self._hash(b"sign in", network), SIGN_INS_A_MINUTE
            return
        most = self._per_minute * (TILES if path.startswith("/log/") else 1)
        yield self._hash(b"network", network), max(self._per_minute * NETWORK, most)
        if token := next((value for name, value in scope["headers"] if name == b"authorization"), b""):
            yield self._hash(b"tiles" if most != self._per_minute else b"account", token), most

    def _hash(self, what: bytes, value: bytes) -> bytes:
        return hashlib.blake2b(value, key=self._key, person=what, digest_size=16).digest()

    def _take(self, key: bytes, most: int, now: int) -> int:
        bucket = self._buckets.get(key, Bucket(most, now))
        free = min(most, bucket.free + (now - bucket.at_ms) * most / _MINUTE_MS)
        is_free = free >= 1
        self._buckets[key] = Bucket(free - 1 if is_free else free, now)
        self._buckets.move_to_end(key)
        return 0 if is_free else max(1, round((1 - free) * _MINUTE_MS / most / 1000))

    def _forget(self, now: int) -> None:
        while self._buckets:
            oldest = next(iter(self._buckets))
            if len(self._buckets) <= MOST_KNOWN and now - self._buckets[oldest].at_ms < FORGET_MS:
                return
            del self._buckets[oldest]


def _network(scope: Scope) -> bytes:
    """Return the first bytes of the client's address: of /24, or of /48; nothing for a socket without one."""
    client = scope.get("client")
    try:
        address = ip_address(client[0].partition("%")[0]) if client else None
    except ValueError:
        return b""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return address.packed[:_PREFIX_6]
        address = address.ipv4_mapped
    return address.packed[:_PREFIX_4] if address else b""


def limited(scope: Scope, receive: Receive, most: int, length: int | None) -> Receive | None:
    """Wrap what brings the body, so that it ends where it is too large or too deep; None: it says it is too large."""
    if length is not None and length > most:
        return None
    is_json = not _has_form(scope)
    if length == 0 or (length is not None and not is_json):
        return receive
    total = 0
    depth = _Depth()

    async def receive_limited() -> Message:
        nonlocal total
        message = await receive()
        body = message.get("body", b"")
        total += len(body)
        # The framework's own kind of error: any other one, out of a body, it takes for a broken body.
        if total > most:
            raise HTTPException(413)
        if is_json and depth.is_over(body):
            raise HTTPException(400)
        return message

    return receive_limited


def _has_form(scope: Scope) -> bool:
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    return bool(kind.lower().startswith(b"multipart/"))


class _Depth:
    """How deep the brackets of a text nest, chunk by chunk; those inside of strings do not count."""

    def __init__(self) -> None:
        self._depth = 0
        self._is_text = False
        self._rest = b""

    def is_over(self, chunk: bytes) -> bool:
        data = self._rest + chunk
        # A backslash at the end belongs to what comes next.
        self._rest = b"\\" if (len(data) - len(data.rstrip(b"\\"))) % 2 else b""
        for match in _TOKENS.finditer(data, 0, len(data) - len(self._rest)):
            token = match[0]
            if token == b'"':
                self._is_text = not self._is_text
            elif not self._is_text and len(token) == 1:
                self._depth += 1 if token in b"[{" else -1
                if self._depth > DEEPEST:
                    return True
        return False
