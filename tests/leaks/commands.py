"""Every command of `kept` with people in what is typed and in what it reads: files, standard input, environment.

As a program it runs lines of the command, each in a process of its own, forked so that one import does for all.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import typer.main

from crm import cli
from tests.keeper.home import PASSWORD, ROOT, KeeperHome
from tests.leaks.drive import card_of
from tests.leaks.people import Canary
from tests.leaks.running import Web

PATIENCE_S = 30


@dataclass(frozen=True)
class Line:
    """One call: the command, what is typed behind it, what it is given to read."""

    command: str
    words: list[str]
    stdin: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


def leaves(command: object, name: str = "") -> Iterator[str]:
    """Give the names of all commands below one."""
    below_it = getattr(command, "commands", None)
    if below_it is None:
        yield name
        return
    for word, below in below_it.items():
        yield from leaves(below, f"{name} {word}".strip())


def all_of_them() -> set[str]:
    return set(leaves(typer.main.get_command(cli.app)))


def lines(url: str, home: Path, key: str, folder: Path, *, typed: Canary, read: Canary) -> list[Line]:
    """Make lines of every command, right and wrong; `typed` is in arguments and names, `read` in everything else."""
    name = typed.name
    cards, table, strange = (folder / f"{name}.{kind}" for kind in ("vcf", "csv", "bin"))
    cards.write_text(card_of(read) + f"BEGIN:VCARD\nFN:{read.note * 900}\nEND:VCARD\n")
    table.write_text(f"Name,E-mail,Phone\n{read.name},{read.email},{read.phone}\n{read.name},{read.email} at,x\n")
    strange.write_bytes(b"\xff\xfe\0" + read.note.encode())
    (folder / "log.vkey").write_text(read.note)
    there, at_home = ["--url", url], ["--home", str(home)]
    account = read.company.split()[0]
    nowhere = {"DATABASE_URL": f"postgresql://{account}:{account}@127.0.0.1:1/kept"}
    return [
        *(Line("import", [str(file), *there, "--as", "staff"], PASSWORD) for file in (cards, table, strange)),
        Line("import", [str(table), *there, "--as", "staff", "--dry-run"], PASSWORD),
        Line("import", [str(cards), *there, "--as", name], read.note),
        Line("import", [str(cards), "--url", f"{url}/{name}", "--as", "staff"], read.note),
        Line("import", [f"{cards}{name}", "--url", name, "--as", name]),
        Line("import", [str(cards), "--url", "http://127.0.0.1:1", "--as", name], read.note),
        Line("promises", there),
        Line("promises", [*there, "--key", name, "--state", str(strange)]),
        Line("promises", ["--home", str(folder / name)]),
        Line("promises", at_home, environ=nowhere),
        Line("log key", ["--home", str(folder)]),
        Line("log key", ["--home", str(folder / name)]),
        Line("log verify", ["--key", key, *there, "--as", "auditor"], PASSWORD),
        Line("log verify", ["--key", key, *there, "--as", name], read.note),
        Line("log verify", ["--key", key, *at_home, "--state", str(strange)]),
        Line("log verify", ["--key", name, "--home", str(folder / name), "--journal", name]),
        Line("people add", [*at_home, "--name", "Somebody", "--role", name]),
        Line("people add", ["--home", str(folder / name), "--name", name, "--role", "admin"]),
        Line("keys rotate", at_home),
        Line("keys rotate", ["--home", str(folder / name)]),
        Line("keeper", ["backup", *at_home]),
        Line("keeper", ["backup", *at_home, "--to", str(folder / name)]),
        Line("keeper", ["run", "--home", str(folder / name)], read.note),
        Line("keeper", ["run", "--home", str(folder), "--passphrase-stdin"], read.note),
        Line("keeper", ["init", "--home", str(folder / "k"), "--origin", name, "--budget", name]),
        Line("keeper", ["restore", "--home", str(folder / "r"), "--snapshot", str(cards), "--key", name], read.note),
        Line("keeper", [name]),
        Line("serve", ["--home", str(folder / name), "--port", name]),
        Line("serve", ["--workers", name, "--journal", name, "--origin", name, "--recovery", name]),
        Line("web", ["--home", str(folder / name)], read.note, nowhere),
        Line("worker", ["--role", name]),
        Line("worker", ["--role", "inbound", "--home", str(folder / name), "--state-file", str(folder / name)]),
        Line("approve", ["--home", str(folder / name), f"--{name}"]),
        Line("install", ["--home", str(folder / "i"), "--origin", name], read.note, nowhere),
        Line("install", ["--home", str(folder / "i"), "--postgres", name, "--password-file", str(cards)]),
    ]


def drive(web: Web, typed: Canary, read: Canary) -> int:
    """Call every command; returns how many lines there were."""
    with tempfile.TemporaryDirectory(prefix="given-", dir=web.parts.folder) as folder:
        keeper = web.parts.keeper
        called = lines(f"http://127.0.0.1:{web.port}", keeper.path, keeper.vkey, Path(folder), typed=typed, read=read)
        done = subprocess.run(
            [sys.executable, "-m", "tests.leaks.commands"],
            input=json.dumps([asdict(line) for line in called]).encode(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=ROOT, env=KeeperHome.environment({"HOME": folder}), check=True,
        )  # fmt: skip
        web.parts.printed.append(done.stdout)
    return len(called)


def main() -> None:
    """Run the lines that standard input has as JSON; all that they print comes out here."""
    for given in json.load(sys.stdin):
        line = Line(**given)
        sys.stdout.write(f"\n$ {line.command}\n")
        sys.stdout.flush()
        if not (pid := os.fork()):
            _become(line)
        os.waitpid(pid, 0)


def _become(line: Line) -> None:
    with tempfile.TemporaryFile() as stdin:
        stdin.write(f"{line.stdin}\n".encode())
        stdin.seek(0)
        os.dup2(stdin.fileno(), 0)
    os.environ.update(line.environ)
    # It is kept through what a command becomes.
    signal.alarm(PATIENCE_S)
    sys.argv = ["kept", *line.command.split(), *line.words]
    cli.main()


if __name__ == "__main__":
    main()
