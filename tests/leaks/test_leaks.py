"""No value about a person is found anywhere but sealed, whatever is asked, whatever fails, however loud it is."""

import asyncio
import contextlib
from collections.abc import Iterator
from itertools import cycle

import pytest
from httpx import HTTPError

from tests.api.test_every_route import ROWS
from tests.leaks import drive
from tests.leaks.people import Crowd, hits
from tests.leaks.running import Parts, Web, parts
from tests.leaks.web import GUARDS

# A vocabulary is rewritten whole with each term.
MOST_TERMS = 5
SOME = [row for row in ROWS if (row.method, row.path) in {("POST", "/v1/contacts"), ("GET", "/v1/contacts/{contact}")}]


@pytest.fixture(scope="module")
def shared() -> Iterator[Parts]:
    with parts() as made:
        yield made


async def use(web: Web, crowd: Crowd) -> None:
    """Do a little of everything, with a few people."""
    terms = [person.company for person in crowd.people[:MOST_TERMS]]
    await drive.name_terms(web, terms)
    await asyncio.gather(*(drive.write(web, person, term) for person, term in zip(crowd.people, cycle(terms))))
    await drive.sign_in(web, crowd.people[0])
    await drive.hand_in(web, crowd.people)
    await drive.mishap(web, crowd.people[-1])


async def everything(web: Web, shared: Parts) -> dict[str, bytes]:
    return {**web.said(), **web.known_to_the_system(), **(await shared.dumped()), **shared.left()}


async def test_nobody_is_found_anywhere(shared: Parts) -> None:
    crowd = Crowd()
    with shared.web("shipped") as web:
        await use(web, crowd)
        await drive.misuse(web, crowd)
        sinks = await everything(web, shared)

    assert hits(crowd, sinks) == []
    # It was asked for all of it, and said what it says.
    assert sinks["stdout"].count(b"\n") > 800
    assert b"builtins.KeyError at " in sinks["stdout"]
    assert sinks["answers"].count(b'"code":"invalid"') > 100
    assert {"dump", "argv", "environ", "keeper said"} <= sinks.keys()
    assert any(name.startswith("postgres data/pg_wal/") for name in sinks)
    assert any(name.startswith("postgres") and name.endswith(".log") for name in sinks)


async def test_nor_at_the_loudest_with_keeper_and_database_gone(shared: Parts) -> None:
    crowd = Crowd(6)
    with shared.web("loud") as web:
        await use(web, crowd)
        shared.keeper.kill()
        await failing(web, crowd, "keeper-unavailable")
        assert shared.keeper.start()
        shared.database(is_up=False)
        try:
            await failing(web, crowd, "database-unavailable")
        finally:
            shared.database(is_up=True)
        sinks = await everything(web, shared)

    assert hits(crowd, sinks) == []
    assert b"DEBUG" in sinks["stderr"], "it was loud"


async def failing(web: Web, crowd: Crowd, code: str) -> None:
    """Ask for something that has to fail by this code."""
    person = crowd.people[0]
    before = len(web.told)
    async with web.client("staff") as staff:
        for body in (drive.body_of(person), {**drive.body_of(person), "confirm_duplicate": False}):
            await staff.post("/v1/contacts", json=body)
        await staff.post("/v1/contacts/search", json={"q": person.name})
        await staff.get("/v1/contacts/" + "0" * 32, params={"purpose": "serve", "ref": person.email})
        with contextlib.suppress(HTTPError):
            await staff.post("/v1/imports", files={"file": (person.name, drive.card_of(person).encode())})
    assert any(code.encode() in told for told in web.told[before:])


@pytest.mark.parametrize(("guard", "where"), [(guard.__name__, where) for guard, where in GUARDS.items()])
async def test_without_one_guard_somebody_is_found(shared: Parts, guard: str, where: tuple[str, ...]) -> None:
    crowd = Crowd(1)
    with shared.web(guard) as web:
        await use(web, crowd)
        await drive.misuse(web, crowd, SOME)
        sinks = {**web.said(), **(await shared.dumped())}

    found = hits(crowd, sinks)
    assert found
    assert [hit for hit in found if not hit.startswith(where)] == []
