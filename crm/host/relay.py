"""A unix socket in front of a database server somewhere else.

The web process has no network at all, not even the way to the database. When ``DATABASE_URL`` names a server
over TCP, this process stands between: it passes bytes from the socket to that one address, with TLS where the
server has it, and knows neither passwords nor what it passes.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import ssl
import struct
import sys
from collections.abc import Sequence

# The PostgreSQL protocol's question "do you speak TLS?"; the answer is one byte, S or N.
TLS_ASKED = struct.pack(">II", 8, 80877103)
_CHUNK = 65536
_CONNECT_S = 10.0
MODES = ("disable", "prefer", "require", "verify-full")


def main(arguments: Sequence[str] | None = None) -> int:
    """Relay until SIGTERM."""
    parser = argparse.ArgumentParser(prog="crm.host.relay", description="Relay to a database server.")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls", choices=MODES, default="prefer")
    options = parser.parse_args(arguments)
    asyncio.run(_relay(options.socket, options.host, options.port, options.tls))
    return os.EX_OK


async def _relay(path: str, host: str, port: int, tls: str) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_CONNECT_S):
                far_reader, far_writer = await _connect(host, port, tls)
            await _pump_both((reader, writer), (far_reader, far_writer))
        writer.close()

    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - before anybody is served
    server = await asyncio.start_unix_server(take, path)
    # Who may speak is told by password, as at the server's own socket.
    os.chmod(path, 0o777)  # noqa: PTH101, S103
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await ending.wait()
    server.close()


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(host: str, port: int, tls: str) -> Stream:
    reader, writer = await asyncio.open_connection(host, port)
    if tls == "disable":
        return reader, writer
    writer.write(TLS_ASKED)
    if await reader.readexactly(1) == b"S":
        await writer.start_tls(_context(tls), server_hostname=host)
    elif tls != "prefer":
        writer.close()
        raise ConnectionRefusedError("the server has no TLS")
    return reader, writer


def _context(tls: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if tls != "verify-full":
        # As libpq's: encrypted, whoever it is.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _pump_both(near: Stream, far: Stream) -> None:
    """Pass bytes both ways until either side ends; then both do."""
    pumps = [asyncio.create_task(_pump(near[0], far[1])), asyncio.create_task(_pump(far[0], near[1]))]
    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    for pump in pumps:
        pump.cancel()
    far[1].close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()


if __name__ == "__main__":
    sys.exit(main())
