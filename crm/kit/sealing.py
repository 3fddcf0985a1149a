"""Wrapping keys and sealing records: AES-256-GCM with the full address of what is sealed as associated data.

Pure: keys come in and nothing is kept. Every encryption draws a random 96-bit nonce, which stands before the
ciphertext. A key seals the records of one person: thousands, where NIST SP 800-38D (section 8.3) allows 2**32.
"""

import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crm.kit.canonical import lengths

KEY_BYTES = 32
NONCE_BYTES = 12


class KeyFault(Exception):
    """A key is missing, or does not open what it should."""


def wrap(key: bytes, secret: bytes, *address: bytes) -> bytes:
    """Encrypt a key under another; the address must be given again to unwrap."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, lengths(b"kept/wrap/1", *address))


def unwrap(key: bytes, wrapped: bytes, *address: bytes) -> bytes:
    """Undo `wrap`; `KeyFault` for another key, another address, or changed bytes."""
    return _open(AESGCM(key), wrapped, lengths(b"kept/wrap/1", *address), "a wrapped key does not open")


@dataclass(slots=True, repr=False)
class Seal:
    """The cipher of one owner of records, and the address of all it seals; made for as long as a call needs it."""

    cipher: AESGCM
    address: bytes

    @classmethod
    def of(cls, key: bytes, *owner: bytes) -> "Seal":
        """Return the seal of one owner, whose key serves for nothing else."""
        return cls(AESGCM(key), lengths(b"kept/seal/2", *owner))

    def seal(self, name: str, version: int, packed: bytes) -> bytes:
        """Encrypt MessagePack, bound to its place: a name and version."""
        nonce, place = os.urandom(NONCE_BYTES), self.address + f"{name}/{version}".encode()
        return nonce + self.cipher.encrypt(nonce, packed, place)

    def unseal(self, name: str, version: int, sealed: bytes) -> bytes:
        """Undo `seal`; `KeyFault` for another owner, another place, or changed bytes."""
        place = self.address + f"{name}/{version}".encode()
        return _open(self.cipher, sealed, place, "a record does not open in this place")


def _open(cipher: AESGCM, sealed: bytes, place: bytes, fault: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as error:
        raise KeyFault(fault) from error


def stretch(passphrase: str, salt: bytes) -> bytes:
    """Return the key of a passphrase (scrypt, about 0.4 s)."""
    return Scrypt(salt=salt, length=KEY_BYTES, n=2**17, r=8, p=1).derive(passphrase.encode())


def check_value(root: bytes) -> str:
    """Return what tells that a key is the one it was, without telling the key."""
    return hashlib.sha256(b"kept/root/check" + root).hexdigest()
