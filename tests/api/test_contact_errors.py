"""What is wrong in a call about contacts, companies and consents is pointed at and not quoted."""

from typing import Any

import pytest

from crm.kit.ids import new_id
from tests.api.test_error_shape import CANARY, is_problem
from tests.product import Product

ID = "a" * 32
CONSENT = {"state": "given", "topic": "t", "channel": "email", "wording": "w", "source": "form"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("contacts/compare", {"ids": [CANARY, ID]}),
        ("contacts/compare", {"ids": [ID, new_id()], CANARY: 1}),
        ("contacts/count", {"stage": CANARY}),
        ("contacts/count", {"tags": [CANARY]}),
        ("contacts/count", {"language": CANARY[:20]}),
        ("contacts/count", {"quiet_since": CANARY}),
        ("contacts/count", {"owner": CANARY}),
        ("contacts", {"given_name": "Ada", "company_id": CANARY}),
        ("companies", {"name": CANARY * 9}),
        ("companies", {"name": "\0" + CANARY}),
        ("companies", {"name": "Acme", "company": CANARY}),
        ("companies", {"name": "Acme", "profile": {"nickname": CANARY}}),
        ("companies/search", {"q": CANARY * 9}),
        ("contacts/{contact}/consents", CONSENT | {"topic": CANARY}),
        ("contacts/{contact}/consents", CONSENT | {"source": CANARY}),
        ("contacts/{contact}/consents", CONSENT | {"at": CANARY}),
        ("contacts/{contact}/consents", CONSENT | {CANARY: 1}),
        ("contacts/{contact}/keep", {"until": CANARY}),
    ],
)
async def test_staff(product: Product, path: str, body: dict[str, Any]) -> None:
    contact = await product.contact()

    answer = await product.staff.post(f"/v1/{path.replace('{contact}', contact)}", json=body)

    assert is_problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "people/{staff}/hand-over", {"to": CANARY, "kind": "leaver"}),
        ("POST", "people/{staff}/hand-over", {"to": ID, "kind": CANARY}),
        ("POST", "people/{staff}/hand-over", {"to": ID, "kind": "leaver"}),
        ("PATCH", "vocabulary/stage/{term}", {"term": CANARY * 2}),
        ("PATCH", "vocabulary/stage/{term}", {"retired": CANARY}),
        ("PATCH", f"vocabulary/{CANARY}/{ID}", {"retired": True}),
    ],
)
async def test_admin(product: Product, method: str, path: str, body: dict[str, Any]) -> None:
    term = await product.term("stage", "Any")
    url = path.replace("{staff}", product.keeper.cast["staff"].id).replace("{term}", term)

    answer = await product.admin.request(method, f"/v1/{url}", json=body)

    assert is_problem(answer, 422, "invalid")


async def test_a_company_is_not_quoted_by_its_duplicate(product: Product) -> None:
    address = f"{new_id()[:8]}@zzyzx.example"
    await product.staff.post("/v1/companies", json={"name": "Acme", "emails": [address]})

    answer = await product.staff.post("/v1/companies", json={"name": CANARY, "emails": [address]})

    assert is_problem(answer, 409, "duplicate")
    assert address not in answer.text
