"""`kept promises`: look at an installation from its home, or ask it, and print what holds."""

import asyncio
import importlib
import json
import sqlite3
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import replace
from http.client import HTTPException  # noqa: TID251 - what the client of an import may raise
from pathlib import Path
from typing import Annotated, Any

import msgpack
import typer

from crm.audit.http_source import HttpSource
from crm.audit.memory import Doubt, Memory
from crm.config import MisconfiguredError, load
from crm.contacts.commands import Client, RefusedError
from crm.db import DOWN, Database
from crm.host import accounts
from crm.host import home as homes
from crm.host.child import command, environment
from crm.host.home import Home
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.signed import Verifier
from crm.promises.budgets import CONTRACT
from crm.promises.clauses import LOG
from crm.promises.ground import Ground
from crm.promises.inside import Inside
from crm.promises.service import Report, from_json, run
from crm.promises.surface import Route
from crm.promises.tree import judge_log
from crm.promises.verdict import Verdict, worst

# The application lies above the domain, so it is named and not imported, as the web process names it.
_APPLICATION, _SURFACE = "web.main", "api.http.surface"
_WIDTH = 110


class CannotLookError(Exception):
    """Raised when there is no installation to look at; the message says why."""


EXPECTED = (CannotLookError, Doubt, RefusedError, MisconfiguredError, HTTPException, OSError, ValueError)


def promises(
    url: Annotated[str | None, typer.Option("--url", help="Address of an installation to ask.")] = None,
    home: Annotated[Path | None, typer.Option("--home", help="Folder of an installation on this machine.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Verifier key pinned before (kept log key).")] = None,
    state: Annotated[Path | None, typer.Option("--state", help="File that remembers what was seen of the log.")] = None,
) -> None:
    """Check every clause of the promise; status 1 when one is broken."""
    if url is not None and home is not None:
        raise typer.BadParameter("give either --home or --url")
    try:
        pinned = Verifier.parse(key) if key else None
        if url is not None:
            report = asyncio.run(of_url(url, pinned, Memory(state)))
        else:
            report = asyncio.run(of_home(home or homes.default(), pinned, Memory(state)))
    except EXPECTED as error:
        typer.echo(f"kept promises: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(table(report))
    if url is not None and pinned is None:
        typer.echo("\nThis is what the installation says of itself; with --key, its log is checked from here.")
    if report.is_broken:
        raise typer.Exit(1)


async def of_url(url: str, key: Verifier | None, memory: Memory) -> Report:
    """Ask an installation; what can be checked from outside with a pinned key is checked here, and counts instead."""
    told = await asyncio.to_thread(_ask, url)
    report = from_json(told)
    if key is None:
        return report
    with HttpSource(url) as source:
        found = await judge_log(_Published(source), key, memory, Clock())
    return replace(report, found={**report.found, LOG.name: found})


def _ask(url: str) -> dict[str, Any]:
    with Client(url) as client:
        return client.ask("GET", "/v1/promises")


class _Published:
    """A log over HTTP, asked from another thread."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source

    async def checkpoint(self) -> str:
        return await asyncio.to_thread(self._source.checkpoint)

    async def tile(self, level: int, n: int, width: int) -> bytes:
        return b"".join(await asyncio.to_thread(self._source.tile, level, n, width))


async def of_home(folder: Path, key: Verifier | None, memory: Memory) -> Report:
    """Look at an installation of this machine as its operator.

    Raises:
        CannotLookError: there is no home.
    """
    if not (folder / "services").is_dir():
        raise CannotLookError(f"{folder} is no home")
    home = homes.names_of(folder)
    settings = load(folder, {})
    app = importlib.import_module(_APPLICATION).create_app(settings)
    routes: Sequence[Route] = importlib.import_module(_SURFACE).routes_of(app)
    inside = await _inside(home)

    async def look() -> Inside:
        return inside

    async def limits() -> Mapping[str, int] | None:
        return _limits(home.root / "keeper" / "keeper.db")

    keeper = Keeper(home.socket("admin"), home.service_key("admin"))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(keeper.close)
        database = Database(settings.database_url, settings.read_database_url)
        with suppress(*DOWN):
            await stack.enter_async_context(database)
        ground = Ground(
            routes=routes, reads=database.reads, log=keeper, key=key or _own_key(settings.log_key), memory=memory,
            clock=Clock(), isolation=accounts.isolation(), look=look, limits=limits,
        )  # fmt: skip
        return await run(ground)


async def _inside(home: Home) -> Inside:
    """Start a process as the web process is started, and ask it.

    Raises:
        CannotLookError: it cannot be started.
    """
    line = command(home, "web", ["--", "crm.promises.inside", "--socket", str(home.socket("web"))])
    process = await asyncio.create_subprocess_exec(
        *line, env=environment(), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise CannotLookError("no process can be started as the web process is")
    return Inside(**json.loads(said))


def _own_key(vkey: str | None) -> Verifier | None:
    return Verifier.parse(vkey) if vkey else None


def _limits(file: Path) -> dict[str, int] | None:
    """Read what the keeper's file sets, over the policy's values; None where there is none to read."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'settings'").fetchone()
    except sqlite3.Error:
        return None
    return CONTRACT | msgpack.unpackb(row[0])["limits"] if row else None


def table(report: Report) -> str:
    """Print a report: each clause with its verdict and control, and each check with verdict and evidence below."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for clause in report.clauses:
        yield _wrapped(f"{clause.id:4}{report.of(clause):13}{clause.text}", 17)
        yield _wrapped(" " * 17 + f"by: {clause.control}", 21)
        for check in clause.checks:
            finding = report.found[check.name]
            yield _wrapped(f"    {finding.verdict:13}{check.name:15}{finding.evidence}", 32)
        yield ""
    verdict = worst(map(report.of, report.clauses))
    counts = [(each, sum(report.of(clause) is each for clause in report.clauses)) for each in reversed(Verdict)]
    yield f"{verdict}: " + ", ".join(f"{count} {each}" for each, count in counts if count) + f" ({report.checked_at})"


def _wrapped(line: str, indent: int) -> str:
    return textwrap.fill(line, _WIDTH, subsequent_indent=" " * indent, drop_whitespace=True, break_on_hyphens=False)
