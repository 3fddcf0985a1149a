"""The folder that holds everything: who owns what in it, and a name for it that every process can use.

    HOME/                 0711  root (0700 as a plain user)
    ├── keeper/ keys/     0700  kept-keeper
    ├── journal/ backups/ 0700  kept-keeper
    ├── run/              0711  kept-keeper    its sockets: who may speak is told by uid and service key
    ├── services/         0711  root           one file a process, 0600, owned by the account that reads it
    ├── postgres/         0711  root
    │   ├── data/ log/    0700  kept-postgres  (data is made by initdb, under another name until it is whole)
    │   ├── run/          0711  kept-postgres  its socket: who may speak is told by scram
    │   └── runtime/      0755  root           a copy of the programs, when the account cannot reach the wheel
    ├── log.vkey  demo-accounts.json (0600)  serve.lock

Two things stand in the way of using the folder's own name. A socket's path has room for some 100 bytes,
and postgresql.conf has its own idea of blanks and commas: a long or odd path gets a short alias. And an
account cannot walk through a parent of mode 0700, which is never widened: ``enter --show`` lays an open
folder over the closed one, in the mount namespace of that process alone, with nothing in it but the way.
"""

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from crm.host import accounts
from crm.host.accounts import Account

_PLAIN = re.compile(r"/[A-Za-z0-9/._-]{0,63}")
_ALIASES = 10
PRINCIPALS = ("web", "sender", "inbound", "approve", "admin")


class HomeRefused(Exception):
    """Raised when the folder cannot be used as a home; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """A home: ``root`` is where its owner put it, ``path`` a name for the same that fits into a socket's."""

    root: Path
    path: Path

    def show_arguments(self) -> list[str]:
        """Return what ``enter`` must be told so that a process finds the way here."""
        alias = ["--show", str(self.path.parent)] if self.path != self.root else []
        return ["--show", str(self.root), *alias]

    def dsn_file(self, role: str) -> Path:
        """Return the file with the connection string of one database role."""
        return self.root / "services" / f"{role}.dsn"

    def socket(self, principal: str) -> Path:
        """Return the keeper's socket for one principal."""
        return self.path / "run" / f"{principal}.sock"

    def service_key(self, principal: str) -> Path:
        """Return the file with one principal's service key."""
        return self.root / "services" / f"{principal}.key"


def default(*, demo: bool = False) -> Path:
    """Return the home that is used when none is named."""
    name = "kept-demo" if demo else "kept"
    if accounts.is_root():
        return Path("/var/lib") / name
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / name


def prepare(root: Path) -> Home:
    """Make the folders of a home with their owners and modes, and find the names to use it by.

    Nothing outside of the folder changes, parents least of all. What is there already keeps its content;
    owners and modes are put right.

    Raises:
        HomeRefused: the folder belongs to somebody else, or is no folder.
        AccountMissing: running as root, and an account could not be made.
    """
    root = Path(os.path.abspath(root.expanduser()))  # noqa: PTH100 - resolve() would follow the last link
    with contextlib.suppress(FileExistsError):
        root.mkdir(parents=True, mode=0o700)
    root = root.resolve()
    there = root.stat()
    if not stat.S_ISDIR(there.st_mode):
        raise HomeRefused(f"{root} is not a folder.")
    if there.st_uid != os.geteuid():
        raise HomeRefused(f"{root} belongs to another account.")
    keeper, postgres = accounts.of_role("keeper"), accounts.of_role("postgres")
    open_mode = 0o711 if keeper else 0o700
    root.chmod(open_mode)
    for name, owner, mode in (
        ("keeper", keeper, 0o700),
        ("keys", keeper, 0o700),
        ("journal", keeper, 0o700),
        ("backups", keeper, 0o700),
        ("run", keeper, open_mode),
        ("services", None, open_mode),
        ("postgres", None, open_mode),
        ("postgres/log", postgres, 0o700),
        ("postgres/run", postgres, open_mode),
    ):
        folder(root / name, owner, mode)
    return names_of(root)


def names_of(root: Path) -> Home:
    """Find the names of a home that exists; makes the alias when one is needed."""
    root = root.resolve()
    if _PLAIN.fullmatch(str(root)):
        return Home(root, root)
    path = _alias_folder(root) / "home"
    _point(path, root)
    return Home(root, path)


def folder(path: Path, owner: Account | None, mode: int) -> None:
    """Make a folder, or put owner and mode of the one that is there right."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    # Opened without following: a link planted by an account must not redirect what root changes.
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if owner is not None:
            os.fchown(handle, owner.uid, owner.gid)
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def write_for(path: Path, content: str, owner: Account | None) -> None:
    """Write a small secret so that it is whole or absent, 0600 and its reader's from the first byte."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            if owner is not None:
                os.fchown(file.fileno(), owner.uid, owner.gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _alias_folder(root: Path) -> Path:
    """Return a folder with a short name that belongs to this account alone, made when missing.

    Its name can be guessed, so somebody may have made it first: theirs is passed over.

    Raises:
        HomeRefused: every name is taken.
    """
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    mode = 0o711 if accounts.is_root() else 0o700
    for base in _bases():
        for number in range(_ALIASES):
            folder = base / (f"kept-{digest}" if number == 0 else f"kept-{digest}-{number}")
            try:
                with contextlib.suppress(FileExistsError):
                    folder.mkdir(mode=mode)
                if _is_safe(folder):
                    folder.chmod(mode)
                    return folder
            except OSError:
                break
    raise HomeRefused(f"{root} is too long a path for a socket, and no shorter name for it could be made.")


def _bases() -> list[Path]:
    if accounts.is_root():
        return [Path("/run"), Path("/tmp")]  # noqa: S108 - owner and mode are checked
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    safe = [Path(own)] if _PLAIN.fullmatch(own) and len(own) <= 32 else []  # noqa: PLR2004 - room for the rest
    return [*safe, Path("/tmp")]  # noqa: S108 - owner and mode are checked


def _is_safe(folder: Path) -> bool:
    there = folder.lstat()
    is_own_folder = stat.S_ISDIR(there.st_mode) and there.st_uid == os.geteuid()
    return is_own_folder and not there.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _point(link: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        if link.readlink() == target:
            return
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
