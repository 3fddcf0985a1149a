"""The door, one's own page and the accounts in a browser."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from crm.kit.pii import Pii
from tests.keeper.home import PASSWORD, KeeperHome
from tests.product import Server, settings_for
from tests.web.conftest import TIMEOUT_MS, Browse, Site
from web.main import create_app

PLATFORM_KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def test_going_back_after_signing_out_shows_nobody(browse: Browse, site: Site) -> None:
    contact = site.contact(given_name="Perpetua", family_name="Backwater")
    page = browse(None)
    page.goto("/sign-in")
    sign_in(page, "staff")
    page.goto(f"/contacts/{contact}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Perpetua Backwater")
    page.goto("/me")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")

    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert "Perpetua" not in page.content()


def test_the_zone_is_told_once_and_times_are_the_readers(browse: Browse) -> None:
    page = browse(None, zone="Asia/Tokyo")
    told: list[str] = []
    page.on("request", lambda request: told.append(request.url) if request.url.endswith("/look") else None)
    with page.expect_response("**/look"):
        page.goto("/sign-in?next=/me")
    sign_in(page, "product")

    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    page.get_by_label("Time zone").select_option("Europe/Paris")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("status").first).to_contain_text("Kept in this browser")
    page.goto("/me")

    expect(page.get_by_label("Time zone")).to_have_value("Europe/Paris")
    # The one the browser told, and the one of the form.
    assert len(told) == 2


def test_boxes_that_never_go_together_exclude_each_other(browse: Browse) -> None:
    page = browse("admin")
    page.goto("/people")

    page.keyboard.press("n")
    page.keyboard.type("Somebody")
    page.get_by_label("Staff", exact=False).first.check()
    for role in ("product", "auditor", "admin"):
        expect(page.locator(f"[name=roles][value={role}]")).to_be_disabled()
    expect(page.locator("[name=roles][value=marketing]")).to_be_enabled()
    page.get_by_label("Staff", exact=False).first.uncheck()

    expect(page.locator("[name=roles][value=auditor]")).to_be_enabled()
    expect(page.locator("#invite-name")).to_have_value("Somebody")


@pytest.fixture(scope="module")
def own_site(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a home whose passkeys are of the address it is served at; an admin, Ann, works there."""
    listening = socket.create_server(("localhost", 0))
    url = f"http://localhost:{listening.getsockname()[1]}"
    home = KeeperHome(tmp_path_factory.mktemp("own") / "home")
    home.init(options=("--web-origin", url, "--rp-id", "localhost"))
    assert home.start(), home.stderr()

    async def hire() -> None:
        web, host = await home.client("web"), await home.client("admin")
        made = await host.call("people_add", name="Ann", roles=["admin"])
        await web.accept(Pii(made["code"]), Pii(PASSWORD))
        for client in (web, host):
            await client.close()

    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, hire()).result()
    config = uvicorn.Config(create_app(settings_for(server, home)), log_config=None, access_log=False, ws="none")
    web = uvicorn.Server(config)
    thread = threading.Thread(target=web.run, args=([listening],))
    thread.start()
    while not web.started:
        time.sleep(0.01)
    yield url
    web.should_exit = True
    thread.join()
    home.stop()


def test_a_passkey_is_added_signs_in_and_proves(own_site: str, chromium: Browser) -> None:
    context = chromium.new_context(base_url=own_site)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    broke: list[str] = []
    page.on("pageerror", lambda error: broke.append(str(error)))
    page.on("console", lambda message: broke.append(message.text) if message.type == "error" else None)
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    key = devices.send("WebAuthn.addVirtualAuthenticator", {"options": PLATFORM_KEY})["authenticatorId"]
    page.goto("/sign-in?next=/me")
    sign_in(page, "Ann")

    page.get_by_role("button", name="Add a passkey").click()
    page.wait_for_url("**/me?done=factor")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/people")

    devices.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.get_by_role("link", name="Me", exact=True).click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("The browser made no passkey")
    assert broke == []
    context.close()
