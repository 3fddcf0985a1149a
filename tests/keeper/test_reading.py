"""Reading the log: for everybody its shape, for auditors its entries, for each person their own."""

import json

import pytest

from crm.audit.receipts import receipt
from crm.errors import Invalid, NotFound, PurposeNotYours
from crm.keeper import policy
from crm.keeper_client import Keeper
from crm.kit import merkle, proofs, signed
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import LARGE, ORIGIN, KeeperHome, item
from tests.keeper.talk import contact, entries, last


async def busy(home: KeeperHome, web: Keeper, count: int) -> None:
    """Write so many entries more."""
    for _ in range(count):
        await web.record(home.token("product"), "owner")


async def test_a_checkpoint_is_signed_and_covers_everything(home: KeeperHome) -> None:
    web = await home.client()
    await busy(home, web, 3)

    text, names = signed.open_note(await web.checkpoint(), [signed.Verifier.parse(home.vkey)])
    told = signed.parse_checkpoint(text)

    assert names == [ORIGIN]
    assert (told.origin, told.size) == (ORIGIN, len(home.entries()))
    assert told.root == merkle.root_of([merkle.leaf_hash(body) for body in home.entries()])


async def test_every_entry_has_a_proof(home: KeeperHome) -> None:
    web = await home.client()
    await busy(home, web, 5)
    bodies = home.entries()

    for index, body in enumerate(bodies):
        proven, hashes, signed = proofs.parse_proof(await receipt(web, index))
        checkpoint = home.signed(signed)
        assert proven == index
        proofs.verify_inclusion(index, checkpoint.size, merkle.leaf_hash(body), hashes, checkpoint.root)
    for index in (-1, len(bodies), 10**12):
        with pytest.raises(NotFound):
            await receipt(web, index)


async def test_tiles_and_bundles_give_the_signed_root(home: KeeperHome) -> None:
    """Across a full tile and a part of one, at both levels."""
    web, auditor = await home.client(), home.token("auditor")
    await busy(home, web, 2 * merkle.WIDTH)
    size = home.signed(await web.checkpoint()).size
    last_width = size % merkle.WIDTH
    assert size // merkle.WIDTH == 2
    assert last_width

    bodies = [
        body
        for n, width in ((0, merkle.WIDTH), (1, merkle.WIDTH), (2, last_width))
        for body in proofs.split_bundle(await web.bundle(auditor, n, width))
    ]
    leaves = b"".join(
        [await web.tile(0, n, width) for n, width in ((0, merkle.WIDTH), (1, merkle.WIDTH), (2, last_width))]
    )
    upper = await web.tile(1, 0, 2)

    hashes = [merkle.leaf_hash(body) for body in bodies]
    assert leaves == b"".join(hashes)
    assert upper == merkle.root_of(hashes[:256]) + merkle.root_of(hashes[256:512])
    assert home.signed(await web.checkpoint()).root == merkle.root_of(hashes)
    assert await web.tile(0, 2, 1) == hashes[512], "an older, narrower tile stays available"
    proven, path, signed = proofs.parse_proof(await receipt(web, 3))
    checkpoint = home.signed(signed)
    proofs.verify_inclusion(proven, checkpoint.size, hashes[3], path, checkpoint.root)


@pytest.mark.parametrize(
    ("level", "n", "width"),
    [(0, 0, 0), (0, 0, 257), (0, 1, 256), (1, 0, 1), (-1, 0, 1), (8, 0, 1), (0, -1, 1), (0, 2**62, 1), (63, 0, 1)],
)
async def test_tiles_that_are_not_there(home: KeeperHome, level: int, n: int, width: int) -> None:
    web = await home.client()

    with pytest.raises(NotFound):
        await web.tile(level, n, width)
    if level == 0:
        with pytest.raises(NotFound):
            await web.bundle(home.token("auditor"), n, width)


async def test_entries_are_filtered(home: KeeperHome) -> None:
    web, auditor = await home.client(), home.token("auditor")
    ada, eve = await contact(home, web), await contact(home, web, "Eve Moneypenny", by="staff2")
    await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason="call")
    with pytest.raises(PurposeNotYours):
        await web.open(home.token("marketing"), "serve", subjects=[eve], fields=["identity"], reason="call")
    staff, marketing = home.cast["staff"].id, home.cast["marketing"].id

    async def found(**filters: object) -> list[str]:
        return [entry["act"] for entry in (await web.entries(auditor, **filters))["entries"]]

    assert await found(subject=ada) == ["put", "open"]
    assert await found(subject=eve) == ["put"], "a refusal that was decided by role alone names nobody"
    assert await found(actor=marketing, outcome="purpose-not-yours") == ["refused"]
    assert await found(actor=staff, act="open") == ["open"]
    assert await found(purpose="import") == ["put", "put"]
    assert await found(subject=ada, actor=home.cast["staff2"].id) == []
    assert await found(subject=ada, act="open", actor=staff, purpose="serve", outcome="ok") == ["open"]
    whole = (await web.entries(auditor, limit=1000))["entries"]
    assert [entry["index"] for entry in whole] == list(range(len(home.entries())))
    assert not any("salt" in entry for entry in whole)


async def test_entries_between_two_moments(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    web, auditor = await home.client(), home.token("auditor")
    assert home.clock
    await web.record(home.token("product"), "owner")
    home.clock.advance(minutes=10)
    await web.record(home.token("product"), "vocabulary")
    home.clock.advance(minutes=10)
    await web.record(home.token("product"), "consent")
    first, second, third = (entry["at"] for entry in entries(home, "record"))

    async def found(**filters: str) -> list[str]:
        return [entry["what"] for entry in (await web.entries(auditor, act="record", **filters))["entries"]]

    assert await found(**{"from": second}) == ["vocabulary", "consent"]
    assert await found(to=third) == ["owner", "vocabulary"]
    assert await found(**{"from": second, "to": third}) == ["vocabulary"]
    assert await found(**{"from": first, "to": first}) == []
    with pytest.raises(Invalid):
        await found(to="yesterday")


async def test_entries_are_read_page_by_page_to_the_end(home: KeeperHome) -> None:
    web, auditor, product = await home.client(), home.token("auditor"), home.cast["product"].id
    await busy(home, web, 25)

    for filters, expected in (
        ({}, len(home.entries())),
        ({"actor": product}, len([entry for entry in entries(home) if entry.get("actor") == product])),
        ({"actor": new_id()}, 0),
        ({"subject": new_id()}, 0),
        ({"act": "record"}, 25),
        ({"act": "nothing"}, 0),
    ):
        seen, after, pages = [], -1, 0
        while True:
            page = await web.entries(auditor, **filters, after=after, limit=7)
            seen += [entry["index"] for entry in page["entries"]]
            pages += 1
            if page["next"] is None:
                break
            assert page["next"] > after, "each page moves on"
            after = page["next"]
        assert len(seen) == len(set(seen)) == expected
        assert seen == sorted(seen)
        assert pages <= expected // 7 + 2


async def test_a_page_looks_at_a_thousand_entries_and_says_where_to_go_on(home: KeeperHome) -> None:
    """A filter that fits nothing costs the keeper no more than a page."""
    web, auditor, ada = await home.client(), home.token("auditor"), new_id()
    for _ in range(1003):
        await web.record(home.token("product"), "owner", [ada])
    await web.record(home.token("product"), "consent", [ada])

    for filters in ({"purpose": "serve"}, {"subject": ada, "purpose": "serve"}):
        page = await web.entries(auditor, **filters)
        assert page["entries"] == []
        assert page["next"]
        assert (await web.entries(auditor, **filters, after=page["next"]))["next"] is None


async def test_looks_are_who_opened_or_was_shown_somebody(home: KeeperHome) -> None:
    web, staff = await home.client(), home.token("staff")
    await home.searchable(web)
    ada = await contact(home, web, emails=["ada@lovelace.example"])
    await web.open(staff, "serve", subjects=[ada], fields=["identity"], reason="complaint")
    await web.search(home.token("staff2"), Pii("lovelace"))
    await web.match(staff, "email", Pii("ada@lovelace.example"))
    await web.open(home.token("privacy"), "subject_request", subjects=[ada], fields=["identity"])
    await web.record(staff, "consent", [ada])

    rows = await web.looks(staff, ada)

    assert [(row["name"], row["act"], row["purpose"], row.get("reason")) for row in rows] == [
        ("privacy", "open", "subject_request", None), ("staff", "match", "serve", None),
        ("staff2", "search", "serve", None), ("staff", "open", "serve", "complaint"),
    ]  # fmt: skip
    assert [entries(home)[row["index"]]["at"] for row in rows] == [row["at"] for row in rows]
    assert await web.looks(home.token("auditor"), ada) == rows
    with pytest.raises(NotFound):
        await web.looks(staff, new_id())


async def test_my_log_is_ones_own(home: KeeperHome) -> None:
    web, product = await home.client(), home.token("product")
    await busy(home, web, 5)

    page = await web.my_log(product, limit=3)
    rest = await web.my_log(product, after=page["next"], limit=1000)

    mine = [index for index, entry in enumerate(entries(home)) if entry.get("actor") == home.cast["product"].id]
    assert [entry["index"] for entry in (*page["entries"], *rest["entries"])] == list(reversed(mine))
    assert rest["next"] is None
    assert len(page["entries"]) == 3


async def test_an_act_of_others_is_recorded_in_words_of_a_list(home: KeeperHome) -> None:
    web, ada, ref = await home.client(), await contact(home, await home.client()), f"campaign:{new_id()}"
    topic = new_id()

    index = await web.record(
        home.token("marketing"), "consent", [ada], ref=ref, detail={"state": "given", "count": 3, "topic": topic}
    )

    entry = entries(home)[index]
    assert (entry["act"], entry["what"], entry["subjects"], entry["ref"]) == ("record", "consent", [ada], ref)
    assert entry["detail"] == {"state": "given", "count": 3, "topic": topic}
    assert (entry["actor"], entry["role"]) == (home.cast["marketing"].id, "marketing")


@pytest.mark.parametrize(
    ("act", "subjects", "detail"),
    [
        ("open", [], {}), ("", [], {}), ("erased", [], {}), ("sign_in", [], {}),
        ("owner", ["x"], {}), ("owner", ["Ada Lovelace"], {}),
        ("owner", [], {"text": "Ada Lovelace"}), ("owner", [], {"Ada": 1}), ("owner", [], {"text": "x" * 65}),
        ("owner", [], {"to": "ada"}), ("owner", [], {"fields": "stage.ada"}), ("owner", [], {"ada": "stage"}),
        ("owner", [], {"text": None}), ("owner", [], {"text": 1.5}), ("owner", [], {"text": ["a"]}),
    ],
)  # fmt: skip
async def test_free_text_does_not_get_into_the_log(
    home: KeeperHome, act: str, subjects: list[str], detail: dict[str, object]
) -> None:
    web = await home.client()

    with pytest.raises(Invalid):
        await web.record(home.token("marketing"), act, subjects, detail=detail)

    assert last(home)["act"] == "refused"
    assert "Lovelace" not in str(entries(home))


async def test_what_was_made_is_told_by_id_alone(home: KeeperHome) -> None:
    web, staff, record = await home.client(), home.token("staff"), new_id()
    before = len(home.entries()) - 1
    ada = await contact(home, web)
    await web.put(staff, "intake", item(ada, expected=1, identity={"given_name": "Augusta"}))
    await web.seal(staff, "serve", [{"subject": ada, "record": record, "fields": {}}])
    await web.put(home.token("admin"), "house", item(new_id(), kind="house", vocabulary={}))

    made = await web.made(before)

    assert [(one["subject"], one["record"]) for one in made["items"]] == [(ada, None), (ada, record)]
    assert made["next"] is None
    assert (await web.made(len(home.entries())))["items"] == []
    assert "Augusta" not in json.dumps(made)


async def test_what_was_made_comes_in_pages(home: KeeperHome) -> None:
    web = await home.client()
    await busy(home, web, 1005)
    ada = await contact(home, web)

    page = await web.made(-1)
    assert page["next"] is not None
    rest = await web.made(page["next"])

    assert [one["subject"] for one in rest["items"]] == [ada]
    assert rest["next"] is None


async def test_what_never_arrived_is_marked(home: KeeperHome) -> None:
    web, ada, record = await home.client(), new_id(), new_id()

    index = await web.orphan([{"subject": ada, "record": None}, {"subject": ada, "record": record}])

    entry = entries(home)[index]
    assert (entry["act"], entry["subjects"], entry["records"]) == ("orphan", [ada], [record])
    assert "actor" not in entry
    for bad in ({"subject": "x", "record": None}, {"subject": ada, "record": "x"}):
        with pytest.raises(Invalid):
            await web.orphan([bad])


async def test_status_tells_nothing_secret(home: KeeperHome) -> None:
    for principal in ("web", "sender", "inbound", "approve", "admin"):
        status = await (await home.client(principal)).status()
        assert status == {
            "state": "open", "reason": "", "size": len(home.entries()), "search": status["search"],
            "second_factor": "optional", "escrow": False,
            "limits": dict.fromkeys(policy.BUDGETS, LARGE), "region": "", "rp_id": "localhost",
            "origins": ["http://localhost:8000"],
        }  # fmt: skip


async def test_a_start_says_what_runs(home: KeeperHome) -> None:
    (start, *more) = entries(home, "start")[-1:]

    assert not more
    assert len(start["policy"]) == len(start["build"]) == 64
    assert start["second_factor"] == "optional"
    assert start["limits"]["people"] == 10_000_000
    assert (start["rp_id"], start["origins"]) == ("localhost", ["http://localhost:8000"])
    home.stop()
    assert last(home)["act"] == "stop"
