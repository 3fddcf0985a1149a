"""Homes on this machine, and a way to be a plain user when the tests run as root."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm.host import home as homes
from crm.host.home import Home

PROJECT = Path(__file__).resolve().parents[2]
ODD = "Kundenbüro mit Leerzeichen, Ümlauten & 'Anführung'"
AsPlainUser = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account can walk to, as /var/lib is; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="kept-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def home(folder: Path) -> Home:
    """An empty home."""
    return homes.prepare(folder / "home")


@pytest.fixture
def odd_root(folder: Path) -> Path:
    """A home's path with blanks, umlauts, quotes, a closed parent, and well over 120 characters."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    return closed / ODD / ("ä" * 60) / ("long" * 20)


@pytest.fixture
def as_plain_user(folder: Path) -> Iterator[AsPlainUser]:
    """Start ``tests.host.plain`` as an account that is not root, whoever runs the tests."""
    started: list[subprocess.Popen[str]] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")

    def start(*words: str) -> "subprocess.Popen[str]":
        account = ["--account", "nobody", "--show", str(folder)] if os.geteuid() == 0 else []
        line = [sys.executable, "-m", "crm.host.enter", *account, "--with-parent", "TERM", "--", "tests.host.plain"]
        environ = os.environ | {"PYTHONPATH": str(PROJECT)}
        process = subprocess.Popen(
            [*line, *words], env=environ, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)
