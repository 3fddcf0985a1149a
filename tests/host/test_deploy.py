"""Compose and systemd say the same as ``crm.host``: who runs what, sees what, and has a way out (the sender alone)."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from ruamel.yaml import YAML

from crm import cli
from crm.host import accounts, worker
from crm.host import home as homes
from crm.host.roles import READERS
from tests.conftest import Need
from tests.host.conftest import PROJECT

COMPOSE: dict[str, Any] = YAML(typ="safe").load(PROJECT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = PROJECT / "deploy" / "systemd"
# The install step makes what the others need and ends; everything else runs.
RUNNING = sorted(set(SERVICES) - {"install"})
OURS = sorted(set(RUNNING) - {"postgres"})
KEEPERS_OWN = {"keeper", "keys", "journal", "backups"}


def _unit(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def _accounts_of_image() -> dict[str, int]:
    text = (PROJECT / "Dockerfile").read_text()
    return {name: int(number) for name, number in re.findall(r"\b([a-z]+):(1\d{4})\b", text)}


def _secrets(service: str) -> dict[str, str]:
    """Return where each secret of a service appears, and the file it is."""
    given = SERVICES[service].get("secrets", [])
    long = [{"source": one, "target": f"/run/secrets/{one}"} if isinstance(one, str) else one for one in given]
    return {one["target"]: COMPOSE["secrets"][one["source"]]["file"] for one in long}


def _mounts(service: str) -> dict[str, str]:
    rows = [volume.rsplit(":", 2 if volume.endswith(":ro") else 1) for volume in SERVICES[service].get("volumes", [])]
    return {target: source for source, target, *_ in rows}


def _service_files(role: str) -> set[str]:
    """Return the files in ``services`` that one process reads, as ``crm.host`` writes them."""
    return {f"{role}.key", *(f"{name}.dsn" for name, reader in READERS.items() if reader == role)}


def _checked(words: list[str]) -> None:
    """Parse a command line as the command does, and run nothing."""
    program, *rest = words
    assert program.rpartition("/")[2] == "kept"
    command: click.Command = typer.main.get_command(cli.app)
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        assert found is not None, rest[0]
        command, rest = found, rest[1:]
    command.make_context(str(command.name), list(rest))
    if command.name == "keeper":
        line = [sys.executable, "-m", "crm.keeper", *rest, "--help"]
        subprocess.run(line, cwd=PROJECT, check=True, capture_output=True)


def test_compose_file_is_one() -> None:
    line = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    subprocess.run(line, cwd=PROJECT, check=True, capture_output=True)


def test_services_are_those_of_this_program() -> None:
    assert set(RUNNING) == {"postgres", "keeper", "web", *worker.ROLES}
    assert set(accounts.ROLES) == set(RUNNING)
    assert set(homes.PRINCIPALS) == set(OURS) - {"keeper"} | {"admin"}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_each_container_is_locked(service: str) -> None:
    about = SERVICES[service]
    assert about["read_only"] is True
    assert about["cap_drop"] == ["ALL"]
    assert about["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in about
    assert "privileged" not in about
    assert ("cap_add" in about) is (service == "install")
    assert "healthcheck" in about or service == "install"


def test_each_container_is_an_account_of_its_own() -> None:
    users = {service: SERVICES[service]["user"] for service in RUNNING}
    assert len(set(users.values())) == len(users)
    image = _accounts_of_image()
    assert set(image) == set(accounts.ROLES)
    for service in OURS:
        assert users[service] == f"{image[service]}:{image[service]}"
    assert "0:0" not in users.values()


def test_the_sender_alone_has_a_way_out() -> None:
    networks = COMPOSE["networks"]
    outward = {name for name, about in networks.items() if not about.get("internal")}
    used = set()
    for service, about in SERVICES.items():
        mine = set(about.get("networks", ()))
        assert mine <= set(networks)
        assert mine or about["network_mode"] == "none"
        assert bool(mine & outward) is (service == "sender")
        used |= mine
    assert used == set(networks)
    # Nobody is on a network with anybody else: what they say to each other goes over sockets in folders.
    assert all(sum(name in about.get("networks", ()) for about in SERVICES.values()) == 1 for name in networks)
    for service in ("keeper", "postgres", "inbound"):
        assert SERVICES[service]["network_mode"] == "none"


def test_secrets_are_files_and_each_reaches_who_reads_it() -> None:
    used = set()
    for service in OURS:
        expected = set() if service == "keeper" else _service_files(service)
        found = _secrets(service)
        assert {Path(target).name for target in found} == expected
        assert all(target == f"/var/lib/kept/services/{Path(file).name}" for target, file in found.items())
        used |= set(found.values())
    used |= set(_secrets("postgres").values())
    assert used == {about["file"] for about in COMPOSE["secrets"].values()}
    for about in SERVICES.values():
        assert not [name for name in about.get("environment", {}) if name.endswith(("PASSWORD", "KEY", "URL"))]


def test_folders_are_those_of_a_home(folder: Path) -> None:
    made = {path.name for path in homes.prepare(folder / "home").root.iterdir()}
    for service in OURS:
        mounts = _mounts(service)
        own = {target.removeprefix("/var/lib/kept/") for target in mounts if target.startswith("/var/lib/kept")}
        assert own <= made
        assert (own - {"run"} == KEEPERS_OWN) if service == "keeper" else own == {"run"}
        assert set(mounts.values()) - set(COMPOSE["volumes"]) == {
            f"${{KEPT_JOURNAL:-./home/{name}}}" if name == "journal" else f"./home/{name}" for name in own
        }
    reading = {service for service in SERVICES if "/var/run/postgresql" in _mounts(service)}
    assert reading == {"postgres", "install", *filter(None, READERS.values())}


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"postgres"}))
def test_commands_exist(service: str) -> None:
    _checked(SERVICES[service]["command"])
    unit = _unit(f"kept-{service}.service")["ExecStart"][0].replace("%d", "/run/secrets")
    _checked(shlex.split(unit))
    # The same words, but for the socket that systemd hands in and the file that health checks read.
    both = [SERVICES[service]["command"], shlex.split(unit)]
    told = [{word for word in words[1:] if not word.startswith(("--listen", "--state-file"))} for words in both]
    assert {word.replace("/var/run/", "/run/") for word in told[0]} == told[1]


@pytest.mark.parametrize("service", OURS)
def test_units_are_as_closed_as_the_containers(service: str) -> None:
    unit = _unit(f"kept-{service}.service")
    assert unit["User"] == unit["Group"] == [f"kept-{service}"]
    for key in ("NoNewPrivileges", "MemoryDenyWriteExecute", "RestrictNamespaces", "PrivateTmp", "PrivateDevices"):
        assert unit[key] == ["yes"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert unit["IPAddressDeny"] == ["any"]
    if service != "sender":
        assert unit["PrivateNetwork"] == ["yes"]
        assert unit["RestrictAddressFamilies"] == ["AF_UNIX"]
        assert "/run:ro" in unit["TemporaryFileSystem"]
    seen = {
        Path(path).name
        for key in ("BindPaths", "BindReadOnlyPaths")
        for row in unit.get(key, ())
        for path in row.split()
    }
    public = [each["target"] for each in SERVICES[service].get("configs", ())]
    mounted = {Path(target).name for target in [*_mounts(service), *_secrets(service), *public]}
    assert seen == (mounted - {"postgresql"} if service == "sender" else mounted)
    assert "/var/lib/kept:ro" in unit["TemporaryFileSystem"]


def test_web_gets_its_socket_from_systemd() -> None:
    assert _unit("kept-web.service")["Requires"] == ["kept-web.socket"]
    assert _unit("kept-web.socket")["ListenStream"] == ["127.0.0.1:8000"]


def test_systemd_understands_the_units(need: Need, folder: Path) -> None:
    need(shutil.which("systemd-analyze"), "apt-get install systemd")
    # Where the program is not installed, a program that is stands in: the rest is what is asked about.
    for unit in UNITS.iterdir():
        (folder / unit.name).write_text(unit.read_text().replace("/opt/kept/.venv/bin/kept", "/bin/true"))
    files = sorted(str(path) for path in folder.iterdir())
    line = ["systemd-analyze", "verify", "--man=no", *files]
    found = subprocess.run(line, capture_output=True, text=True, check=False)
    complaints = [row for row in found.stderr.splitlines() if "kept-" in row and "postgresql.service" not in row]
    assert complaints == []
