"""A connection without the product's client: whatever bytes a process can send."""

import asyncio
from pathlib import Path
from typing import Any

import msgpack

from crm.kit import wire

WAIT_S = 30.0


class Raw:
    """One connection to one of the keeper's sockets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, socket: Path) -> "Raw":
        """Connect and say nothing."""
        return cls(*await asyncio.open_unix_connection(str(socket), limit=2**26))

    async def greet(self, key: bytes, principal: str) -> None:
        """Answer the greeting with a key."""
        await self.send(wire.answer(key, await self.receive(), principal))

    async def send(self, *messages: object) -> None:
        """Send messages as frames."""
        await self.send_bytes(b"".join(wire.pack(message) for message in messages))

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        async with asyncio.timeout(WAIT_S):
            await self._writer.drain()

    async def receive(self) -> Any:
        """Wait for one message."""
        async with asyncio.timeout(WAIT_S):
            size = int.from_bytes(await self._reader.readexactly(4))
            return msgpack.unpackb(await self._reader.readexactly(size))

    async def ended(self) -> bool:
        """Wait until the other side has closed the connection; says whether it had nothing more to say."""
        try:
            async with asyncio.timeout(WAIT_S):
                return await self._reader.read() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        """Close without a word."""
        self._writer.transport.abort()


def service_key(home: Path, principal: str) -> bytes:
    """Return a principal's key."""
    return bytes.fromhex((home / "services" / f"{principal}.key").read_text())
