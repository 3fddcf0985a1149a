"""The whole product, started as its owner starts it, and asked over REST."""

import http.client  # noqa: TID251 - a client of the product
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.host.conftest import PROJECT

PATIENCE_S = 60


class Product:
    """A running ``kept serve``."""

    def __init__(self, launcher: "subprocess.Popen[str]", *, until: str = "Kept runs at") -> None:
        self.launcher = launcher
        self.said: list[str] = []
        assert launcher.stdout is not None
        for line in launcher.stdout:
            self.said.append(line.rstrip("\n"))
            if line.startswith("Kept runs at"):
                self.port = int(line.rpartition(":")[2])
            if line.startswith(until):
                return
        raise AssertionError("\n".join(self.said))

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)  # noqa: TID251
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content) if content else None

    def health(self) -> dict[str, Any]:
        return dict(self.ask("GET", "/health")[1])

    def until(self, state: str) -> dict[str, Any]:
        """Wait until the keeper is in a state; what comes in between is part of the restart."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                health = self.health()
            except (OSError, http.client.HTTPException):  # noqa: TID251
                continue
            if health["keeper"]["state"] == state and health["database"] == "ok":
                return health
            time.sleep(0.1)
        raise AssertionError(self.health())

    def children(self) -> dict[str, int]:
        """Find the launcher's children by what they run."""
        pid = self.launcher.pid
        found = {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            line = Path(f"/proc/{child}/cmdline").read_bytes()
            for name in ("crm.keeper", "crm.host.web", "crm.host.worker", "crm.host.relay", "bin/postgres"):
                if name.encode() in line:
                    found[name] = int(child)
        return found

    def stop(self) -> int:
        self.launcher.send_signal(signal.SIGTERM)
        self.launcher.communicate(timeout=PATIENCE_S)
        return self.launcher.returncode


@contextmanager
def serving(
    home: Path, *words: str, project: Path = PROJECT, until: str = "Kept runs at", **environ: str
) -> Iterator[Product]:
    line = [sys.executable, "-m", "crm.cli", "serve", "--home", str(home), *words]
    if "--port" not in words:
        line += ["--port", "0"]
    given = os.environ | {"PYTHONPATH": str(project), "PYTHONUNBUFFERED": "1"} | environ
    launcher = subprocess.Popen(
        line, cwd=project, env=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield Product(launcher, until=until)
    finally:
        if launcher.poll() is None:
            launcher.send_signal(signal.SIGTERM)
            try:
                launcher.communicate(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                launcher.kill()
                launcher.communicate()
