"""Erasing: everything stops at once, the key dies after three days, and a second person can stop it."""

import asyncio

import pytest

from crm.errors import Invalid, NotFound, PurposeNotYours
from crm.keeper_client import Keeper
from crm.kit.clock import parse_rfc3339
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import KeeperHome, item
from tests.keeper.talk import contact, entries, eventually, last, sign_in

HOURS_72 = 72 * 3_600_000
MAIL = "ada@lovelace.example"


@pytest.fixture
async def timed(make_home: MakeHome) -> KeeperHome:
    """Return a home whose clock can be moved."""
    return await make_home(clock=True)


async def searched(home: KeeperHome) -> Keeper:
    """Return a client once the index cards are built."""
    web = await home.client()
    await home.searchable(web)
    return web


async def test_everything_about_a_person_stops_at_once(home: KeeperHome) -> None:
    web, staff = await searched(home), home.token("staff")
    ada = await contact(home, web, emails=[MAIL])
    await web.open(staff, "serve", subjects=[ada], fields=["identity"], reason="call")

    answer = await web.erase(staff, ada, "request")

    entry = entries(home)[answer["index"]]
    assert (entry["subjects"], entry["ground"], entry["due"]) == ([ada], "request", answer["due_at"])
    assert abs(parse_rfc3339(answer["due_at"]) - parse_rfc3339(entry["at"]) - HOURS_72) < 1000
    assert not (await web.search(staff, Pii("lovelace"))).matches
    assert not (await web.labels(staff, [ada])).matches
    assert not (await web.recent(staff)).matches
    assert await web.match(staff, "email", Pii(MAIL)) is None
    for attempt in (
        web.open(staff, "serve", subjects=[ada], fields=["identity"], reason="call"),
        web.open(home.token("privacy"), "subject_request", subjects=[ada], fields=["identity"]),
        web.put(staff, "intake", item(ada, expected=1, identity={})),
        web.put(staff, "intake", item(ada, identity={})),
        web.merge(staff, ada, await contact(home, web)),
        web.erase(staff, ada, "request"),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert len(await web.looks(staff, ada)) == 1, "who looked is still told"


async def test_a_second_person_cancels(home: KeeperHome) -> None:
    web, staff = await searched(home), home.token("staff")
    ada = await contact(home, web, emails=[MAIL])
    await web.erase(staff, ada, "mistake")

    for token in (staff, await sign_in(web, "staff")):
        with pytest.raises(PurposeNotYours):
            await web.cancel_erase(token, ada)
    index = await web.cancel_erase(home.token("staff2"), ada)

    assert entries(home)[index]["actor"] == home.cast["staff2"].id
    opened = await web.open(staff, "serve", subjects=[ada], fields=["identity"], reason="call")
    assert opened.people[ada]["identity"].reveal()["given_name"] == "Ada"
    assert (await web.search(staff, Pii("lovelace"))).matches
    assert await web.match(staff, "email", Pii(MAIL))
    for subject in (ada, new_id()):
        with pytest.raises(NotFound):
            await web.cancel_erase(home.token("privacy"), subject)


async def test_a_merged_set_is_erased_and_brought_back_as_one(home: KeeperHome) -> None:
    web, staff = await searched(home), home.token("staff")
    kept, gone = await contact(home, web), await contact(home, web, "Augusta King", emails=[MAIL])
    await web.merge(staff, gone, kept)

    await web.erase(staff, kept, "request")
    assert sorted(last(home, "erase")["subjects"]) == sorted([kept, gone])
    assert await web.match(staff, "email", Pii(MAIL)) is None
    with pytest.raises(NotFound):
        await web.cancel_erase(home.token("privacy"), gone)
    await web.cancel_erase(home.token("privacy"), kept)

    opened = await web.open(staff, "serve", subjects=[kept], fields=["identity"], reason="call")
    assert set(opened.people) == {kept, gone}
    match = await web.match(staff, "email", Pii(MAIL))
    assert match
    assert match["id"] == kept


@pytest.mark.parametrize("ground", ["", "because", "Request", None])
async def test_a_ground_is_of_the_list(home: KeeperHome, ground: str) -> None:
    web, ada = await home.client(), await contact(home, await home.client())

    with pytest.raises(Invalid) as refused:
        await web.erase(home.token("staff"), ada, ground)

    assert refused.value.detail["pointer"] == "/ground"


async def test_the_house_is_not_erased(home: KeeperHome) -> None:
    web, house = await home.client(), new_id()
    await web.put(home.token("admin"), "house", item(house, kind="house", vocabulary={}))

    with pytest.raises((Invalid, NotFound)):
        await web.erase(home.token("staff"), house, "request")


async def test_after_three_days_the_key_is_gone(timed: KeeperHome) -> None:
    home, web = timed, await searched(timed)
    kept, gone, other = await contact(home, web, emails=[MAIL]), await contact(home, web), await contact(home, web)
    await web.merge(home.token("staff"), gone, kept)
    wrapped = home.rows("SELECT wrapped FROM subject WHERE id=?", kept)[0][0]
    await web.erase(home.token("staff"), kept, "request")
    assert home.clock
    home.clock.advance(hours=71)
    await web.status()
    assert not entries(home, "erased")

    home.clock.advance(hours=1, minutes=1)
    await eventually(lambda: bool(entries(home, "erased")))

    entry = last(home, "erased")
    assert sorted(entry["subjects"]) == sorted([kept, gone])
    assert (entry["by"], entry["purpose"], "actor" in entry) == ("keeper", "upkeep", False)
    assert home.rows("SELECT state, wrapped FROM subject WHERE id IN (?, ?)", kept, gone) == [("erased", None)] * 2
    assert not home.rows("SELECT 1 FROM section WHERE subject IN (?, ?)", kept, gone)
    assert not home.rows("SELECT 1 FROM alias")
    token = await sign_in(web, "staff2")
    with pytest.raises(NotFound):
        await web.cancel_erase(token, kept)
    with pytest.raises(NotFound):
        await web.open(token, "serve", subjects=[kept], fields=["identity"], reason="call")
    with pytest.raises(NotFound):
        await web.put(token, "intake", item(kept, identity={}))
    await web.open(token, "serve", subjects=[other], fields=["identity"], reason="call")
    home.stop()
    for path in home.file.parent.iterdir():
        assert wrapped not in path.read_bytes(), f"the key's bytes are left in {path.name}"


async def test_what_falls_due_while_the_keeper_is_down_falls_due_at_its_start(timed: KeeperHome) -> None:
    home, web = timed, await searched(timed)
    ada = await contact(home, web)
    await web.erase(home.token("staff"), ada, "retention")
    home.stop()
    assert home.clock
    home.clock.advance(hours=73)

    home.start()

    await eventually(lambda: bool(entries(home, "erased")))


async def test_a_clock_put_forward_erases_nobody(timed: KeeperHome) -> None:
    """A wrong clock must not end the three days in which a mistake can be undone."""
    home, web = timed, await searched(timed)
    ada = await contact(home, web)
    await web.erase(home.token("staff"), ada, "mistake")
    assert home.clock
    home.clock.set(100 * 3_600_000, 0)
    assert (await web.status())["state"] == "sealed"

    # What falls due is asked for once a second, and nothing else tells of it.
    await asyncio.sleep(2.2)
    home.clock.set(0, 0)

    assert (await web.status())["state"] == "open"
    await web.cancel_erase(home.token("staff2"), ada)
    assert not entries(home, "erased")
