"""A PostgreSQL, a keeper and a web process of their own, on a disk of their own where one can be had."""

import asyncio
import contextlib
import html
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
from httpx import AsyncClient, Request, Response

from api.http.headers import SESSION
from tests.contract.scene import running as running_keeper
from tests.keeper.home import ROOT, KeeperHome
from tests.product import Server
from web.errors import REST

START_S = 60
DISK = "1g"
# What vocabularies and staff are called. The labels of a duplicate are for staff, too, and count.
_NAMES = re.compile(r"(?:/v1)?/(vocabulary|people|colleagues|me|sessions|invitations|decisions)\b")
_ACCESS = re.compile(r"^([A-Z]+) (/\S*) (\d+) \d+$", re.MULTILINE)
# A form that was not taken: it comes back with whom it is about.
_FORM_AGAIN = (409, 412, 422)
# The one form whose address says what is asked; it lists the terms.
_COUNTS = "/contacts/counts"
# What a browser keeps of a page by itself: its title, and every address on it.
_BY_ITSELF = re.compile(rb"<title>[^<]*|(?:href|src|action|formaction|hx-[a-z:-]+)=\"[^\"]*\"|http-equiv=[^>]*")
_FIELD = re.compile(rb"(?P<tag> value=\"|<textarea\b[^>]*>)(?P<held>[^<\"]*)")
FORM = "application/x-www-form-urlencoded"


def token_of(request: Request) -> str:
    """Return the session a request is made with, by header or by cookie."""
    cookie = request.headers.get("cookie", "").partition(f"{SESSION}=")[2].partition(";")[0]
    return cookie or request.headers.get("authorization", "").removeprefix("Bearer ")


def without_fields(request: Request, content: bytes) -> bytes:
    """Empty each field of a page that holds what this very request sent, and nothing else."""
    form = parse_qsl(request.content.decode("latin-1")) if request.headers.get("content-type") == FORM else []
    # Ids are read in lower case.
    sent = {value.strip().lower() for _, value in (*form, *request.url.params.multi_items())}
    sent.add(request.url.path.lower())

    def emptied(found: re.Match[bytes]) -> bytes:
        held = html.unescape(found["held"].decode()).strip().lower()
        return found["tag"] if held in sent else found[0]

    return _FIELD.sub(emptied, content)


@dataclass
class Parts:
    """What web processes of one module share; `printed` is what commands said, `later` is done at the end."""

    folder: Path
    keeper: KeeperHome
    server: Server
    began: float = field(default_factory=time.time)
    printed: list[bytes] = field(default_factory=list)
    later: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @contextlib.contextmanager
    def web(self, *what: str) -> Iterator["Web"]:
        """Run a web process: as shipped, loud, or without these guards."""
        folder = Path(tempfile.mkdtemp(prefix="web-", dir=self.folder))
        (folder / "tmp").mkdir()
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        services = self.server.home.root / "services"
        own = KeeperHome.environment({
            # Thousands of requests, each of which other tests make too: measuring branches here takes half the time.
            "COVERAGE_PROCESS_CONFIG": "",
            "KEPT_HOME": str(self.keeper.path), "KEPT_DATABASE_URL_FILE": str(services / "kept_web.dsn"),
            "KEPT_READ_DATABASE_URL_FILE": str(services / "kept_web_read.dsn"), "TMPDIR": str(folder / "tmp"),
            "HOME": str(folder), "KEPT_REQUESTS_PER_MINUTE": "1000000", "PYTHONUNBUFFERED": "1",
            **(TALKATIVE if "loud" in what else {}),
        })  # fmt: skip
        line = [sys.executable, "-m", "tests.leaks.web", *what, "--fd", str(listening.fileno())]
        with (folder / "stdout").open("ab") as out, (folder / "stderr").open("ab") as err:
            process = subprocess.Popen(
                line, cwd=ROOT, env=own, stdout=out, stderr=err, pass_fds=[listening.fileno()]
            )  # fmt: skip
        try:
            while b"ready\n" not in (folder / "stdout").read_bytes():
                assert process.poll() is None, (folder / "stderr").read_text()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
            yield Web(listening.getsockname()[1], process, folder, self)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_S)
            listening.close()

    def database(self, *, is_up: bool) -> None:
        """Stop or start the database server."""
        postgres: Any = self.server._postgres
        self.server._run(postgres.start() if is_up else postgres.stop())


@dataclass
class Web:
    """A running web process; `told` is what it said to those who must not learn anything, or a cache may keep."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    parts: Parts
    told: list[bytes] = field(default_factory=list)
    cached: list[bytes] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def client(self, name: str = "") -> AsyncIterator[AsyncClient]:
        """Connect as one of the cast."""
        token = self.parts.keeper.token(name) if name else ""
        async with self.signed(token) as client:
            yield client

    @contextlib.asynccontextmanager
    async def signed(self, token: str) -> AsyncIterator[AsyncClient]:
        """Connect with a token, or with none."""
        async with AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", timeout=START_S,
            headers={"authorization": f"Bearer {token}"} if token else {},
            verify=False,  # noqa: S501 - no TLS on this machine, and making its context costs more than a call
            event_hooks={"response": [self.hear]},
        ) as client:  # fmt: skip
            yield client

    def cookie(self, name: str) -> str:
        """Return the cookie of somebody's session."""
        return f"{SESSION}={self.parts.keeper.token(name) if name else ''}"

    @contextlib.asynccontextmanager
    async def browser(self, name: str = "") -> AsyncIterator[AsyncClient]:
        """Sit before the pages as one of the cast, or as nobody."""
        token = self.parts.keeper.token(name) if name else ""
        async with self.seated(token) as client:
            yield client

    @contextlib.asynccontextmanager
    async def seated(self, token: str) -> AsyncIterator[AsyncClient]:
        """Sit before the pages with a session."""
        async with self.signed("") as client:
            client.headers.update(
                {"sec-fetch-site": "same-origin"} | ({"cookie": f"{SESSION}={token}"} if token else {})
            )
            yield client

    async def hear(self, answer: Response) -> None:
        """Keep what this client must not have learnt: headers, refusals, and all that is not for staff alone.

        Of a page: its title and every address on it, whomever it shows. Fields come back as they were typed.
        """
        content, path = await answer.aread(), answer.request.url.path
        is_page = not path.startswith(REST)
        tokens = [self.parts.keeper.token(name) for name in ("staff", "staff2", "privacy")]
        is_care = token_of(answer.request) in tokens
        is_shown = (
            answer.is_success and (is_care or _NAMES.match(path)) and not path.startswith(("/v1/imports", "/log"))
        )
        is_shown = is_shown or (answer.status_code == 409 and is_care)
        if is_page:
            is_form = answer.request.method == "POST" or path == _COUNTS
            is_again = is_form and answer.status_code in _FORM_AGAIN and (is_care or _NAMES.match(path))
            is_shown = (is_shown or is_again) and not path.startswith("/import")
            self.told += [b"\n".join(_BY_ITSELF.findall(content))]
            content = without_fields(answer.request, content)
        self.told.append(str(answer.headers.raw).encode() + (b"" if is_shown else content))
        if "no-store" not in answer.headers.get("cache-control", ""):
            self.cached.append(content)

    def answered(self) -> set[tuple[str, str]]:
        """Read from its own access lines which routes did what they are for."""
        lines = _ACCESS.findall((self.folder / "stdout").read_text(errors="replace"))
        return {
            (method, route)
            for method, route, status in lines
            # A form that was taken sends its reader on, as the first page does everybody.
            if status.startswith("2")
            or (status == "303" and not route.startswith(REST) and (method == "POST" or route == "/"))
        }


# What anybody may set around a process, and what makes a runtime talk.
TALKATIVE: Mapping[str, str] = {
    "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "PYTHONFAULTHANDLER": "1", "PYTHONWARNINGS": "always",
    "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
}  # fmt: skip


async def _begin(server: Server) -> None:
    """Let the server write out what it was made with, so that files which change later are few."""
    admin = await asyncpg.connect(server.admin_dsn)
    await admin.execute("checkpoint")
    await admin.execute("select pg_switch_wal()")
    await admin.close()


@contextlib.contextmanager
def parts() -> Iterator[Parts]:
    """Run what all web processes share, in a folder that every account can walk to; root gives it a disk."""
    folder = Path(tempfile.mkdtemp(prefix="kept-test-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if os.geteuid() == 0:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", folder], check=True)
        folder.chmod(0o711)
        server = Server(folder)
        server.start()
        stack.callback(server.stop)
        asyncio.run(_begin(server))
        made = Parts(folder, stack.enter_context(running_keeper(folder / "k")), server)
        stack.callback(made.later.close)
        yield made
