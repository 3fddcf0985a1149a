"""Search at many cards, through the socket and through REST; how long a start takes then, and how much memory."""

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench import fill, homes, made_up, stack
from bench.figures import Report, spread
from bench.http_load import Answered, post
from bench.load import Done, put_load
from crm.keeper_client import Keeper
from crm.kit import text

SAMPLE, EACH = 20_000, 200
MANY = 16
P95_MS = 20
STARTS = 3
_SOUGHT = ("given_name", "family_name", "company")
CLASSES = (
    "commonest 3 letters", "any 3 letters", "common name", "rare name", "two beginnings", "whole name",
    "two common, together nowhere", "nothing", "mixed",
)  # fmt: skip


def queries(people: int) -> dict[str, list[str]]:
    """Make up what is typed, by class, from people who are there."""
    dice = random.Random("queries")  # noqa: S311 - what is typed
    sample = _sample(people)
    first, last = (Counter(text.fold(one[name]) for one in sample) for name in ("given_name", "family_name"))
    begun = Counter(
        word[:3] for one in sample for name in _SOUGHT for word in text.words(one.get(name, "")) if len(word) > 2
    )
    rare = [name for name, count in last.items() if count == 1] or list(last)
    some = dice.choices(sample, k=EACH)
    common = [name for name, _ in last.most_common(40)]
    pairs = Counter((text.fold(one["given_name"]), text.fold(one["family_name"])) for one in sample)
    apart = [f"{a} {b}" for a, _ in first.most_common(60) for b in common if (a, b) not in pairs][:EACH]
    found = {
        "commonest 3 letters": [begin for begin, _ in begun.most_common(10)],
        "any 3 letters": list(begun),
        "common name": common,
        "rare name": rare[:EACH],
        "two beginnings": [f"{one['given_name'][:3]} {one['family_name'][:4]}" for one in some],
        "whole name": [f"{one['given_name']} {one['family_name']}" for one in some],
        "two common, together nowhere": apart or common,
        "nothing": [f"zzq{n}" for n in range(EACH)],
    }
    return {**found, "mixed": [query for kind in found.values() for query in dice.choices(kind, k=EACH)]}


def _sample(people: int) -> list[dict[str, Any]]:
    population = made_up.Population()
    step = max(people // SAMPLE, 1) * fill.BATCH
    return [
        identity
        for start in range(0, people - fill.BATCH + 1, step)
        for _, identity, _ in population.people(start, fill.BATCH)
    ]


def measure(sizes: tuple[int, ...], classes: tuple[str, ...], *, report: Report, seconds: float, repeats: int) -> None:
    """Report each size."""
    report.title("Search, start-up, memory")
    for people in sizes:
        home, rate = fill.copy_of(people, "search"), fill.home_of(people)[1]
        size_mb = homes.file_size(home) / 2**20
        report.say(
            f"**{people:,} people** (filled through the socket at {rate:,.0f} people/s; the keeper's file has "
            f"{size_mb:,.0f} MB):"
        )
        found: dict[str, Any] = {"people_per_s": rate, "file_mb": size_mb}
        report.data.setdefault("search", {})[people] = found
        _starts(report, home, found)
        with homes.running(home) as keeper, stack.postgres() as dsns:
            stack.fill_tables(dsns, {}, 0)
            keeper.searchable()
            with stack.web(dsns, "crm.host.web", keeper) as web:
                asked = _Asked(keeper, web, queries(people), seconds, repeats)
                rows = [asked.row(kind, 1, found) for kind in classes] + [asked.row("mixed", MANY, found)]
            found["memory after searching"] = keeper.memory_mb()
        report.table(
            ("typed", "clients", "socket p50 ms", "p95 ms", "searches/s", "REST p50 ms", "p95 ms", "searches/s"), rows
        )
        p95 = {kind: found[f"{kind}, 1"]["rest_p95_ms"].median for kind in classes}
        worst = max(p95, key=lambda kind: p95[kind])
        report.target(
            f"search p95 under {P95_MS} ms through REST in every class at {people:,} cards",
            is_met=p95[worst] < P95_MS, found=f"worst is {worst!r} with {p95[worst]:.1f} ms",
        )  # fmt: skip
        report.say("")


def _starts(report: Report, home: Path, found: dict[str, Any]) -> None:
    """Start several times: how long until a person can be opened, and until all can be found."""
    ready, opened, searchable, memory = [], [], [], dict[str, float]()
    with homes.running(home) as keeper:
        token = keeper.token()
    for _ in range(STARTS):
        keeper = homes.Running(home)
        ready.append(keeper.start())
        began = time.perf_counter()
        keeper.ask(partial(_open, token=token))
        opened.append(ready[-1] + time.perf_counter() - began)
        began = time.perf_counter()
        keeper.searchable()
        searchable.append(opened[-1] + time.perf_counter() - began)
        memory = keeper.memory_mb()
        keeper.stop()
    keeper.start()
    busy = put_load(keeper, token, clients=1, seconds=1, people=1)
    keeper.stop()
    found |= {
        "start_s": spread(ready), "first_open_s": spread(opened), "searchable_s": spread(searchable),
        "memory": memory, "open_while_building_p95_ms": busy.p95_ms,
    }  # fmt: skip
    report.table(
        ("taking calls after s", "first person opened after s", "searchable after s", "memory then, MB",
         "open while cards are built, p50 / p95 ms"),
        [(
            spread(ready).text(2), spread(opened).text(2), spread(searchable).text(1),
            ", ".join(f"{name} {value:,.0f}" for name, value in memory.items()),
            f"{busy.p50_ms:.1f} / {busy.p95_ms:.1f}",
        )],
    )  # fmt: skip


async def _open(client: Keeper, *, token: str) -> None:
    await client.open(token, "serve", subjects=[made_up.person(0)], fields=["identity"], reason="call")


class _Asked:
    """Searches through both doors."""

    def __init__(
        self, keeper: homes.Running, web: stack.Server, typed: dict[str, list[str]], seconds: float, repeats: int
    ) -> None:
        self._keeper = keeper
        self._web = web
        self._token = keeper.token()
        self._typed = typed
        self._seconds = seconds
        self._repeats = repeats

    def row(self, kind: str, clients: int, found: dict[str, Any]) -> tuple[object, ...]:
        """Measure one class of queries."""
        asks = tuple(self._typed[kind])
        posts = [["POST /v1/contacts/search", json.dumps({"q": query})] for query in asks]
        direct, over = [], []
        for seed in range(self._repeats):
            direct.append(
                put_load(self._keeper, self._token, clients=clients, seconds=self._seconds, queries=asks, seed=seed)
            )
            over.append(post(self._web.port, self._token, posts, clients=clients, seconds=self._seconds, seed=seed))
        if errors := sum(run.errors for run in over):
            raise RuntimeError(f"{errors} searches for {kind!r} were errors")
        found[f"{kind}, {clients}"] = {
            "socket_p50_ms": spread(run.p50_ms for run in direct),
            "socket_p95_ms": spread(run.p95_ms for run in direct),
            "rest_p50_ms": spread(run.p50_ms for run in over),
            "rest_p95_ms": spread(run.p95_ms for run in over),
            "rest_per_s": spread(run.rate for run in over),
        }
        return kind, clients, *_three(direct), *_three(over)


def _three(runs: Sequence[Done | Answered]) -> tuple[str, str, str]:
    return (
        spread(run.p50_ms for run in runs).text(1),
        spread(run.p95_ms for run in runs).text(1),
        spread(run.rate for run in runs).text(),
    )
