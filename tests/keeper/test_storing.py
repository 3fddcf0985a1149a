"""What is stored of people: sections with versions, all items or none, the first time and again."""

import pytest

from crm.errors import Invalid, NotFound, PurposeNotYours, Stale, TooLarge
from crm.kit.ids import new_id
from tests.keeper.home import KeeperHome, item
from tests.keeper.talk import contact, entries, last

IDENTITY = {"given_name": "Ada", "family_name": "Lovelace", "company": "Analytical", "job_title": "Countess"}
CHANNELS = {"emails": ["ada@lovelace.example"], "phones": ["+44 20 7946 0018"], "addresses": [{"city": "London"}]}
PROFILE = {"notes": "likes engines", "birthday": None, "children": 3}


async def test_what_is_put_is_opened(home: KeeperHome) -> None:
    web, staff, ada = await home.client(), home.token("staff"), new_id()
    await home.searchable(web)  # whose entry would come between

    put = await web.put(staff, "intake", item(ada, identity=IDENTITY, channels=CHANNELS, profile=PROFILE))
    opened = await web.open(staff, "serve", subjects=[ada], fields=["identity", "channels", "profile"], reason="call")

    assert put.versions == [1, 1, 1]
    assert {name: fields.reveal() for name, fields in opened.people[ada].items()} == {
        "identity": IDENTITY, "channels": CHANNELS, "profile": PROFILE,
    }  # fmt: skip
    assert opened.versions[ada] == {"identity": 1, "channels": 1, "profile": 1}
    assert opened.index == put.index + 1
    entry = entries(home)[put.index]
    assert (entry["act"], entry["purpose"], entry["role"], entry["subjects"]) == ("put", "intake", "staff", [ada])
    assert sorted(entry["writes"]) == ["0/channels/1", "0/identity/1", "0/profile/1"]
    entry = entries(home)[opened.index]
    assert (entry["act"], entry["reason"], entry["fields"]) == ("open", "call", ["identity", "channels", "profile"])
    assert entry["actor"] == home.cast["staff"].id


async def test_a_change_names_the_version_it_changes(home: KeeperHome) -> None:
    web, staff = await home.client(), home.token("staff")
    ada = await contact(home, web)

    second = await web.put(staff, "intake", item(ada, expected=1, identity=IDENTITY))
    with pytest.raises(Stale) as refused:
        await web.put(staff, "intake", item(ada, expected=1, identity={"given_name": "Eve"}))
    with pytest.raises(Stale):
        await web.put(staff, "intake", item(ada, expected=7, identity={"given_name": "Eve"}))
    third = await web.put(staff, "intake", item(ada, expected=2, identity={"given_name": "Augusta"}))

    assert (second.versions, third.versions) == ([2], [3])
    assert refused.value.detail["version"] == 2
    opened = await web.open(staff, "serve", subjects=[ada], fields=["identity"], reason="call")
    assert opened.people[ada]["identity"].reveal() == {"given_name": "Augusta"}
    assert opened.versions[ada] == {"identity": 3}


async def test_creating_twice_stores_once_and_answers_as_the_first_time(home: KeeperHome) -> None:
    web, staff, ada = await home.client(), home.token("staff"), new_id()
    items = item(ada, identity=IDENTITY, channels=CHANNELS)

    first = await web.put(staff, "intake", items)
    again = await web.put(staff, "intake", items)
    other = await web.put(staff, "intake", item(ada, identity={"given_name": "Somebody else"}))

    assert (again, other.versions) == (first, [1])
    assert len(entries(home, "put")) == 1
    opened = await web.open(staff, "serve", subjects=[ada], fields=["identity"], reason="call")
    assert opened.people[ada]["identity"].reveal() == IDENTITY


async def test_a_batch_that_is_half_there_stores_the_rest(home: KeeperHome) -> None:
    web, staff, ada, eve = await home.client(), home.token("staff"), new_id(), new_id()
    await web.put(staff, "intake", item(ada, identity=IDENTITY))

    put = await web.put(staff, "intake", [*item(ada, identity=IDENTITY), *item(eve, identity={"given_name": "Eve"})])

    assert put.versions == [1, 1]
    assert last(home, "put")["subjects"] == [eve]


async def test_a_batch_is_stored_whole_or_not_at_all(home: KeeperHome) -> None:
    web, staff, good = await home.client(), home.token("staff"), new_id()
    ada = await contact(home, web)
    stale = item(ada, expected=9, identity={"given_name": "Eve"})
    broken = [{**item(new_id(), identity={})[0], "fields": "no map"}]
    foreign = item(new_id(), vocabulary={"stages": []})

    for second, kind in ((stale, Stale), (broken, Invalid), (foreign, PurposeNotYours)):
        with pytest.raises(kind):
            await web.put(staff, "intake", [*item(good, identity=IDENTITY), *second])

    with pytest.raises(NotFound):
        await web.open(staff, "serve", subjects=[good], fields=["identity"], reason="call")


async def test_two_hundred_at_once_and_not_one_more(home: KeeperHome) -> None:
    web, staff = await home.client(), home.token("staff")

    def many(count: int) -> list[dict[str, object]]:
        return [one for _ in range(count) for one in item(new_id(), identity={}, channels={}, profile={})]

    put = await web.put(staff, "intake", many(200))
    with pytest.raises(TooLarge):
        await web.put(staff, "intake", many(201))

    assert len(put.versions) == 600
    assert len(last(home, "put")["subjects"]) == 200


async def test_a_section_has_a_size(home: KeeperHome) -> None:
    web, staff = await home.client(), home.token("staff")

    await web.put(staff, "intake", item(new_id(), profile={"text": "x" * 250_000}))
    with pytest.raises(TooLarge):
        await web.put(staff, "intake", item(new_id(), profile={"text": "x" * 263_000}))


async def test_fields_not_asked_for_are_not_given(home: KeeperHome) -> None:
    web, staff, ada = await home.client(), home.token("staff"), new_id()
    await web.put(staff, "intake", item(ada, identity=IDENTITY, channels=CHANNELS, profile=PROFILE))

    async def opened(*fields: str) -> dict[str, object]:
        answer = await web.open(staff, "serve", subjects=[ada], fields=fields, reason="call")
        return {name: part.reveal() for name, part in answer.people.get(ada, {}).items()}

    assert await opened("identity.given_name") == {"identity": {"given_name": "Ada"}}
    assert await opened("identity.given_name", "identity.company") == {
        "identity": {"given_name": "Ada", "company": "Analytical"}
    }
    assert await opened("identity.given_name", "identity") == {"identity": IDENTITY}
    assert await opened("identity", "identity.given_name") == {"identity": IDENTITY}
    assert await opened("profile.websites") == {"profile": {}}
    assert await opened() == {}


@pytest.mark.parametrize(
    "field", ["", "vocabulary", "notes", "identity.Given Name", ".x", "identity/x", "identity.ada_lovelace"]
)
async def test_a_field_is_of_the_purposes_sections(home: KeeperHome, field: str) -> None:
    web, ada = await home.client(), await contact(home, await home.client())

    with pytest.raises(PurposeNotYours):
        await web.open(home.token("staff"), "serve", subjects=[ada], fields=[field], reason="call")


@pytest.mark.parametrize("subject", ["", "x", "0" * 31, "G" * 32, "0" * 33])
async def test_an_id_is_one(home: KeeperHome, subject: str) -> None:
    web, staff = await home.client(), home.token("staff")

    with pytest.raises(Invalid):
        await web.put(staff, "intake", item(subject, identity={}))
    with pytest.raises(NotFound):
        await web.open(staff, "serve", subjects=[subject], fields=["identity"], reason="call")


async def test_a_kind_is_of_the_list_and_goes_with_its_sections(home: KeeperHome) -> None:
    web, staff, admin = await home.client(), home.token("staff"), home.token("admin")

    with pytest.raises(Invalid):
        await web.put(staff, "intake", item(new_id(), kind="robot", identity={}))
    with pytest.raises(Invalid):
        await web.put(staff, "intake", item(new_id(), kind="house", identity={}))
    with pytest.raises(Invalid):
        await web.put(admin, "house", item(new_id(), vocabulary={}))
    twice = [*item(ada := new_id(), identity={"given_name": "A"}), *item(ada, identity={"given_name": "B"})]
    with pytest.raises(Invalid):
        await web.put(staff, "intake", twice)


async def test_unknown_and_wrong_ids_are_answered_alike(home: KeeperHome) -> None:
    web, staff = await home.client(), home.token("staff")
    ada = await contact(home, web)
    await web.erase(staff, ada, "request")

    answers = []
    for subject in (ada, new_id(), "x"):
        with pytest.raises(NotFound) as refused:
            await web.open(staff, "serve", subjects=[subject], fields=["identity"], reason="call")
        answers.append((refused.value.reason, refused.value.detail))

    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("reason", ["call", "email", "follow_up", "complaint", "order", "correction", "other"])
async def test_reasons_are_of_the_list_and_in_the_log(home: KeeperHome, reason: str) -> None:
    web, ada, ref = await home.client(), await contact(home, await home.client()), f"order:{new_id()}"

    await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason=reason, ref=ref)

    assert (last(home)["reason"], last(home)["ref"]) == (reason, ref)


@pytest.mark.parametrize("ref", ["order", "order:1", f"secret:{'0' * 32}", "Ada Lovelace", f"order:{'0' * 32} "])
async def test_a_reference_is_a_kind_and_an_id(home: KeeperHome, ref: str) -> None:
    web, ada = await home.client(), await contact(home, await home.client())

    with pytest.raises(Invalid) as refused:
        await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason="call", ref=ref)

    assert refused.value.detail["pointer"] == "/ref"
    assert "Lovelace" not in str(entries(home))


async def test_an_import_creates_and_changes_nobody(home: KeeperHome) -> None:
    """What is not counted by hand must not swap addresses by the thousand."""
    web, staff, ada = await home.client(), home.token("staff"), new_id()
    await web.put(staff, "intake", item(ada, channels=CHANNELS), bulk=True)
    assert last(home)["purpose"] == "import"

    swap = item(ada, expected=1, channels={"emails": ["mallory@example.net"]})
    with pytest.raises(PurposeNotYours):
        await web.put(staff, "intake", swap, bulk=True)
    await web.put(staff, "intake", swap)

    assert last(home)["purpose"] == "intake"


async def test_the_house_is_everybodys_to_read_and_an_admins_to_write(home: KeeperHome) -> None:
    web, house = await home.client(), new_id()
    words = item(house, kind="house", vocabulary={"stages": ["lead", "customer"]})

    with pytest.raises(PurposeNotYours):
        await web.put(home.token("staff"), "house", words)
    await web.put(home.token("admin"), "house", words)

    for name in home.cast:
        opened = await web.open(home.token(name), "house", subjects=[house], fields=["vocabulary"])
        assert opened.people[house]["vocabulary"].reveal() == {"stages": ["lead", "customer"]}
    assert len(await web.looks(home.token("auditor"), house)) == len(home.cast)


async def test_the_house_is_no_way_to_people(home: KeeperHome) -> None:
    web, staff, house = await home.client(), home.token("staff"), new_id()
    ada, record = await contact(home, web), new_id()
    sealed = (await web.seal(staff, "serve", [{"subject": ada, "record": record, "fields": {"a": "b"}}])).blobs[record]
    await web.put(home.token("admin"), "house", item(house, kind="house", vocabulary={}))
    note = {record: sealed}

    for name in home.cast:
        for subject, records in ((ada, {ada: note}), (ada, {}), (house, {ada: note}), (house, {house: note})):
            with pytest.raises((PurposeNotYours, NotFound, Invalid)):
                await web.open(home.token(name), "house", subjects=[subject], fields=[], records=records)
    for purpose in ("serve", "compare"):
        with pytest.raises((PurposeNotYours, NotFound, Invalid)):
            await web.open(staff, purpose, subjects=[house], fields=["identity"], reason="call")
