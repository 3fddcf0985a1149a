"""Signing in and out, and /v1/me."""

from crm.kit.ids import new_id
from tests.keeper.home import PASSWORD
from tests.product import SERVE, Product


async def signed_in(product: Product, name: str = "staff") -> dict[str, str]:
    answer = await product.nobody.post("/v1/sessions", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['token']}"}


async def test_signing_in_gives_a_token_and_who_it_is_for(product: Product) -> None:
    answer = await product.nobody.post("/v1/sessions", json={"name": "staff", "password": PASSWORD})

    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"token", "expires_at", "person", "second_factor"}
    assert body["person"] == {"id": product.keeper.cast["staff"].id, "name": "staff", "roles": ["staff"]}


async def test_a_wrong_password_and_an_unknown_name_are_one_answer(product: Product) -> None:
    answers = [
        await product.nobody.post("/v1/sessions", json={"name": name, "password": "wrong horse battery"})
        for name in ("counsel", "nobody-of-that-name")
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


async def test_signing_out_ends_this_session_only(product: Product) -> None:
    one, other = await signed_in(product), await signed_in(product)

    answer = await product.nobody.delete("/v1/sessions/current", headers=one)

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await product.nobody.get("/v1/me", headers=one)).status_code == 401
    assert (await product.nobody.get("/v1/me", headers=other)).status_code == 200


async def test_sessions_are_listed_and_all_ended(product: Product) -> None:
    headers = await signed_in(product, await new_person(product, "privacy"))

    listed = (await product.nobody.get("/v1/sessions", headers=headers)).json()["sessions"]
    answer = await product.nobody.delete("/v1/sessions", headers=headers)

    assert len(listed) == 1
    assert answer.status_code == 204
    assert (await product.nobody.get("/v1/sessions", headers=headers)).status_code == 401


async def new_person(product: Product, role: str) -> str:
    """Invite somebody by admin and auditor, and let them choose a password."""
    name = f"{role} {new_id()[:8]}"
    asked = await product.admin.post("/v1/people", json={"name": name, "roles": [role]})
    assert asked.status_code == 201, asked.text
    body = asked.json()
    code = body["code"]
    if body["decision"]:
        decided = await product.auditor.post(f"/v1/decisions/{body['decision']}", json={"verdict": "approve"})
        assert decided.status_code == 200, decided.text
        code += f".{decided.json()['code']}"
    accepted = await product.nobody.post("/v1/invitations", json={"code": code, "password": PASSWORD})
    assert accepted.status_code == 201, accepted.text
    return name


async def test_me(product: Product) -> None:
    body = (await product.staff.get("/v1/me")).json()

    assert (body["name"], body["roles"]) == ("staff", ["staff"])
    assert body["budget"]["people"]


async def test_recent_labels_whom_one_opened(product: Product) -> None:
    contact = await product.contact(given_name="Recent", emails=["recent@example.org"])
    await product.opened(contact)

    people = (await product.staff.get("/v1/me/recent")).json()["people"]

    label = next(label for label in people if label["id"] == contact)
    assert label == {"id": contact, "name": "Recent", "company": "", "email_masked": "r•••@e•••.org"}


async def test_my_log_is_newest_first(product: Product) -> None:
    contact = await product.contact()
    opened = await product.opened(contact)

    body = (await product.staff.get("/v1/me/log", params={"limit": 2})).json()

    assert body["entries"][0]["index"] == opened["log_index"]
    assert len(body["entries"]) == 2
    older = (await product.staff.get("/v1/me/log", params={"limit": 2, "after": body["next"]})).json()
    assert older["entries"][0]["index"] < body["entries"][-1]["index"]


async def test_changing_the_password(product: Product) -> None:
    name = await new_person(product, "product")
    headers = await signed_in(product, name)

    wrong = await product.nobody.post(
        "/v1/me/password", json={"old": "no", "new": "another long password"}, headers=headers
    )
    right = await product.nobody.post(
        "/v1/me/password", json={"old": PASSWORD, "new": "another long password"}, headers=headers
    )
    again = await product.nobody.post("/v1/sessions", json={"name": name, "password": "another long password"})

    assert (wrong.status_code, right.status_code, again.status_code) == (422, 204, 201)


async def test_enrolling_a_second_factor_needs_its_first_code(product: Product) -> None:
    headers = await signed_in(product, await new_person(product, "product"))

    begun = await product.nobody.post("/v1/me/totp", headers=headers)
    wrong = await product.nobody.put("/v1/me/totp", json={"code": "000000"}, headers=headers)

    assert begun.status_code == 201
    assert begun.json()["uri"].startswith("otpauth://")
    assert wrong.status_code in {401, 422}


async def test_a_token_in_another_place_is_none(product: Product) -> None:
    contact = await product.contact()
    token = product.keeper.token("staff")

    for headers in ({"authorization": f"Basic {token}"}, {"authorization": token}, {"cookie": f"token={token}"}):
        answer = await product.nobody.get(f"/v1/contacts/{contact}", params=SERVE, headers=headers)
        assert answer.status_code == 401
