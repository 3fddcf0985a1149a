"""Reading signed notes: verifier keys, signatures, checkpoints. `note` writes them; the keeper needs no more.

Co-signatures of witnesses (C2SP tlog-cosignature, key type 0x04) are lines like any other: who does not know
the key passes over them.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crm.kit.merkle import HASH_BYTES
from crm.kit.note import CONTROL, ED25519, KEY_ID_BYTES, NoteError, check_name, checkpoint_text, make_key_id

_ED25519_BYTES: Final = 32
_MAX_BYTES: Final = 1_000_000
_MAX_SIGNATURES: Final = 100
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


def strict_b64decode(text: str) -> bytes:
    """Decode base64 that has one spelling only: padded, no blanks, no stray bits at the end.

    Raises:
        ValueError: it is spelt otherwise.
    """
    data = b64decode(text, validate=True)
    if b64encode(data).decode() != text:
        raise ValueError("base64 spelt otherwise")
    return data


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log signs: its name, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Print the three lines."""
        return checkpoint_text(self.origin, self.size, self.root)


class Verifier:
    """A public key and the name it stands for."""

    def __init__(self, name: str, key: bytes) -> None:
        """Take 32 bytes of an Ed25519 public key."""
        self.name = check_name(name)
        self.key_id = make_key_id(name, key)
        self._key = Ed25519PublicKey.from_public_bytes(key)

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read `name+hex id+base64 key`.

        Raises:
            NoteError: another form, another kind of key, or an id that is not that of name and key.
        """
        try:
            name, key_id, encoded = vkey.split("+", 2)
            data = strict_b64decode(encoded)
            if data[:1] != ED25519 or len(data) != 1 + _ED25519_BYTES:
                raise NoteError("not an Ed25519 key")
            verifier = cls(name, data[1:])
        except ValueError as error:
            raise NoteError(f"not a verifier key: {error}") from error
        if verifier.key_id.hex() != key_id:
            raise NoteError("not a verifier key: the id belongs to another name or key")
        return verifier

    def verify(self, text: str, signature: bytes) -> bool:
        """Tell whether this key signed this text."""
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def open_note(note: str, verifiers: Iterable[Verifier]) -> tuple[str, list[str]]:
    """Give the text of a note and the names of the known keys that signed it, in the order of the lines.

    Signatures by unknown keys are passed over, as the format asks.

    Raises:
        NoteError: malformed, a known key's signature does not fit, or none is by a known key.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    head, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n") or len(note) > _MAX_BYTES or CONTROL.search(note):
        raise NoteError("not a note")
    text = head + "\n"
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise NoteError("too many signatures")
    names = []
    for line in lines:
        name, key_id, signature = _parse_signature(line)
        verifier = known.pop((name, key_id), None)
        if verifier is None:
            continue
        if not verifier.verify(text, signature):
            raise NoteError(f"the signature by {name} does not fit")
        names.append(name)
    if not names:
        raise NoteError("no signature by a known key")
    return text, names


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    try:
        dash, name, encoded = line.split(" ")
        data = strict_b64decode(encoded)
    except ValueError as error:
        raise NoteError("not a signature line") from error
    if dash != "\N{EM DASH}" or len(data) <= KEY_ID_BYTES:
        raise NoteError("not a signature line")
    check_name(name)
    return name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:]


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint note.

    Raises:
        NoteError: `checkpoint_text` would not print it so.
    """
    try:
        origin, size, root, end = text.split("\n")
        digest = strict_b64decode(root)
    except ValueError as error:
        raise NoteError("not a checkpoint of three lines") from error
    if end or not _SIZE.fullmatch(size) or len(digest) != HASH_BYTES:
        raise NoteError("not a checkpoint: size or root malformed")
    return Checkpoint(check_name(origin), int(size), digest)
