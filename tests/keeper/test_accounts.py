"""Accounts: made, changed and ended by one person, and where it matters decided by another."""

from typing import Any

import pytest

from crm.errors import CrmError, Invalid, NotFound, PurposeNotYours, RolesConflict, Stale, Unauthenticated
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import PASSWORD, KeeperHome
from tests.keeper.talk import entries, hire, last, sign_in

NEW = Pii(PASSWORD)


async def state(home: KeeperHome, web: Keeper, person: str) -> str:
    """Return an account's state as an admin sees it."""
    return {row["id"]: str(row["state"]) for row in await web.people(home.token("admin"))}[person]


def whole(asked: dict[str, Any], decided: dict[str, Any]) -> Pii[str]:
    """Join the halves of a code: the admin's and the auditor's."""
    return Pii(f"{asked['code'].reveal()}.{decided['code'].reveal()}")


async def test_who_opens_waits_for_an_auditor(home: KeeperHome) -> None:
    web, admin, auditor = await home.client(), home.token("admin"), home.token("auditor")

    asked = await web.invite(admin, "  Sue   Smith ", ["staff", "marketing"])
    assert await state(home, web, asked["id"]) == "pending"
    waiting = {row["id"]: row for row in await web.decisions(auditor)}[asked["decision"]]
    assert (waiting["what"], waiting["about"], waiting["verdict"]) == ("person", asked["id"], None)
    decided = await web.decide(auditor, asked["decision"], "approve")
    assert await state(home, web, asked["id"]) == "invited"
    person = await web.accept(whole(asked, decided), NEW)

    assert person == {"id": asked["id"], "name": "Sue Smith"}
    assert (await web.me(await sign_in(web, "sue smith")))["roles"] == ["marketing", "staff"]
    acts = [entry["act"] for entry in entries(home) if entry["act"] != "prove"]
    assert acts[-4:] == ["invite", "decide", "accept", "sign_in"]
    decision = last(home, "decide")
    assert (decision["outcome"], decision["about"], decision["actor"]) == (
        "approve", asked["id"], home.cast["auditor"].id,
    )  # fmt: skip
    assert decision["decision"] == asked["decision"] == last(home, "invite")["decision"]
    assert "Sue" not in str(entries(home)), "the log names people by id"


async def test_who_only_counts_is_invited_by_an_admin_alone(home: KeeperHome) -> None:
    web = await home.client()

    asked = await web.invite(home.token("admin"), "Pat", ["product"])

    assert asked["decision"] is None
    assert (await web.accept(asked["code"], NEW))["name"] == "Pat"


@pytest.mark.parametrize(
    "roles", [["admin"], ["auditor"], ["counsel"], ["privacy"], ["marketing"], ["product", "marketing"]]
)
async def test_every_other_role_takes_two_people(home: KeeperHome, roles: list[str]) -> None:
    web = await home.client()

    asked = await web.invite(home.token("admin"), "Pat", roles)

    assert asked["decision"]
    with pytest.raises(Unauthenticated):
        await web.accept(asked["code"], NEW)


async def test_neither_of_the_two_gets_into_the_account_alone(home: KeeperHome) -> None:
    web, admin, auditor = await home.client(), home.token("admin"), home.token("auditor")
    asked = await web.invite(admin, "Pat", ["staff"])
    decided = await web.decide(auditor, asked["decision"], "approve")
    reset = await web.change_person(admin, home.cast["staff"].id, state="reset")
    again = await web.change_person(admin, home.cast["staff"].id, state="reset")
    agreed = await web.decide(auditor, reset["decision"], "approve")

    one, other = asked["code"].reveal(), decided["code"].reveal()
    for code in (one, other, f"{other}.{one}", f"{one}.", f".{other}", f"{one}.{agreed['code'].reveal()}"):
        with pytest.raises(Unauthenticated):
            await web.accept(Pii(code), NEW)
    assert again == {"decision": reset["decision"], "code": None}, "a half is told once"
    assert (await web.accept(whole(asked, decided), NEW))["name"] == "Pat"
    assert (await web.accept(whole(reset, agreed), NEW))["name"] == "staff"


async def test_an_invitation_is_good_once_and_for_three_days(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    web = await home.client()
    assert home.clock
    first = await web.invite(home.token("admin"), "Pat", ["product"])
    second = await web.invite(home.token("admin"), "Peg", ["product"])
    await web.accept(first["code"], NEW)

    with pytest.raises(Unauthenticated):
        await web.accept(first["code"], NEW)
    home.clock.advance(hours=73)
    with pytest.raises(Unauthenticated):
        await web.accept(second["code"], NEW)
    assert last(home, "refused")["what"] == "accept"


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
async def test_a_password_is_long_enough_and_not_endless(home: KeeperHome, password: str) -> None:
    web = await home.client()
    asked = await web.invite(home.token("admin"), "Pat", ["product"])

    with pytest.raises(Invalid) as refused:
        await web.accept(asked["code"], Pii(password))

    assert refused.value.detail["pointer"] == "/password"
    assert (await web.accept(asked["code"], NEW))["name"] == "Pat"


async def test_a_made_up_invitation_lets_nobody_in(home: KeeperHome) -> None:
    web = await home.client()

    for code in ("", "x", new_id(), "A" * 43):
        with pytest.raises(Unauthenticated):
            await web.accept(Pii(code), NEW)


@pytest.mark.parametrize(
    "roles",
    [
        ["admin", "staff"], ["admin", "privacy"], ["auditor", "counsel"], ["product", "staff"], ["admin", "auditor"],
        ["marketing", "auditor", "staff"],
    ],
)  # fmt: skip
async def test_roles_that_run_or_audit_never_go_with_roles_that_open(home: KeeperHome, roles: list[str]) -> None:
    web, admin = await home.client(), home.token("admin")

    with pytest.raises(RolesConflict):
        await web.invite(admin, "Pat", roles)
    with pytest.raises(RolesConflict):
        await web.change_person(admin, home.cast["marketing"].id, roles=roles)


@pytest.mark.parametrize("roles", [[], ["superuser"], ["staff", "root"], [""]])
async def test_roles_are_of_the_list(home: KeeperHome, roles: list[str]) -> None:
    web = await home.client()

    with pytest.raises(Invalid) as refused:
        await web.invite(home.token("admin"), "Pat", roles)

    assert refused.value.detail["pointer"] == "/roles"


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
async def test_a_name_is_one(home: KeeperHome, name: str) -> None:
    web = await home.client()

    with pytest.raises(Invalid):
        await web.invite(home.token("admin"), name, ["product"])


async def test_a_name_belongs_to_one_account(home: KeeperHome) -> None:
    web, admin = await home.client(), home.token("admin")

    with pytest.raises(Stale):
        await web.invite(admin, "STAFF", ["product"])
    await web.change_person(admin, home.cast["product"].id, state="left")
    assert await web.invite(admin, "product", ["product"])


async def test_an_invitation_sent_twice_makes_one_account(home: KeeperHome) -> None:
    web, admin, person = await home.client(), home.token("admin"), new_id()

    first = await web.invite(admin, "Pat", ["staff"], id=person)
    again = await web.invite(admin, "Pat", ["staff"], id=person)

    assert again == first | {"code": None}, "a half is told once"
    assert first["id"] == person
    assert len(entries(home, "invite")) == len({row["id"] for row in await web.people(admin)}) - 2
    with pytest.raises(Invalid):
        await web.invite(admin, "Pat", ["staff"], id="1")


async def test_a_refused_account_is_ended_and_its_name_free(home: KeeperHome) -> None:
    web, admin = await home.client(), home.token("admin")
    asked = await web.invite(admin, "Pat", ["staff"])

    decided = await web.decide(home.token("auditor"), asked["decision"], "refuse")

    assert decided == {"outcome": "refuse", "code": None}
    assert await state(home, web, asked["id"]) == "left"
    assert (await web.invite(admin, "Pat", ["staff"]))["id"] != asked["id"]


async def test_a_decision_is_made_once(home: KeeperHome) -> None:
    web, auditor = await home.client(), home.token("auditor")
    asked = await web.invite(home.token("admin"), "Pat", ["staff"])
    await web.decide(auditor, asked["decision"], "approve")

    for verdict in ("approve", "refuse"):
        with pytest.raises(Stale):
            await web.decide(auditor, asked["decision"], verdict)


async def test_a_decision_is_approve_or_refuse(home: KeeperHome) -> None:
    web, auditor = await home.client(), home.token("auditor")
    asked = await web.invite(home.token("admin"), "Pat", ["staff"])

    with pytest.raises(Invalid):
        await web.decide(auditor, asked["decision"], "perhaps")
    with pytest.raises(NotFound):
        await web.decide(auditor, new_id(), "approve")


async def test_it_takes_a_second_person_not_a_second_credential(home: KeeperHome) -> None:
    """Neither the asker nor whom it is about decides, in whatever session."""
    web = await home.client()
    # Somebody who both asks for lifts and could decide them.
    both = await hire(home, web, "Both", ["staff", "privacy"])
    other_session = await sign_in(web, "Both")
    asked = await web.ask_lift(both)

    for token in (both, other_session):
        with pytest.raises(PurposeNotYours):
            await web.decide(token, asked["decision"], "approve")
    assert (await web.decide(home.token("privacy"), asked["decision"], "approve"))["outcome"] == "approve"
    assert last(home, "decide")["what"] == "lift"


async def test_nobody_decides_about_themselves(home: KeeperHome) -> None:
    web, auditor = await home.client(), home.token("auditor")
    asked = await web.change_person(home.token("admin"), home.cast["auditor"].id, roles=["auditor", "product"])

    with pytest.raises(PurposeNotYours):
        await web.decide(auditor, asked["decision"], "approve")

    second = await hire_auditor(home, web)
    await web.decide(second, asked["decision"], "approve")
    assert (await web.me(await sign_in(web, "auditor")))["roles"] == ["auditor", "product"]


async def hire_auditor(home: KeeperHome, web: Keeper) -> str:
    """Bring in a second auditor."""
    return await hire(home, web, "Second auditor", ["auditor"])


async def test_a_privacy_officer_decides_lifts_only(home: KeeperHome) -> None:
    web = await home.client()
    asked = await web.invite(home.token("admin"), "Pat", ["staff"])

    with pytest.raises(NotFound):
        await web.decide(home.token("privacy"), asked["decision"], "approve")
    assert asked["decision"] not in {row["id"] for row in await web.decisions(home.token("privacy"))}


async def test_decisions_are_shown_to_who_asks_and_who_decides(home: KeeperHome) -> None:
    web = await home.client()
    asked = await web.ask_lift(home.token("staff"))

    for name in ("staff", "auditor", "privacy"):
        assert asked["decision"] in {row["id"] for row in await web.decisions(home.token(name))}
    assert asked["decision"] not in {row["id"] for row in await web.decisions(home.token("staff2"))}
    await web.decide(home.token("privacy"), asked["decision"], "refuse")
    rows = {row["id"]: row for row in await web.decisions(home.token("staff"))}
    assert rows[asked["decision"]]["verdict"] == "refuse"
    assert rows[asked["decision"]]["decided_by"] == home.cast["privacy"].id


async def test_other_roles_wait_for_an_auditor_and_end_the_sessions(home: KeeperHome) -> None:
    web = await home.client()
    asked = await web.change_person(home.token("admin"), home.cast["marketing"].id, roles=["staff"])
    assert (await web.me(home.token("marketing")))["roles"] == ["marketing"]

    await web.decide(home.token("auditor"), asked["decision"], "approve")

    with pytest.raises(Unauthenticated):
        await web.me(home.token("marketing"))
    assert (await web.me(await sign_in(web, "marketing")))["roles"] == ["staff"]
    assert last(home, "change_person")["what"] == "roles"


async def test_a_reset_takes_the_old_credentials_away(home: KeeperHome) -> None:
    web = await home.client()
    asked = await web.change_person(home.token("admin"), home.cast["staff"].id, state="reset")

    decided = await web.decide(home.token("auditor"), asked["decision"], "approve")

    with pytest.raises(Unauthenticated):
        await web.me(home.token("staff"))
    with pytest.raises(Unauthenticated):
        await web.sign_in("staff", Pii(PASSWORD))
    await web.accept(whole(asked, decided), Pii("a new long password"))
    assert (await web.sign_in("staff", Pii("a new long password"))).person["id"] == home.cast["staff"].id


async def test_a_reset_forgets_the_second_factor(make_home: MakeHome) -> None:
    home = await make_home(second_factor="required")
    web = await home.client()
    asked = await web.change_person(home.token("admin"), home.cast["staff"].id, state="reset")
    decided = await web.decide(home.token("auditor"), asked["decision"], "approve")
    await web.accept(whole(asked, decided), NEW)

    assert (await web.sign_in("staff", NEW)).second_factor == "enrol"


async def test_an_ended_account_is_out_at_once(home: KeeperHome) -> None:
    web, admin, staff = await home.client(), home.token("admin"), home.cast["staff"]

    assert await web.change_person(admin, staff.id, state="left") == {"decision": None}

    with pytest.raises(Unauthenticated):
        await web.me(staff.token)
    with pytest.raises(Unauthenticated):
        await web.sign_in("staff", Pii(PASSWORD))
    assert staff.id not in {row["id"] for row in await web.colleagues(admin)}
    assert await state(home, web, staff.id) == "left"
    assert last(home, "change_person")["state"] == "left"


async def test_an_account_ended_before_its_approval_stays_ended(home: KeeperHome) -> None:
    web, admin = await home.client(), home.token("admin")
    asked = await web.invite(admin, "Pat", ["staff"])
    await web.change_person(admin, asked["id"], state="left")

    with pytest.raises(Stale):
        await web.decide(home.token("auditor"), asked["decision"], "approve")

    assert await state(home, web, asked["id"]) == "left"


@pytest.mark.parametrize("change", [{}, {"state": "active"}, {"state": "admin"}])
async def test_a_change_says_what(home: KeeperHome, change: dict[str, str]) -> None:
    web = await home.client()

    with pytest.raises(Invalid):
        await web.change_person(home.token("admin"), home.cast["staff"].id, **change)
    with pytest.raises(NotFound):
        await web.change_person(home.token("admin"), new_id(), state="left")


async def test_the_host_makes_the_first_admin_and_auditor_only(home: KeeperHome) -> None:
    host = await home.client("admin")

    for roles in (["admin"], ["auditor"]):
        with pytest.raises(PurposeNotYours):
            await host.call("people_add", name="Mallory", roles=roles)
    for roles in (["staff"], ["admin", "marketing"], []):
        with pytest.raises(Invalid):
            await host.call("people_add", name="Mallory", roles=roles)
    assert "Mallory" not in str(await (await home.client()).people(home.token("admin")))


@pytest.mark.parametrize("role", ["admin", "auditor"])
async def test_the_last_of_the_two_who_make_others_stays(home: KeeperHome, role: str) -> None:
    """Or an admin could end the only auditor and make another by the host."""
    web, admin, only = await home.client(), home.token("admin"), home.cast[role].id
    host = await home.client("admin")

    with pytest.raises(RolesConflict):
        await web.change_person(admin, only, state="left")
    other = await hire(home, web, "Another", [role])
    asked = await web.change_person(admin, (await web.me(other))["id"], roles=["product"])
    by = other if role == "admin" else admin
    await web.change_person(by, only, state="left")
    decider = home.token("auditor") if role == "admin" else None
    if decider:
        with pytest.raises(Stale):  # whoever asked has left
            await web.decide(decider, asked["decision"], "approve")
    with pytest.raises(RolesConflict):
        await web.change_person(by, (await web.me(other))["id"], state="left")
    with pytest.raises(PurposeNotYours):
        await host.call("people_add", name="Puppet", roles=[role])


async def test_other_roles_leave_an_admin_and_an_auditor(home: KeeperHome) -> None:
    web, admin = await home.client(), home.token("admin")
    second = await hire_auditor(home, web)
    asked = await web.change_person(admin, home.cast["auditor"].id, roles=["product"])
    await web.change_person(admin, (await web.me(second))["id"], state="left")
    third = await hire(home, web, "Third auditor", ["auditor"])
    last_one = await web.change_person(admin, (await web.me(third))["id"], roles=["product"])
    await web.decide(third, asked["decision"], "approve")

    assert (await web.me(await sign_in(web, "auditor")))["roles"] == ["product"]
    with pytest.raises(PurposeNotYours):
        await web.decide(third, last_one["decision"], "approve")


async def test_an_account_has_an_id_of_its_own(home: KeeperHome) -> None:
    host = await home.client("admin")

    for id_ in ("1", home.cast["staff"].id):
        with pytest.raises(CrmError):
            await host.call("people_add", name="Mallory", roles=["admin"], id=id_)


async def test_colleagues_are_names_of_who_works_here(home: KeeperHome) -> None:
    web = await home.client()
    await web.invite(home.token("admin"), "Not yet", ["staff"])

    rows = await web.colleagues(home.token("product"))

    assert {(row["id"], row["name"]) for row in rows} == {(one.id, one.name) for one in home.cast.values()}
    assert all(set(row) == {"id", "name"} for row in rows)


async def test_people_say_whether_a_second_factor_is_there(make_home: MakeHome) -> None:
    home = await make_home(second_factor="required")
    web = await home.client()

    rows = await web.people(home.token("auditor"))

    assert all(row["second_factor"] for row in rows)
    assert {row["name"]: row["roles"] for row in rows}["staff2"] == ["staff"]
    assert "password" not in str(rows)


async def test_accounts_survive_a_restart(home: KeeperHome) -> None:
    web = await home.client()
    asked = await web.invite(home.token("admin"), "Pat", ["staff"])
    home.stop()
    home.start()
    web = await home.client()

    decided = await web.decide(home.token("auditor"), asked["decision"], "approve")
    home.stop()
    home.start()
    web = await home.client()

    assert (await web.accept(whole(asked, decided), NEW))["id"] == asked["id"]
    with pytest.raises(CrmError):
        await web.decide(home.token("auditor"), asked["decision"], "approve")


async def test_the_last_admin_is_recovered_by_two_others(home: KeeperHome) -> None:
    """Nobody can ask for an ordinary reset: whoever could is the one who lost the password."""
    web, auditor, privacy = await home.client(), home.token("auditor"), home.token("privacy")
    admin = home.cast["admin"]

    asked = await web.recover(auditor, admin.id)
    with pytest.raises(PurposeNotYours):
        await web.decide(auditor, asked["decision"], "approve")
    assert (await web.me(admin.token))["id"] == admin.id, "until it is decided nothing changes"
    assert asked["decision"] in {row["id"] for row in await web.decisions(privacy)}
    decided = await web.decide(privacy, asked["decision"], "approve")

    with pytest.raises(Unauthenticated):
        await web.me(admin.token)
    for half in (asked["code"], decided["code"]):
        with pytest.raises(Unauthenticated):
            await web.accept(half, NEW)
    assert (await web.accept(whole(asked, decided), NEW))["id"] == admin.id
    assert (await web.sign_in("admin", NEW)).person["roles"] == ["admin"]
    entry = last(home, "decide")
    assert (entry["what"], entry["about"], entry["actor"]) == ("recover", admin.id, home.cast["privacy"].id)


async def test_the_last_auditor_is_recovered_by_admin_and_privacy_officer(home: KeeperHome) -> None:
    web, auditor = await home.client(), home.cast["auditor"]

    asked = await web.recover(home.token("admin"), auditor.id)
    with pytest.raises(PurposeNotYours):
        await web.decide(auditor.token, asked["decision"], "refuse")  # about oneself
    decided = await web.decide(home.token("privacy"), asked["decision"], "approve")

    assert (await web.accept(whole(asked, decided), NEW))["id"] == auditor.id


async def test_nobody_else_is_recovered_so(home: KeeperHome) -> None:
    web, admin = await home.client(), home.token("admin")
    gone = await web.invite(admin, "Gone", ["product"])

    for person in (home.cast["staff"].id, home.cast["privacy"].id, gone["id"], new_id(), "x"):
        with pytest.raises(NotFound):
            await web.recover(home.token("auditor"), person)
    assert await web.decisions(home.token("privacy")) == []
