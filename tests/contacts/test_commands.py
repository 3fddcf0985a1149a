"""`kept import`, against the application behind a real socket."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from crm.contacts import commands
from crm.contacts.commands import Client, RefusedError, import_file
from crm.errors import OverBudget
from crm.kit.ids import new_id
from tests.keeper.home import PASSWORD
from tests.product import Product

cli = typer.Typer()
cli.command()(import_file)


@pytest.fixture
async def url(product: Product) -> AsyncIterator[str]:
    """The application on a port of the loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(product.app, lifespan="off", log_config=None, access_log=False))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await task


def card(name: str) -> str:
    return f"BEGIN:VCARD\nN:{name};Ada;;;\nEND:VCARD\n"


async def run(*arguments: str, stdin: str = f"{PASSWORD}\n") -> Any:
    return await asyncio.to_thread(CliRunner().invoke, cli, list(arguments), input=stdin)


async def test_it_works_and_again_doubles_nothing(url: str, tmp_path: Path) -> None:
    file = tmp_path / "people.vcf"
    file.write_text(card(f"F{new_id()}") + card(f"F{new_id()}"))

    first = await run(str(file), "--url", url, "--as", "staff")
    again = await run(str(file), "--url", f"{url}/", "--as", "staff")

    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert "2 people: 2 stored, 0 known, 0 repeated, 0 rejected." in first.output
    assert "2 people: 0 stored, 2 known, 0 repeated, 0 rejected." in again.output
    assert PASSWORD not in first.output


async def test_rejected_lines_are_listed_and_cut(url: str, tmp_path: Path) -> None:
    file = tmp_path / "people.vcf"
    file.write_text("BEGIN:VCARD\nEND:VCARD\n" * 25)

    done = await run(str(file), "--url", url, "--as", "staff")

    assert done.exit_code == 0
    assert "  line 1: nobody" in done.output
    assert "  and 5 more" in done.output


async def test_a_dry_run_says_what_would_be_and_stores_nothing(product: Product, url: str, tmp_path: Path) -> None:
    name = f"F{new_id()[:8]}"
    file = tmp_path / "people.csv"
    file.write_text(f"Name,E-Mail,Shoe size\nAda {name},ada@example.org,38\nBob,nowhere,\nCy {name},,\nCy {name},,\n")

    done = await run(str(file), "--url", url, "--as", "staff", "--dry-run")

    assert done.exit_code == 0, done.output
    for said in (
        "  Name -> given_name, family_name\n", "  E-Mail -> emails\n", "  Shoe size -> (not taken)\n",
        "4 people: 2 stored, 0 known, 1 repeated, 1 rejected.", "Columns that were not taken: Shoe size.",
        "  line 3: emails: not an e-mail address\n", "  line 5: says the same as line 4\n",
    ):  # fmt: skip
        assert said in done.output
    assert name not in done.output
    answer = await product.staff.post("/v1/contacts/search", json={"q": name})
    assert answer.json()["matches"] == []


async def test_what_is_refused_is_said_without_a_traceback(url: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,email\n")  # and no row

    for arguments, stdin, said in (
        ((str(file), "--url", url, "--as", "staff"), "wrong password\n", "(unauthenticated)"),
        (
            (str(file), "--url", url, "--as", "staff"),
            f"{PASSWORD}\n",
            "under headings that say name, e-mail or phone. (invalid)",
        ),
        ((str(file), "--url", url, "--as", "auditor"), f"{PASSWORD}\n", "(purpose-not-yours)"),
        ((str(file), "--url", "http://127.0.0.1:1", "--as", "staff"), f"{PASSWORD}\n", "Not imported"),
    ):
        done = await run(*arguments, stdin=stdin)
        assert done.exit_code == 1
        assert said in done.output
        assert "Traceback" not in done.output


async def test_an_address_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "people.vcf"
    file.write_text(card("A"))

    for address in ("localhost:8000", "ftp://localhost", "http://"):
        assert (await run(str(file), "--url", address, "--as", "staff")).exit_code == 2


async def test_an_import_that_stops_says_so(
    product: Product, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "people.vcf"
    file.write_text(card(f"F{new_id()}"))

    async def spent(*_: object, **__: object) -> None:
        raise OverBudget

    monkeypatch.setattr(product.app.state.held.keeper, "put", spent)
    done = await run(str(file), "--url", url, "--as", "staff")

    assert done.exit_code == 1
    assert "It stopped: over-budget. Give the same file again." in done.output


async def test_a_second_factor_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    class Asked(Client):
        def __init__(self) -> None: ...

        def sign_in(self, name: str, password: str, totp: str | None = None) -> None:
            asked.append((name, password, totp))
            if totp is None:
                raise RefusedError("second-factor-required", "A second factor is required.")

    monkeypatch.setattr("sys.stdin", io.StringIO("secret\n123456\n"))
    commands._sign_in(Asked(), "staff")

    assert asked == [("staff", "secret", None), ("staff", "secret", "123456")]


async def test_on_a_terminal_the_password_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[tuple[str, bool]] = []

    def prompt(what: str, *, hide_input: bool) -> str:
        prompts.append((what, hide_input))
        return "secret"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", prompt)

    assert commands._ask_secret("Password") == "secret"
    assert prompts == [("Password", True)]


async def test_an_answer_that_is_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        status, reason = 502, "Bad Gateway"

        def read(self) -> bytes:
            return b"<html>"

    client = Client("http://localhost")
    monkeypatch.setattr(client._connection, "request", lambda *_: None)
    monkeypatch.setattr(client._connection, "getresponse", Odd)

    with pytest.raises(RefusedError, match=r"Bad Gateway \(502\)"):
        client.ask("GET", "/health")
