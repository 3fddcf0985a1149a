"""`kept import`: hand a file of contacts to an installation and watch it arrive.

The password is asked, or read from standard input, and never an argument: arguments are seen by every
process of a machine. This is a client of the product's own REST; nothing else here calls out.
"""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import typer

from crm.kit.ids import new_id

# A dry run answers when it has read the whole file.
TIMEOUT_S = 600
POLL_S = 0.3
CHUNK = 1 << 20
SHOWN = 20


class RefusedError(Exception):
    """An answer that is no success; carries the problem's code and its title."""

    def __init__(self, code: str, title: str) -> None:
        super().__init__(f"{title} ({code})")
        self.code = code


class Client:
    """One connection to an installation, signed in after `sign_in`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise typer.BadParameter("give the address of an installation, as in http://localhost:8000")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
        self._headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Send JSON and return the JSON that comes back.

        Raises:
            RefusedError: the answer is no success.
        """
        data = b"" if body is None else json.dumps(body).encode()
        return self._send(method, path, data, {"content-type": "application/json"} if data else {})

    def _send(self, method: str, path: str, data: bytes | Iterator[bytes], headers: dict[str, str]) -> dict[str, Any]:
        self._connection.request(method, path, data, {**self._headers, **headers})
        answer = self._connection.getresponse()
        content = answer.read()
        try:
            found = json.loads(content) if content else {}
        except ValueError:
            found = {}
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            said = found.get("detail") or found.get("title") or answer.reason
            raise RefusedError(found.get("code", str(answer.status)), said)
        return dict(found)

    def sign_in(self, name: str, password: str, totp: str | None = None) -> None:
        """Open a session."""
        answer = self.ask("POST", "/v1/sessions", {"name": name, "password": password, "totp": totp})
        self._headers = {"authorization": f"Bearer {answer['token']}"}

    def sign_out(self) -> None:
        """End the session."""
        self.ask("DELETE", "/v1/sessions/current")
        self._headers = {}

    def send_file(self, file: Path) -> str:
        """Upload a file; returns the id of its import."""
        return str(self._upload("/v1/imports", file)["id"])

    def rehearse(self, file: Path) -> dict[str, Any]:
        """Upload a file to be told what its import would do."""
        return self._upload("/v1/imports?dry_run=true", file)

    def _upload(self, path: str, file: Path) -> dict[str, Any]:
        job, boundary = new_id(), f"kept-{new_id()}"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="id"\r\n\r\n{job}\r\n'
            # No file name: it can say whose contacts these are.
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="contacts"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "content-type": f"multipart/form-data; boundary={boundary}",
            "content-length": str(len(head) + file.stat().st_size + len(tail)),
        }
        return self._send("POST", path, _body(head, file, tail), headers)

    def follow(self, job: str) -> Iterator[dict[str, Any]]:
        """Give the state of an import until it ends."""
        while True:
            state = self.ask("GET", f"/v1/imports/{job}")
            yield state
            if state["state"] != "running":
                return
            time.sleep(POLL_S)


def _body(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
    yield tail


def _ask_secret(what: str) -> str:
    """Ask on a terminal; take a line from standard input otherwise."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")


def import_file(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="vCards, or a table under headings (CSV)."),
    ],
    url: Annotated[str, typer.Option("--url", help="Address of the installation.")],
    name: Annotated[str, typer.Option("--as", help="The name to sign in with.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be stored, and store nothing.")] = False,
) -> None:
    """Import contacts; giving the same file again finishes what broke off and doubles nothing."""
    try:
        with Client(url) as client:
            _sign_in(client, name)
            last = client.rehearse(file) if dry_run else _watch(client, client.send_file(file))
            client.sign_out()
    except (RefusedError, OSError, http.client.HTTPException) as error:
        typer.echo(f"Not imported: {error}", err=True)
        raise typer.Exit(1) from error
    _report(last, is_dry=dry_run)
    if not dry_run and last["state"] != "done":
        typer.echo(f"It stopped: {last['reason'] or last['state']}. Give the same file again.", err=True)
        raise typer.Exit(1)


def _sign_in(client: Client, name: str) -> None:
    password = _ask_secret("Password")
    try:
        client.sign_in(name, password)
    except RefusedError as refused:
        if refused.code != "second-factor-required":
            raise
        client.sign_in(name, password, _ask_secret("One-time code"))


def _watch(client: Client, job: str) -> dict[str, Any]:
    last: dict[str, Any] = {}
    read = 0
    with typer.progressbar(length=1, label="Importing", file=sys.stderr) as bar:
        for last in client.follow(job):
            bar.length = max(last["total"], 1)
            bar.update(last["read"] - read)
            read = last["read"]
    return last


def _report(last: dict[str, Any], *, is_dry: bool) -> None:
    if is_dry:
        for column in last["columns"]:
            typer.echo(f"  {column['heading']} -> {column['field'] or '(not taken)'}")
        typer.echo("Nothing was stored. An import would make of this:")
    counts = ", ".join(f"{last[key]} {key}" for key in ("stored", "known", "repeated", "rejected"))
    typer.echo(f"{last['total']} people: {counts}.")
    if last["unknown_columns"]:
        typer.echo(f"Columns that were not taken: {', '.join(last['unknown_columns'])}.")
    for title, name in (("Rejected", "rejects"), ("Worth a look", "warnings")):
        _list(title, last[name])


def _list(title: str, told: list[dict[str, Any]]) -> None:
    if told:
        typer.echo(f"{title}:")
    for one in told[:SHOWN]:
        typer.echo(f"  line {one['line']}: {one['reason']}")
    if len(told) > SHOWN:
        typer.echo(f"  and {len(told) - SHOWN} more")
