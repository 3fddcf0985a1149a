"""Rotation of the epoch key: under load, struck at every step, and what it does to copies of the erased."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pyrage
import pytest

from crm.errors import CrmError, KeeperUnavailable
from crm.keeper.keys import KeyFault, Keyring, read_root
from crm.kit.ids import is_id, new_id
from crm.kit.pii import Pii
from crm.kit.proofs import read_entry
from tests.keeper.conftest import FaultsFor, MakeHome
from tests.keeper.evidence import Evidence, Worker, check_readable, work
from tests.keeper.faults import Fault
from tests.keeper.home import PASSWORD, KeeperHome
from tests.keeper.table import Table

IDENTITY = pyrage.x25519.Identity.generate()
RECOVERY = (str(IDENTITY.to_public()),)
# Calls on files below the home while a small home is backed up or rotated: writes, syncs, renames, unlinks.
STEPS = {"backup": 45, "rotate": 54}
KILLS = ("kill-before", "kill-after", "tear")


def _epochs(home: KeeperHome) -> list[str]:
    return sorted(path.name for path in (home.path / "keys").glob("epoch-*.key"))


def _escrows(home: KeeperHome) -> list[str]:
    return sorted(path.name for path in (home.path / "keys" / "escrow").glob("*.age"))


async def _rotate(home: KeeperHome) -> dict[str, object]:
    host = await home.client("admin")
    done: dict[str, object] = await host.call("rotate")
    return done


async def test_rotation_under_load(make_home: MakeHome, faults_for: FaultsFor, tmp_path: Path) -> None:
    """Clients notice nothing; afterwards every key is wrapped under the new epoch, and the old key is gone."""
    home = await make_home(start=False, recovery=RECOVERY)
    faults = faults_for(home)
    assert home.start(env=faults.env)
    table = Table(home, faults, tmp_path / "examined")
    before, during = Evidence(), Evidence()
    table.before += [before, during]
    await work(home, before, workers=3, rounds=3)

    async with asyncio.TaskGroup() as together:
        working = together.create_task(work(home, during, workers=4, rounds=6))
        done = await _rotate(home)
        assert not working.done(), "there was no load"

    assert done["epoch"] == 2
    assert {row[0][:4] for row in home.rows("SELECT wrapped FROM subject WHERE wrapped IS NOT NULL")} == {b"\0\0\0\2"}
    assert _epochs(home) == ["epoch-2.key"]
    assert _escrows(home) == ["epoch-1.age", "epoch-2.age"]
    assert Path(str(done["snapshot"])).exists()
    for seen in (before, during):
        await check_readable(home, seen)
    assert home.stop() == 0
    assert home.start()
    for seen in (before, during):
        await check_readable(home, seen)
    entries = [read_entry(entry) for entry in home.entries()]
    assert [entry["epoch"] for entry in entries if entry["act"] == "rotate"] == [2]
    await table.close()


async def _strike(table: Table, verb: str, fault: Fault) -> None:
    """Kill the keeper in a backup or rotation; everything opens afterwards, and the next one succeeds."""
    seen = Evidence()
    table.before.append(seen)
    await work(table.home, seen, workers=2, rounds=2)
    host = await table.home.client("admin")
    table.faults.arm(fault)
    try:
        await host.call(verb)
    except KeeperUnavailable:
        await table.settle(-9)
        assert _epochs(table.home)[-1].replace(".key", ".age") in _escrows(table.home), f"{fault}: no escrow"
    else:
        # This one took fewer steps than others: it was not struck.
        assert not table.faults.fired, f"{fault}: answered and killed"
        table.faults.disarm()
    await check_readable(table.home, seen)
    await (await table.home.client("admin")).call(verb)
    await check_readable(table.home, seen)
    if verb == "rotate":
        left = [path.name for path in (table.home.path / "keys").glob("epoch-*")]
        assert len(left) == 1, f"{fault}: an epoch's key that is not used any more is still there: {left}"


@pytest.fixture
async def escrowed(make_home: MakeHome, faults_for: FaultsFor, tmp_path: Path) -> Table:
    """Return a running home with escrow and faults at hand."""
    home = await make_home(start=False, recovery=RECOVERY)
    faults = faults_for(home)
    assert home.start(env=faults.env), home.stderr()
    return Table(home, faults, tmp_path / "examined")


@pytest.mark.parametrize("verb", STEPS)
async def test_killed_in_the_middle(escrowed: Table, verb: str) -> None:
    draw = random.Random(verb)  # noqa: S311 - the same draw in every run
    for nth in sorted(draw.sample(range(1, STEPS[verb]), 4)):
        await _strike(escrowed, verb, Fault("any", "any", draw.choice(KILLS), nth))
    await escrowed.close()


# The steps that are not like any other: the two keys, the two escrows, the snapshot, its note, the new segment.
@pytest.mark.parametrize(
    "fault",
    [
        Fault("epoch-2.key", "rename", "kill-after"),
        Fault("epoch-2.age", "rename", "kill-before"),
        Fault("epoch-1.key.gone", "rename", "kill-after"),
        Fault("epoch-1.key.gone", "write", "kill-after"),
        Fault("epoch-1.key.gone", "unlink", "kill-before"),
        Fault(".note", "rename", "kill-before"),
        Fault(".kj", "rename", "kill-before"),
        Fault(".kj", "rename", "kill-after"),
    ],
    ids=str,
)
async def test_killed_where_a_key_changes_hands(escrowed: Table, fault: Fault) -> None:
    await _strike(escrowed, "rotate", fault)
    await escrowed.close()


@pytest.mark.soak
@pytest.mark.parametrize("action", KILLS)
@pytest.mark.parametrize("verb", STEPS)
async def test_killed_at_every_step(escrowed: Table, verb: str, action: str) -> None:
    for nth in range(1, STEPS[verb] + 40):
        await _strike(escrowed, verb, Fault("any", "any", action, nth))
    await escrowed.close()


async def test_an_escrow_that_cannot_be_written(escrowed: Table) -> None:
    """An epoch without escrow is not used: who is made afterwards could not be recovered."""
    seen = Evidence()
    escrowed.before.append(seen)
    host = await escrowed.home.client("admin")
    escrowed.faults.arm(Fault("epoch-2.age.new", "any", "full"))
    with pytest.raises(CrmError):
        await host.call("rotate")
    await work(escrowed.home, seen, workers=2, rounds=2)
    process = escrowed.home.process
    assert process
    status = process.poll()
    if status is None:
        wraps = escrowed.home.rows("SELECT wrapped FROM subject WHERE wrapped IS NOT NULL")
        assert {row[0][:4] for row in wraps} == {b"\0\0\0\1"}
        escrowed.faults.disarm()
    else:
        await escrowed.settle(74)
    await host.call("rotate")
    await check_readable(escrowed.home, seen)
    assert _epochs(escrowed.home)[-1].replace(".key", ".age") in _escrows(escrowed.home)
    await escrowed.close()


# Erasure that holds.


def _wraps(home: KeeperHome) -> Iterator[tuple[str, bytes]]:
    """Yield every wrapped key that a copy of a home holds, in file and journal, by subject."""
    yield from home.rows("SELECT id, wrapped FROM subject WHERE wrapped IS NOT NULL")
    for group in home.groups():
        for op in group.ops:
            if op[0] in {"subject", "rewrap"}:
                subject = next(part for part in op[1:] if isinstance(part, str) and is_id(part))
                yield from ((subject, part) for part in op if isinstance(part, bytes))


def _opens(home: KeeperHome, keys: Path) -> set[str]:
    """Return whose keys a copy gives away to whoever holds the keys of a home as well."""
    tenant = home.rows("SELECT value FROM meta WHERE key='tenant'")[0][0]
    ring = Keyring(keys, read_root(keys, None), tenant)
    found = set()
    for subject, wrapped in _wraps(home):
        try:
            ring.subject(subject, wrapped)
        except KeyFault:
            continue
        found.add(subject)
    return found


async def _staff(home: KeeperHome, seen: Evidence) -> Worker:
    web = await home.client()
    signed = await web.sign_in("staff", Pii(PASSWORD))
    return Worker(web, signed.token.reveal(), home.cast["staff"].id, seen)


async def test_erasure_holds_against_old_copies(make_home: MakeHome, tmp_path: Path) -> None:
    """After rotation and the end of escrow, an old copy of file and journal with the current keys opens nobody."""
    home, seen = await make_home(recovery=RECOVERY, clock=True), Evidence()
    assert home.clock
    worker = await _staff(home, seen)
    erased, kept = [new_id() for _ in range(3)], new_id()
    for subject in (*erased, kept):
        await worker.put(subject, 0, identity={"given_name": subject})
    backup = await (await home.client("admin")).call("backup")
    await home.disconnect()
    home.stop()
    old = home.copy(tmp_path / "old")
    assert home.start()
    worker = await _staff(home, seen)
    for subject in erased:
        await worker.erase(subject)
    home.clock.advance(hours=73)
    while home.rows("SELECT 1 FROM subject WHERE state='erasing'"):
        await asyncio.sleep(0.05)
    # Erased here, and not yet in copies: the epoch's key is still the same.
    assert _opens(old, home.path / "keys") >= set(erased)

    done = await _rotate(home)
    assert not _opens(old, home.path / "keys") & set(erased)
    # With its escrow, held by whoever holds a recovery identity, it still would be.
    recovered = _recover(home, old, tmp_path / "recovered")
    assert recovered >= set(erased)

    home.clock.advance(hours=35 * 24 + 1)
    while "epoch-1.age" in _escrows(home):
        await asyncio.sleep(0.05)
    assert _escrows(home) == ["epoch-2.age"]
    assert not _recover(home, old, tmp_path / "again") & set(erased)

    # Who was not erased is there, here and in the snapshot that the rotation took.
    worker = await _staff(home, seen)
    await worker.open(kept)
    assert kept in _opens(home, home.path / "keys")
    assert Path(str(done["snapshot"])).exists()
    assert Path(str(backup["snapshot"])).exists()
    acts = [read_entry(entry)["act"] for entry in home.entries()]
    assert acts.index("erased") < acts.index("rotate") < acts.index("escrow_destroyed")
    await home.disconnect()
    home.stop()

    # The old copy, run with the current keys: it starts, and opens nobody.
    shutil.rmtree(old.path / "keys")
    shutil.copytree(home.path / "keys", old.path / "keys")
    assert old.start()
    web = await old.client()
    who = old.token("staff")
    for subject in (*erased, kept):
        with pytest.raises(CrmError):
            await web.open(who, "serve", subjects=[subject], fields=["identity"], reason="call")
    await old.aclose()


def _recover(home: KeeperHome, old: KeeperHome, folder: Path) -> set[str]:
    """Return whose keys an old copy gives away to whoever holds a recovery identity and the escrows of now."""
    tenant = old.rows("SELECT value FROM meta WHERE key='tenant'")[0][0]
    shutil.copytree(home.path / "keys", folder)
    root = read_root(folder, None)
    for escrow in (home.path / "keys" / "escrow").glob("*.age"):
        for name, key in msgpack.unpackb(pyrage.decrypt(escrow.read_bytes(), [IDENTITY])).items():
            Keyring.store(folder, root, tenant, name, key)
    return _opens(old, folder)
