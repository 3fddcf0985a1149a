"""Accounts of the operating system: one for each process, when the launcher runs as root.

A plain user has no second account to give away; then every function here answers ``None`` and the
processes are separated by process, not by file rights.
"""

import os
import pwd
import subprocess
import time
from dataclasses import dataclass

from crm.config import ONE_ACCOUNT

PREFIX = "kept-"
ROLES = ("keeper", "web", "sender", "inbound", "approve", "postgres")
OWN_ACCOUNTS = "an account for each process"
# Another program may hold the lock of the account files for a moment.
_TRIES = 40
_PAUSE_S = 0.25


class AccountMissing(Exception):
    """Raised when an account does not exist and cannot be made; the message has the line to type."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine with a group of its own."""

    name: str
    uid: int
    gid: int


def is_root() -> bool:
    """Say whether this process may hand out accounts."""
    return os.geteuid() == 0


def find(name: str) -> Account | None:
    """Look an account up by its name."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def of_role(role: str) -> Account | None:
    """Return the account of one process, made when it is missing; ``None`` as a plain user.

    Raises:
        AccountMissing: there is no such account and ``useradd`` cannot make it.
    """
    if not is_root():
        return None
    name = PREFIX + role
    account = find(name)
    if account is None:
        _make(name)
        account = find(name)
    if account is None:
        raise AccountMissing(_line_to_type(name))
    return account


def _line_to_type(name: str) -> str:
    command = " ".join(_command(name))
    return f"The account {name} is missing and could not be made. Type: {command}"


def _command(name: str) -> list[str]:
    return [
        "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
        "--shell", "/usr/sbin/nologin", name,
    ]  # fmt: skip


def _make(name: str) -> None:
    """Run useradd until the account is there, whoever made it."""
    for _ in range(_TRIES):
        try:
            done = subprocess.run(_command(name), capture_output=True, check=False)  # noqa: S603 - fixed words
        except FileNotFoundError as error:
            raise AccountMissing(_line_to_type(name)) from error
        if done.returncode == 0 or find(name) is not None:
            return
        time.sleep(_PAUSE_S)


def isolation() -> str:
    """Say in one sentence how the processes are kept apart."""
    return OWN_ACCOUNTS if is_root() else ONE_ACCOUNT
