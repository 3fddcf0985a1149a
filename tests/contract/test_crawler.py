"""A stolen staff account, crawling as cleverly as the routes allow, is stopped at the budget and stands in the log."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import product as pairs
from typing import Any

import pytest
from httpx import AsyncClient, Response

from api.main import create_app
from crm.interactions import upkeep
from crm.kit.ids import new_id
from tests.contract.scene import running
from tests.keeper.home import KeeperHome
from tests.product import Product, Server, _no_upkeep, settings_for

PEOPLE, LABELS = 150, 600
AT_ONCE = 16
# Eight of each, which is what one search shows: a hundred and fifty prefixes, twice as many people as labels.
PREFIXES = ["".join(each) for each in pairs("bdfghklmnprstvz", "aeiou", "bd")]
EACH = 8
ALL = len(PREFIXES) * EACH
CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    """A keeper with the contract's budgets."""
    with running(tmp_path_factory.mktemp("crawl"), people=PEOPLE, labels=LABELS, intake=300, installation=1000) as home:
        yield home


@pytest.fixture
async def product(server: Server, bounded: KeeperHome, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    monkeypatch.setattr(upkeep, "run", _no_upkeep)
    app = create_app(replace(settings_for(server, bounded), requests_per_minute=1_000_000))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        made = Product(app, bounded, server)
        await made.connect(stack)
        yield made


def name_of(number: int) -> str:
    return f"{PREFIXES[number // EACH]}x{number:04d}".capitalize()


def address_of(number: int) -> str:
    return f"{name_of(number).lower()}@harvest.example"


async def populate(product: Product) -> None:
    """Import the people somebody else works for."""
    cards = "".join(
        f"BEGIN:VCARD\nVERSION:3.0\nN:{name_of(number)};;;;\nEMAIL:{address_of(number)}\nEND:VCARD\n"
        for number in range(ALL)
    )
    answer = await product.staff2.post("/v1/imports", files={"file": ("x", cards.encode())})
    while (state := (await product.staff2.get(f"/v1/imports/{answer.json()['id']}")).json())["state"] == "running":
        await asyncio.sleep(0.05)
    assert state["stored"] == ALL


@dataclass
class Crawler:
    """One account, what it has seen of whom, and how often it was refused."""

    client: AsyncClient
    labelled: dict[str, str] = field(default_factory=dict)
    opened: dict[str, str] = field(default_factory=dict)
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def ask(self, method: str, url: str, **call: Any) -> Response:
        async with self._gate:
            answer = await self.client.request(method, url, **call)
        body = answer.json() if answer.content else {}
        self.answers[answer.status_code, body.get("code", "")] += 1
        for label in (*body.get("matches", ()), *body.get("people", ())):
            self.labelled[label["id"]] = label["name"]
        if "identity" in body:
            self.opened[body["id"]] = body["identity"].get("family_name", "")
        return answer

    async def everywhere(self, method: str, calls: list[tuple[str, dict[str, Any]]]) -> list[Response]:
        return list(await asyncio.gather(*(self.ask(method, url, **call) for url, call in calls)))


async def crawl(crawler: Crawler) -> None:
    """Try every way there is to see one more."""
    search = [("/v1/contacts/search", {"json": {"q": prefix}}) for prefix in PREFIXES]
    await crawler.everywhere("POST", search)
    # An address that is guessed: the warning of a duplicate is a label.
    guesses = [[address_of(number + step) for step in range(EACH)] for number in range(0, ALL, EACH)]
    await crawler.everywhere("POST", [("/v1/contacts", {"json": {"emails": guess}}) for guess in guesses])
    known = list(crawler.labelled)
    serve = {"params": {"purpose": "serve", "reason": "other"}}
    await crawler.everywhere("GET", [(f"/v1/contacts/{one}", serve) for one in known])
    await crawler.everywhere("GET", [(f"/v1/contacts/{one}/interactions", serve) for one in known])
    await crawler.everywhere("GET", [(f"/v1/contacts/{one}/looks", {}) for one in known[:50]])
    # What a change answers, and what it takes over from whom.
    patch = {"json": {"given_name": "x"}, "headers": {"if-match": '"1.1.1.0"'}}
    await crawler.everywhere("PATCH", [(f"/v1/contacts/{one}", patch) for one in known])
    mine = await crawler.ask("POST", "/v1/contacts", json={"given_name": "Mine", "confirm_duplicate": True})
    if mine.status_code == 201:
        into = {"json": {"into": mine.json()["id"], "keep": ["family_name", "emails"]}}
        merges = [(f"/v1/contacts/{one}/merge", into) for one in known[:200]]
        await crawler.everywhere("POST", merges)
        await crawler.ask("GET", f"/v1/contacts/{mine.json()['id']}", **serve)
    # A file of guesses: what it says of those who are there already.
    card = f"BEGIN:VCARD\nFN:x\nEMAIL:{address_of(ALL - 1)}\nEND:VCARD\n".encode()
    job = await crawler.ask("POST", "/v1/imports", files={"file": ("x", card)})
    assert job.status_code == 202
    assert "harvest" not in (await crawler.ask("GET", f"/v1/imports/{job.json()['id']}")).text
    # The same id again, parameters nobody knows, and once more from the start.
    await crawler.everywhere("POST", [("/v1/contacts", {"json": {"id": one, "given_name": "x"}}) for one in known[:20]])
    for more in ({"limit": 10_000}, {"size": 500}, {"offset": 8}, {"owner": "me"}, {"fields": "*"}):
        await crawler.ask("POST", "/v1/contacts/search", json={"q": PREFIXES[-1]}, params=more)
        await crawler.ask("GET", "/v1/contacts", params=more)
        await crawler.ask("GET", "/v1/me/recent", params=more)
    await crawler.everywhere("POST", search[::-1])


async def test_it_is_stopped_at_the_budget_and_every_refusal_is_in_the_log(product: Product) -> None:
    await populate(product)
    before = len(product.keeper.entries())
    crawler = Crawler(product.staff)

    await crawl(crawler)

    # The keeper counts repeated refusals and writes how many there were within a minute, or when it ends.
    product.keeper.stop()
    entries = [json.loads(entry) for entry in product.keeper.entries()[before:]]
    product.keeper.start()
    mine = [entry for entry in entries if entry.get("actor") == product.keeper.cast["staff"].id]
    opened = {one for entry in mine if (entry["act"], entry["outcome"]) == ("open", "ok") for one in entry["subjects"]}
    # As far as the budget, and not one further: a crawler that got nowhere would prove nothing.
    assert LABELS - EACH <= len(crawler.labelled) <= LABELS + PEOPLE
    assert len(crawler.labelled.keys() - opened) <= LABELS
    assert PEOPLE - 1 <= len(opened) <= PEOPLE
    assert crawler.opened.keys() <= opened
    refused = crawler.answers[429, "over-budget"]
    assert refused > 100
    logged = [entry for entry in mine if entry["outcome"] == "over-budget"]
    assert sum(entry.get("count", 1) for entry in logged) == refused
    assert {entry["what"] for entry in logged} >= {"search", "match", "open"}
    assert set(crawler.answers) <= EXPECTED, crawler.answers
    # What was opened or shown is in the log too, for each of them.
    seen = {one for entry in mine if entry["outcome"] == "ok" for one in entry.get("subjects", ())}
    assert seen >= crawler.opened.keys() | crawler.labelled.keys()


EXPECTED = {
    (200, ""), (201, ""), (202, ""), (404, "not-found"), (405, "method-not-allowed"), (409, "duplicate"),
    (412, "stale"), (422, "invalid"), (429, "over-budget"),
}  # fmt: skip


async def test_another_account_goes_on(product: Product) -> None:
    contact = new_id()
    made = await product.staff2.post("/v1/contacts", json={"id": contact, "given_name": "Ada"})

    opened = await product.staff2.get(f"/v1/contacts/{contact}", params={"purpose": "serve"})

    assert (made.status_code, opened.status_code) == (201, 200)
