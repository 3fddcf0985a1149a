"""Asked from inside a process: does anything lead out, would a crash leave its memory, whose account is this?

The web process asks itself. From outside, ``python -m crm.promises.inside`` is started as the web process is, in its
account and behind its locks, and prints what it sees.
"""

import argparse
import ctypes
import dataclasses
import json
import logging
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.config import ONE_ACCOUNT
from crm.host.egress import CLOSED, egress_state
from crm.promises.verdict import Finding, cannot_tell, judged, kept

_PR_GET_DUMPABLE = 3
VISITOR = "203.0.113.77"


@dataclass(frozen=True, slots=True)
class Inside:
    """What a process sees of itself; None where this system does not tell."""

    egress: str
    core_bytes: int
    is_dumpable: bool | None
    is_account_shared: bool | None


def look(keeper_socket: Path, *, inherits_socket: bool) -> Inside:
    """Look around from inside this process."""
    try:
        is_shared = keeper_socket.stat().st_uid == os.geteuid()
    except OSError:
        is_shared = None
    # A hard limit above the soft one would let the process raise it again.
    return Inside(egress_state(inherits_socket=inherits_socket), max(resource.getrlimit(resource.RLIMIT_CORE)),
                  _is_dumpable(), is_shared)  # fmt: skip


def _is_dumpable() -> bool | None:
    return ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 if sys.platform == "linux" else None


def judge_egress(inside: Inside) -> Finding:
    """Connect to an address nobody has, over TCP and UDP, IPv4 and IPv6: the kernel refuses."""
    faults = [f"the way out is {inside.egress}"] if inside.egress != CLOSED else []
    return judged(faults, "TCP and UDP, IPv4 and IPv6: refused by the kernel from inside the web process")


def judge_core(inside: Inside) -> Finding:
    """A crash writes no memory anywhere, and no other process of the account reads it."""
    faults = ["a crash may write its memory to a file"] if inside.core_bytes != 0 else []
    faults += ["others of its account may read its memory"] if inside.is_dumpable else []
    return judged(faults, "no core file; closed to debuggers")


def judge_isolation(inside: Inside, said: str) -> Finding:
    """What is said about how the processes are kept apart is how it is."""
    if inside.is_account_shared is None:
        return cannot_tell("whose the keeper's socket is cannot be seen")
    is_said_shared = said == ONE_ACCOUNT
    if not is_said_shared and inside.is_account_shared:
        return judged([f"said: {said}; yet this is the keeper's account"], "")
    return kept(f"said: {said}" if is_said_shared == inside.is_account_shared else "an account of its own")


def judge_access_log() -> Finding:
    """The server's own access line, which begins with an address, is formatted by nobody."""
    logger = logging.getLogger("uvicorn.access")
    record = logger.makeRecord(
        logger.name, logging.INFO, __file__, 0, '%s - "%s"', (f"{VISITOR}:40000", "GET /health"), None
    )
    written = [VISITOR in _formatted(handler, record) for handler in _handlers(logger, record.levelno)]
    faults = ["the access log writes the visitor's address"] if any(written) else []
    return judged(faults, f"{len(written)} handlers take the server's access line; none of them has the address")


def _handlers(logger: logging.Logger, level: int) -> list[logging.Handler]:
    if not logger.isEnabledFor(level):
        return []
    found: list[logging.Handler] = []
    at: logging.Logger | None = logger
    while at is not None:
        found += [handler for handler in at.handlers if level >= handler.level]
        at = at.parent if at.propagate else None
    return found


def _formatted(handler: logging.Handler, record: logging.LogRecord) -> str:
    return handler.format(record)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what this process sees."""
    parser = argparse.ArgumentParser(prog="crm.promises.inside", description="Say what the web process would see.")
    parser.add_argument("--socket", type=Path, required=True, help="the keeper's socket of the web process")
    options = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(dataclasses.asdict(look(options.socket, inherits_socket=False))) + "\n")
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
