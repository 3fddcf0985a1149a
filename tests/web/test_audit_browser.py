"""The auditor's pages in a browser: what it recomputes by itself, and that it says so when that does not add up."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page, Route, expect

from crm.kit.note import Signer
from tests.web.conftest import NARROW, Browse, Site

TOLD = "[data-check={}] > .mark-{}"


def verdict(page: Page, check: str, word: str) -> None:
    expect(page.locator(TOLD.format(check, word))).to_be_visible()


def opened(site: Site, **fields: str) -> tuple[str, int]:
    """Make a contact and open it; returns its id and the entry's index."""
    contact = site.contact(**fields)
    with site.rest("staff") as client:
        params = {"purpose": "serve", "reason": "complaint"}
        return contact, int(client.get(f"/v1/contacts/{contact}", params=params).json()["log_index"])


def test_the_tree_is_recomputed_and_signed_by_the_pinned_key_alone(browse: Browse, site: Site) -> None:
    with site.rest("auditor") as client:
        kept = client.get("/log/checkpoint").text
    opened(site)
    page = browse("auditor")
    page.goto("/log/tree")
    verdict(page, "root", "ok")

    page.locator("#vkey").fill(site.keeper.vkey)
    verdict(page, "pinned", "ok")
    page.locator("#vkey").fill(Signer(site.keeper.vkey.split("+")[0], Ed25519PrivateKey.generate()).vkey)
    verdict(page, "pinned", "bad")
    page.locator("#before").fill(kept)
    verdict(page, "before", "ok")
    origin, size, *rest = kept.split("\n")
    page.locator("#before").fill("\n".join([origin, str(int(size) - 1), *rest]))
    verdict(page, "before", "bad")


def test_a_tile_that_was_changed_is_told(browse: Browse, site: Site) -> None:
    _, index = opened(site)
    page = browse("auditor")

    def changed(route: Route) -> None:
        answer = route.fetch()
        body = answer.body()
        route.fulfill(response=answer, body=bytes([body[0] ^ 1]) + body[1:])

    page.route(re.compile("/log/tile/0/"), changed)
    page.goto("/log/tree")
    verdict(page, "root", "bad")
    page.goto("/log")
    expect(page.locator("[data-verify=badge] [data-state=bad]")).to_be_visible()
    page.goto(f"/log/entries/{index}")
    verdict(page, "tree", "bad")
    verdict(page, "proof", "ok")


@pytest.mark.parametrize("which", ["first", "opened"])
def test_an_entry_is_proved_from_its_own_bytes(browse: Browse, site: Site, which: str) -> None:
    _, index = opened(site)
    page = browse("auditor")

    page.goto(f"/log/entries/{0 if which == 'first' else index}")

    for check in ("leaf", "proof", "tree"):
        verdict(page, check, "ok")


def test_a_complaint_is_answered_with_the_keyboard_and_without_a_name(browse: Browse, site: Site) -> None:
    address = "oskar.thimblewick@example.org"
    contact, index = opened(site, given_name="Oskar", family_name="Thimblewick", emails=[address])  # type: ignore[arg-type]
    page = browse("auditor")
    page.goto("/reports")

    page.get_by_label("E-mail").fill(address)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Who looked at this person")
    assert page.url == f"{site.url}/reports/people/{contact}"
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/log/entries/*")
    page.goto(f"/log/entries/{index}")
    assert "Thimblewick" not in page.content() + page.title() + page.url


def test_an_address_typed_where_an_id_belongs_does_not_get_into_the_address_bar(browse: Browse, site: Site) -> None:
    page = browse("auditor")
    page.goto("/log")

    page.locator("input[name=subject]").fill("oskar@example.org")
    page.keyboard.press("Enter")
    page.locator("input[name=subject]").fill("3")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Entry 3")
    assert "oskar" not in page.evaluate("document.referrer")
    assert site.url in page.url


def test_a_filter_is_taken_when_it_is_chosen(browse: Browse, site: Site) -> None:
    _, index = opened(site)
    page = browse("auditor")
    page.goto("/log")

    page.locator("select[name=act]").select_option("open")

    page.wait_for_url("**/log?*act=open*")
    expect(page.locator(f'a[href="/log/entries/{index}"]')).to_be_visible()
    expect(page.locator("tbody .log-act span").first).to_have_text("Opened a person")


def test_every_page_fits_a_phone(browse: Browse, site: Site) -> None:
    contact, index = opened(site)
    page = browse("auditor", size=NARROW, theme="dark")
    staff = site.keeper.cast["staff"].id
    for path in (
        "/log", "/log/tree", f"/log/entries/{index}", "/reports", f"/reports/people/{contact}",
        f"/reports/colleagues?person={staff}", "/reports/refusals", "/reports/week", "/alerts", "/alerts/canaries",
        "/decisions",
    ):  # fmt: skip
        page.goto(path)

        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, path
