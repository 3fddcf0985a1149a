"""Faults for a running keeper: the test's side of ``fault/fault.c``, which is preloaded into the process.

faults = Faults(folder, library, home.path)       # or the fixture `faults`, which takes a home
home.start(env=faults.env)
faults.arm(Fault("journal", "sync", "fail", nth=3))
assert home.wait() == 74
"""

import errno
import mmap
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "fault" / "fault.c"
# Which files a fault is for, by how their names end.
TARGETS = {"journal": ".kj", "file": "keeper.db", "wal": "keeper.db-wal", "any": ""}
CALLS = {"write": 1, "sync": 2, "truncate": 4, "rename": 8, "unlink": 16, "any": 31}
ACTIONS = {
    "none": (0, 0), "fail": (1, errno.EIO), "full": (1, errno.ENOSPC), "fail-done": (2, errno.EIO), "short": (3, 0),
    "kill-before": (4, 0), "kill-after": (5, 0), "tear": (6, 0), "lose": (7, 0),
}  # fmt: skip
_CONTROL = struct.Struct("=qiiiiiiiiiii512s64s")
_ARMED, _SEEN, _FIRED, _FULL = 12, 36, 40, 48


@dataclass(frozen=True)
class Fault:
    """What strikes: the ``nth`` call of a kind on a target.

    fail (EIO), full (ENOSPC, from then on), fail-done (done, but says EIO), short (half is written), tear (half
    is written, then SIGKILL), kill-before, kill-after (SIGKILL), lose (writes are taken and dropped; the next
    sync says EIO, once: what Linux does when writing back fails).
    """

    target: str
    calls: str
    action: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.target}-{self.calls}-{self.action}-{self.nth}"


class Faults:
    """The control block a preloaded process shares with the test; disarmed until ``arm``."""

    def __init__(self, block: Path, library: Path, home: Path) -> None:
        self._prefix = str(home).encode()
        block.write_bytes(bytes(mmap.PAGESIZE))
        with block.open("r+b") as stream:
            self._map = mmap.mmap(stream.fileno(), mmap.PAGESIZE)
        self.env = {"LD_PRELOAD": str(library), "KEPT_FAULT": str(block)}

    def arm(self, fault: Fault, *, clock_ms: int = 0, delay_ms: int = 0) -> None:
        """Count from now on, and strike at the nth call."""
        action, error = ACTIONS[fault.action]
        sticky = int(fault.action == "full")
        self._map[: _CONTROL.size] = _CONTROL.pack(
            clock_ms, delay_ms, 0, CALLS[fault.calls], fault.nth, action, error, sticky, 0, 0, 0, 0, self._prefix,
            TARGETS.get(fault.target, fault.target).encode(),
        )  # fmt: skip
        struct.pack_into("=i", self._map, _ARMED, 1)

    def disarm(self) -> None:
        """Strike no more; the clock is right again."""
        self._map[: _CONTROL.size] = bytes(_CONTROL.size)

    def move_clock(self, ms: int) -> None:
        """Set the wall clock of the process so much forward (or back)."""
        self._map[:8] = struct.pack("=q", ms)

    def fill_disk(self, *, is_full: bool) -> None:
        """Let every disk look full, or not."""
        struct.pack_into("=i", self._map, _FULL, is_full)

    def count(self, target: str = "any", calls: str = "any") -> None:
        """Strike nowhere, but count calls from now on."""
        self.arm(Fault(target, calls, "none", nth=0))

    @property
    def seen(self) -> int:
        """How many calls were counted since it was armed."""
        return int(struct.unpack_from("=i", self._map, _SEEN)[0])

    @property
    def fired(self) -> bool:
        """Whether the fault struck."""
        return bool(struct.unpack_from("=i", self._map, _FIRED)[0])

    def close(self) -> None:
        """Let go of the block."""
        self._map.close()


def build(folder: Path) -> Path:
    """Compile the library."""
    library = folder / "fault.so"
    subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True
    )
    return library
