"""The crash table: whatever strikes, everything that left is in the log, and nothing acknowledged is lost.

A fault strikes a keeper that several clients work on (`fault/fault.c`, preloaded). Its files are read as they
lie there, it is started again without the fault, and the clients' evidence is held against it. ``make soak``
walks through every call; the gate strikes each kind once, in places a seeded draw chooses.
"""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm.kit.proofs import read_entry
from tests.keeper.conftest import FaultsFor
from tests.keeper.evidence import Evidence, check_readable, work
from tests.keeper.faults import Fault, Faults
from tests.keeper.home import ORIGIN, KeeperHome
from tests.keeper.table import SYNC, WRITE, Table, expected

# The calls a group makes: one write and one sync in the journal; many writes and one sync in the write-ahead
# log. The upper end is what the smallest run of the workload surely reaches.
PLACES = {("journal", "write"): 25, ("journal", "sync"): 25, ("wal", "write"): 250, ("wal", "sync"): 25}
STRIKES = [(target, calls, action) for target, calls in PLACES for action in (WRITE if calls == "write" else SYNC)]


@pytest.mark.parametrize(("target", "calls"), PLACES)
async def test_a_write_fails_while_clients_work(table: Table, target: str, calls: str) -> None:
    """Every kind of failure of one kind of call, one after the other on one home."""
    draw = random.Random(f"{target} {calls}")  # noqa: S311 - the same draw in every run
    for action in WRITE if calls == "write" else SYNC:
        await table.strike(Fault(target, calls, action, draw.randint(1, PLACES[target, calls])))
    await table.close()


@pytest.mark.soak
@pytest.mark.parametrize(("target", "calls", "action"), STRIKES)
async def test_every_write_fails_once(table: Table, target: str, calls: str, action: str) -> None:
    """The full product: every kind of failure at every call of a run."""
    most = PLACES[target, calls]
    for nth in range(1, most + 1, max(1, most // 25)):
        await table.strike(Fault(target, calls, action, nth))
    await table.close()


ANY = st.sampled_from(STRIKES).flatmap(
    lambda strike: st.builds(Fault, *map(st.just, strike), st.integers(1, PLACES[strike[:2]]))
)


async def _any(table: Table, strikes: Sequence[Fault]) -> None:
    for fault in strikes:
        await table.strike(fault)
    await table.close()
    assert table.home.start(env=table.faults.env)


@given(st.lists(ANY, min_size=1, max_size=3))
@settings(max_examples=4, derandomize=True, suppress_health_check=list(HealthCheck))
async def test_any_faults_in_any_order(table: Table, strikes: Sequence[Fault]) -> None:
    """Whatever strikes in whatever order, on a home that was struck before."""
    await _any(table, strikes)


@pytest.mark.soak
@given(st.lists(ANY, min_size=1, max_size=6))
@settings(max_examples=60, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
async def test_many_faults_in_any_order(table: Table, strikes: Sequence[Fault]) -> None:
    """The same, for long; nothing is made smaller afterwards, because each run differs."""
    await _any(table, strikes)


# Calls below a new home while it is made.
INIT_STEPS = 215


def _strike_init(home: KeeperHome, faults: Faults, fault: Fault) -> None:
    faults.arm(fault)
    done = home.call("init", "--origin", ORIGIN, env=faults.env)
    assert done.returncode == -9 if faults.fired else done.returncode == 0
    faults.disarm()
    if not home.file.exists():
        home.init()
    assert home.start(), f"{fault}: {home.stderr()}"
    assert home.stop() == 0
    assert home.checkpoint_in_file == home.checkpoint_in_journal
    shutil.rmtree(home.path)


def test_killed_while_a_home_is_made(faults_for: FaultsFor, tmp_path: Path) -> None:
    """Half a home is none: making it again makes it whole."""
    home = KeeperHome(tmp_path / "new")
    faults = faults_for(home)
    for nth in sorted(random.Random("init").sample(range(1, INIT_STEPS), 3)):  # noqa: S311 - the same draw in every run
        _strike_init(home, faults, Fault("any", "any", "kill-before", nth))


@pytest.mark.soak
@pytest.mark.parametrize("action", ["kill-before", "kill-after", "tear"])
def test_killed_at_every_step_of_making_a_home(action: str, faults_for: FaultsFor, tmp_path: Path) -> None:
    """The same, for each."""
    home = KeeperHome(tmp_path / "new")
    faults = faults_for(home)
    for nth in range(1, INIT_STEPS + 30):
        _strike_init(home, faults, Fault("any", "any", action, nth))


async def test_a_person_without_a_row(table: Table) -> None:
    """Killed behind its answer, before the database commits: the keeper lists the person, and marks it an orphan."""
    seen = Evidence()
    table.before.append(seen)
    await work(table.home, seen, workers=1, rounds=1)
    await table.home.disconnect()
    table.home.kill()
    assert table.home.start(env=table.faults.env)
    web = await table.home.client()
    made = (await web.made(-1))["items"]
    (subject,), (record,) = seen.stored, seen.records
    assert {(item["subject"], item["record"]) for item in made} == {(subject, None), (subject, record)}
    index = await web.orphan([{"subject": subject, "record": None}, {"subject": subject, "record": record}])
    assert read_entry(table.home.entries()[index])["act"] == "orphan"
    await table.close()


# What start-up writes: it cuts off an incomplete end, or applies what the journal has ahead, and then its own entry.
AHEAD, INCOMPLETE = Fault("journal", "sync", "kill-after", 6), Fault("journal", "write", "tear", 6)
STARTING = {
    AHEAD: [
        *(Fault("wal", "write", action, nth) for action in WRITE if action != "short" for nth in (1, 5)),
        *(Fault("wal", "sync", action, nth) for action in SYNC for nth in (1, 2)),
        *(Fault("journal", "write", action) for action in WRITE),
    ],
    INCOMPLETE: [Fault("journal", calls, action) for calls in ("truncate", "sync") for action in SYNC],
}


async def _strike_start(table: Table, left_by: Fault, fault: Fault) -> None:
    seen = Evidence()
    table.before.append(seen)
    table.faults.arm(left_by)
    await work(table.home, seen, workers=3, rounds=4)
    assert table.home.wait() == -9
    await table.home.disconnect()
    table.faults.arm(fault)
    if table.home.start(env=table.faults.env):
        # Struck while it opened the home, the keeper is sealed: nobody is answered, nothing is opened.
        assert table.faults.fired, f"{fault} never came to pass"
        assert (await (await table.home.client()).status())["state"] == "sealed"
        await table.home.disconnect()
        assert table.home.stop() == 75
    else:
        assert table.home.wait() == expected(fault), f"{fault}: {table.home.stderr()}"
    table.check_left(newest=2)
    table.faults.disarm()
    assert table.home.start(env=table.faults.env), f"{fault}: {table.home.stderr()}"
    await check_readable(table.home, seen)


@pytest.mark.parametrize("left_by", [AHEAD, INCOMPLETE], ids=["journal ahead", "journal incomplete"])
async def test_a_write_fails_while_starting(table: Table, left_by: Fault) -> None:
    """A start after a crash is struck itself; the next one is whole."""
    for fault in random.Random(str(left_by)).sample(STARTING[left_by], 4):  # noqa: S311 - the same draw in every run
        await _strike_start(table, left_by, fault)
    await table.close()


@pytest.mark.soak
@pytest.mark.parametrize("left_by", [AHEAD, INCOMPLETE], ids=["journal ahead", "journal incomplete"])
async def test_every_write_of_a_start_fails_once(table: Table, left_by: Fault) -> None:
    """The same, for each."""
    for fault in STARTING[left_by]:
        await _strike_start(table, left_by, fault)
    await table.close()
