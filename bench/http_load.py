"""HTTP clients on keep-alive connections, in a process of their own; `wrk` where it is installed and fits.

``python -m bench.http_load`` reads a task, prints figures: raw sockets on uvloop, because a client library
would cost more than the server that is measured.
"""

import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from bench.figures import percentile
from bench.homes import REPOSITORY

INSTALL = "apt-get install wrk"
WARM_UP_S = 0.5


@dataclass(frozen=True, slots=True)
class Answered:
    """What the clients saw; ``errors`` counts answers that were not 200."""

    count: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    errors: int

    @property
    def rate(self) -> float:
        return self.count / self.seconds


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def get_contacts(port: int, token: str, ids: Sequence[str], *, clients: int, seconds: float, seed: int) -> Answered:
    """Open random contacts of a list."""
    if not has_wrk():
        paths = [f"GET /v1/contacts/{one}?purpose=serve&reason=call" for one in ids]
        return post(port, token, [[path, ""] for path in paths], clients=clients, seconds=seconds, seed=seed)
    with tempfile.NamedTemporaryFile("w", suffix=".ids") as file:
        file.write("\n".join(ids))
        file.flush()
        line = ["wrk", "-t1", f"-c{clients}", "-s", str(Path(__file__).with_name("open.lua"))]
        rest = [f"http://127.0.0.1:{port}", "--", token, file.name, str(seed)]
        subprocess.run([*line, "-d1s", *rest], check=True, capture_output=True)
        ran = subprocess.run([*line, f"-d{max(1, round(seconds))}s", *rest], check=True, capture_output=True, text=True)
    told = next(line for line in ran.stdout.splitlines() if line.startswith("DONE "))
    return Answered(**json.loads(told.removeprefix("DONE ")))


def post(port: int, token: str, asks: Sequence[Sequence[str]], *, clients: int, seconds: float, seed: int) -> Answered:
    """Send random ones of some requests to REST, each its first line and its body."""
    headers = f"Authorization: Bearer {token}\r\nContent-Type: application/json"
    asked = [(first, headers, body) for first, body in asks]
    return send(port, asked, clients=clients, seconds=seconds, seed=seed)


def send(port: int, asks: Sequence[Sequence[str]], *, clients: int, seconds: float, seed: int) -> Answered:
    """Send random ones of some requests, each its first line, its own headers and its body."""
    task = {"port": port, "asks": asks, "clients": clients, "seconds": seconds, "seed": seed}
    ran = subprocess.run(
        [sys.executable, "-m", "bench.http_load"], input=json.dumps(task), capture_output=True, text=True,
        check=False, cwd=REPOSITORY,
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return Answered(**json.loads(ran.stdout))


class _Client(asyncio.Protocol):
    """One connection: asks, reads the whole answer, asks again."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._buffer = b""
        self._began = 0.0
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._run.until:
            self._transport.close()
            self._run.left -= 1
            if not self._run.left:
                self._run.over.set_result(None)
            return
        self._transport.write(self._run.dice.choice(self._run.asks))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        mark = self._buffer.lower().index(b"content-length: ") + 16
        length = int(self._buffer[mark : self._buffer.index(b"\r\n", mark)])
        if len(self._buffer) < head + 4 + length:
            return
        self._run.errors += not self._buffer.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        self._run.took.append((time.perf_counter() - self._began) * 1000)
        self._ask()


class _Run:
    """What the clients share."""

    def __init__(self, asks: list[bytes], dice: random.Random, clients: int, until: float) -> None:
        self.asks, self.dice, self.until, self.left = asks, dice, until, clients
        self.took: list[float] = []
        self.errors = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()


async def _run(task: dict[str, Any]) -> Answered:
    asks = [
        (
            f"{first} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"
        ).encode()
        for first, headers, body in task["asks"]
    ]
    dice = random.Random(task["seed"])  # noqa: S311 - which to ask
    run, began = None, 0.0
    for seconds in (min(WARM_UP_S, task["seconds"]), task["seconds"]):
        began = time.perf_counter()
        run = _Run(asks, dice, task["clients"], began + seconds)
        for _ in range(task["clients"]):
            await asyncio.get_running_loop().create_connection(partial(_Client, run), "127.0.0.1", task["port"])
        await run.over
    assert run is not None
    ms = sorted(run.took)
    took = time.perf_counter() - began
    return Answered(len(ms), took, percentile(ms, 0.5), percentile(ms, 0.95), percentile(ms, 0.99), run.errors)


if __name__ == "__main__":
    answered = uvloop.run(_run(json.loads(sys.stdin.read())))
    print(json.dumps({name: getattr(answered, name) for name in Answered.__slots__}))
