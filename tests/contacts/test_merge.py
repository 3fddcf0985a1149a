"""Merging: what is kept, chains, what goes wrong halfway, and undoing too late."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from api.main import create_app
from crm.errors import KeeperUnavailable
from crm.kit.ids import new_id
from tests.keeper.home import PASSWORD, KeeperHome, gather_cast
from tests.product import SERVE, Product, Server, settings_for

CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}


async def merge(product: Product, gone: str, kept: str, *keep: str) -> Response:
    return await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept, "keep": keep})


async def undo(product: Product, gone: str) -> Response:
    return await product.staff.post(f"/v1/contacts/{gone}/merge/undo")


async def patch(product: Product, contact: str, **body: Any) -> Response:
    etag = (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).headers["etag"]
    return await product.staff.patch(f"/v1/contacts/{contact}", json=body, headers={"if-match": etag})


async def company(product: Product) -> str:
    return str((await product.staff.post("/v1/companies", json={"name": "Acme"})).json()["id"])


async def test_every_field_can_be_kept(product: Product) -> None:
    person = {
        "given_name": "Ada", "family_name": "Lovelace", "company": "Acme", "job_title": "Countess",
        "emails": ["ada@example.org"], "phones": ["+4930111"], "addresses": ["London"],
    }  # fmt: skip
    profile = {"nickname": "A", "birthday": "1815-12-10", "websites": ["w"], "note": "n"}
    gone = await product.contact(**person, profile=profile)
    kept = await product.contact(given_name="Augusta", emails=["other@example.org"])

    assert (await merge(product, gone, kept, *person, *profile)).status_code == 200

    found = await product.opened(kept)
    assert found["identity"] | found["channels"] == person
    assert found["profile"] == profile


async def test_what_the_one_that_goes_does_not_have_is_not_cleared(product: Product) -> None:
    gone, kept = await product.contact(), await product.contact(phones=["+4930222"], profile={"note": "n"})
    etag = (await product.staff.get(f"/v1/contacts/{kept}", params=SERVE)).headers["etag"]

    assert (await merge(product, gone, kept, "phones", "note", "birthday")).status_code == 200

    answer = await product.staff.get(f"/v1/contacts/{kept}", params=SERVE)
    assert answer.json()["channels"] == {"phones": ["+4930222"]}
    assert answer.headers["etag"] == etag


async def test_a_kept_company_brings_its_link(product: Product) -> None:
    acme, other = await company(product), await company(product)
    gone = await product.contact(company="Acme", company_id=acme)
    kept, unmoved = [await product.contact(company="Other", company_id=other) for _ in range(2)]

    await merge(product, gone, kept, "company")
    await merge(product, kept, unmoved, "job_title")

    assert (await product.opened(unmoved))["company_id"] == other
    await undo(product, kept)
    found = await product.opened(kept)
    assert (found["company_id"], found["identity"]["company"]) == (acme, "Acme")


async def test_a_chain_is_undone_link_by_link(product: Product) -> None:
    first, second, third = [await product.contact(given_name=name) for name in ("A", "B", "C")]
    for contact in (first, second, third):
        await product.staff.post(f"/v1/contacts/{contact}/interactions", json=CALL)
    await merge(product, first, second)
    await merge(product, second, third)

    # The first goes out of the middle: what stands for the others is not touched.
    assert (await undo(product, first)).status_code == 200
    assert len((await product.opened(third))["interactions"]) == 2
    assert len((await product.opened(first))["interactions"]) == 1
    assert (await undo(product, second)).status_code == 200
    assert [len((await product.opened(one))["interactions"]) for one in (second, third)] == [1, 1]
    assert (await undo(product, second)).status_code == 404


async def test_whoever_is_merged_away_takes_part_in_no_other_merge(product: Product) -> None:
    gone, kept, other = [await product.contact() for _ in range(3)]
    await merge(product, gone, kept)

    answers = [await merge(product, *pair) for pair in ((gone, other), (other, gone), (kept, gone))]

    assert {answer.status_code for answer in answers} == {404}
    assert (await product.opened(kept))["id"] == kept


async def test_an_edit_of_the_one_that_goes_is_taken_along_however_late(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = await product.contact(phones=["+4930111"]), await product.contact()
    keeper = product.app.state.held.keeper
    merge_there = keeper.merge

    async def late(*given: str) -> int:
        """Somebody edits after the fields were read, and before the keeper's word."""
        assert (await patch(product, gone, phones=["+4930222"])).status_code == 200
        return int(await merge_there(*given))

    monkeypatch.setattr(keeper, "merge", late)

    assert (await merge(product, gone, kept, "phones")).status_code == 200
    assert (await product.opened(kept))["channels"] == {"phones": ["+4930222"]}


async def test_an_edit_of_the_one_that_stays_makes_it_stale(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, kept = await product.contact(phones=["+4930111"]), await product.contact(phones=["+4930222"])
    keeper = product.app.state.held.keeper
    put = keeper.put

    async def late(*given: Any) -> Any:
        monkeypatch.setattr(keeper, "put", put)
        assert (await patch(product, kept, emails=["ada@example.org"])).status_code == 200
        return await put(*given)

    monkeypatch.setattr(keeper, "put", late)

    answer = await merge(product, gone, kept, "phones")

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert (await product.opened(gone))["channels"] == {"phones": ["+4930111"]}
    assert (await product.opened(kept))["channels"] == {"phones": ["+4930222"], "emails": ["ada@example.org"]}
    assert (await merge(product, gone, kept, "phones")).status_code == 200
    assert (await product.opened(kept))["channels"] == {"phones": ["+4930111"], "emails": ["ada@example.org"]}


async def test_a_section_that_the_one_that_stays_got_meanwhile_is_not_written_over(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = await product.contact(phones=["+4930111"]), await product.contact()
    keeper = product.app.state.held.keeper
    put = keeper.put

    async def late(*given: Any) -> Any:
        monkeypatch.setattr(keeper, "put", put)
        assert (await patch(product, kept, phones=["+4930222"])).status_code == 200
        return await put(*given)

    monkeypatch.setattr(keeper, "put", late)

    assert (await merge(product, gone, kept, "phones")).status_code == 412
    assert (await product.opened(kept))["channels"] == {"phones": ["+4930222"]}
    assert (await product.opened(gone))["channels"] == {"phones": ["+4930111"]}


async def test_a_merge_stands_though_looking_once_more_failed(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = await product.contact(phones=["+4930111"]), await product.contact()
    keeper = product.app.state.held.keeper
    merge_there = keeper.merge

    async def down(*_: object, **__: object) -> Any:
        raise KeeperUnavailable

    with monkeypatch.context() as patched:

        async def goes_down_after(*given: str) -> int:
            index = await merge_there(*given)
            patched.setattr(keeper, "open", down)
            return int(index)

        patched.setattr(keeper, "merge", goes_down_after)
        assert (await merge(product, gone, kept, "phones")).status_code == 200

    assert (await product.opened(kept))["channels"] == {"phones": ["+4930111"]}
    assert (await product.staff.get(f"/v1/contacts/{gone}", params=SERVE)).status_code == 404


# Later


@pytest.fixture
async def slow(server: Server, tmp_path: Path) -> AsyncIterator[Product]:
    """The application over a keeper whose clock a test moves."""
    home = KeeperHome(tmp_path / "home", clock=True)
    home.init()
    assert home.start(), home.stderr()
    await gather_cast(home, second_factor="optional")
    app = create_app(settings_for(server, home))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        running = Product(app, home, server)
        await running.connect(stack)
        yield running
    await home.aclose()


async def days_pass(product: Product, days: int) -> None:
    """Let time pass, and sign in anew: no session is that old."""
    assert product.keeper.clock
    product.keeper.clock.advance(hours=24 * days)
    for name in ("staff", "staff2"):
        signed = await product.nobody.post("/v1/sessions", json={"name": name, "password": PASSWORD})
        assert signed.status_code == 201, signed.text
        product.as_(name).headers["authorization"] = f"Bearer {signed.json()['token']}"


@pytest.mark.usefixtures("product")
async def test_a_merge_is_undone_within_thirty_days_and_not_later(slow: Product) -> None:
    first, second, kept = [await slow.contact(given_name=f"N{new_id()[:4]}") for _ in range(3)]
    for gone in (first, second):
        await slow.staff.post(f"/v1/contacts/{gone}/interactions", json=CALL)
        assert (await merge(slow, gone, kept)).status_code == 200

    await days_pass(slow, 29)
    in_time = await undo(slow, first)
    await days_pass(slow, 2)
    late = await undo(slow, second)

    assert (in_time.status_code, late.status_code, late.json()["code"]) == (200, 404, "not-found")
    assert len((await slow.opened(first))["interactions"]) == 1
    # Nothing came apart: what was said with the second is still read with the one that stands for both.
    assert len((await slow.opened(kept))["interactions"]) == 1
