"""What asks once more who is there, and passkeys, through the pages."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from httpx import AsyncClient, Response
from webauthn import base64url_to_bytes

from crm.errors import ProofRequired, Stale
from crm.kit.ids import new_id
from tests.api.test_sessions import PASSWORD, new_person
from tests.keeper.authenticator import Authenticator
from tests.keeper.home import Person
from tests.product import Product
from tests.web.readers import SESSION, a_browser, secret_of, sign_in

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def challenge_of(answer: Response) -> bytes:
    assert answer.status_code == 200, answer.text
    return base64url_to_bytes(answer.json()["challenge"])


def told(passkey: Mapping[str, Any]) -> str:
    return orjson.dumps(passkey).decode()


async def with_passkey(product: Product, client: AsyncClient, role: str = "product") -> tuple[str, Authenticator]:
    """Sign somebody new in and enrol a passkey of theirs."""
    name, key = await new_person(product, role), Authenticator()
    await sign_in(client, name)
    begun = await client.post("/me/passkeys/options", data={"ceremony": "enrol"})
    added = await client.post("/me/passkeys", data={"passkey": told(key.made(challenge_of(begun)))})
    assert added.headers["location"] == "/me?done=factor"
    return name, key


async def by_passkey(client: AsyncClient, key: Authenticator, **form: str) -> Response:
    begun = await client.post("/sign-in/options")
    signed = told(key.signed(challenge_of(begun)))
    return await client.post("/sign-in/passkey", data={"passkey": signed, **form})


@pytest.fixture
async def unproven(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the keeper ask for a proof at the next invitation, as it does ten minutes after the last."""
    keeper = product.app.state.held.keeper
    invite, prove = keeper.invite, keeper.prove
    has_proved = False

    async def invites(*given: object, **more: object) -> object:
        if not has_proved:
            raise ProofRequired
        return await invite(*given, **more)

    async def proves(*given: object, **more: object) -> None:
        nonlocal has_proved
        await prove(*given, **more)
        has_proved = True

    monkeypatch.setattr(keeper, "invite", invites)
    monkeypatch.setattr(keeper, "prove", proves)


@pytest.mark.usefixtures("unproven")
async def test_what_was_typed_waits_for_the_proof(product: Product) -> None:
    name = f"Waits <i> {new_id()[:6]}"
    typed = {"name": name, "roles": ["marketing", "privacy"]}

    async with a_browser(product.app) as client:
        client.cookies.set(SESSION, product.keeper.token("admin"))
        asked = await client.post("/people", data=typed)
        kept = [
            (key, value.replace("&lt;", "<").replace("&gt;", ">"))
            for key, value in HIDDEN.findall(asked.text.partition("<main")[2])
        ]
        wrong = await client.post("/people", data={**typed, "proof_password": "not the one"})
        shown = await client.post("/people", data={**typed, "proof_password": PASSWORD})

    assert asked.status_code == 403
    assert "Is it you?" in asked.text
    assert kept == [("name", name), ("roles", "marketing"), ("roles", "privacy")]
    assert wrong.status_code == 403
    assert "That does not fit." in wrong.text
    assert "not the one" not in wrong.text
    assert len(secret_of(shown)) > 40


async def test_a_proof_with_a_second_factor_asks_for_its_code(product: Product) -> None:
    async with a_browser(product.app) as client:
        name = await new_person(product, "product")
        await sign_in(client, name)
        secret = secret_of(await client.post("/me/factor"))
        person = Person("", name, [], "", secret)
        await client.post("/me/factor/confirm", data={"code": person.code(-1)})

        half = await client.post("/me/factor", data={"proof_password": PASSWORD})
        wrong = await client.post("/me/factor", data={"proof_password": PASSWORD, "proof_code": "000000"})

    assert "Type the six digits too" in half.text
    assert "That does not fit." in wrong.text
    assert 'name="proof_code"' in wrong.text


async def test_a_passkey_signs_in_alone_and_the_password_alone_no_more(product: Product) -> None:
    async with a_browser(product.app) as client:
        name, key = await with_passkey(product, client)
        page = (await client.get("/me")).text
        client.cookies.clear()

        half = await sign_in(client, name)
        signed = await by_passkey(client, key, next="/me")
        mine = (await client.get("/me")).text

    assert "Forget" in page
    assert half.status_code == 401
    assert (signed.status_code, signed.headers["location"]) == (303, "/me")
    assert '<span class="quiet block">passkey</span>' in mine


async def test_what_no_passkey_signed_opens_nothing(product: Product) -> None:
    stranger = Authenticator()
    async with a_browser(product.app) as client:
        answers = [await by_passkey(client, stranger)]
        for given in ("", "{}", "no json", told(stranger.signed(bytes(32)))):
            answers.append(await client.post("/sign-in/passkey", data={"passkey": given}))  # noqa: PERF401 - awaits

    for answer in answers:
        assert (answer.status_code, SESSION in answer.headers.get("set-cookie", "")) == (401, False)
        assert "That passkey is not one of this home" in answer.text


async def test_another_site_begins_no_ceremony(product: Product) -> None:
    async with a_browser(product.app) as client:
        for path in ("/sign-in/options", "/sign-in/passkey"):
            answer = await client.post(path, headers={"sec-fetch-site": "cross-site"})

            assert answer.status_code == 403


async def test_the_door_says_when_no_ceremony_can_be_checked(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_browser(product.app) as client:
        key = Authenticator()
        signed = told(key.signed(challenge_of(await client.post("/sign-in/options"))))
        monkeypatch.setattr(product.app.state.held.keeper, "_timeout_s", 0.0)

        answer = await client.post("/sign-in/passkey", data={"passkey": signed})

    assert answer.status_code == 503
    assert "The keeper does not answer" in answer.text


async def test_a_passkey_proves_and_is_forgotten(product: Product) -> None:
    async with a_browser(product.app) as client:
        _, key = await with_passkey(product, client)
        page = (await client.get("/me")).text
        path = page.partition('action="/me/passkeys/')[2].partition('"')[0]
        begun = await client.post("/me/passkeys/options", data={"ceremony": "prove"})
        proof = told(key.signed(challenge_of(begun)))

        forgotten = await client.post(f"/me/passkeys/{path}", data={"proof_passkey": proof})
        again = await client.post(f"/me/passkeys/{path}")
        broken = await client.post(f"/me/passkeys/{path}", data={"proof_passkey": "{}"})
        after = (await client.get("/me?done=passkey")).text

    assert forgotten.headers["location"] == "/me?done=passkey"
    assert again.status_code == 404
    assert "That does not fit." in broken.text
    assert "Forget<" not in after
    assert "The passkey is forgotten here" in after


async def test_a_passkey_that_is_not_taken_is_told(product: Product) -> None:
    async with a_browser(product.app) as client:
        await sign_in(client, await new_person(product, "product"))
        key = Authenticator()
        begun = challenge_of(await client.post("/me/passkeys/options", data={"ceremony": "enrol"}))
        elsewhere = key.made(begun, origin="https://elsewhere.example")
        for given in (told(elsewhere), "{}", told(key.made(bytes(32)))):
            answer = await client.post("/me/passkeys", data={"passkey": given})

            assert answer.status_code == 422
            assert "That passkey was not taken" in answer.text


async def test_the_last_second_factor_is_told_to_stay(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_browser(product.app) as client:
        await with_passkey(product, client)

        async def stays(*_: object) -> None:
            raise Stale

        monkeypatch.setattr(product.app.state.held.keeper, "passkey_remove", stays)
        answer = await client.post(f"/me/passkeys/{new_id()}/remove")

    assert answer.status_code == 412
    assert "The last second factor stays until there is another." in answer.text
