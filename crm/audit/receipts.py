"""Receipts: that an entry is in the log, proved from what is public, the checkpoint and the hash tiles.

No part of the keeper: it signs the tree, and anybody can walk through it.
"""

from typing import Protocol

from crm.errors import NotFound
from crm.kit.merkle import HASH_BYTES, WIDTH, Subtree, root_of
from crm.kit.proofs import ProofError, inclusion_proof, proof_text
from crm.kit.signed import parse_checkpoint

_HEIGHT = 8  # levels of the tree in one tile


class Published(Protocol):
    """Where a log is published; the keeper's client is one."""

    async def checkpoint(self) -> str:
        """Give the newest signed checkpoint."""
        ...

    async def tile(self, level: int, n: int, width: int) -> bytes:
        """Give the hashes of a tile, one after the other."""
        ...


async def receipt(log: Published, index: int) -> str:
    """Prove one entry in the tree of the newest checkpoint, as C2SP tlog-proof; whoever takes it verifies both.

    Raises:
        NotFound: the log has no such entry.
        ProofError: the tiles do not fit together.
    """
    note = await log.checkpoint()
    size = parse_checkpoint(note.partition("\n\n")[0] + "\n").size
    if not 0 <= index < size:
        raise NotFound
    wanted: set[tuple[int, int]] = set()

    def ask(start: int, end: int) -> bytes:
        wanted.add((start, end))
        return bytes(HASH_BYTES)

    inclusion_proof(index, size, ask)
    return proof_text(index, inclusion_proof(index, size, await read_tiles(log, size, wanted)), note)


async def read_tiles(log: Published, size: int, wanted: set[tuple[int, int]]) -> Subtree:
    """Fetch each tile that holds one of these subtrees once; combine its hashes where it holds their parts.

    A full tile is compared with its hash in the tile above, so that every hash that was read leads to the root.

    Raises:
        ProofError: a tile is no such tile.
    """
    tiles: dict[tuple[int, int], list[bytes]] = {}
    found: dict[tuple[int, int], bytes] = {}
    for start, end in sorted(wanted):
        level = ((end - start).bit_length() - 1) // _HEIGHT
        n, at = divmod(start >> level * _HEIGHT, WIDTH)
        await _fetch(log, size, level, n, tiles)
        found[start, end] = root_of(tiles[level, n][at : at + ((end - start) >> level * _HEIGHT)])
    return lambda start, end: found[start, end]


async def _fetch(log: Published, size: int, level: int, n: int, tiles: dict[tuple[int, int], list[bytes]]) -> None:
    if (level, n) in tiles:
        return
    width = min(WIDTH, (size >> level * _HEIGHT) - n * WIDTH)
    data = await log.tile(level, n, width)
    if len(data) != width * HASH_BYTES:
        raise ProofError("a tile has another length than its width")
    tile = tiles[level, n] = [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]
    if width == WIDTH:
        above, at = divmod(n, WIDTH)
        await _fetch(log, size, level + 1, above, tiles)
        if tiles[level + 1, above][at] != root_of(tile):
            raise ProofError("a tile leads to another hash than the one above it")
