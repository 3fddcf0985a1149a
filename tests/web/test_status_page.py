"""How the installation is, for whoever runs it."""

import dataclasses
from typing import Any

import pytest

from crm.keeper import policy
from crm.promises import clauses
from crm.promises.service import Report
from crm.promises.verdict import broken, kept
from tests.product import Product
from tests.web.readers import a_browser


async def shown(product: Product) -> str:
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        answer = await admin.get("/status")
    assert answer.status_code == 200
    return answer.text


async def test_it_says_what_runs_and_what_is_in_force(product: Product) -> None:
    page = await shown(product)

    told = (await product.nobody.get("/health")).json()
    for name in policy.BUDGETS:
        assert f"{told['keeper']['limits'][name]:,}" in page
    assert told["isolation"] in page
    assert "fit for trying out" in page
    assert "nobody could recover the keys" in page
    assert "Look below" in page
    assert "keeper.example/log" in page


async def test_a_part_that_fails_is_red(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    held = product.app.state.held
    before = (await shown(product)).count("part-bad")

    async def away() -> bool:
        return False

    async def sealed() -> dict[str, Any]:
        return said | {"state": "sealed", "reason": "The disk is nearly full.", "search": "building"}

    said = await held.keeper.status()
    monkeypatch.setattr(held.reads, "answers", away)
    monkeypatch.setattr(held.keeper, "status", sealed)
    page = await shown(product)

    assert page.count("part-bad") == before + 3
    assert "does not answer" in page
    assert "The disk is nearly full." in page
    assert "being built" in page


async def test_a_clause_that_is_broken_is_named(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    held = product.app.state.held
    report = await held.board.report()
    fails = broken("for this test")
    worse = dataclasses.replace(report, found={**report.found, clauses.WIDTH.name: fails})

    async def broke() -> Report:
        return worse

    monkeypatch.setattr(held.board, "report", broke)
    page = await shown(product)

    named = [clause for clause in clauses.CLAUSES if clauses.WIDTH in clause.checks]
    assert named
    assert all(clause.id in page for clause in named)
    assert 'class="verdicts-bad"' in page


async def test_everything_well_says_so(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    held = product.app.state.held
    settings = dataclasses.replace(
        held.settings, isolation="an account for each process", egress="closed", retention_days=400
    )
    monkeypatch.setattr(held, "settings", settings)
    status, people, report = held.keeper.status, held.keeper.people, await held.board.report()
    well = dataclasses.replace(report, found=dict.fromkeys(report.found, kept("for this test")))

    async def escrowed() -> dict[str, Any]:
        return {**await status(), "escrow": True, "second_factor": "required", "search": "ready"}

    async def enrolled(token: str) -> list[dict[str, Any]]:
        return [{**one, "second_factor": True} for one in await people(token)]

    async def keeps() -> Report:
        return well

    monkeypatch.setattr(held.board, "report", keeps)
    monkeypatch.setattr(held.keeper, "status", escrowed)
    monkeypatch.setattr(held.keeper, "people", enrolled)
    page = await shown(product)

    assert "All is well" in page
    assert "part-bad" not in page
    assert "400 days" in page
    assert "the kernel refuses every connection outward" in page
