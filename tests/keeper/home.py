"""A keeper to test: a home of its own in a folder, the real process, its sockets, its journal and its file.

    async def test_opens(make_home):                    # fixture of conftest.py; or `home`, one with defaults
        home = await make_home(people=3)                # budgets by name; everything else is large
        web = await home.client("web")                  # crm.keeper_client.Keeper, closed at the end
        ada = item(new_id(), identity={"given_name": "Ada"})
        put = await web.put(home.token("staff"), "intake", ada)
        home.stop()                                     # SIGTERM, waits, returns the exit status
        home.start()                                    # again, on the same files; False: it ended
        web = await home.client()                       # the client before is cut off at its next call
        assert home.groups()[-1].entries                # what the journal holds
        assert home.rows("SELECT count(*) FROM entry")  # what the file holds

The cast (``CAST``) is signed in already: made once a session for each kind of home, whose folder is then
copied, so a test pays for no password hashing. ``home.token(name)`` is a session token, ``home.cast[name]``
the person. With ``second_factor="required"`` it has one-time codes enrolled (``Person.totp``, ``.code``).
``home.clock.advance(hours=72)`` works in a home made with ``clock=True``: its keeper is started through
``clocked.py``, which passes the shipped ``run`` a clock read from a file.
"""

import asyncio
import contextlib
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from base64 import b32decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgpack
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from crm.errors import ProofRequired
from crm.keeper_client import Keeper
from crm.kit import journal
from crm.kit.pii import Pii
from crm.kit.signed import Checkpoint, Verifier, open_note, parse_checkpoint

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "keeper.example/log"
PASSWORD = "correct horse battery"
START_S = 60
# Who every test knows: the name is the role, a digit tells two of one kind apart.
CAST = {
    "admin": ["admin"], "auditor": ["auditor"], "staff": ["staff"], "staff2": ["staff"],
    "privacy": ["privacy"], "marketing": ["marketing"], "counsel": ["counsel"], "product": ["product"],
}  # fmt: skip
LARGE = 10_000_000
BUDGETS = (
    "people", "labels", "intake", "import", "records", "requests", "erasures", "subjects", "acts",
    "installation",
)  # fmt: skip


class Prover(Keeper):
    """A client that does what a person does who is asked once more: prove it, then try again."""

    home: "KeeperHome"

    async def call(self, verb: str, **arguments: Any) -> Any:
        try:
            return await super().call(verb, **arguments)
        except ProofRequired:
            person = next((one for one in self.home.cast.values() if one.token == arguments["token"]), None)
            code = person.code(ms=self.home.clock.wall_ms if self.home.clock else 0) if person and person.totp else None
            await super().call("prove", token=arguments["token"], password=PASSWORD, totp=code)
            return await super().call(verb, **arguments)


@dataclass(frozen=True, slots=True)
class Person:
    """One of the cast, signed in; ``totp`` is the secret in base32 where a second factor is required."""

    id: str
    name: str
    roles: list[str]
    token: str
    totp: str = ""

    def code(self, steps: int = 0, *, ms: int = 0) -> str:
        """Return a one-time code of now, or of ``steps`` half minutes and so many milliseconds later."""
        secret = b32decode(self.totp + "=" * (-len(self.totp) % 8))
        return TOTP(secret, 6, hashes.SHA1(), 30).generate(int(time.time()) + 30 * steps + ms // 1000).decode()  # noqa: S303


class Group(NamedTuple):
    """One record of the journal, decoded."""

    seq: int
    first: int
    entries: list[bytes]
    ops: list[list[Any]]
    checkpoint: str


def item(
    subject: str, *, kind: str = "contact", expected: int = 0, **sections: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Return items for ``put``: one a section, as in ``item(id, identity={...}, channels={...})``."""
    return [
        {"subject": subject, "kind": kind, "section": name, "fields": dict(fields), "expected": expected}
        for name, fields in sections.items()
    ]


class FileClock:
    """The clock of a keeper started through ``clocked.py``: this machine's, moved by what the file says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wall_ms = self.steady_ms = 0
        self._write()

    def advance(self, *, hours: float = 0, minutes: float = 0) -> None:
        """Let time pass for wall and steady clock alike."""
        ms = int((hours * 60 + minutes) * 60_000)
        self.set(self.wall_ms + ms, self.steady_ms + ms)

    def set(self, wall_ms: int, steady_ms: int) -> None:
        """Move the two clocks by so much against this machine's."""
        self.wall_ms, self.steady_ms = wall_ms, steady_ms
        self._write()

    def _write(self) -> None:
        temporary = self.path.with_suffix(".new")
        temporary.write_text(f"{self.wall_ms} {self.steady_ms}")
        temporary.replace(self.path)


class KeeperHome:
    """One home and the process that runs on it. Everything is synchronous but what talks to a socket."""

    def __init__(self, path: Path, *, journal_folder: Path | None = None, clock: bool = False) -> None:
        self.path = path
        self.journal = journal_folder or path / "journal"
        self.file = path / "keeper" / "keeper.db"
        self.cast: dict[str, Person] = {}
        self.process: subprocess.Popen[str] | None = None
        self.clock = FileClock(path.with_name(f"{path.name}.clock")) if clock else None
        self.log_file = path.with_name(f"{path.name}.stderr")
        self._clients: list[Keeper] = []

    # The process

    def command(self, verb: str, *options: str | Path) -> list[str]:
        """Return the command line of one of the keeper's verbs on this home."""
        journal_given = ["--journal", str(self.journal)] if self.journal.parent != self.path else []
        module = ["-m", "crm.keeper" if verb == "run" else "crm.recovery"]
        if self.clock and verb == "run":
            module = ["-m", "tests.keeper.clocked", str(self.clock.path)]
        return [sys.executable, *module, verb, "--home", str(self.path), *journal_given, *map(str, options)]

    @staticmethod
    def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a process of ours."""
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(extra or {})}

    def call(
        self, verb: str, *options: str | Path, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``init`` or ``restore`` to its end."""
        return subprocess.run(
            self.command(verb, *options), input=stdin, env=self.environment(env), cwd=ROOT,
            capture_output=True, text=True, timeout=START_S, check=False,
        )  # fmt: skip

    def init(
        self,
        *,
        second_factor: str = "optional",
        budgets: Mapping[str, int] | None = None,
        recovery: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        """Make the home; budgets that are not named are large."""
        limits = dict.fromkeys(BUDGETS, LARGE) | dict(budgets or {})
        done = self.call(
            "init", "--origin", ORIGIN, "--second-factor", second_factor,
            *(f"--budget={name}={limit}" for name, limit in limits.items()),
            *(f"--recovery={recipient}" for recipient in recovery), *options,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def spawn(self, *options: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> None:
        """Start the process and return at once."""
        assert self.process is None, "stop it first"
        given = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(
                self.command("run", *options), stdin=given, stdout=subprocess.PIPE, stderr=log, text=True,
                env=self.environment(env), cwd=ROOT,
            )  # fmt: skip
        if stdin is not None and self.process.stdin:
            self.process.stdin.write(stdin)
            self.process.stdin.close()

    def start(self, *options: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> bool:
        """Start the process and wait until it listens; False when it ended before (``wait``: its status)."""
        self.spawn(*options, env=env, stdin=stdin)
        assert self.process is not None
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], START_S)
        assert readable, f"no word from the keeper: {self.stderr()}"
        return self.process.stdout.readline() == "ready\n"

    def wait(self, timeout_s: float = START_S) -> int:
        """Wait for the process to end; returns its status (negative: the signal)."""
        assert self.process is not None
        status = self.process.wait(timeout_s)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        return status

    def stop(self) -> int:
        """Ask the process to end and wait for it."""
        assert self.process is not None
        self.process.terminate()
        return self.wait()

    def kill(self) -> int:
        """End the process as a power cut would end it for the process, and wait."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        return self.wait()

    def stderr(self) -> str:
        """Return what the process has written so far, over all its starts."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    # Its sockets

    async def client(self, principal: str = "web") -> Keeper:
        """Connect as a principal, proving whatever is asked for; closed by ``aclose``."""
        keeper = await Prover.connect(*self._ends(principal))
        keeper.home = self
        self._clients.append(keeper)
        return keeper

    async def plain_client(self, principal: str = "web") -> Keeper:
        """Connect as a principal that proves nothing by itself; closed by ``aclose``."""
        keeper = await Keeper.connect(*self._ends(principal))
        self._clients.append(keeper)
        return keeper

    def _ends(self, principal: str) -> tuple[Path, Path]:
        return self.path / "run" / f"{principal}.sock", self.path / "services" / f"{principal}.key"

    def token(self, name: str) -> str:
        """Return the session token of one of the cast."""
        return self.cast[name].token

    async def searchable(self, keeper: Keeper) -> None:
        """Wait until the index cards are built."""
        while (await keeper.status())["search"] != "ready":
            await asyncio.sleep(0.01)

    async def disconnect(self) -> None:
        """Close every client; the process goes on."""
        for keeper in self._clients:
            await keeper.close()
        self._clients.clear()
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Close every client and end the process."""
        await self.disconnect()
        if self.process is not None:
            self.stop() if self.process.poll() is None else self.wait()

    # Its files

    @property
    def vkey(self) -> str:
        """The key of the log as the home publishes it."""
        return (self.path / "log.vkey").read_text().strip()

    def segments(self) -> list[Path]:
        """Return the journal's segments in order."""
        return sorted(self.journal.glob("*.kj"))

    def groups(self) -> list[Group]:
        """Return everything the journal holds; an incomplete end is left out."""
        return list(read_journal(self.segments()))

    def rows(self, query: str, *values: object) -> list[Any]:
        """Read the keeper's file beside the running process."""
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()

    def entries(self) -> list[bytes]:
        """Return the log's entries as the file holds them."""
        return [row[0] for row in self.rows("SELECT body FROM entry ORDER BY idx")]

    def signed(self, note: str | bytes) -> Checkpoint:
        """Open a checkpoint with the home's published key."""
        text = note.decode() if isinstance(note, bytes) else note
        return parse_checkpoint(open_note(text, [Verifier.parse(self.vkey)])[0])

    @property
    def checkpoint_in_file(self) -> Checkpoint:
        """The newest checkpoint in the keeper's file."""
        return self.signed(self.rows("SELECT value FROM meta WHERE key='checkpoint'")[0][0])

    @property
    def checkpoint_in_journal(self) -> Checkpoint:
        """The newest checkpoint in the journal."""
        return self.signed(self.groups()[-1].checkpoint)

    def copy(self, path: Path, *, clock: bool = False) -> "KeeperHome":
        """Copy the files of a stopped home to another folder; the cast stays signed in there."""
        shutil.copytree(self.path, path, ignore=shutil.ignore_patterns("*.sock"))
        twin = KeeperHome(path, clock=clock)
        twin.cast = dict(self.cast)
        return twin


def read_journal(segments: Sequence[Path]) -> Iterator[Group]:
    """Yield what segments hold, in order; an incomplete end is left out."""
    for path in segments:
        with path.open("rb") as stream, contextlib.suppress(journal.Torn):
            chain = journal.read_header(stream)
            for record in journal.records(stream, journal.HEADER_SIZE, chain):
                yield Group(*msgpack.unpackb(record.payload))


async def gather_cast(home: KeeperHome, *, second_factor: str) -> None:
    """Make the cast on a running new home, by the same steps as people do, and sign everybody in."""
    web, host = await home.client("web"), await home.client("admin")
    first = {role: await host.call("people_add", name=role, roles=[role]) for role in ("admin", "auditor")}
    await asyncio.gather(*(web.accept(Pii(made["code"]), Pii(PASSWORD)) for made in first.values()))
    await asyncio.gather(*(_sign_in(home, web, name, second_factor) for name in first))
    await asyncio.gather(*(_invite(home, web, name) for name in CAST if name not in first))
    await asyncio.gather(*(_sign_in(home, web, name, second_factor) for name in CAST if name not in first))


async def _invite(home: KeeperHome, web: Keeper, name: str) -> None:
    await web.accept(await invitation(home, web, name, CAST[name]), Pii(PASSWORD))


async def invitation(home: KeeperHome, web: Keeper, name: str, roles: Sequence[str]) -> Pii[str]:
    """Invite somebody; where it takes two people, each hands over one half of the code."""
    asked = await web.invite(home.token("admin"), name, roles)
    if not asked["decision"]:
        return Pii(asked["code"].reveal())
    decided = await web.decide(home.token("auditor"), asked["decision"], "approve")
    return Pii(f"{asked['code'].reveal()}.{decided['code'].reveal()}")


async def _sign_in(home: KeeperHome, web: Keeper, name: str, second_factor: str) -> None:
    signed = await web.sign_in(name, Pii(PASSWORD))
    token, secret = signed.token.reveal(), ""
    if second_factor == "required":
        secret = (await web.enrol_totp(token))["secret"].reveal()
    person = Person(signed.person["id"], name, CAST[name], token, secret)
    if second_factor == "required":
        # The code of the half minute before: the one of now stays unused for a test's own sign-in.
        await web.confirm_totp(token, Pii(person.code(-1)))
    home.cast[name] = person
