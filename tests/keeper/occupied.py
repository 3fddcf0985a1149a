"""A home whose web process is in strange hands: the keeper in its own account, the attacker in the web's."""

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.host import accounts, keeper_home
from crm.host import home as homes
from crm.host.child import command, environment
from crm.host.serve import _KEEPER_PRELOAD
from crm.kit.ids import new_id
from tests.keeper.home import LARGE, PASSWORD, FileClock, KeeperHome, item

BUDGETS = {"people": 3, "labels": 6, "intake": 4, "erasures": 2, "import": 1000, "installation": LARGE}


@dataclass
class Occupied:
    """Both processes, and what the attacker has seen pass through: sessions of everybody who is signed in."""

    home: KeeperHome
    clock: FileClock
    keeper: "subprocess.Popen[str]"
    attacker: "subprocess.Popen[str]"
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    helper: str = ""  # somebody whose budgets no test looks at

    def try_(self, what: str, **arguments: Any) -> Any:
        """Let the attacker try something and return what came of it."""
        assert self.attacker.stdin
        assert self.attacker.stdout
        self.attacker.stdin.write(json.dumps({"try": what, **arguments}, default=_hex) + "\n")
        self.attacker.stdin.flush()
        return json.loads(self.attacker.stdout.readline())

    def call(self, verb: str, who: str | None = None, **arguments: Any) -> list[Any]:
        """Let the attacker call a verb in somebody's session; returns code and answer."""
        token = {"token": self.tokens.get(who, who)} if who is not None else {}
        answer: list[Any] = self.try_("call", verb=verb, arguments={**token, **arguments})
        return answer

    def sign_in(self, name: str) -> str:
        """Let somebody sign in through the occupied process; the attacker has the token from then on."""
        code, body = self.call("sign_in", name=name, password=PASSWORD)
        assert code == "ok", body
        self.tokens[name], self.ids[name] = body["token"], body["person"]["id"]
        return self.tokens[name]

    def session(self, name: str) -> str:
        """Return a session of somebody, begun anew when it is over."""
        return self.tokens[name] if self.call("me", name)[0] == "ok" else self.sign_in(name)

    def hire(self, *roles: str) -> str:
        """Bring one more person in by the usual two; returns the name."""
        name = f"{roles[0]} {len(self.tokens)}"
        self.session("admin")
        asked = self.call("invite", "admin", name=name, roles=roles)[1]
        code = asked["code"]
        if asked["decision"]:
            self.session("auditor")
            code += "." + self.call("decide", "auditor", decision=asked["decision"], verdict="approve")[1]["code"]
        assert self.call("accept", code=code, password=PASSWORD)[0] == "ok"
        self.sign_in(name)
        return name

    def contact(self, **sections: dict[str, object]) -> str:
        """Store a customer by somebody whose budgets no test looks at."""
        subject = new_id()
        named = sections or {"identity": {"given_name": "Ada", "family_name": "Lovelace"}}
        items = [one for name, fields in named.items() for one in item(subject, **{name: fields})]  # type: ignore[arg-type]
        self.session(self.helper)
        code, body = self.call("put", self.helper, purpose="intake", items=items, bulk=True)
        assert code == "ok", body
        return subject

    def open(self, subject: str, who: str, **other: Any) -> list[Any]:
        """Let the attacker open somebody in a session."""
        asked = {"purpose": "serve", "subjects": [subject], "fields": ["identity"], "records": {}, "reason": "call"}
        return self.call("open", who, **{**asked, **other})


@contextlib.contextmanager
def occupied(folder: Path) -> Iterator[Occupied]:
    """Make a home as ``kept serve`` would, start its keeper, and let the attacker in where the web process would be."""
    home = KeeperHome(folder / "home")
    place = homes.prepare(home.path)
    uids = {
        role: account.uid for role in ("web", "sender", "inbound", "approve") if (account := accounts.of_role(role))
    }
    home.init(budgets=BUDGETS, options=[f"--uid={role}={uid}" for role, uid in uids.items()])
    place = homes.prepare(home.path)
    keeper_home.hand_over(place, None)
    clock = FileClock(home.path / "clock")
    preload = [part for name in _KEEPER_PRELOAD for part in ("--preload", name)]
    keeper = _start(command(place, "keeper", [
        *preload, "--", "tests.keeper.clocked", str(clock.path), "run", "--home", str(home.path),
    ]))  # fmt: skip
    assert keeper.stdout
    assert keeper.stdout.readline() == "ready\n"
    # Without the locks on its network: what holds here rests on account and key alone.
    attacker = _start(
        command(place, "web", ["--", "tests.keeper.attacker", str(home.path), str(keeper.pid)], network=True)
    )
    made = Occupied(home, clock, keeper, attacker)
    try:
        _bring_in(made)
        yield made
    finally:
        for process in (attacker, keeper):
            process.terminate()
            process.wait(30)
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()


def _start(line: list[str]) -> "subprocess.Popen[str]":
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root,
        env={name: value for name, value in environment().items() if not name.startswith("COVERAGE")},
    )  # fmt: skip


def _bring_in(made: Occupied) -> None:
    """Bring everybody in by the usual steps, through the occupied process."""

    async def first() -> list[str]:
        host = await made.home.client("admin")
        codes = [(await host.call("people_add", name=name, roles=[name]))["code"] for name in ("admin", "auditor")]
        await made.home.disconnect()
        return codes

    for name, code in zip(("admin", "auditor"), asyncio.run(first()), strict=True):
        assert made.call("accept", code=code, password=PASSWORD)[0] == "ok"
        made.sign_in(name)
    made.helper = made.hire("staff")
    while made.call("status")[1]["search"] != "ready":
        pass


def _hex(value: bytes) -> dict[str, str]:
    return {"hex": value.hex()}


def is_root() -> bool:
    """Say whether accounts can be handed out here."""
    return os.geteuid() == 0
