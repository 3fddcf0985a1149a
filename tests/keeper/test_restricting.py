"""Restriction (GDPR article 18): kept, and nothing else, until it is lifted."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crm.errors import NotFound, PurposeNotYours
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.home import KeeperHome, item
from tests.keeper.talk import contact, last

Attempt = Callable[[Keeper, str, str, str], Awaitable[Any]]

ATTEMPTS: dict[str, Attempt] = {
    "open": lambda web, staff, ada, _: web.open(staff, "serve", subjects=[ada], fields=["identity"], reason="call"),
    "compare": lambda web, staff, ada, eve: web.open(staff, "compare", subjects=[ada, eve], fields=["identity"]),
    "change": lambda web, staff, ada, _: web.put(
        staff, "intake", [one | {"expected": 1} for one in item(ada, identity={"given_name": "Eve"})]
    ),
    "seal": lambda web, staff, ada, _: web.seal(
        staff, "serve", [{"subject": ada, "record": new_id(), "fields": {"notes": "x"}}]
    ),
    "merge": lambda web, staff, ada, eve: web.merge(staff, ada, eve),
    "merge into": lambda web, staff, ada, eve: web.merge(staff, eve, ada),
    "erase": lambda web, staff, ada, _: web.erase(staff, ada, "request"),
}


@pytest.fixture
async def web(home: KeeperHome) -> Keeper:
    client = await home.client()
    await home.searchable(client)
    return client


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_who_is_restricted_is_only_kept(home: KeeperHome, web: Keeper, attempt: str) -> None:
    staff, privacy = home.token("staff"), home.token("privacy")
    ada = await contact(home, web, emails=["ada@lovelace.example"])
    eve = await contact(home, web, "Eve Moneypenny")

    await web.restrict(privacy, ada)

    with pytest.raises(NotFound):
        await ATTEMPTS[attempt](web, staff, ada, eve)
    await web.restrict(privacy, ada, lift=True)
    await ATTEMPTS[attempt](web, staff, ada, eve)


async def test_who_is_restricted_is_not_found(home: KeeperHome, web: Keeper) -> None:
    staff, privacy = home.token("staff"), home.token("privacy")
    ada = await contact(home, web, "Zenobia Restricted", emails=["zenobia@lovelace.example"])

    await web.restrict(privacy, ada)
    index = await web.restrict(privacy, ada)

    assert (last(home, "restrict")["state"], last(home, "restrict")["subjects"]) == ("restricted", [ada])
    assert index == len(home.entries()) - 1
    for _ in range(2):
        assert not (await web.search(staff, Pii("zenobia"))).matches
        assert not (await web.labels(staff, [ada])).matches
        assert await web.match(staff, "email", Pii("zenobia@lovelace.example")) is None
        home.stop()
        home.start()
        web = await home.client()
        await home.searchable(web)
    await web.restrict(privacy, ada, lift=True)
    assert [label["id"] for label in (await web.search(staff, Pii("zenobia"))).matches] == [ada]
    assert await web.match(staff, "email", Pii("zenobia@lovelace.example"))


async def test_their_own_request_opens_them(home: KeeperHome, web: Keeper) -> None:
    privacy, ada = home.token("privacy"), await contact(home, web)
    await web.restrict(privacy, ada)

    opened = await web.open(privacy, "subject_request", subjects=[ada], fields=["identity"])

    assert opened.people[ada]["identity"].reveal()["given_name"] == "Ada"


async def test_a_set_is_restricted_whole_and_parted_restricted(home: KeeperHome, web: Keeper) -> None:
    staff, privacy = home.token("staff"), home.token("privacy")
    gone, kept = await contact(home, web), await contact(home, web)
    await web.merge(staff, gone, kept)

    await web.restrict(privacy, kept)
    await web.unmerge(staff, gone)

    for one in (gone, kept):
        with pytest.raises(NotFound):
            await web.open(staff, "serve", subjects=[one], fields=["identity"], reason="call")
        await web.restrict(privacy, one, lift=True)


async def test_it_is_the_privacy_officers(home: KeeperHome, web: Keeper) -> None:
    ada = await contact(home, web)

    for role in ("staff", "admin", "auditor", "marketing"):
        with pytest.raises(PurposeNotYours):
            await web.restrict(home.token(role), ada)
    for lift in (True, False):
        with pytest.raises(NotFound):
            await web.restrict(home.token("privacy"), new_id(), lift=lift)
    with pytest.raises(NotFound):
        await web.restrict(home.token("privacy"), ada, lift=True)


async def test_a_canary_is_made_by_an_auditor_and_changed_by_none(home: KeeperHome, web: Keeper) -> None:
    auditor, canary, ada = home.token("auditor"), new_id(), await contact(home, web)

    await web.put(auditor, "canary", item(canary, identity={"given_name": "Cana", "family_name": "Ry"}))

    assert last(home, "put")["purpose"] == "canary"
    assert [label["id"] for label in (await web.search(home.token("staff"), Pii("cana"))).matches] == [canary]
    for one in (canary, ada):
        changed = [part | {"expected": 1} for part in item(one, identity={"given_name": "Eve"})]
        with pytest.raises(PurposeNotYours):
            await web.put(auditor, "canary", changed)
    with pytest.raises(PurposeNotYours):
        await web.put(home.token("staff"), "canary", item(new_id(), identity={"given_name": "Eve"}))
