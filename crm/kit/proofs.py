"""Reading a log: where its tiles lie, what is in bundles, entries and receipts, and whether a proof shows what it says.

The other side of `merkle`, `tiles` and `canonical`; the keeper, which only writes, needs none of it.
Checking follows RFC 9162 sections 2.1.3.2 and 2.1.4.2, which say exactly how long a proof must be: one hash more
or less is a refusal, whatever root it leads to.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import orjson

from crm.kit import canonical
from crm.kit.merkle import HASH_BYTES, WIDTH, Frontier, Subtree, node_hash, peaks
from crm.kit.signed import strict_b64decode

Level = int | Literal["entries"]

MAX_ENTRY_BYTES: Final = 0xFFFF
_MAX_LEVEL: Final = 63
_PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([0-9]{1,3}))?")

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


class ProofError(ValueError):
    """The proof does not show what it is said to show."""


def tile_path(level: Level, n: int, width: int = WIDTH) -> str:
    """Print where tile `n` of a level lies: `tile/0/x001/x234/067`, then `.p/17` if it is not full."""
    groups = f"{n % 1000:03}"
    while n := n // 1000:
        groups = f"x{n % 1000:03}/{groups}"
    return f"tile/{level}/{groups}" + ("" if width == WIDTH else f".p/{width}")


def parse_tile_path(path: str) -> tuple[Level, int, int]:
    """Read what `tile_path` prints: level, number, width.

    Raises:
        ValueError: `tile_path` would not print it so, or no tile has such a level or width.
    """
    match = _PATH.fullmatch(path)
    if match is not None:
        level: Level = "entries" if match[1] == "entries" else int(match[1])
        n = int(match[2].replace("x", "").replace("/", ""))
        width = int(match[3] or WIDTH)
        possible = (level == "entries" or level <= _MAX_LEVEL) and 1 <= width <= WIDTH
        if possible and tile_path(level, n, width) == path:
            return level, n, width
    raise ValueError("not the path of a tile")


def bundle(entries: Iterable[bytes]) -> bytes:
    """Put entries into one file, each after its length as u16be; `OverflowError` over 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(data: bytes) -> list[bytes]:
    """Take a bundle apart.

    Raises:
        ValueError: it ends within an entry.
    """
    entries = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data):
        raise ValueError("the bundle ends within an entry")
    return entries


def read_entry(data: bytes) -> Any:  # noqa: ANN401 - the caller checks the shape
    """Read what `canonical.encode` prints.

    Raises:
        ValueError: another order, blanks, a key twice, a fraction, or not UTF-8.
    """
    obj = orjson.loads(data)
    try:
        if canonical.encode(obj) == data:
            return obj
    except TypeError as error:
        raise ValueError("not canonical: a fraction, or nested too deep") from error
    raise ValueError("not canonical")


def proof_text(index: int, hashes: Iterable[bytes], note: str) -> str:
    """Print a receipt (C2SP tlog-proof v1): an entry's index, its inclusion proof, the checkpoint that leads to."""
    lines = [_PROOF_HEADER, f"index {index}", *(b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + "\n\n" + note


def parse_proof(text: str) -> tuple[int, list[bytes], str]:
    """Read what `proof_text` prints: index, hashes, note. The note is not opened here.

    Raises:
        ValueError: `proof_text` would not print it so; the optional `extra` line is not ours.
    """
    head, blank, note = text.partition("\n\n")
    lines: Sequence[str] = head.split("\n")
    match = _INDEX.fullmatch(lines[1]) if blank and len(lines) > 1 else None
    if match is None or lines[0] != _PROOF_HEADER:
        raise ValueError("not a receipt")
    hashes = [strict_b64decode(line) for line in lines[2:]]
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ValueError("a hash is not 32 bytes long")
    return int(match[1]), hashes, note


def range_hash(start: int, end: int, subtree: Subtree) -> bytes:
    """Hash the leaves [start, end) of a tree that divides there."""
    return Frontier(end - start, peaks(start, end, subtree)).root()


def _split(start: int, end: int) -> int:
    """Return where a tree over the leaves [start, end) divides: the largest power of two below its size."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves: PATH of RFC 6962 section 2.1.1.

    Raises:
        ProofError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError("no such leaf in a tree of this size")
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            proof.append(range_hash(middle, end, subtree))
            end = middle
        else:
            proof.append(range_hash(start, middle, subtree))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with that of `old`: PROOF of RFC 6962 section 2.1.2.

    Raises:
        ProofError: old is 0 (everything begins with nothing, so it proves nothing) or greater than new.
    """
    if not 0 < old <= new:
        raise ProofError("sizes out of order")
    proof = []
    start, end = 0, new
    while old != end:
        middle = _split(start, end)
        if old <= middle:
            proof.append(range_hash(middle, end, subtree))
            end = middle
        else:
            proof.append(range_hash(start, middle, subtree))
            start = middle
    if start:
        proof.append(range_hash(start, end, subtree))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` (its hash) stands at `index` under `root`.

    Raises:
        ProofError: it does not, or the proof has another length than such a proof has.
    """
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        raise ProofError("no such leaf in a tree of this size")
    inner = (index ^ (size - 1)).bit_length()
    _check_shape(proof, inner + (index >> inner).bit_count())
    for level, sibling in enumerate(proof):
        left = level >= inner or index >> level & 1
        leaf = node_hash(sibling, leaf) if left else node_hash(leaf, sibling)
    if leaf != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree under `new_root` begins with the tree under `old_root`.

    Raises:
        ProofError: it does not, the sizes are out of order, or the proof has the wrong length.
    """
    if not 0 < old <= new:
        raise ProofError("sizes out of order")
    if old == new:
        _check_shape(proof, 0)
        if old_root != new_root:
            raise ProofError("one size, two roots")
        return
    shift = (old & -old).bit_length() - 1
    last = (old - 1) >> shift
    inner = ((old - 1) ^ (new - 1)).bit_length() - shift
    # A perfect old tree is itself the seed; otherwise the proof brings it.
    perfect = old == 1 << shift
    _check_shape(proof, (not perfect) + inner + (last >> inner).bit_count())
    old_hash = new_hash = old_root if perfect else proof[0]
    for level, sibling in enumerate(proof if perfect else proof[1:]):
        if level >= inner or last >> level & 1:
            old_hash = node_hash(sibling, old_hash)
            new_hash = node_hash(sibling, new_hash)
        else:
            new_hash = node_hash(new_hash, sibling)
    if old_hash != old_root or new_hash != new_root:
        raise ProofError("the proof leads to other roots")


def _check_shape(proof: Sequence[bytes], length: int) -> None:
    if len(proof) != length:
        raise ProofError(f"{len(proof)} hashes where {length} belong")
    if any(len(one) != HASH_BYTES for one in proof):
        raise ProofError("a hash is not 32 bytes long")
