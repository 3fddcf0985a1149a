"""What happens once in a year: an answer that cannot be given, a peer of another account, a record that rotted."""

import asyncio
import contextlib
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from crm.errors import Invalid, Stale, TooLarge
from crm.keeper import engine
from crm.keeper.__main__ import Keeper
from crm.keeper.engine import Call, Effect
from crm.keeper.home import Home
from crm.kit import server
from crm.kit.clock import Clock
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import KeeperHome
from tests.keeper.raw import Raw, service_key
from tests.keeper.talk import contact, entries, hire, sign_in


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("sign_in", {}), ("sign_in", {"name": "staff"}), ("accept", {}), ("accept", {"password": "long enough"}),
        ("change_password", {}), ("change_password", {"old": "x"}),
    ],
)  # fmt: skip
async def test_a_slow_verb_without_its_arguments_is_malformed(
    home: KeeperHome, verb: str, arguments: dict[str, str]
) -> None:
    web = await home.client()

    with pytest.raises(Invalid) as refused:
        await web.call(verb, token=home.token("staff"), **arguments)

    assert verb in refused.value.reason
    assert (await web.status())["state"] == "open"


async def test_whoever_asked_must_still_be_allowed_to_ask(home: KeeperHome) -> None:
    """An admin who leaves takes along what nobody approved yet."""
    web = await home.client()
    second = await hire(home, web, "Second admin", ["admin"])
    person = (await web.me(second))["id"]
    asked = await web.invite(second, "Puppet", ["staff"])
    await web.change_person(home.token("admin"), person, state="left")

    with pytest.raises(Stale):
        await web.decide(home.token("auditor"), asked["decision"], "approve")


async def test_an_answer_over_the_limit_says_so(home: KeeperHome) -> None:
    web, auditor = await home.client(), home.token("auditor")
    detail = {new_id(): ".".join(["given"] * 9) for _ in range(580)}
    for _ in range(370):
        await web.record(home.token("product"), "owner", detail=detail)

    with pytest.raises(TooLarge):
        await web.entries(auditor, limit=1000)

    page = await web.entries(auditor, act="record", limit=100)
    assert len(page["entries"]) == 100


async def test_an_entry_has_a_size(home: KeeperHome) -> None:
    web = await home.client()
    await home.searchable(web)
    size = len(home.entries())

    with pytest.raises(Invalid):
        await web.record(
            home.token("product"), "owner", detail={new_id(): ".".join(["given"] * 12) for _ in range(600)}
        )

    assert [entry["act"] for entry in entries(home)[size:]] == ["refused"]


async def test_a_record_that_rotted_keeps_nobody_else_from_being_found(home: KeeperHome) -> None:
    web = await home.client()
    ada, eve = await contact(home, web), await contact(home, web, "Eve Moneypenny")
    home.stop()
    with contextlib.closing(sqlite3.connect(home.file)) as db:
        db.execute("UPDATE section SET sealed=zeroblob(length(sealed)) WHERE subject=?", (ada,))
        db.commit()
    home.start()
    web = await home.client()
    await home.searchable(web)

    assert [match["id"] for match in (await web.search(home.token("staff"), Pii("moneypenny"))).matches] == [eve]
    assert not (await web.search(home.token("staff"), Pii("lovelace"))).matches
    with pytest.raises(Invalid):
        await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason="call")
    await web.open(home.token("staff"), "serve", subjects=[eve], fields=["identity"], reason="call")
    assert "Lovelace" not in home.stderr()


async def test_who_waited_too_long_is_told_so(make_home: MakeHome) -> None:
    """In this process: a call that queued before the keeper could look at it."""
    home = await make_home(start=False)
    keeper = Keeper(Home(home.path), Clock(), None)
    answers: list[tuple[str, Any]] = []
    for age in (engine.WAIT_LIMIT_S + 5, 0):
        call = Call("web", "status", {}, lambda code, body: answers.append((code, body)))
        keeper.engine.submit(call)
        call.queued_at -= age
    keeper.engine.stop()

    await keeper.engine.run()

    assert [code for code, _ in answers] == ["keeper-unavailable", "ok"]
    late: list[str] = []
    keeper.engine.submit(Call("web", "status", {}, lambda code, _: late.append(code)))
    assert late == ["keeper-unavailable"], "nothing is taken after the stop"
    keeper.engine.store.close()


async def test_a_slow_half_that_was_done_is_not_refused_for_having_taken_long(
    make_home: MakeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: a backup may take longer than a call may wait."""
    home = await make_home(start=False)
    monkeypatch.setattr(engine, "WAIT_LIMIT_S", 0.05)
    keeper = Keeper(Home(home.path), Clock(), None)
    slow = keeper.engine._before["backup"]

    async def slower(call: Call) -> Any:
        await asyncio.sleep(0.2)
        return await slow(call)

    keeper.engine._before["backup"] = slower
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(keeper.engine.run())
    keeper.engine.submit(Call("admin", "backup", {}, lambda code, _: answered.set_result(code)))

    assert await answered == "ok"

    keeper.engine.stop()
    await running
    keeper.engine.store.close()


async def test_an_effect_of_the_keepers_own_can_fail(make_home: MakeHome) -> None:
    """In this process: upkeep is told, and everybody else goes on."""
    home = await make_home(start=False)
    keeper = Keeper(Home(home.path), Clock(), None)
    running = asyncio.create_task(keeper.engine.run())

    with pytest.raises(engine.Refused):
        await keeper.engine.write(lambda: Effect([{"act": "rotate", "count": 0.5}]))
    assert await keeper.engine.write(lambda: Effect(answer="goes on")) == "goes on"

    keeper.engine.stop()
    await running
    keeper.engine.store.close()


async def test_a_group_that_sqlite_gave_up_is_not_gone_on_with(make_home: MakeHome) -> None:
    """In this process: a read that fails can end the transaction; whatever was decided in it does not stand."""
    home = await make_home(start=False)
    keeper = Keeper(Home(home.path), Clock(), None)

    def read() -> Effect:
        keeper.engine.store.db.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    writing = asyncio.create_task(keeper.engine.write(read))
    await asyncio.sleep(0)

    with pytest.raises(sqlite3.OperationalError):
        await keeper.engine.run()
    writing.cancel()
    keeper.engine.store.close()


def test_an_answer_that_cannot_be_given_ends_nobody_elses() -> None:
    answers: list[tuple[int, str]] = []

    def call(number: int) -> Call:
        return Call("web", "open", {}, lambda code, _: answers.append((number, code)))

    engine._answer([(call(1), "ok", lambda _: dict[str, int]()["nobody"], 7), (call(2), "ok", lambda index: index, 8)])

    assert answers == [(1, "invalid"), (2, "ok")]


async def test_a_peer_of_another_account_gets_not_a_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = tmp_path / "services"
    services.mkdir()
    key = new_id() * 2
    (services / "web.key").write_text(key)
    account = services.stat().st_uid
    calls: list[tuple[str, str]] = []
    monkeypatch.chdir(tmp_path)  # the listener goes there, and does not come back

    async def greeting(uid: int) -> bool:
        """Say whether this process is greeted by a keeper that expects another account."""
        (services / "web.key").write_text(f"{key} {uid}")
        servers = await server.listen(tmp_path, services, lambda name, verb, *_: calls.append((verb, name)))
        raw = await Raw.connect(tmp_path / "web.sock")
        is_closed = uid != account and hasattr(socket, "SO_PEERCRED") and await raw.ended()
        if not is_closed:
            await raw.receive()
        raw.close()
        for listening in servers:
            listening.close()
        return not is_closed

    assert await greeting(account)
    assert not await greeting(account + 1)
    assert calls == [("connect", "web")]
    # Where the system does not tell the peer's account, the key decides alone.
    monkeypatch.delattr(socket, "SO_PEERCRED")
    assert await greeting(account + 1)


async def test_a_key_file_is_read_again_at_every_start(home: KeeperHome) -> None:
    home.stop()
    copy = home.path / "keys" / "services" / "web.key"
    old = service_key(home.path, "web")
    uid = copy.read_text().split()[1]
    (home.path / "services" / "web.key").write_text(new := new_id() * 2)
    copy.write_text(f"{new} {uid}")
    home.start()

    assert await sign_in(await home.client(), "staff")
    raw = await Raw.connect(home.path / "run" / "web.sock")
    await raw.greet(old, "web")
    assert await raw.ended()
    raw.close()
