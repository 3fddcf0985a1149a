"""Failures that are forced while people are being served, and the code that tells of each."""

import os
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

import asyncpg

from tests.leaks.running import Parts

Failure = Callable[[Parts], AbstractContextManager[object]]


@contextmanager
def keeper_stopped(parts: Parts) -> Iterator[None]:
    parts.keeper.stop()
    yield
    assert parts.keeper.start()


@contextmanager
def keeper_killed(parts: Parts) -> Iterator[None]:
    parts.keeper.kill()
    yield
    assert parts.keeper.start()


@contextmanager
def database_stopped(parts: Parts) -> Iterator[None]:
    parts.database(is_up=False)
    try:
        yield
    finally:
        parts.database(is_up=True)


@contextmanager
def disk_full(parts: Parts) -> Iterator[None]:
    """Fill the disk on which everything is: files of the keeper, of the database, of the web process."""
    filler = parts.folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(1 << 16))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def no_file_grows(parts: Parts) -> Iterator[None]:
    """Refuse what the keeper writes; it ends with the first entry it cannot write."""
    assert parts.keeper.process is not None
    resource.prlimit(parts.keeper.process.pid, resource.RLIMIT_FSIZE, (0, 0))
    yield
    assert parts.keeper.wait() == os.EX_IOERR
    assert parts.keeper.start(), parts.keeper.stderr()


FAILURES: Mapping[Failure, str] = {
    keeper_stopped: "keeper-unavailable",
    keeper_killed: "keeper-unavailable",
    database_stopped: "database-unavailable",
    no_file_grows: "keeper-unavailable",
    # Without a disk of its own, what is full would be the machine.
    **({disk_full: "keeper-sealed"} if os.geteuid() == 0 else {}),
}

_LOUD = {
    "log_statement": "all", "log_min_messages": "debug1", "log_min_error_statement": "debug1",
    "log_error_verbosity": "verbose", "log_parameter_max_length": "-1", "log_parameter_max_length_on_error": "-1",
}  # fmt: skip


async def tell_all(parts: Parts) -> None:
    """Let the database write down every statement of the next connections, with its parameters."""
    admin = await asyncpg.connect(parts.server.admin_dsn, database="kept")
    for role in ("kept_web", "kept_web_read"):
        for name, value in _LOUD.items():
            await admin.execute(f"alter role {role} set {name} = '{value}'")
    await admin.close()
