"""The way back: a snapshot and the journal, which must end exactly at the last checkpoint; or with loss.

With loss means that the journal is gone: what came after the snapshot is missing and cannot be told. Two
people who could sign in must agree, and a new log begins, under a new origin, with an entry that names the
old log's last known size and root.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import msgpack
import pyrage
from passlib.hash import argon2

from crm.keeper import policy
from crm.keeper.home import Home
from crm.keeper.keys import Keyring
from crm.keeper.tables import TABLES
from crm.kit import clock, journal, merkle, note, signed
from crm.kit.clock import Clock
from crm.kit.files import file_hash, sync_folder, write_secret
from crm.kit.signed import Checkpoint
from crm.kit.store import Group, Head, Refuse, connect, new_segment
from crm.recovery.make import forget_wal, make_folders, make_root, make_services, write_vkey

RESTORERS = frozenset({"admin", "auditor", "privacy"})


def recover_keys(
    home: Home, escrow: Path, identity: str, tenant: str, *, uids: dict[str, int], passphrase: str | None
) -> None:
    """Open an escrow with one recovery identity and make keys and service keys anew under a new root.

    Raises:
        Refuse: the identity does not open it, or there are keys here already.
    """
    if (home.keys / "root.key").exists():
        raise Refuse("there are keys here already")
    try:
        held = msgpack.unpackb(pyrage.decrypt(escrow.read_bytes(), [pyrage.x25519.Identity.from_str(identity)]))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
        raise Refuse("this identity does not open this escrow") from error
    make_folders(home)
    root = make_root(home.keys, passphrase)
    make_services(home, uids)
    write_secret(home.keys / "recovery.txt", b"")
    for name, key in held.items():
        Keyring.store(home.keys, root, tenant, name, key)


class Cut(NamedTuple):
    """What stands at the journal's end and is no whole record: where it is kept, and its bytes."""

    kept: Path
    content: bytes


def read_known(path: Path, vkey: str) -> Checkpoint:
    """Read a checkpoint that somebody kept.

    Raises:
        Refuse: there is none, or not one that this log's key signed.
    """
    try:
        text, _ = signed.open_note(path.read_text(), [signed.Verifier.parse(vkey)])
        return signed.parse_checkpoint(text)
    except (OSError, ValueError) as error:
        raise Refuse("the last known checkpoint is missing or not signed by this log's key") from error


def check(home: Home, snapshot: Path, vkey: str, known: Checkpoint | None, *, with_loss: bool) -> Cut | None:
    """Check snapshot and journal before anything is written; returns what of the journal has to be cut off.

    A crash leaves an incomplete end, and so does who takes away the newest entries. Only a checkpoint that was
    kept elsewhere tells one from the other.

    Raises:
        Refuse: there is a keeper's file here; the snapshot is not what was signed; the journal's end is
            incomplete or changed and nobody knows where it was; the log is not the one of the last known checkpoint.
    """
    if home.file.exists():
        raise Refuse("there is a keeper's file here already: move it away first")
    if with_loss and any(home.journal.glob("*.kj")):
        raise Refuse("there is a journal here: restore without loss, or move it away first")
    try:
        text, _ = signed.open_note(snapshot.with_suffix(".note").read_text(), [signed.Verifier.parse(vkey)])
    except (OSError, note.NoteError) as error:
        raise Refuse("the snapshot's note is missing or not signed by this log's key") from error
    if text.split("\n")[3] != file_hash(snapshot):
        raise Refuse("the snapshot is not the file its note was signed for")
    with closing(_read(snapshot)) as db:
        head = Head(*msgpack.unpackb(db.execute("SELECT value FROM meta WHERE key='head'").fetchone()[0]))
        leaves, cut = _behind(home.journal, head)
        if cut and not known:
            raise Refuse(
                "the journal's end is incomplete or was changed, and what is missing cannot be told: "
                "give the newest checkpoint anybody kept (--last-known)"
            )
        # With loss, what was known and is not there is what the new log's first entry says.
        if known and (not with_loss or known.size <= head.size):
            hashes = (row[0] for row in db.execute("SELECT hash FROM entry ORDER BY idx"))
            _must_hold(chain(hashes, leaves), known)
    return cut


def _behind(folder: Path, head: Head) -> tuple[list[bytes], Cut | None]:
    """Return the leaf hashes of what the journal holds behind a head, and what of it is no whole record."""
    leaves, cut = list[bytes](), None
    for path in [path for path in sorted(folder.glob("*.kj")) if path.name >= head.segment]:
        if cut:
            raise Refuse("a journal segment that others follow is incomplete or was changed")
        with path.open("rb") as stream:
            try:
                before, start = journal.read_header(stream), journal.HEADER_SIZE
                if path.name == head.segment:
                    before, start = head.chain, head.end
                for record in journal.records(stream, start, before):
                    leaves += map(merkle.leaf_hash, Group(*msgpack.unpackb(record.payload)).entries)
            except journal.Torn as torn:
                stream.seek(torn.offset)
                content = stream.read()
                # Named by what it holds: no other end that was cut off is ever written over.
                digest = hashlib.sha256(content).hexdigest()[:16]
                cut = Cut(path.with_name(f"{path.name}.cut-{digest}"), content)
            except (TypeError, ValueError) as error:
                raise Refuse("the journal was changed") from error
    return leaves, cut


def _must_hold(leaves: Iterable[bytes], known: Checkpoint) -> None:
    tree = merkle.Frontier()
    for leaf in islice(leaves, known.size):
        tree.append(leaf)
    if tree.size < known.size:
        raise Refuse(f"the log would end at {tree.size} entries, and the last known checkpoint has {known.size}")
    if tree.root() != known.root:
        raise Refuse("the log is not the one of the last known checkpoint")


def restore(home: Home, snapshot: Path, vkey: str, cut: Cut | None) -> None:
    """Put a checked snapshot in place; the next start applies the journal behind it and cuts off what is kept here."""
    make_folders(home)
    if cut:
        write_secret(cut.kept, cut.content)
    temporary = home.file.with_suffix(".restored")
    shutil.copyfile(snapshot, temporary)
    temporary.chmod(0o600)
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    forget_wal(home.file)
    temporary.replace(home.file)
    sync_folder(home.file.parent)
    write_vkey(home, vkey)


def tenant_of(snapshot: Path) -> str:
    """Return the tenant id a snapshot belongs to."""
    with closing(_read(snapshot)) as db:
        return str(db.execute("SELECT value FROM meta WHERE key='tenant'").fetchone()[0])


def _read(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)


def agree(home: Home, people: list[tuple[str, str]]) -> list[str]:
    """Check two people's passwords against the restored accounts; returns their ids.

    Raises:
        Refuse: not two different people who may decide this, or a wrong password.
    """
    db = connect(home.file)
    found = []
    try:
        for name, password in people:
            row = db.execute(
                "SELECT id, roles, password FROM staff WHERE name=? AND state='active'", (name,)
            ).fetchone()
            if row is None or not set(row[1].split(",")) & RESTORERS or not argon2.verify(password, row[2]):
                raise Refuse("a name or password does not fit, or this person may not decide it")
            found.append(row[0])
    finally:
        db.close()
    if len(set(found)) < 2:  # noqa: PLR2004 - two people
        raise Refuse("it takes two different people")
    return found


def begin_new_log(
    home: Home, signer_of: Keyring, agreed: list[str], last_known: Checkpoint | None
) -> dict[str, object]:
    """Start a new log on a restored file whose journal is lost; returns what its first entry says.

    Entries of the old log stay in the snapshot; the file keeps people, keys and accounts.
    """
    db = connect(home.file)
    try:
        meta = dict(db.execute("SELECT key, value FROM meta"))
        text, _ = signed.open_note(
            meta["checkpoint"], [signed.Verifier.parse(note.Signer(meta["origin"], signer_of.log).vkey)]
        )
        old = signed.parse_checkpoint(text)
        known = max(old, last_known or old, key=lambda one: one.size)
        origin = f"{old.origin.partition('+')[0]}+{hashlib.sha256(known.text().encode()).hexdigest()[:8]}".replace(
            "+", "/after-"
        )
        make_folders(home)
        head = new_segment(home.journal, 0, 0, journal.START)
        facts: dict[str, object] = {
            "act": "restored_with_loss", "old_origin": known.origin, "old_size": known.size,
            "old_root": known.root.hex(), "missing": max(0, known.size - old.size), "kept_until": old.size,
            "agreed": agreed, "at_restore": clock.rfc3339(Clock().wall_ms()), "policy": policy.digest(),
        }  # fmt: skip
        db.execute("BEGIN IMMEDIATE")
        # With the log go the sessions: some were ended since, and nobody can tell which.
        for table in ("entry", "node", "mention", "session"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        for key, value in {
            "origin": origin, "head": msgpack.packb(list(head)), "checkpoint": "", "first": msgpack.packb(facts),
        }.items():  # fmt: skip
            db.execute(TABLES.changes["meta"], (key, value))
        db.execute("COMMIT")
    finally:
        db.close()
    write_vkey(home, note.Signer(origin, signer_of.log).vkey)
    return facts
