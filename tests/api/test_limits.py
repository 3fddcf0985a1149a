"""How much one client may send, told without an address: by account, by network, by route, by depth."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from api.http import limits
from api.http.limits import BODY_LIMIT, DEEPEST, NETWORK, SIGN_INS_A_MINUTE, TILES, Limiter, Sizes
from api.main import create_app
from crm.interactions import upkeep
from crm.kit.clock import Clock
from tests.keeper.home import KeeperHome
from tests.product import Product, Server, _no_upkeep, settings_for

PER_MINUTE = 5


class Stopped(Clock):
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def steady_ms(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
async def product(
    server: Server, shared_keeper: KeeperHome, clock: Stopped, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Product]:
    """The application, where an account may ask five times a minute."""
    monkeypatch.setattr(upkeep, "run", _no_upkeep)
    app = create_app(replace(settings_for(server, shared_keeper), requests_per_minute=PER_MINUTE), clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        running = Product(app, shared_keeper, server)
        await running.connect(stack)
        yield running


@asynccontextmanager
async def coming_from(product: Product, address: str | None, **headers: str) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(product.app, raise_app_exceptions=False, client=(address, 1) if address else None)  # type: ignore[arg-type]
    async with AsyncClient(transport=transport, base_url="http://kept.test", headers=headers) as client:
        yield client


async def statuses(ask: Callable[[], Any], times: int) -> list[int]:
    return [(await ask()).status_code for _ in range(times)]


async def test_an_account_waits_and_the_next_one_does_not(product: Product, clock: Stopped) -> None:
    asked = await statuses(lambda: product.staff.get("/v1/me"), PER_MINUTE + 1)
    refused = await product.staff.get("/v1/me")
    other = await product.staff2.get("/v1/me")
    clock.ms += 1000 * int(refused.headers["retry-after"])
    later = await statuses(lambda: product.staff.get("/v1/me"), 2)

    assert asked == [200] * PER_MINUTE + [429]
    assert refused.json()["code"] == "too-many-requests"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "12"
    assert other.status_code == 200
    assert later == [200, 429]


async def test_a_refused_request_reaches_neither_keeper_nor_log(product: Product) -> None:
    await statuses(lambda: product.staff.get("/v1/me"), PER_MINUTE)
    before = len(product.keeper.entries())

    answer = await product.staff.post("/v1/contacts/search", json={"q": "lovelace"})

    assert answer.status_code == 429
    assert len(product.keeper.entries()) == before


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("203.0.113.5", "203.0.113.250", "203.0.114.5"),
        ("2001:db8:1:2::3", "2001:db8:1:ffff::9", "2001:db8:2:2::3"),
        ("::ffff:203.0.113.5", "203.0.113.6", "198.51.100.1"),
        ("fe80::1%eth0", "fe80::2%eth1", "203.0.113.5"),
        ("not an address", None, "203.0.113.5"),  # type: ignore[list-item]
    ],
)
async def test_a_network_waits_and_the_next_one_does_not(
    product: Product, one: str, same: str | None, other: str
) -> None:
    async with (
        coming_from(product, one) as first,
        coming_from(product, same) as neighbour,
        coming_from(product, other) as stranger,
    ):
        asked = await statuses(lambda: first.get("/log/checkpoint/none"), PER_MINUTE * TILES)
        assert set(asked) == {404}
        assert await statuses(lambda: neighbour.get("/v1/nothing"), 1) == [429]
        assert await statuses(lambda: stranger.get("/v1/nothing"), 1) == [404]


async def test_tokens_that_change_do_not_get_around_the_network(product: Product) -> None:
    async with coming_from(product, "203.0.113.5") as client:
        answers = [
            await client.get("/v1/me", headers={"authorization": f"Bearer {'x' * 40}{number}"})
            for number in range(PER_MINUTE * NETWORK + 1)
        ]

    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert answers[-1].status_code == 429


async def test_signing_in_has_a_limit_of_its_own(product: Product) -> None:
    body = {"name": "x"}
    async with coming_from(product, "203.0.113.5") as client:
        asked = await statuses(lambda: client.post("/v1/sessions", json=body), SIGN_INS_A_MINUTE)
        assert set(asked) == {422}
        assert await statuses(lambda: client.post("/v1/invitations", json=body), 1) == [429]
        assert await statuses(lambda: client.get("/health"), 1) == [200]


async def test_a_verifier_may_fetch_more(product: Product) -> None:
    asked = await statuses(lambda: product.auditor.get("/log/tile/entries/000.p/1"), PER_MINUTE * 4)

    assert set(asked) == {200}


def scope(address: str) -> dict[str, Any]:
    return {"method": "GET", "path": "/", "headers": [(b"authorization", b"Bearer secret")], "client": (address, 1)}


def test_no_address_and_no_token_is_kept(clock: Stopped) -> None:
    limiter = Limiter(PER_MINUTE, clock)

    for address in ("203.0.113.5", "2001:db8::1"):
        limiter.wait_s(scope(address))

    assert len(limiter._buckets) == 3
    assert all(len(key) == 16 for key in limiter._buckets)
    kept = repr(limiter._buckets)
    assert not any(word in kept for word in ("203", "db8", "secret", "Bearer"))
    assert Limiter(PER_MINUTE, clock)._key != limiter._key


def test_a_network_is_forgotten_after_ten_minutes_and_when_there_are_too_many(
    clock: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = Limiter(PER_MINUTE, clock)
    limiter.wait_s(scope("203.0.113.5"))
    clock.ms += limits.FORGET_MS
    limiter.wait_s(scope("198.51.100.5"))
    assert len(limiter._buckets) == 2

    monkeypatch.setattr(limits, "MOST_KNOWN", 10)
    for number in range(100):
        limiter.wait_s(scope(f"10.0.{number}.1"))
    assert len(limiter._buckets) <= 12


SMALL = {"/v1/sessions", "/v1/contacts/search", "/v1/people", "/v1/log/subject"}


@pytest.mark.parametrize("path", sorted(SMALL))
async def test_what_is_short_is_short(product: Product, path: str) -> None:
    answer = await product.nobody.post(path, json={"q": "x" * 9000})

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_sizes_go_by_template() -> None:
    sizes = Sizes({"/v1/imports": 1 << 26, "/v1/contacts/{contact}/files": 1 << 22})

    assert sizes.of("/v1/imports") == 1 << 26
    assert sizes.of("/v1/contacts/0af7/files") == 1 << 22
    assert sizes.of("/v1/contacts/0af7/merge") == 8 << 10
    assert {sizes.of(path) for path in ("/v1/contacts", "/v1/contacts/a/b/files", "/nowhere", "")} == {BODY_LIMIT}


JSON = {"content-type": "application/json"}


async def test_the_longest_note_fits_however_it_is_written(product: Product) -> None:
    body = {"given_name": "Ada", "profile": {"note": "\U0001f600" * 20_000}, "confirm_duplicate": True}

    answer = await product.staff.post("/v1/contacts", content=json.dumps(body).encode(), headers=JSON)

    assert answer.status_code == 201


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"[1]" + b"}" * (depth - 1)


async def test_json_is_not_deeper_than_anything_needs(product: Product) -> None:
    at_most = await product.staff.post("/v1/contacts", content=nested(DEEPEST), headers=JSON)
    deeper = await product.staff.post("/v1/contacts", content=nested(DEEPEST + 1), headers=JSON)
    text = await product.staff.post("/v1/contacts", json={"given_name": "[" * 100, "confirm_duplicate": True})

    assert (at_most.status_code, at_most.json()["code"]) == (422, "invalid")
    assert (deeper.status_code, deeper.json()["code"]) == (400, "bad-request")
    assert text.status_code == 201


async def test_depth_is_counted_over_chunks(product: Product) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in nested(DEEPEST + 1):
            yield bytes([byte])

    answer = await product.staff.post("/v1/contacts", content=chunks(), headers=JSON)

    assert answer.status_code == 400


async def test_a_file_is_no_json(product: Product) -> None:
    card = b"BEGIN:VCARD\nFN:" + b"[" * 100 + b"\nEND:VCARD\n"

    answer = await product.staff.post("/v1/imports", files={"file": ("x", card)})

    assert answer.status_code == 202


DOCUMENTS = st.recursive(
    st.none() | st.text(alphabet='a"\\[]{}', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='"\\[{', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def depth_of(document: Any) -> int:
    if isinstance(document, dict):
        return 1 + max((depth_of(each) for each in document.values()), default=0)
    return 1 + max((depth_of(each) for each in document), default=0) if isinstance(document, list) else 0


@given(DOCUMENTS, st.lists(st.integers(0, 200)), st.integers(0, 4))
def test_brackets_in_text_do_not_count_wherever_the_chunks_end(document: Any, cuts: list[int], deepest: int) -> None:
    data = json.dumps(document).encode()
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    counted, before = limits._Depth(), limits.DEEPEST
    limits.DEEPEST = deepest
    try:
        is_over = any(counted.is_over(data[a:b]) for a, b in pairwise(ends))
    finally:
        limits.DEEPEST = before

    assert is_over is (depth_of(document) > deepest)
