"""The log over HTTP."""

from crm.kit.merkle import leaf_hash
from crm.kit.proofs import parse_proof, split_bundle, tile_path, verify_inclusion
from crm.kit.signed import Verifier, open_note, parse_checkpoint
from tests.product import Product


async def test_anybody_verifies_an_entry_from_tiles_and_proof(product: Product) -> None:
    contact = await product.contact()
    index = (await product.opened(contact))["log_index"]
    verifier = Verifier.parse((product.keeper.path / "log.vkey").read_text().strip())

    proof = await product.auditor.get(f"/v1/log/entries/{index}/proof")
    found, hashes, note = parse_proof(proof.text)
    checkpoint = parse_checkpoint(open_note(note, [verifier])[0])
    width = min(256, checkpoint.size - index // 256 * 256)
    path = tile_path("entries", index // 256, width)
    bundle = await product.auditor.get(f"/log/{path}")
    entry = split_bundle(bundle.content)[index % 256]

    assert proof.headers["content-type"].startswith("text/plain")
    assert found == index
    verify_inclusion(index, checkpoint.size, leaf_hash(entry), hashes, checkpoint.root)
    assert contact.encode() in entry


async def test_the_checkpoint_is_public_and_grows(product: Product) -> None:
    async def size() -> int:
        answer = await product.nobody.get("/log/checkpoint")
        assert answer.status_code == 200
        verifier = Verifier.parse((product.keeper.path / "log.vkey").read_text().strip())
        return parse_checkpoint(open_note(answer.text, [verifier])[0]).size

    before = await size()
    await product.opened(await product.contact())

    assert await size() > before


async def test_hash_tiles_are_public(product: Product) -> None:
    answer = await product.nobody.get("/log/tile/0/000.p/4")

    assert (answer.status_code, len(answer.content)) == (200, 4 * 32)
    assert answer.headers["cache-control"].startswith("public")


async def test_paths_that_are_no_tiles(product: Product) -> None:
    for path in (
        "0/000.p/0",
        "entries/000.p/0",
        "0/000.p/256",
        "x",
        "64/000",
        "0/1",
        "0/x999/999",
        "0/000.p/4/5",
        "entries",
    ):
        answer = await product.nobody.get(f"/log/tile/{path}")
        assert answer.status_code in {401, 404}, path
    assert (await product.auditor.get("/log/tile/entries/0")).status_code == 404


async def test_filters(product: Product) -> None:
    contact = await product.contact()
    await product.opened(contact)

    async def acts(**filters: str) -> list[str]:
        answer = await product.auditor.get("/v1/log/entries", params={"subject": contact, **filters})
        assert answer.status_code == 200, answer.text
        return [entry["act"] for entry in answer.json()["entries"]]

    assert await acts() == ["put", "open"]
    assert await acts(act="open") == ["open"]
    assert await acts(outcome="ok", actor=product.keeper.cast["staff"].id) == ["put", "open"]
    assert await acts(to="2020-01-01") == []
    assert await acts(**{"from": "2020-01-01T00:00:00Z"}) == ["put", "open"]


async def test_filters_that_are_none(product: Product) -> None:
    for filters in ({"actor": "ada@example.org"}, {"act": "x y"}, {"from": "soon"}, {"limit": 0}, {"after": -2}):
        answer = await product.auditor.get("/v1/log/entries", params=filters)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_an_index_the_log_does_not_have(product: Product) -> None:
    for index in ("-1", "99999999", str(10**30)):
        answer = await product.auditor.get(f"/v1/log/entries/{index}/proof")
        assert answer.status_code == 404


async def test_a_complaint_finds_the_id_and_no_name(product: Product) -> None:
    contact = await product.contact(emails=["complaint@example.org"], phones=["+4930555000111"])

    by_mail = await product.auditor.post("/v1/log/subject", json={"email": "Complaint@example.org"})
    unknown = await product.auditor.post("/v1/log/subject", json={"email": "unknown@example.org"})
    both = await product.auditor.post("/v1/log/subject", json={"email": "a@b.example", "phone": "1"})

    assert by_mail.json() == {"id": contact}
    assert unknown.json() == {"id": None}
    assert both.status_code == 422
