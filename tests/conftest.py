"""What every test may use.

A test that needs something this machine may lack asks for it by `need`: it is skipped with the line to type,
and with KEPT_NO_SKIP=1, as the gate sets it, the skip is a failure.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import greenlet
import pytest
from hypothesis import settings

from tests.product import product, server, shared_keeper

__all__ = ["product", "server", "shared_keeper"]  # fixtures, for all tests that go through REST

# A deadline per example measures the machine, not the code.
settings.register_profile("kept", deadline=None)
settings.load_profile("kept")

# Where coverage follows greenlets, each thread has one. When a thread ends, a pending call drops it, and what coverage
# does then is Python code; when another thread ends meanwhile, Python 3.11 spins for ever in front of that code. A
# greenlet that is kept is not dropped, unless greenlet takes the one who keeps it for a leak.
greenlet._greenlet.enable_optional_cleanup(False)  # noqa: FBT003 - its only argument
_kept: list[object] = []
_begin_thread = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]


def _keep_greenlet(thread: threading.Thread) -> None:
    _kept.append(greenlet.getcurrent())
    _begin_thread(thread)


threading.Thread._bootstrap_inner = _keep_greenlet  # type: ignore[attr-defined]

Need = Callable[[object, str], None]


def _need(condition: object, what_to_install: str) -> None:
    if condition:
        return
    if os.environ.get("KEPT_NO_SKIP") == "1":
        pytest.fail(f"needed here: {what_to_install}")
    pytest.skip(what_to_install)


@pytest.fixture(scope="session")
def need() -> Need:
    """Skip unless the condition holds, saying what to install."""
    return _need


@pytest.fixture(scope="session")
def shared_data(need: Need) -> Path:
    """Folder of published vectors and collected files, which lies beside the repository."""
    data = Path(__file__).resolve().parents[2] / "shared" / "data"
    need(data.is_dir(), f"published vectors belong in {data}")
    return data
