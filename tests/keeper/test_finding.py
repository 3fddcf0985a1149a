"""Finding people: by the beginnings of words, by a whole address or number, and never a list of everybody."""

import asyncio
from pathlib import Path

import pytest

from crm.errors import Invalid, KeeperUnavailable, TooLarge
from crm.keeper_client import Keeper, Labels
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import KeeperHome, gather_cast, item
from tests.keeper.talk import contact, entries, last


@pytest.fixture
async def web(home: KeeperHome) -> Keeper:
    """Return the web process's client, once the index cards are built."""
    client = await home.client()
    await home.searchable(client)
    return client


def ids(labels: Labels) -> set[str]:
    """Return who is shown."""
    return {match["id"] for match in labels.matches}


def shown(match: dict[str, Pii[str] | str]) -> tuple[object, ...]:
    """Return a label in clear."""
    return tuple(value.reveal() if isinstance(value, Pii) else value for value in match.values())


PEOPLE = [
    ("Łukasz Öster", "lukasz"), ("Łukasz Öster", "ŁUK"), ("Łukasz Öster", "ost"), ("Łukasz Öster", "öster luk"),
    ("Søren Kierkegaard", "soren"), ("Søren Kierkegaard", "SØREN"), ("Anna Weiß", "weiss"), ("Anna Weiss", "weiß"),
    ("Işıl Aydın", "isil"), ("Işıl Aydın", "AYDIN"), ("Zoë O'Brien", "zoe obrien"), ("Zoë O’Brien", "o'brien"),
    ("Mary Smith-Jones", "jones"), ("किरण राव", "किरण"), ("محمد علي", "محمد"), ("佐藤 健太郎", "健太郎"),
    ("Nguyễn Văn Ân", "nguyen"), ("İbrahim Öz", "ibrahim"), ("Æthelred Unready", "aethel"), ("ﬁona Glenanne", "fiona"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "typed"), PEOPLE)
async def test_a_name_is_found_by_any_words_beginning(home: KeeperHome, web: Keeper, name: str, typed: str) -> None:
    who, _ = await contact(home, web, name), await contact(home, web, "Somebody Else")

    assert ids(await web.search(home.token("staff"), Pii(typed))) == {who}


async def test_a_label_is_name_company_and_half_an_address(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web, company="Analytical Engines", emails=["ada@lovelace.example", "second@x.example"])

    (match,) = (await web.search(home.token("staff"), Pii("analytical"))).matches

    assert shown(match) == (ada, "Ada Lovelace", "Analytical Engines", "a•••@l•••.example")
    assert "Ada" not in repr(match)


async def test_every_word_has_to_fit(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web, company="Analytical Engines")
    await contact(home, web, "Ada Byron", company="Babbage")

    assert ids(await web.search(home.token("staff"), Pii("ada analyt"))) == {ada}
    assert not (await web.search(home.token("staff"), Pii("ada engineering"))).matches


@pytest.mark.parametrize("typed", ["", "a", "ab", "  ab ", "''", '"*"', "x y", "%%%%", "* OR *"])
async def test_fewer_than_three_characters_find_nobody(home: KeeperHome, web: Keeper, typed: str) -> None:
    await contact(home, web, "Abigail Xy")

    with pytest.raises(Invalid) as refused:
        await web.search(home.token("staff"), Pii(typed))

    assert refused.value.detail["pointer"] == "/q"


@pytest.mark.parametrize(
    "typed", ['ada" OR "eve', "ada NOT eve", "ada* OR eve*", "words: ada", "NEAR(ada eve)", "ada\0eve"]
)
async def test_what_is_typed_is_words_not_a_query(home: KeeperHome, web: Keeper, typed: str) -> None:
    await contact(home, web, "Ada Lovelace")
    await contact(home, web, "Eve Moneypenny")

    assert not (await web.search(home.token("staff"), Pii(typed))).matches


async def test_eight_at_most_and_whole_words_first(home: KeeperHome, web: Keeper) -> None:
    for number in range(9):
        await contact(home, web, f"Anastasia Number{number}")
    ana = await contact(home, web, "Ana Short")

    found = await web.search(home.token("staff"), Pii("ana"))

    assert (len(found.matches), found.more) == (8, True)
    assert found.matches[0]["id"] == ana
    narrow = await web.search(home.token("staff"), Pii("anastasia number4"))
    assert (len(narrow.matches), narrow.more) == (1, False)


async def test_the_entry_says_who_was_shown_and_never_what_was_typed(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web)

    await web.search(home.token("staff"), Pii("lovelace"))
    await web.search(home.token("staff"), Pii("nobodyisthere"))

    one, none = entries(home, "search")
    assert (one["subjects"], one["count"]) == ([ada], 1)
    assert (none["subjects"], none["count"]) == ([], 0)
    assert not any(word in str(entries(home)) for word in ("lovelace", "nobodyisthere", "Lovelace"))


async def test_companies_are_found_apart(home: KeeperHome, web: Keeper) -> None:
    person = await contact(home, web, "Acme Person")
    firm = await contact(home, web, "Acme Works", kind="company")

    assert ids(await web.search(home.token("staff"), Pii("acme"))) == {person}
    assert ids(await web.search(home.token("staff"), Pii("acme"), kind="company")) == {firm}
    assert ids(await web.search(home.token("staff"), Pii("acme"), kind="house")) == set()


async def test_a_change_is_found_at_once_and_the_old_name_is_not(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web)

    await web.put(
        home.token("staff"), "intake", item(ada, expected=1, identity={"given_name": "Augusta", "family_name": "King"})
    )

    assert ids(await web.search(home.token("staff"), Pii("augusta"))) == {ada}
    assert ids(await web.search(home.token("staff"), Pii("lovelace"))) == set()


async def test_people_are_found_after_a_restart(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web, emails=["ada@lovelace.example"])
    gone = await contact(home, web, "Gone Lovelace")
    await web.erase(home.token("staff"), gone, "request")
    many = [one for _ in range(150) for one in item(new_id(), identity={"given_name": "Filler"})]
    await web.put(home.token("staff"), "intake", many, bulk=True)
    home.stop()
    home.start()
    web = await home.client()
    await home.searchable(web)

    (match,) = (await web.search(home.token("staff"), Pii("lovelace"))).matches

    assert shown(match) == (ada, "Ada Lovelace", "", "a•••@l•••.example")
    assert entries(home, "cards_built")


async def test_before_the_cards_are_built_nothing_is_searched(make_home: MakeHome) -> None:
    home = await make_home()
    client = await home.client()
    for _ in range(20):
        many = [one for _ in range(200) for one in item(new_id(), identity={"given_name": "Filler"})]
        await client.put(home.token("staff"), "intake", many, bulk=True)
    home.stop()
    home.start()
    client = await home.client()

    answers = await asyncio.gather(
        client.status(), client.search(home.token("staff"), Pii("filler")), return_exceptions=True
    )

    if answers[0]["search"] == "building":
        assert isinstance(answers[1], KeeperUnavailable)
    await home.searchable(client)
    assert (await client.search(home.token("staff"), Pii("filler"))).more


async def test_labels_of_known_people(home: KeeperHome, web: Keeper) -> None:
    ada, eve = await contact(home, web), await contact(home, web, "Eve Moneypenny")
    gone = await contact(home, web, "Gone Girl")
    await web.erase(home.token("staff"), gone, "request")

    labels = await web.labels(home.token("staff"), [eve, ada, ada, gone, new_id()])

    assert [match["id"] for match in labels.matches] == [eve, ada]
    assert last(home, "labels")["subjects"] == [eve, ada]
    with pytest.raises(TooLarge):
        await web.labels(home.token("staff"), [await contact(home, web) for _ in range(21)])


@pytest.mark.parametrize(
    ("kind", "stored", "asked"),
    [
        ("email", "Ada@Lovelace.Example", "ada@lovelace.example"),
        ("email", "ada@lovelace.example", "  ADA@LOVELACE.EXAMPLE "),
        ("email", "ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("email", "a.d.a+crm@lovelace.example", "a.d.a+crm@lovelace.example"),
        ("phone", "+44 20 7946 0018", "+442079460018"),
        ("phone", "+44 (0)20 7946-0018", "+442079460018"),
    ],
)
async def test_a_whole_address_or_number_finds_its_holder(
    home: KeeperHome, web: Keeper, kind: str, stored: str, asked: str
) -> None:
    held = [stored] if kind == "email" else [], [stored] if kind == "phone" else []
    ada = await contact(home, web, emails=held[0], phones=held[1])

    match = await web.match(home.token("staff"), kind, Pii(asked))

    assert match
    assert match["id"] == ada
    assert await web.subject_of(home.token("auditor"), kind, Pii(asked)) == ada
    assert last(home, "match")["subjects"] == last(home, "subject")["subjects"] == [ada]
    assert stored not in str(entries(home))


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("email", "ad@lovelace.example"), ("email", "ada+x@lovelace.example"), ("email", ""), ("email", "ada@"),
        ("phone", "+442079460019"), ("phone", "7946 0018"), ("phone", "ada@lovelace.example"), ("phone", ""),
        ("email", "+442079460018"),
    ],
)  # fmt: skip
async def test_nothing_less_than_the_whole_finds_anybody(home: KeeperHome, web: Keeper, kind: str, asked: str) -> None:
    await contact(home, web, emails=["ada@lovelace.example", ""], phones=["+442079460018", "12", ""])

    assert await web.match(home.token("staff"), kind, Pii(asked)) is None
    assert await web.subject_of(home.token("auditor"), kind, Pii(asked)) is None


async def test_only_addresses_and_numbers_are_matched(home: KeeperHome, web: Keeper) -> None:
    for kind in ("name", "", "emails"):
        with pytest.raises(Invalid):
            await web.match(home.token("staff"), kind, Pii("Ada"))


async def test_a_changed_address_matches_and_the_old_one_does_not(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web, emails=["old@lovelace.example"])

    await web.put(home.token("staff"), "intake", item(ada, expected=1, channels={"emails": ["new@lovelace.example"]}))

    assert await web.match(home.token("staff"), "email", Pii("old@lovelace.example")) is None
    assert await web.match(home.token("staff"), "email", Pii("new@lovelace.example"))


async def test_an_auditor_is_told_an_id_and_no_name(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web, emails=["ada@lovelace.example"])

    answer = await web.call(
        "subject", token=home.token("auditor"), purpose="audit", kind="email", value="ada@lovelace.example"
    )

    assert answer == {"id": ada}


async def test_recent_is_whom_one_opened_newest_first(home: KeeperHome, web: Keeper) -> None:
    staff = home.token("staff")
    people = [await contact(home, web, f"Person Number{number}") for number in range(23)]
    for one in people:
        await web.open(staff, "serve", subjects=[one], fields=["identity"], reason="call")
    await web.open(staff, "serve", subjects=[people[5]], fields=["identity"], reason="call")
    size = len(home.entries())

    rows = await web.recent(staff)

    others = [one for one in reversed(people) if one != people[5]]
    assert [match["id"] for match in rows.matches] == [people[5], *others[:19]]
    assert not rows.more
    assert len(home.entries()) == size, "recent has no entry of its own"
    assert not (await web.recent(home.token("staff2"))).matches


async def test_recent_forgets_after_two_weeks_and_whom_is_gone(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    client = await home.client()
    await home.searchable(client)
    ada, eve = await contact(home, client), await contact(home, client, "Eve Moneypenny")
    for one in (ada, eve):
        await client.open(home.token("staff"), "serve", subjects=[one], fields=["identity"], reason="call")
    await client.erase(home.token("staff2"), eve, "request")

    assert ids(await client.recent(home.token("staff"))) == {ada}
    assert home.clock
    home.clock.advance(hours=14 * 24 + 1)
    token = (await client.sign_in("staff", Pii("correct horse battery"))).token.reveal()
    assert ids(await client.recent(token)) == set()


async def test_regions_are_the_homes(tmp_path: Path) -> None:
    """A number written without its country is read as of the country the home was made for."""
    local = KeeperHome(tmp_path / "home")
    local.init(options=["--region", "DE"])
    local.start()
    await gather_cast(local, second_factor="optional")
    client = await local.client()
    await local.searchable(client)
    who = await contact(local, client, phones=["030 901820"])

    match = await client.match(local.token("staff"), "phone", Pii("+49 30 901820"))

    assert match
    assert match["id"] == who
    await local.aclose()
