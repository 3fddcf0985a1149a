"""The keeper's process: harden, open the home, prove that writing works, serve."""

import argparse
import asyncio
import contextlib
import gc
import hashlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgpack
import uvloop

from crm.keeper import policy
from crm.keeper.budgets import Budgets
from crm.keeper.engine import Call, Effect, Engine, Refused, fatal
from crm.keeper.finding import Finding
from crm.keeper.home import Home, open_home
from crm.keeper.people import People
from crm.keeper.reading import Reading
from crm.keeper.subjects import Subjects
from crm.keeper.upkeep import Upkeep
from crm.kit.cards import Cards
from crm.kit.clock import Clock, parse_rfc3339
from crm.kit.files import FileFault, lock
from crm.kit.process import harden
from crm.kit.sealing import KeyFault
from crm.kit.server import CONNECT, Reply, listen
from crm.kit.store import Fatal, Refuse

REFUSED = 75
GC_THRESHOLD = 50_000  # calls leave no cycles; collecting less often measured +10 % opens/s


class Keeper:
    """A running keeper."""

    def __init__(self, home: Home, clock: Clock, passphrase: str | None) -> None:
        store, ring, log, replayed = open_home(home, passphrase)
        settings: dict[str, Any] = msgpack.unpackb(store.meta("settings"))
        self._home = home
        self.engine = engine = Engine(store, log, clock)
        engine.budgets = Budgets(settings["limits"])
        cards = Cards()
        people, subjects = People(engine, ring, settings), Subjects(engine, ring, cards, settings["region"])
        self.finding = Finding(engine, cards, subjects)
        facts = settings | {"escrow": home.escrow(ring.epoch).exists(), "limits": engine.budgets.limits}
        reading = Reading(engine, people, self.finding, facts)
        for part in (people, subjects, self.finding, Upkeep(engine, ring, home, people), reading):
            engine.add(part)
        # The budgets are a fold over the log: read its last 25 hours, as old as the wall clock says they are.
        wall, steady = clock.wall_ms(), clock.steady_ms()
        for index in range(log.index_at(wall - policy.DAY_MS - policy.HOUR_MS), log.size):
            entry = log.entry(index)
            engine.budgets.fold(entry, steady - max(0, wall - parse_rfc3339(entry["at"])))
        self._start = {"act": "start", "policy": policy.digest(), "build": _build(), "replayed": replayed, **settings}

    async def run(self) -> None:
        """Write the start entry, which proves that writing works, then serve until told to stop."""
        engine = self.engine
        writer = asyncio.create_task(engine.run())
        first = engine.store.meta("first")  # what a restore with loss leaves to be said
        before = Effect([msgpack.unpackb(first)], [("meta-", "first")]) if first else Effect()
        for effect in (before, Effect([self._start])):
            started = asyncio.create_task(engine.write(lambda effect=effect: effect))  # type: ignore[misc]
            await asyncio.wait({writer, started}, return_when=asyncio.FIRST_COMPLETED)
            (writer if writer.done() else started).result()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        cards = asyncio.create_task(self.finding.build())
        async with serving(self._home, engine.submit, engine.stop):
            await writer
        cards.cancel()


def _build() -> str:
    """Hash the keeper's own source and the kit's."""
    whole = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].glob("k[ei][et]*/*.py")):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


@contextlib.asynccontextmanager
async def serving(home: Home, submit: Callable[[Call], None], stop: Callable[[], None]) -> AsyncIterator[None]:
    """Listen on the sockets and for the signals that stop; says ``ready`` for whoever started the process."""

    def take(principal: str, verb: str, args: dict[str, Any], reply: Reply) -> None:
        submit(Call(principal, verb, args, reply, proof=Refused("unauthenticated") if verb == CONNECT else None))

    servers = await listen(home.run, home.keys / "services", take)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    print("ready", flush=True)  # noqa: T201
    try:
        yield
    finally:
        for server in servers:
            server.close()


async def sealed(home: Home, reason: str) -> None:
    """Answer every call with the reason nothing opens, until stopped."""
    stopped = asyncio.Event()
    async with serving(home, lambda call: call.reply("keeper-sealed", {"reason": reason}), stopped.set):
        await stopped.wait()


def _refused(reason: str) -> int:
    print(f"sealed: {reason}", file=sys.stderr, flush=True)  # noqa: T201
    return REFUSED


def run(home: Home, passphrase: str | None, clock: Clock | None = None) -> int:
    """Run a keeper until it is stopped; a home that does not fit together is served sealed."""
    harden()
    logging.basicConfig(format="%(name)s %(levelname)s %(message)s", level=logging.INFO)
    if home.file.parent.exists() and lock(home.file.with_name("lock")) is None:
        # Its sockets are that keeper's: nothing here is touched.
        return _refused("another keeper is running on this home")
    try:
        keeper = Keeper(home, clock or Clock(), passphrase)
    except Exception as error:  # noqa: BLE001 - whatever it is: a home that cannot be read opens nothing
        if isinstance(error, Fatal):
            fatal(error)
        is_known = isinstance(error, Refuse | KeyFault | FileFault)
        reason = str(error) if is_known else f"the home cannot be read ({type(error).__name__})"
        status = _refused(reason)
        if (home.keys / "services").exists():
            asyncio.run(sealed(home, reason))
        return status
    try:
        uvloop.run(keeper.run())
    except BaseException as error:  # noqa: BLE001 - whatever it is, what is on disk is unknown to this process
        fatal(error)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the keeper; 0 stopped, 74 a write failed (start anew), 75 sealed."""
    parser = argparse.ArgumentParser(prog="kept keeper", description="The process that holds who people are.")
    parser.add_argument("command", choices=["run"])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--journal", type=Path, help="the journal's folder, on another volume")
    parser.add_argument("--passphrase-stdin", action="store_true", help="the root key's passphrase is read from there")
    options = parser.parse_args(argv)
    passphrase = sys.stdin.readline().rstrip("\n") if options.passphrase_stdin else None
    return run(Home(options.home, options.journal), passphrase)


if __name__ == "__main__":
    sys.exit(main())
