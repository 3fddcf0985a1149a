"""The first people of a home that insists on a second factor, as they meet the pages."""

import re
from pathlib import Path

import pytest

from tests.api.test_sessions import PASSWORD
from tests.keeper.home import KeeperHome, Person
from tests.product import Product, Server, _no_upkeep, settings_for
from tests.web.readers import SESSION, a_browser, secret_of, sign_in
from web.main import create_app


async def invited(product: Product, role: str) -> tuple[str, str]:
    """Invite somebody; returns the admin's half of the code, and the auditor's."""
    asked = (await product.admin.post("/v1/people", json={"name": f"{role} by page", "roles": [role]})).json()
    if not asked["decision"]:
        return asked["code"], ""
    decided = await product.auditor.post(f"/v1/decisions/{asked['decision']}", json={"verdict": "approve"})
    return asked["code"], decided.json()["code"]


@pytest.mark.parametrize("role", ["counsel", "product"])
async def test_whoever_holds_all_of_the_code_sets_a_password_once(product: Product, role: str) -> None:
    first, second = await invited(product, role)
    form = {"first": first, "second": second, "password": PASSWORD, "again": PASSWORD}
    async with a_browser(product.app) as client:
        taken = await client.post("/invitation", data=form)
        again = await client.post("/invitation", data=form)

        assert taken.status_code == 200
        assert f"<bdi>{role} by page</bdi>" in taken.text
        assert "A quiet look." in taken.text
        assert (again.status_code, "This code opens nothing" in again.text) == (401, True)
        assert (await sign_in(client, f"{role} by page")).status_code == 303


async def test_both_halves_may_come_in_one_field(product: Product) -> None:
    asked = (await product.admin.post("/v1/people", json={"name": "In one", "roles": ["marketing"]})).json()
    decided = await product.auditor.post(f"/v1/decisions/{asked['decision']}", json={"verdict": "approve"})
    whole = f" {asked['code']}.{decided.json()['code']} "

    async with a_browser(product.app) as client:
        answer = await client.post("/invitation", data={"first": whole, "password": PASSWORD, "again": PASSWORD})

    assert answer.status_code == 200


async def test_half_a_code_and_halves_the_wrong_way_round_open_nothing(product: Product) -> None:
    asked = (await product.admin.post("/v1/people", json={"name": "By halves", "roles": ["staff"]})).json()
    decided = await product.auditor.post(f"/v1/decisions/{asked['decision']}", json={"verdict": "approve"})
    one, two = asked["code"], decided.json()["code"]
    async with a_browser(product.app) as client:
        for first, second in ((one, ""), (two, ""), (two, one), (one, one), ("", "")):
            form = {"first": first, "second": second, "password": PASSWORD, "again": PASSWORD}

            answer = await client.post("/invitation", data=form)

            assert answer.status_code == 401
            assert one not in answer.text
            assert two not in answer.text


@pytest.mark.parametrize(
    ("password", "again", "told"), [("short", "short", "12 to 1,024"), (PASSWORD, "x", "not the same")]
)
async def test_a_password_that_is_not_taken_leaves_the_code(
    product: Product, password: str, again: str, told: str
) -> None:
    asked = (await product.admin.post("/v1/people", json={"name": f"Kept {again}", "roles": ["product"]})).json()
    async with a_browser(product.app) as client:
        form = {"first": asked["code"], "password": password, "again": again}

        answer = await client.post("/invitation", data=form)
        then = await client.post("/invitation", data={**form, "password": PASSWORD, "again": PASSWORD})

    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{asked["code"]}"' in answer.text
    assert f'value="{password}"' not in answer.text
    assert then.status_code == 200


async def test_another_site_spends_no_invitation(product: Product) -> None:
    async with a_browser(product.app) as client:
        form = {"first": "x", "password": PASSWORD, "again": PASSWORD}

        answer = await client.post("/invitation", data=form, headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 403


async def test_the_door_says_when_the_keeper_is_away(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_browser(product.app) as client:
        before = (await client.get("/sign-in")).text
        monkeypatch.setattr(product.app.state.held.keeper, "_timeout_s", 0.0)

        page = await client.get("/sign-in")
        answer = await sign_in(client, "staff")

    assert "A home for trying things out." in before
    assert (page.status_code, "nobody can sign in" in page.text) == (200, True)
    assert "A home for trying things out." not in page.text
    assert answer.status_code == 503
    assert "The keeper does not answer" in answer.text
    assert 'value="staff"' in answer.text


async def test_the_first_admin_of_a_strict_home_enrols_before_anything_else(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("contacts", "interactions"):
        monkeypatch.setattr(f"crm.{module}.upkeep.run", _no_upkeep)
    home = KeeperHome(tmp_path / "home")
    home.init(second_factor="required")
    assert home.start(), home.stderr()
    host = await home.client("admin")
    made = await host.call("people_add", name="Ann", roles=["admin"])
    app = create_app(settings_for(server, home))
    async with app.router.lifespan_context(app), a_browser(app) as client:
        assert "A home for trying things out." not in (await client.get("/sign-in")).text
        form = {"first": made["code"], "password": PASSWORD, "again": PASSWORD}
        assert (await client.post("/invitation", data=form)).status_code == 200

        signed = await sign_in(client, "Ann", next="/status")
        elsewhere = [await client.get(path) for path in ("/", "/people", "/me", "/status")]
        refused = await client.post("/people", data={"name": "Bob", "roles": "product"})
        page = await client.get("/me/factor")
        ceremony = await client.post("/me/passkeys/options", data={"ceremony": "enrol"})
        secret = secret_of(await client.post("/me/factor"))
        code = Person("", "Ann", ["admin"], "", secret).code()
        confirmed = await client.post("/me/factor/confirm", data={"code": code})

        assert signed.headers["location"] == "/me/factor"
        assert {answer.headers["location"] for answer in elsewhere[1:]} == {"/me/factor"}
        assert elsewhere[0].headers["location"] == "/people"
        assert refused.status_code == 401
        assert (ceremony.status_code, ceremony.json()["excludeCredentials"]) == (200, [])
        assert "This home asks everybody for one" in page.text
        assert confirmed.status_code == 303
        assert (await client.get("/people")).status_code == 200
        assert "password and code" in re.sub(r"\s+", " ", (await client.get("/me")).text)
        assert client.cookies[SESSION] not in page.text
    for keeper in home._clients:
        await keeper.close()
    home.stop()
