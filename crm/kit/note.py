"""Signed notes (C2SP signed-note v1.0.0) with Ed25519 keys, and checkpoints (C2SP tlog-checkpoint v1.0.0).

The writing side; `signed` reads. Ed25519 signs one text in one way (RFC 8032), so whoever has the key checks a
note by signing again.
"""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4
_NAME = re.compile(r"[^\s+]+")  # \s is every Unicode blank, line ends included
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ValueError):
    """Not a note, not one signed by a key that is known, or not a checkpoint."""


def check_name(name: str) -> str:
    """Return a key's name; `NoteError` when it is none."""
    if not _NAME.fullmatch(name) or CONTROL.search(name):
        raise NoteError("not a key name: empty, a blank or a plus sign")
    return name


def make_key_id(name: str, key: bytes) -> bytes:
    """Return the four bytes that tell the key of a name."""
    return sha256(name.encode() + b"\n" + ED25519 + key).digest()[:KEY_ID_BYTES]


class Signer:
    """A private key and the name it signs under; a log's name is its origin."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        """Take a key; a name with a blank or a plus sign is a `NoteError`."""
        self.name = check_name(name)
        self._key = key
        public = key.public_key().public_bytes_raw()
        self.key_id = make_key_id(name, public)
        self.vkey = f"{name}+{self.key_id.hex()}+{b64encode(ED25519 + public).decode()}"

    def sign(self, text: str) -> str:
        """Sign the text of a note; the answer is one signature line with its line end."""
        signature = self._key.sign(text.encode())
        return f"\N{EM DASH} {self.name} {b64encode(self.key_id + signature).decode()}\n"


def sign_note(text: str, *signers: Signer) -> str:
    """Print a text, a blank line, and one line a signer; `NoteError` for what is no text of whole lines, or nobody."""
    if not signers or not text.endswith("\n") or CONTROL.search(text):
        raise NoteError("not a text that can be signed")
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Print what a log signs: its name, how many entries it has, and the root over them; no extension lines."""
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"
