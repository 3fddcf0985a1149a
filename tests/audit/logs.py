"""Logs made of the kit alone: on disk as the keeper leaves them, over HTTP as an installation serves them."""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crm.kit import canonical, journal, merkle, proofs
from crm.kit.clock import rfc3339
from crm.kit.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of
from crm.kit.note import Signer, sign_note
from crm.kit.signed import Checkpoint

ORIGIN = "test.example/kept"
SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
START_MS = 1_795_462_917_000


def entry(index: int, salt: random.Random) -> bytes:
    return canonical.encode(
        {
            "v": 1,
            "act": "open",
            "actor": f"{salt.getrandbits(128):032x}",
            "at": rfc3339(START_MS + 7 * index),
            "fields": ["identity.given_name", "channels"],
            "outcome": "ok",
            "purpose": "serve",
            "reason": "call",
            "role": "staff",
            "salt": f"{salt.getrandbits(128):032x}",
            "session": f"{salt.getrandbits(128):032x}",
            "steady": 7 * index,
            "subjects": [f"{salt.getrandbits(128):032x}"],
        }
    )


@dataclass
class Log:
    """Entries in groups, with the checkpoint each group ended with."""

    entries: list[bytes]
    groups: list[tuple[int, int, str]]
    hashes: list[bytes] = field(default_factory=list)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def checkpoint(self) -> str:
        return self.groups[-1][2]

    def tile(self, level: int, n: int, width: int) -> list[bytes]:
        start, end = n * merkle.WIDTH, n * merkle.WIDTH + width
        if level == 0:
            return self.hashes[start:end]
        return [self.node(level, i) for i in range(start, end)]

    def node(self, level: int, i: int) -> bytes:
        """Root of a full tile of the level below."""
        if (level, i) not in self.nodes:
            self.nodes[level, i] = root_of(self.tile(level - 1, i, merkle.WIDTH))
        return self.nodes[level, i]


def make(size: int, group: int = 64, *, seed: int = 1, first: list[bytes] | None = None) -> Log:
    """Make a log of a size, with so many entries a group; `first` are entries it begins with."""
    salt = random.Random(seed)  # noqa: S311 - the same log each time
    entries = list(first or [])
    entries += [entry(index, salt) for index in range(len(entries), size)]
    return sign(entries, group)


def sign(entries: list[bytes], group: int = 64, signer: Signer = SIGNER) -> Log:
    frontier = Frontier()
    log = Log(entries, [])
    for start in range(0, len(entries), group):
        for one in entries[start : start + group]:
            log.hashes.append(leaf_hash(one))
            frontier.append(log.hashes[-1])
        note = sign_note(Checkpoint(ORIGIN, frontier.size, frontier.root()).text(), signer)
        log.groups.append((start, frontier.size, note))
    return log


EMPTY = Log([], [(0, 0, sign_note(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text(), SIGNER))])


def write_home(home: Path, log: Log, *, segment: int = 10**9, journal_from: int = 0) -> None:
    """Lay a log down as the keeper does; a new journal segment after so many groups."""
    (home / "keeper").mkdir(parents=True)
    (home / "journal").mkdir()
    with closing(sqlite3.connect(home / "keeper" / "keeper.db")) as db, db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        db.execute("CREATE TABLE entry(idx INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL)")
        db.execute("CREATE TABLE node(level INTEGER, n INTEGER, hash BLOB, PRIMARY KEY(level, n)) WITHOUT ROWID")
        db.execute("INSERT INTO meta VALUES('checkpoint', ?)", [log.checkpoint])
        rows = zip(range(len(log.entries)), log.entries, log.hashes, strict=True)
        db.executemany("INSERT INTO entry VALUES(?, ?, ?)", rows)
        level, count = 1, len(log.entries) // merkle.WIDTH
        while count:
            nodes = ((level, n, root_of(log.tile(level - 1, n, merkle.WIDTH))) for n in range(count))
            db.executemany("INSERT INTO node VALUES(?, ?, ?)", nodes)
            level, count = level + 1, count // merkle.WIDTH
    write_journal(home, log, segment=segment, journal_from=journal_from)


def write_journal(home: Path, log: Log, *, segment: int = 10**9, journal_from: int = 0) -> None:
    chain = journal.START
    data = b""
    name = ""
    for number, (first, size, note) in enumerate(log.groups):
        if number % segment == 0:
            name = f"{first:012d}-{number:012d}.kj"
            data = journal.header(chain)
        payload: bytes = msgpack.packb([number + 1, first, log.entries[first:size], [["meta", "a", b"b"]], note])
        record, chain = journal.frame(chain, payload)
        data += record
        if first >= journal_from and ((number + 1) % segment == 0 or number + 1 == len(log.groups)):
            (home / "journal" / name).write_bytes(data)


Change = Callable[[str, bytes], bytes]


class Handler(BaseHTTPRequestHandler):
    """Serves one log; with an auditor given, bundles only to who signed in."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # which costs 40 ms where head and body go one after the other

    def __init__(self, *args: Any, log: Log, change: Change, auditor: dict[str, str], asked: list[str]) -> None:
        self.log = log
        self.change = change
        self.auditor = auditor
        self.asked = asked
        super().__init__(*args)

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.append(f"GET {self.path}")
        path = self.path.removeprefix("/log/")
        if path == "checkpoint":
            return self.answer(200, self.log.checkpoint.encode())
        level, n, width = proofs.parse_tile_path(path)
        if isinstance(level, int):
            return self.answer(200, b"".join(self.log.tile(level, n, width)))
        if self.auditor and self.headers["Authorization"] != "Bearer good":
            return self.answer(401, b"{}")
        start = n * merkle.WIDTH
        return self.answer(200, proofs.bundle(self.log.entries[start : start + width]))

    def do_POST(self) -> None:
        self.asked.append(f"POST {self.path}")
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if told == self.auditor:
            return self.answer(201, b'{"token":"good"}')
        if "totp" not in told and {**self.auditor, "totp": ""} == {**told, "totp": ""}:
            return self.answer(401, b'{"code":"second-factor-required","title":"A second factor is required."}')
        return self.answer(401, b'{"code":"unauthenticated","title":"Sign in first."}')

    def do_DELETE(self) -> None:
        self.asked.append(f"DELETE {self.path} {self.headers['Authorization']}")
        self.answer(204, b"")

    def answer(self, status: int, body: bytes) -> None:
        bent = self.change(self.path.removeprefix("/log/"), body)
        self.send_response(status if bent != b"moved" else 302)
        self.send_header("Content-Length", str(len(bent)))
        self.end_headers()
        self.wfile.write(bent)


@dataclass
class Served:
    """Where a log is served, and what was asked for so far."""

    url: str
    asked: list[str]


@contextmanager
def serve(log: Log, change: Change = lambda _, body: body, auditor: dict[str, str] | None = None) -> Iterator[Served]:
    """Serve a log at a free port of this machine; `change` may bend what is sent."""
    asked: list[str] = []
    handler = partial(Handler, log=log, change=change, auditor=auditor or {}, asked=asked)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True  # kept-alive connections would hold the end up
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{server.server_port}", asked)
        finally:
            server.shutdown()
            thread.join()
