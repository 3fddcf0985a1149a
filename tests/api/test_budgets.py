"""What a stolen account can take is bounded, and says when there is more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from api.main import create_app
from crm.interactions import upkeep
from tests.keeper.home import KeeperHome, gather_cast
from tests.product import SERVE, Product, Server, _no_upkeep, settings_for


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    """A keeper in which one person may be opened a day, one labelled, and two made."""
    keeper = KeeperHome(tmp_path_factory.mktemp("tight") / "home")
    keeper.init(budgets={"people": 1, "labels": 1, "intake": 2})
    assert keeper.start(), keeper.stderr()

    async def people() -> None:
        await gather_cast(keeper, second_factor="optional")
        for client in keeper._clients:
            await client.close()
        keeper._clients.clear()

    asyncio.run(people())
    yield keeper
    keeper.stop()


@pytest.fixture
async def product(server: Server, tight: KeeperHome, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    monkeypatch.setattr(upkeep, "run", _no_upkeep)
    app = create_app(settings_for(server, tight))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        running = Product(app, tight, server)
        await running.connect(stack)
        yield running


async def test_a_budget_that_is_used_up_says_until_when(product: Product) -> None:
    first, second = await product.contact(), await product.contact()
    third = await product.staff.post("/v1/contacts", json={"given_name": "C"})

    opened = [await product.staff.get(f"/v1/contacts/{contact}", params=SERVE) for contact in (first, second, first)]
    other = await product.staff2.get(f"/v1/contacts/{second}", params=SERVE)

    assert [answer.status_code for answer in opened] == [200, 429, 200]
    assert other.status_code == 200
    for refused, budget in ((opened[1], "people"), (third, "intake")):
        body = refused.json()
        assert (body["code"], body["budget"]) == ("over-budget", budget)
        assert 0 < int(refused.headers["retry-after"]) <= 24 * 3600
        assert body["retry_after_s"] == int(refused.headers["retry-after"])


async def test_what_was_typed_survives_a_budget_and_follow_ups_count_as_labels(product: Product) -> None:
    staff = product.staff2
    made = [(await staff.post("/v1/contacts", json={"given_name": name})).json()["id"] for name in ("D", "E")]
    for contact in made:
        plan = {"contact": contact, "due": "2026-11-25T09:00:00Z", "title": "Ring back"}
        assert (await staff.post("/v1/follow-ups", json=plan)).status_code == 201

    listed = await staff.get("/v1/follow-ups")
    opened = [await staff.get(f"/v1/contacts/{contact}", params=SERVE) for contact in made]
    refused = made[-1]
    saved = await staff.put(f"/v1/contacts/{refused}/draft", json={"notes": "typed"})
    draft = await staff.get(f"/v1/contacts/{refused}/draft")

    assert (listed.status_code, listed.json()["budget"]) == (429, "labels")
    assert "Ring back" not in listed.text
    assert opened[-1].status_code == 429
    assert saved.status_code == 200
    assert (draft.status_code, draft.json()["budget"]) == (429, "people")
