"""What clients of a keeper saw, and what its files must say for it.

`Evidence` collects answers while a fault strikes. `Examined` reads the files of a stopped keeper, without
touching them, by the published formats alone: the tree is recomputed from the entries.
"""

import asyncio
import contextlib
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.errors import KeeperUnavailable, NotFound
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of
from crm.kit.pii import Pii
from crm.kit.proofs import read_entry
from crm.kit.signed import Checkpoint
from tests.keeper.home import KeeperHome, item, read_journal

Fields = dict[str, Any]


@dataclass
class Evidence:
    """What was answered. What was asked for and not answered is unknown and claims nothing."""

    left: list[tuple[int, str, str, str]] = field(default_factory=list)  # index, act, actor, subject
    shown: Counter[tuple[str, str]] = field(default_factory=Counter)  # labels: actor, subject
    stored: dict[str, dict[str, tuple[int, Fields]]] = field(default_factory=dict)  # by subject and section
    records: dict[str, tuple[str, bytes, Fields]] = field(default_factory=dict)  # subject, sealed, fields
    erasing: set[str] = field(default_factory=set)
    asked_to_erase: set[str] = field(default_factory=set)  # asked, perhaps not answered
    checkpoints: list[str] = field(default_factory=list)

    @property
    def answers(self) -> int:
        """How many answers there were."""
        return len(self.left) + sum(self.shown.values())

    def put(self, subject: str, section: str, version: int, fields: Fields) -> None:
        """Note an acknowledged write."""
        self.stored.setdefault(subject, {})[section] = version, fields


@dataclass
class Worker:
    """One client at work: a person of the cast over one connection."""

    web: Keeper
    token: str
    actor: str
    seen: Evidence

    async def round(self, n: int) -> None:
        """Make a person, look at it, change it, seal a note, read it, look for it, erase some."""
        subject = new_id()
        name = {"given_name": f"Given{subject}", "family_name": "Umlaut-Ößé"}
        reach = {"emails": [f"{subject}@example.org"]}
        await self.put(subject, 0, identity=name, channels=reach)
        await self.open(subject)
        await self.put(subject, 1, channels={"emails": [f"{subject}@example.org", f"{n}@example.org"]})
        record, note = new_id(), {"notes": f"note {n} of {subject}", "text": "x" * 600}
        sealed = await self.web.seal(self.token, "serve", [{"subject": subject, "record": record, "fields": note}])
        self.seen.left.append((sealed.index, "seal", self.actor, subject))
        self.seen.records[record] = subject, sealed.blobs[record], note
        await self.open(subject, record)
        labels = await self.web.labels(self.token, [subject])
        self.seen.shown.update((self.actor, label["id"]) for label in labels.matches)
        self.seen.checkpoints.append(await self.web.checkpoint())
        if n % 3 == 2:
            await self.erase(subject)

    async def put(self, subject: str, expected: int, **sections: Fields) -> None:
        """Store sections and note what was acknowledged."""
        done = await self.web.put(
            self.token, "intake", item(subject, kind="contact", expected=expected, **sections), bulk=expected == 0
        )
        self.seen.left.append((done.index, "put", self.actor, subject))
        for (section, fields), version in zip(sections.items(), done.versions, strict=True):
            self.seen.put(subject, section, version, fields)

    async def open(self, subject: str, record: str | None = None) -> None:
        """Open a person (and a record) and compare with what was stored."""
        handed = []
        if record:
            handed = {subject: {record: self.seen.records[record][1]}}
        opened = await self.web.open(
            self.token, "serve", subjects=[subject], fields=["identity", "channels"], records=handed,
            reason="call",
        )  # fmt: skip
        self.seen.left.append((opened.index, "open", self.actor, subject))
        for section, (version, fields) in self.seen.stored[subject].items():
            assert opened.versions[subject][section] >= version
            if opened.versions[subject][section] == version:
                assert opened.people[subject][section].reveal() == fields
        if record:
            assert opened.records[record].reveal() == self.seen.records[record][2]

    async def erase(self, subject: str) -> None:
        """Ask for an erasure; from the answer on the person opens no more."""
        self.seen.asked_to_erase.add(subject)
        done = await self.web.erase(self.token, subject, "request")
        self.seen.left.append((done["index"], "erase", self.actor, subject))
        self.seen.erasing.add(subject)


async def work(
    home: KeeperHome,
    seen: Evidence,
    *,
    workers: int = 6,
    rounds: int = 6,
    people: tuple[str, ...] = ("staff", "staff2"),
) -> None:
    """Let clients work on a running home until they are done or the keeper is gone."""
    clients = [await home.client() for _ in range(2)]

    async def one(number: int) -> None:
        who = home.cast[people[number % len(people)]]
        worker = Worker(clients[number % len(clients)], who.token, who.id, seen)
        with contextlib.suppress(KeeperUnavailable):
            await home.searchable(worker.web)
            for n in range(rounds):
                await worker.round(n + number)

    await asyncio.gather(*(one(number) for number in range(workers)))


class Examined:
    """The files of a home as they lie there, read from a copy."""

    def __init__(self, home: KeeperHome, scratch: Path) -> None:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(home.file.parent, scratch)
        with contextlib.closing(sqlite3.connect(scratch / home.file.name)) as db:
            self.entries = [row[0] for row in db.execute("SELECT body FROM entry ORDER BY idx")]
            self.hashes = [row[0] for row in db.execute("SELECT hash FROM entry ORDER BY idx")]
            self.in_file = home.signed(db.execute("SELECT value FROM meta WHERE key='checkpoint'").fetchone()[0])
            self.keys = dict(db.execute("SELECT id, wrapped FROM subject"))
        groups = list(read_journal(home.segments()))
        self.journal = [entry for group in groups for entry in group.entries]
        self.in_journal = home.signed(groups[-1].checkpoint)

    def roots(self, sizes: set[int]) -> dict[int, bytes]:
        """Recompute the roots of the tree at sizes it had, in one walk over the entries."""
        frontier, found = Frontier(), {0: EMPTY_ROOT}
        for leaf in self.hashes:
            frontier.append(leaf)
            if frontier.size in sizes:
                found[frontier.size] = frontier.root()
        return found

    def check_log(self) -> None:
        """The tree follows from the entries, in the file and in the journal, and is what was signed."""
        assert self.hashes == [leaf_hash(entry) for entry in self.entries]
        assert self.in_file == Checkpoint(self.in_file.origin, len(self.entries), root_of(self.hashes))
        assert self.journal[: len(self.entries)] == self.entries
        whole = root_of(map(leaf_hash, self.journal))
        assert self.in_journal == Checkpoint(self.in_file.origin, len(self.journal), whole)

    def check_left(self, home: KeeperHome, seen: Evidence) -> None:
        """Everything that left has its entry below the size of a checkpoint that file and journal hold."""
        size = min(self.in_file.size, self.in_journal.size)
        for index, act, actor, subject in seen.left:
            assert index < size, f"{act} of entry {index} left, but only {size} are signed in both"
            entry = read_entry(self.entries[index])
            assert (entry["act"], entry["actor"], entry["outcome"]) == (act, actor, "ok")
            assert subject in entry["subjects"]
        given = [home.signed(note) for note in seen.checkpoints]
        assert all(checkpoint.size <= size for checkpoint in given)
        roots = self.roots({checkpoint.size for checkpoint in given})
        for checkpoint in given:
            assert checkpoint.root == roots[checkpoint.size], "a checkpoint that was given out is not of this log"
        shown: Counter[tuple[str, str]] = Counter()
        for body in self.entries[:size]:
            entry = read_entry(body)
            if entry["act"] == "labels" and entry["outcome"] == "ok":
                shown.update((entry["actor"], subject) for subject in entry["subjects"])
        assert seen.shown <= shown, "a label left without an entry"


async def check_readable(home: KeeperHome, seen: Evidence) -> None:
    """Nothing acknowledged is lost on a running home, and what is being erased opens for nobody."""
    web = await home.client()
    who = home.cast["staff"]
    worker = Worker(web, who.token, who.id, seen)
    for subject in seen.stored:
        if subject in seen.erasing:
            try:
                await worker.open(subject)
            except NotFound:
                continue
            raise AssertionError("somebody erased was opened")
        records = [record for record, (whose, _, _) in seen.records.items() if whose == subject]
        try:
            await worker.open(subject, records[0] if records else None)
        except NotFound:
            assert subject in seen.asked_to_erase, "somebody acknowledged is gone"
    assert (await web.status())["state"] == "open"
    await _check_found(home, worker, seen)


async def _check_found(home: KeeperHome, worker: Worker, seen: Evidence) -> None:
    """Somebody acknowledged is found by the whole of an address; index cards were built anew."""
    await home.searchable(worker.web)
    for subject, sections in seen.stored.items():
        if subject not in seen.asked_to_erase and "channels" in sections:
            found = await worker.web.match(worker.token, "email", Pii(sections["channels"][1]["emails"][0]))
            assert found is not None
            assert found["id"] == subject
            return
