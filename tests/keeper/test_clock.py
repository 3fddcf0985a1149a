"""The machine's own clock set under a running keeper, and its disk filling up (`fault/fault.c`)."""

import asyncio

import pytest

from crm.errors import CrmError, KeeperSealed
from crm.kit.ids import new_id
from tests.keeper.evidence import Evidence, Worker
from tests.keeper.home import item
from tests.keeper.table import Table

HOUR_MS = 3_600_000


async def _worker(table: Table) -> Worker:
    who = table.home.cast["staff"]
    web = await table.home.client()
    await table.home.searchable(web)
    seen = Evidence()
    table.before.append(seen)
    return Worker(web, who.token, who.id, seen)


async def _refused(worker: Worker, subject: str, why: str) -> None:
    """Nothing is opened, nothing is written, and everybody is told why."""
    status = await worker.web.status()
    assert status["state"] == "sealed"
    assert why in status["reason"]
    with pytest.raises(KeeperSealed):
        await worker.open(subject)
    with pytest.raises(KeeperSealed):
        await worker.put(new_id(), 0, identity={"given_name": "Nobody"})
    with pytest.raises(KeeperSealed):
        await worker.web.labels(worker.token, [subject])
    await worker.web.checkpoint()


@pytest.mark.parametrize(("by_ms", "why"), [(-HOUR_MS, "set back"), (HOUR_MS, "set forward")])
async def test_clock_set_while_running(table: Table, by_ms: int, why: str) -> None:
    """Refused until the clock is right again; no restart is needed."""
    worker = await _worker(table)
    subject = new_id()
    await worker.put(subject, 0, identity={"given_name": "Ada"})

    table.faults.move_clock(by_ms)
    await _refused(worker, subject, why)

    table.faults.move_clock(0)
    assert (await worker.web.status())["state"] == "open"
    await worker.open(subject)
    await table.close()


async def test_nothing_falls_due_by_a_clock_set_forward(table: Table) -> None:
    """Three days ahead at once: no key dies, no session ends; with the clock right again all is as it was."""
    worker = await _worker(table)
    subject = new_id()
    await worker.put(subject, 0, identity={"given_name": "Ada"})
    await worker.erase(subject)

    table.faults.move_clock(80 * HOUR_MS)
    await asyncio.sleep(1.5)  # longer than the second in which what is due falls due
    assert table.home.rows("SELECT state FROM subject WHERE id=?", subject) == [("erasing",)]

    table.faults.move_clock(0)
    who = table.home.cast["staff2"]
    await worker.web.cancel_erase(who.token, subject)
    worker.seen.erasing.discard(subject)
    await worker.open(subject)
    await table.close()


async def test_disk_nearly_full(table: Table) -> None:
    """Before the disk is full nothing is opened or stored any more; erasing and signing out have the room left."""
    worker = await _worker(table)
    kept, going = new_id(), new_id()
    for subject in (kept, going):
        await worker.put(subject, 0, identity={"given_name": "Ada"})

    table.faults.fill_disk(is_full=True)
    status = await worker.web.status()
    assert status["state"] == "sealed"
    assert "full" in status["reason"]
    with pytest.raises(KeeperSealed):
        await worker.open(kept)
    with pytest.raises(CrmError):
        await worker.web.put(worker.token, "intake", item(new_id(), identity={"given_name": "Nobody"}))
    await worker.erase(going)
    await worker.web.sign_out(table.home.token("staff2"))

    table.faults.fill_disk(is_full=False)
    await worker.open(kept)
    await table.close()
