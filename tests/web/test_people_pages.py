"""Accounts through the pages: an admin asks, an auditor decides, and a code is told once."""

from datetime import timedelta
from itertools import combinations

import pytest
from markupsafe import escape

from crm.db import moment
from crm.errors import KeeperUnavailable
from crm.keeper import policy
from crm.kit.ids import new_id
from tests.api.test_sessions import PASSWORD, new_person
from tests.product import Product
from tests.web.readers import a_browser, secret_of
from web.routes.people import BLIND, EXCLUDES, OPEN


async def person_of(product: Product, name: str) -> str:
    people = (await product.admin.get("/v1/people")).json()["people"]
    return str(next(one["id"] for one in people if one["name"] == name))


def test_the_boxes_exclude_what_the_keeper_refuses_and_nothing_else() -> None:
    assert EXCLUDES.keys() == policy.ROLES
    assert (set(OPEN), set(BLIND)) == (policy.OPENERS, policy.BLIND)
    for one, other in combinations(sorted(policy.ROLES), 2):
        excluded = (other in EXCLUDES[one], one in EXCLUDES[other])

        assert excluded == (policy.conflict(frozenset({one, other})),) * 2, (one, other)


async def test_an_invitation_takes_two_people(product: Product) -> None:
    name, id_ = f"Ida {new_id()[:8]}", new_id()
    form = {"id": id_, "name": name, "roles": ["staff", "marketing"]}
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        shown = await admin.post("/people", data=form)
        again = await admin.post("/people", data=form)
        listed = (await admin.get("/people")).text
    waiting = (await product.auditor.get("/v1/decisions")).json()["decisions"]
    decision = next(one["id"] for one in waiting if one["about"] == id_)
    decided = await product.auditor.post(f"/v1/decisions/{decision}", json={"verdict": "approve"})

    code = f"{secret_of(shown)}.{decided.json()['code']}"
    assert "Your half of the code" in shown.text
    assert "shown only once" in again.text
    assert secret_of(shown) not in again.text
    assert "Waits for an auditor" in listed
    body = {"code": code, "password": PASSWORD}
    assert (await product.nobody.post("/v1/invitations", json=body)).status_code == 201


async def test_an_account_for_counts_takes_one(product: Product) -> None:
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        shown = await admin.post("/people", data={"name": f"Pia {new_id()[:8]}", "roles": ["product"]})

    body = {"code": secret_of(shown), "password": PASSWORD}
    assert (await product.nobody.post("/v1/invitations", json=body)).status_code == 201
    assert "takes no second person" in shown.text


@pytest.mark.parametrize(
    ("name", "roles", "status", "told"),
    [
        ("<i>Bo</i>", ["staff", "auditor"], 409, "These roles never go together."),
        ("<i>Bo</i>", [], 422, "Choose at least one role."),
        ("x" * 61, ["product"], 422, "A name has 1 to 60 characters."),
        ("staff", ["product"], 412, "Somebody of this name works here."),
    ],
)
async def test_what_is_not_accepted_comes_back_as_it_was_typed(
    product: Product, name: str, roles: list[str], status: int, told: str
) -> None:
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        answer = await admin.post("/people", data={"name": name, "roles": roles})

    assert answer.status_code == status
    assert told in answer.text
    assert f'value="{escape(name)}"' in answer.text
    assert answer.text.count(" checked>") == len(roles)


async def test_auditors_read_and_change_nothing(product: Product) -> None:
    person = await person_of(product, "staff")
    async with a_browser(product.app, product.keeper.token("auditor")) as auditor:
        listed, one = (await auditor.get("/people")).text, (await auditor.get(f"/people/{person}")).text

    for page in (listed, one):
        assert 'action="/people' not in page
    assert "Many people at once" in one


async def test_unknown_and_malformed_people_are_one_page(product: Product) -> None:
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        for path, form in (("", None), ("/end", {}), ("/reset", {}), ("/roles", {"roles": "staff"})):
            answers = [
                await admin.request("GET" if form is None else "POST", f"/people/{id_}{path}", data=form)
                for id_ in (new_id(), "no-id")
            ]

            assert {answer.status_code for answer in answers} == {404}, path
            assert all("Nothing here" in answer.text for answer in answers)


async def test_other_roles_wait_for_an_auditor(product: Product) -> None:
    name = await new_person(product, "staff")
    person = await person_of(product, name)
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        asked = await admin.post(f"/people/{person}/roles", data={"roles": ["marketing"]})
        page = (await admin.get(asked.headers["location"])).text
        none = await admin.post(f"/people/{person}/roles")
        both = await admin.post(f"/people/{person}/roles", data={"roles": ["staff", "admin"]})

    assert asked.headers["location"] == f"/people/{person}?done=roles"
    assert "Nothing changes before an auditor approves" in page
    assert "Other roles wait for an auditor." in page
    assert (none.status_code, both.status_code) == (422, 409)
    assert "Choose at least one role." in none.text


async def test_a_reset_gives_each_of_two_people_a_half(product: Product) -> None:
    name = await new_person(product, "product")
    person = await person_of(product, name)
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        shown = await admin.post(f"/people/{person}/reset")
        again = await admin.post(f"/people/{person}/reset")

    assert name in shown.text
    assert "A password anew, for" in shown.text
    assert len(secret_of(shown)) > 40
    assert "shown only once" in again.text


async def test_a_leaver_is_ended_and_handed_over_by_count(product: Product) -> None:
    name = await new_person(product, "staff")
    person, taker = await person_of(product, name), await person_of(product, "staff2")
    id_ = new_id()
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        ended = await admin.post(f"/people/{person}/end")
        page = (await admin.get(ended.headers["location"])).text
        form = {"id": id_, "to": taker}
        handed = await admin.post(f"/people/{person}/hand-over", data=form)
        again = await admin.post(f"/people/{person}/hand-over", data=form)
        listed = (await admin.get("/people")).text

    assert "The account has ended" in page
    assert "Other roles" not in page
    assert [answer.status_code for answer in (handed, again)] == [200, 200]
    assert "Handed over: fewer than 10." in handed.text
    assert "who left" in listed


async def test_many_are_handed_over_in_tens(product: Product) -> None:
    name = await new_person(product, "staff")
    person, taker = await person_of(product, name), await person_of(product, "staff2")
    signed = (await product.nobody.post("/v1/sessions", json={"name": name, "password": PASSWORD})).json()
    bearer = {"authorization": f"Bearer {signed['token']}"}
    for number in range(12):
        body = {"given_name": f"Owned {number}", "confirm_duplicate": True}
        made = await product.nobody.post("/v1/contacts", json=body, headers=bearer)
        assert made.status_code == 201
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        handed = await admin.post(f"/people/{person}/hand-over", data={"to": taker})

    assert "Handed over: 10 or more." in handed.text


async def test_a_stand_in_has_an_end(product: Product) -> None:
    person = await person_of(product, await new_person(product, "staff"))
    taker = await person_of(product, "staff2")
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        path = f"/people/{person}/hand-over"
        within = await admin.post(path, data={"to": taker, "until": _day(product, 7)})
        refused = [
            await admin.post(path, data=form)
            for form in (
                {"to": taker, "until": _day(product, 4000)}, {"to": taker, "until": "some day"}, {"to": person},
                {"to": "nobody"},
            )
        ]  # fmt: skip

    assert "Handed over" in within.text
    assert [answer.status_code for answer in refused] == [422] * 4
    assert all("Nothing was handed over." in answer.text for answer in refused)


def _day(product: Product, days: int) -> str:
    now: int = product.app.state.held.clock.wall_ms()
    return (moment(now) + timedelta(days=days)).date().isoformat()


async def test_a_hand_over_that_does_not_reach_the_keeper_moves_nobody(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await new_person(product, "staff")
    person, taker, id_ = await person_of(product, name), await person_of(product, "staff2"), new_id()
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        form, path = {"id": id_, "to": taker}, f"/people/{person}/hand-over"
        keeper = product.app.state.held.keeper

        async def fails(*_: object, **__: object) -> int:
            raise KeeperUnavailable

        with monkeypatch.context() as away:
            away.setattr(keeper, "record", fails)
            refused = await admin.post(path, data=form)
        then = await admin.post(path, data=form)

    assert refused.status_code == 503
    assert "nothing is lost" in refused.text
    assert then.status_code == 200


async def test_the_last_admin_stays(product: Product) -> None:
    person = await person_of(product, "admin")
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        answer = await admin.post(f"/people/{person}/end")

        assert answer.status_code == 409
        assert "The last admin and the last auditor stay" in answer.text
        assert (await admin.get("/people")).status_code == 200
