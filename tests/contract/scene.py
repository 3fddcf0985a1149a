"""A running keeper with everybody in it, and for each row of the policy arguments that only the policy can refuse."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from crm.errors import CrmError
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.authenticator import Authenticator
from tests.keeper.home import CAST, PASSWORD, KeeperHome, gather_cast, invitation, item

Arguments = dict[str, Any]
PRINCIPALS = ("web", "sender", "inbound", "approve", "admin")
AT_ONCE = 100


class Scene:
    """The keeper, a client for each socket, and what has to be there before a row can be tried."""

    def __init__(self, home: KeeperHome) -> None:
        self.home = home
        self.clients: dict[str, Keeper] = {}
        self.names = (f"Person {new_id()}" for _ in itertools.count())
        self.is_tight = False

    async def connect(self) -> None:
        """Connect every principal."""
        for name in PRINCIPALS:
            self.clients[name] = await self.home.client(name)
        await self.home.searchable(self.web)

    @property
    def web(self) -> Keeper:
        """The web process's client."""
        return self.clients["web"]

    async def code(
        self, principal: str, verb: str, purpose: str, arguments: Arguments, token: str | None = None
    ) -> tuple[str, CrmError | None]:
        """Call as a principal and return the answer's code."""
        given = {**arguments, **({"purpose": purpose} if purpose else {}), **({"token": token} if token else {})}
        if purpose == "import":
            given |= {"purpose": "intake", "bulk": True}
        try:
            await self.clients[principal].call(verb, **given)
        except CrmError as refused:
            return refused.code, refused
        return "ok", None

    async def contact(self, count: int = 1) -> list[str]:
        """Make contacts, by somebody whose budgets no test looks at; the first has an address like its id."""
        made = [new_id() for _ in range(count)]
        items = item(made[0], channels={"emails": [f"{made[0]}@lovelace.example"]})
        items += [one for subject in made for one in item(subject, identity={"given_name": "Ada"})]
        for start in range(0, len(items), AT_ONCE):
            await self.web.put(self.home.token("staff2"), "intake", items[start : start + AT_ONCE], bulk=True)
        return made

    async def hire(self, role: str) -> str:
        """Make one more person with a role; returns the token of a session."""
        name, web = next(self.names), self.web
        await web.accept(await invitation(self.home, web, name, [role]), Pii(PASSWORD))
        return (await web.sign_in(name, Pii(PASSWORD))).token.reveal()

    async def helper(self) -> str:
        """Return the session of somebody who prepares a case, with budget left."""
        return await self.hire("staff") if self.is_tight else self.home.token("staff2")

    async def invited(self) -> Any:
        """Invite somebody whom an admin may invite alone."""
        return await self.web.invite(self.home.token("admin"), next(self.names), ["product"])


async def _open(scene: Scene, _: str, *, count: int = 1) -> Arguments:
    return {"subjects": await scene.contact(count), "fields": ["identity"], "records": {}, "reason": "call"}


async def _compare(scene: Scene, role: str) -> Arguments:
    return await _open(scene, role, count=2)


async def _house(scene: Scene, _: str) -> Arguments:
    items = item(house := new_id(), kind="house", vocabulary={"stages": ["lead"]})
    await scene.web.put(scene.home.token("admin"), "house", items)
    return {"subjects": [house], "fields": ["vocabulary"], "records": {}}


async def _agenda(scene: Scene, role: str) -> Arguments:
    return await _open(scene, role) | {"fields": []}


async def _items(_: Scene, __: str) -> Arguments:
    return {"items": item(new_id(), identity={"given_name": "Eve"})}


async def _house_items(_: Scene, __: str) -> Arguments:
    return {"items": item(new_id(), kind="house", vocabulary={"stages": ["lead"]})}


async def _records(scene: Scene, _: str) -> Arguments:
    (subject,) = await scene.contact()
    return {"items": [{"subject": subject, "record": new_id(), "fields": {"notes": "x"}}]}


async def _subject(scene: Scene, _: str) -> Arguments:
    return {"subject": (await scene.contact())[0]}


async def _merge(scene: Scene, _: str) -> Arguments:
    gone, kept = await scene.contact(2)
    return {"subject": gone, "into": kept}


async def _unmerge(scene: Scene, role: str) -> Arguments:
    pair = await _merge(scene, role)
    await scene.web.merge(await scene.helper(), pair["subject"], pair["into"])
    return {"subject": pair["subject"]}


async def _erase(scene: Scene, role: str) -> Arguments:
    return {**await _subject(scene, role), "ground": "request"}


async def _cancel(scene: Scene, role: str) -> Arguments:
    about = await _subject(scene, role)
    await scene.web.erase(await scene.helper(), about["subject"], "request")
    return about


async def _accept(scene: Scene, _: str) -> Arguments:
    return {"code": (await scene.invited())["code"].reveal(), "password": PASSWORD}


async def _sign_out(scene: Scene, role: str) -> Arguments:
    signed = await scene.web.sign_in(role or "staff", Pii(PASSWORD))
    return {"token": signed.token.reveal()}


async def _enrol(scene: Scene, role: str) -> Arguments:
    """A session of somebody new: whoever has a passkey is asked for it from then on."""
    token = await scene.hire(role)
    challenge = await scene.web.challenge(token)
    return {"token": token, "passkey": Authenticator().made(challenge)}


async def _enrolled(scene: Scene, role: str) -> Arguments:
    given = await _enrol(scene, role)
    return {"token": given["token"], **await scene.web.passkey_add(given["token"], given["passkey"])}


async def _change_person(scene: Scene, _: str) -> Arguments:
    return {"person": (await scene.invited())["id"], "state": "left"}


async def _recover(scene: Scene, _: str) -> Arguments:
    """Somebody new: a person of the cast would hold half a code from then on."""
    name = next(scene.names)
    code = await invitation(scene.home, scene.web, name, ["auditor"])
    return {"person": (await scene.web.accept(code, Pii(PASSWORD)))["id"]}


async def _decide(scene: Scene, _: str) -> Arguments:
    asked = await scene.web.ask_lift(scene.home.token("staff2"))
    return {"decision": asked["decision"], "verdict": "refuse"}


async def _invite(scene: Scene, _: str) -> Arguments:
    return {"name": next(scene.names), "roles": ["product"]}


async def _address(scene: Scene, _: str) -> Arguments:
    return {"kind": "email", "value": f"{(await scene.contact())[0]}@lovelace.example"}


async def _labels(scene: Scene, _: str) -> Arguments:
    return {"subjects": await scene.contact()}


def _fixed(**arguments: Any) -> Callable[[Scene, str], Awaitable[Arguments]]:
    async def same(_: Scene, __: str) -> Arguments:
        return dict(arguments)

    return same


ARGUMENTS: dict[tuple[str, str], Callable[[Scene, str], Awaitable[Arguments]]] = {
    ("open", "serve"): _open,
    ("open", "compare"): _compare,
    ("open", "subject_request"): _open,
    ("open", "house"): _house,
    ("open", "agenda"): _agenda,
    ("search", "serve"): _fixed(q="Ada", kind="contact"),
    ("labels", "serve"): _labels,
    ("match", "serve"): _address,
    ("recent", ""): _fixed(),
    ("subject", "audit"): _address,
    ("put", "intake"): _items,
    ("put", "import"): _items,
    ("put", "canary"): _items,
    ("put", "house"): _house_items,
    ("seal", "serve"): _records,
    ("seal", "intake"): _records,
    ("merge", "serve"): _merge,
    ("unmerge", "serve"): _unmerge,
    ("object", "serve"): _subject,
    ("restrict", "serve"): _subject,
    ("record", ""): _fixed(act="owner", subjects=[new_id()]),
    ("erase", "serve"): _erase,
    ("cancel_erase", "serve"): _cancel,
    ("sign_in", ""): _fixed(name="staff", password=PASSWORD),
    ("sign_out", ""): _sign_out,
    ("sessions", ""): _fixed(),
    ("me", ""): _fixed(),
    ("my_log", ""): _fixed(),
    ("change_password", ""): _fixed(old=PASSWORD, new=PASSWORD),
    ("enrol_totp", ""): _fixed(),
    ("confirm_totp", ""): _fixed(code="000000"),
    ("prove", ""): _fixed(password=PASSWORD),
    ("challenge", "sign_in"): _fixed(),
    ("challenge", ""): _fixed(),
    ("passkeys", ""): _fixed(),
    ("passkey_add", ""): _enrol,
    ("passkey_remove", ""): _enrolled,
    ("accept", ""): _accept,
    ("colleagues", ""): _fixed(),
    ("people", ""): _fixed(),
    ("invite", ""): _invite,
    ("change_person", ""): _change_person,
    ("recover", ""): _recover,
    ("decisions", ""): _fixed(),
    ("ask_lift", ""): _fixed(),
    ("decide", ""): _decide,
    ("checkpoint", ""): _fixed(),
    ("tile", ""): _fixed(level=0, n=0, width=1),
    ("entries", ""): _fixed(),
    ("looks", ""): _subject,
    ("status", ""): _fixed(),
    ("made", ""): _fixed(after=-1, limit=10),
    ("orphan", ""): _fixed(subjects=[new_id()], records=[]),
    ("people_add", ""): _fixed(name="Second", roles=["product"]),
    ("backup", ""): _fixed(),
    ("rotate", ""): _fixed(),
}
# What a call answers that the policy lets through, where it is not "ok".
ALLOWED = {("confirm_totp", ""): "unauthenticated", ("people_add", ""): "invalid"}


@contextlib.contextmanager
def running(folder: Path, **budgets: int) -> Iterator[KeeperHome]:
    """Run a keeper with the cast signed in; no client of this loop is left."""
    home = KeeperHome(folder / "home")
    home.init(budgets=budgets)
    assert home.start(), home.stderr()

    async def gather() -> None:
        try:
            await gather_cast(home, second_factor="optional")
        finally:
            await home.disconnect()

    asyncio.run(gather())
    yield home
    home.stop()
    assert set(CAST) == set(home.cast)
