"""The restore drill: a snapshot and the journal bring a home back to its last checkpoint; a lost journal costs."""

import asyncio
import contextlib
import copy
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyrage
import pytest

from crm.audit.service import verify_home
from crm.errors import CrmError, NotFound
from crm.keeper.keys import Keyring, read_root
from crm.kit import journal, note
from crm.kit.files import lock
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from crm.kit.proofs import read_entry
from crm.kit.signed import Checkpoint
from crm.recovery.restore import tenant_of
from tests.keeper.conftest import MakeHome
from tests.keeper.evidence import Evidence, Examined, Worker, check_readable, work
from tests.keeper.home import PASSWORD, KeeperHome

IDENTITY, OTHER = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
RECOVERY = (str(IDENTITY.to_public()), str(pyrage.x25519.Identity.generate().to_public()))


@dataclass
class Drill:
    """What was done on a home before it was lost."""

    home: KeeperHome
    seen: Evidence = field(default_factory=Evidence)
    people: dict[str, str] = field(default_factory=dict)
    snapshot: Path = Path()
    vkey: str = ""
    last: Checkpoint | None = None
    note: str = ""

    def restore(self, *options: str | Path, stdin: str = "") -> "tuple[int, str]":
        """Run the command; returns its status and what it said."""
        done = self.home.call("restore", "--snapshot", self.snapshot, "--key", self.vkey, *options, stdin=stdin)
        return done.returncode, done.stdout + done.stderr


async def _worker(home: KeeperHome, seen: Evidence) -> Worker:
    web = await home.client()
    signed = await web.sign_in("staff", Pii(PASSWORD))
    return Worker(web, signed.token.reveal(), home.cast["staff"].id, seen)


@pytest.fixture(scope="module")
def drilled() -> list[Drill]:
    """Hold the home that was drilled on, once it was."""
    return []


@pytest.fixture
async def drill(make_home: MakeHome, drilled: list[Drill], tmp_path: Path) -> AsyncIterator[Drill]:
    """Return what was done, on a copy of the home of its own."""
    if not drilled:
        drilled.append(await _drill(await make_home(clock=True, recovery=RECOVERY), tmp_path / "safe"))
    first = drilled[0]
    assert first.home.clock
    home = first.home.copy(tmp_path / "copy", clock=True)
    assert home.clock
    home.clock.set(first.home.clock.wall_ms, first.home.clock.steady_ms)
    safe = shutil.copytree(first.snapshot.parent, tmp_path / "copied")
    yield replace(first, home=home, seen=copy.deepcopy(first.seen), snapshot=safe / first.snapshot.name)
    await home.aclose()


async def _drill(home: KeeperHome, safe: Path) -> Drill:
    """Make and erase people before and after a snapshot; then the process ends as in a power cut."""
    assert home.clock
    done = Drill(home, vkey=home.vkey)
    worker = await _worker(home, done.seen)

    async def make(*names: str) -> None:
        for name in names:
            done.people[name] = new_id()
            await worker.put(
                done.people[name], 0, identity={"given_name": name}, channels={"emails": [f"{name}@b.example"]}
            )

    await make("kept", "erased before", "erased after", "erasing", "changed after")
    await worker.erase(done.people["erased before"])
    home.clock.advance(hours=73)
    while home.rows("SELECT 1 FROM subject WHERE state='erasing'"):
        await asyncio.sleep(0.05)
    made = await (await home.client("admin")).call("backup", to=str(safe))
    done.snapshot = Path(made["snapshot"])

    worker = await _worker(home, done.seen)
    await make("made after")
    await worker.put(done.people["changed after"], 1, channels={"emails": ["new@b.example"]})
    record, text = new_id(), {"notes": "sealed after the snapshot"}
    who = done.people["made after"]
    sealed = await worker.web.seal(worker.token, "serve", [{"subject": who, "record": record, "fields": text}])
    done.seen.records[record] = who, sealed.blobs[record], text
    await worker.erase(done.people["erased after"])
    home.clock.advance(hours=73)
    while home.rows("SELECT 1 FROM subject WHERE state='erasing'"):
        await asyncio.sleep(0.05)
    worker = await _worker(home, done.seen)
    await worker.erase(done.people["erasing"])
    await worker.open(done.people["made after"])
    done.note = await worker.web.checkpoint()
    await home.disconnect()
    home.kill()
    done.last = home.checkpoint_in_journal
    return done


async def _whole(done: Drill, home: KeeperHome, scratch: Path) -> None:
    """Nothing is missing: not an entry, nobody who was made, nobody who was erased."""
    assert done.last
    files = Examined(home, scratch)
    assert files.in_file == done.last
    files.check_log()
    files.check_left(home, done.seen)
    assert home.start(), home.stderr()
    worker = await _worker(home, Evidence())
    home.cast["staff"] = type(home.cast["staff"])(worker.actor, "staff", ["staff"], worker.token)
    await check_readable(home, done.seen)
    opened = await worker.web.open(
        worker.token, "serve", subjects=[done.people["changed after"]], fields=["channels"], reason="call"
    )
    assert opened.people[done.people["changed after"]]["channels"].reveal() == {"emails": ["new@b.example"]}
    assert opened.index > done.last.size
    # Who asked may not cancel; a second person still can: the erasure that was running is running.
    web = await home.client()
    other = (await web.sign_in("staff2", Pii(PASSWORD))).token.reveal()
    with pytest.raises(CrmError):
        await web.cancel_erase(worker.token, done.people["erasing"])
    await web.cancel_erase(other, done.people["erasing"])
    for gone in ("erased before", "erased after"):
        with pytest.raises(NotFound):
            await web.cancel_erase(other, done.people[gone])


async def test_from_snapshot_and_journal(drill: Drill, tmp_path: Path) -> None:
    """The keeper's file is lost. The journal has everything since the snapshot."""
    shutil.rmtree(drill.home.file.parent)
    status, said = drill.restore()
    assert status == 0, said
    assert drill.last
    assert str(drill.last.size) in said
    await _whole(drill, drill.home, tmp_path / "after")


async def test_from_escrow_on_another_machine(drill: Drill, tmp_path: Path) -> None:
    """Everything is lost but snapshot, journal (another volume) and escrow: keys and service keys are made anew."""
    home = KeeperHome(tmp_path / "another machine", clock=True)
    assert home.clock
    assert drill.home.clock
    home.clock.set(drill.home.clock.wall_ms, drill.home.clock.steady_ms)
    shutil.copytree(drill.home.journal, home.journal)
    escrow = shutil.copy(drill.home.path / "keys" / "escrow" / "epoch-1.age", tmp_path / "copied")
    home.cast, lost, drill.home = dict(drill.home.cast), drill.home, home

    status, said = drill.restore("--escrow", escrow, stdin=f"{OTHER}\n")
    assert status == 75
    assert "identity" in said
    assert not home.file.exists()
    status, said = drill.restore("--escrow", escrow, stdin=f"{IDENTITY}\n")
    assert status == 0, said
    assert drill.restore("--escrow", escrow, stdin=f"{IDENTITY}\n")[0] == 75, "there is a file here already"
    home.file.unlink()
    assert "keys here already" in drill.restore("--escrow", escrow, stdin=f"{IDENTITY}\n")[1]
    assert not home.file.exists()
    status, said = drill.restore()
    assert status == 0, said

    try:
        assert home.vkey == drill.vkey
        await _whole(drill, home, tmp_path / "after")
    finally:
        await home.aclose()
    assert (home.path / "keys" / "root.key").read_bytes() != (lost.path / "keys" / "root.key").read_bytes()


async def test_what_is_refused(drill: Drill, tmp_path: Path) -> None:
    """What was not signed is not put in place; what was refused leaves nothing in the way of the right one."""
    home, snapshot, vkey = drill.home, drill.snapshot, drill.vkey
    signed = snapshot.with_suffix(".note")
    assert drill.restore()[0] == 75, "there is a keeper's file here"
    shutil.rmtree(home.file.parent)

    content, text = snapshot.read_bytes(), signed.read_text()
    snapshot.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    assert "not the file" in drill.restore()[1]
    snapshot.write_bytes(content)
    signed.write_text(text.replace("snapshot/1", "snapshot/2"))
    assert "not signed" in drill.restore()[1]
    signed.unlink()
    assert drill.restore()[0] == 75
    signed.write_text(text)
    other = KeeperHome(tmp_path / "other")
    other.init()
    drill.vkey = other.vkey
    assert "not signed" in drill.restore()[1]
    drill.vkey = vkey

    segments = home.segments()
    whole = segments[-1].read_bytes()
    middle = len(whole) // 2
    segments[-1].write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    status, said = drill.restore()
    assert status == 75
    assert "journal" in said
    segments[-1].write_bytes(whole)
    shutil.move(home.journal, tmp_path / "away")
    status, said = drill.restore()
    assert status == 75
    assert "journal" in said
    assert not home.file.exists()
    shutil.rmtree(home.journal, ignore_errors=True)
    shutil.move(tmp_path / "away", home.journal)

    status, said = drill.restore()
    assert status == 0, said
    await _whole(drill, home, tmp_path / "after")


# What may have become of the journal's end, as bytes; the newest segment begins behind the snapshot.


def _last_byte_lost(content: bytes) -> bytes:
    return content[:-1]


def _last_byte_changed(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def _first_length_changed(content: bytes) -> bytes:
    """A record that claims to be longer than the file takes every whole one behind it along."""
    return content[: journal.HEADER_SIZE] + b"\x7f" + content[journal.HEADER_SIZE + 1 :]


def _zeros_appended(content: bytes) -> bytes:
    return content + bytes(512)


ENDS = (_last_byte_lost, _last_byte_changed, _first_length_changed, _zeros_appended)


def _records(segment: Path) -> list[journal.Record]:
    with segment.open("rb") as stream:
        return list(journal.records(stream, journal.HEADER_SIZE, journal.read_header(stream)))


def _kept(tmp_path: Path, text: str) -> Path:
    """Write down a checkpoint, as somebody keeps it."""
    path = tmp_path / "kept checkpoint"
    path.write_text(text)
    return path


def _forged(drill: Drill, size: int) -> str:
    """Sign a tree that never was, with the log's own key: what another history of the same log looks like."""
    keys = drill.home.path / "keys"
    ring = Keyring(keys, read_root(keys, None), tenant_of(drill.snapshot))
    assert drill.last
    return note.sign_note(
        Checkpoint(drill.last.origin, size, bytes(32)).text(), note.Signer(drill.last.origin, ring.log)
    )


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__.strip("_"))
async def test_a_journal_without_its_end(drill: Drill, tmp_path: Path, end: Callable[[bytes], bytes]) -> None:
    """It is refused and left as it is, unless a checkpoint says that nothing is missing; what is cut off is kept."""
    home, last = drill.home, drill.last
    assert last
    newest, groups = home.segments()[-1], home.groups()
    shutil.rmtree(home.file.parent)
    newest.write_bytes(end(newest.read_bytes()))
    content, left = newest.read_bytes(), home.groups()
    is_lost = len(left) < len(groups)

    status, said = drill.restore()
    assert status == 75
    assert "--last-known" in said
    if is_lost:
        status, said = drill.restore("--last-known", _kept(tmp_path, groups[-1].checkpoint))
        assert status == 75
        assert str(last.size) in said
    assert not home.file.exists()
    assert home.segments()[-1].read_bytes() == content
    assert not list(home.journal.glob("*.cut-*"))

    status, said = drill.restore("--last-known", _kept(tmp_path, left[-1].checkpoint))
    assert status == 0, said
    assert home.checkpoint_in_file == home.signed(left[-1].checkpoint)
    [cut] = home.journal.glob("*.cut-*")
    assert cut.name in said
    assert newest.read_bytes() + cut.read_bytes() == content
    assert cut.stat().st_mode & 0o077 == 0
    if not is_lost:
        await _whole(drill, home, tmp_path / "after")


async def test_a_journal_cut_between_two_records(drill: Drill, tmp_path: Path) -> None:
    """Nothing in it tells that anything is missing: whoever kept a checkpoint can, and else the command says so."""
    home, last = drill.home, drill.last
    assert last
    newest, before = home.segments()[-1], home.groups()[-2]
    known = _kept(tmp_path, home.groups()[-1].checkpoint)
    shutil.rmtree(home.file.parent)
    newest.write_bytes(newest.read_bytes()[: _records(newest)[-2].end])

    status, said = drill.restore("--last-known", known)
    assert status == 75
    assert str(last.size) in said
    assert not home.file.exists()

    status, said = drill.restore()
    assert status == 0
    assert "--last-known" in said
    assert home.checkpoint_in_file == home.signed(before.checkpoint)


async def test_a_whole_journal_and_a_checkpoint(drill: Drill, tmp_path: Path) -> None:
    """With the newest one kept, nothing remains to be said; older ones than the snapshot are compared too."""
    home = drill.home
    shutil.rmtree(home.file.parent)
    for group in (home.groups()[3], home.groups()[-1]):
        status, said = drill.restore("--last-known", _kept(tmp_path, group.checkpoint))
        assert status == 0, said
        assert "--last-known" not in said
        assert not list(home.journal.glob("*.cut-*"))
        shutil.rmtree(home.file.parent)


async def test_a_checkpoint_that_is_not_of_this_log(drill: Drill, tmp_path: Path) -> None:
    home, last, vkey = drill.home, drill.last, drill.vkey
    assert last
    shutil.rmtree(home.file.parent)
    other = KeeperHome(tmp_path / "other")
    other.init()

    for size in (3, last.size):
        status, said = drill.restore("--last-known", _kept(tmp_path, _forged(drill, size)))
        assert status == 75
        assert "not the one" in said
    altered = drill.note.replace(f"\n{home.signed(drill.note).size}\n", "\n1\n")
    for text in ("", altered, drill.snapshot.with_suffix(".note").read_text()):
        status, said = drill.restore("--last-known", _kept(tmp_path, text))
        assert status == 75
        assert "not signed" in said
    assert "missing" in drill.restore("--last-known", tmp_path / "nowhere")[1]
    drill.vkey = other.vkey
    assert "not signed" in drill.restore("--last-known", _kept(tmp_path, drill.note))[1]
    drill.vkey = vkey
    assert not home.file.exists()


async def test_a_journal_changed_before_its_end(drill: Drill, tmp_path: Path) -> None:
    """No checkpoint makes it right, and nothing is cut off."""
    home = drill.home
    known = _kept(tmp_path, home.groups()[3].checkpoint)
    shutil.rmtree(home.file.parent)
    older, newest = home.segments()[-2:]
    whole = older.read_bytes(), newest.read_bytes()
    forged, _ = journal.frame(_records(newest)[-1].chain, b"\xc1")

    for path, content in ((older, whole[0][:-1]), (newest, whole[1] + forged)):
        path.write_bytes(content)
        status, said = drill.restore("--last-known", known)
        assert status == 75
        assert "changed" in said
        assert path.read_bytes() == content
        older.write_bytes(whole[0])
    newest.write_bytes(whole[1])

    assert not home.file.exists()
    assert drill.restore("--last-known", known)[0] == 0


async def test_one_at_a_time_on_a_home(drill: Drill, tmp_path: Path) -> None:
    """A keeper holds its home's lock, and so does each of these commands; one that came too late changes nothing."""
    home, new = drill.home, KeeperHome(tmp_path / "new")
    new.file.parent.mkdir(parents=True)
    held = lock(new.file.with_name("lock"))
    assert held is not None
    done = new.call("init", "--origin", "k.example/log")
    assert (done.returncode, list(new.path.iterdir())) == (75, [new.file.parent])
    assert "running" in done.stderr
    os.close(held)
    new.init()

    shutil.rmtree(home.file.parent)
    home.file.parent.mkdir()
    assert home.start(), "sealed, and running"
    status, said = drill.restore()
    assert status == 75
    assert "running" in said
    assert not home.file.exists()
    assert home.stop() == 75
    status, said = drill.restore()
    assert status == 0, said


ADMIN, AUDITOR = f"admin {PASSWORD}", f"auditor {PASSWORD}"


REFUSED = {
    "one person twice": (ADMIN, ADMIN),
    "a wrong password": (ADMIN, f"auditor {PASSWORD}!"),
    "without the role": (ADMIN, f"staff {PASSWORD}"),
    "unknown": (f"nobody {PASSWORD}", ADMIN),
    "one alone": (ADMIN, ""),
}


async def test_loss_takes_two_people(drill: Drill) -> None:
    """Whoever is missing, nothing is begun; and with a journal at hand nobody may leave it out."""
    home = drill.home
    shutil.rmtree(home.file.parent)
    both = f"{ADMIN}\n{AUDITOR}\n"
    before = [path.read_bytes() for path in home.segments()]
    assert drill.restore("--with-loss", stdin=both)[0] == 75
    assert [path.read_bytes() for path in home.segments()] == before
    shutil.rmtree(home.journal)

    for why, people in REFUSED.items():
        status, said = drill.restore("--with-loss", stdin="\n".join(people) + "\n")
        assert status == 75, f"{why}: {said}"
        assert not home.file.exists(), why
        assert not home.segments(), why
        assert home.vkey == drill.vkey, why

    status, said = drill.restore("--with-loss", stdin=both)
    assert status == 0, said


async def test_with_loss(drill: Drill, tmp_path: Path) -> None:
    """The journal is lost too: a new log says what the old one's end was and what is missing."""
    home, last = drill.home, drill.last
    assert last
    taken = int(drill.snapshot.stem.removeprefix("snapshot-"))
    shutil.rmtree(home.file.parent)
    shutil.rmtree(home.journal)
    known = tmp_path / "newest.txt"
    known.write_text(drill.note)
    newest = home.signed(drill.note)

    status, said = drill.restore("--with-loss", "--last-known", known, stdin=f"{ADMIN}\n{AUDITOR}\n")
    assert status == 0, said
    facts = json.loads(said)
    assert (facts["old_origin"], facts["old_size"]) == (last.origin, newest.size)
    assert (facts["old_root"], facts["kept_until"]) == (newest.root.hex(), taken)
    assert facts["missing"] == newest.size - taken
    assert facts["agreed"] == [home.cast["admin"].id, home.cast["auditor"].id]

    assert home.start(), home.stderr()
    assert home.vkey != drill.vkey
    web = await home.client()
    await home.searchable(web)
    entries = [read_entry(entry) for entry in home.entries()]
    first = entries[0]
    assert {name: first[name] for name in facts} == facts
    assert home.checkpoint_in_file.origin != last.origin
    proved = verify_home(home.path, home.vkey, tmp_path / "remembered")
    assert proved.checkpoint.origin == home.checkpoint_in_file.origin

    worker = await _worker(home, Evidence())
    for name in ("kept", "changed after", "erased after", "erasing"):
        await worker.open(drill.people[name]) if name in drill.seen.stored else None
        opened = await worker.web.open(
            worker.token, "serve", subjects=[drill.people[name]], fields=["identity"], reason="call"
        )
        assert opened.people[drill.people[name]]["identity"].reveal() == {"given_name": name}
    for name in ("made after", "erased before"):
        with pytest.raises(NotFound):
            await worker.open(drill.people[name])
    assert home.stop() == 0
    assert home.start(), "the new log goes on like any other"
    assert read_entry(home.entries()[0])["act"] == first["act"]


async def test_with_loss_and_an_older_checkpoint(drill: Drill, tmp_path: Path) -> None:
    """What the snapshot holds is known too; and it must be the log of the checkpoint."""
    home = drill.home
    older = home.groups()[3].checkpoint
    shutil.rmtree(home.file.parent)
    shutil.rmtree(home.journal)
    both = f"{ADMIN}\n{AUDITOR}\n"

    status, said = drill.restore("--with-loss", "--last-known", _kept(tmp_path, _forged(drill, 3)), stdin=both)
    assert status == 75
    assert "not the one" in said
    assert not home.file.exists()

    status, said = drill.restore("--with-loss", "--last-known", _kept(tmp_path, older), stdin=both)
    assert status == 0, said
    facts = json.loads(said)
    assert (facts["old_size"], facts["missing"]) == (facts["kept_until"], 0)


async def test_a_home_whose_root_is_a_passphrase(tmp_path: Path) -> None:
    """Restored with the passphrase, as it is started with it; without it, sealed."""
    home = KeeperHome(tmp_path / "home")
    done = home.call("init", "--origin", "k.example/log", "--passphrase-stdin", stdin="a long passphrase\n")
    assert done.returncode == 0, done.stderr
    try:
        assert home.start("--passphrase-stdin", stdin="a long passphrase\n"), home.stderr()
        made = await (await home.client("admin")).call("backup")
        await home.disconnect()
        assert home.stop() == 0
        newest = home.checkpoint_in_file
        shutil.rmtree(home.file.parent)
        drill = Drill(home, snapshot=Path(made["snapshot"]), vkey=home.vkey)
        assert drill.restore("--passphrase-stdin", stdin="another\n")[0] == 75
        status, said = drill.restore("--passphrase-stdin", stdin="a long passphrase\n")
        assert status == 0, said
        assert home.checkpoint_in_file == newest
        assert home.start()
        assert (await (await home.client()).status())["state"] == "sealed"
        await home.disconnect()
        assert home.stop() == 75
        assert home.start("--passphrase-stdin", stdin="a long passphrase\n")
        assert (await (await home.client()).status())["state"] == "open"
    finally:
        await home.aclose()


async def test_what_a_lost_file_left_beside_it_is_not_laid_over_the_snapshot(make_home: MakeHome) -> None:
    """The keeper was killed and its file alone is gone: the write-ahead log of that file is of no other."""
    home, seen = await make_home(), Evidence()
    made = await (await home.client("admin")).call("backup")
    await work(home, seen, workers=3, rounds=8)
    await home.disconnect()
    assert home.kill() == -9
    newest = home.checkpoint_in_journal
    assert home.file.with_name("keeper.db-wal").stat().st_size > 0
    home.file.unlink()

    status, said = Drill(home, snapshot=Path(made["snapshot"]), vkey=home.vkey).restore()

    assert status == 0, said
    assert home.checkpoint_in_file == newest
    with contextlib.closing(sqlite3.connect(home.file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert home.start(), home.stderr()
    await check_readable(home, seen)


async def test_a_journal_on_another_volume(tmp_path: Path) -> None:
    """The whole home but its keys is lost; its path has blanks, umlauts and more characters than a socket's may."""
    home = KeeperHome(tmp_path / ("Kundenkartei für Müller & Söhne " * 4), journal_folder=tmp_path / "second volume")
    home.init()
    try:
        assert home.start(), home.stderr()
        made = await (await home.client("admin")).call("backup", to=str(tmp_path / "third"))
        await home.disconnect()
        assert home.kill() == -9
        assert not (home.path / "journal").exists()
        newest = home.checkpoint_in_journal
        shutil.rmtree(home.file.parent)
        drill = Drill(home, snapshot=Path(made["snapshot"]), vkey=home.vkey)
        status, said = drill.restore()
        assert status == 0, said
        assert home.checkpoint_in_file == newest
        assert home.start(), home.stderr()
        assert (await (await home.client()).status())["state"] == "open"
    finally:
        await home.aclose()
