"""Who works here: accounts, passwords, second factors, sessions, and decisions that take two people.

An account is made by an admin and, unless its roles only count, approved by an auditor; the invited person
sets the password. Session tokens and one-time codes are 256 random bits and are stored hashed; a one-time
password's secret is wrapped under the epoch like a subject's key. A passkey alone is both factors: it is never
taken without its holder having been verified (WebAuthn level 3).
"""

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from passlib.exc import TokenError
from passlib.hash import argon2
from passlib.totp import TOTP
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException

from crm.keeper import policy
from crm.keeper.engine import Call, Effect, Engine, Invalid, Refused
from crm.keeper.keys import Keyring
from crm.kit import clock, ids
from crm.kit.store import Op
from crm.kit.window import Window

ACTIVE, INVITED, PENDING, LEFT = "active", "invited", "pending", "left"
NAME_LIMIT = 60
PASSWORD_LEAST, PASSWORD_MOST = 12, 1024
TOTP_BYTES = 20
MISSES, MISSES_WITHIN_MS = 10, 10 * 60_000
SESSIONS = 50  # of one person at a time: the oldest makes room
CEREMONIES = 20_000  # begun with a passkey and not ended, of everybody: the oldest makes room
WRONG = "Name, password or code do not fit."


class Staff(NamedTuple):
    """One account, as stored: roles joined by commas; ``code`` is the hash of an open invitation."""

    id: str
    name: str
    roles: str
    state: str
    password: str | None = None
    totp: bytes | None = None
    code: bytes | None = None
    code_until: int | None = None

    @property
    def held(self) -> frozenset[str]:
        """The roles, as a set."""
        return frozenset(self.roles.split(","))

    def shown(self) -> dict[str, Any]:
        """Return what others may see."""
        return {"id": self.id, "name": self.name, "roles": self.roles.split(",")}


@dataclass(slots=True)
class Session:
    """One signed-in session; when it was last ``seen`` and ``proved`` (steady ms) is kept in memory only."""

    staff: str
    made_at: int
    factors: str
    seen: int
    proved: int


class Decision(NamedTuple):
    """Something that waits for a second person, as stored; ``body`` is JSON."""

    id: str
    what: str
    about: str
    body: str
    asked_by: str
    asked_at: int
    verdict: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None


class People:
    """The people part of the keeper."""

    def __init__(self, engine: Engine, keys: Keyring, settings: dict[str, Any]) -> None:
        self._engine = engine
        self._clock = engine.clock
        self._keys = keys
        self._is_strict = settings["second_factor"] == "required"
        self._site = {"expected_rp_id": settings["rp_id"], "expected_origin": settings["origins"]}
        self._hashing = ThreadPoolExecutor(2, "password")
        self._nobody = argon2.hash(secrets.token_hex(16))
        self._misses: defaultdict[str, Window] = defaultdict(Window)
        self._enrolling: dict[str, bytes] = {}
        self._begun = Window()
        self.staff: dict[str, Staff] = {}
        self._by_name: dict[str, str] = {}
        self._open: dict[bytes, Session] = {}
        self._asked: dict[str, Decision] = {}
        for table in ("staff", "session", "decision"):
            for row in engine.store.all(f"SELECT * FROM {table}"):  # noqa: S608 - our own names
                self.follow((table, *row))
        for session in self._open.values():
            session.proved = -policy.PROOF_MS
        engine.authenticate = self.authenticate

    def follow(self, op: Op) -> None:
        """Keep memory equal to the store."""
        match op:
            case ("staff", *row):
                staff = self.staff[row[0]] = Staff(*row)
                # Whoever left gives the name back: it may be somebody else's by now.
                if staff.state != LEFT:
                    self._by_name[staff.name.casefold()] = staff.id
            case ("session", hash_, staff, made_at, factors):
                now = self._clock.steady_ms()
                self._open[hash_] = Session(staff, made_at, factors, seen=now, proved=now)
            case ("session-", hash_):
                self._open.pop(hash_, None)
            case ("decision", *row):
                self._asked[row[0]] = Decision(*row)
            case _:
                pass

    def _named(self, name: str) -> Staff | None:
        return self.staff.get(self._by_name.get(name.casefold(), ""))

    # Who is asking

    def authenticate(self, call: Call) -> None:
        """Fill in who a token belongs to; refuse what is over, has a factor to enrol first, or is not theirs to do."""
        token = call.args.get("token")
        hash_ = self._keys.token_hash(token) if isinstance(token, str) else b""
        session = self._open.get(hash_)
        if session is None:
            raise Refused("unauthenticated")
        steady, staff = self._clock.steady_ms(), self.staff[session.staff]
        is_over = self._clock.wall_ms() - session.made_at > policy.SESSION_MS
        if is_over or steady - session.seen > policy.IDLE_MS or staff.state != ACTIVE:
            raise Refused("unauthenticated")
        call.staff, call.roles, call.session = staff.id, staff.held, hash_
        if self._is_strict and session.factors == "password" and call.verb not in policy.ENROLMENT:
            raise Refused("second-factor-required", "Enrol a second factor first.")
        session.seen = steady
        if not call.roles & call.rule.roles:
            raise Refused("purpose-not-yours")
        # A password alone is proof as long as there is no factor to ask for.
        is_part = call.rule.proof and session.factors == "password" and self._factors(staff) != ["password"]
        if is_part or (call.rule.proof and steady - session.proved >= policy.PROOF_MS):
            raise Refused("proof-required", "Prove again that it is you.")

    def _of(self, staff: str) -> list[tuple[bytes, Session]]:
        """Return somebody's sessions, newest first."""
        mine = [(hash_, session) for hash_, session in self._open.items() if session.staff == staff]
        return sorted(mine, key=lambda pair: -pair[1].made_at)

    def _held(self, staff: str) -> list[tuple[str, bytes, int]]:
        held = "SELECT id, credential, made_at FROM passkey WHERE staff=? ORDER BY made_at, id"
        return self._engine.store.all(held, staff)

    def _factors(self, staff: Staff) -> list[str]:
        return ["password", *(["totp"] if staff.totp else []), *(["passkey"] if self._held(staff.id) else [])]

    def _end(self, staff: str, *, keep: bytes = b"") -> list[Op]:
        return [("session-", hash_) for hash_, _ in self._of(staff) if hash_ != keep]

    def _forget(self, staff: str) -> list[Op]:
        return [*self._end(staff), *(("passkey-", id_) for id_, *_ in self._held(staff))]

    def due(self) -> list[Effect]:
        """Return what drops sessions past their end."""
        before = self._clock.wall_ms() - policy.SESSION_MS
        over: list[Op] = [("session-", hash_) for hash_, session in self._open.items() if session.made_at < before]
        return [Effect(ops=over)] if over else []

    # Passwords, off the loop

    async def _off(self, function: Callable[..., Any], *args: object) -> Any:  # noqa: ANN401 - as the function
        return await asyncio.get_running_loop().run_in_executor(self._hashing, function, *args)

    async def before_sign_in(self, call: Call) -> str:
        """Return the hash the password fits, of the account of this name; takes as long for unknown names."""
        if call.args.get("passkey"):
            return ""
        staff = self.staff[call.staff] if call.staff else self._named(str(call.args["name"]))
        password = str(call.args["password"])
        if staff:
            call.about = staff.id
            self._slow_down(staff.id)
        known = staff.password if staff and staff.state == ACTIVE and staff.password else self._nobody
        fits = len(password) <= PASSWORD_MOST and await self._off(argon2.verify, password, known)
        return known if fits else ""

    before_prove = before_sign_in

    def _slow_down(self, staff: str) -> None:
        """Count an attempt before it is tried (many at once count too); a success forgets them."""
        now, misses = self._clock.steady_ms(), self._misses[staff]
        misses.forget(now - MISSES_WITHIN_MS)
        if misses.used >= MISSES:
            wait = max(1, (misses.oldest() + MISSES_WITHIN_MS - now) // 1000)
            raise Refused("over-budget", "Too many failed attempts; wait a little.", retry_after_s=wait)
        misses.tally(1, now)

    async def before_change_password(self, call: Call) -> tuple[str | None, str]:
        """Return the hash the old password fits, and the new one's."""
        new, old, known = _strong(call.args["new"]), str(call.args["old"]), self.staff[call.staff].password
        self._slow_down(call.staff)
        if len(old) > PASSWORD_MOST or not await self._off(argon2.verify, old, known):
            raise Invalid("The old password does not fit.", "/old")
        return known, str(await self._off(argon2.hash, new))

    async def before_accept(self, call: Call) -> str:
        """Return the new password's hash, for whoever holds an invitation."""
        self._invited(call)
        return str(await self._off(argon2.hash, _strong(call.args["password"])))

    # Signing in and out

    def sign_in(self, call: Call) -> Effect:
        """Begin a session."""
        staff, factors, ops = self._proven(call)
        token, now = secrets.token_urlsafe(32), self._clock.wall_ms()
        call.staff, call.session = staff.id, self._keys.token_hash(token)
        self._misses.pop(staff.id, None)
        none = "enrol" if self._is_strict else "none"
        body = {
            "token": token, "expires_at": clock.rfc3339(now + policy.SESSION_MS), "person": staff.shown(),
            "second_factor": none if factors == "password" else factors.rpartition("+")[2],
        }  # fmt: skip
        ops += [("session-", hash_) for hash_, _ in self._of(staff.id)[SESSIONS - 1 :]]
        ops.append(("session", call.session, staff.id, now, factors))
        return Effect([{"factors": factors}], ops, body)

    def prove(self, call: Call) -> Effect:
        """Prove once more, on this session, who is there."""
        staff, factors, ops = self._proven(call)
        self._misses.pop(staff.id, None)
        proved = ("session", call.session, staff.id, self._open[call.session].made_at, factors)
        return Effect([{"factors": factors}], [*ops, proved], None)

    def _proven(self, call: Call) -> tuple[Staff, str, list[Op]]:
        """Return who is there, by which factors, and what is used up by that.

        A wrong code counts like a wrong password, and one changed meanwhile is wrong.
        """
        if call.args.get("passkey"):
            return self._by_passkey(call)
        staff = self.staff.get(call.about)
        if staff is None or staff.state != ACTIVE or staff.password != call.proof:
            raise Refused("unauthenticated", WRONG)
        if self._factors(staff) == ["password"]:
            return staff, "password", []
        if staff.totp is None or not call.args.get("totp"):
            raise Refused("second-factor-required", "This account asks for a code, or a passkey alone.")
        secret = self._keys.unwrap(staff.totp, b"totp", staff.id.encode())
        return staff, "password+totp", [self._check_code(staff.id, secret, call.args["totp"])]

    def _check_code(self, staff: str, secret: bytes, code: str) -> Op:
        """Accept a code of now or of a step beside, each once (RFC 6238 section 5.2), across restarts."""
        last, now = self._engine.store.meta(f"totp:{staff}"), self._clock.wall_ms() // 1000
        try:
            return ("meta", f"totp:{staff}", _totp(secret).match(str(code), now, last_counter=last).counter)
        except TokenError as error:
            raise Refused("unauthenticated", WRONG) from error

    def sign_out(self, call: Call) -> Effect:
        """End this session or all of this person's."""
        ops: list[Op] = self._end(call.staff) if call.args.get("everywhere") else [("session-", call.session)]
        return Effect([{"count": len(ops)}], ops, None)

    def sessions(self, call: Call) -> Effect:
        """List one's sessions, newest first: id, beginning, milliseconds since it was used, factors, is it this one."""
        now, mine = self._clock.steady_ms(), self._of(call.staff)
        rows = [(one.hex()[:16], it.made_at, now - it.seen, it.factors, one == call.session) for one, it in mine]
        return Effect(answer=rows)

    def me(self, call: Call) -> Effect:
        """Say who this is and what is left."""
        staff = self.staff[call.staff]
        budget = self._engine.budgets.left(staff.id, self._clock.steady_ms())
        return Effect(answer=staff.shown() | {"factors": self._factors(staff), "budget": budget})

    def change_password(self, call: Call) -> Effect:
        """Replace the password; other sessions end."""
        staff, (known, new) = self.staff[call.staff], call.proof
        if staff.password != known:
            raise Refused("stale", "The password was changed meanwhile.")
        changed = staff._replace(password=new)
        return Effect([{}], [("staff", *changed), *self._end(staff.id, keep=call.session)], None)

    def enrol_totp(self, call: Call) -> Effect:
        """Make a secret that counts once it is confirmed."""
        staff = self.staff[call.staff]
        if staff.totp is not None:
            raise Refused("stale", "A second factor is enrolled already; it is reset by two people.")
        secret = self._enrolling[staff.id] = secrets.token_bytes(TOTP_BYTES)
        return Effect([{}], answer={"secret": _totp(secret).base32_key, "name": staff.name})

    def confirm_totp(self, call: Call) -> Effect:
        """Keep the secret once a code shows that the other side has it; this session becomes whole."""
        staff, secret = self.staff[call.staff], self._enrolling.get(call.staff)
        if secret is None:
            raise Refused("stale", "Begin with enrolling.")
        used = self._check_code(staff.id, secret, call.args["code"])
        del self._enrolling[call.staff]
        kept = staff._replace(totp=self._keys.wrap(secret, b"totp", staff.id.encode()))
        return Effect([{}], [used, ("staff", *kept), self._whole(call, "totp")], None)

    def _whole(self, call: Call, factor: str) -> Op:
        """Return the change that gives a session of a password alone its second factor."""
        session = self._open[call.session]
        factors = f"password+{factor}" if session.factors == "password" else session.factors
        return ("session", call.session, call.staff, session.made_at, factors)

    # Passkeys

    def challenge(self, call: Call) -> Effect:
        """Begin a ceremony: what a passkey has to sign, once, for this session (or none), within five minutes."""
        if self._begun.used == CEREMONIES:
            self._begun.forget(self._begun.oldest())
        challenge = secrets.token_bytes(32)
        self._begun.keys[f"{call.session.hex()} {challenge.hex()}"] = self._clock.steady_ms()
        return Effect(answer=challenge)

    def _answered(self, call: Call) -> dict[str, Any]:
        """End a ceremony, whatever comes of it; returns what the answer is to be held against."""
        given, begun = call.args["passkey"], self._begun
        challenge = parse_client_data_json(base64url_to_bytes(given["response"]["clientDataJSON"])).challenge
        begun.forget(self._clock.steady_ms() - policy.CEREMONY_MS)
        if begun.keys.pop(f"{call.session.hex()} {challenge.hex()}", None) is None:
            raise Refused("unauthenticated", "This was not asked for here, or too long ago.")
        return {"credential": given, "expected_challenge": challenge, "require_user_verification": True, **self._site}

    def _by_passkey(self, call: Call) -> tuple[Staff, str, list[Op]]:
        """As ``_proven``; a counter that went back tells a copied key (those of synced ones stay 0)."""
        held_against = self._answered(call)
        known = "SELECT id, staff, public, counter FROM passkey WHERE credential=?"
        row = self._engine.store.one(known, base64url_to_bytes(held_against["credential"]["id"]))
        if row is None or call.staff not in ("", row[1]):
            raise Refused("unauthenticated", WRONG)
        id_, call.about, public, counter = row
        held_against |= {"credential_public_key": public, "credential_current_sign_count": counter}
        try:
            signed = verify_authentication_response(**held_against)
        except WebAuthnException as error:
            raise Refused("unauthenticated", WRONG) from error
        return self.staff[call.about], "passkey", [("counter", id_, signed.new_sign_count)]

    def passkeys(self, call: Call) -> Effect:
        """List one's own passkeys, oldest first: id, the credential's id, when it was made."""
        return Effect(answer=self._held(call.staff))

    def passkey_add(self, call: Call) -> Effect:
        """Keep a passkey made for this session's person just now; the session becomes whole."""
        id_, held = call.args.get("id") or ids.new_id(), [id_ for id_, *_ in self._held(call.staff)]
        if id_ in held:
            return Effect(answer={"id": id_})
        if len(held) == policy.PASSKEYS:
            raise Refused("too-large", f"At most {policy.PASSKEYS} passkeys.")
        made = verify_registration_response(**self._answered(call))
        known = "SELECT 1 FROM passkey WHERE credential=? OR id=?"
        if not ids.is_id(id_) or self._engine.store.one(known, made.credential_id, id_):
            raise Refused("stale", "This passkey is enrolled already, or its id is none.")
        key = (made.credential_id, made.credential_public_key, made.sign_count, self._clock.wall_ms())
        entry = {"passkey": id_, "aaguid": made.aaguid, "synced": made.credential_backed_up}
        return Effect([entry], [("passkey", id_, call.staff, *key), self._whole(call, "passkey")], {"id": id_})

    def passkey_remove(self, call: Call) -> Effect:
        """Forget one of one's own; where a second factor is required, never the last."""
        id_, held = call.args["id"], [id_ for id_, *_ in self._held(call.staff)]
        if id_ not in held:
            raise Refused("not-found")
        if self._is_strict and len(held) == 1 and self.staff[call.staff].totp is None:
            raise Refused("stale", "The last second factor stays until there is another.")
        return Effect([{"passkey": id_}], [("passkey-", id_)], None)

    # Accounts

    def colleagues(self, _: Call) -> Effect:
        """List who works here."""
        return Effect(answer=[{"id": one.id, "name": one.name} for one in self.staff.values() if one.state == ACTIVE])

    def people(self, _: Call) -> Effect:
        """List accounts with roles and states."""
        everybody = self.staff.values()
        rows = [one.shown() | {"state": one.state, "second_factor": len(self._factors(one)) > 1} for one in everybody]
        return Effect(answer=rows)

    def _new(self, call: Call, *, but: Collection[Staff] = ()) -> Staff:
        """Return an account as asked for; its name is nobody's but theirs who are ended for it."""
        name, roles, id_ = " ".join(call.args["name"].split()), _roles(call.args["roles"]), call.args.get("id")
        if id_ and (not ids.is_id(id_) or id_ in self.staff):
            raise Invalid("An id is 32 hex digits, and nobody's yet.", "/id")
        if not 0 < len(name) <= NAME_LIMIT:
            raise Invalid(f"A name has 1 to {NAME_LIMIT} characters.", "/name")
        known = self._named(name)
        if known and known.state != LEFT and known not in but:
            raise Refused("stale", "An account of this name exists.", pointer="/name")
        return Staff(id_ or ids.new_id(), name, roles, PENDING)

    def _code(self, before: bytes | None) -> tuple[str, bytes]:
        """Return a one-time code, and what is stored of it together with the half that came before."""
        code = secrets.token_urlsafe(32)
        return code, self._keys.token_hash((before or b"").hex() + code)

    def _inviting(self, staff: Staff) -> tuple[str, Op]:
        """Return the code, or its second half, and the change that lets the whole, and nothing else, into it."""
        until, (code, hash_) = self._clock.wall_ms() + policy.INVITATION_MS, self._code(staff.code)
        invited = staff._replace(state=INVITED, password=None, totp=None, code=hash_, code_until=until)
        return code, ("staff", *invited)

    def invite(self, call: Call) -> Effect:
        """Make an account that waits for an auditor, or (roles that only count) for its invitation."""
        id_ = call.args.get("id")
        if id_ in self.staff:
            waiting = next((one.id for one in self._asked.values() if one.about == id_ and not one.verdict), None)
            return Effect(answer={"id": id_, "decision": waiting, "code": None})
        staff = self._new(call)
        if staff.roles not in policy.SOLE:
            asked = self._ask_halved(call, "person", staff, roles=staff.roles)
            asked.answer |= {"id": staff.id}
            return asked
        code, op = self._inviting(staff)
        answer = {"id": staff.id, "decision": None, "code": code}
        return Effect([{"about": staff.id, "roles": staff.roles}], [op], answer)

    def people_add(self, call: Call) -> Effect:
        """Make the first admin and the first auditor of a new home; again, when nobody took up the invitation."""
        roles = _roles(call.args["roles"])
        if roles not in {"admin", "auditor"}:
            raise Invalid("Only the first admin and the first auditor are made this way.", "/roles")
        holders = [one for one in self.staff.values() if roles in one.held and one.state != LEFT]
        waits = any((one.code_until or 0) > self._clock.wall_ms() for one in holders)
        if waits or self._engine.store.meta(f"first:{roles}"):
            raise Refused("purpose-not-yours", "There is one already, or was: two people make the next.")
        staff = self._new(call, but=holders)
        code, op = self._inviting(staff)
        ended: list[Op] = [("staff", *one._replace(state=LEFT, code=None)) for one in holders]
        return Effect([{"about": staff.id, "roles": roles}], [*ended, op], {"id": staff.id, "code": code})

    def _invited(self, call: Call) -> Staff:
        hash_ = b""
        for half in str(call.args["code"]).split("."):
            hash_ = self._keys.token_hash(hash_.hex() + half)
        staff = next((one for one in self.staff.values() if one.code == hash_), None)
        if staff is None or staff.state != INVITED or (staff.code_until or 0) < self._clock.wall_ms():
            raise Refused("unauthenticated", "This invitation is spent, over, or never was.")
        return staff

    def accept(self, call: Call) -> Effect:
        """Spend an invitation; whoever holds all of it sets the password, once."""
        staff = self._invited(call)
        active = staff._replace(state=ACTIVE, password=call.proof, code=None, code_until=None)
        call.staff = staff.id
        ops: list[Op] = [("staff", *active), ("meta", f"first:{staff.roles}", 1)]
        return Effect([{}], ops, {"id": staff.id, "name": staff.name})

    def change_person(self, call: Call) -> Effect:
        """End an account at once, or ask an auditor for other roles or a reset."""
        staff, state, roles = self.staff.get(str(call.args["person"])), call.args.get("state"), call.args.get("roles")
        if staff is None:
            raise Refused("not-found")
        if state == LEFT:
            self._must_remain(staff)
            ended = staff._replace(state=LEFT, password=None, totp=None, code=None)
            entry = {"about": staff.id, "state": LEFT}
            return Effect([entry], [("staff", *ended), *self._forget(staff.id)], {"decision": None})
        if roles is not None:
            return self._ask(call, "roles", staff.id, roles=_roles(roles))
        if state != "reset":
            raise Invalid("Give roles, or state left or reset.", "/state")
        return self._ask_halved(call, "reset", staff)

    def recover(self, call: Call) -> Effect:
        """Ask for a reset of an admin or auditor: who else could, is perhaps the one who lost a factor."""
        staff = self.staff.get(str(call.args["person"]))
        if staff is None or staff.state != ACTIVE or not staff.held & policy.LASTING:
            raise Refused("not-found")
        return self._ask_halved(call, "recover", staff)

    def _must_remain(self, staff: Staff, roles: frozenset[str] = frozenset()) -> None:
        """Refuse to take its last admin or auditor from an installation: nobody could make the next."""
        for role in (staff.held - roles) & policy.LASTING:
            if not any(role in one.held and one.state == ACTIVE for one in self.staff.values() if one != staff):
                raise Refused("roles-conflict", "The last admin and the last auditor stay until there is another.")

    # Two people

    def _ask(self, call: Call, what: str, about: str, *ops: Op, **asked: str) -> Effect:
        """Let something wait for a second person; the same question is open once."""
        made = Decision(ids.new_id(), what, about, json.dumps(asked), call.staff, self._clock.wall_ms())
        for one in self._asked.values():
            if one.verdict is None and one[1:5] == made[1:5]:
                return Effect(answer={"decision": one.id})
        entry = {"about": about, "what": what, "decision": made.id, **asked}
        return Effect([entry], [*ops, ("decision", *made)], {"decision": made.id})

    def _ask_halved(self, call: Call, what: str, staff: Staff, **asked: str) -> Effect:
        """Ask for what lets somebody into an account: each of the two people then holds one half of the code."""
        code, hash_ = self._code(None)
        effect = self._ask(call, what, staff.id, ("staff", *staff._replace(code=hash_)), **asked)
        effect.answer |= {"code": code if effect.ops else None}
        return effect

    def ask_lift(self, call: Call) -> Effect:
        """Ask for one's budgets to be lifted for an hour."""
        return self._ask(call, "lift", call.staff)

    def decisions(self, call: Call) -> Effect:
        """List what waits for the caller, and what the caller asked or decided; at most 200, newest last."""
        mine = [
            one
            for one in sorted(self._asked.values(), key=lambda one: one.asked_at)
            if call.staff in (one.asked_by, one.decided_by)
            or (one.verdict is None and call.roles & policy.DECIDERS[one.what])
        ]
        return Effect(answer=[one._asdict() for one in mine[-200:]])

    def decide(self, call: Call) -> Effect:
        """Approve or refuse as the second person: never the asker, nor whom it is about."""
        asked, verdict = self._asked.get(str(call.args["decision"])), call.args["verdict"]
        if asked is None or not call.roles & policy.DECIDERS[asked.what]:
            raise Refused("not-found")
        if asked.verdict is not None:
            raise Refused("stale", "This was decided already.")
        if call.staff in (asked.asked_by, asked.about):
            raise Refused("purpose-not-yours", "It takes a second person.")
        if verdict not in {"approve", "refuse"}:
            raise Invalid("The verdict is approve or refuse.", "/verdict")
        code, ops = self._approve(asked) if verdict == "approve" else self._refuse(asked)
        made = asked._replace(verdict=verdict, decided_by=call.staff, decided_at=self._clock.wall_ms())
        entry = {"what": made.what, "about": made.about, "decision": made.id, "outcome": verdict}
        entry |= json.loads(made.body)
        return Effect([entry], [("decision", *made), *ops], {"outcome": verdict, "code": code})

    def _approve(self, asked: Decision) -> tuple[str | None, list[Op]]:
        staff, asker = self.staff[asked.about], self.staff[asked.asked_by]
        if staff.state == LEFT:
            raise Refused("stale", "This account was ended meanwhile.")
        if asker.state != ACTIVE or not asker.held & policy.ASKERS[asked.what]:
            raise Refused("stale", "Whoever asked for this may not any more.")
        if asked.what == "lift":
            return None, []  # the entry is what lifts
        if asked.what == "roles":
            changed = staff._replace(roles=json.loads(asked.body)["roles"])
            self._must_remain(staff, changed.held)
            return None, [("staff", *changed), *self._end(staff.id)]
        code, op = self._inviting(staff)
        return code, [op, *self._forget(staff.id)]

    def _refuse(self, asked: Decision) -> tuple[None, list[Op]]:
        refused = self.staff[asked.about]._replace(state=LEFT)
        return None, [("staff", *refused)] if asked.what == "person" else []


def _totp(secret: bytes) -> TOTP:
    return TOTP(key=secret, format="raw")


def _strong(password: object) -> str:
    if not isinstance(password, str) or not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise Invalid(f"A password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters.", "/password")
    return password


def _roles(given: list[str]) -> str:
    roles = frozenset(given)
    if not roles or not roles <= policy.ROLES:
        raise Invalid("Name one of the roles.", "/roles")
    if policy.conflict(roles):
        raise Refused("roles-conflict")
    return ",".join(sorted(roles))
