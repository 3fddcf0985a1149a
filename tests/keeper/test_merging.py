"""Two records of one person become one, are read as one, and can be parted again."""

import pytest

from crm.errors import Invalid, NotFound, PurposeNotYours, TooLarge
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import KeeperHome, item
from tests.keeper.talk import contact, entries, last, sign_in


@pytest.fixture
async def web(home: KeeperHome) -> Keeper:
    """Return the web process's client, once the index cards are built."""
    client = await home.client()
    await home.searchable(client)
    return client


async def test_a_merged_set_is_opened_found_and_counted_as_one(home: KeeperHome, web: Keeper) -> None:
    staff = home.token("staff")
    kept = await contact(home, web, "Ada Lovelace", emails=["ada@lovelace.example"])
    gone = await contact(home, web, "Augusta King", emails=["augusta@king.example"])

    index = await web.merge(staff, gone, kept)
    opened = await web.open(staff, "serve", subjects=[kept], fields=["identity"], reason="call")

    assert entries(home)[index]["subjects"] == [gone, kept]
    assert {who: part["identity"].reveal()["given_name"] for who, part in opened.people.items()} == {
        kept: "Ada", gone: "Augusta",
    }  # fmt: skip
    assert last(home, "open")["subjects"] == [kept, gone]
    assert (await web.me(staff))["budget"]["people"]["used"] == 2, "the merge showed both, the open nobody else"
    assert not (await web.search(staff, Pii("augusta"))).matches
    match = await web.match(staff, "email", Pii("augusta@king.example"))
    assert match
    assert match["id"] == kept
    assert [label["id"] for label in (await web.labels(staff, [gone, kept])).matches] == [kept]


async def test_the_merged_away_is_not_there_by_its_own_id(home: KeeperHome, web: Keeper) -> None:
    staff, kept, gone = home.token("staff"), await contact(home, web), await contact(home, web)
    await web.merge(staff, gone, kept)

    for attempt in (
        web.open(staff, "serve", subjects=[gone], fields=["identity"], reason="call"),
        web.put(staff, "intake", item(gone, expected=1, identity={})),
        web.seal(staff, "serve", [{"subject": gone, "record": new_id(), "fields": {}}]),
        web.merge(staff, gone, kept),
        web.merge(staff, kept, gone),
        web.object(staff, gone),
        web.erase(staff, gone, "request"),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_records_of_the_merged_away_stay_readable(home: KeeperHome, web: Keeper) -> None:
    staff, kept, gone, record = home.token("staff"), await contact(home, web), await contact(home, web), new_id()
    blob = (await web.seal(staff, "serve", [{"subject": gone, "record": record, "fields": {"a": 1}}])).blobs[record]
    await web.merge(staff, gone, kept)

    opened = await web.open(
        staff, "serve", subjects=[kept], fields=[], reason="call",
        records={gone: {record: blob}},
    )  # fmt: skip

    assert opened.records[record].reveal() == {"a": 1}


async def test_a_chain_of_merges_is_one_set(home: KeeperHome, web: Keeper) -> None:
    staff = home.token("staff")
    first, second, third = [await contact(home, web, f"Number{n} Person") for n in range(3)]
    await web.merge(staff, first, second)
    await web.merge(staff, second, third)

    opened = await web.open(staff, "serve", subjects=[third], fields=["identity"], reason="call")

    assert set(opened.people) == {first, second, third}
    assert {row["index"] for row in await web.looks(staff, first)} == {opened.index}


async def test_a_set_has_ten_people(home: KeeperHome, web: Keeper) -> None:
    staff = home.token("staff")
    one, other, *rest = [await contact(home, web) for _ in range(12)]
    for number, gone in enumerate(rest):
        await web.merge(staff, gone, one if number < 5 else other)

    with pytest.raises(TooLarge):
        await web.merge(staff, one, other)


async def test_recent_shows_nobody_through_a_merge(home: KeeperHome, web: Keeper) -> None:
    """Whom the opened person was merged into, the caller may never have opened."""
    staff, gone, kept = home.token("staff"), await contact(home, web), await contact(home, web, "Eve Moneypenny")
    await web.open(staff, "serve", subjects=[gone], fields=["identity"], reason="call")
    assert [label["id"] for label in (await web.recent(staff)).matches] == [gone]

    await web.merge(home.token("staff2"), gone, kept)

    assert not (await web.recent(staff)).matches
    await web.open(staff, "serve", subjects=[kept], fields=["identity"], reason="call")
    assert [label["id"] for label in (await web.recent(staff)).matches] == [kept]


async def test_a_merge_is_undone_and_both_are_there_again(home: KeeperHome, web: Keeper) -> None:
    staff = home.token("staff")
    kept, gone = await contact(home, web), await contact(home, web, "Augusta King")
    await web.merge(staff, gone, kept)

    index = await web.unmerge(staff, gone)

    assert entries(home)[index]["subjects"] == [gone, kept]
    opened = await web.open(staff, "serve", subjects=[gone], fields=["identity"], reason="call")
    assert set(opened.people) == {gone}
    assert [label["id"] for label in (await web.search(staff, Pii("augusta"))).matches] == [gone]
    for subject in (gone, kept, new_id()):
        with pytest.raises(NotFound):
            await web.unmerge(staff, subject)


async def test_merges_survive_a_restart(home: KeeperHome, web: Keeper) -> None:
    staff, kept, gone = home.token("staff"), await contact(home, web), await contact(home, web, "Augusta King")
    await web.merge(staff, gone, kept)
    home.stop()
    home.start()
    again = await home.client()
    await home.searchable(again)

    assert not (await again.search(staff, Pii("augusta"))).matches
    await again.unmerge(staff, gone)
    assert (await again.search(staff, Pii("augusta"))).matches


async def test_a_merge_is_undone_for_thirty_days(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    web = await home.client()
    kept, gone = await contact(home, web), await contact(home, web)
    await web.merge(home.token("staff"), gone, kept)
    assert home.clock
    home.clock.advance(hours=30 * 24 + 1)

    with pytest.raises(NotFound):
        await web.unmerge(await sign_in(web, "staff"), gone)


async def test_two_of_one_kind_are_merged(home: KeeperHome, web: Keeper) -> None:
    staff, ada = home.token("staff"), await contact(home, web)
    firm = await contact(home, web, "Acme Works", kind="company")
    house = new_id()
    await web.put(home.token("admin"), "house", item(house, kind="house", vocabulary={}))

    for subject, into in ((ada, ada), (ada, firm), (firm, ada), (house, ada)):
        with pytest.raises((Invalid, NotFound)):
            await web.merge(staff, subject, into)
    with pytest.raises(NotFound):
        await web.merge(staff, ada, new_id())


async def test_two_are_compared_side_by_side(home: KeeperHome, web: Keeper) -> None:
    staff, ada, eve = home.token("staff"), await contact(home, web), await contact(home, web, "Eve Moneypenny")

    opened = await web.open(staff, "compare", subjects=[ada, eve], fields=["identity"])

    assert set(opened.people) == {ada, eve}
    assert "reason" not in last(home)
    assert (await web.me(staff))["budget"]["people"]["used"] == 2


async def test_an_objection_is_kept(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web)

    for name in ("staff", "privacy"):
        index = await web.object(home.token(name), ada)
        assert entries(home)[index]["subjects"] == [ada]
    assert home.rows("SELECT subject FROM objection") == [(ada,)]
    with pytest.raises(NotFound):
        await web.object(home.token("staff"), new_id())
    with pytest.raises(PurposeNotYours):
        await web.object(home.token("marketing"), ada)
