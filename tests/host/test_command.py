"""The ``kept`` command: what it starts, what it asks of a running keeper, and what it says when that fails."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crm import cli
from crm.host import accounts, web, worker
from crm.host import home as homes
from crm.host.postgres import Postgres
from crm.host.roles import password_in
from tests.host.conftest import PROJECT
from tests.host.product import serving


def _kept(*words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess:
    line = [sys.executable, "-m", "crm.cli", *words]
    given = os.environ | {"PYTHONPATH": str(PROJECT)} | environ
    return subprocess.run(line, cwd=PROJECT, env=given, input=stdin, capture_output=True, text=True, check=False)


@contextmanager
def _running(*words: str, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    line = [sys.executable, "-u", "-m", "crm.cli", *words]
    given = os.environ | {"PYTHONPATH": str(PROJECT)} | environ
    process = subprocess.Popen(
        line, cwd=PROJECT, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _line(process: "subprocess.Popen[str]", part: str) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if part in line:
            return line
    raise AssertionError("".join(said))


def test_keeper_is_asked_for_backup_and_rotation(folder: Path) -> None:
    home = str(folder / "home")
    with serving(Path(home)) as product:
        product.until("open")
        backup = _kept("keeper", "backup", "--home", home)
        assert backup.returncode == 0, backup.stderr
        assert Path(backup.stdout.rpartition(" (")[0]).exists()
        rotated = _kept("keys", "rotate", "--home", home)
        assert rotated.returncode == 0, rotated.stderr
        assert "0 keys wrapped anew" in rotated.stdout
        key = _kept("log", "key", "--home", home)
        assert key.returncode == 0, key.stderr
        bad = _kept("people", "add", "--home", home, "--name", "Eve", "--role", "staff")
        assert bad.returncode == 1
        assert "first admin" in bad.stderr


def test_keeper_that_is_not_there_is_said(folder: Path) -> None:
    for words in (("keys", "rotate"), ("keeper", "backup"), ("people", "add", "--name", "Ada", "--role", "admin")):
        done = _kept(*words, "--home", str(folder))
        assert done.returncode == 1
        assert "does not answer" in done.stderr
    missing = _kept("keys", "rotate", "--home", str(folder / ("gone" * 30) / "gone"))
    assert missing.returncode == 1


def test_processes_refuse_to_start_without_what_they_need(folder: Path) -> None:
    assert _kept("web", "--home", str(folder)).returncode == os.EX_USAGE
    assert _kept("install", "--home", str(folder)).returncode == 2
    assert _kept("install", "--home", str(folder), DATABASE_URL="mysql://x").returncode == 2
    nobody = _kept("install", "--home", str(folder / "home"), DATABASE_URL="postgresql://x@127.0.0.1:1/postgres")
    assert nobody.returncode == os.EX_UNAVAILABLE
    assert "kept install:" in nobody.stderr
    assert _kept("serve", "--home", "/dev/null").returncode == os.EX_UNAVAILABLE
    serve = _kept("serve", "--home", str(folder / "home"), DATABASE_URL="mysql://x")
    assert serve.returncode == os.EX_UNAVAILABLE
    assert "postgresql://" in serve.stderr
    assert _kept("keeper", "run", "--home", str(folder / "none")).returncode != 0
    assert _kept("worker", "--role", "other", "--home", str(folder)).returncode == 2


def test_installed_home_is_run_by_somebody_else(folder: Path) -> None:
    """As compose and systemd do it: install, then each process by its own command, in its own account."""
    root = folder / "home"
    home = homes.prepare(root)
    server = Postgres(home)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.start())
    try:
        password = folder / "password"
        password.write_text(str(password_in(home.dsn_file("kept_super"))))
        words = ["--postgres", server.host, "--password-file", str(password)]
        for _ in range(2):
            done = _kept("install", "--home", str(root), *words)
            assert done.returncode == 0, done.stderr
        with _running_as("keeper", home, "keeper", "run") as keeper:
            _line(keeper, "ready")
            with _running_as("web", home, "web", "--listen", "127.0.0.1:0") as process:
                _line(process, "ready")
            with _running_as("inbound", home, "worker", "--role", "inbound") as process:
                assert "keeper open" in _line(process, "inbound: keeper")
    finally:
        loop.run_until_complete(server.stop())
        loop.close()


@contextmanager
def _running_as(role: str, home: homes.Home, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command as systemd would: in the process's account, which the code is shown to."""
    account = accounts.of_role(role)
    entering = ["--account", account.name] if account else []
    line = [sys.executable, "-u", "-m", "crm.host.enter", *entering, "--", "tests.host.as_kept"]
    environ = os.environ | {"PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(
        [*line, *words, "--home", str(home.root)],
        cwd=PROJECT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


async def test_worker_says_what_the_keeper_says_and_ends_when_told(folder: Path) -> None:
    home = folder / "home"
    state = folder / "state"
    (home / "run").mkdir(parents=True)
    with _running("worker", "--role", "sender", "--home", str(home), "--state-file", str(state)) as process:
        assert "keeper-unavailable" in await asyncio.to_thread(_line, process, "sender: keeper")
        while not state.exists() or not state.read_text():
            await asyncio.sleep(0.01)
        assert state.read_text() == "keeper-unavailable"
    assert process.returncode == 0


def test_approve_is_a_process_of_its_own(folder: Path) -> None:
    with _running("approve", "--home", str(folder)) as process:
        assert "way out closed" in _line(process, "approve: keeper") or sys.platform != "linux"
    assert process.returncode == 0


def test_socket_is_found_as_systemd_hands_it_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    assert web._inherited() == 3
    monkeypatch.setenv("LISTEN_PID", "1")
    assert web._inherited() is None


def test_lists_of_workers_agree() -> None:
    assert {*cli.Role, "approve"} == set(worker.ROLES)


def test_help_names_every_command() -> None:
    text = CliRunner().invoke(cli.app, ["--help"]).output
    for name in ("serve", "web", "approve", "worker", "keeper", "import", "install", "log", "people", "keys"):
        assert name in text
