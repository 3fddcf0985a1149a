"""Making a home: folders, keys, service keys, an empty file and its journal."""

import os
import re
import secrets
from pathlib import Path

import msgpack
import pyrage

from crm.keeper import policy
from crm.keeper.home import Home
from crm.keeper.keys import Keyring
from crm.keeper.tables import TABLES
from crm.kit import journal, note
from crm.kit.files import sync_folder, write_secret
from crm.kit.sealing import KEY_BYTES, check_value, stretch
from crm.kit.store import Refuse, connect, new_segment

ORIGIN = re.compile(r"(https?)://([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[1-9][0-9]{0,4})?")
PRINCIPALS = ("web", "sender", "inbound", "approve", "admin")


def make_root(folder: Path, passphrase: str | None) -> bytes:
    """Make the root key: random in a file, or stretched from a passphrase (only its salt and check are kept)."""
    if passphrase is None:
        root = secrets.token_bytes(KEY_BYTES)
        write_secret(folder / "root.key", b"key " + root.hex().encode())
        return root
    salt = secrets.token_bytes(16)
    root = stretch(passphrase, salt)
    write_secret(folder / "root.key", f"scrypt {salt.hex()} {check_value(root)}".encode())
    return root


def make_folders(home: Home) -> None:
    """Make the folders: the keeper's own closed; sockets and service keys can be reached by name only."""
    for folder, mode in (
        (home.path, 0o711), (home.path / "keeper", 0o700), (home.keys, 0o700), (home.keys / "services", 0o700),
        (home.journal, 0o700), (home.run, 0o711), (home.path / "services", 0o711),
    ):  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(mode)


def init(
    home: Home,
    *,
    origin: str,
    second_factor: str,
    rp_id: str,
    origins: list[str],
    limits: dict[str, int],
    region: str,
    recovery: list[str],
    uids: dict[str, int],
    passphrase: str | None,
) -> None:
    """Make a home. The keeper's file appears last: a crash leaves no half a home, and init can be run again.

    Raises:
        Refuse: there is a home here already, or a setting is not one.
    """
    if home.file.exists():
        raise Refuse("there is a home here already")
    if set(limits) - set(policy.BUDGETS) or any(value < 1 for value in limits.values()):
        raise Refuse("a budget is one of " + ", ".join(policy.BUDGETS) + ", and at least 1")
    if not origins or not all(is_origin(one, rp_id) for one in origins):
        raise Refuse(
            "a web origin is https://HOST[:PORT] with the rp id, or a name below it, as host (or http://localhost)"
        )
    try:
        for recipient in recovery:
            pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError as error:
        raise Refuse("a recovery recipient is an age public key (age1...), as age-keygen prints it") from error
    make_folders(home)
    tenant = secrets.token_hex(16)
    root = make_root(home.keys, passphrase)
    for key_name in (*Keyring.STANDING, "epoch-1"):
        Keyring.store(home.keys, root, tenant, key_name, secrets.token_bytes(KEY_BYTES))
    make_services(home, uids)
    write_secret(home.keys / "recovery.txt", "\n".join(recovery).encode())
    ring = Keyring(home.keys, root, tenant)
    ring.escrow(ring.epoch)
    write_vkey(home, note.Signer(origin, ring.log).vkey)
    site = {"rp_id": rp_id, "origins": origins}
    settings = {"second_factor": second_factor, "limits": limits, "region": region, **site}
    meta = {"format": "1", "origin": origin, "tenant": tenant, "settings": msgpack.packb(settings)}
    create(home, meta)


def is_origin(text: str, rp_id: str) -> bool:
    """Tell whether browsers use passkeys of ``rp_id`` on pages of this origin, spelt as they spell it."""
    found = ORIGIN.fullmatch(text)
    if found is None or (found[1] == "http" and found[2] != "localhost"):
        return False
    return f".{found[2]}".endswith(f".{rp_id}")


def create(home: Home, meta: dict[str, object]) -> None:
    """Make an empty file and its first journal segment; the file appears last, so half a home is none."""
    head = new_segment(home.journal, 0, 0, journal.START)
    temporary = home.file.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    forget_wal(temporary)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL, 0o600))
    db = connect(temporary)
    db.executescript(TABLES.create)
    for key, value in {**meta, "head": msgpack.packb(list(head))}.items():
        db.execute(TABLES.changes["meta"], (key, value))
    db.close()
    forget_wal(home.file)
    temporary.replace(home.file)
    sync_folder(home.file.parent)


def forget_wal(file: Path) -> None:
    """Remove, durably, what a lost file left beside it: SQLite would lay those pages over the one that comes."""
    for ending in ("-wal", "-shm"):
        Path(f"{file}{ending}").unlink(missing_ok=True)
    sync_folder(file.parent)


def make_services(home: Home, uids: dict[str, int]) -> None:
    """Make the service keys, each twice: the process's own, and the keeper's copy with the account it belongs to."""
    for name in PRINCIPALS:
        key = secrets.token_bytes(32).hex()
        write_secret(home.keys / "services" / f"{name}.key", f"{key} {uids.get(name, os.geteuid())}".encode())
        write_secret(home.path / "services" / f"{name}.key", key.encode())


def write_vkey(home: Home, vkey: str) -> None:
    """Write the key that auditors pin where anybody can read it."""
    path = home.path / "log.vkey"
    path.write_text(vkey + "\n")
    path.chmod(0o644)
