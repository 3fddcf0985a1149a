"""PUT and DELETE /v1/contacts/{id}/restriction."""

from tests.product import SERVE, Product


async def test_whoever_is_restricted_is_there_for_their_own_request_alone(product: Product) -> None:
    contact = await product.contact(given_name="Rosalind", family_name="Restricted")
    call = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z", "summary": "x"}

    for _ in range(2):
        answer = await product.privacy.put(f"/v1/contacts/{contact}/restriction")
        assert answer.status_code == 200
        assert answer.json()["log_index"]

    assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 404
    assert (await product.staff.post(f"/v1/contacts/{contact}/interactions", json=call)).status_code == 404
    found = (await product.staff.post("/v1/contacts/search", json={"q": "Rosalind Restricted"})).json()
    assert contact not in {label["id"] for label in found["matches"]}
    own = await product.privacy.get(f"/v1/contacts/{contact}", params={"purpose": "subject_request"})
    assert own.json()["identity"]["given_name"] == "Rosalind"

    assert (await product.privacy.delete(f"/v1/contacts/{contact}/restriction")).status_code == 200
    assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 200
    assert (await product.privacy.delete(f"/v1/contacts/{contact}/restriction")).status_code == 404
