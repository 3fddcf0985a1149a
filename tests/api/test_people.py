"""Accounts and second people."""

from tests.api.test_sessions import new_person
from tests.product import Product


async def test_colleagues_are_ids_and_names(product: Product) -> None:
    colleagues = (await product.marketing.get("/v1/colleagues")).json()["colleagues"]

    assert {"id": product.keeper.cast["staff"].id, "name": "staff"} in colleagues
    assert all(set(one) == {"id", "name"} for one in colleagues)


async def test_whoever_opens_waits_for_the_auditor(product: Product) -> None:
    asked = await product.admin.post("/v1/people", json={"name": "Waiting One", "roles": ["staff"]})

    body = asked.json()
    assert asked.status_code == 201
    assert body["decision"]
    half = {"code": body["code"], "password": "correct horse battery"}
    assert (await product.nobody.post("/v1/invitations", json=half)).status_code == 401
    waiting = (await product.auditor.get("/v1/decisions")).json()["decisions"]
    assert body["decision"] in {decision["id"] for decision in waiting}
    refused = await product.auditor.post(f"/v1/decisions/{body['decision']}", json={"verdict": "refuse"})
    assert refused.status_code == 200
    assert "code" not in refused.json() or not refused.json()["code"]


async def test_roles_that_never_go_together(product: Product) -> None:
    answer = await product.admin.post("/v1/people", json={"name": "Both", "roles": ["staff", "auditor"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "roles-conflict")


async def test_an_account_ends(product: Product) -> None:
    name = await new_person(product, "product")
    people = (await product.admin.get("/v1/people")).json()["people"]
    person = next(one["id"] for one in people if one["name"] == name)

    answer = await product.admin.patch(f"/v1/people/{person}", json={"state": "left"})

    assert answer.status_code == 200
    after = (await product.auditor.get("/v1/people")).json()["people"]
    assert next(one["state"] for one in after if one["id"] == person) == "left"


async def test_an_invitation_is_good_once(product: Product) -> None:
    asked = (await product.admin.post("/v1/people", json={"name": "Once", "roles": ["product"]})).json()
    spend = {"code": asked["code"], "password": "correct horse battery"}

    first = await product.nobody.post("/v1/invitations", json=spend)
    second = await product.nobody.post("/v1/invitations", json=spend)

    assert first.status_code == 201
    assert second.status_code in {401, 404}
