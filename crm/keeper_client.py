"""The only way to the keeper.

One connection carries any number of requests at once; the keeper answers them in groups. When the
connection breaks, every pending request fails with ``KeeperUnavailable`` (a write may or may not have
happened: its entry says) and the next call connects anew. Personal values come back inside ``Pii``.
"""

import asyncio
import contextlib
import itertools
import json
import os
import socket as sockets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgpack
from passlib.totp import TOTP

from crm.errors import BY_CODE, CrmError, KeeperSealed, KeeperUnavailable, NotFound, TooLarge
from crm.kit import wire
from crm.kit.clock import Clock, rfc3339
from crm.kit.merkle import WIDTH
from crm.kit.pii import Pii
from crm.kit.proofs import bundle

TIMEOUT_S = 30.0
MOST_PENDING = 4096
FARTHEST = 2**40  # the number of no bundle
LOOKED_AT = 1000  # entries, for a page of those that fit a filter
PORTION = 250  # of them at once: so many of the largest fit into an answer
FILTERS = ("actor", "act", "purpose", "outcome")
SOCKET_PATH_LIMIT = 100


class _Connection(wire.FrameProtocol):
    """Requests in flight over one socket."""

    def __init__(self, service_key: bytes, principal: str) -> None:
        super().__init__()
        self._key = service_key
        self._principal = principal
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pending: dict[int, asyncio.Future[Any]] = {}
        self.is_open = True

    def frame_received(self, payload: bytes) -> None:
        if not self.ready.done():
            self.send(wire.pack(wire.answer(self._key, msgpack.unpackb(payload), self._principal)))
            self.ready.set_result(None)
            return
        number, code, body = msgpack.unpackb(payload)
        waiting = self.pending.pop(number, None)
        if waiting is None or waiting.done():
            return
        if code == "ok":
            waiting.set_result(body)
        else:
            detail = dict(body or {})
            waiting.set_exception(BY_CODE.get(code, CrmError)(detail.pop("reason", ""), **detail))

    def connection_lost(self, _: Exception | None) -> None:
        self.is_open = False
        pending, self.pending = list(self.pending.values()), {}
        for waiting in [self.ready, *pending]:
            if not waiting.done():
                waiting.set_exception(KeeperUnavailable())
        # The greeting may fail with nobody waiting for it any more.
        if self.ready.done() and not self.ready.cancelled():
            self.ready.exception()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session: the token, its end (RFC 3339), who it is for, and the second factor's state."""

    token: Pii[str]
    expires_at: str
    person: dict[str, Any]
    second_factor: str


@dataclass(frozen=True, slots=True)
class Put:
    """What was stored: the log index and the new version of each item, in order.

    ``held`` counts, of an import, who was stored though somebody else holds one of their e-mail addresses; None where
    the keeper does not say.
    """

    index: int
    versions: list[int]
    held: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened: by person and section, and by record; ``versions`` by person and section."""

    index: int
    people: dict[str, dict[str, Pii[dict[str, Any]]]]
    versions: dict[str, dict[str, int]]
    records: dict[str, Pii[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Ciphertexts by record, for PostgreSQL to keep."""

    index: int
    blobs: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Labels:
    """At most eight labels; ``more`` says that the search was wider than that."""

    matches: list[dict[str, Any]]
    more: bool


def _label(row: Sequence[Any]) -> dict[str, Any]:
    subject, name, company, email = row
    return {"id": subject, "name": Pii(name), "company": Pii(company), "email_masked": Pii(email)}


def _labels(body: dict[str, Any]) -> Labels:
    return Labels([_label(row) for row in body["matches"]], body["more"])


class Keeper:
    """A client of one keeper socket; safe to share within an event loop."""

    def __init__(self, socket: Path, key_file: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._socket = socket
        self._key_file = key_file
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._numbers = itertools.count(1)

    @classmethod
    async def connect(cls, socket: Path, key_file: Path) -> Self:
        """Make a client and try the connection once; a keeper that is down is tried again at the next call."""
        keeper = cls(socket, key_file)
        with contextlib.suppress(KeeperUnavailable):
            await keeper._connected()
        return keeper

    async def close(self) -> None:
        """Close the connection; what is pending fails."""
        if self._connection is not None:
            self._connection.transport.abort()
            self._connection = None

    async def _connected(self) -> _Connection:
        connection = self._connection
        if connection is not None and connection.is_open:
            return connection
        async with self._connecting:
            connection = self._connection
            if connection is not None and connection.is_open:
                return connection
            sock = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
            sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
            try:
                key = bytes.fromhex(self._key_file.read_text().strip())
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(TIMEOUT_S):
                    with _short(self._socket) as address:
                        await loop.sock_connect(sock, address)
                    _, connection = await loop.create_connection(lambda: _Connection(key, self._socket.stem), sock=sock)
                    await connection.ready
            except (OSError, TimeoutError, ValueError) as error:
                sock.close()
                raise KeeperUnavailable from error
            self._connection = connection
            return connection

    async def call(self, verb: str, **arguments: Any) -> Any:  # noqa: ANN401 - each typed method below knows
        """Ask for one verb and wait for the answer.

        Raises:
            CrmError: the keeper's refusal, by its code.
            KeeperUnavailable: no connection, no answer in time, or too much is pending already.
        """
        connection = await self._connected()
        if len(connection.pending) >= MOST_PENDING:
            raise KeeperUnavailable("Too many requests are waiting for the keeper.")
        number = next(self._numbers)
        try:
            frame = wire.pack([number, verb, arguments])
        except wire.WireError as error:
            raise TooLarge from error
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        connection.pending[number] = waiting
        connection.send(frame)
        timer = asyncio.get_running_loop().call_later(self._timeout_s, _time_out, waiting)
        try:
            return await waiting
        finally:
            timer.cancel()
            connection.pending.pop(number, None)

    # Sessions and people

    async def sign_in(self, name: str, password: Pii[str], totp: Pii[str] | None = None) -> SignedIn:
        """Prove who is there; the entry says who, which factors, which outcome."""
        code = totp.reveal() if totp else None
        return _signed_in(await self.call("sign_in", name=name, password=password.reveal(), totp=code))

    async def sign_in_by_passkey(self, passkey: Mapping[str, Any]) -> SignedIn:
        """Prove who is there by a passkey alone, as a browser's ``toJSON`` prints its answer to a ``challenge``."""
        return _signed_in(await self.call("sign_in", passkey=dict(passkey)))

    async def prove(
        self,
        token: str,
        password: Pii[str] | None = None,
        totp: Pii[str] | None = None,
        *,
        passkey: Mapping[str, Any] | None = None,
    ) -> None:
        """Prove once more who is there, for ten minutes on this session."""
        given = {"password": password.reveal()} if password else {}
        code, signed = totp.reveal() if totp else None, dict(passkey) if passkey else None
        await self.call("prove", token=token, totp=code, passkey=signed, **given)

    async def challenge(self, token: str | None = None) -> bytes:
        """Begin a ceremony: 32 bytes for a passkey to sign once, within five minutes; to sign in without a session."""
        arguments = {"token": token} if token else {"purpose": "sign_in"}
        return await self.call("challenge", **arguments)  # type: ignore[no-any-return]

    async def passkeys(self, token: str) -> list[dict[str, Any]]:
        """List one's own passkeys, oldest first; ``credential`` is what a browser knows one by."""
        rows = await self.call("passkeys", token=token)
        return [{"id": id_, "credential": known_by, "made_at": rfc3339(made_at)} for id_, known_by, made_at in rows]

    async def passkey_add(
        self,
        token: str,
        passkey: Mapping[str, Any],
        id: str | None = None,  # noqa: A002 - the contract's name
    ) -> dict[str, Any]:
        """Keep a new passkey, as a browser's ``toJSON`` prints it; asks for a fresh proof."""
        return await self.call("passkey_add", token=token, passkey=dict(passkey), id=id)  # type: ignore[no-any-return]

    async def passkey_remove(self, token: str, passkey: str) -> None:
        """Forget one of one's own passkeys; asks for a fresh proof."""
        await self.call("passkey_remove", token=token, id=passkey)

    async def sign_out(self, token: str, *, everywhere: bool = False) -> None:
        """End this session, or every session of this person."""
        await self.call("sign_out", token=token, everywhere=everywhere)

    async def sessions(self, token: str) -> list[dict[str, Any]]:
        """List one's own sessions, newest first."""
        rows, now = await self.call("sessions", token=token), Clock().wall_ms()
        return [
            {
                "id": id_, "made_at": rfc3339(made_at), "seen_at": rfc3339(now - unused_ms), "factors": factors,
                "is_current": is_current,
            }
            for id_, made_at, unused_ms, factors, is_current in rows
        ]  # fmt: skip

    async def me(self, token: str) -> dict[str, Any]:
        """Say who this is, with which roles and factors, and what is left of the budgets."""
        return await self.call("me", token=token)  # type: ignore[no-any-return]

    async def change_password(self, token: str, old: Pii[str], new: Pii[str]) -> None:
        """Replace one's own password; every other session of this person ends."""
        await self.call("change_password", token=token, old=old.reveal(), new=new.reveal())

    async def enrol_totp(self, token: str) -> dict[str, Any]:
        """Begin to enrol a time-based one-time code; nothing counts before ``confirm_totp``."""
        body = await self.call("enrol_totp", token=token)
        uri = TOTP(key=body["secret"]).to_uri(body["name"], "Kept")
        return {"secret": Pii(body["secret"]), "uri": Pii(uri)}

    async def confirm_totp(self, token: str, code: Pii[str]) -> None:
        """Finish the enrolment with a first code."""
        await self.call("confirm_totp", token=token, code=code.reveal())

    async def colleagues(self, token: str) -> list[dict[str, Any]]:
        """List who works here: id and name."""
        return await self.call("colleagues", token=token)  # type: ignore[no-any-return]

    async def people(self, token: str) -> list[dict[str, Any]]:
        """List accounts with roles and states (admin, auditor)."""
        return await self.call("people", token=token)  # type: ignore[no-any-return]

    async def invite(
        self,
        token: str,
        name: str,
        roles: Sequence[str],
        id: str | None = None,  # noqa: A002 - the contract's name
    ) -> dict[str, Any]:
        """Ask for a new account; whoever can open or approve waits for an auditor's decision."""
        return _coded(await self.call("invite", token=token, name=name, roles=list(roles), id=id))

    async def accept(self, code: Pii[str], password: Pii[str]) -> dict[str, Any]:
        """Spend an invitation and set the password."""
        return await self.call("accept", code=code.reveal(), password=password.reveal())  # type: ignore[no-any-return]

    async def change_person(
        self, token: str, person: str, *, roles: Sequence[str] | None = None, state: str | None = None
    ) -> dict[str, Any]:
        """Change roles, reset or end an account (admin)."""
        given = None if roles is None else list(roles)
        return _coded(await self.call("change_person", token=token, person=person, roles=given, state=state))

    async def recover(self, token: str, person: str) -> dict[str, Any]:
        """Ask for a reset of an admin or auditor, which an auditor or privacy officer decides (admin, auditor)."""
        return _coded(await self.call("recover", token=token, person=person))

    async def decisions(self, token: str) -> list[dict[str, Any]]:
        """List what waits for a second person, and what was decided lately."""
        rows = await self.call("decisions", token=token)
        shown = ("id", "what", "about", "asked_by", "verdict", "decided_by")
        return [
            {key: row[key] for key in shown} | {"body": json.loads(row["body"]), "asked_at": rfc3339(row["asked_at"])}
            for row in rows
        ]

    async def decide(self, token: str, decision: str, verdict: str) -> dict[str, Any]:
        """Approve or refuse as the second person."""
        return _coded(await self.call("decide", token=token, decision=decision, verdict=verdict))

    # Subjects

    async def put(self, token: str, purpose: str, items: Sequence[dict[str, Any]], *, bulk: bool = False) -> Put:
        """Store sections; the first of a subject makes its key. All items or none; at most 200."""
        body = await self.call("put", token=token, purpose=purpose, items=list(items), bulk=bulk)
        return Put(body["index"], body["versions"], body.get("held"))

    async def open(
        self,
        token: str,
        purpose: str,
        *,
        subjects: Sequence[str],
        fields: Sequence[str],
        records: Mapping[str, Mapping[str, bytes]] | None = None,
        reason: str = "other",
        ref: str | None = None,
    ) -> Opened:
        """Open fields of sections, and sealed records by subject and id; the entry is durable before this returns."""
        body = await self.call(
            "open", token=token, purpose=purpose, subjects=list(subjects), fields=list(fields),
            records=records or {}, reason=reason, ref=ref,
        )  # fmt: skip
        return Opened(
            body["index"],
            {
                who: {name: Pii(msgpack.unpackb(value)) for name, value in has.items()}
                for who, has in body["people"].items()
            },
            body["versions"],
            {record: Pii(msgpack.unpackb(value)) for record, value in body["records"].items()},
        )

    async def seal(self, token: str, purpose: str, items: Sequence[dict[str, Any]]) -> Sealed:
        """Turn records into ciphertext that only an ``open`` of the same subject and record undoes."""
        body = await self.call("seal", token=token, purpose=purpose, items=list(items))
        return Sealed(body["index"], body["blobs"])

    async def search(self, token: str, q: Pii[str], kind: str = "contact") -> Labels:
        """Find people by the beginnings of words of their name and company."""
        return _labels(await self.call("search", token=token, purpose="serve", q=q.reveal(), kind=kind))

    async def labels(self, token: str, subjects: Iterable[str]) -> Labels:
        """Label known people; those that are gone are left out."""
        return _labels(await self.call("labels", token=token, purpose="serve", subjects=list(subjects)))

    async def recent(self, token: str) -> Labels:
        """Label the people this person opened in the last 14 days, newest first, at most 20."""
        return _labels(await self.call("recent", token=token))

    async def match(self, token: str, kind: str, value: Pii[str]) -> dict[str, Any] | None:
        """Find who holds a whole e-mail address or phone number: at most one label."""
        body = await self.call("match", token=token, purpose="serve", kind=kind, value=value.reveal())
        return _label(body) if body else None

    async def subject_of(self, token: str, kind: str, value: Pii[str]) -> str | None:
        """Tell an auditor the id behind an address or number: no name, an entry, 20 a day."""
        body = await self.call("subject", token=token, purpose="audit", kind=kind, value=value.reveal())
        return body["id"]  # type: ignore[no-any-return]

    async def ask_lift(self, token: str) -> dict[str, Any]:
        """Ask for one's budgets to be lifted for an hour; an auditor or privacy officer decides."""
        return await self.call("ask_lift", token=token)  # type: ignore[no-any-return]

    async def merge(self, token: str, subject: str, into: str) -> int:
        """Make one subject an alias of another; both stay readable as one."""
        return await self.call("merge", token=token, purpose="serve", subject=subject, into=into)  # type: ignore[no-any-return]

    async def unmerge(self, token: str, subject: str) -> int:
        """Undo a merge within 30 days."""
        return await self.call("unmerge", token=token, purpose="serve", subject=subject)  # type: ignore[no-any-return]

    async def object(self, token: str, subject: str) -> int:
        """Record an objection to outreach; it overrides every roster."""
        return await self.call("object", token=token, purpose="serve", subject=subject)  # type: ignore[no-any-return]

    async def restrict(self, token: str, subject: str, *, lift: bool = False) -> int:
        """Keep somebody from everything but their own request, or lift that again (privacy officer)."""
        return await self.call("restrict", token=token, purpose="serve", subject=subject, lift=lift)  # type: ignore[no-any-return]

    async def erase(self, token: str, subject: str, ground: str) -> dict[str, Any]:
        """Stop every open of this subject at once and schedule the death of the key (72 hours)."""
        return await self.call("erase", token=token, purpose="serve", subject=subject, ground=ground)  # type: ignore[no-any-return]

    async def cancel_erase(self, token: str, subject: str) -> int:
        """Cancel a scheduled erasure; takes another person than the one who asked."""
        return await self.call("cancel_erase", token=token, purpose="serve", subject=subject)  # type: ignore[no-any-return]

    # The log

    async def looks(self, token: str, subject: str) -> list[dict[str, Any]]:
        """List who looked at one subject, newest first."""
        rows = await self.call("looks", token=token, subject=subject)
        shown = ("index", "at", "actor", "name", "role", "act", "reason", "purpose")
        return [{key: row.get(key) for key in shown} for row in rows]

    async def my_log(self, token: str, after: int | None = None, limit: int = 100) -> dict[str, Any]:
        """List one's own entries, newest first."""
        page = await self.call("my_log", token=token, after=after, limit=limit)
        return {"entries": list(map(_read, page["entries"])), "next": page["next"]}

    async def record(
        self,
        token: str,
        act: str,
        subjects: Sequence[str] = (),
        ref: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> int:
        """Write an entry for an act that opens nothing."""
        return await self.call(  # type: ignore[no-any-return]
            "record", token=token, act=act, subjects=list(subjects), ref=ref, detail=detail
        )

    async def made(self, after: int) -> dict[str, Any]:
        """List subjects and records written behind a log index, for the reconciler: ids and times only.

        ``now`` says of everybody who was merged or erased there what they are part of ``into``, and when their
        rows are ``due`` to go (milliseconds; 0: long ago), None where neither.
        """
        body = await self.call("made", after=after)
        made = [entry for entry in body["entries"] if entry["act"] in {"put", "seal"}]
        items = [item for entry in made for item in _made(entry)]
        return {"items": items, "now": body["now"], "next": body["next"]}

    async def orphan(self, items: Sequence[dict[str, Any]]) -> int:
        """Mark subjects or records whose row never reached PostgreSQL."""
        subjects = list(dict.fromkeys(item["subject"] for item in items))
        records = [item["record"] for item in items if item["record"]]
        return await self.call("orphan", subjects=subjects, records=records)  # type: ignore[no-any-return]

    async def checkpoint(self) -> str:
        """Return the newest signed checkpoint (C2SP tlog-checkpoint)."""
        return await self.call("checkpoint")  # type: ignore[no-any-return]

    async def tile(self, level: int, n: int, width: int) -> bytes:
        """Return one hash tile (C2SP tlog-tiles)."""
        return await self.call("tile", level=level, n=n, width=width)  # type: ignore[no-any-return]

    async def bundle(self, token: str, n: int, width: int) -> bytes:
        """Return one entry bundle (C2SP tlog-tiles); auditors only."""
        start = min(n, FARTHEST) * WIDTH
        rows = (await self.call("entries", token=token, after=start - 1, limit=width))["entries"]
        if width > WIDTH or [index for index, _ in rows] != list(range(start, start + width)):
            raise NotFound
        return bundle(body for _, body in rows)

    async def entries(
        self,
        token: str,
        *,
        after: int | None = None,
        limit: int = 100,
        **where: Any,  # noqa: ANN401 - the contract's filters
    ) -> dict[str, Any]:
        """List log entries in order that fit every filter of the contract; auditors only.

        The keeper finds by time and by whom an entry names, and a page holds what fits of the thousand it then looks
        at; ``next`` goes on behind them.
        """
        wanted = {name: where[name] for name in FILTERS if where.get(name)}
        portion, rows, looked_at = PORTION if wanted else limit, list[dict[str, Any]](), 0
        while True:
            page = await self.call("entries", token=token, where=where, after=after, limit=portion)
            found, after = list(map(_read, page["entries"])), page["next"]
            rows += [entry for entry in found if all(entry.get(name) == wanted[name] for name in wanted)]
            looked_at += len(found)
            if not wanted or after is None or len(rows) >= limit or looked_at >= LOOKED_AT:
                break
        kept = rows[:limit]
        return {"entries": kept, "next": kept[-1]["index"] if len(kept) < len(rows) else after}

    async def status(self) -> dict[str, Any]:
        """Say whether the keeper is open, and if not, why; nothing secret."""
        try:
            return await self.call("status")  # type: ignore[no-any-return]
        except KeeperSealed as sealed:  # a home that cannot be read: nothing is known of it
            unknown = {"second_factor": "required", "escrow": False}
            return {"state": "sealed", "reason": sealed.reason, "size": 0, "search": "building", **unknown}


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give a socket's path by a name of at most 107 bytes, which is all a socket's address holds (Linux)."""
    if len(os.fsencode(path)) < SOCKET_PATH_LIMIT:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _signed_in(body: dict[str, Any]) -> SignedIn:
    return SignedIn(Pii(body["token"]), body["expires_at"], body["person"], body["second_factor"])


def _coded(body: dict[str, Any]) -> dict[str, Any]:
    """Wrap a one-time code, if there is one."""
    if body.get("code"):
        body["code"] = Pii(body["code"])
    return body


def _read(row: Sequence[Any]) -> dict[str, Any]:
    """Read an entry; the salt is what keeps its hash from telling it, and is of no use to readers."""
    index, body = row
    entry = {"index": index, **json.loads(body)}
    del entry["salt"]
    return entry


def _made(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the subjects an entry made, and the records it sealed; items are ``position/name/...``."""
    index, subjects = entry["index"], entry["subjects"]
    first = [write.split("/") for write in entry.get("writes", ()) if write.endswith("/identity/1")]
    made = [{"index": index, "subject": subjects[int(position)], "record": None} for position, *_ in first]
    sealed = [record.split("/") for record in entry.get("records", ())]
    return made + [
        {"index": index, "subject": subjects[int(position)], "record": record} for position, record, _ in sealed
    ]


def _time_out(waiting: "asyncio.Future[Any]") -> None:
    if not waiting.done():
        waiting.set_exception(KeeperUnavailable("The keeper did not answer in time."))
