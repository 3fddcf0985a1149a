"""The Merkle tree of RFC 6962 section 2.1: hashes and roots. Pure; `proofs` makes and checks proofs in it."""

from collections.abc import Callable, Iterable
from functools import reduce
from hashlib import sha256

HASH_BYTES = 32
WIDTH = 256  # hashes in a tile, entries in a bundle (C2SP tlog-tiles)
EMPTY_ROOT = sha256(b"").digest()

# Hash of the leaves [start, end), where end - start is a power of two that divides start.
Subtree = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """All that is needed to append to a tree and to know its root: the perfect subtrees, largest first."""

    __slots__ = ("size", "stack")

    def __init__(self, size: int = 0, stack: Iterable[bytes] = ()) -> None:
        """Start empty, or from one that was stored; `ValueError` when its size has another number of subtrees."""
        self.size = size
        self.stack = list(stack)
        if size < 0 or len(self.stack) != size.bit_count():
            raise ValueError("not a frontier of this size")

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf at the end."""
        n = self.size
        stack = self.stack
        while n & 1:
            leaf = sha256(b"\1" + stack.pop() + leaf).digest()
            n >>= 1
        stack.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Hash of the whole tree."""
        stack = self.stack
        return reduce(lambda right, left: node_hash(left, right), reversed(stack)) if stack else EMPTY_ROOT


def root_of(hashes: Iterable[bytes]) -> bytes:
    """Root of the tree over these leaf hashes."""
    frontier = Frontier()
    for leaf in hashes:
        frontier.append(leaf)
    return frontier.root()


def peaks(start: int, end: int, subtree: Subtree) -> list[bytes]:
    """Hash [start, end) as perfect subtrees, largest first; start is aligned to more than the range is long."""
    stack = []
    while start < end:
        width = 1 << ((end - start).bit_length() - 1)
        stack.append(subtree(start, start + width))
        start += width
    return stack
