"""Fifty members of staff at work at once: searching, opening, logging, following up, through REST.

Twice: at the pace of people with the budgets a home comes with, to see that nobody is refused and what each
call takes; and as fast as answers come with the budgets out of the way, to see how many a second there are.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench import fill, homes, made_up, stack
from bench.figures import Report, percentile
from bench.homes import PASSWORD, REPOSITORY
from crm.keeper_client import Keeper
from crm.kit.clock import rfc3339

STAFF = 50
# What somebody does within ten minutes: an installation opens at most 1,000 people an hour.
SHIFT = {"search": 20, "open": 18, "log": 12, "follow up": 6, "my follow-ups": 2, "recent": 4}
SHIFT_S = 600.0
RUSH_S = 60.0


@dataclass
class Seen:
    """What one kind of call took, in milliseconds, and what was answered."""

    ms: list[float] = field(default_factory=list)
    statuses: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


class Desk:
    """One member of staff at a connection of their own: HTTP/1.1, one request after the other."""

    def __init__(self, port: int, token: str, seed: int, people: int, names: Sequence[str]) -> None:
        self._port = port
        self._token = token
        self._dice = random.Random(seed)  # noqa: S311 - whom to work with
        self._people = people
        self._names = names
        self._last = made_up.person(seed)
        self.seen: defaultdict[str, Seen] = defaultdict(Seen)

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)  # noqa: TID251 - to itself

    async def _ask(self, kind: str, line: str, body: dict[str, Any] | None = None) -> None:
        content = json.dumps(body).encode() if body is not None else b""
        if self._reader.at_eof():
            # The server ends what was idle for some seconds; a browser connects anew too.
            await self._connect()
        began = time.perf_counter()
        self._writer.write(
            f"{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await self._reader.readexactly(length)
        seen = self.seen[kind]
        seen.ms.append((time.perf_counter() - began) * 1000)
        seen.statuses[int(head.split()[1])] += 1

    async def do(self, kind: str) -> None:
        """Do one thing, with somebody at random."""
        dice = self._dice
        match kind:
            case "search":
                await self._ask(kind, "POST /v1/contacts/search", {"q": dice.choice(self._names)})
            case "open":
                self._last = made_up.person(dice.randrange(self._people))
                await self._ask(kind, f"GET /v1/contacts/{self._last}?purpose=serve&reason=call")
            case "log":
                said = {"kind": "call", "direction": "in", "occurred_at": rfc3339(time.time_ns() // 1_000_000)}
                said |= made_up.note(dice.randrange(1000), 0)
                await self._ask(kind, f"POST /v1/contacts/{self._last}/interactions", said)
            case "follow up":
                due = {"contact": self._last, "due": "2030-01-02T09:00:00Z", "title": "Call again about the order"}
                await self._ask(kind, "POST /v1/follow-ups", due)
            case "my follow-ups":
                await self._ask(kind, "GET /v1/follow-ups?due=week")
            case _:
                await self._ask(kind, "GET /v1/me/recent")

    async def shift(self, seconds: float, scale: float) -> None:
        """Work at the pace of people: the shift's acts, spread over the time at random."""
        await self._connect()
        acts = [kind for kind, times in SHIFT.items() for _ in range(round(times * scale))]
        self._dice.shuffle(acts)
        began = time.perf_counter()
        for at, kind in zip(sorted(self._dice.uniform(0, seconds) for _ in acts), acts, strict=True):
            await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
            await self.do(kind)
        self._writer.close()

    async def rush(self, seconds: float) -> None:
        """Work as fast as answers come."""
        await self._connect()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            await self.do(self._dice.choices(list(SHIFT), weights=list(SHIFT.values()))[0])
        self._writer.close()


async def _work(task: dict[str, Any]) -> dict[str, Any]:
    names = made_up.Population().last
    desks = [Desk(task["port"], token, seed, task["people"], names) for seed, token in enumerate(task["tokens"])]
    began = time.perf_counter()
    works = [
        desk.shift(task["seconds"], task["scale"]) if task["scale"] else desk.rush(task["seconds"]) for desk in desks
    ]
    await asyncio.gather(*works)
    took = time.perf_counter() - began
    kinds: dict[str, Any] = {}
    for kind in SHIFT:
        ms = sorted(one for desk in desks for one in desk.seen[kind].ms)
        statuses: defaultdict[str, int] = defaultdict(int)
        for desk in desks:
            for status, count in desk.seen[kind].statuses.items():
                statuses[str(status)] += count
        kinds[kind] = {
            "count": len(ms), "statuses": statuses,
            "p50": percentile(ms, 0.5), "p95": percentile(ms, 0.95), "p99": percentile(ms, 0.99),
        }  # fmt: skip
    return {"seconds": took, "kinds": kinds}


def _put_to_work(**task: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the task
    ran = subprocess.run(
        [sys.executable, "-m", "bench.staff"], input=json.dumps(task), capture_output=True, text=True,
        check=False, cwd=REPOSITORY,
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return dict(json.loads(ran.stdout))


def tokens_of(keeper: homes.Running, count: int) -> list[str]:
    """Bring in members of staff and sign them in."""
    admin, auditor = keeper.token("admin"), keeper.token("auditor")

    async def ask(web: Keeper) -> list[str]:
        tokens = []
        for number in range(count):
            await homes.hire(web, admin, auditor, f"Staff {number}")
            tokens.append((await web.sign_in(f"Staff {number}", PASSWORD)).token.reveal())
        return tokens

    return keeper.ask(ask)


def measure(people: int, *, report: Report, seconds: float) -> None:
    """Report both; ``seconds`` is how long the shift takes, the rush is a minute at most."""
    report.title(f"{STAFF} members of staff at work")
    report.say(f"{people:,} people; one web worker; the log is verified afterwards.")
    for lifted in (False, True):
        home = fill.copy_of(people, "staff", lifted=lifted)
        with homes.running(home) as keeper, stack.postgres() as dsns:
            stack.fill_tables(dsns, {}, people)
            keeper.searchable()
            tokens = tokens_of(keeper, STAFF)
            with stack.web(dsns, "crm.host.web", keeper) as web:
                scale, how_long = (0.0, min(seconds, RUSH_S)) if lifted else (min(1.0, seconds / SHIFT_S), seconds)
                found = _put_to_work(port=web.port, tokens=tokens, people=people, seconds=how_long, scale=scale)
        _rows(report, found, lifted=lifted)
        _verify(report, home)


def _rows(report: Report, found: dict[str, Any], *, lifted: bool) -> None:
    what = "as fast as answers come, budgets lifted" if lifted else "at the pace of people, budgets as they are"
    count = sum(kind["count"] for kind in found["kinds"].values())
    report.say(f"**{what.capitalize()}: {count / found['seconds']:,.1f} requests/s.**")
    report.data.setdefault("staff", {})[what] = found
    report.table(
        ("call", "count", "answered", "p50 ms", "p95 ms", "p99 ms"),
        [
            (name, f"{kind['count']:,}", ", ".join(f"{n} x {status}" for status, n in kind["statuses"].items()),
             f"{kind['p50']:.1f}", f"{kind['p95']:.1f}", f"{kind['p99']:.1f}")
            for name, kind in found["kinds"].items()
        ],
    )  # fmt: skip
    errors = sum(n for kind in found["kinds"].values() for status, n in kind["statuses"].items() if status[0] != "2")
    report.target(f"no error ({what})", is_met=not errors, found=f"{errors} of {count:,}")


def _verify(report: Report, home: Path) -> None:
    key = (home / "log.vkey").read_text().strip()
    ran = subprocess.run(
        [sys.executable, "-m", "crm.cli", "log", "verify", "--home", str(home), "--key", key,
         "--state", str(home / "seen.json")],
        capture_output=True, text=True, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    report.target("the log verifies afterwards", is_met=ran.returncode == 0, found=ran.stdout.partition("\n")[0])


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_work(json.loads(sys.stdin.read())))))
