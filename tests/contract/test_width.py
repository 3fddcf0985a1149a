"""One walk over every route: declared, classified, no file, and no answer wider than its class, however it is asked."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from httpx import Response

from api.http.deps import PUBLIC
from api.http.surface import routes_of
from api.main import create_app
from crm.interactions import upkeep
from crm.promises.classes import CLASSES, MEDIA, MOST_LABELS, MOST_OF, MOST_PEOPLE, PROBLEM, STATIC
from crm.promises.surface import judge_declared, judge_width
from crm.promises.verdict import Verdict
from tests.api.test_every_route import ROWS, Row
from tests.contract.scene import running
from tests.keeper.home import KeeperHome
from tests.product import Product, Server, _no_upkeep, settings_for

PEOPLE = 30
NAME, DOMAIN = "Widthtester", "width.example"
# What list APIs elsewhere are widened by.
WIDER = {
    "limit": "10000", "size": "10000", "page_size": "10000", "per_page": "10000", "offset": "0", "page": "1",
    "all": "1", "fields": "*", "include": "contact", "expand": "contact", "embed": "contacts", "format": "csv",
    "export": "1", "q": "", "sort": "name",
}  # fmt: skip
ACCEPTED = "text/csv, text/vcard, application/x-ndjson, application/vnd.ms-excel, application/zip"


def test_every_route_is_declared_and_classified(product: Product) -> None:
    routes = routes_of(product.app)

    for judged in (judge_declared(routes), judge_width(routes)):
        assert judged.verdict is Verdict.KEPT, judged.evidence
    assert {(route.method, route.path) for route in routes} == set(CLASSES), "a row is left over"
    assert {(route.method, route.path) for route in routes if route.is_public} == PUBLIC


def test_the_table_holds_to_the_contract() -> None:
    assert all(
        0 <= row.people <= MOST_PEOPLE and 0 <= row.labels <= MOST_OF.get(key, MOST_LABELS)
        for key, row in CLASSES.items()
    )
    assert {row.media for row in CLASSES.values()} <= MEDIA
    assert not [media for media in MEDIA - STATIC if re.search("csv|vcard|sheet|excel|ndjson|zip|tar|xml|pdf", media)]
    assert not any(CLASSES[key].people or CLASSES[key].labels for key in PUBLIC)
    wide = {name for row in CLASSES.values() if row.people or row.labels for name in row.query}
    assert not wide & WIDER.keys(), "none of those who show people takes a parameter that lists are widened by"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    """A keeper of its own: some routes end sessions."""
    with running(tmp_path_factory.mktemp("width")) as home:
        yield home


@pytest.fixture
async def filled(server: Server, own: KeeperHome, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    """The product with more people than any answer may hold, all of one name and all opened today."""
    monkeypatch.setattr(upkeep, "run", _no_upkeep)
    app = create_app(settings_for(server, own))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        made = Product(app, own, server)
        await made.connect(stack)
        yield made


def seen(answer: Response) -> tuple[set[str], set[str]]:
    """Return who was opened, by their address, and who was only labelled, by their number."""
    opened = set(re.findall(rf"w(\d+)@{DOMAIN}", answer.text))
    return opened, set(re.findall(rf"{NAME}(\d+)", answer.text)) - opened


def widened(row: Row) -> Iterator[dict[str, Any]]:
    """Give the call as it should be, and as somebody would try to widen it."""
    yield row.call
    call = {**row.call, "headers": {**row.call.get("headers", {}), "accept": ACCEPTED}}
    yield {**call, "params": {**WIDER, **row.call.get("params", {})}}
    for name, value in WIDER.items():
        yield {**call, "params": {**row.call.get("params", {}), name: value}}


async def test_no_answer_is_wider_than_its_class(filled: Product) -> None:
    people = [
        await filled.contact(given_name=f"{NAME}{number}", emails=[f"w{number}@{DOMAIN}"]) for number in range(PEOPLE)
    ]
    for contact in people:
        await filled.opened(contact)
    given = {
        ("POST", "/v1/contacts/search"): {"json": {"q": NAME}},
        ("POST", "/v1/contacts"): {"json": {"emails": [f"w{number}@{DOMAIN}" for number in range(20)]}},
    }
    shown: dict[str, tuple[int, int]] = {}
    # What ends sessions comes last.
    for row in sorted(ROWS, key=lambda row: "sessions" in row.path and row.method == "DELETE"):
        row_ = Row(row.method, row.path, row.roles, given.get((row.method, row.path), row.call))
        most = CLASSES[row.method, row.path]
        contact = people.pop(0) if row.method == "DELETE" and row.path.endswith("{contact}") else people[-1]
        url = row_.url(contact)
        for role in sorted(row.roles):
            for call in widened(row_):
                answer = await filled.as_(role).request(row.method, url, **call)
                opened, labelled = seen(answer)
                assert len(opened) <= most.people, (row.method, url, role, call)
                assert len(labelled) <= most.labels, (row.method, url, role, call)
                media = answer.headers.get("content-type", most.media).partition(";")[0]
                assert media in {most.media, PROBLEM}, (row.method, url, role, call)
                assert "attachment" not in answer.headers.get("content-disposition", "")
                before = shown.get(f"{row.method} {row.path}", (0, 0))
                shown[f"{row.method} {row.path}"] = max(before[0], len(opened)), max(before[1], len(labelled))

    # As wide as the class says, where there are enough people: a walk that saw nobody would prove nothing.
    assert shown["GET /v1/contacts/{contact}"] == (1, 0)
    assert shown["POST /v1/contacts/search"] == (0, 8)
    assert shown["POST /v1/contacts"] == (0, 8)
    assert shown["GET /v1/me/recent"] == (0, 20)


@pytest.mark.parametrize("path", ["/openapi.json", "/health", "/v1/promises", "/log/checkpoint"])
async def test_what_is_public_shows_nobody(product: Product, path: str) -> None:
    await product.contact(given_name=f"{NAME}1", emails=[f"w1@{DOMAIN}"])

    answer = await product.nobody.get(path, params=WIDER, headers={"accept": ACCEPTED})

    assert answer.status_code == 200
    assert seen(answer) == (set(), set())
