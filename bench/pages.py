"""The pages as a browser asks for them: what the server takes, what they weigh, and many people clicking at once."""

import gzip
import random
import re
from collections.abc import Sequence
from urllib.parse import quote_plus

import httpx
import msgpack

from bench import fill, homes, made_up, stack
from bench.figures import Report
from bench.http_load import send
from bench.staff import tokens_of

READERS = 64
OPENED = 2_000
P95_MS = 50
FIRST_KB, LATER_KB = 40, 8
FORM = "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin"
Ask = tuple[str, str, str]


def _asks(token: str, auditor: str, names: Sequence[str]) -> dict[str, list[Ask]]:
    """Return what one reader asks for, by page: first line, headers, body."""
    staff, audit = (f"Cookie: __Host-kept={one}\r\n{FORM}" for one in (token, auditor))
    dice = random.Random(token)  # noqa: S311 - whom to look at
    return {
        "contact": [(f"GET /contacts/{made_up.person(dice.randrange(OPENED))}", staff, "") for _ in range(50)],
        "search": [
            ("POST /contacts/search", f"{staff}\r\nHX-Request: true", f"q={quote_plus(dice.choice(names))}")
            for _ in range(50)
        ],
        "today": [("GET /today", staff, "")],
        "log": [("GET /log", audit, "")],
    }


def _weights(port: int, asks: dict[str, list[Ask]]) -> dict[str, tuple[float, float]]:
    """Return, in kB packed, what a page weighs with all it loads but the fonts, and by itself."""
    found: dict[str, tuple[float, float]] = {}
    for name, (ask, *_) in asks.items():
        method, path = ask[0].split()
        headers = dict(line.split(": ", 1) for line in ask[1].split("\r\n"))
        html = _get(port, method, path, headers, ask[2])
        loaded = {path for path in re.findall(r'(?:src|href)="(/static/[^"#]+)', html.decode()) if ".woff2" not in path}
        own = len(gzip.compress(html)) / 1024
        files = sum(len(gzip.compress(_get(port, "GET", path, {}, ""))) for path in loaded) / 1024
        found[name] = own + files, own
    return found


def _get(port: int, method: str, path: str, headers: dict[str, str], body: str) -> bytes:
    answer = httpx.request(method, f"http://127.0.0.1:{port}{path}", content=body, headers=headers)
    return answer.raise_for_status().content


def measure(people: int, *, report: Report, seconds: float, rush_s: float) -> None:
    """Report one reader's pages, their weight, and a minute of many readers."""
    report.title("Pages")
    report.say(f"{people:,} people, {made_up.NOTES} notes each of those opened; one web worker, keeper entry included.")
    home = fill.copy_of(people, "pages")
    with homes.running(home) as keeper, stack.postgres() as dsns:
        token, auditor = keeper.token(), keeper.token("auditor")
        fill.seal_notes(keeper, token, OPENED, home / "notes")
        sealed = msgpack.unpackb((home / "notes").read_bytes(), strict_map_key=False)
        stack.fill_tables(dsns, sealed, people)
        keeper.searchable()
        tokens = tokens_of(keeper, READERS)
        names = made_up.Population().last
        with stack.web(dsns, "crm.host.web", keeper) as web:
            mine = _asks(token, auditor, names)
            weights = _weights(web.port, mine)
            rows = []
            for name, asks in mine.items():
                took = send(web.port, asks, clients=1, seconds=seconds, seed=1)
                first, later = weights[name]
                rows.append((name, f"{took.p50_ms:.1f}", f"{took.p95_ms:.1f}", f"{first:.1f}", f"{later:.1f}"))
                report.target(
                    f"{name}: p95 under {P95_MS} ms for one reader", is_met=not took.errors and took.p95_ms < P95_MS,
                    found=f"{took.p95_ms:.1f} ms, {took.errors} errors",
                )  # fmt: skip
                report.target(
                    f"{name}: under {FIRST_KB} kB at first, {LATER_KB} kB after",
                    is_met=first < FIRST_KB and later < LATER_KB, found=f"{first:.1f} and {later:.1f} kB",
                )  # fmt: skip
            report.table(("page", "p50 ms", "p95 ms", "kB packed at first, without fonts", "kB after"), rows)
            everyone = [_asks(one, auditor, names) for one in tokens]
            clicks = [ask for asks in everyone for name in ("contact", "search", "today") for ask in asks[name]]
            took = send(web.port, clicks, clients=READERS, seconds=rush_s, seed=2)
            report.say(
                f"{READERS} readers clicking for {rush_s:.0f} s: {took.rate:,.0f} pages/s, p50 {took.p50_ms:.0f} ms, "
                f"p95 {took.p95_ms:.0f} ms."
            )
            report.target(f"no error with {READERS} readers", is_met=not took.errors, found=f"{took.errors}")
