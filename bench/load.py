"""Clients of one keeper socket, in a process of their own: ``python -m bench.load`` reads tasks, prints figures.

Each client asks, waits for the answer, and asks again; all share one connection, as the requests of one web
worker do. The client is the product's own.
"""

import asyncio
import functools
import json
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack
import uvloop

from bench import made_up
from bench.figures import percentile
from bench.homes import REPOSITORY, Running
from crm.keeper_client import Keeper
from crm.kit.pii import Pii

WARM_UP_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the clients do: ``notes`` is a file of sealed records by person, ``queries`` are searched for."""

    socket: str
    key: str
    token: str
    clients: int
    seconds: float = 0.0
    count: int = 0
    people: int = 0
    notes: str = ""
    queries: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What they saw."""

    count: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    client_cpu_us: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


class _Clients:
    """The process that asks, kept for the next task: a start costs more than a short task."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def do(self, task: Task) -> Done:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.load"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
            )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the clients ended, see above")
        return Done(**json.loads(answer))


_clients = _Clients()


def put_load(keeper: Running, token: str, **task: Any) -> Done:  # noqa: ANN401 - fields of Task
    """Run the clients and return what they saw."""
    socket, key = keeper.web()
    return _clients.do(Task(socket=str(socket), key=str(key), token=token, **task))


async def _run(task: Task) -> Done:
    keeper = await Keeper.connect(Path(task.socket), Path(task.key))
    ask = _search(keeper, task) if task.queries else _open(keeper, task)
    if task.seconds:
        await _ask_all(ask, task.clients, time.perf_counter() + min(WARM_UP_S, task.seconds), sys.maxsize)
    began, cpu = time.perf_counter(), time.process_time()
    until = began + task.seconds if task.seconds else float("inf")
    took = await _ask_all(ask, task.clients, until, task.count or sys.maxsize)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await keeper.close()
    ms = sorted(one * 1000 for one in took)
    return Done(len(ms), seconds, percentile(ms, 0.5), percentile(ms, 0.95), percentile(ms, 0.99), cpu / len(ms) * 1e6)


async def _ask_all(ask: Callable[[], Awaitable[None]], clients: int, until: float, count: int) -> list[float]:
    took: list[float] = []
    started = 0
    clock = time.perf_counter

    async def client() -> None:
        nonlocal started
        while (began := clock()) < until and started < count:
            started += 1
            await ask()
            took.append(clock() - began)

    await asyncio.gather(*(client() for _ in range(clients)))
    return took


@functools.cache
def _records(file: str, _: float) -> dict[int, dict[str, dict[str, bytes]]]:
    """Read everybody's sealed notes, as `open` takes them; read again when the file is another."""
    return {
        n: {made_up.person(n): {made_up.record(n, number): blob for number, blob in enumerate(blobs)}}
        for n, blobs in msgpack.unpackb(Path(file).read_bytes(), strict_map_key=False).items()
    }


def _open(keeper: Keeper, task: Task) -> Callable[[], Awaitable[None]]:
    dice = random.Random(task.seed)  # noqa: S311 - whom to open
    records = _records(task.notes, Path(task.notes).stat().st_mtime) if task.notes else {}

    async def ask() -> None:
        n = dice.randrange(task.people)
        await keeper.open(
            task.token, "serve", subjects=[made_up.person(n)], fields=["identity", "channels"],
            records=records.get(n, {}), reason="call",
        )  # fmt: skip

    return ask


def _search(keeper: Keeper, task: Task) -> Callable[[], Awaitable[None]]:
    dice = random.Random(task.seed)  # noqa: S311 - what to look for
    queries = [Pii(query) for query in task.queries]

    async def ask() -> None:
        await keeper.search(task.token, dice.choice(queries))

    return ask


def main() -> None:
    """Do one task a line."""
    for line in sys.stdin:
        given = json.loads(line)
        done = uvloop.run(_run(Task(**{**given, "queries": tuple(given["queries"])})))
        print(json.dumps(asdict(done)), flush=True)


if __name__ == "__main__":
    main()
