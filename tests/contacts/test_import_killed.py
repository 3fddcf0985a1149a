"""An import is killed at its steps, with each of the three processes it needs; the file is given again and again."""

import asyncio
import itertools
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from crm.contacts import importing, sources
from crm.contacts.intake import Intake
from crm.host import roles
from crm.kit.ids import new_id
from crm.kit.log import ABOUT
from tests.contacts.dying_web import BATCH, MOMENTS
from tests.keeper.home import ROOT, KeeperHome, gather_cast
from tests.product import SERVE, Server

VICTIMS = ("keeper", "database", "web")
PATIENCE_S = 120
# A process dies at the first or second batch that is still to be stored, so a file outlasts its kills.
LATEST = 2
KILLS = list(itertools.product(VICTIMS, MOMENTS))


@dataclass
class Installation:
    """A keeper, a database and a web process that may be killed; the tests' shared ones may not."""

    keeper: KeeperHome
    server: Server

    @asynccontextmanager
    async def web(self, **environ: str) -> AsyncIterator[tuple[httpx.AsyncClient, "subprocess.Popen[str]"]]:
        """Start the web process and a client of it that is signed in as staff."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            own = {
                "KEPT_KEEPER_SOCKET": str(self.keeper.path / "run" / "web.sock"),
                "KEPT_SERVICE_KEY_FILE": str(self.keeper.path / "services" / "web.key"),
                "KEPT_DATABASE_URL_FILE": str(self.server.home.dsn_file("kept_web")),
                "KEPT_READ_DATABASE_URL_FILE": str(self.server.home.dsn_file("kept_web_read")),
                "KEPT_HOME": str(self.keeper.path),
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.contacts.dying_web", "--fd", str(listening.fileno())],
                pass_fds=[listening.fileno()], env=KeeperHome.environment(own | environ), cwd=ROOT, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        headers = {"authorization": f"Bearer {self.keeper.token('staff')}"}
        try:
            assert process.stdout is not None
            assert (await asyncio.to_thread(process.stdout.readline)).strip() == "ready"
            async with httpx.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE_S) as client:
                yield client, process
        finally:
            process.terminate()
            # Its lines are few; a full pipe would keep it from ending.
            await asyncio.to_thread(process.communicate)

    def pid(self, victim: str) -> int:
        """Say whom to kill; 0 is the web process itself."""
        if victim == "keeper":
            assert self.keeper.process is not None
            return self.keeper.process.pid
        return (self.server._postgres.pid or 0) if victim == "database" else 0

    def revive(self, victim: str) -> None:
        """Wait until the victim is dead and start it again."""
        if victim == "keeper":
            assert self.keeper.wait() < 0
            assert self.keeper.start(), self.keeper.stderr()
        elif victim == "database":
            self.server._run(_revive(self.server))

    async def rows(self, ids: list[str]) -> list[str]:
        """List whose rows are in PostgreSQL."""
        connection = await asyncpg.connect(self.server.dsn(roles.OWNER).reveal())
        try:
            return [row[0] for row in await connection.fetch("select id from contact where id = any($1)", ids)]
        finally:
            await connection.close()


async def _revive(server: Server) -> None:
    await server._postgres.wait()
    await server._postgres.start()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="kept-test-"))
    folder.chmod(0o711)
    server = Server(folder)
    server.start()
    keeper = KeeperHome(tmp_path_factory.mktemp("killed") / "home")
    keeper.init()
    assert keeper.start(), keeper.stderr()

    async def people() -> None:
        await gather_cast(keeper, second_factor="optional")
        await keeper.disconnect()

    asyncio.run(people())
    yield Installation(keeper, server)
    keeper.stop()
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


async def give(client: httpx.AsyncClient, data: bytes) -> str:
    answer = await client.post("/v1/imports", files={"file": ("x", data)})
    if answer.status_code == 503:  # the first to find the connections of a dead database
        answer = await client.post("/v1/imports", files={"file": ("x", data)})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def ended(client: httpx.AsyncClient, job: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        state: dict[str, Any] = (await client.get(f"/v1/imports/{job}")).json()
        if state.get("state") != "running":
            return state
        await asyncio.sleep(0.02)
    raise AssertionError("it does not end")


def people(family: str, count: int) -> tuple[bytes, list[dict[str, Any]]]:
    """Write a table, and say who stands in it."""
    persons = [
        {"given_name": f"P{n}", "family_name": family, "emails": [f"p{n}@{family.lower()}.example"]}
        for n in range(count)
    ]
    rows = [f"{one['given_name']};{family};{one['emails'][0]}" for one in persons]
    return "\n".join(["First Name;Last Name;E-mail", *rows]).encode(), persons


async def kill(installation: Installation, data: bytes, victim: str, moment: str, batch: int) -> None:
    """Give a file to a web process whose import ends with a victim; whoever died stands again on return."""
    who = f"{installation.pid(victim)}:{moment}:{batch}"
    async with installation.web(KEPT_TEST_KILL=who) as (client, process):
        job = await give(client, data)
        if victim == "web":
            assert await asyncio.to_thread(process.wait, PATIENCE_S) < 0
        else:
            await asyncio.to_thread(installation.revive, victim)
            assert (await client.get(f"/v1/imports/{job}")).json()["state"] != "done"


# Each victim and each moment in the gate; every pair of them five times in the soak.
@pytest.mark.parametrize(
    "some", [pytest.param(KILLS[::3], id="four"), pytest.param(KILLS * 5, id="sixty", marks=pytest.mark.soak)]
)
async def test_an_import_killed_again_and_again_is_finished_by_the_same_file(
    installation: Installation, some: Sequence[tuple[str, str]]
) -> None:
    """In a mixed order: it is as if nothing had happened."""
    dice = random.Random(len(some))  # noqa: S311 - a fixed order
    kills = list(some)
    dice.shuffle(kills)
    data, persons = people(f"F{new_id()[:12]}", (LATEST * len(kills) + 1) * BATCH + 7)
    key = importing.id_key((installation.keeper.path / "services" / "web.key").read_bytes())
    reading, entries = Intake(key, None), sources.find(data).entries()
    ids = [person.id for batch in iter(lambda: reading.take(entries), []) for person in batch]

    for victim, moment in kills:
        await kill(installation, data, victim, moment, dice.randint(1, LATEST))
    half_way = await installation.rows(ids)
    # Whoever gives it for the last time gives it to a process that loses its database and lives on.
    async with installation.web(KEPT_TEST_KILL=f"{installation.pid('database')}:{MOMENTS[0]}:1") as (client, _):
        await give(client, data)
        await asyncio.to_thread(installation.revive, "database")
        last, again = [await ended(client, await give(client, data)) for _ in range(2)]
        pages = [(await client.get(f"/v1/contacts/{one}", params=SERVE)).json() for one in ids]

    assert 0 < len(half_way) < len(ids)
    assert (last["state"], last["known"], last["rejected"]) == ("done", len(half_way), 0)
    assert (again["stored"], again["known"]) == (0, len(ids))
    assert [page["identity"] | page["channels"] for page in pages] == persons
    assert sorted(await installation.rows(ids)) == sorted(ids)
    marks = ",".join("?" * len(ids))
    versions = f"SELECT subject, max(version), count(*) FROM section WHERE subject IN ({marks}) GROUP BY subject"  # noqa: S608
    assert {row[0]: row[1:] for row in installation.keeper.rows(versions, *ids)} == dict.fromkeys(ids, (1, 2))
    # Each was written once: what is there already is no entry.
    entries_about = f"SELECT id, count(*) FROM mention WHERE how=? AND id IN ({marks}) GROUP BY id"  # noqa: S608
    assert dict(installation.keeper.rows(entries_about, ABOUT, *ids)) == dict.fromkeys(ids, 1)
