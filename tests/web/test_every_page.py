"""One walk over every page: whose it is, what an outsider meets, and what stands in its headers."""

import re

import pytest
from httpx import AsyncClient, Response

from api.http.deps import PUBLIC, declarations
from crm.promises.classes import PAGES
from tests.keeper.home import CAST
from tests.product import Product
from tests.web.pages import NAMES, OURS, ROWS, Page

NONCE = re.compile(r"'nonce-([\w-]{22})'")
EVERY = pytest.mark.parametrize("row", ROWS, ids=NAMES)
LASTING = pytest.mark.parametrize("row", [row for row in ROWS if row.path != "/sign-out"])  # ends the shared session
CHANGING = pytest.mark.parametrize("row", [row for row in ROWS if row.method == "POST"])


def signed_in(product: Product, name: str) -> AsyncClient:
    """Return nobody's client with the cookie of somebody's session."""
    product.nobody.cookies.set("__Host-kept", product.keeper.token(name))
    return product.nobody


async def ask(client: AsyncClient, row: Page, headers: dict[str, str] = OURS) -> Response:
    data = row.form if row.method == "POST" else None
    return await client.request(row.method, row.url(), data=data, headers=headers)


def test_the_table_has_every_page(product: Product) -> None:
    routes = {(method, path) for method, path, _ in declarations(product.app) if method != "HEAD"} & PAGES.keys()

    assert routes == PAGES.keys()
    assert PAGES.keys() - PUBLIC == {(row.method, row.path) for row in ROWS}


@EVERY
async def test_whoever_is_not_signed_in_is_sent_to_the_door(product: Product, row: Page) -> None:
    answer = await ask(product.nobody, row)

    if row.method == "GET":
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    else:
        assert answer.status_code == 401
        assert "session has ended" in answer.text


@EVERY
async def test_another_role_is_told_so_on_a_page(product: Product, row: Page) -> None:
    for name in sorted(CAST.keys() - row.who):
        answer = await ask(signed_in(product, name), row)

        assert answer.status_code == 403, name
        assert "Your role does not include this" in answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


@LASTING
async def test_its_own_role_is_let_in_under_a_strict_policy(product: Product, row: Page) -> None:
    for name in sorted(row.who):
        answer = await ask(signed_in(product, name), row)

        assert answer.status_code not in {401, 403, 500}, (name, answer.text)
        assert answer.headers["cache-control"] == "no-store"
        if answer.headers.get("content-type", "").startswith("text/html"):
            policy = answer.headers["content-security-policy"]
            (nonce,) = NONCE.findall(policy)
            assert set(re.findall(r'nonce="([^"]*)"', answer.text)) <= {nonce}
            assert "unsafe" not in policy
            assert not re.search(r'<[^>]+\sstyle=|<style|\son\w+="|<script(?![^>]* src=)', answer.text)


@CHANGING
async def test_another_site_changes_nothing(product: Product, row: Page) -> None:
    name = min(row.who)
    for headers in (
        {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"},
        {"origin": "https://elsewhere.example"}, {"origin": "null"}, {},
    ):  # fmt: skip
        answer = await ask(signed_in(product, name), row, headers)

        assert answer.status_code == 403, headers


async def test_rest_never_takes_the_cookie(product: Product) -> None:
    answer = await signed_in(product, "staff").get("/v1/me", headers=OURS)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_page_never_takes_the_header(product: Product) -> None:
    answer = await product.staff.get("/today")

    assert answer.headers["location"] == "/sign-in?next=/today"
