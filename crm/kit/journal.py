"""Framing of the keeper's journal, shared by the keeper, which writes it, and the verifier, which reads it.

A segment is ``MAGIC``, the 32-byte chain value it starts from, then records: 4-byte big-endian length,
32-byte chain value, payload; chain = SHA-256(previous chain || payload). Each record is a group of log
entries with the changes that belong to them, so a segment can neither lose a record in the middle nor
have one replaced. Payload: MessagePack ``[seq, first_index, [entry, ...], [[op, ...], ...], checkpoint]``.
"""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAGIC = b"KEPTJ1\n"
HEADER_SIZE = len(MAGIC) + 32
START = bytes(32)


class Broken(ValueError):
    """The journal was changed: no crash of ours leaves it so."""


class Torn(ValueError):
    """The last record is incomplete, as a crash while writing leaves it; ``offset`` is where the whole part ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"record at byte {offset} is incomplete")
        self.offset = offset


class Record(NamedTuple):
    """One record: the offset behind it, its chain value, its payload."""

    end: int
    chain: bytes
    payload: bytes


def header(chain: bytes) -> bytes:
    """Return the head of a segment that continues from ``chain``."""
    return MAGIC + chain


def read_header(stream: BinaryIO) -> bytes:
    """Return the chain value a segment starts from; `Broken` when it is none."""
    head = stream.read(HEADER_SIZE)
    if len(head) != HEADER_SIZE or not head.startswith(MAGIC):
        raise Broken("not a journal segment")
    return head[len(MAGIC) :]


def frame(chain: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """Return the bytes of a record behind ``chain``, and the new chain value."""
    chain = hashlib.sha256(chain + payload).digest()
    return len(payload).to_bytes(4) + chain + payload, chain


def records(stream: BinaryIO, offset: int, chain: bytes) -> Iterator[Record]:
    """Yield the records from ``offset``, where ``chain`` is the value in force, to the end.

    Then `Torn` when the end is incomplete; `Broken` for one that does not continue the chain although more follows.
    """
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(offset)
    while offset < size:
        head = stream.read(36)
        length = int.from_bytes(head[:4])
        end = offset + 36 + length
        if len(head) < 36 or end > size:  # noqa: PLR2004 - length and chain
            raise Torn(offset)
        payload = stream.read(length)
        chain = hashlib.sha256(chain + payload).digest()
        if chain != head[4:]:
            # A file system may have grown the file without its data: zeros to the end are a torn write too.
            if end == size or not (any(head) or any(payload) or any(stream.read())):
                raise Torn(offset)
            raise Broken(f"record at byte {offset} does not continue the chain")
        yield Record(end, chain, payload)
        offset = end
