"""The product as a client meets it: the application over a real keeper and a real PostgreSQL.

    async def test_opens(product: Product) -> None:
        ada = await product.contact(given_name="Ada")               # POST /v1/contacts as staff
        answer = await product.staff.get(f"/v1/contacts/{ada}", params=SERVE)

`product.staff`, `product.auditor`, ... are clients signed in as one of the cast of `tests.keeper.home`, and
`product.nobody` is not signed in. Server, keeper and schema are made once for each worker; tests share them
and make their own contacts, so none relies on what is there.
"""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Auth, Request, Response

from crm.config import Settings
from crm.contacts import upkeep as contacts_upkeep
from crm.db import migrate
from crm.host import home as homes
from crm.host import roles
from crm.host.postgres import Postgres
from crm.interactions import upkeep
from crm.kit.pii import Pii
from tests.keeper.home import CAST, PASSWORD, KeeperHome, gather_cast
from web.main import create_app

SERVE = {"purpose": "serve", "reason": "call"}


class Server:
    """A real PostgreSQL with roles and schema, run by a loop of its own, since a session has none."""

    def __init__(self, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="server")
        self.home = homes.prepare(folder / "home")
        self._postgres = Postgres(self.home)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def start(self) -> None:
        self._thread.start()
        self._run(self._postgres.start())
        self._run(roles.ensure(self.home, self.admin_dsn, self._postgres.host))
        migrate(self.dsn(roles.OWNER))

    def stop(self) -> None:
        self._run(self._postgres.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def admin_dsn(self) -> str:
        return self._postgres.admin_dsn()

    @property
    def data(self) -> Path:
        return self.home.root / "postgres" / "data"

    def dsn(self, role: str) -> Pii[str]:
        return Pii(self.home.dsn_file(role).read_text().strip())


class Proving(Auth):
    """What a person does who is asked once more: prove it, then try again."""

    requires_response_body = True

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        answer = yield request
        is_problem = answer.headers.get("content-type") == "application/problem+json"
        if answer.status_code == 403 and is_problem and answer.json()["code"] == "proof-required":
            url, headers = request.url.copy_with(path="/v1/sessions/current/proof", query=None), request.headers
            yield Request("POST", url, headers={"authorization": headers["authorization"]}, json={"password": PASSWORD})
            yield request


class Product:
    """A running application and a client for everybody."""

    def __init__(self, app: FastAPI, keeper: KeeperHome, server: Server) -> None:
        self.app = app
        self.keeper = keeper
        self.server = server
        self.nobody = AsyncClient()
        self.staff = self.staff2 = self.admin = self.auditor = self.privacy = self.nobody
        self.marketing = self.counsel = self.product = self.nobody

    async def connect(self, stack: AsyncExitStack) -> None:
        for name in ("nobody", *CAST):
            headers = {} if name == "nobody" else {"authorization": f"Bearer {self.keeper.token(name)}"}
            transport = ASGITransport(self.app, raise_app_exceptions=False)
            client = AsyncClient(transport=transport, base_url="http://kept.test", headers=headers, auth=Proving())
            setattr(self, name, await stack.enter_async_context(client))

    def as_(self, name: str) -> AsyncClient:
        client: AsyncClient = getattr(self, name)
        return client

    async def contact(self, **fields: Any) -> str:
        """Make a contact as staff; returns its id."""
        body = {"given_name": "Ada", "confirm_duplicate": True, **fields}
        answer = await self.staff.post("/v1/contacts", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def term(self, kind: str, text: str) -> str:
        """Add a term to a vocabulary as admin; returns its id."""
        answer = await self.admin.post(f"/v1/vocabulary/{kind}", json={"term": text})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def opened(self, contact: str) -> dict[str, Any]:
        """Open a contact as staff."""
        answer = await self.staff.get(f"/v1/contacts/{contact}", params=SERVE)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def settings_for(server: Server, keeper: KeeperHome) -> Settings:
    return Settings(
        keeper_socket=keeper.path / "run" / "web.sock",
        service_key_file=keeper.path / "services" / "web.key",
        database_url=server.dsn("kept_web"),
        read_database_url=server.dsn("kept_web_read"),
    )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL of this worker's own, in a folder that every account can walk to."""
    folder = Path(tempfile.mkdtemp(prefix="kept-test-"))
    folder.chmod(0o711)
    running = Server(folder)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    """A keeper of this worker's own with its cast signed in; nobody stops it, nobody counts on its log."""
    keeper = KeeperHome(tmp_path_factory.mktemp("keeper") / "home")
    keeper.init()
    assert keeper.start(), keeper.stderr()

    async def people() -> None:
        await gather_cast(keeper, second_factor="optional")
        for client in keeper._clients:
            await client.close()
        keeper._clients.clear()

    asyncio.run(people())
    yield keeper
    keeper.stop()


async def _no_upkeep(*_: object, **__: object) -> None:
    """Stand in for the hourly task: it would mark and remove what a test has only half made."""


@pytest.fixture
async def product(server: Server, shared_keeper: KeeperHome, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    """The application, running; upkeep is called by its own tests."""
    monkeypatch.setattr(upkeep, "run", _no_upkeep)
    monkeypatch.setattr(contacts_upkeep, "run", _no_upkeep)
    app = create_app(settings_for(server, shared_keeper))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        running = Product(app, shared_keeper, server)
        await running.connect(stack)
        yield running
