"""One home on which one fault after the other strikes, and the evidence of those who were answered."""

from pathlib import Path

from crm.audit.service import verify_home
from tests.keeper.evidence import Evidence, Examined, check_readable, work
from tests.keeper.faults import Fault, Faults
from tests.keeper.home import KeeperHome

# The ways in which a write and a sync can fail (faults.Fault).
WRITE = ("fail", "full", "fail-done", "short", "lose", "tear", "kill-before", "kill-after")
SYNC = ("fail", "fail-done", "kill-before", "kill-after")


def expected(fault: Fault) -> int | None:
    """Return the status a fault ends the keeper with; None: it goes on (SQLite writes what is left to write)."""
    if fault.action in {"tear", "kill-before", "kill-after"}:
        return -9
    if fault.action == "short" and fault.target != "journal":
        return None
    return 74


class Table:
    """One home on which one fault after the other strikes; what was seen adds up."""

    def __init__(self, home: KeeperHome, faults: Faults, scratch: Path) -> None:
        self.home = home
        self.faults = faults
        self.scratch = scratch
        self.before: list[Evidence] = []

    async def strike(self, fault: Fault) -> None:
        """Let one fault strike while clients work, look at the files, start again and ask for everything."""
        seen = Evidence()
        self.before.append(seen)
        self.faults.arm(fault)
        await work(self.home, seen)
        assert self.faults.fired, f"{fault} never came to pass in {self.faults.seen} calls"
        await self.settle(expected(fault))
        await check_readable(self.home, seen)

    async def settle(self, status: int | None) -> None:
        """Wait for the end that is due, hold the files against the evidence, and start without a fault."""
        if status is not None:
            assert self.home.wait() == status, self.home.stderr()
            self.check_left(newest=2)
        self.faults.disarm()
        if status is not None:
            await self.home.disconnect()
            assert self.home.start(env=self.faults.env), self.home.stderr()

    def check_left(self, *, newest: int = 0) -> Examined:
        """Hold the files, as they are, against everything that was seen on this home, or what was seen last."""
        files = Examined(self.home, self.scratch)
        for seen in self.before[-newest:]:
            files.check_left(self.home, seen)
        return files

    async def close(self) -> None:
        """Stop, and check the log as a whole: file and journal agree, and nobody was forgotten."""
        await self.home.disconnect()
        assert self.home.stop() == 0
        files = self.check_left()
        files.check_log()
        assert files.in_file == files.in_journal
        verify_home(self.home.path, self.home.vkey, self.scratch.with_suffix(".seen"), journal=self.home.journal)
