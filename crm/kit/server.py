"""Sockets, one for each principal: told apart by path, peer account and service key."""

import asyncio
import functools
import hmac
import os
import secrets
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack

from crm.kit import wire

MOST_PENDING = 1024  # calls of a connection that wait, each counting once more for every 16 KB: 16 MB of them
GREETING_S = 10.0
CONNECT = "connect"  # the verb of an attempt that ended in nothing
Reply = Callable[[str, Any], None]  # a code and a body
Submit = Callable[[str, str, dict[str, Any], Reply], None]  # principal, verb, arguments


class Connection(wire.FrameProtocol):
    """One connection of the process that is called ``name``, has this service key, and runs under this account."""

    def __init__(self, name: str, key: bytes, uid: int, submit: Submit) -> None:
        super().__init__()
        self._name, self._key, self._uid = name, key, uid
        self._submit = submit
        self._nonce = secrets.token_bytes(wire.NONCE_SIZE)
        self._is_known = False
        self._pending = 0
        self._timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet a peer of the right account; nobody else gets a byte."""
        super().connection_made(transport)
        self._timer = asyncio.get_running_loop().call_later(GREETING_S, self.frame_refused)
        if not is_peer(transport.get_extra_info("socket"), self._uid):
            self.frame_refused()
            return
        self.send(wire.pack(self._nonce))

    def frame_received(self, payload: bytes) -> None:
        """Take the answer to the greeting, then requests."""
        try:
            message = msgpack.unpackb(payload)
            if self._is_known:
                number, verb, args = message
                if not (isinstance(number, int) and isinstance(verb, str) and isinstance(args, dict)):
                    raise wire.WireError
            else:
                self._greet(message)
                return
        except (ValueError, TypeError):
            self.frame_refused()
            return
        weight = 1 + len(payload) // 16_384
        self._pending += weight
        if self._pending >= MOST_PENDING:
            self.transport.pause_reading()
        self._submit(self._name, verb, args, functools.partial(self._reply, number, weight))

    def _greet(self, answered: object) -> None:
        if not isinstance(answered, bytes) or not hmac.compare_digest(
            answered, wire.answer(self._key, self._nonce, self._name)
        ):
            raise wire.WireError
        self._is_known = True
        self._timer.cancel()

    def frame_refused(self) -> None:
        """End the connection; the attempt is told."""
        self._submit(self._name, CONNECT, {}, lambda *_: None)
        self.transport.abort()

    def _reply(self, number: int, weight: int, code: str, body: Any) -> None:  # noqa: ANN401 - each verb's own
        was_full, self._pending = self._pending >= MOST_PENDING, self._pending - weight
        if was_full and self._pending < MOST_PENDING and not self.transport.is_closing():
            self.transport.resume_reading()
        try:
            frame = wire.pack([number, code, body])
        except wire.WireError:
            frame = wire.pack([number, "too-large", {"reason": "The answer is over the limit; ask for less at once."}])
        self.send(frame)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget the greeting's timer; answers still to come go nowhere."""
        self._timer.cancel()


def is_peer(sock: socket.socket, uid: int) -> bool:
    """Say whether the other end runs under an account (Linux; elsewhere the key alone decides)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    peer = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
    return bool(peer == uid)


async def listen(folder: Path, services: Path, submit: Submit) -> list[asyncio.Server]:
    """Listen on one socket a principal; ``services`` holds the keeper's copies of their keys: ``<hex> <uid>``."""
    servers = []
    # By names relative to the folder: its path may be longer than the 107 bytes a socket's may be.
    os.chdir(folder)
    for path in sorted(services.glob("*.key")):  # noqa: ASYNC240 - once, at start
        key, uid = path.read_text().split()
        sock = f"{path.stem}.sock"
        make = functools.partial(Connection, path.stem, bytes.fromhex(key), int(uid), submit)
        servers.append(await asyncio.get_running_loop().create_unix_server(make, path=sock))
        # Every account may knock; who is let in is decided by peer account and key.
        os.chmod(sock, 0o666)  # noqa: PTH101, S103 - by its name, and meant so
    return servers
