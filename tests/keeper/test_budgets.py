"""Budgets: refused at their edge, refilled by a clock nobody can set, and lifted by a second person."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from crm.errors import CrmError, OverBudget
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import KeeperHome, item
from tests.keeper.talk import contact, entries, eventually, hire, last, sign_in

SMALL = {
    "people": 3, "labels": 4, "intake": 3, "import": 40, "records": 3, "requests": 2, "erasures": 2, "subjects": 2,
    "acts": 3, "installation": 12,
}  # fmt: skip
DAY_S = 86_400


@pytest.fixture
async def small(make_home: MakeHome) -> KeeperHome:
    """Return a running home whose budgets are small and whose clock can be moved."""
    home = await make_home(clock=True, **SMALL)
    await home.searchable(await home.client())
    return home


async def time_passes(home: KeeperHome, web: Keeper, who: str, *, hours: float) -> str:
    """Let time pass for both clocks; who is needed signs in anew. Returns the token of ``who``."""
    assert home.clock
    home.clock.advance(hours=hours)
    for name in {who, "staff2"}:
        home.cast[name] = replace(home.cast[name], token=await sign_in(web, name))
    return home.token(who)


async def opens(web: Keeper, token: str, subject: str) -> None:
    await web.open(token, "serve", subjects=[subject], fields=["identity"], reason="call")


async def _open(home: KeeperHome, web: Keeper, token: str) -> None:
    await opens(web, token, await contact(home, web, by="staff2"))


async def _request(home: KeeperHome, web: Keeper, token: str) -> None:
    subject = await contact(home, web, by="staff2")
    await web.open(token, "subject_request", subjects=[subject], fields=["identity"])


async def _label(home: KeeperHome, web: Keeper, token: str) -> None:
    await web.labels(token, [await contact(home, web, by="staff2")])


async def _search_in_vain(_: KeeperHome, web: Keeper, token: str) -> None:
    await web.search(token, Pii("nobody of this name"))


async def _match_in_vain(_: KeeperHome, web: Keeper, token: str) -> None:
    await web.match(token, "email", Pii(f"{new_id()}@example.org"))


async def _match(home: KeeperHome, web: Keeper, token: str) -> None:
    mail = f"{new_id()}@example.org"
    await contact(home, web, by="staff2", emails=[mail])
    assert await web.match(token, "email", Pii(mail))


async def _put(_: KeeperHome, web: Keeper, token: str) -> None:
    await web.put(token, "intake", item(new_id(), identity={}))


async def _object(home: KeeperHome, web: Keeper, token: str) -> None:
    await web.object(token, await contact(home, web, by="staff2"))


async def _seal(home: KeeperHome, web: Keeper, token: str) -> None:
    subject = await contact(home, web, by="staff2")
    await web.seal(token, "serve", [{"subject": subject, "record": new_id(), "fields": {}}])


async def _erase(home: KeeperHome, web: Keeper, token: str) -> None:
    await web.erase(token, await contact(home, web, by="staff2"), "request")


async def _subject_in_vain(_: KeeperHome, web: Keeper, token: str) -> None:
    await web.subject_of(token, "email", Pii(f"{new_id()}@example.org"))


async def _record(_: KeeperHome, web: Keeper, token: str) -> None:
    await web.record(token, "owner")


Spend = Callable[[KeeperHome, Keeper, str], Awaitable[None]]
SPENT: list[tuple[str, str, Spend]] = [
    ("people", "staff", _open), ("requests", "privacy", _request), ("labels", "staff", _label),
    ("labels", "staff", _search_in_vain), ("labels", "staff", _match_in_vain), ("labels", "staff", _match),
    ("intake", "staff", _put), ("intake", "privacy", _object), ("records", "staff", _seal),
    ("erasures", "privacy", _erase), ("subjects", "auditor", _subject_in_vain), ("acts", "marketing", _record),
]  # fmt: skip


@pytest.mark.parametrize(("budget", "who", "spend"), SPENT)
async def test_a_budget_is_refused_at_its_edge_and_free_again_after_a_day(
    small: KeeperHome, budget: str, who: str, spend: Spend
) -> None:
    web, token = await small.client(), small.token(who)
    for _ in range(SMALL[budget]):
        await spend(small, web, token)
    size = len(entries(small))

    with pytest.raises(OverBudget) as refused:
        await spend(small, web, token)

    assert refused.value.detail["budget"] == budget
    assert DAY_S - 120 < refused.value.detail["retry_after_s"] <= DAY_S
    assert [entry["act"] for entry in entries(small)[size:]][-1] == "refused"
    assert last(small)["outcome"] == "over-budget"
    await spend(small, web, await time_passes(small, web, who, hours=24))


async def test_an_import_is_counted_by_people(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")

    def people(count: int) -> list[dict[str, object]]:
        return [one for _ in range(count) for one in item(new_id(), identity={})]

    await web.put(token, "intake", people(30), bulk=True)
    with pytest.raises(OverBudget) as refused:
        await web.put(token, "intake", people(11), bulk=True)
    await web.put(token, "intake", people(10), bulk=True)

    assert refused.value.detail["budget"] == "import"


async def test_a_record_sealed_counts_each(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")
    ada = await contact(small, web, by="staff2")

    with pytest.raises(OverBudget):
        await web.seal(
            token, "serve", [{"subject": ada, "record": new_id(), "fields": {}} for _ in range(SMALL["records"] + 1)]
        )
    await web.seal(token, "serve", [{"subject": ada, "record": new_id(), "fields": {}} for _ in range(3)])


async def test_somebody_opened_today_is_free(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")
    people = [await contact(small, web, by="staff2") for _ in range(4)]
    for one in (*people[:3], *people[:3]):
        await opens(web, token, one)

    with pytest.raises(OverBudget):
        await opens(web, token, people[3])
    # Whom one opened, one may be shown without a label.
    for _ in range(3):
        await web.labels(token, people[:3])
    used = (await web.me(token))["budget"]
    assert (used["people"], used["labels"]) == ({"used": 3, "limit": 3}, {"used": 0, "limit": 4})


async def test_a_label_of_somebody_opened_long_ago_counts_again(small: KeeperHome) -> None:
    web = await small.client()
    ada = await contact(small, web, by="staff2")
    await opens(web, small.token("staff"), ada)
    token = await time_passes(small, web, "staff", hours=25)

    await web.labels(token, [ada])

    assert (await web.me(token))["budget"]["labels"]["used"] == 1


async def test_budgets_are_each_persons_own(small: KeeperHome) -> None:
    web = await small.client()
    for _ in range(3):
        await _open(small, web, small.token("staff"))

    await _open(small, web, small.token("staff2"))

    with pytest.raises(OverBudget):
        await _open(small, web, await sign_in(web, "staff"))


async def test_the_installation_opens_so_many_an_hour(small: KeeperHome) -> None:
    """However many accounts are stolen, and however often the same people are opened."""
    web = await small.client()
    ada = await contact(small, web, by="staff2")
    for number in range(12):
        await opens(web, small.token("staff" if number % 2 else "staff2"), ada)

    with pytest.raises(OverBudget) as refused:
        await opens(web, small.token("staff2"), ada)

    assert refused.value.detail["budget"] == "installation"
    assert 3480 < refused.value.detail["retry_after_s"] <= 3600
    assert small.clock
    small.clock.advance(minutes=61)
    await opens(web, await sign_in(web, "staff"), ada)


async def test_setting_the_wall_clock_refills_nothing(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")
    people = [await contact(small, web, by="staff2") for _ in range(4)]
    for one in people[:3]:
        await opens(web, token, one)
    assert small.clock

    for hours in (25, -25, 24 * 400):
        small.clock.set(int(hours * 3_600_000), 0)
        with pytest.raises(CrmError) as refused:
            await opens(web, token, people[3])
        assert refused.value.code in {"keeper-sealed", "unauthenticated"}
    small.clock.set(0, 0)

    with pytest.raises(OverBudget):
        await opens(web, token, people[3])


async def test_a_window_rolls_part_by_part(small: KeeperHome) -> None:
    web = await small.client()
    for hours in (0, 8, 8):
        await _open(small, web, await time_passes(small, web, "staff", hours=hours))

    token = await time_passes(small, web, "staff", hours=7)
    with pytest.raises(OverBudget) as refused:
        await _open(small, web, token)
    assert 3400 < refused.value.detail["retry_after_s"] <= 3600
    token = await time_passes(small, web, "staff", hours=1)
    await _open(small, web, token)
    with pytest.raises(OverBudget):
        await _open(small, web, token)


async def test_every_budget_survives_a_restart(small: KeeperHome) -> None:
    """What counts is read from the log again; asking in vain counts like finding."""
    web = await small.client()
    spent = {(budget, who): spend for budget, who, spend in SPENT}
    for (budget, who), spend in spent.items():
        for _ in range(SMALL[budget]):
            await spend(small, web, small.token(who))
    small.stop()
    small.start()
    web = await small.client()
    await small.searchable(web)

    for (budget, who), spend in spent.items():
        with pytest.raises(OverBudget) as refused:
            await spend(small, web, small.token(who))
        assert refused.value.detail["budget"] == budget


async def test_what_rolled_before_a_restart_is_free_after_it(small: KeeperHome) -> None:
    web = await small.client()
    for _ in range(3):
        await _open(small, web, small.token("staff"))
    small.stop()
    assert small.clock
    small.clock.advance(hours=24)
    small.start()
    web = await small.client()

    await _open(small, web, await time_passes(small, web, "staff", hours=0))


@pytest.mark.parametrize("decider", ["auditor", "privacy"])
async def test_a_second_person_lifts_for_an_hour(small: KeeperHome, decider: str) -> None:
    web, token = await small.client(), small.token("staff")
    for _ in range(3):
        await _open(small, web, token)
    asked = await web.ask_lift(token)
    with pytest.raises(OverBudget):
        await _open(small, web, token)

    await web.decide(small.token(decider), asked["decision"], "approve")

    assert (await web.me(token))["budget"]["people"] == {"used": 3, "limit": 9}
    for _ in range(6):
        await _open(small, web, token)
    with pytest.raises(OverBudget):
        await _open(small, web, token)
    assert small.clock
    small.clock.advance(minutes=61)
    assert (await web.me(await sign_in(web, "staff")))["budget"]["people"] == {"used": 9, "limit": 3}


async def test_a_refused_lift_lifts_nothing(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")
    asked = await web.ask_lift(token)

    await web.decide(small.token("privacy"), asked["decision"], "refuse")

    assert (await web.me(token))["budget"]["people"]["limit"] == 3


async def test_a_lift_is_one_persons_and_survives_a_restart(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")
    asked = await web.ask_lift(token)
    await web.decide(small.token("auditor"), asked["decision"], "approve")
    small.stop()
    small.start()
    web = await small.client()

    assert (await web.me(token))["budget"]["people"]["limit"] == 9
    assert (await web.me(small.token("staff2")))["budget"]["people"]["limit"] == 3


async def test_a_merged_set_counts_once_before_and_after(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")
    kept, gone = await contact(small, web, by="staff2"), await contact(small, web, by="staff2")
    await web.merge(small.token("staff2"), gone, kept)

    await opens(web, token, kept)

    assert (await web.me(token))["budget"]["people"]["used"] == 1
    await opens(web, token, kept)
    assert (await web.me(token))["budget"]["people"]["used"] == 1


async def test_merging_people_nobody_compared_is_no_way_around(small: KeeperHome) -> None:
    """A set is opened as one: whoever makes it has opened its people, or pays for them then."""
    web, token = await small.client(), small.token("staff")
    kept, *gone = [await contact(small, web, by="staff2") for _ in range(5)]
    await opens(web, token, kept)
    await opens(web, token, gone[0])
    await web.merge(token, gone[0], kept)
    await web.merge(token, gone[1], kept)
    assert (await web.me(token))["budget"]["people"]["used"] == 3

    with pytest.raises(OverBudget):
        await web.merge(token, gone[2], kept)

    await opens(web, token, kept)


async def test_a_refused_call_costs_nothing(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("staff")
    ada = await contact(small, web, by="staff2")

    for _ in range(10):
        with pytest.raises(CrmError):
            await web.open(token, "serve", subjects=[ada], fields=["identity"], reason="because")
        with pytest.raises(CrmError):
            await opens(web, token, new_id())

    assert (await web.me(token))["budget"]["people"]["used"] == 0


async def test_whoever_has_another_role_as_well_has_one_budget(small: KeeperHome) -> None:
    web = await small.client()
    both = await hire(small, web, "Both", ["staff", "marketing"])
    for _ in range(3):
        await _open(small, web, both)

    with pytest.raises(OverBudget):
        await _open(small, web, both)
    assert last(small, "open")["role"] == "staff"


@pytest.mark.parametrize("budget", ["people=0", "people=-1", "nothing=5"])
async def test_no_budget_is_switched_off(tmp_path_factory: pytest.TempPathFactory, budget: str) -> None:
    home = KeeperHome(tmp_path_factory.mktemp("off") / "home")

    done = home.call("init", "--origin", "x.example/log", f"--budget={budget}")

    assert done.returncode == 75
    assert "budget" in done.stderr
    assert not home.file.exists()


async def test_refusals_are_counted_and_not_each_written(small: KeeperHome) -> None:
    web, token = await small.client(), small.token("marketing")
    size = len(entries(small))
    for _ in range(30):
        with pytest.raises(CrmError):
            await opens(web, token, new_id())
    with pytest.raises(CrmError):
        await web.people(token)
    with pytest.raises(CrmError):
        await opens(web, small.token("product"), new_id())

    first = entries(small)[size:]
    assert [(entry["actor"], entry["what"]) for entry in first] == [
        (small.cast[name].id, what)
        for name, what in (("marketing", "open"), ("marketing", "people"), ("product", "open"))
    ]
    assert not any("count" in entry or "subjects" in entry for entry in first)
    assert small.clock
    small.clock.advance(minutes=1)
    await eventually(lambda: len(entries(small)) > size + 3)
    counted = entries(small)[size + 3]
    assert (counted["act"], counted["what"], counted["outcome"]) == ("refused", "open", "purpose-not-yours")
    assert (counted["actor"], counted["count"], counted["by"]) == (small.cast["marketing"].id, 29, "keeper")

    # The next minute begins anew.
    with pytest.raises(CrmError):
        await opens(web, token, new_id())
    assert "count" not in last(small, "refused")


async def test_refusals_not_yet_counted_are_written_at_the_end(small: KeeperHome) -> None:
    web = await small.client()
    for _ in range(5):
        with pytest.raises(CrmError):
            await web.people(small.token("marketing"))

    small.stop()

    assert last(small, "refused")["count"] == 4
    assert len(entries(small, "stop")) == 2, "this stop, and the one of the home this one was copied from"
