"""Everything a leak could go to: what is read of it, and how a self-test plants something there."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import asyncpg
from httpx import Request, Response

from tests.keeper.home import ROOT
from tests.leaks.running import Web
from tests.schema.test_dump import dump, files

Found = Mapping[str, bytes]
# Keys, not values: what the search is about is sealed under them.
_SECRET = {"keys", "services"}
_VIEWS = ("pg_stat_activity", "pg_stat_statements", "pg_stats", "pg_prepared_statements", "pg_settings")
# How deep to look: a program leaves a file in them, or makes a folder for it.
_PLACES = {tempfile.gettempdir(): 1, "/var/tmp": 1, "/dev/shm": 1, str(ROOT): 9}
# Whoever tests at the same time has those.
_THEIRS = re.compile(r"kept-test-.*|pytest-of-.*|\.venv|\.git|\.mypy_cache|\.ruff_cache")


class Sink(NamedTuple):
    """A place; `plant` puts bytes there by other means than `read` reads it."""

    read: Callable[[Web], Awaitable[Found]]
    plant: Callable[[Web, bytes], Awaitable[object]]


def _append(path: Path, data: bytes) -> int:
    with path.open("ab") as stream:
        return stream.write(data)


def _below(folder: Path) -> Found:
    """Read whatever is in a folder, and what it is called."""
    found = {}
    for path in folder.rglob("*"):
        data = b""
        # It may be gone by now.
        with suppress(FileNotFoundError):
            data = path.read_bytes() if path.is_file() else b""
        found[os.fsdecode(path.relative_to(folder))] = os.fsencode(path) + b"\n" + data
    return found


async def _stdout(web: Web) -> Found:
    return {"": (web.folder / "stdout").read_bytes()}


async def _stderr(web: Web) -> Found:
    return {"": (web.folder / "stderr").read_bytes()}


async def _temporary(web: Web) -> Found:
    return {name: data for name, data in _below(web.folder).items() if name not in {"stdout", "stderr"}}


async def _answers(web: Web) -> Found:
    return {"": b"\n".join(web.told)}


async def _hear(web: Web, data: bytes) -> None:
    await web.hear(Response(404, content=data, request=Request("GET", "http://x/")))


async def _cached(web: Web) -> Found:
    return {"": b"\n".join(web.cached)}


async def _hear_for_good(web: Web, data: bytes) -> None:
    request = Request("GET", "http://x/v1/me", headers={"authorization": f"Bearer {web.parts.keeper.token('staff')}"})
    await web.hear(Response(200, content=data, request=request, headers={"cache-control": "private"}))


async def _printed(web: Web) -> Found:
    return {"": b"\n".join(web.parts.printed)}


async def _print(web: Web, data: bytes) -> None:
    web.parts.printed.append(data)


async def _keeper(web: Web) -> Found:
    home = web.parts.keeper.path
    return {name: data for name, data in _below(home).items() if Path(name).parts[0] not in _SECRET}


async def _keeper_said(web: Web) -> Found:
    return {"": web.parts.keeper.log_file.read_bytes()}


async def _dump(web: Web) -> Found:
    """Copy the database out as its superuser would, with statistics drawn from what is there, and what it shows."""
    admin = await asyncpg.connect(web.parts.server.admin_dsn, database="kept")
    await admin.execute("analyze")
    views = {view: b"" for view in _VIEWS if await admin.fetchval("select to_regclass($1)", view)}
    for view in views:
        text = await admin.fetchval(f"select string_agg(v::text, chr(10)) from {view} v")  # noqa: S608 - one of ours
        views[view] = (text or "").encode()
    await admin.close()
    return {**views, "": await dump(web.parts.server)}


async def _insert(web: Web, data: bytes) -> None:
    admin = await asyncpg.connect(web.parts.server.admin_dsn, database="kept")
    await admin.execute("create table if not exists planted (word text)")
    await admin.execute("insert into planted values ($1)", data.decode())
    await admin.close()


async def _write_ahead_log(web: Web) -> Found:
    return {name: data for name, data in _files(web).items() if "/pg_wal/" in name}


async def _insert_and_forget(web: Web, data: bytes) -> None:
    admin = await asyncpg.connect(web.parts.server.admin_dsn, database="kept")
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute("create table forgotten as select $1::text as word", data.decode())
    await transaction.rollback()
    await admin.close()


async def _database_files(web: Web) -> Found:
    return {name: data for name, data in _files(web).items() if "/pg_wal/" not in name and not name.startswith("log")}


async def _database_log(web: Web) -> Found:
    return {name: data for name, data in _files(web).items() if name.startswith("log")}


async def _warn(web: Web, data: bytes) -> None:
    admin = await asyncpg.connect(web.parts.server.admin_dsn, database="kept")
    await admin.execute(f"do $$ begin raise warning '{data.decode()}'; end $$")
    await admin.close()


def _files(web: Web) -> Found:
    """Read the server's files that have changed since it was made."""
    folder = web.parts.server.home.root / "postgres"
    return {n: data for n, data in files(web.parts.server).items() if _is_new(folder / n, web.parts.began)}


def _is_new(path: Path, since: float) -> bool:
    with suppress(OSError):
        return path.lstat().st_mtime >= since
    return False


async def _processes(web: Web) -> Found:
    """Read what the machine shows of every process below this one: arguments, environment, name, open files."""
    found = {}
    for pid in _descendants(os.getpid()):
        proc = Path(f"/proc/{pid}")
        with suppress(OSError):
            links = b"\n".join(os.fsencode(path.readlink()) for path in (proc / "fd").iterdir())
            shown = [(proc / name).read_bytes() for name in ("cmdline", "environ", "comm", "limits")]
            found[str(pid)] = b"\n".join([links, *shown])
    assert web.parts.keeper.process is not None
    assert str(web.parts.keeper.process.pid) in found
    return found


def _descendants(parent: int) -> Collection[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    direct = [int(pid) for task in children.parents[1].glob("*/children") for pid in task.read_text().split()]
    return [*direct, *(pid for child in direct for pid in _descendants(child))]


async def _start(web: Web, data: bytes) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()", os.fsdecode(data)], stdin=subprocess.PIPE)
    web.parts.later.callback(process.communicate, b"\n")


async def _beside(web: Web) -> Found:
    """Read files that are new where programs leave them unasked: temporary, core, cache and coverage files."""
    found = {}
    for path in (path for place, depth in _PLACES.items() for path in _new(Path(place), depth, web.parts.began)):
        with suppress(OSError):
            found[str(path)] = path.read_bytes()
    return found


def _new(folder: Path, depth: int, since: float) -> Iterator[Path]:
    with suppress(OSError):
        for path in folder.iterdir():
            if _THEIRS.fullmatch(path.name) or path.is_symlink():
                continue
            if path.is_dir() and depth:
                yield from _new(path, depth - 1, since)
            elif path.is_file() and _is_new(path, since):
                yield path


async def _leave(web: Web, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(prefix="core.", delete=False) as file:
        file.write(data)
    web.parts.later.callback(Path(file.name).unlink)


# Read in this order: the dump lets the database write its files.
SINKS: Mapping[str, Sink] = {
    "stdout": Sink(_stdout, lambda web, data: _async(_append(web.folder / "stdout", data))),
    "stderr": Sink(_stderr, lambda web, data: _async(_append(web.folder / "stderr", data))),
    "temporary": Sink(_temporary, lambda web, data: _async(_append(web.folder / "tmp" / os.fsdecode(data), b""))),
    "answers": Sink(_answers, _hear),
    "cached": Sink(_cached, _hear_for_good),
    "dump": Sink(_dump, _insert),
    "printed": Sink(_printed, _print),
    "keeper": Sink(_keeper, lambda web, data: _async(_append(web.parts.keeper.path / "run" / "left", data))),
    "keeper said": Sink(_keeper_said, lambda web, data: _async(_append(web.parts.keeper.log_file, data))),
    "write-ahead log": Sink(_write_ahead_log, _insert_and_forget),
    "database files": Sink(_database_files, _insert),
    "database log": Sink(_database_log, _warn),
    "processes": Sink(_processes, _start),
    "beside": Sink(_beside, _leave),
}
# What a web process leaves, what one fills; the others are all processes'.
LEFT = ("stdout", "stderr", "temporary")
OWN = (*LEFT, "answers", "cached", "dump")


async def _async(done: object) -> object:
    return done


async def read(web: Web, names: Collection[str] = SINKS.keys()) -> dict[str, bytes]:
    """Read sinks, each part of one under a name that begins with the sink's."""
    return {f"{name} {part}": data for name in names for part, data in (await SINKS[name].read(web)).items()}
