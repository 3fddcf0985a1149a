"""Recomputing a log with a key that was pinned before, trusting nothing the installation says.

`Verifier` is pure: it is fed the entries in order and told what was published and signed about them.
`verify` feeds it from a `Source`: a home's files (`home_source`) or an installation's HTTP (`http_source`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from crm.audit.memory import Doubt, Memory, Seen
from crm.kit import proofs
from crm.kit.clock import Clock, rfc3339
from crm.kit.merkle import WIDTH, Frontier, root_of
from crm.kit.note import NoteError
from crm.kit.signed import Checkpoint, open_note, parse_checkpoint
from crm.kit.signed import Verifier as Key

_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)

# The published hashes of a tile: level, number, width.
TileOf = Callable[[int, int, int], Sequence[bytes]]
# Entries that follow one another, and the roots that were signed at sizes among them.
Batch = tuple[Sequence[bytes], Mapping[int, bytes]]


class Source(Protocol):
    """Where a log is read from; every method may raise `Doubt`."""

    def checkpoint(self) -> str:
        """Give the newest signed checkpoint."""
        ...

    def batches(self, size: int) -> Iterator[Batch]:
        """Give the first `size` entries in order."""
        ...

    def tile(self, level: int, n: int, width: int) -> Sequence[bytes]:
        """Give the published hashes of a tile."""
        ...

    def findings(self) -> Sequence[str]:
        """Say in sentences what else was compared, after all entries were read."""
        ...


@dataclass(frozen=True, slots=True)
class Proved:
    """What a verification showed."""

    checkpoint: Checkpoint
    first_at: str
    last_at: str
    before: Seen | None
    findings: Sequence[str]
    duration_ms: int


class Verifier:
    """Takes the entries of a log from the first on; raises `Doubt` at the first that is not as signed."""

    def __init__(self, tile: TileOf, before: Seen | None = None) -> None:
        """Take where published tiles come from, and what was seen of this log before."""
        self.first_at = ""
        self.last_at = ""
        self._tile = tile
        self._before = before
        self._confirmed = 0  # how many entries a root has vouched for
        self._full = Frontier()  # over the roots of full tiles
        self._last = Frontier()  # over the leaves of the tile that is not full
        self._levels: list[list[bytes]] = [[]]  # hashes of the tile that is not full, by level

    @property
    def size(self) -> int:
        """How many entries were taken."""
        return self._full.size * WIDTH + self._last.size

    def root(self) -> bytes:
        """Root over the entries taken so far."""
        return Frontier(self.size, self._full.stack + self._last.stack).root()

    def add(self, entries: Sequence[bytes], signed: Mapping[int, bytes]) -> None:
        """Take the next entries, and the roots that were signed at sizes among them.

        Raises:
            Doubt: an entry, a tile or a root is not what it should be.
        """
        try:
            self._add(entries, signed)
        except Doubt:
            # An entry ahead of the doubted one may differ from its tile, which is compared when it is full.
            self._compare(0, self._full.size, self._levels[0])
            raise

    def _add(self, entries: Sequence[bytes], signed: Mapping[int, bytes]) -> None:
        leaves = self._levels[0]
        size = self.size
        remembered = self._before.size if self._before else 0
        for entry in entries:
            self._read(size, entry)
            leaf = sha256(b"\0" + entry).digest()  # merkle.leaf_hash, without the price of a call
            leaves.append(leaf)
            self._last.append(leaf)
            size += 1
            if len(leaves) == WIDTH:
                self._close_tile()
            if size == remembered and self._before and self._before.root != self.root():
                raise Doubt(f"on {self._before.at} the first {size} were others: history was rewritten")
            if size in signed:
                self._confirm(signed[size])

    def finish(self, checkpoint: Checkpoint) -> None:
        """Compare the tiles that are not full, and the root.

        Raises:
            Doubt: a tile or the root differs, or entries are missing.
        """
        if self.size != checkpoint.size:
            self._compare(0, self._full.size, self._levels[0])
            raise Doubt(
                f"missing, or not signed: the checkpoint counts {checkpoint.size}", min(self.size, checkpoint.size)
            )
        for level, hashes in enumerate(self._levels):
            self._compare(level, self.size >> 8 * (level + 1), hashes)
        self._confirm(checkpoint.root)

    def _read(self, index: int, entry: bytes) -> None:
        try:
            body = proofs.read_entry(entry)
        except ValueError as error:
            raise Doubt(f"not in canonical form ({error})", index) from error
        at = body.get("at") if type(body) is dict else None
        if at == self.last_at and at:
            return
        if type(at) is not str or not _AT.fullmatch(at):
            raise Doubt("says no time", index)
        if at < self.last_at:
            raise Doubt(f"says {at}, but the one ahead of it {self.last_at}", index)
        self.last_at = at
        self.first_at = self.first_at or at

    def _confirm(self, root: bytes) -> None:
        if self.root() != root:
            last = self.size - 1
            raise Doubt(f"it, or one of those to {last}, is not what was signed", min(self._confirmed, last))
        self._confirmed = self.size

    def _close_tile(self) -> None:
        self._compare(0, self._full.size, self._levels[0])
        root = self._last.root()
        self._full.append(root)
        self._last = Frontier()
        self._levels[0].clear()
        self._put(1, root)

    def _put(self, level: int, node: bytes) -> None:
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(node)
        if len(hashes) == WIDTH:
            self._compare(level, (self.size >> 8 * (level + 1)) - 1, hashes)
            root = root_of(hashes)
            hashes.clear()
            self._put(level + 1, root)

    def _compare(self, level: int, n: int, hashes: Sequence[bytes]) -> None:
        published = self._tile(level, n, len(hashes)) if hashes else hashes
        if published != hashes:
            at = next((i for i, one in enumerate(hashes) if published[i : i + 1] != [one]), len(hashes) - 1)
            path = proofs.tile_path(level, n, len(hashes))
            raise Doubt(f"its hash in {path} is another", (n * WIDTH + at) << 8 * level)


def verify(source: Source, key: Key, memory: Memory, clock: Clock) -> Proved:
    """Recompute a log, compare it with what was seen of it before, and remember what it is now.

    Raises:
        Doubt: anything is not as the pinned key signed it; what was seen before stays remembered.
    """
    started_ms = clock.steady_ms()
    checkpoint = open_checkpoint(source.checkpoint(), key)
    before = memory.recall(checkpoint.origin)
    if before is not None and checkpoint.size < before.size:
        raise Doubt(
            f"the log has {checkpoint.size} entries and had {before.size} on {before.at}: it was put back",
            checkpoint.size,
        )
    verifier = Verifier(source.tile, before)
    for entries, signed in source.batches(checkpoint.size):
        verifier.add(entries, signed)
    verifier.finish(checkpoint)
    findings = source.findings()
    memory.remember(Seen(checkpoint.origin, checkpoint.size, checkpoint.root, rfc3339(clock.wall_ms())))
    duration_ms = max(clock.steady_ms() - started_ms, 1)
    return Proved(checkpoint, verifier.first_at, verifier.last_at, before, findings, duration_ms)


def open_checkpoint(note: str, key: Key) -> Checkpoint:
    """Open a checkpoint with the pinned key alone.

    Raises:
        Doubt: that key did not sign it, or it is of another log.
    """
    try:
        checkpoint = parse_checkpoint(open_note(note, [key])[0])
    except NoteError as error:
        raise Doubt(f"the checkpoint does not hold: {error}") from error
    if checkpoint.origin != key.name:
        raise Doubt(f"the checkpoint is of another log: {checkpoint.origin}")
    return checkpoint
