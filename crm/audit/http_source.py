"""A log as an installation publishes it: checkpoint, hash tiles and entry bundles (C2SP tlog-tiles).

Nothing but HTTP is believed: what is served is recomputed. Redirects are not followed, answers have a limit.
"""

import http.client
import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

from crm.audit.memory import Doubt
from crm.audit.verify import Batch
from crm.kit.merkle import HASH_BYTES, WIDTH
from crm.kit.pii import Pii
from crm.kit.proofs import MAX_ENTRY_BYTES, split_bundle, tile_path

_TIMEOUT_S = 60
_MAX_BYTES = 1_000_000
_MAX_BUNDLE_BYTES = WIDTH * (MAX_ENTRY_BYTES + 2)
_OK = 200
_CREATED = 201
# Asked for at once: enough to hide the way there and back, too few to be a load.
_AHEAD = 4


class SecondFactorAsked(Exception):
    """The installation wants a code with the password."""


class HttpSource:
    """Reads a log over HTTP; bundles need the token of an auditor's session."""

    def __init__(self, url: str) -> None:
        """Take the address of an installation, with a path if it does not lie at the root.

        Raises:
            Doubt: not an http or https address.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise Doubt("not the address of an installation: https://HOST[:PORT][/PATH]")
        self.is_private = parts.scheme == "https" or _is_loopback(parts.hostname)
        self._https = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._path = parts.path.rstrip("/")
        self._token: str | None = None
        self._idle: list[http.client.HTTPConnection] = []
        self._pool = ThreadPoolExecutor(_AHEAD)
        self._hashes: dict[int, list[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        for connection in self._idle:
            connection.close()

    def sign_in(self, name: str, password: Pii[str], code: Pii[str] | None = None) -> None:
        """Open a session; it ends with `sign_out`.

        Raises:
            SecondFactorAsked: a code is wanted.
            Doubt: refused, or the password would travel in the clear.
        """
        if not self.is_private:
            raise Doubt("a password goes over https only, or to this machine")
        body: dict[str, str] = {"name": name, "password": password.reveal()}
        if code is not None:
            body["totp"] = code.reveal()
        status, data = self._send("POST", "/v1/sessions", body)
        told = _object(data)
        if status == _CREATED and isinstance(told.get("token"), str):
            self._token = told["token"]
            return
        if told.get("code") == "second-factor-required" and code is None:
            raise SecondFactorAsked
        raise Doubt(f"not signed in: {told.get('title', status)}")

    def sign_out(self) -> None:
        """End the session."""
        self._send("DELETE", "/v1/sessions/current")

    def checkpoint(self) -> str:
        """Fetch the newest checkpoint."""
        try:
            return self._get("/log/checkpoint", _MAX_BYTES).decode()
        except UnicodeDecodeError as error:
            raise Doubt("the checkpoint is not text") from error

    def batches(self, size: int) -> Iterator[Batch]:
        """Fetch the bundles, with the leaf tile of each, some ahead of those being verified."""
        coming: deque[Future[tuple[list[bytes], list[bytes]]]] = deque()
        count = -(-size // WIDTH)
        for n in range(count + _AHEAD):
            if n < count:
                coming.append(self._pool.submit(self._fetch, n, min(WIDTH, size - n * WIDTH)))
            if n >= _AHEAD:
                entries, hashes = coming.popleft().result()
                self._hashes = {n - _AHEAD: hashes}
                yield entries, {}

    def tile(self, level: int, n: int, width: int) -> Sequence[bytes]:
        """Fetch a hash tile; those of leaves came with their bundles."""
        if level == 0 and n in self._hashes:
            return self._hashes[n][:width]
        data = self._get(f"/log/{tile_path(level, n, width)}", width * HASH_BYTES)
        return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]

    def findings(self) -> Sequence[str]:
        """Nothing else was compared."""
        return ()

    def _fetch(self, n: int, width: int) -> tuple[list[bytes], list[bytes]]:
        path = tile_path("entries", n, width)
        data = self._get(f"/log/{path}", _MAX_BUNDLE_BYTES)
        try:
            entries = split_bundle(data)
        except ValueError as error:
            raise Doubt(f"{path}: {error}", n * WIDTH) from error
        if len(entries) != width:
            raise Doubt(f"{path} holds {len(entries)} entries", n * WIDTH + min(len(entries), width))
        return entries, list(self.tile(0, n, width))

    def _get(self, path: str, limit: int) -> bytes:
        status, data = self._send("GET", path, limit=limit)
        if status != _OK:
            hint = ": an auditor may read it" if status in {401, 403} else ""
            raise Doubt(f"{path} answers {status}{hint}")
        return data

    def _send(self, method: str, path: str, body: object = None, *, limit: int = _MAX_BYTES) -> tuple[int, bytes]:
        headers = {"Accept": "*/*"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            answer = self._ask(method, self._path + path, data, headers, limit)
        except (OSError, http.client.HTTPException) as error:
            raise Doubt(f"{path} cannot be fetched: {type(error).__name__}") from error
        if len(answer[1]) > limit:
            raise Doubt(f"{path} is longer than it can be")
        return answer

    def _ask(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str], limit: int
    ) -> tuple[int, bytes]:
        try:
            connection, is_new = self._idle.pop(), False
        except IndexError:
            connection, is_new = self._connect(), True
        try:
            connection.request(method, path, data, headers)
            with connection.getresponse() as response:
                answer = response.status, response.read(limit + 1)
        except (ConnectionError, http.client.RemoteDisconnected):
            connection.close()
            if is_new:
                raise
            # A server may hang up on a connection that was idle for a while; that says nothing of the log.
            return self._ask(method, path, data, headers, limit)
        except BaseException:
            connection.close()
            raise
        if len(answer[1]) > limit:
            connection.close()  # the rest of the answer would be taken for the next one
        self._idle.append(connection)
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=_TIMEOUT_S)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _object(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
