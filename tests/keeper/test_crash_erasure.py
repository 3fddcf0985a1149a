"""Faults while keys die, and while the keeper's file takes over what its write-ahead log holds."""

import asyncio
import contextlib
import fcntl
import random
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from crm.errors import KeeperUnavailable
from crm.keeper.home import Home, open_home
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from crm.kit.store import Group
from tests.keeper.conftest import FaultsFor, MakeHome
from tests.keeper.evidence import Evidence, Worker, check_readable, work
from tests.keeper.faults import Fault
from tests.keeper.home import PASSWORD, KeeperHome, item
from tests.keeper.table import SYNC, WRITE, Table

# What of a write-ahead log's index is locked by who recovers it: one byte, there (SQLite, walformat.html).
RECOVERING = 1, 122

# An erasure falling due is a group like others; then the write-ahead log is emptied into the file.
DYING = {
    ("journal", "write"): [Fault("journal", "write", action) for action in ("full", "tear", "kill-after")],
    ("wal", "sync"): [Fault("wal", "sync", action) for action in SYNC],
    ("file", "write"): [Fault("file", "write", action, n) for n in (1, 4) for action in WRITE if action != "short"],
    ("file", "sync"): [Fault("file", "sync", action) for action in SYNC],
    ("wal", "truncate"): [Fault("wal", "truncate", action) for action in SYNC],
}


async def _sign_in(home: KeeperHome) -> Worker:
    """Sign staff in again: the hours that went by ended every session."""
    web = await home.client()
    signed = await web.sign_in("staff", Pii(PASSWORD))
    return Worker(web, signed.token.reveal(), home.cast["staff"].id, Evidence())


async def _people(worker: Worker, count: int) -> list[str]:
    subjects = [new_id() for _ in range(count)]
    for subject in subjects:
        await worker.put(subject, 0, identity={"given_name": subject}, channels={"emails": [f"{subject}@b.example"]})
    return subjects


def _secrets(home: KeeperHome, subjects: list[str]) -> list[bytes]:
    """Return what must be gone from the disk: wrapped keys and sealed sections."""
    marks = ",".join("?" * len(subjects))
    rows = home.rows(f"SELECT wrapped FROM subject WHERE id IN ({marks})", *subjects)  # noqa: S608
    rows += home.rows(f"SELECT sealed FROM section WHERE subject IN ({marks})", *subjects)  # noqa: S608
    return [row[0] for row in rows]


async def _erased(home: KeeperHome, subjects: list[str]) -> None:
    """Wait until the keys are dead; asks the journal, because a reader of the file would be in the way."""
    dead: set[str] = set()
    while not dead.issuperset(subjects):
        await asyncio.sleep(0.05)
        dead = {op[1] for group in home.groups() for op in group.ops if op[0] == "sections-"}
    web = await home.client()
    await web.status()  # answered in a group behind the one that was being written


def _on_disk(home: KeeperHome) -> bytes:
    return b"".join(path.read_bytes() for path in home.file.parent.glob("keeper.db*"))


async def _strike_dying(table: Table, fault: Fault) -> None:
    """Erase some, let the hours go by, strike when the keys die; at the next start they are dead, and gone."""
    home, faults = table.home, table.faults
    worker = await _sign_in(home)
    table.before.append(worker.seen)
    going, staying = await _people(worker, 3), await _people(worker, 2)
    for subject in going:
        await worker.erase(subject)
    gone = _secrets(home, going)
    assert all(secret in _on_disk(home) for secret in gone)

    faults.arm(fault)
    assert home.clock
    home.clock.advance(hours=73)
    await table.settle(-9 if fault.action in {"tear", "kill-before", "kill-after"} else 74)
    await _erased(home, going)

    assert not [secret for secret in gone if secret in _on_disk(home)], f"{fault}: the erased are on the disk"
    after = await _sign_in(home)
    home.cast["staff"] = replace(home.cast["staff"], token=after.token)
    await check_readable(home, worker.seen)
    assert set(worker.seen.stored) == {*going, *staying}


@pytest.fixture
async def aging(make_home: MakeHome, faults_for: FaultsFor, tmp_path: Path) -> Table:
    """Return a running home whose clock a test moves, with faults at hand."""
    home = await make_home(clock=True, start=False)
    faults = faults_for(home)
    assert home.start(env=faults.env), home.stderr()
    return Table(home, faults, tmp_path / "examined")


@pytest.mark.parametrize(("target", "calls"), DYING)
async def test_a_write_fails_while_keys_die(aging: Table, target: str, calls: str) -> None:
    """Whatever strikes, who was to be erased is erased, in the log and on the disk; nobody else is."""
    for fault in random.Random(target + calls).sample(DYING[target, calls], 2):  # noqa: S311 - the same draw in every run
        await _strike_dying(aging, fault)
    await aging.close()


@pytest.mark.soak
@pytest.mark.parametrize(("target", "calls"), DYING)
async def test_every_write_fails_once_while_keys_die(aging: Table, target: str, calls: str) -> None:
    """The same, for each."""
    for fault in DYING[target, calls]:
        await _strike_dying(aging, fault)
    await aging.close()


async def test_keys_die_under_the_eyes_of_a_reader(aging: Table) -> None:
    """A snapshot being taken keeps the write-ahead log from being emptied: it is emptied when that is over."""
    home = aging.home
    worker = await _sign_in(home)
    going = await _people(worker, 2)
    for subject in going:
        await worker.erase(subject)
    gone = _secrets(home, going)
    with contextlib.closing(sqlite3.connect(f"file:{home.file}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM entry").fetchone()
        assert home.clock
        home.clock.advance(hours=73)
        await _erased(home, going)
    after = await _sign_in(home)
    await _people(after, 1)
    await after.web.status()
    assert not [secret for secret in gone if secret in _on_disk(home)]


async def test_a_group_does_not_wait_for_a_reader(make_home: MakeHome) -> None:
    """The reader lets go soon after the write-ahead log is to be emptied, and still the group is done before."""
    home = await make_home(start=False)
    store, _, log, _ = open_home(Home(home.path), None)
    wal = home.file.with_name("keeper.db-wal")
    emptying, done = threading.Event(), threading.Event()

    def write() -> None:
        store.begin()
        op = ("meta", "note", store.head.seq)
        store.run(op)
        store.write(Group(store.head.seq + 1, log.size, [], [op], log.sign()))

    def let_go() -> None:
        emptying.wait()
        done.wait(2)
        reader.execute("ROLLBACK")

    reader = sqlite3.connect(f"file:{home.file}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    with contextlib.closing(store), contextlib.closing(reader):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM entry").fetchone()
        store.db.set_trace_callback(lambda said: emptying.set() if "TRUNCATE" in said else None)
        reading = threading.Thread(target=let_go)
        reading.start()
        write()
        while_read = wal.stat().st_size
        done.set()
        reading.join()
        write()
        assert while_read > 0
        assert wal.stat().st_size == 0


async def test_opening_waits_for_who_recovers_the_write_ahead_log(make_home: MakeHome) -> None:
    """After a crash the first to open the file does, a verifier too: then the keeper waits, and is not sealed."""
    home = await make_home()
    await work(home, Evidence(), workers=1, rounds=1)
    await home.disconnect()
    assert home.kill() == -9
    with home.file.with_name("keeper.db-shm").open("r+b") as shared:
        fcntl.lockf(shared, fcntl.LOCK_EX, *RECOVERING)
        letting_go = threading.Timer(2, fcntl.lockf, (shared, fcntl.LOCK_UN, *RECOVERING))
        letting_go.start()
        assert home.start(), home.stderr()
        letting_go.join()
    assert (await (await home.client()).status())["state"] == "open"


# The file takes over the write-ahead log by itself, every 4,000 pages. SQLite passes over a failure of that: the
# log still has everything, and the next try copies it all again. So the keeper goes on, and loses nothing.
TAKING_OVER = [Fault("file", calls, a) for calls, some in (("write", WRITE), ("sync", SYNC)) for a in some]


async def _strike_taking_over(table: Table, fault: Fault) -> None:
    who = table.home.cast["staff"]
    seen = Evidence()
    table.before.append(seen)
    worker = Worker(await table.home.client(), who.token, who.id, seen)
    table.faults.arm(fault)
    with contextlib.suppress(KeeperUnavailable):
        while not table.faults.fired:
            await _crowd(worker)
        await _crowd(worker)
        await _people(worker, 3)
    await table.settle(-9 if fault.action in {"tear", "kill-before", "kill-after"} else None)
    if seen.stored:
        await check_readable(table.home, seen)


async def _crowd(worker: Worker) -> None:
    """Write 200 people at once, large enough to fill the write-ahead log soon."""
    items = [part for _ in range(200) for part in item(new_id(), profile={"about": "x" * 4000})]
    done = await worker.web.put(worker.token, "intake", items, bulk=True)
    worker.seen.left.append((done.index, "put", worker.actor, items[0]["subject"]))


@pytest.mark.parametrize("action", ["fail", "lose", "kill-after"])
async def test_a_write_fails_while_the_file_takes_over(table: Table, action: str) -> None:
    await _strike_taking_over(table, Fault("file", "write", action, 3))
    await table.close()


@pytest.mark.soak
@pytest.mark.parametrize("fault", TAKING_OVER, ids=str)
async def test_every_write_fails_once_while_the_file_takes_over(table: Table, fault: Fault) -> None:
    for nth in (1, 2, 50, 1000) if fault.calls == "write" else (1,):
        await _strike_taking_over(table, replace(fault, nth=nth))
    await table.close()
