"""`kept log`: verify a log, print the key to pin."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from crm.audit.memory import Doubt
from crm.audit.service import verify_home, verify_url
from crm.audit.verify import Proved
from crm.kit.note import NoteError
from crm.kit.pii import Pii
from crm.kit.signed import Verifier

log = typer.Typer(help="The log: verify it, print the key to pin.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option("--home", help="Folder of an installation on this machine.")]


@log.command("verify")
def verify_command(  # noqa: PLR0917 - one for each option
    key: Annotated[str, typer.Option("--key", help="Verifier key pinned before (kept log key).")],
    home: Home = None,
    url: Annotated[str | None, typer.Option("--url", help="Address of an installation.")] = None,
    name: Annotated[str | None, typer.Option("--as", help="Auditor who signs in at --url.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Folder of the journal, when it is on another volume.")] = None,
    state: Annotated[Path | None, typer.Option("--state", help="File that remembers what was seen.")] = None,
) -> None:
    """Recompute the log from a pinned key and compare it with what was seen before; status 1 on any doubt."""
    if (home is None) == (url is None):
        raise typer.BadParameter("give either --home or --url")
    try:
        if home is not None:
            proved = verify_home(home, key, state, journal=journal)
        else:
            proved = verify_url(str(url), key, state, name=name, ask=_ask)
    except Doubt as doubt:
        typer.echo(f"NOT VERIFIED. {doubt}", err=True)
        raise typer.Exit(1) from doubt
    typer.echo(report(proved))


@log.command("key")
def key_command(home: Annotated[Path, typer.Option("--home", help="Folder of an installation.")]) -> None:
    """Print the verifier key to pin: fetch it once, from a machine that is trusted, and keep it elsewhere."""
    file = home / "log.vkey"
    try:
        vkey = file.read_text().strip()
        Verifier.parse(vkey)
    except (OSError, NoteError) as error:
        typer.echo(f"No key in {file}: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(vkey)


def report(proved: Proved) -> str:
    """Say in plain words what a verification showed, and what it did not."""
    size = proved.checkpoint.size
    before = proved.before
    lines = [
        f"Verified: {proved.checkpoint.origin}, {size:,} entries, root {proved.checkpoint.root.hex()}",
        "",
        "Shown:",
        "  - the pinned key signed this size and this root",
        f"  - the root is that of the {size:,} entries, each of them hashed anew",
        "  - the hash tiles of every level are those of the entries",
        f"  - each entry has its one canonical form and none is dated before the one ahead{_span(proved)}",
        *(f"  - {finding}" for finding in proved.findings),
    ]
    if before is not None:
        lines.append(f"  - the log begins with the {before.size:,} entries seen on {before.at}")
    lines += [
        "",
        "Not shown:",
        "  - that everybody is shown this log: compare size and root with another auditor, or ask a witness",
        "  - that an entry tells the truth about who sat at the keyboard",
    ]
    if before is None:
        lines.append("  - anything about earlier days: this is the first look, and it is remembered from now on")
    seconds = proved.duration_ms / 1000
    return "\n".join([*lines, "", f"{seconds:.1f} s, {size / seconds:,.0f} entries/s"])


def _span(proved: Proved) -> str:
    return f" ({proved.first_at} to {proved.last_at})" if proved.last_at else ""


def _ask(what: str) -> Pii[str]:
    if _is_typed():
        return Pii(typer.prompt(what, hide_input=True))
    return Pii(sys.stdin.readline().rstrip("\r\n"))


def _is_typed() -> bool:
    return sys.stdin.isatty()
