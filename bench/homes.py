"""Keepers to measure: made with budgets out of the way, started, asked, stopped."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from crm.keeper_client import Keeper
from crm.kit import journal
from crm.kit.pii import Pii

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER = REPOSITORY / "build" / "bench"
ORIGIN = "bench.example/log"
PASSWORD = Pii("made up for the bench alone")
NAMES = {"admin": "Bench admin", "auditor": "Bench auditor", "staff": "Bench staff"}
LIFTED = ("people", "labels", "intake", "import", "records", "acts", "installation", "requests")
ANY_NUMBER = 1_000_000_000
START_S, STOP_S = 600.0, 120.0
T = TypeVar("T")
_TICKS = os.sysconf("SC_CLK_TCK")


class Running:
    """One keeper process on one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, slow_us: int = 0) -> float:
        """Start the keeper, on a disk slowed by ``slow_us`` a flush; returns the seconds until it takes calls."""
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crm.keeper", "run", "--home", str(self.home)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY, env=environment(slow_us),
        )  # fmt: skip
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the keeper of {self.home} does not start")
        return time.perf_counter() - began

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            if self._process.wait(STOP_S) != 0:
                raise RuntimeError(f"the keeper ended with status {self._process.returncode}")
            self._process = None

    def cpu_s(self) -> float:
        """Return the processor time the keeper has used so far."""
        return cpu_s(self.pid)

    def memory_mb(self) -> dict[str, float]:
        """Return resident and proportional size; the latter is for root alone."""
        return memory_mb(self.pid)

    def written_bytes(self) -> int:
        """Return what the process has caused to be written to disk so far."""
        lines = Path(f"/proc/{self.pid}/io").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))

    def log_size(self) -> int:
        """Return the number of entries in the log."""

        async def ask(keeper: Keeper) -> int:
            return int((await keeper.status())["size"])

        return int(self.ask(ask))

    def web(self) -> tuple[Path, Path]:
        """Return the web's socket and service key."""
        return self.home / "run" / "web.sock", self.home / "services" / "web.key"

    def ask(self, work: Callable[[Keeper], Coroutine[Any, Any, T]]) -> T:
        """Run some calls as the web process."""

        async def run() -> T:
            keeper = await Keeper.connect(*self.web())
            try:
                return await work(keeper)
            finally:
                await keeper.close()

        return asyncio.run(run())

    def token(self, role: str = "staff") -> str:
        """Sign in as the account of a role."""

        async def sign_in(keeper: Keeper) -> str:
            return (await keeper.sign_in(NAMES[role], PASSWORD)).token.reveal()

        return self.ask(sign_in)

    def searchable(self) -> float:
        """Wait until the index cards are built; returns the seconds that took."""

        async def wait(keeper: Keeper) -> float:
            began = time.perf_counter()
            while (await keeper.status())["search"] != "ready":  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.05)
            return time.perf_counter() - began

        return self.ask(wait)


@contextlib.contextmanager
def running(home: Path, slow_us: int = 0) -> Iterator[Running]:
    """Run a keeper for a while."""
    keeper = Running(home)
    keeper.start(slow_us)
    try:
        yield keeper
    finally:
        keeper.stop()


def make(home: Path, *, lifted: bool = True) -> None:
    """Make a fresh home with its three accounts; what stood there goes. Budgets are out of the way, or as they are."""
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    budgets = [part for name in LIFTED if lifted for part in ("--budget", f"{name}={ANY_NUMBER}")]
    subprocess.run(
        [sys.executable, "-m", "crm.recovery", "init", "--home", str(home), "--origin", ORIGIN,
         "--second-factor", "optional", *budgets],
        check=True, cwd=REPOSITORY,
    )  # fmt: skip
    with running(home):
        asyncio.run(_accounts(home))


async def _accounts(home: Path) -> None:
    host = await Keeper.connect(home / "run" / "admin.sock", home / "services" / "admin.key")
    web = await Keeper.connect(home / "run" / "web.sock", home / "services" / "web.key")
    for role in ("admin", "auditor"):
        made = await host.call("people_add", name=NAMES[role], roles=[role])
        await web.accept(Pii(made["code"]), PASSWORD)
    admin = (await web.sign_in(NAMES["admin"], PASSWORD)).token.reveal()
    auditor = (await web.sign_in(NAMES["auditor"], PASSWORD)).token.reveal()
    await hire(web, admin, auditor, NAMES["staff"])
    await host.close()
    await web.close()


async def hire(web: Keeper, admin: str, auditor: str, name: str) -> None:
    """Bring in one more member of staff."""
    asked = await web.invite(admin, name, ["staff"])
    decided = await web.decide(auditor, asked["decision"], "approve")
    await web.accept(Pii(f"{asked['code'].reveal()}.{decided['code'].reveal()}"), PASSWORD)


def environment(slow_us: int = 0) -> dict[str, str]:
    """Return the environment of a process whose flushes are slowed."""
    own = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    if slow_us:
        own |= {"LD_PRELOAD": str(_slow_library()), "KEPT_SLOW_US": str(slow_us)}
    return own


def can_be_slowed() -> bool:
    """Say whether there is a C compiler for the library that slows flushes."""
    return sys.platform == "linux" and shutil.which("cc") is not None


def _slow_library() -> Path:
    source, made = Path(__file__).with_name("slow.c"), FOLDER / "slow.so"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(made), str(source), "-ldl"], check=True)
    return made


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(pid: int) -> dict[str, float]:
    """Return VmRSS, and PSS where this account may read it."""
    found = {}
    for name, file in (("VmRSS", "status"), ("Pss", "smaps_rollup")):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
                if line.startswith(f"{name}:"):
                    found[name] = int(line.split()[1]) / 1024
    return found


class Groups:
    """Where a home's journal stands: groups, bytes."""

    def __init__(self, home: Path) -> None:
        self.count = self.size = 0
        for path in sorted((home / "journal").glob("*.kj")):
            with path.open("rb") as stream:
                chain = journal.read_header(stream)
                with contextlib.suppress(journal.Torn):
                    self.count += sum(1 for _ in journal.records(stream, journal.HEADER_SIZE, chain))
            self.size += path.stat().st_size


def file_size(home: Path) -> int:
    """Return the bytes of the keeper's file, with what stands in its write-ahead log moved into it; stopped only."""
    file = home / "keeper" / "keeper.db"
    db = sqlite3.connect(file)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages, free = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    size = db.execute("PRAGMA page_size").fetchone()[0]
    db.close()
    return int((pages - free) * size)
