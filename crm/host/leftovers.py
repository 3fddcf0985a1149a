"""What a killed launcher or a killed postmaster leaves behind, ended or removed before the next start.

A pid file proves nothing: after a reboot, or in a container, its number is soon another process's. A server
is told by the folder it works in, which the postmaster and every one of its processes enters first.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PATIENCE_S = 30.0
_PAUSE_S = 0.02


class LeftoverStays(Exception):
    """Raised when an earlier server neither ends nor can be made to."""


def pid_file(data: Path) -> list[str]:
    """Return the lines of a server's pid file; none when there is no such file."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return []


def clear_the_way(data: Path, socket_lock: Path) -> None:
    """End an earlier server of this folder in good order, then remove the two files with its process id.

    Orphans of a killed postmaster see its end and go by themselves; until then the folder is theirs. A
    server that does not end in time is told to give up at once, which its next start recovers from.

    Raises:
        LeftoverStays: somebody still works in the folder.
    """
    for number in (signal.SIGINT, signal.SIGQUIT):
        for pid in _workers(data):
            if number is signal.SIGQUIT or [str(pid)] == pid_file(data)[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        if _are_gone(data):
            (data / "postmaster.pid").unlink(missing_ok=True)
            socket_lock.unlink(missing_ok=True)
            return
    raise LeftoverStays(f"Another server works in {data} and does not end.")


def _are_gone(data: Path) -> bool:
    end = time.monotonic() + _PATIENCE_S
    while any(True for _ in _workers(data)):
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE_S)
    return True


def _workers(data: Path) -> Iterator[int]:
    """Find the processes that work in a folder."""
    if sys.platform != "linux":
        yield from _named_in_pid_file(data)
        return
    for process in Path("/proc").iterdir():
        # Gone meanwhile, or somebody else's: then it is no server of ours.
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and (process / "cwd").samefile(data):
                yield int(process.name)


def _named_in_pid_file(data: Path) -> Iterator[int]:
    """Without /proc: the process of the pid file, when its program has the right name."""
    first = pid_file(data)[:1]
    if first and first[0].isdecimal():
        asked = ["ps", "-o", "comm=", "-p", first[0]]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - digits only
        if found.stdout.strip().endswith("postgres"):
            yield int(first[0])
