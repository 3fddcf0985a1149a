"""What a process that holds keys does to itself first."""

import contextlib
import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4
_MCL_CURRENT_AND_FUTURE = 3


def harden() -> None:
    """Keep memory out of core dumps, debuggers and swap, and files from others, as far as this account may."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None)
    if sys.platform == "linux":
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    with contextlib.suppress(AttributeError):
        libc.mlockall(_MCL_CURRENT_AND_FUTURE)
