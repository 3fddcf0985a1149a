"""Files deleted, replaced or put back underneath a keeper, while it runs and while it stands still.

What cannot be told from a crash and brought back from the journal is brought back. Everything else seals the
keeper, which says why and opens nothing.
"""

import asyncio
import contextlib
import copy
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgpack
import pytest

from crm.audit.memory import Doubt
from crm.audit.service import verify_home
from crm.errors import CrmError, KeeperSealed
from crm.kit import journal
from crm.kit.ids import new_id
from crm.kit.merkle import leaf_hash
from tests.keeper.conftest import MakeHome
from tests.keeper.evidence import Evidence, Examined, check_readable, work
from tests.keeper.home import KeeperHome

Change = Callable[[KeeperHome, Path], None]


def _wal(home: KeeperHome) -> Path:
    return home.file.with_name("keeper.db-wal")


def _keep(home: KeeperHome, past: Path) -> None:
    """Copy journal and file as they are now: what a change puts back later."""
    past.mkdir()
    shutil.copytree(home.file.parent, past / "keeper")
    shutil.copytree(home.journal, past / "journal")


def _newest(home: KeeperHome) -> Path:
    return home.segments()[-1]


def _flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def _edit(home: KeeperHome, statement: str) -> None:
    with sqlite3.connect(home.file) as db:
        db.execute(statement)
    db.close()


# While it runs: what the change does, and what the next start says (nothing: it goes on as before).


def delete_journal(home: KeeperHome, _: Path) -> None:
    _newest(home).unlink()


def replace_journal_by_its_like(home: KeeperHome, past: Path) -> None:
    copy = past / "copy.kj"
    shutil.copyfile(_newest(home), copy)
    copy.replace(_newest(home))


def write_older_journal_over(home: KeeperHome, past: Path) -> None:
    _newest(home).write_bytes((past / "journal" / _newest(home).name).read_bytes())


def empty_journal(home: KeeperHome, _: Path) -> None:
    _newest(home).write_bytes(b"")


def append_to_journal(home: KeeperHome, _: Path) -> None:
    with _newest(home).open("ab") as stream:
        stream.write(b"x")


def delete_file(home: KeeperHome, _: Path) -> None:
    home.file.unlink()


RUNNING: dict[Change, str] = {
    delete_journal: "the journal is missing",
    replace_journal_by_its_like: "",
    write_older_journal_over: "ahead of its journal",
    empty_journal: "journal",
    append_to_journal: "",
    delete_file: "the keeper's file is missing",
}


async def _sealed(home: KeeperHome, reason: str) -> None:
    """The keeper listens, says why it opens nothing, and every verb is refused."""
    assert home.start(), home.stderr()
    web = await home.client()
    status = await web.status()
    assert status["state"] == "sealed", f"expected it to say: {reason}"
    assert reason in status["reason"]
    with pytest.raises(KeeperSealed):
        await web.open(home.token("staff"), "serve", subjects=[new_id()], fields=["identity"], reason="call")
    with pytest.raises(KeeperSealed):
        await web.me(home.token("staff"))
    await home.disconnect()
    assert home.stop() == 75


async def _whole(home: KeeperHome, seen: Evidence, scratch: Path) -> None:
    """The keeper runs, everything acknowledged is there, and the log is the one that was promised."""
    assert home.start(), home.stderr()
    await check_readable(home, seen)
    await home.disconnect()
    assert home.stop() == 0
    files = Examined(home, scratch)
    files.check_log()
    files.check_left(home, seen)


@pytest.mark.parametrize("change", RUNNING, ids=lambda change: change.__name__)
async def test_changed_while_running(change: Change, make_home: MakeHome, tmp_path: Path) -> None:
    """The keeper ends before anything more leaves; the next start is whole, or sealed and says why."""
    home, seen, more = await make_home(), Evidence(), Evidence()
    _keep(home, tmp_path / "past")
    await work(home, seen, workers=3, rounds=2)

    change(home, tmp_path / "past")
    await work(home, more, workers=3, rounds=2)

    assert not more.answers
    assert home.wait() == 74
    await home.disconnect()
    if RUNNING[change]:
        await _sealed(home, RUNNING[change])
    else:
        await _whole(home, seen, tmp_path / "after")


def _is_in_the_file(home: KeeperHome, subject: str) -> bool:
    return bool(home.rows("SELECT 1 FROM subject WHERE id=?", subject))


@pytest.mark.parametrize("how", ["deleted", "emptied", "older"])
async def test_write_ahead_log_changed_while_running(how: str, make_home: MakeHome, tmp_path: Path) -> None:
    """What the file lost with it comes back from the journal, whatever the clients were told meanwhile."""
    home, seen = await make_home(), Evidence()
    await work(home, seen, workers=3, rounds=2)
    _keep(home, tmp_path / "past")
    await work(home, seen, workers=3, rounds=2)
    if how == "deleted":
        _wal(home).unlink()
    elif how == "emptied":
        _wal(home).write_bytes(b"")
    else:
        _wal(home).write_bytes((tmp_path / "past" / "keeper" / "keeper.db-wal").read_bytes())
    with contextlib.suppress(CrmError):
        await work(home, seen, workers=3, rounds=2)
    home.kill() if home.process and home.process.poll() is None else home.wait()
    await home.disconnect()
    await _whole(home, seen, tmp_path / "after")


# While it stands still.

Standing = tuple[KeeperHome, Evidence, Path]


@pytest.fixture
async def standing(make_home: MakeHome, worked: list[Standing], tmp_path: Path) -> AsyncIterator[Standing]:
    """Return a home that stands still, what was seen on it, and a folder with its past."""
    if not worked:
        home, seen = await make_home(), Evidence()
        past = tmp_path / "kept" / "past"
        past.parent.mkdir()
        await work(home, seen, workers=2, rounds=3)
        await home.disconnect()
        assert home.stop() == 0
        _keep(home, past)
        assert home.start()
        await work(home, seen, workers=2, rounds=3)
        await home.disconnect()
        shutil.copyfile(_wal(home), past.parent / "newest-wal")
        assert home.stop() == 0
        worked.append((home, seen, past))
    home, seen, past = worked[0]
    twin = home.copy(tmp_path / "twin")
    shutil.copytree(past.parent, tmp_path / "twin-kept")
    yield twin, copy.deepcopy(seen), tmp_path / "twin-kept" / "past"
    await twin.aclose()


@pytest.fixture(scope="module")
def worked() -> list[Standing]:
    """Hold the home of this module that was worked on, once it was."""
    return []


def put_journal_back(home: KeeperHome, past: Path) -> None:
    for path in home.segments():
        path.unlink()
    shutil.copytree(past / "journal", home.journal, dirs_exist_ok=True)


def put_file_back(home: KeeperHome, past: Path) -> None:
    shutil.rmtree(home.file.parent)
    shutil.copytree(past / "keeper", home.file.parent)


def cut_journal(home: KeeperHome, _: Path) -> None:
    content = _newest(home).read_bytes()
    _newest(home).write_bytes(content[:-1])


def flip_last_record(home: KeeperHome, _: Path) -> None:
    _flip(_newest(home), -1)


def take_journal_of_another(home: KeeperHome, past: Path) -> None:
    other = KeeperHome(past / "other")
    other.init()
    shutil.rmtree(home.journal)
    shutil.copytree(other.journal, home.journal)


def _records(home: KeeperHome) -> tuple[bytes, list[journal.Record]]:
    """Return the chain value in force before each newest segment's record, and its records."""
    with _newest(home).open("rb") as stream:
        chain = journal.read_header(stream)
        return chain, list(journal.records(stream, journal.HEADER_SIZE, chain))


def forge_last_record(home: KeeperHome, _: Path) -> None:
    """Another record in the place of the last one: whoever can write the journal can continue its chain."""
    chain, records = _records(home)
    before, last = (records[-2].chain if records[1:] else chain), records[-1]
    forged, _chain = journal.frame(before, last.payload[:-1] + bytes([last.payload[-1] ^ 1]))
    content = _newest(home).read_bytes()
    _newest(home).write_bytes(content[: len(content) - len(forged)] + forged)


def forge_a_later_group(home: KeeperHome, _: Path) -> None:
    _, records = _records(home)
    seq, first, *rest = msgpack.unpackb(records[-1].payload)
    forged, _chain = journal.frame(records[-1].chain, msgpack.packb([seq + 2, first, *rest]))
    with _newest(home).open("ab") as stream:
        stream.write(forged)


def forge_a_segment(home: KeeperHome, _: Path) -> None:
    (home.journal / f"{10**12 - 1}-{10**12 - 1}.kj").write_bytes(journal.header(bytes(32)))


def overwrite_file(home: KeeperHome, _: Path) -> None:
    home.file.write_bytes(b"not a database" * 1000)


def empty_file(home: KeeperHome, _: Path) -> None:
    home.file.write_bytes(b"")


def change_entry(home: KeeperHome, _: Path) -> None:
    _edit(home, "UPDATE entry SET body=CAST(replace(body,'ok','no') AS BLOB) WHERE idx=(SELECT max(idx) FROM entry)")


def drop_entry(home: KeeperHome, _: Path) -> None:
    _edit(home, "DELETE FROM entry WHERE idx=3")


def add_entry(home: KeeperHome, _: Path) -> None:
    _edit(home, "INSERT INTO entry SELECT max(idx)+1, body, hash FROM entry")


def change_checkpoint(home: KeeperHome, _: Path) -> None:
    _edit(home, "UPDATE meta SET value=replace(value,'log','lag') WHERE key='checkpoint'")


def drop_head(home: KeeperHome, _: Path) -> None:
    _edit(home, "DELETE FROM meta WHERE key='head'")


def take_the_log_key_of_another(home: KeeperHome, past: Path) -> None:
    other = KeeperHome(past / "other")
    other.init()
    shutil.copyfile(other.path / "keys" / "log.key", home.path / "keys" / "log.key")


STANDING: dict[Change, str] = {
    delete_journal: "the journal is missing",
    put_journal_back: "ahead of its journal",
    cut_journal: "journal",
    flip_last_record: "journal",
    take_journal_of_another: "journal",
    forge_last_record: "last known record is not the file's",
    forge_a_later_group: "skips a group",
    forge_a_segment: "does not continue",
    delete_file: "the keeper's file is missing",
    overwrite_file: "",
    empty_file: "",
    change_entry: "was changed",
    drop_entry: "",
    change_checkpoint: "checkpoint",
    drop_head: "",
    take_the_log_key_of_another: "",
}


@pytest.mark.parametrize("change", STANDING, ids=lambda change: change.__name__)
async def test_changed_while_standing_still(change: Change, standing: Standing) -> None:
    """The next start is sealed, says why, opens nothing, and leaves the journal as it found it."""
    home, _, past = standing

    change(home, past)

    before = [path.read_bytes() for path in home.segments()]
    await _sealed(home, STANDING[change])
    assert [path.read_bytes() for path in home.segments()] == before


def change_an_entry_and_its_hash(home: KeeperHome) -> None:
    body = b"{}"
    with contextlib.closing(sqlite3.connect(home.file, isolation_level=None)) as db:
        db.execute("UPDATE entry SET body=?, hash=? WHERE idx=100", (body, leaf_hash(body)))


def drop_an_entry_of_a_full_tile(home: KeeperHome) -> None:
    _edit(home, "DELETE FROM entry WHERE idx=100")


@pytest.mark.parametrize(
    ("change", "reason"),
    [(change_an_entry_and_its_hash, "tile 0 was changed"), (drop_an_entry_of_a_full_tile, "tile 0 are missing")],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_full_tile_changed_while_standing_still(
    change: Callable[[KeeperHome], None], reason: str, make_home: MakeHome
) -> None:
    """The signed root covers a full tile by its own root: what stands below it is compared with that."""
    home = await make_home()
    web = await home.client()
    await asyncio.gather(*(web.record(home.token("product"), "owner") for _ in range(300)))
    await home.disconnect()
    assert home.stop() == 0

    change(home)

    await _sealed(home, reason)


@pytest.mark.parametrize("beside_newer", [False, True], ids=["with its own", "beside a newer"])
async def test_file_alone_put_back(standing: Standing, tmp_path: Path, *, beside_newer: bool) -> None:
    """The journal brings everything back; somebody erased in between stays erased.

    A file beside the write-ahead log of a newer one can be no file of any moment: then it is sealed until that
    log is out of the way.
    """
    home, seen, past = standing
    newest = home.checkpoint_in_file
    put_file_back(home, past)
    if beside_newer:
        shutil.copyfile(past.parent / "newest-wal", _wal(home))
        assert home.start()
        is_sealed = (await (await home.client()).status())["state"] == "sealed"
        await home.disconnect()
        home.stop()
        if is_sealed:
            put_file_back(home, past)

    await _whole(home, seen, tmp_path / "after")
    assert home.checkpoint_in_file.size > newest.size


async def test_whole_home_put_back(standing: Standing, tmp_path: Path) -> None:
    """A home that is whole cannot know that it is yesterday's: a verifier that remembers does."""
    home, _, past = standing
    pinned, memory = home.vkey, tmp_path / "remembered"
    proved = verify_home(home.path, pinned, memory)
    assert proved.checkpoint == home.checkpoint_in_file

    put_file_back(home, past)
    put_journal_back(home, past)

    assert home.start()
    assert (await (await home.client()).status())["state"] == "open"
    with pytest.raises(Doubt):
        verify_home(home.path, pinned, memory)
    # Working on does not heal it: the log grows past what was seen, but along another branch.
    await work(home, Evidence(), workers=3, rounds=4)
    assert home.checkpoint_in_journal.size > proved.checkpoint.size
    await home.disconnect()
    home.stop()
    with pytest.raises(Doubt):
        verify_home(home.path, pinned, memory)


@pytest.mark.parametrize("offset", [len(journal.MAGIC), 2000], ids=["header", "record"])
async def test_older_journal_changed(offset: int, standing: Standing, tmp_path: Path) -> None:
    """A start reads what is new; history is what the verifier reads."""
    home, seen, _ = standing
    _flip(home.segments()[0], offset)
    with pytest.raises(Doubt):
        verify_home(home.path, home.vkey, tmp_path / "remembered")
    assert home.start()
    await check_readable(home, seen)
