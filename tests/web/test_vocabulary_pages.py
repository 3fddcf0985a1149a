"""The words people choose from, kept by an admin."""

import pytest

from crm.kit.ids import new_id
from tests.product import Product
from tests.web.readers import a_browser
from web.routes.vocabulary import Kind

LONG = "x" * 81


async def test_a_word_is_added_renamed_retired_and_given_out_again(product: Product) -> None:
    word, other = f"First {new_id()[:8]}", f"Second {new_id()[:8]}"
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        added = await admin.post("/vocabulary/tag", data={"term": f"  {word} "})
        page = (await admin.get(added.headers["location"])).text
        term = page.partition(f'value="{word}"')[0].rpartition("/vocabulary/tag/")[2].partition('"')[0]
        path = f"/vocabulary/tag/{term}"
        renamed = await admin.post(path, data={"term": other})
        after = (await admin.get(renamed.headers["location"])).text
        await admin.post(path, data={"retired": "yes"})
        retired = (await admin.get("/vocabulary/tag")).text
        await admin.post(path, data={"retired": "no"})
        again = (await admin.get("/vocabulary/tag")).text

    assert word not in after
    for text, is_retired in ((after, False), (retired, True), (again, False)):
        line = text.partition(f'value="{other}"')
        assert ("Give out again" in line[2].partition("</li>")[0]) == is_retired
    terms = (await product.staff.get("/v1/vocabulary/tag")).json()["terms"]
    assert {"id": term, "term": other, "retired": False} in terms


@pytest.mark.parametrize("kind", list(Kind))
async def test_every_vocabulary_has_a_page(product: Product, kind: Kind) -> None:
    word = f"{kind} {new_id()[:8]}"
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        await admin.post(f"/vocabulary/{kind}", data={"term": word})

        page = await admin.get(f"/vocabulary/{kind}")

    assert word in page.text
    assert f'href="/vocabulary/{kind}" aria-current="page"' in page.text
    assert ("Rename" in page.text.partition("<main")[2]) == (kind is not Kind.WORDING)


@pytest.mark.parametrize(("term", "told"), [("", "string too short"), (LONG, "A term has at most 80 characters.")])
async def test_a_word_that_is_not_taken_comes_back(product: Product, term: str, told: str) -> None:
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        added = await admin.post("/vocabulary/need", data={"term": term})
        id_ = await product.term("need", f"Known {new_id()[:8]}")
        renamed = await admin.post(f"/vocabulary/need/{id_}", data={"term": term})

    for answer in (added, renamed):
        assert answer.status_code == 422
        assert told in answer.text
        assert f'value="{term}"' in answer.text
    assert 'aria-invalid="true"' in renamed.text


async def test_two_words_never_read_alike(product: Product) -> None:
    one, two = f"Alike {new_id()[:8]}", f"Other {new_id()[:8]}"
    await product.term("topic", one)
    id_ = await product.term("topic", two)
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        answer = await admin.post(f"/vocabulary/topic/{id_}", data={"term": one.upper()})

    assert (answer.status_code, "Another term reads like that." in answer.text) == (422, True)


async def test_a_wording_is_never_reworded(product: Product) -> None:
    id_ = await product.term("wording", f"You may {new_id()[:8]}")
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        answer = await admin.post(f"/vocabulary/wording/{id_}", data={"term": "You must"})

    assert (answer.status_code, "A wording is never reworded" in answer.text) == (422, True)


async def test_a_word_that_is_not_there_is_not_found(product: Product) -> None:
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        answers = [await admin.post(f"/vocabulary/stage/{id_}", data={"term": "x"}) for id_ in (new_id(), "no-id")]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_a_vocabulary_there_is_not_is_no_page(product: Product) -> None:
    async with a_browser(product.app, product.keeper.token("admin")) as admin:
        answer = await admin.get("/vocabulary/names")

    assert answer.status_code == 422
