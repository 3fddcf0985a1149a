"""Whether the log's newest checkpoint is signed by the pinned key, holds the newest entries, and goes on from before.

Read from what is public: the checkpoint and the hash tiles. `kept log verify` reads every entry and says more.
"""

from collections.abc import Iterable
from typing import Protocol

from crm.audit.memory import Doubt, Seen
from crm.audit.receipts import Published, read_tiles
from crm.audit.verify import open_checkpoint
from crm.kit.clock import Clock, rfc3339
from crm.kit.merkle import HASH_BYTES, Subtree
from crm.kit.proofs import (
    ProofError,
    consistency_proof,
    inclusion_proof,
    range_hash,
    verify_consistency,
    verify_inclusion,
)  # fmt: skip
from crm.kit.signed import Checkpoint, Verifier
from crm.promises.verdict import Finding, broken, kept

NEWEST = 16


class Remembers(Protocol):
    """What was seen of a log before."""

    def recall(self, origin: str) -> Seen | None:
        """Give what was seen last, or None on the first look."""
        ...

    def remember(self, seen: Seen) -> None:
        """Keep what is seen now."""
        ...


class Remembered:
    """Remembers for as long as the process lives."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}

    def recall(self, origin: str) -> Seen | None:
        """Give what was seen last."""
        return self._seen.get(origin)

    def remember(self, seen: Seen) -> None:
        """Keep what is seen now."""
        self._seen[seen.origin] = seen


async def judge_log(log: Published, key: Verifier, memory: Remembers, clock: Clock) -> Finding:
    """Compare the newest checkpoint with its key, its tiles, and the one seen before."""
    try:
        checkpoint = open_checkpoint(await log.checkpoint(), key)
        before = memory.recall(checkpoint.origin)
        if before is not None and checkpoint.size < before.size:
            return broken(
                f"the log has {checkpoint.size} entries and had {before.size} on {before.at}: it was put back"
            )
        await _prove(log, checkpoint, before)
        memory.remember(Seen(checkpoint.origin, checkpoint.size, checkpoint.root, rfc3339(clock.wall_ms())))
    except (Doubt, ProofError) as error:
        return broken(str(error))
    since = f"; goes on from the {before.size} seen on {before.at}" if before else "; the first look"
    newest = min(checkpoint.size, NEWEST)
    return kept(
        f"{checkpoint.size} entries, root {checkpoint.root.hex()[:16]}, signed by key {key.key_id.hex()}; "
        f"the newest {newest} are in it{since}"
    )


async def _prove(log: Published, checkpoint: Checkpoint, before: Seen | None) -> None:
    """Recompute from tiles.

    Raises:
        ProofError: something does not lead to the root that was signed.
    """
    size, root = checkpoint.size, checkpoint.root
    newest = range(max(0, size - NEWEST), size)
    old = before.size if before else 0
    wanted: set[tuple[int, int]] = {(index, index + 1) for index in newest}

    def note(start: int, end: int) -> bytes:
        wanted.add((start, end))
        return bytes(HASH_BYTES)

    _walk(size, old, newest, note)
    subtree = await read_tiles(log, size, wanted)
    if range_hash(0, size, subtree) != root:
        raise ProofError("the tiles lead to another root than the one that was signed")
    for index in newest:
        verify_inclusion(index, size, subtree(index, index + 1), inclusion_proof(index, size, subtree), root)
    if before is not None and old:
        verify_consistency(old, size, consistency_proof(old, size, subtree), before.root, root)


def _walk(size: int, old: int, newest: Iterable[int], subtree: Subtree) -> None:
    """Ask for every hash the proofs will need."""
    range_hash(0, size, subtree)
    for index in newest:
        inclusion_proof(index, size, subtree)
    if old:
        consistency_proof(old, size, subtree)
