"""Make the keeper's part of a home, and hand it over to the accounts that use it."""

import asyncio
import os
import socket
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from crm.host import accounts
from crm.host import home as homes
from crm.host.accounts import Account
from crm.host.child import Child, environment
from crm.host.home import PRINCIPALS, Home

_FOLDERS = ("keys", "journal", "keeper")
_FILE = Path("keeper") / "keeper.db"


class KeeperRefused(Exception):
    """Raised when the keeper does not make a home; the message has its own words."""


def default_origin() -> str:
    """Return the log's name when none is given: this machine's."""
    return f"{socket.gethostname()}/kept"


async def ensure(
    home: Home,
    *,
    origin: str,
    is_second_factor_required: bool,
    journal: Path | None,
    recovery: Sequence[str] = (),
    sites: Sequence[str] = (),
    rp_id: str | None = None,
) -> bool:
    """Make the keeper's part when there is none, and say whether it was; the owners are right afterwards.

    ``sites`` are the origins of the pages on which passkeys of ``rp_id`` (the host of the first, unless it is given)
    are used; both stand for ever. ``recovery`` are age recipients: each can open the escrow of the keys. Without any,
    keys that are lost stay lost.

    Raises:
        KeeperRefused: it could not be made.
    """
    is_new = not (home.root / _FILE).exists()
    if is_new:
        second_factor = "required" if is_second_factor_required else "optional"
        escrow = [part for recipient in recovery for part in ("--recovery", recipient)]
        given = [part for site in sites for part in ("--web-origin", site)]
        if named := rp_id or (urlsplit(sites[0]).hostname if sites else None):
            given += ["--rp-id", named]
        await _init(home, origin, second_factor, journal, [*escrow, *given])
        # The keeper alone would leave a plain user's home open to walk through.
        homes.prepare(home.root)
    hand_over(home, journal)
    return is_new


async def _init(home: Home, origin: str, second_factor: str, journal: Path | None, more: list[str]) -> None:
    uids = []
    for principal in PRINCIPALS:
        account = None if principal == "admin" else accounts.of_role(principal)
        if account is not None:
            uids += ["--uid", f"{principal}={account.uid}"]
    line = [
        sys.executable, "-m", "crm.recovery", "init", "--home", str(home.root), "--origin", origin,
        "--second-factor", second_factor, *uids, *more, *(["--journal", str(journal)] if journal else []),
    ]  # fmt: skip
    child = await Child.start(line, environ=environment(), quiet=True, stdout=asyncio.subprocess.DEVNULL)
    if await child.wait() != 0:
        raise KeeperRefused("\n".join(child.last_words) or "The keeper could not be initialised.")


def hand_over(home: Home, journal: Path | None) -> None:
    """Give what root made (a new home, a restored one) to the accounts; the keeper's file last.

    Only files that are still root's are touched, and none that has a second name: an account could have
    planted a link to something else.
    """
    keeper = accounts.of_role("keeper")
    if keeper is None or not _is_roots(home.root / _FILE):
        return
    for principal in PRINCIPALS:
        account = None if principal == "admin" else accounts.of_role(principal)
        if account is not None:
            _give(home.service_key(principal), account)
    for folder in (*([journal] if journal else []), *(home.root / name for name in _FOLDERS)):
        for path in (*_below(folder), folder):
            _give(path, keeper)


def _is_roots(path: Path) -> bool:
    try:
        return path.lstat().st_uid == 0
    except FileNotFoundError:
        return False


def _below(folder: Path) -> Iterator[Path]:
    for base, names, files in os.walk(folder, topdown=False):
        # The database before what belongs to it would end the work half done after a crash.
        for name in sorted([*names, *files], key=lambda name: name == _FILE.name):
            yield Path(base, name)


def _give(path: Path, owner: Account) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        there = os.fstat(handle)
        is_folder = stat.S_ISDIR(there.st_mode)
        if is_folder or (there.st_uid == 0 and there.st_nlink == 1):
            os.fchown(handle, owner.uid, owner.gid)
    finally:
        os.close(handle)
