"""Records that PostgreSQL keeps sealed: opened for the person and the place they were sealed for, or not at all."""

import hashlib

import pytest

from crm.errors import CrmError, Invalid, NotFound, PurposeNotYours, TooLarge
from crm.keeper_client import Keeper
from crm.kit.ids import TITLE, new_id
from tests.keeper.home import KeeperHome
from tests.keeper.talk import contact, entries, last

NOTE = {"summary": "rang about the invoice", "lines": ["one", "two"], "size": 3}


async def sealed(home: KeeperHome, web: Keeper, subject: str, record: str) -> bytes:
    """Seal the note for a person and place."""
    answer = await web.seal(home.token("staff"), "serve", [{"subject": subject, "record": record, "fields": NOTE}])
    return answer.blobs[record]


async def opened(home: KeeperHome, web: Keeper, subject: str, record: str, blob: object) -> object:
    """Open one record."""
    records = {subject: {record: blob}}
    answer = await web.open(home.token("staff"), "serve", subjects=[subject], fields=[], records=records, reason="call")
    return answer.records[record].reveal()


async def test_what_is_sealed_is_opened(home: KeeperHome) -> None:
    web, record = await home.client(), new_id()
    ada = await contact(home, web)

    blob = await sealed(home, web, ada, record)

    assert await opened(home, web, ada, record, blob) == NOTE
    assert b"invoice" not in blob
    entry = last(home, "seal")
    assert entry["subjects"] == [ada]
    assert entry["records"] == [f"0/{record}/{hashlib.sha256(blob).hexdigest()}"]
    assert last(home, "open")["records"] == [record]
    assert last(home, "open")["fields"] == []


async def test_the_same_note_sealed_twice_looks_different(home: KeeperHome) -> None:
    web, record = await home.client(), new_id()
    ada = await contact(home, web)

    first, second = await sealed(home, web, ada, record), await sealed(home, web, ada, record)

    assert first[:16] != second[:16]
    assert first[16:] != second[16:]
    assert await opened(home, web, ada, record, first) == await opened(home, web, ada, record, second)


async def test_a_record_belongs_to_its_person_and_place(home: KeeperHome) -> None:
    """Whoever holds the database can swap rows; the keeper opens none of them, and the attempt is an entry."""
    web, record, other = await home.client(), new_id(), new_id()
    await home.searchable(web)
    ada, eve = await contact(home, web), await contact(home, web, "Eve Moneypenny")
    blob, hers = await sealed(home, web, ada, record), await sealed(home, web, eve, other)
    size = len(home.entries())

    for subject, place, bytes_ in (
        (eve, record, blob), (ada, other, blob), (ada, record, hers), (eve, other, blob),
        (ada, record, b""), (ada, record, blob[:-1]), (ada, record, blob + b"\0"), (ada, record, bytes(len(blob))),
        (ada, record, blob[:20] + bytes([blob[20] ^ 1]) + blob[21:]), (ada, record, blob[:5]),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            await opened(home, web, subject, place, bytes_)

    assert len(home.entries()) == size + 10, "asked for, and not given: the entry stands"
    assert await opened(home, web, ada, record, blob) == NOTE


@pytest.mark.parametrize("bad", [5, None, "text", ["bytes"], {"a": b"b"}, True, 1.5])
async def test_what_is_no_ciphertext_is_refused(home: KeeperHome, bad: object) -> None:
    web, ada, record = await home.client(), await contact(home, await home.client()), new_id()

    with pytest.raises(Invalid):
        await opened(home, web, ada, record, bad)

    assert (await web.status())["state"] == "open"
    assert last(home)["act"] == "refused"


async def test_records_are_opened_of_whom_the_open_is_about(home: KeeperHome) -> None:
    web, record = await home.client(), new_id()
    ada, eve = await contact(home, web), await contact(home, web, "Eve Moneypenny")
    blob = await sealed(home, web, eve, record)

    with pytest.raises(NotFound):
        await web.open(
            home.token("staff"), "serve", subjects=[ada], fields=[], reason="call",
            records={eve: {record: blob}},
        )  # fmt: skip


async def test_twenty_notes_come_in_one_open(home: KeeperHome) -> None:
    web, staff = await home.client(), home.token("staff")
    ada = await contact(home, web)
    records = [new_id() for _ in range(20)]
    items = [{"subject": ada, "record": one, "fields": {"text": one * 20}} for one in records]

    blobs = (await web.seal(staff, "serve", items)).blobs
    answer = await web.open(
        staff, "serve", subjects=[ada], fields=["identity", "channels"], reason="call",
        records={ada: {one: blobs[one] for one in records}},
    )  # fmt: skip

    assert {one: text.reveal() for one, text in answer.records.items()} == {one: {"text": one * 20} for one in records}
    assert len(entries(home, "open")) == 1


async def test_a_record_is_sealed_for_somebody_who_is_there(home: KeeperHome) -> None:
    web, staff, record = await home.client(), home.token("staff"), new_id()
    ada = await contact(home, web)

    for subject in (new_id(), "x"):
        with pytest.raises(NotFound):
            await web.seal(staff, "serve", [{"subject": subject, "record": record, "fields": {}}])
    with pytest.raises(Invalid):
        await web.seal(staff, "serve", [{"subject": ada, "record": "1", "fields": {}}])
    with pytest.raises(Invalid):
        await web.seal(staff, "serve", [{"subject": ada, "record": record, "fields": [1]}])
    with pytest.raises(TooLarge):
        await web.seal(staff, "serve", [{"subject": ada, "record": record, "fields": {"a": "x" * 8_400_000}}])
    await web.erase(staff, ada, "request")
    with pytest.raises(NotFound):
        await web.seal(staff, "serve", [{"subject": ada, "record": record, "fields": {}}])


async def test_inbound_seals_and_opens_nothing(home: KeeperHome) -> None:
    web, inbound, record = await home.client(), await home.client("inbound"), new_id()
    ada = await contact(home, web)

    answer = await inbound.call("seal", purpose="intake", items=[{"subject": ada, "record": record, "fields": NOTE}])

    assert (last(home)["by"], "actor" in last(home)) == ("inbound", False)
    assert await opened(home, web, ada, record, answer["blobs"][record]) == NOTE
    for token in (None, home.token("staff")):
        with pytest.raises(PurposeNotYours):
            await inbound.call(
                "open", purpose="serve", subjects=[ada], fields=["identity"], records=[], reason="call", token=token
            )


async def test_a_record_larger_than_a_frame_cannot_be_asked_for(home: KeeperHome) -> None:
    web, staff = await home.client(), home.token("staff")
    ada, records = await contact(home, web), [new_id() for _ in range(3)]
    big = {"file": b"x" * 7_000_000}
    blobs = dict[str, bytes]()
    for one in records:
        blobs |= (await web.seal(staff, "serve", [{"subject": ada, "record": one, "fields": big}])).blobs

    with pytest.raises(CrmError) as refused:
        await web.open(
            staff, "serve", subjects=[ada], fields=[], reason="call",
            records={ada: {one: blobs[one] for one in records}},
        )  # fmt: skip

    assert refused.value.code == "too-large"
    assert (await web.status())["state"] == "open"


async def test_an_agenda_opens_titles_and_nothing_else(home: KeeperHome) -> None:
    """Titles count as labels: a note that passed for one would be read at their price."""
    web, staff, ada = await home.client(), home.token("staff"), await contact(home, await home.client())
    await home.searchable(web)
    title, note = TITLE + new_id()[len(TITLE) :], new_id()
    fields = {"title": "Call again"}
    items = [{"subject": ada, "record": record, "fields": fields} for record in (title, note)]
    blobs = (await web.seal(staff, "serve", items)).blobs

    opened = await web.open(staff, "agenda", subjects=[ada], fields=[], records={ada: {title: blobs[title]}})

    assert opened.records[title].reveal() == fields
    assert (await web.recent(staff)).matches == [], "a title is no visit"
    for records in ({note: blobs[note]}, blobs):
        with pytest.raises(PurposeNotYours):
            await web.open(staff, "agenda", subjects=[ada], fields=[], records={ada: records})
    with pytest.raises(Invalid):
        await web.open(staff, "agenda", subjects=[ada], fields=[], records={ada: {title: blobs[note]}})
    with pytest.raises(PurposeNotYours):
        await web.open(staff, "agenda", subjects=[ada], fields=["identity"], records={})
