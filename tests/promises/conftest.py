"""An installation whose log key is pinned, and what it says of one check."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from crm.config import Settings
from crm.interactions import upkeep
from tests.keeper.home import KeeperHome
from tests.product import Product, Server, _no_upkeep, settings_for
from web.main import create_app

Running = Callable[..., Any]


@pytest.fixture
async def running(server: Server, shared_keeper: KeeperHome, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Run the application over a keeper; settings by name."""
    monkeypatch.setattr(upkeep, "run", _no_upkeep)

    @asynccontextmanager
    async def run(keeper: KeeperHome = shared_keeper, **settings: Any) -> AsyncIterator[Product]:
        told: Settings = replace(settings_for(server, keeper), **{"log_key": keeper.vkey, **settings})
        app = create_app(told)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.router.lifespan_context(app))
            product = Product(app, keeper, server)
            await product.connect(stack)
            yield product

    return run


@pytest.fixture
async def pinned(running: Running) -> AsyncIterator[Product]:
    """The product with its log's key pinned."""
    async with running() as product:
        yield product


async def told(product: Product) -> dict[str, Any]:
    """Ask for the promises as a stranger does."""
    answer = await product.nobody.get("/v1/promises")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def found(product: Product, name: str) -> tuple[str, str]:
    """Return verdict and evidence of one check, looked at now; every clause that rests on it says no better."""
    product.app.state.held.board._until_ms = 0
    report = await told(product)
    clauses = [clause for clause in report["clauses"] if any(check["name"] == name for check in clause["checks"])]
    checks = [check for clause in clauses for check in clause["checks"] if check["name"] == name]
    verdict, evidence = checks[0]["verdict"], checks[0]["evidence"]
    assert all((check["verdict"], check["evidence"]) == (verdict, evidence) for check in checks)
    if verdict == "broken":
        assert {clause["verdict"] for clause in clauses} == {report["verdict"]} == {"broken"}
    return verdict, evidence
