"""The pages as a reader meets them: the application on a port, and a real browser in front of it.

    def test_searches(browse: Browse, site: Site) -> None:
        page = browse("staff")                       # signed in, a context of its own
        page.goto(f"{site.url}/contacts")

Playwright's loop runs while its fixture stands, and no other loop can meanwhile: a file with browser tests has
no asynchronous ones. Whatever a page says on its console fails the test that opened it, a violation of the
content policy among it.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from tests.keeper.home import KeeperHome
from tests.product import Server, settings_for
from web.main import create_app

INSTALL = "apt-get install chromium-headless-shell"
Need = Callable[[object, str], None]
# In a container Chromium has no rights for a sandbox of its own; it meets our own pages alone.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
TIMEOUT_MS = 15_000


class Site:
    """The running application; `rest` is what a test makes its people with."""

    def __init__(self, url: str, keeper: KeeperHome) -> None:
        self.url = url
        self.keeper = keeper

    def rest(self, role: str) -> httpx.Client:
        """Return a client of REST, signed in."""
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.keeper.token(role)}"})

    def contact(self, **fields: Any) -> str:
        """Make a contact as staff; returns its id."""
        with self.rest("staff") as client:
            body = {"given_name": "Ada", "confirm_duplicate": True, **fields}
            answer = client.post("/v1/contacts", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


Browse = Callable[..., Page]


@pytest.fixture(scope="session")
def site(server: Server, shared_keeper: KeeperHome) -> Iterator[Site]:
    """Serve the application for this worker; a passkey's page has to be `localhost`, never an address."""
    app = create_app(settings_for(server, shared_keeper))
    config = uvicorn.Config(app, host="localhost", port=0, log_config=None, access_log=False, lifespan="on", ws="none")
    web = uvicorn.Server(config)
    thread = threading.Thread(target=web.run)
    thread.start()
    while not web.started:
        time.sleep(0.01)
    port = web.servers[0].sockets[0].getsockname()[1]
    yield Site(f"http://localhost:{port}", shared_keeper)
    web.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chromium(need: Need) -> Iterator[Browser]:
    """Start the browser once for a file of tests."""
    found = os.environ.get("CHROMIUM_BIN") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    need(found, INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser, site: Site) -> Iterator[Browse]:
    """Open pages, each in a context of its own, signed in as one of the cast (None: as nobody).

    ``answers`` are the statuses of 400 and above that the test means to meet: the browser tells them on the console.
    """
    said: list[str] = []
    with ExitStack() as stack:

        def opened(
            role: str | None,
            *,
            size: ViewportSize = WIDE,
            theme: str = "light",
            zone: str = "UTC",
            answers: tuple[int, ...] = (),
        ) -> Page:
            context = stack.enter_context(
                chromium.new_context(
                    base_url=site.url, viewport=size, color_scheme="dark" if theme == "dark" else "light",
                    timezone_id=zone, locale="en-GB",
                )
            )  # fmt: skip
            context.set_default_timeout(TIMEOUT_MS)
            if role is not None:
                where = site.url.replace("http", "https", 1)
                context.add_cookies([{"name": "__Host-kept", "value": site.keeper.token(role), "url": where}])
            page = context.new_page()
            page.on("console", lambda message: said.extend(_heard(message, answers)))
            page.on("pageerror", lambda error: said.append(f"error: {error}"))
            return page

        yield opened
    assert said == []


def _heard(message: ConsoleMessage, answers: tuple[int, ...]) -> Iterator[str]:
    # What signing out asks of the browser, it tells.
    is_meant = message.text.startswith("Clear-Site-Data header on") or any(
        f"the server responded with a status of {status} " in message.text for status in answers
    )
    if not is_meant:
        yield f"{message.type}: {message.text}"
