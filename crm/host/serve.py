"""``kept serve``: everything on one machine, from an empty folder to a page, and down again in good order.

Each process is a child, in an account of its own as root, with no way out; this launcher is the only one with
a network, and uses it to listen. A child that dies is started again, each time after a longer pause. It goes
down from the outside inward: what is under way is answered, then the keeper ends, and PostgreSQL last.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crm.host import accounts, database, demo, keeper_home
from crm.host import home as homes
from crm.host.child import Child, command, environment
from crm.host.home import Home
from crm.host.install import EXPECTED, bring_up_schema
from crm.host.supervisor import ChildService, StartFailed, Supervisor

PORT = 8000
BACKLOG = 2048
# What the keeper imports at the moment of use; it imports nothing of the host's, so it cannot say so itself.
_KEEPER_PRELOAD = (
    "argon2.*", "cryptography.hazmat.*", "msgpack.*", "passlib.*", "passlib.handlers.*",
    "phonenumbers.data.*", "pyrage", "sqlite3.*",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    home: Path | None = None
    port: int = PORT
    workers: int = 0
    journal: Path | None = None
    origin: str | None = None
    recovery: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    rp_id: str | None = None
    is_demo: bool = False


class AlreadyServed(OSError):
    """Raised when another launcher has this home."""


def run(options: Options) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    try:
        home = homes.prepare(options.home or homes.default(demo=options.is_demo))
        with _alone(home), _listening(options.port) as listening:
            return asyncio.run(_Launcher(options, home, listening).run())
    except (*EXPECTED, StartFailed) as error:
        sys.stderr.write(f"kept serve: {error}\n")
        return os.EX_UNAVAILABLE


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Hold the home's lock; the system lets go of it however this process ends."""
    with (home.root / "serve.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(f"{home.root} is being served already.") from None
        yield


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """Listen on this machine's own address; on a free port when the one asked for is taken."""
    try:
        listening = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        _say(f"Port {port} is taken.")
        listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    with listening:
        yield listening


class _Launcher:
    """One run of the product."""

    def __init__(self, options: Options, home: Home, listening: socket.socket) -> None:
        self._options = options
        self._home = home
        self._listening = listening
        self._supervisor = Supervisor(_say)
        self._server = database.given()
        # A server's socket may lie where the services of this machine are hidden.
        folder = self._server.folder if self._server else None
        self._ways = ["--show", folder] if folder else []

    async def run(self) -> int:
        """Bring it up, wait for a signal, take it down."""
        work = asyncio.create_task(self._work())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, work.cancel)
        try:
            await work
        except asyncio.CancelledError:
            _say("Stopping.")
        finally:
            await self._supervisor.down()
        return os.EX_OK

    async def _work(self) -> None:
        home, options = self._home, self._options
        address = f"http://localhost:{self._listening.getsockname()[1]}"
        is_new = await keeper_home.ensure(
            home,
            origin=options.origin or keeper_home.default_origin(),
            is_second_factor_required=not options.is_demo,
            journal=options.journal,
            recovery=options.recovery,
            sites=options.sites or (address,),
            rp_id=options.rp_id,
        )
        await asyncio.gather(self._database(), self._supervisor.up(self._keeper()))
        count = options.workers or max(1, (os.cpu_count() or 1) // 2)
        webs = [self._web(number + 1) for number in range(count)]
        await asyncio.gather(self._supervisor.up(*webs, is_needed=True), self._supervisor.up(self._inbound()))
        _say(f"Kept runs at {address}", f"Home: {home.root} ({accounts.isolation()})")
        if options.is_demo:
            _say(*await asyncio.to_thread(demo.furnish, home, address))
        elif is_new:
            _say(
                "Nobody can sign in yet. The first admin and the first auditor are made here:",
                f"  kept people add --home '{home.root}' --name NAME --role admin",
            )
        await asyncio.Event().wait()

    async def _database(self) -> None:
        service = database.service(self._home, self._server)
        if service is not None:
            await self._supervisor.up(service, is_needed=True)
        await database.ensure_roles(self._home, self._server)
        await bring_up_schema(self._home)

    def _keeper(self) -> ChildService:
        journal = self._options.journal
        what = [
            *(["--show", str(journal)] if journal else []),
            *(part for name in _KEEPER_PRELOAD for part in ("--preload", name)), "--", "crm.keeper.__main__",
            "run", "--home", str(self._home.path), *(["--journal", str(journal)] if journal else []),
        ]  # fmt: skip
        return self._child("keeper", "keeper", what)

    def _web(self, number: int) -> ChildService:
        handle = self._listening.fileno()
        what = ["--", "crm.host.web", "--home", str(self._home.path), "--fd", str(handle)]
        return self._child(f"web {number}", "web", what, handle)

    def _inbound(self) -> ChildService:
        what = ["--", "crm.host.worker", "--role", "inbound", "--home", str(self._home.path)]
        return self._child("inbound", "inbound", what)

    def _child(self, name: str, role: str, what: list[str], *handles: int) -> ChildService:
        environ = environment(KEPT_ISOLATION=accounts.isolation(), PYTHONUNBUFFERED="1")

        async def spawn() -> Child:
            line = command(self._home, role, [*self._ways, *what])
            return await Child.start(line, environ=environ, pass_fds=handles, stdout=asyncio.subprocess.PIPE)

        return ChildService(name, spawn)


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
