"""A member of staff at the keyboard."""

import re

from playwright.sync_api import expect

from crm.kit.ids import new_id
from tests.web.conftest import Browse, Site


def test_a_call_is_logged_by_keyboard_alone(browse: Browse, site: Site) -> None:
    """Beside the words themselves it takes three keys: n, Tab, Ctrl Enter."""
    page = browse("staff")
    page.goto(f"/contacts/{site.contact(given_name='Ada')}")

    page.keyboard.press("n")
    page.keyboard.type("Battery error")
    page.keyboard.press("Tab")
    page.keyboard.type("Reseated it")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")

    expect(page.locator(".said-item h4")).to_contain_text("Battery error")
    expect(page.locator(".said-notes")).to_have_text("Reseated it")
    page.locator(".timeline-kinds label", has_text="E-mail").click()
    expect(page.locator(".said-item")).to_be_hidden()
    page.locator(".timeline-kinds label", has_text="Call").click()
    expect(page.locator(".said-item")).to_be_visible()


def test_what_is_typed_is_there_when_the_page_is_opened_again(browse: Browse, site: Site) -> None:
    page = browse("staff")
    page.goto(f"/contacts/{site.contact()}")

    page.keyboard.press("n")
    page.keyboard.type("Half a sentence")
    expect(page.locator("#draft-kept")).to_contain_text("Kept at")
    page.reload()

    expect(page.locator("[name=summary]")).to_have_value("Half a sentence")


def test_a_refusal_takes_nothing_of_what_was_typed(browse: Browse, site: Site) -> None:
    page = browse("staff", answers=(404,))
    contact = site.contact()
    page.goto(f"/contacts/{contact}")
    with site.rest("staff") as client:
        client.delete(f"/v1/contacts/{contact}", params={"ground": "mistake"})

    page.keyboard.press("n")
    page.keyboard.type("All of this")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#composer-said")).to_contain_text("There is nothing here")
    expect(page.locator("[name=summary]")).to_have_value("All of this")


def test_somebody_is_changed_beside_their_timeline(browse: Browse, site: Site) -> None:
    page = browse("staff")
    page.goto(f"/contacts/{site.contact(given_name='Ada')}")

    page.get_by_role("link", name="Edit here").click()
    page.get_by_role("button", name="Another phone number").click()
    page.locator("[name=phones]").last.fill("+46 70 174 06 11")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")

    expect(page.locator("#details")).to_contain_text("+46 70 174 06 11")


def test_it_is_moved_from_within_a_dialog(browse: Browse, site: Site) -> None:
    name = f"Rightful{new_id()[:8]}"
    wrong, right = site.contact(given_name="Wrong"), site.contact(family_name=name)
    with site.rest("staff") as client:
        call = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z", "summary": "Battery"}
        interaction = client.post(f"/v1/contacts/{wrong}/interactions", json=call).json()["id"]
    page = browse("staff")
    page.goto(f"/contacts/{wrong}/interactions/{interaction}")

    page.get_by_role("link", name="It is about somebody else").click()
    page.locator("#move-q").fill(name)
    page.locator("#move-found button", has_text=name).click()

    expect(page).to_have_url(re.compile(f"/contacts/{right}$"))
    expect(page.locator(".said-item h4")).to_contain_text("Battery")


def test_an_import_stops_asking_when_it_has_ended(browse: Browse) -> None:
    page = browse("staff")
    page.goto("/import")
    row = f"Jonas,Brandt,{new_id()}@example.org\n"
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": f"First name,Last name,E-mail\n{row}".encode()}

    page.locator("[name=file]").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at it first").click()
    expect(page.locator("#report")).to_contain_text("Nothing was stored yet")
    page.get_by_role("button", name="Import it").click()

    expect(page.locator("#job")).to_contain_text("Done.")
    expect(page.locator("#job[hx-get]")).to_have_count(0)
