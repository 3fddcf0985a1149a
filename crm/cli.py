"""The ``kept`` command: starts processes, and asks running ones.

A process is started through ``crm.host.enter``, which closes what it does not need.
"""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from crm.audit.commands import log
from crm.contacts.commands import import_file
from crm.host import database
from crm.host import home as homes
from crm.host import install as installer
from crm.host import serve as launcher
from crm.host.admin import AdminRefused, ask
from crm.promises.commands import promises

app = typer.Typer(
    help="A customer-contact CRM that can prove it shares nothing.",
    no_args_is_help=True,
    # A traceback with local variables would print what people typed.
    pretty_exceptions_enable=False,
)
people = typer.Typer(help="The first people of a new home.", no_args_is_help=True)
keys = typer.Typer(help="The keeper's keys.", no_args_is_help=True)
app.add_typer(log, name="log")
app.add_typer(people, name="people")
app.add_typer(keys, name="keys")
app.command("import")(import_file)
app.command("promises")(promises)

_FOLDER = "Folder of the installation."
# Not to be read: an account of its own may walk through, and see nothing but what it knows the name of.
Home = Annotated[Path, typer.Option("--home", help=_FOLDER, readable=False, default_factory=homes.default)]
State = Annotated[Path | None, typer.Option(help="File to keep at the keeper's state, for health checks.")]
Site = Annotated[
    list[str] | None, typer.Option(envvar="KEPT_SITE", help="https://HOST of pages: web's, then approve's.")
]
RpId = Annotated[str | None, typer.Option(envvar="KEPT_RP_ID", help="Domain of passkeys (or the first site's).")]
Recovery = Annotated[list[str] | None, typer.Option(help="An age recipient who can recover the keys; name two.")]
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


class Role(StrEnum):
    """The workers."""

    inbound = "inbound"
    sender = "sender"


@app.command()
def serve(
    home: Annotated[Path | None, typer.Option(help="Folder that holds everything.")] = None,
    port: Annotated[int, typer.Option(help="A free one when it is taken.", min=0, max=65535)] = launcher.PORT,
    workers: Annotated[int, typer.Option(help="Web processes (default: half the processors).", min=0)] = 0,
    journal: Annotated[Path | None, typer.Option(help="Folder of the journal, on another volume.")] = None,
    origin: Annotated[str | None, typer.Option(help="The log's name, for ever.")] = None,
    *,
    recovery: Recovery = None,
    site: Site = None,
    rp_id: RpId = None,
    demo: Annotated[bool, typer.Option("--demo", help="Made-up people and customers.")] = False,
) -> None:
    """Start everything on this machine."""
    options = launcher.Options(
        home=home, port=port, workers=workers, journal=journal, origin=origin, recovery=tuple(recovery or ()),
        sites=tuple(site or ()), rp_id=rp_id, is_demo=demo,
    )  # fmt: skip
    raise typer.Exit(launcher.run(options))


@app.command()
def web(
    home: Home, listen: Annotated[str | None, typer.Option(help="HOST:PORT, unless a socket is handed in.")] = None
) -> None:
    """Serve REST and pages; the socket is made here or handed in by systemd."""
    _enter("crm.host.web", "--home", str(home), options=["--listen", listen] if listen else [])


@app.command()
def worker(role: Annotated[Role, typer.Option()], home: Home, state_file: State = None) -> None:
    """Run one worker; only the sender keeps a way out."""
    _worker(role.value, home, state_file)


def _worker(role: str, home: Path, state_file: Path | None) -> NoReturn:
    state = ["--state-file", str(state_file)] if state_file else []
    _enter("crm.host.worker", "--role", role, "--home", str(home), *state, has_network=role == "sender")


@app.command()
def approve(home: Home, state_file: State = None) -> None:
    """Serve the signing pages of legal releases; so far it holds its connection to the keeper."""
    _worker("approve", home, state_file)


@app.command()
def install(
    home: Home,
    postgres: Annotated[Path | None, typer.Option(help="Folder of the database server's socket.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="Password of its superuser kept_super.")] = None,
    origin: Annotated[str | None, typer.Option(help="The log's name, for ever.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Folder of the journal, on another volume.")] = None,
    *,
    recovery: Recovery = None,
    site: Site = None,
    rp_id: RpId = None,
) -> None:
    """Make home, database and roles for processes that compose or systemd start; run it after every update."""
    try:
        if postgres and password_file:
            server: database.Given | None = database.behind_socket(postgres, password_file)
        else:
            server = database.given()
    except (OSError, database.DatabaseUrlRefused) as error:
        raise typer.BadParameter(str(error)) from error
    if server is None:
        raise typer.BadParameter("Set DATABASE_URL, or give --postgres and --password-file.")
    plan = installer.Plan(
        home=home, server=server, origin=origin, journal=journal, recovery=tuple(recovery or ()),
        sites=tuple(site or ()), rp_id=rp_id,
    )  # fmt: skip
    raise typer.Exit(installer.run(plan))


@app.command(context_settings=_PASSED_ON)
def keeper(context: typer.Context) -> None:
    """Run the keeper (run), make or restore its home (init, restore), or back it up (backup)."""
    if context.args[:1] == ["backup"]:
        backup = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        backup.command()(_backup)
        backup(context.args[1:], prog_name="kept keeper backup")
    is_running = context.args[:1] not in (["init"], ["restore"])
    _enter("crm.keeper.__main__" if is_running else "crm.recovery.__main__", *context.args)


def _backup(
    home: Home, to: Annotated[Path | None, typer.Option(help="Folder the keeper may write to.")] = None
) -> None:
    """Write a signed snapshot; with the journal it restores to the last checkpoint."""
    made = _ask(home, "backup", **({"to": str(to.absolute())} if to else {}))
    typer.echo(f"{made['snapshot']} ({made['size']} entries)")


@keys.command("rotate")
def rotate(home: Home) -> None:
    """Wrap every person's key anew, take a snapshot, and destroy the old epoch's key."""
    made = _ask(home, "rotate")
    typer.echo(f"Epoch {made['epoch']}; {made['rewrapped']} keys wrapped anew; snapshot {made['snapshot']}")


@people.command("add")
def add(
    home: Home,
    name: Annotated[str, typer.Option(help="The name to sign in with.")],
    role: Annotated[str, typer.Option(help="admin or auditor; everybody else is invited by the admin")],
) -> None:
    """Make the first admin or the first auditor of a new home; prints a one-time code."""
    made = _ask(home, "people_add", name=name, roles=[role])
    typer.echo(f"One-time code for {name}, good for three days: {made['code']}")
    typer.echo("Its bearer sets a password on the page /invitation.")


def _ask(home: Path, verb: str, **arguments: object) -> dict[str, object]:
    try:
        return ask(home, verb, **arguments)
    except AdminRefused as refused:
        typer.echo(f"kept: {refused}", err=True)
        raise typer.Exit(1) from refused


def _enter(*what: str, options: list[str] | None = None, has_network: bool = False) -> NoReturn:
    """Become the process: the same process id, so that systemd and sockets handed in stay right."""
    closed = [] if has_network else ["--no-network"]
    line = [sys.executable, "-m", "crm.host.enter", *closed, *(options or []), "--", *what]
    os.execv(sys.executable, line)  # noqa: S606 - our own modules, by name


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
