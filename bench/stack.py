"""The whole of it: PostgreSQL, a keeper, one web worker as shipped, and the plaintext one beside it."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from bench import made_up, plaintext_app
from bench.homes import FOLDER, ORIGIN, REPOSITORY, STOP_S, Running, environment
from crm.interactions import upkeep

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_OWNER, _AUTHOR = "b" * 32, "a" * 32


@dataclass(frozen=True, slots=True)
class Server:
    """A web worker."""

    port: int
    pid: int


@contextlib.contextmanager
def postgres() -> Iterator[Path]:
    """Run PostgreSQL; gives the folder of its roles' connection strings."""
    root = FOLDER / "database"
    root.mkdir(parents=True, exist_ok=True)
    ran = subprocess.Popen(
        [sys.executable, "-m", "bench.database", str(root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
    )  # fmt: skip
    try:
        assert ran.stdout is not None
        if ran.stdout.readline().strip() != "ready":
            raise RuntimeError("PostgreSQL does not start")
        yield root / "services"
    finally:
        ran.communicate(timeout=STOP_S)


@contextlib.contextmanager
def web(dsns: Path, module: str, keeper: Running) -> Iterator[Server]:
    """Run one web worker: ``crm.host.web``, or the plaintext one."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    sock, key = keeper.web()
    own = environment() | {
        "KEPT_HOME": str(keeper.home),
        # One account asks for thousands a second here.
        "KEPT_REQUESTS_PER_MINUTE": "1000000000",
        "KEPT_KEEPER_SOCKET": str(sock),
        "KEPT_SERVICE_KEY_FILE": str(key),
        "KEPT_DATABASE_URL_FILE": str(dsns / "kept_web.dsn"),
        "KEPT_READ_DATABASE_URL_FILE": str(dsns / "kept_web_read.dsn"),
    }
    log = (FOLDER / f"{module}.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; from {module} import main; sys.exit(main())",
         "--fd", str(listening.fileno())],
        pass_fds=[listening.fileno()], stdout=subprocess.PIPE, stderr=log, text=True, cwd=REPOSITORY, env=own,
    )  # fmt: skip
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        process.kill()
        raise RuntimeError(f"{module} does not start: see {log.name}")
    # The access lines go to a file, as a service manager takes them.
    reader = subprocess.Popen(["cat"], stdin=process.stdout, stdout=log)
    try:
        yield Server(listening.getsockname()[1], process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)
        reader.wait(STOP_S)
        listening.close()
        log.close()


def fill_tables(dsns: Path, sealed: dict[int, list[bytes]], people: int) -> None:
    """Put the same people into the product's tables, notes sealed, and into the plaintext ones."""
    asyncio.run(_fill_tables(dsns, sealed, people))


async def _fill_tables(dsns: Path, sealed: dict[int, list[bytes]], people: int) -> None:
    owner = await asyncpg.connect((dsns / "kept_owner.dsn").read_text().strip())
    await owner.execute("truncate contact, interaction, upkeep cascade")
    await owner.execute(plaintext_app.SCHEMA)
    # The reconciler has nothing to look for: what the keeper made for other benches has no rows.
    await owner.execute("insert into upkeep values ($1, $2, null)", upkeep.reconciling(ORIGIN), 1 << 40)
    population = list(made_up.Population().people(0, people))
    contact = [
        (subject, "contact", "de", "DE", "Europe/Berlin", _OWNER, _NOW, _NOW, 1, 1) for subject, _, _ in population
    ]
    columns = (
        "id",
        "kind",
        "language",
        "country",
        "time_zone",
        "owner",
        "created_at",
        "updated_at",
        "version",
        "log_index",
    )
    await owner.copy_records_to_table("contact", records=contact, columns=columns)
    plain = [
        (*row, *(identity.get(name) for name in ("given_name", "family_name", "company", "job_title")),
         channels["emails"], channels["phones"], json.dumps(channels["addresses"]))
        for row, (_, identity, channels) in zip(contact, population, strict=True)
    ]  # fmt: skip
    said = ("given_name", "family_name", "company", "job_title", "emails", "phones", "addresses")
    await owner.copy_records_to_table("bench_contact", records=plain, columns=(*columns, *said))
    await _fill_notes(owner, sealed)
    await owner.execute("analyze")
    await owner.close()


async def _fill_notes(owner: Any, sealed: dict[int, list[bytes]]) -> None:  # noqa: ANN401 - asyncpg has no types
    columns = ("contact", "id", "version", "kind", "direction", "occurred_at", "created_at", "author", "log_index")
    product, plain = [], []
    for n, blobs in sealed.items():
        for number, blob in enumerate(blobs):
            at = _NOW - timedelta(hours=number)
            row = (made_up.person(n), made_up.record(n, number), 1, "call", "in", at, at, _AUTHOR, 1)
            note = made_up.note(n, number)
            product.append((*row, made_up.record(n, number), True, blob))
            plain.append((*row, True, note["summary"], note["notes"]))
    await owner.copy_records_to_table(
        "interaction", records=product, columns=(*columns, "record", "is_current", "sealed")
    )
    await owner.copy_records_to_table(
        "bench_interaction", records=plain, columns=(*columns, "is_current", "summary", "notes")
    )


def ids(start: int, end: int) -> Sequence[str]:
    """Return the ids of some people."""
    return [made_up.person(n) for n in range(start, end)]
