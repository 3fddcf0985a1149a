"""The ground of the pages in a browser: the keys, the frame, the policy."""

from playwright.sync_api import expect

from tests.web.conftest import Browse, Site


def test_staff_find_somebody_with_the_keyboard_alone(browse: Browse, site: Site) -> None:
    contact = site.contact(given_name="Zephyrine", family_name="Quillfeather")
    page = browse("staff")
    page.goto("/today")

    page.keyboard.press("Control+k")
    page.keyboard.type("zephyr")
    expect(page.locator("#palette-found a.row")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Zephyrine Quillfeather")
    assert page.url.endswith(f"/contacts/{contact}")
    assert "Zephyrine" not in page.title()


def test_the_theme_is_chosen_and_stays(browse: Browse, site: Site) -> None:
    page = browse("staff")
    page.goto("/today")

    page.get_by_role("button", name="Theme: as the system").click()
    page.goto("/contacts")

    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert site.url in page.url


def test_nothing_is_opened_by_being_shown(browse: Browse, site: Site) -> None:
    contact = site.contact(given_name="Untouched", family_name="Quietly")
    page = browse("staff")
    page.goto("/contacts")

    page.locator("#q").fill("untouched")
    page.locator("#found a.row").hover()

    with site.rest("staff") as client:
        looks = client.get(f"/v1/contacts/{contact}/looks").json()["looks"]
    assert "open" not in {look["act"] for look in looks}


def test_whoever_is_not_signed_in_is_asked_first(browse: Browse) -> None:
    page = browse(None)

    page.goto("/contacts")

    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.url.endswith("/sign-in?next=/contacts")
