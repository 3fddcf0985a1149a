"""A log as it lies on disk: the keeper's file and, beside it, the journal that was written first.

Nothing is locked and nothing is written. Entries are only ever added, so each read stands alone; a long
transaction would keep the keeper from emptying its write-ahead log, which erasing a person waits for.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import msgpack

from crm.audit.memory import Doubt
from crm.audit.verify import Batch
from crm.kit import journal
from crm.kit.merkle import WIDTH
from crm.kit.note import NoteError
from crm.kit.signed import parse_checkpoint

_BATCH = 16 * WIDTH

# First index, entries, size after them, root that was signed for that size.
_Group = tuple[int, list[bytes], int, bytes]


class HomeSource:
    """Reads `HOME/keeper/keeper.db` and `HOME/journal/*.kj` and compares each entry of one with the other."""

    def __init__(self, home: Path, folder: Path) -> None:
        """Open a home's file for reading; `folder` is that of its journal.

        Raises:
            Doubt: there is none.
        """
        file = home / "keeper" / "keeper.db"
        self._folder = folder
        try:
            self._db = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
        except sqlite3.Error as error:
            raise Doubt(f"{file} cannot be read: {error}") from error
        self._groups = self._read_journal()
        self._journal_start: int | None = None
        self._journal_end = 0
        self._in_journal: list[bytes] = []  # entries read from the journal and not yet from the file
        self._hashes: tuple[int, list[bytes]] = 0, []  # first index, leaf hashes of the entries given last
        self._signed: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def checkpoint(self) -> str:
        """Give the checkpoint the file holds."""
        rows = self._select("SELECT value FROM meta WHERE key = 'checkpoint'")
        if not rows or not rows[0][0]:
            raise Doubt("there is no checkpoint yet")
        note: str | bytes = rows[0][0]
        return note if isinstance(note, str) else note.decode(errors="replace")

    def batches(self, size: int) -> Iterator[Batch]:
        """Give the entries of the file, each compared with the journal."""
        for start in range(0, size, _BATCH):
            end = min(start + _BATCH, size)
            rows = self._select("SELECT idx, body, hash FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", start, end)
            for index, row in zip(range(start, end), rows, strict=False):
                if row[0] != index or type(row[1]) is not bytes:
                    raise Doubt("missing in the file", index)
            if len(rows) < end - start:
                raise Doubt("missing in the file", start + len(rows))
            entries = [row[1] for row in rows]
            self._compare(start, entries)
            self._hashes = start, [row[2] for row in rows]
            yield entries, self._signed
            self._signed = {at: root for at, root in self._signed.items() if at > end}

    def tile(self, level: int, n: int, width: int) -> Sequence[bytes]:
        """Give hashes as the file keeps them: of leaves beside the entries given last, of full tiles by themselves."""
        start = n * WIDTH
        if level == 0:
            first, hashes = self._hashes
            return hashes[start - first : start - first + width]
        query = "SELECT hash FROM node WHERE level = ? AND n >= ? AND n < ? ORDER BY n"
        return [row[0] for row in self._select(query, level, start, start + width)]

    def findings(self) -> Sequence[str]:
        """Say from where on the journal holds the same, and whether it goes on."""
        end = self._journal_end
        ahead = len(self._in_journal)
        for _, entries, _, _ in self._groups:
            ahead += len(entries)
        found = []
        if end:
            found.append(f"the journal holds the same entries, from {self._journal_start or 0} on")
        if ahead:
            found.append(f"the journal is {ahead} entries ahead: a write under way, or one that a crash cut short")
        return found

    def _select(self, query: str, *values: int) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise Doubt(f"the keeper's file cannot be read: {error}") from error

    def _compare(self, start: int, entries: Sequence[bytes]) -> None:
        end = start + len(entries)
        while self._journal_end < end:
            group = next(self._groups, None)
            if group is None:
                raise Doubt("in the file, but not in the journal", max(self._journal_end, start))
            first, more, size, root = group
            if self._journal_start is None:
                self._journal_start = self._journal_end = first
            if first != self._journal_end:
                raise Doubt("missing in the journal", self._journal_end)
            self._journal_end = size
            self._in_journal += more
            self._signed[size] = root
        skip = max(self._journal_start - start, 0) if self._journal_start else 0
        count = max(len(entries) - skip, 0)
        theirs, self._in_journal = self._in_journal[:count], self._in_journal[count:]
        if theirs != entries[skip:]:
            at = next(i for i, (a, b) in enumerate(zip(theirs, entries[skip:], strict=True)) if a != b)
            raise Doubt("the file and the journal differ", start + skip + at)

    def _read_journal(self) -> Iterator[_Group]:
        # Listed after the checkpoint was read: what it counts was in the journal before it was in the file.
        segments = sorted(self._folder.glob("*.kj"))
        chain = None
        for path in segments:
            with path.open("rb") as stream:
                try:
                    before = journal.read_header(stream)
                    if chain is not None and before != chain:
                        raise Doubt(f"{path.name} does not go on from the segment before it", self._journal_end)
                    chain = before
                    for record in journal.records(stream, journal.HEADER_SIZE, chain):
                        chain = record.chain
                        yield _parse(record.payload)
                except (journal.Broken, journal.Torn) as error:
                    if isinstance(error, journal.Torn) and path == segments[-1]:
                        return  # a write under way, or one that a crash cut short
                    raise Doubt(f"{path.name} was changed: {error}", self._journal_end) from error


def _parse(payload: bytes) -> _Group:
    try:
        _, first, entries, _, note = msgpack.unpackb(payload)
        text = note[: note.index("\n\n") + 1]
        signed = parse_checkpoint(text)
        if type(first) is int and signed.size == first + len(entries):
            return first, entries, signed.size, signed.root
    except (ValueError, TypeError, AttributeError, NoteError, msgpack.UnpackException) as error:
        raise Doubt("a record of the journal cannot be read") from error
    raise Doubt("a record of the journal counts otherwise than its checkpoint")
