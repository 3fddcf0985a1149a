"""Passkeys over HTTP, as a browser calls them."""

from base64 import urlsafe_b64decode
from typing import Any

import pytest

from crm.kit.ids import new_id
from tests.api.test_error_shape import is_problem
from tests.api.test_sessions import new_person, signed_in
from tests.keeper.authenticator import RP_ID, UP, Authenticator, b64
from tests.keeper.home import PASSWORD
from tests.product import Product


def challenge_of(options: dict[str, Any]) -> bytes:
    return urlsafe_b64decode(options["challenge"] + "=" * (-len(options["challenge"]) % 4))


async def begun(product: Product, headers: dict[str, str] | None = None, ceremony: str = "") -> dict[str, Any]:
    url = "/v1/passkeys/options" if headers else "/v1/sessions/options"
    body = {"ceremony": ceremony} if ceremony else None
    answer = await product.nobody.post(url, headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def enrolled(product: Product) -> tuple[Authenticator, dict[str, str], str]:
    """Enrol a passkey for somebody new; returns it, the session's headers, and the passkey's id."""
    headers, key = await signed_in(product, await new_person(product, "product")), Authenticator()
    options = await begun(product, headers, "enrol")
    made = {**key.made(challenge_of(options)), "clientExtensionResults": {}, "authenticatorAttachment": "platform"}
    answer = await product.nobody.post("/v1/passkeys", headers=headers, json={"passkey": made})
    assert answer.status_code == 201, answer.text
    return key, headers, str(answer.json()["id"])


async def test_enrolling_is_told_as_browsers_take_it(product: Product) -> None:
    key, headers, id_ = await enrolled(product)
    me = (await product.nobody.get("/v1/me", headers=headers)).json()

    options = await begun(product, headers, "enrol")

    assert options["rp"] == {"id": RP_ID, "name": "Kept"}
    assert options["user"] == {"id": b64(me["id"].encode()), "name": me["name"], "displayName": me["name"]}
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"
    assert [one["id"] for one in options["excludeCredentials"]] == [b64(key.credential)]
    assert me["factors"] == ["password", "passkey"]
    (listed,) = (await product.nobody.get("/v1/passkeys", headers=headers)).json()["passkeys"]
    assert listed.keys() == {"id", "made_at"}
    assert listed["id"] == id_


async def test_a_passkey_signs_in_alone(product: Product) -> None:
    key, headers, _ = await enrolled(product)
    me = (await product.nobody.get("/v1/me", headers=headers)).json()
    options = await begun(product)
    assert (options["rpId"], options["userVerification"]) == (RP_ID, "required")
    assert options["allowCredentials"] == []

    answer = await product.nobody.post("/v1/sessions", json={"passkey": key.signed(challenge_of(options))})

    assert answer.status_code == 201, answer.text
    assert answer.json()["person"]["id"] == me["id"]
    assert answer.json()["second_factor"] == "passkey"
    asked = await product.nobody.post("/v1/sessions", json={"name": me["name"], "password": PASSWORD})
    assert is_problem(asked, 401, "second-factor-required")
    again = await product.nobody.post("/v1/sessions", json={"passkey": key.signed(challenge_of(options))})
    assert is_problem(again, 401, "unauthenticated")


async def test_what_was_signed_otherwise_is_refused_and_not_quoted(product: Product) -> None:
    key, headers, _ = await enrolled(product)

    for wrong in ({"flags": UP}, {"origin": "https://evil.example"}, {"rp_id": "evil.example"}):
        given = key.signed(challenge_of(await begun(product)), **wrong)
        answer = await product.nobody.post("/v1/sessions", json={"passkey": given})
        assert is_problem(answer, 401, "unauthenticated")
        assert given["response"]["signature"] not in answer.text
        made = Authenticator().made(challenge_of(await begun(product, headers, "enrol")), **wrong)
        answer = await product.nobody.post("/v1/passkeys", headers=headers, json={"passkey": made})
        assert is_problem(answer, 422, "invalid")


async def test_a_proof_by_passkey_or_password(product: Product) -> None:
    key, headers, _ = await enrolled(product)
    options = await begun(product, headers, "prove")
    assert [one["id"] for one in options["allowCredentials"]] == [b64(key.credential)]
    url = "/v1/sessions/current/proof"

    right = await product.nobody.post(url, headers=headers, json={"passkey": key.signed(challenge_of(options))})
    used = await product.nobody.post(url, headers=headers, json={"passkey": key.signed(challenge_of(options))})
    half = await product.nobody.post(url, headers=headers, json={"password": PASSWORD})

    assert (right.status_code, right.content) == (204, b"")
    assert is_problem(used, 401, "unauthenticated")
    assert is_problem(half, 401, "second-factor-required")
    plain = await signed_in(product, await new_person(product, "product"))
    assert (await product.nobody.post(url, headers=plain, json={"password": PASSWORD})).status_code == 204
    assert is_problem(await product.nobody.post(url, headers=plain, json={"password": "no"}), 401, "unauthenticated")


async def test_removing(product: Product) -> None:
    key, headers, id_ = await enrolled(product)
    stranger = await signed_in(product, await new_person(product, "product"))

    foreign = await product.nobody.delete(f"/v1/passkeys/{id_}", headers=stranger)
    gone = await product.nobody.delete(f"/v1/passkeys/{id_}", headers=headers)
    again = await product.nobody.delete(f"/v1/passkeys/{id_}", headers=headers)

    assert is_problem(foreign, 404, "not-found")
    assert (gone.status_code, gone.content) == (204, b"")
    assert again.content == foreign.content
    given = key.signed(challenge_of(await begun(product)))
    assert is_problem(await product.nobody.post("/v1/sessions", json={"passkey": given}), 401, "unauthenticated")


PASSKEY: dict[str, Any] = {
    "id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30"}
}  # fmt: skip


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/v1/sessions", {}),
        ("/v1/sessions", {"name": "staff"}),
        ("/v1/sessions", {"password": PASSWORD}),
        ("/v1/sessions", {"name": "staff", "password": PASSWORD, "passkey": PASSKEY}),
        ("/v1/sessions", {"name": "staff", "passkey": PASSKEY}),
        ("/v1/sessions", {"passkey": {}}),
        ("/v1/sessions", {"passkey": {**PASSKEY, "id": "with blank"}}),
        ("/v1/sessions", {"passkey": {**PASSKEY, "type": "password"}}),
        ("/v1/sessions", {"passkey": {**PASSKEY, "response": {"clientDataJSON": 7}}}),
        ("/v1/sessions", {"passkey": PASSKEY}),
        ("/v1/sessions/current/proof", {}),
        ("/v1/sessions/current/proof", {"name": "staff", "password": PASSWORD}),
        ("/v1/passkeys", {}),
        ("/v1/passkeys", {"passkey": PASSKEY, "id": "x"}),
        ("/v1/passkeys/options", {"ceremony": "sign_in"}),
        ("/v1/passkeys/options", {}),
    ],
)
async def test_what_is_not_well_formed(product: Product, url: str, body: dict[str, Any]) -> None:
    answer = await product.staff.post(url, json=body)

    assert is_problem(answer, 422, "invalid")
    assert "with blank" not in answer.text


async def test_the_same_id_again_doubles_nothing(product: Product) -> None:
    headers, id_ = await signed_in(product, await new_person(product, "product")), new_id()
    made = Authenticator().made(challenge_of(await begun(product, headers, "enrol")))

    answers = [
        await product.nobody.post("/v1/passkeys", headers=headers, json={"id": id_, "passkey": made}) for _ in range(2)
    ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(201, {"id": id_})] * 2
    assert len((await product.nobody.get("/v1/passkeys", headers=headers)).json()["passkeys"]) == 1
