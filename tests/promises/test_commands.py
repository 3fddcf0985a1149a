"""`kept promises` against the product as its owner starts it, and against what only looks like it."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgpack
import pytest

from tests.host.conftest import PROJECT
from tests.host.product import Product, serving

KEPT_IN_FULL = {"C1", "C6", "C7"}

Ran = subprocess.CompletedProcess[str]


def run(*words: str, state: Path) -> Ran:
    line = [sys.executable, "-m", "crm.cli", "promises", *words, "--state", str(state)]
    given = os.environ | {"PYTHONPATH": str(PROJECT)}
    return subprocess.run(line, env=given, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)


def verdicts(said: str) -> dict[str, str]:
    """Read the printed table: clauses by id, checks by name."""
    found = {}
    for line in said.splitlines():
        if line[:1] == "C":
            found[line[:4].strip()] = line[4:17].strip()
        elif line.startswith("    ") and line[4] != " ":
            found[line[17:32].strip()] = line[4:17].strip()
    return found


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[Product, Path]]:
    # Every account can walk to it, as to /var/lib; pytest's own folders are closed.
    folder = Path(tempfile.mkdtemp(prefix="kept-test-"))
    folder.chmod(0o711)
    with serving(folder / "home", "--demo", until="Everybody in this demo") as product:
        yield product, folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


def test_a_running_installation_keeps_what_is_built(demo: tuple[Product, Path], tmp_path: Path) -> None:
    product, home = demo
    url, key = f"http://localhost:{product.port}", (home / "log.vkey").read_text().strip()

    asked = run("--url", url, state=tmp_path / "a")
    checked = [run("--url", url, "--key", key, state=tmp_path / "b") for _ in range(2)]

    found = verdicts(asked.stdout)
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert {name for name, verdict in found.items() if verdict in {"broken", "cannot tell"}} == set(), asked.stdout
    assert {name for name, verdict in found.items() if verdict == "kept"} >= KEPT_IN_FULL
    assert "what the installation says of itself" in asked.stdout
    assert [ran.returncode for ran in checked] == [0, 0]
    assert "goes on from the" in checked[1].stdout
    assert "says of itself" not in checked[1].stdout


def test_a_log_that_is_not_the_pinned_one_is_broken_from_outside(demo: tuple[Product, Path], tmp_path: Path) -> None:
    product, home = demo
    name = (home / "log.vkey").read_text().partition("+")[0]
    other = subprocess.run(
        [sys.executable, "-c", _OTHER_KEY, name], capture_output=True, text=True, check=True, cwd=PROJECT
    )

    ran = run("--url", f"http://localhost:{product.port}", "--key", other.stdout.strip(), state=tmp_path / "s")

    assert ran.returncode == 1
    assert verdicts(ran.stdout)["log"] == "broken"
    assert verdicts(ran.stdout)["C6"] == "broken"


_OTHER_KEY = """
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from crm.kit.note import Signer
print(Signer(sys.argv[1], Ed25519PrivateKey.generate()).vkey)
"""


def test_a_home_is_looked_at_by_its_operator(demo: tuple[Product, Path], tmp_path: Path) -> None:
    _, home = demo

    ran = run("--home", str(home), state=tmp_path / "s")

    found = verdicts(ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    looked = {"declared", "width", "grants", "egress", "log", "budgets", "core", "isolation", "columns", "statements"}
    assert {found[name] for name in looked} == {"kept"}, ran.stdout
    assert {found[name] for name in ("answers", "cookies", "access log")} == {"cannot tell"}
    assert "150 people, 600 labels, 300 intake a day" in ran.stdout


def test_a_home_that_is_not_running_cannot_be_told_of(tmp_path: Path, home_alone: Path) -> None:
    ran = run("--home", str(home_alone), state=tmp_path / "s")

    found = verdicts(ran.stdout)
    assert {found[name] for name in ("grants", "columns", "log")} == {"cannot tell"}, ran.stdout + ran.stderr
    assert found["budgets"] == "broken", "a budget that was set to no end"
    assert ran.returncode == 1


@pytest.fixture
def home_alone(demo: tuple[Product, Path], tmp_path: Path) -> Path:
    """A home as it lies there, nobody running, its people budget set to no end."""
    _, home = demo
    copy = tmp_path / "alone"
    for name in ("services", "keeper"):
        (copy / name).mkdir(parents=True)
    for role in ("kept_web", "kept_web_read"):
        (copy / "services" / f"{role}.dsn").write_text(f"postgresql://{role}:x@/kept?host={copy}")
    (copy / "services" / "admin.key").write_text("00" * 32)
    (copy / "log.vkey").write_text((home / "log.vkey").read_text())
    with closing(sqlite3.connect(copy / "keeper" / "keeper.db")) as db:
        db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB)")
        settings = msgpack.packb({"limits": {"people": 10**9}})
        db.execute("INSERT INTO meta VALUES ('settings', ?)", (settings,))
        db.commit()
    return copy


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--home", "/nonexistent"], "/nonexistent is no home"),
        (["--url", "http://localhost:9", "--home", "/x"], "give either --home or --url"),
        (["--url", "http://localhost:9"], "kept promises: "),
        (["--url", "http://localhost:9", "--key", "no-key"], "not a verifier key"),
        (["--url", "ftp://localhost"], "give the address of an installation"),
    ],
)
def test_what_is_no_installation(words: list[str], said: str, tmp_path: Path) -> None:
    ran = run(*words, state=tmp_path / "s")

    assert ran.returncode in {1, 2}
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(("status", "body"), [(404, b"{}"), (200, b"{}"), (200, b"<html>"), (200, b'{"clauses":[3]}')])
def test_an_address_where_something_else_answers(status: int, body: bytes, tmp_path: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        ran = run("--url", f"http://localhost:{server.server_port}", state=tmp_path / "s")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert ran.returncode == 1
    assert ran.stderr.startswith("kept promises: ")
    assert "Traceback" not in ran.stderr
