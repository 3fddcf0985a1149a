"""Wrapping keys and sealing records: AES-256-GCM with the full address of what is sealed as associated data.

Pure: keys come in and nothing is kept. A record is sealed under an HKDF-SHA256 subkey of its own, whose random
16-byte salt stands before the ciphertext; a subkey encrypts once, so its nonce is constant.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import Any

import msgpack
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crm.kit.canonical import lengths

KEY_BYTES = 32
SALT_BYTES = 16
_NONCE = bytes(12)
_SHA256 = hashes.SHA256()


class KeyFault(Exception):
    """A key is missing, or does not open what it should."""


def wrap(key: bytes, secret: bytes, *address: bytes) -> bytes:
    """Encrypt a key under another; the address must be given again to unwrap."""
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, secret, lengths(b"kept/wrap/1", *address))


def unwrap(key: bytes, wrapped: bytes, *address: bytes) -> bytes:
    """Undo `wrap`; `KeyFault` for another key, another address, or changed bytes."""
    try:
        return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], lengths(b"kept/wrap/1", *address))
    except (InvalidTag, ValueError) as error:
        raise KeyFault("a wrapped key does not open") from error


@dataclass(slots=True, repr=False)
class Seal:
    """A key for records, and the address of all it seals; made for as long as a call needs it."""

    key: bytes
    address: bytes

    @classmethod
    def of(cls, key: bytes, *owner: bytes) -> "Seal":
        """Return the seal of one owner of records."""
        return cls(key, lengths(b"kept/seal/1", *owner))

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(HKDFExpand(_SHA256, KEY_BYTES, b"kept/seal/1" + salt).derive(self.key))

    def _place(self, name: str, version: int) -> bytes:
        # What `lengths` would give, in a third of its time: a page of notes waits for one of these each.
        place = name.encode()
        return self.address + len(place).to_bytes(4) + place + b"\0\0\0\x08" + version.to_bytes(8)

    def seal(self, name: str, version: int, fields: dict[str, Any]) -> bytes:
        """Encrypt fields, bound to their place: a name and version."""
        salt = os.urandom(SALT_BYTES)
        return salt + self._cipher(salt).encrypt(_NONCE, msgpack.packb(fields), self._place(name, version))

    def unseal(self, name: str, version: int, sealed: bytes) -> bytes:
        """Undo `seal`, to MessagePack; `KeyFault` for another owner, another place, or changed bytes."""
        try:
            cipher = self._cipher(sealed[:SALT_BYTES])
            return cipher.decrypt(_NONCE, sealed[SALT_BYTES:], self._place(name, version))
        except (InvalidTag, ValueError) as error:
            raise KeyFault("a record does not open in this place") from error


def stretch(passphrase: str, salt: bytes) -> bytes:
    """Return the key of a passphrase (scrypt, about 0.4 s)."""
    return Scrypt(salt=salt, length=KEY_BYTES, n=2**17, r=8, p=1).derive(passphrase.encode())


def check_value(root: bytes) -> str:
    """Return what tells that a key is the one it was, without telling the key."""
    return hashlib.sha256(b"kept/root/check" + root).hexdigest()
