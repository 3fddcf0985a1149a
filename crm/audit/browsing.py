"""Reading the log as an auditor does: the newest first, a page at a time, or a stretch of it for a report.

The keeper lists entries in their order, at most a thousand looked at in one call. Here a window goes back from the
end: as wide as one call takes, wider where an index of the keeper finds what is rare.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.audit.receipts import receipt
from crm.errors import TooLarge
from crm.keeper_client import Keeper
from crm.kit.merkle import WIDTH, leaf_hash
from crm.kit.proofs import ProofError, parse_proof, split_bundle, verify_inclusion
from crm.kit.signed import Checkpoint, parse_checkpoint

SHOWN = 50  # entries on a page
SCAN = 1000  # what the keeper looks at in one call
CALLS = 40  # for one page or report: what is behind them is said not to have been looked at
WIDER = 16
INDEXED = frozenset({"actor", "subject"})

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the log: from ``start`` to before ``end``, indexes."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What entries must be: by the keeper's own filters, and ``what`` of those that were refused or recorded."""

    where: Mapping[str, str] = field(default_factory=dict)
    what: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.where and self.what is None

    @property
    def is_indexed(self) -> bool:
        """Whether the keeper finds these without looking at the others."""
        return not INDEXED.isdisjoint(self.where)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; what is older than ``next`` was not looked at, None: there is nothing older."""

    entries: list[Entry]
    next: int | None


@dataclass(frozen=True, slots=True)
class Proved:
    """One entry and its receipt: ``body`` are the bytes that are hashed, ``is_proved`` what this server found."""

    entry: Entry
    body: bytes
    receipt: str
    hashes: list[bytes]
    checkpoint: Checkpoint
    is_proved: bool


async def size_of(keeper: Keeper) -> int:
    """Return how many entries the newest checkpoint has signed."""
    _, size, _ = (await keeper.checkpoint()).split("\n", 2)
    return int(size)


async def span_of(keeper: Keeper, token: str, *, since: str | None = None, until: str | None = None) -> Span:
    """Find the stretch between two times (RFC 3339); open where one is None."""
    size = await size_of(keeper)
    start = 0 if since is None else await _first_at(keeper, token, since, size)
    return Span(start, size if until is None else await _first_at(keeper, token, until, size))


async def _first_at(keeper: Keeper, token: str, at: str, size: int) -> int:
    where: dict[str, Any] = {"from": at}
    found = (await keeper.entries(token, limit=1, **where))["entries"]
    return int(found[0]["index"]) if found else size


async def newest(keeper: Keeper, token: str, span: Span, wanted: Wanted, most: int = SHOWN) -> Page:
    """Return the last entries of a stretch that fit."""
    found, end = list[Entry](), span.end
    async for start, entries in windows(keeper, token, span, wanted, most if wanted.is_everything else SCAN):
        found, end = found + entries, start
        if len(found) >= most:
            break
    if len(found) > most:
        end = int(found[most - 1]["index"])
    return Page(found[:most], end if end > span.start else None)


async def windows(
    keeper: Keeper, token: str, span: Span, wanted: Wanted, width: int = SCAN
) -> AsyncIterator[tuple[int, list[Entry]]]:
    """Go back through a stretch: yields where each window starts, and what in it fits, newest first.

    It ends after ``CALLS`` calls; the last start then lies behind the stretch's own.
    """
    end = span.end
    for _ in range(CALLS):
        if end <= span.start:
            return
        start = max(span.start, end - width)
        try:
            found = await keeper.entries(token, after=start - 1, limit=min(SCAN, end - start), **wanted.where)
        except TooLarge:
            width = max(1, (end - start) // 2)
            continue
        if found["next"] is not None and found["next"] < end - 1 and width > SCAN:
            width //= 4  # more than one call gives: what is newest in it would be missing
            continue
        rows = [one for one in found["entries"] if one["index"] < end and wanted.what in {None, one.get("what")}]
        yield start, rows[::-1]
        end = start
        if wanted.is_indexed and len(rows) < SCAN // WIDER:
            width *= WIDER


async def prove(keeper: Keeper, token: str, index: int) -> Proved:
    """Read one entry, the bytes it is hashed from, and its receipt.

    Raises:
        NotFound: no such entry.
    """
    proof = await receipt(keeper, index)
    _, hashes, note = parse_proof(proof)
    checkpoint = parse_checkpoint(note.rpartition("\n\n")[0] + "\n")
    (entry,) = (await keeper.entries(token, after=index - 1, limit=1))["entries"]
    *_, body = split_bundle(await keeper.bundle(token, index // WIDTH, index % WIDTH + 1))
    is_proved = True
    try:
        verify_inclusion(index, checkpoint.size, leaf_hash(body), hashes, checkpoint.root)
    except ProofError:
        is_proved = False
    return Proved(entry, body, proof, hashes, checkpoint, is_proved)
