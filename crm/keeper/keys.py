"""Keys: what wraps what.

root (a file of mode 0600, or a passphrase) -> epoch key, log, index and session keys (files) -> one key per
subject (in the store, wrapped), random and never derived: a derived key cannot be destroyed. Nothing here is
ever on the journal's volume, and no key leaves the process.
"""

import hashlib
import os
import secrets
from pathlib import Path

import msgpack
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crm.kit.files import destroy, read_secret, write_secret
from crm.kit.sealing import KEY_BYTES, KeyFault, Seal, check_value, stretch, unwrap, wrap


def read_root(folder: Path, passphrase: str | None) -> bytes:
    """Read or stretch the root key; ``KeyFault`` without a passphrase where one is needed, or with a wrong one."""
    kind, *parts = read_secret(folder / "root.key").decode().split()
    if kind == "key":
        return bytes.fromhex(parts[0])
    if passphrase is None:
        raise KeyFault("the root key is a passphrase: start the keeper with --passphrase-stdin")
    root = stretch(passphrase, bytes.fromhex(parts[0]))
    if check_value(root) != parts[1]:
        raise KeyFault("the passphrase is not the one this home was made with")
    return root


class Keyring:
    """The keys of one home, opened once at start; ``epoch`` is the number new keys are wrapped under."""

    STANDING = ("log", "index", "session")

    def __init__(self, folder: Path, root: bytes, tenant: str) -> None:
        self._folder = folder
        self._root = root
        self._tenant = tenant.encode()
        numbers = sorted(int(path.stem.removeprefix("epoch-")) for path in folder.glob("epoch-*.key"))
        if not numbers:
            raise KeyFault("no epoch key: restore it from escrow")
        self._epochs = {number: self._read(f"epoch-{number}") for number in numbers}
        self.epoch = numbers[-1]
        self.log = Ed25519PrivateKey.from_private_bytes(self._read("log"))
        self._index = self._read("index")
        self._session = self._read("session")

    @staticmethod
    def store(folder: Path, root: bytes, tenant: str, name: str, key: bytes) -> None:
        """Keep one key as a file, wrapped under the root."""
        write_secret(folder / f"{name}.key", wrap(root, key, tenant.encode(), name.encode()))

    def _read(self, name: str) -> bytes:
        return unwrap(self._root, read_secret(self._folder / f"{name}.key"), self._tenant, name.encode())

    # Epochs

    def new_epoch(self) -> int:
        """Make the next epoch's escrow, then its key; both are on disk on return, nothing uses them yet."""
        number = self.epoch + 1
        key = self._epochs[number] = secrets.token_bytes(KEY_BYTES)
        self.escrow(number)
        self.store(self._folder, self._root, self._tenant.decode(), f"epoch-{number}", key)
        self.epoch = number
        return number

    def destroy_epochs_before(self, number: int) -> None:
        """Overwrite and remove older epoch keys, and what a crash left of one; what only they open is gone here."""
        for path in list(self._folder.glob("epoch-*.key*")):
            if int(path.name.partition(".")[0].removeprefix("epoch-")) < number:
                destroy(path)
        self._epochs = {epoch: key for epoch, key in self._epochs.items() if epoch >= number}

    def escrow(self, number: int) -> None:
        """Encrypt what a recovery needs (an epoch's key and the standing keys) for the recipients, if there are any."""
        listed = self._folder / "recovery.txt"
        if lines := listed.read_text().split() if listed.exists() else []:
            held = {name: self._read(name) for name in self.STANDING} | {f"epoch-{number}": self._epochs[number]}
            recipients = [pyrage.x25519.Recipient.from_str(line) for line in lines]
            (self._folder / "escrow").mkdir(mode=0o700, exist_ok=True)
            write_secret(self._folder / f"escrow/epoch-{number}.age", pyrage.encrypt(msgpack.packb(held), recipients))

    # Keys in the store

    def wrap(self, key: bytes, *address: bytes) -> bytes:
        """Wrap a key under the current epoch, whose number stands before it."""
        number = self.epoch.to_bytes(4)
        return number + wrap(self._epochs[self.epoch], key, self._tenant, number, *address)

    def unwrap(self, wrapped: bytes, *address: bytes) -> bytes:
        """Undo ``wrap``; ``KeyFault`` when the epoch's key is destroyed or the bytes are not of this address."""
        number = int.from_bytes(wrapped[:4])
        if number not in self._epochs:
            raise KeyFault("the epoch key of this record was destroyed")
        return unwrap(self._epochs[number], wrapped[4:], self._tenant, wrapped[:4], *address)

    def rewrap(self, wrapped: bytes, *address: bytes) -> bytes:
        """Wrap a key again, under the current epoch."""
        return self.wrap(self.unwrap(wrapped, *address), *address)

    def new_subject(self, subject: str) -> tuple[Seal, bytes]:
        """Make a subject's key, and its wrapping under the current epoch."""
        key, address = os.urandom(KEY_BYTES), subject.encode()
        return Seal.of(key, self._tenant, address), self.wrap(key, b"subject", address)

    def subject(self, subject: str, wrapped: bytes) -> Seal:
        """Unwrap a subject's key; ``KeyFault`` when it is another's or its epoch's key is destroyed."""
        address = subject.encode()
        return Seal.of(self.unwrap(wrapped, b"subject", address), self._tenant, address)

    # What stands for a value

    def fingerprint(self, kind: str, value: str) -> bytes:
        """Return 16 bytes that stand for a normalised e-mail or phone, keyed so that nobody else can make them."""
        keyed = hashlib.blake2b(value.encode(), key=self._index, person=kind.encode()[:16], digest_size=16)
        return keyed.digest()

    def token_hash(self, token: str) -> bytes:
        """Return what is stored of a session token or one-time code."""
        return hashlib.blake2b(token.encode(), key=self._session, digest_size=32).digest()
