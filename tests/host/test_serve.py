"""``kept serve`` from an empty folder to a working product, through kills, and down again."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

from crm.host import accounts, demo
from tests.conftest import Need
from tests.host.conftest import PROJECT, AsPlainUser
from tests.host.product import Product, serving

DEMO = ("--demo",)
FURNISHED = "Everybody in this demo"


def _search(product: Product, home: Path, text: str) -> list[str]:
    account = json.loads((home / "demo-accounts.json").read_text())["staff"]
    status, session = product.ask("POST", "/v1/sessions", account)
    assert status == 201
    status, found = product.ask("POST", "/v1/contacts/search", {"q": text}, session["token"])
    assert status == 200
    return [match["name"] for match in found["matches"]]


def test_demo_is_furnished_and_stays(folder: Path) -> None:
    home = folder / "home"
    with serving(home, *DEMO, until=FURNISHED) as product:
        file = home / "demo-accounts.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        made = json.loads(file.read_text())
        assert made.keys() == demo.ROLES.keys()
        assert all(made[name]["password"] in "\n".join(product.said) for name in made)
        assert _search(product, home, "wisnie") == ["Zofia Wiśnielas"]
        assert (home / "log.vkey").read_text().strip()
        assert product.stop() == 0
    with serving(home, *DEMO, until=FURNISHED) as again:
        assert json.loads((home / "demo-accounts.json").read_text()) == made
        assert _search(again, home, "ostergaard") == []


def test_new_home_says_how_the_first_people_come_in(folder: Path) -> None:
    with serving(folder / "home") as product:
        health = product.until("open")
        assert health["egress"] == ("closed" if sys.platform == "linux" else "open")
        assert health["isolation"] == accounts.isolation()
        assert health["keeper"]["second_factor"] == "required"
        line = [sys.executable, "-m", "crm.cli", "people", "add", "--home", str(folder / "home")]
        environ = os.environ | {"PYTHONPATH": str(PROJECT)}
        told = subprocess.run(
            [*line, "--name", "Ada", "--role", "admin"], env=environ, capture_output=True, text=True, check=True
        )
        code = told.stdout.splitlines()[0].rpartition(" ")[2]
        status, who = product.ask("POST", "/v1/invitations", {"code": code, "password": "correct horse battery"})
        assert (status, who["name"]) == (201, "Ada")
        twice = subprocess.run(
            [*line, "--name", "Eve", "--role", "admin"], env=environ, capture_output=True, text=True, check=False
        )
        assert twice.returncode == 1
        assert "one already" in twice.stderr


def test_home_is_served_once_and_a_taken_port_is_left_alone(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(folder / "home", "--port", str(port)) as product:
            assert product.port != port
            assert f"Port {port} is taken." in product.said
            line = [sys.executable, "-m", "crm.cli", "serve", "--home", str(folder / "home"), "--port", "0"]
            second = subprocess.run(
                line,
                cwd=PROJECT,
                env=os.environ | {"PYTHONPATH": str(PROJECT)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert second.returncode == os.EX_UNAVAILABLE
            assert "served already" in second.stderr


def test_killed_children_come_back(folder: Path) -> None:
    with serving(folder / "home") as product:
        before = product.children()
        for name in ("crm.keeper", "crm.host.web", "crm.host.worker", "bin/postgres"):
            os.kill(before[name], signal.SIGKILL)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            now = product.children()
            if set(now) == set(before) and not set(now.values()) & set(before.values()):
                break
            time.sleep(0.1)
        assert set(now) == set(before)
        product.until("open")
        assert product.stop() == 0


def test_killed_launcher_leaves_nothing_that_hinders_the_next(folder: Path) -> None:
    home = folder / "home"
    with serving(home) as product:
        left = product.children()
        product.launcher.kill()
        product.launcher.communicate()
    with serving(home) as again:
        again.until("open")
        assert not [pid for pid in left.values() if pid in again.children().values()]
        assert again.stop() == 0


def test_keeper_that_refuses_what_it_finds_is_said_and_opens_nothing(folder: Path) -> None:
    home = folder / "home"
    with serving(home) as product:
        product.until("open")
    for segment in (home / "journal").glob("*.kj"):
        segment.unlink()
    with serving(home) as product:
        assert product.health()["keeper"]["state"] == "sealed"
        assert any("sealed" in line for line in product.said)
        assert product.stop() == 0


def test_clone_and_home_below_closed_folders(folder: Path, need: Need) -> None:
    need(os.geteuid() == 0, "root, to have accounts that a folder is closed to")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for part in ("crm", "api", "alembic"):
        shutil.copytree(PROJECT / part, closed / "clone" / part)
    home = closed / "Zuhause mit Ümlaut und Leerzeichen" / ("lang" * 20)
    with serving(home, *DEMO, project=closed / "clone", until=FURNISHED) as product:
        health = product.until("open")
        assert health["isolation"] == accounts.OWN_ACCOUNTS
        assert _search(product, home, "aasland") == ["Bjørn Aasland"]
        assert product.stop() == 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_plain_user_gets_all_of_it_but_the_accounts(folder: Path, as_plain_user: AsPlainUser) -> None:
    home = folder / "home"
    product = Product(as_plain_user("serve", str(home), "demo"), until=FURNISHED)
    health = product.until("open")
    assert health["isolation"] == accounts.ONE_ACCOUNT
    assert health["egress"] == "closed"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert _search(product, home, "benhaddou") == ["Leïla Benhaddou"]
    assert product.stop() == 0
