"""Everything a leak could go to: a PostgreSQL, a keeper and a web process of their own, and what they leave behind."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from httpx import AsyncClient, Response

from tests.contract.scene import running as running_keeper
from tests.keeper.home import ROOT, KeeperHome
from tests.product import Server
from tests.schema.test_dump import dump, files

START_S = 60


@dataclass
class Web:
    """A web process, and what it was heard to say: in its streams, its folder for temporary files, its refusals."""

    port: int
    pid: int
    folder: Path
    keeper: KeeperHome
    server: Server
    told: list[bytes] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def client(self, name: str = "") -> AsyncIterator[AsyncClient]:
        """Connect as one of the cast; every refusal is a sink."""
        headers = {"authorization": f"Bearer {self.keeper.token(name)}"} if name else {}
        async with AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=START_S,
            verify=False,  # noqa: S501 - no TLS on this machine, and making its context costs more than a call
            event_hooks={"response": [self._hear]},
        ) as client:  # fmt: skip
            yield client

    async def _hear(self, answer: Response) -> None:
        await answer.aread()
        # The warning of a duplicate shows labels: that is its purpose, and they count.
        is_label = answer.status_code == 409
        if answer.status_code >= 400 or answer.request.url.path.startswith(("/v1/imports", "/health", "/log")):
            self.told.append(str(answer.headers).encode() + (b"" if is_label else answer.content))

    def said(self) -> dict[str, bytes]:
        """Return what this process left behind."""
        found = {name: (self.folder / name).read_bytes() for name in ("stdout", "stderr")}
        for path in self.folder.rglob("*"):
            if path.is_file():
                found[str(path.relative_to(self.folder))] = path.read_bytes()
            found[f"the name of {path.name}"] = os.fsencode(path)
        return found | {"answers": b"\n".join(self.told)}

    def known_to_the_system(self) -> dict[str, bytes]:
        """Return what the machine shows of the process to its owner."""
        proc = Path(f"/proc/{self.pid}")
        open_ = b"\n".join(os.fsencode(path.readlink()) for path in (proc / "fd").iterdir() if path.is_symlink())
        return {"argv": (proc / "cmdline").read_bytes(), "environ": (proc / "environ").read_bytes(), "open": open_}


@dataclass
class Parts:
    """What web processes of one module share."""

    folder: Path
    keeper: KeeperHome
    server: Server

    @contextlib.contextmanager
    def web(self, what: str) -> Iterator[Web]:
        """Run a web process: as shipped, loud, or without one guard."""
        folder = Path(tempfile.mkdtemp(prefix="web-", dir=self.folder))
        (folder / "tmp").mkdir()
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        services = self.server.home.root / "services"
        own = KeeperHome.environment({
            "KEPT_HOME": str(self.keeper.path), "KEPT_DATABASE_URL_FILE": str(services / "kept_web.dsn"),
            "KEPT_READ_DATABASE_URL_FILE": str(services / "kept_web_read.dsn"), "TMPDIR": str(folder / "tmp"),
            "KEPT_REQUESTS_PER_MINUTE": "1000000", "PYTHONUNBUFFERED": "1", **(_TALKATIVE if what == "loud" else {}),
        })  # fmt: skip
        line = [sys.executable, "-m", "tests.leaks.web", what, "--fd", str(listening.fileno())]
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                line, cwd=ROOT, env=own, stdout=out, stderr=err, pass_fds=[listening.fileno()]
            )  # fmt: skip
        try:
            while b"ready\n" not in (folder / "stdout").read_bytes():
                assert process.poll() is None, (folder / "stderr").read_text()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
            yield Web(listening.getsockname()[1], process.pid, folder, self.keeper, self.server)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_S)
            listening.close()

    def left(self) -> dict[str, bytes]:
        """Return every file of the keeper but its keys, what it said, and every file of the database server."""
        home = self.keeper.path
        own = [path for path in home.rglob("*") if path.is_file() and path.relative_to(home).parts[0] not in _SECRET]
        found = {f"keeper {path.relative_to(home)}": path.read_bytes() for path in own}
        found["keeper said"] = self.keeper.stderr().encode()
        return found | {f"postgres {name}": data for name, data in files(self.server).items()}

    async def dumped(self) -> dict[str, bytes]:
        """Return the database as its superuser copies it out."""
        return {"dump": await dump(self.server)}

    def database(self, *, is_up: bool) -> None:
        """Stop or start the database server."""
        postgres: Any = self.server._postgres
        self.server._run(postgres.start() if is_up else postgres.stop())


# What anybody may set around a process, and what makes a runtime talk.
_TALKATIVE = {
    "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "PYTHONFAULTHANDLER": "1", "PYTHONWARNINGS": "always",
    "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
}  # fmt: skip
_SECRET = {"keys", "services"}


@contextlib.contextmanager
def parts() -> Iterator[Parts]:
    """Run what all web processes share, in a folder that every account can walk to."""
    folder = Path(tempfile.mkdtemp(prefix="kept-test-"))
    folder.chmod(0o711)
    server = Server(folder)
    server.start()
    try:
        with running_keeper(folder / "k") as keeper:
            yield Parts(folder, keeper, server)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
