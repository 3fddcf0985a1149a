"""A SQLite file and its journal, and the one order in which they are written.

Everything the keeper knows changes in *groups*. A group is log entries and the changes (ops) that belong to
them, and becomes durable in two steps, each ended by an fsync:

1. one record appended to the journal;
2. one SQLite transaction: ops, entries, tree, checkpoint, and how far the journal was read.

Only then is any request of the group answered. A crash

- before or during 1 leaves the end of the journal incomplete: start-up cuts it off, nobody was answered;
- between 1 and 2 leaves the journal ahead of the file: start-up applies the record again through the same
  code. Its requests were never answered, so the log over-reports and never under-reports;
- after 2 leaves a group whose answers may not have left: the same.

A file ahead of its journal cannot come from a crash, and is refused. An error of any write or fsync ends
the process at once (``Fatal``): what a failed fsync left behind is unknown, and asking again can lie.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgpack

from crm.kit import journal, note
from crm.kit.files import FileFault, Watched, append, file_hash, write_secret

Op = Sequence[Any]


class Tables(NamedTuple):
    """What a store holds: how it is created, its changes by name, and those after which something must be gone."""

    create: str
    changes: Mapping[str, str]
    destroying: frozenset[str]


class Fatal(Exception):
    """The state on disk is unknown or not what it must be: the process ends (status 74) and starts anew."""


class Refuse(Exception):
    """What is on disk is not what the journal says: the keeper stays sealed and says why."""


class Head(NamedTuple):
    """How far file and journal have come together: the last record's segment, span and chain values."""

    seq: int
    size: int
    segment: str
    start: int
    end: int
    before: bytes
    chain: bytes


class Group(NamedTuple):
    """One group as the journal holds it."""

    seq: int
    first: int
    entries: list[bytes]
    ops: list[Op]
    checkpoint: str


class Store:
    """One home's file and journal. Reads see the open group; changes go through ``run`` and ``write``.

    One thread at a time: the loop while it builds a group, the writing thread while it makes one durable.
    """

    def __init__(self, tables: Tables, file: Path, folder: Path) -> None:
        self._tables = tables
        self.file = file
        self.folder = folder
        # A crash may have come between an erasure's commit and what overwrites it in the write-ahead log.
        self._is_untidy = True
        if not file.exists():
            raise Refuse("the keeper's file is missing: restore it (kept keeper restore)")
        self.db = connect(file)
        self._watched_file = Watched(file)
        self.head = Head(*msgpack.unpackb(self.meta("head") or b""))
        segment = folder / self.head.segment
        if not segment.exists():
            raise Refuse("the journal is missing: restore it, or restore with loss (kept keeper restore)")
        self._watched_journal = Watched(segment)

    # Reading

    def one(self, query: str, *values: object) -> Any:  # noqa: ANN401 - a row of whatever was selected
        """Return the first row, or None."""
        return self.db.execute(query, values).fetchone()

    def all(self, query: str, *values: object) -> list[Any]:
        """Return every row; the caller bounds the query."""
        return self.db.execute(query, values).fetchall()

    def meta(self, key: str) -> Any:  # noqa: ANN401 - bytes, text or a number, as stored
        """Return one value of the home itself, or None."""
        row = self.one("SELECT value FROM meta WHERE key=?", key)
        return row[0] if row else None

    # Writing

    def begin(self) -> None:
        """Open a group."""
        self.db.execute("BEGIN IMMEDIATE")

    def run(self, op: Op) -> None:
        """Make one change within the open group."""
        self.db.execute(self._tables.changes[op[0]], op[1:])

    def write(self, group: Group) -> None:
        """Make the open group durable, first in the journal, then in the file; ``Fatal`` on any doubt."""
        try:
            self._watched_file.check()
            self._watched_journal.check(self.head.end)
            record, chain = journal.frame(self.head.chain, msgpack.packb(list(group)))
            append(self._watched_journal.handle, record)
            self._advance(group, self.head.end + len(record), chain)
            self.finish(group.checkpoint)
            self._is_untidy |= any(op[0] in self._tables.destroying for op in group.ops)
            self.tidy()
            if any(op[:2] == ("meta", "segment") for op in group.ops):
                # A snapshot stands before it: the journal goes on in a new segment.
                self._enter(new_segment(self.folder, self.head.size, self.head.seq, self.head.chain))
                self.begin()
                self.finish(group.checkpoint)
        except (OSError, sqlite3.Error, FileFault) as error:
            raise Fatal(f"a write failed: {error}") from error

    def finish(self, checkpoint: str) -> None:
        """Commit the open group to the file with how far the journal was read."""
        self.run(("meta", "head", msgpack.packb(list(self.head))))
        self.run(("meta", "checkpoint", checkpoint))
        self.db.execute("COMMIT")

    def tidy(self) -> None:
        """Empty the write-ahead log once something was destroyed: what ``secure_delete`` overwrote lives on there."""
        if self._is_untidy:
            # A reader (a snapshot being taken) can be in the way: then at the next try.
            self._is_untidy = bool(self.one("PRAGMA wal_checkpoint(TRUNCATE)")[0])

    def _advance(self, group: Group, end: int, chain: bytes) -> None:
        head, size = self.head, group.first + len(group.entries)
        self.head = Head(group.seq, size, head.segment, head.end, end, head.chain, chain)

    # Starting

    def ahead(self) -> Iterator[Group]:
        """Yield the groups the journal holds beyond the file, moving ``head``; cut off an incomplete end."""
        for path in [path for path in sorted(self.folder.glob("*.kj")) if path.name >= self.head.segment]:
            with path.open("r+b") as stream:
                try:
                    self._join(path, stream)
                    for record in journal.records(stream, self.head.end, self.head.chain):
                        group = Group(*msgpack.unpackb(record.payload))
                        if group.seq != self.head.seq + 1 or group.first != self.head.size:
                            raise Refuse("the journal skips a group")
                        self._advance(group, record.end, record.chain)
                        yield group
                except journal.Torn as torn:
                    stream.truncate(torn.offset)
                    os.fsync(stream.fileno())
                except journal.Broken as error:
                    raise Refuse("the journal was changed") from error

    def _join(self, path: Path, stream: BinaryIO) -> None:
        """Check that a segment holds the last record the file knows, or continues from it."""
        head, chain = self.head, journal.read_header(stream)
        if path.name != head.segment:
            if chain != head.chain:
                raise Refuse("a journal segment does not continue the one before")
            end = journal.HEADER_SIZE
            self._enter(head._replace(segment=path.name, start=end, end=end, before=chain))
            return
        if os.fstat(stream.fileno()).st_size < head.end:
            raise Refuse("the keeper's file is ahead of its journal: one of them was put back")
        try:
            if head.start < head.end:
                chain = next(journal.records(stream, head.start, head.before)).chain
        except (journal.Broken, journal.Torn) as error:
            raise Refuse("the journal's last known record was changed") from error
        if chain != head.chain:
            raise Refuse("the journal's last known record is not the file's")

    def _enter(self, head: Head) -> None:
        self.head = head
        self._watched_journal.close()
        self._watched_journal = Watched(self.folder / head.segment)

    def close(self) -> None:
        """Close everything; nothing is written."""
        self.db.close()
        self._watched_file.close()
        self._watched_journal.close()


def connect(file: Path) -> sqlite3.Connection:
    """Open a keeper's file for writing, with the settings its promises rest on; once open it waits for nobody."""
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in (
        "journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON", "secure_delete=ON",
        "cache_size=-65536", "wal_autocheckpoint=4000", "temp_store=MEMORY", "foreign_keys=OFF", "busy_timeout=0",
    ):  # fmt: skip
        db.execute(f"PRAGMA {pragma}")
    return db


def new_segment(folder: Path, size: int, seq: int, chain: bytes) -> Head:
    """Make a journal segment that goes on from a chain value, named by its first log index and group."""
    name, end = f"{size:012d}-{seq:012d}.kj", journal.HEADER_SIZE
    write_secret(folder / name, journal.header(chain))
    return Head(seq, size, name, end, end, chain, chain)


def snapshot(file: Path, folder: Path, signer: note.Signer) -> tuple[Path, int]:
    """Copy the keeper's file as of one moment, without stopping it; the signed note beside it names its hash."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = folder / "snapshot.new"
    temporary.unlink(missing_ok=True)
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("VACUUM INTO ?", (str(temporary),))
    db.execute("ATTACH ? AS copy", (str(temporary),))
    (size,) = db.execute("SELECT count(*) FROM copy.entry").fetchone()
    db.close()
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    copy = folder / f"snapshot-{size:012d}.db"
    temporary.replace(copy)
    text = f"kept/snapshot/1\n{copy.name}\n{size}\n{file_hash(copy)}\n"
    write_secret(copy.with_suffix(".note"), note.sign_note(text, signer).encode())
    return copy, size
