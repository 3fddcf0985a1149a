"""The log: entries, the RFC 6962 tree over them, checkpoints and tiles.

An entry is canonical JSON with 16 random bytes, so that its public leaf hash tells nothing. It names people
by random ids only. The tree is kept as leaf hashes and the roots of full tiles (``node``: level L, number n
covers 256**L leaves); the frontier is recomputed from them at start and must give the signed root.
"""

import bisect
import functools
import json
import os
from typing import Any

from crm.kit import canonical, clock, merkle, note
from crm.kit.store import Group, Refuse, Store

ENTRY_LIMIT = 60_000
VERSION = 1
WITHIN_MS = 25 * 3_600_000
# How an entry names an id: as who acted, as whom it is about, as who was shown. An id is looked for by what it
# was there: somebody who stores a person under a colleague's id does not get into that colleague's log.
ACTED, ABOUT, SHOWN = 1, 2, 4

_stamp = functools.lru_cache(maxsize=4)(clock.rfc3339)


class Log:
    """The log of one home; ``origin`` names it for ever. ``showing`` are the acts that show whom they are about."""

    def __init__(self, store: Store, signer: note.Signer, showing: frozenset[str]) -> None:
        self._store = store
        self._signer = signer
        self._showing = showing
        self.origin = signer.name
        self.size = store.head.size
        self.last_ms = 0
        # Rows of the open group that are not in it yet: one statement for many is a third cheaper.
        self._entries, self._mentions = list[tuple[int, bytes, bytes]](), list[tuple[str, int, int]]()
        self._frontier = merkle.Frontier(self.size, merkle.peaks(0, self.size, self._subtree))

    def sign(self) -> str:
        """Sign the tree as it is within the open group."""
        self._flush()
        return note.sign_note(note.checkpoint_text(self.origin, self.size, self._frontier.root()), self._signer)

    # Starting

    def check(self) -> None:
        """Compare the tree with its signed checkpoint, the last 25 hours of entries with the tree; or ``Refuse``."""
        if self.size == 0 and not self.checkpoint():
            return
        self._must_be(self.checkpoint())
        oldest = self.index_at(self.time_of(self.size - 1) - WITHIN_MS)
        for tile in range(oldest // merkle.WIDTH, self.size // merkle.WIDTH + 1):
            self._check_tile(tile)

    def _must_be(self, checkpoint: str) -> None:
        # One text has one signature: what this key signed of this tree, and nothing else, is equal.
        if checkpoint != self.sign():
            raise Refuse("the checkpoint is not what this home's key signs for the tree")

    def _check_tile(self, tile: int) -> None:
        start = tile * merkle.WIDTH
        within = "SELECT idx, body, hash FROM entry WHERE idx>=? AND idx<? ORDER BY idx"
        rows = self._store.all(within, start, start + merkle.WIDTH)
        for index, body, stored in rows:
            if merkle.leaf_hash(body) != stored:
                raise Refuse(f"entry {index} was changed")
        if len(rows) != min(merkle.WIDTH, self.size - start):
            raise Refuse(f"entries of tile {tile} are missing")
        if len(rows) == merkle.WIDTH and merkle.root_of(row[2] for row in rows) != self._hashes(1, tile, tile + 1)[0]:
            raise Refuse(f"tile {tile} was changed")

    def replay(self, group: Group) -> None:
        """Apply a group from the journal to the open transaction; the tree must be the one it was signed with."""
        for body in group.entries:
            self.append(body, json.loads(body))
        for op in group.ops:
            self._store.run(op)
        self._must_be(group.checkpoint)

    # Writing

    def encode(self, entry: dict[str, Any], wall_ms: int, steady_ms: int) -> bytes:
        """Finish an entry: version, time (never before the last one's), salt; canonical bytes."""
        self.last_ms = max(wall_ms, self.last_ms)
        entry |= {"v": VERSION, "at": _stamp(self.last_ms), "steady": steady_ms, "salt": os.urandom(16).hex()}
        body = canonical.encode(entry)
        if len(body) > ENTRY_LIMIT:
            raise ValueError("an entry is over its limit")
        return body

    def append(self, body: bytes, entry: dict[str, Any]) -> None:
        """Add one entry to the open group."""
        index, leaf = self.size, merkle.leaf_hash(body)
        self._entries.append((index, body, leaf))
        how = SHOWN if entry["act"] in self._showing and entry["outcome"] == "ok" else ABOUT
        self._mentions += [(id_, index, how) for id_ in dict.fromkeys(entry.get("subjects", ()))]
        if "actor" in entry:
            self._mentions.append((entry["actor"], index, ACTED))
        self._frontier.append(leaf)
        self.size += 1
        level, count = 1, self.size
        while count % merkle.WIDTH == 0:
            self._flush()
            count //= merkle.WIDTH
            root = merkle.root_of(self._hashes(level - 1, (count - 1) * merkle.WIDTH, count * merkle.WIDTH))
            self._store.db.execute("INSERT INTO node VALUES(?,?,?)", (level, count - 1, root))
            level += 1

    def _flush(self) -> None:
        if self._entries:
            self._store.db.executemany("INSERT INTO entry VALUES(?,?,?)", self._entries)
            self._store.db.executemany("INSERT INTO mention VALUES(?,?,?)", self._mentions)
            self._entries.clear()
            self._mentions.clear()

    # Reading

    def checkpoint(self) -> str:
        """Return the newest durable checkpoint, or nothing before the first group."""
        return str(self._store.meta("checkpoint") or "")

    def body(self, index: int) -> bytes:
        """Return the bytes of one entry."""
        self._flush()
        return bytes(self._store.one("SELECT body FROM entry WHERE idx=?", index)[0])

    def entry(self, index: int) -> dict[str, Any]:
        """Return one decoded entry."""
        decoded: dict[str, Any] = json.loads(self.body(index))
        return decoded

    def time_of(self, index: int) -> int:
        """Return an entry's time in milliseconds."""
        return clock.parse_rfc3339(self.entry(index)["at"])

    def index_at(self, wall_ms: int) -> int:
        """Return the first index whose time is not before ``wall_ms``."""
        return bisect.bisect_left(range(self.size), wall_ms, key=self.time_of)

    def mentions(self, id_: str, how: int, start: int, end: int, limit: int) -> list[int]:
        """Return the indexes within ``[start, end)`` that name an id so; newest first if limit < 0."""
        self._flush()
        order = "DESC" if limit < 0 else "ASC"
        query = f"SELECT idx FROM mention WHERE id=? AND how&? AND idx>=? AND idx<? ORDER BY idx {order} LIMIT ?"  # noqa: S608
        return [row[0] for row in self._store.all(query, id_, how, start, end, abs(limit))]

    def tile(self, level: int, n: int, width: int, size: int) -> bytes | None:
        """Return a hash tile of the tree of ``size``, or None where there is none."""
        start = n * merkle.WIDTH
        if not (0 <= level < 8 and n >= 0 and 0 < width <= merkle.WIDTH and start + width <= size >> (8 * level)):  # noqa: PLR2004 - 64-bit sizes
            return None
        return b"".join(self._hashes(level, start, start + width))

    def _hashes(self, level: int, start: int, end: int) -> list[bytes]:
        if level == 0:
            rows = self._store.all("SELECT hash FROM entry WHERE idx>=? AND idx<? ORDER BY idx", start, end)
        else:
            rows = self._store.all("SELECT hash FROM node WHERE level=? AND n>=? AND n<? ORDER BY n", level, start, end)
        return [row[0] for row in rows]

    def _subtree(self, start: int, end: int) -> bytes:
        """Return the root of a perfect subtree from the highest tile level that divides it."""
        level = ((end - start).bit_length() - 1) // 8
        return merkle.root_of(self._hashes(level, start >> (8 * level), end >> (8 * level)))
