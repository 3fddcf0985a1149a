"""The wire: what is no greeting, no frame or no message ends one connection and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm.errors import KeeperUnavailable, PurposeNotYours
from crm.kit import server, wire
from crm.kit.ids import new_id
from tests.keeper.conftest import MakeHome
from tests.keeper.home import KeeperHome
from tests.keeper.raw import Raw, service_key
from tests.keeper.talk import contact, entries, eventually, last

GARBAGE = [
    b"\x00\x00\x00\x01\xc1",
    b"\x00\x00\x00\x00",
    b"\x00\x00\x00\x02\x01\x01",
    b"\x00\x00\x00\x05\xdd\xff\xff\xff\xff",
]
NOT_REQUESTS = [
    None, 7, "abc", [], [1, "status"], [1, "status", {}, 4], ["1", "status", {}], [1, b"status", {}],
    [1, ["status"], {}], [1, "status", []], [1, "status", None], [1.5, "status", {}], {"1": 2, "3": 4, "5": 6},
]  # fmt: skip


@pytest.fixture
async def greeted(home: KeeperHome) -> AsyncIterator[Raw]:
    """Return a connection that has proved to be the web process."""
    raw = await Raw.connect(home.path / "run" / "web.sock")
    await raw.greet(service_key(home.path, "web"), "web")
    yield raw
    raw.close()


def connects_refused(home: KeeperHome, by: str = "web") -> int:
    """Count the entries about connections that were refused on a socket."""
    return len([one for one in entries(home, "refused") if one["what"] == "connect" and one["by"] == by])


async def refused_and_logged(home: KeeperHome, raw: Raw) -> None:
    """The connection is over, the attempt is an entry, and everybody else is served."""
    assert await raw.ended()
    raw.close()
    await eventually(lambda: connects_refused(home) == 1)
    assert last(home, "refused")["outcome"] == "unauthenticated"
    assert (await (await home.client()).status())["state"] == "open"


async def test_a_greeted_connection_is_answered(home: KeeperHome, greeted: Raw) -> None:
    await greeted.send([1, "status", {}], [2, "nonsense", {}])

    answers = {number: (code, body) for number, code, body in [await greeted.receive(), await greeted.receive()]}

    assert answers[1][0] == "ok"
    assert answers[2][0] == "purpose-not-yours"
    assert last(home)["what"] == "unknown"


@pytest.mark.parametrize("answer", [b"", bytes(32), b"x" * 31, 2**40, [1] * 32, "x" * 32, None, {"a": 1}, True])
async def test_a_wrong_answer_to_the_greeting_ends_the_connection(home: KeeperHome, answer: object) -> None:
    raw = await Raw.connect(home.path / "run" / "web.sock")
    assert len(await raw.receive()) == 32

    await raw.send(answer)

    await refused_and_logged(home, raw)


@pytest.mark.parametrize(("key", "as_whom"), [("sender", "web"), ("admin", "web"), ("web", "admin"), ("web", "sender")])
async def test_a_key_opens_its_own_socket_in_its_own_name(home: KeeperHome, key: str, as_whom: str) -> None:
    raw = await Raw.connect(home.path / "run" / "web.sock")

    await raw.greet(service_key(home.path, key), as_whom)

    await refused_and_logged(home, raw)


async def test_an_answer_is_good_for_one_connection(home: KeeperHome) -> None:
    first, second = [await Raw.connect(home.path / "run" / "web.sock") for _ in range(2)]
    heard = wire.answer(service_key(home.path, "web"), await first.receive(), "web")
    assert await second.receive()

    await second.send(heard)

    await refused_and_logged(home, second)
    first.close()


async def test_requests_before_the_greeting_are_not_heard(home: KeeperHome) -> None:
    raw = await Raw.connect(home.path / "run" / "web.sock")
    await raw.receive()

    await raw.send([1, "status", {}])

    await refused_and_logged(home, raw)


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_ends_the_connection(home: KeeperHome, greeted: Raw, garbage: bytes) -> None:
    await greeted.send_bytes(garbage)

    await refused_and_logged(home, greeted)


@pytest.mark.parametrize("message", NOT_REQUESTS)
async def test_what_is_no_request_ends_the_connection(home: KeeperHome, greeted: Raw, message: object) -> None:
    await greeted.send(message)

    await refused_and_logged(home, greeted)


@pytest.mark.parametrize("is_greeted", [True, False])
async def test_a_frame_over_the_limit_ends_the_connection(home: KeeperHome, greeted: Raw, *, is_greeted: bool) -> None:
    raw = greeted if is_greeted else await Raw.connect(home.path / "run" / "web.sock")
    if not is_greeted:
        await raw.receive()

    await raw.send_bytes((wire.FRAME_LIMIT + 1).to_bytes(4) + b"\x93\x01")

    await refused_and_logged(home, raw)


async def test_a_frame_at_the_limit_is_read(home: KeeperHome, greeted: Raw) -> None:
    frame = wire.pack([1, "status", {"text": "x" * (wire.FRAME_LIMIT - 64)}])

    await greeted.send_bytes(frame)

    assert (await greeted.receive())[1] == "ok"
    assert not connects_refused(home)


async def test_half_a_frame_holds_nobody_up(home: KeeperHome, greeted: Raw) -> None:
    frame = wire.pack([1, "status", {}])
    for byte in frame[:-1]:
        await greeted.send_bytes(bytes([byte]))
    web = await home.client()
    assert (await web.status())["state"] == "open"

    await greeted.send_bytes(frame[-1:])

    assert (await greeted.receive())[:2] == [1, "ok"]


async def test_a_connection_closed_in_the_middle_harms_nobody(home: KeeperHome, greeted: Raw) -> None:
    web, ada = await home.client(), await contact(home, await home.client())
    call = {
        "token": home.token("staff"), "purpose": "serve", "subjects": [ada], "fields": ["identity"], "records": [],
        "reason": "call",
    }  # fmt: skip
    await greeted.send(*([number, "open", call] for number in range(200)))
    await greeted.send_bytes(wire.pack([1, "status", {}])[:-3])

    greeted.close()

    assert (await web.status())["state"] == "open"
    assert all(entry["outcome"] == "ok" for entry in entries(home, "open"))


async def test_more_requests_than_are_taken_at_once_wait_in_the_socket(home: KeeperHome, greeted: Raw) -> None:
    count = 4 * server.MOST_PENDING
    sending = asyncio.ensure_future(greeted.send(*([number, "status", {}] for number in range(count))))

    numbers = {(await greeted.receive())[0] for _ in range(count)}

    await sending
    assert numbers == set(range(count))
    assert (await (await home.client()).status())["state"] == "open"


async def test_a_lane_that_is_full_says_so_at_once(home: KeeperHome) -> None:
    """The import lane moves by one call a group: what floods it is told to come back, and people are not held up."""
    raws = [await Raw.connect(home.path / "run" / "web.sock") for _ in range(6)]
    for raw in raws:
        await raw.greet(service_key(home.path, "web"), "web")
    count = 1500

    async def flood(raw: Raw) -> list[str]:
        sending = asyncio.ensure_future(raw.send(*([number, "status", {"bulk": True}] for number in range(count))))
        codes = [(await raw.receive())[1] for _ in range(count)]
        await sending
        return codes

    flooding = asyncio.gather(*(flood(raw) for raw in raws))
    assert (await (await home.client()).status())["state"] == "open"
    codes = [code for answered in await flooding for code in answered]

    assert set(codes) <= {"ok", "keeper-unavailable"}
    assert codes.count("keeper-unavailable") > 0
    for raw in raws:
        raw.close()


async def test_connections_refused_are_counted_like_other_refusals(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    for _ in range(5):
        raw = await Raw.connect(home.path / "run" / "sender.sock")
        await raw.receive()
        await raw.send(b"guess")
        assert await raw.ended()
        raw.close()
    await eventually(lambda: connects_refused(home, "sender") == 1)
    assert home.clock

    home.clock.advance(minutes=1)

    await eventually(lambda: last(home)["act"] == "refused" and last(home).get("count") == 4)
    assert last(home)["actor"] == "sender"


async def test_other_principals_are_served_on_their_own_sockets(home: KeeperHome) -> None:
    for principal in ("sender", "inbound", "approve", "admin"):
        client = await home.client(principal)
        assert (await client.status())["state"] == "open"
        with pytest.raises(PurposeNotYours):
            await client.me(home.token("staff"))


async def test_a_client_of_a_keeper_that_is_gone_says_so(home: KeeperHome) -> None:
    web = await home.client()
    home.kill()

    for _ in range(2):
        with pytest.raises(KeeperUnavailable):
            await web.status()
    home.start()

    assert (await web.status())["state"] == "open"


async def test_whoever_never_greets_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real listener with less patience than it has."""
    monkeypatch.setattr(server, "GREETING_S", 0.05)
    services = tmp_path / "services"
    services.mkdir()
    (services / "web.key").write_text(f"{new_id() * 2} {Path(services).stat().st_uid}")
    calls: list[tuple[str, str]] = []
    monkeypatch.chdir(tmp_path)  # the listener goes there, and does not come back
    servers = await server.listen(tmp_path, services, lambda name, verb, *_: calls.append((verb, name)))

    silent, half = [await Raw.connect(tmp_path / "web.sock") for _ in range(2)]
    for raw in (silent, half):
        await raw.receive()
    await half.send_bytes(b"\x00\x00")

    assert await silent.ended()
    assert await half.ended()
    assert calls == [("connect", "web")] * 2
    for raw in (silent, half):
        raw.close()
    for listening in servers:
        listening.close()
