"""One writer: requests wait in lanes, are decided in groups, and are answered when their group is durable.

While one group is being written by a thread, the next one's requests queue: a group is whatever queued
meanwhile. There is no timer, so a lone request is committed at once, and a busy keeper pays one pair of
fsyncs for many. Requests are *decided* one after the other when their group is built, against a state that
holds every group before, so no answer rests on anything that is not durable. Decryption happens after.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MethodType
from typing import Any, NoReturn, cast

from crm.keeper import policy
from crm.keeper.budgets import Budgets
from crm.kit.clock import Clock
from crm.kit.log import Log
from crm.kit.sealing import KeyFault
from crm.kit.store import Fatal, Group, Op, Store

LANES = ("interactive", "import", "campaign")
LANE_LIMIT, GROUP_LIMIT, WAIT_LIMIT_S, TICK_S = 4096, 256, 25.0, 1.0
CLOCK_SLACK_MS = 120_000
FREE_BYTES = 256 * 1024 * 1024
REFUSAL_WINDOW_MS = 60_000
KEEPER = "keeper"  # as a caller: no socket has this name
PURPOSES = frozenset(purpose for _, purpose in policy.RULES if purpose)
VERBS = frozenset(verb for verb, _ in policy.RULES)
UNLOGGED = frozenset({"keeper-sealed", "keeper-unavailable", "stale", "duplicate", "not-found", "proof-required"})

logger = logging.getLogger("kept.keeper")


class Refused(Exception):
    """A call is refused: a stable code, and a reason that holds no personal value."""

    def __init__(self, code: str, reason: str = "", **detail: Any) -> None:  # noqa: ANN401 - counts and pointers
        super().__init__(code)
        self.code = code
        self.body = {**detail, **({"reason": reason} if reason else {})}


class Invalid(Refused):
    """An argument is not what it must be; ``pointer`` says which."""

    def __init__(self, reason: str, pointer: str) -> None:
        super().__init__("invalid", reason, pointer=pointer)


@dataclass(slots=True)
class Call:
    """One request: where it came from, what it asks, and (once known) who asks."""

    principal: str
    verb: str
    args: dict[str, Any]
    reply: Callable[[str, Any], None]
    queued_at: float = 0.0
    staff: str = ""
    roles: frozenset[str] = frozenset()
    session: bytes = b""
    rule: policy.Rule = policy.NOTHING
    about: str = ""  # whose account a failed attempt was at
    proof: Any = None  # what was worked out before queueing (a password's hash or verdict)

    @property
    def purpose(self) -> str:
        """The purpose as the policy names it."""
        purpose = self.args.get("purpose", "")
        return "import" if purpose == "intake" and self.args.get("bulk") else str(purpose)

    @property
    def lane(self) -> str:
        """Where it waits: people first, then imports, then campaigns."""
        return "import" if self.args.get("bulk") else "campaign" if self.principal == "sender" else "interactive"

    def said(self) -> dict[str, Any]:
        """Return what each of its entries says: who asked, through which socket, for which purpose."""
        if self.principal == KEEPER:
            return {"by": KEEPER, "purpose": "upkeep", "outcome": "ok"}
        said: dict[str, Any] = {"act": self.verb, "by": self.principal, "outcome": "ok"}
        if self.staff:
            role = "+".join(sorted(self.roles & self.rule.roles))
            said |= {"actor": self.staff, "role": role, "session": self.session.hex()[:16]}
        if (purpose := self.purpose) in PURPOSES:
            said["purpose"] = purpose
        return said


@dataclass(slots=True)
class Effect:
    """What a call does: entries, changes, the answer, and what follows in memory alone.

    A function as ``answer`` is called with the index of the first entry, once everything is durable.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    answer: Any = int  # the index itself
    then: Callable[[], None] | None = None


Answer = tuple[Call, str, Any, int]
OWN = Call(KEEPER, "", {}, lambda *_: None)


class Engine:
    """The writer. Its parts answer the verbs of the policy by methods of the same name."""

    budgets: Budgets
    authenticate: Callable[[Call], None]

    def __init__(self, store: Store, log: Log, clock: Clock) -> None:
        self.store = store
        self.log = log
        self.clock = clock
        self._verbs: dict[str, Callable[[Call], Effect]] = {}
        self._before: dict[str, Callable[[Call], Awaitable[Any]]] = {}
        self._follow: list[Callable[[Op], None]] = []
        self._due: list[Callable[[], list[Effect]]] = [self._flush_refusals]
        self._lanes: dict[str, deque[Call]] = {lane: deque() for lane in LANES}
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "commit")
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusals: dict[tuple[str, str, str], list[int]] = {}
        self._stopping = False
        self._gap = clock.wall_ms() - clock.steady_ms()
        self._look()

    def add(self, part: object) -> None:
        """Take in a part: its verbs, their slow halves (``before_``), its memory, and what falls due by itself."""
        for verb in VERBS:
            if isinstance(handler := getattr(part, verb, None), MethodType):
                self._verbs[verb] = handler
            if slow := getattr(part, f"before_{verb}", None):
                self._before[verb] = slow
        self._follow += [follow] if (follow := getattr(part, "follow", None)) else []
        self._due += [due] if (due := getattr(part, "due", None)) else []

    # Taking requests

    def submit(self, call: Call) -> None:
        """Take a call; it is answered through ``call.reply``. A slow half runs off the loop before it queues."""
        if call.verb in self._before and call.proof is None:
            task = asyncio.get_running_loop().create_task(self._prepare(call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        queue = self._lanes[call.lane]
        if len(queue) >= LANE_LIMIT or self._stopping:
            call.reply("keeper-unavailable", {"reason": "The keeper is busy; try again shortly."})
            return
        call.queued_at = time.monotonic()  # behind the slow half, which is not undone by having taken long
        queue.append(call)
        self._wake.set()

    async def _prepare(self, call: Call) -> None:
        try:
            self.permit(call)
            call.proof = await self._before[call.verb](call)
        except Refused as refused:
            call.proof = refused
        except Exception as error:  # noqa: BLE001 - malformed arguments; nothing was changed
            call.proof = _malformed(call, error)
        self.submit(call)

    def permit(self, call: Call) -> None:
        """Decide by policy alone who may call this, and fill in who asks."""
        rule = policy.RULES.get((call.verb, call.purpose))
        if rule is None or call.principal not in rule.principals:
            raise Refused("purpose-not-yours")
        call.rule = rule
        if rule.roles:
            self.authenticate(call)

    async def write(self, make: Callable[[], Effect]) -> Any:  # noqa: ANN401 - the effect's answer
        """Write an effect of the keeper's own, made within its group; returns its answer when durable."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def reply(code: str, body: Any) -> None:  # noqa: ANN401 - as above
            if code == "ok":
                done.set_result(body)
            else:
                done.set_exception(Refused(code, **body))

        self._submit_own(make, reply)
        return await done

    def _submit_own(self, make: Callable[[], Effect], reply: Callable[[str, Any], None]) -> None:
        self._lanes["interactive"].appendleft(Call(KEEPER, "", {}, reply, proof=make))
        self._wake.set()

    def stop(self) -> None:
        """Finish what is queued, then let ``run`` return."""
        self._stopping = True
        self._wake.set()

    # Writing

    async def run(self) -> None:
        """Write groups until stopped; raises when a write failed: the process must end, answering nothing more."""
        loop, ticked = asyncio.get_running_loop(), 0.0
        answers: list[Answer] = []
        while True:
            now = time.monotonic()
            if due := now - ticked >= TICK_S:
                ticked = now
            group, decided = self._build(self._take(), due=due)
            written = loop.run_in_executor(self._thread, self.store.write, group) if group else None
            # The answers of the group before leave while this one is being written.
            _answer(answers)
            if written is not None:
                await written
            answers = decided
            if not any(self._lanes.values()):
                _answer(answers)
                answers = []
                if self._stopping:
                    return await self._last_words()
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), max(0.0, ticked + TICK_S - time.monotonic()))

    async def _last_words(self) -> None:
        self._submit_own(lambda: Effect([{"act": "stop"}]), OWN.reply)
        group = cast("Group", self._build(self._take(), due=True)[0])
        await asyncio.get_running_loop().run_in_executor(self._thread, self.store.write, group)

    def _take(self) -> list[Call]:
        interactive = self._lanes["interactive"]
        taken = [interactive.popleft() for _ in range(min(len(interactive), GROUP_LIMIT))]
        # At most one batch of each slow lane: it is what a person waiting in the next group waits for.
        return taken + [self._lanes[lane].popleft() for lane in LANES[1:] if self._lanes[lane]]

    def _build(self, calls: list[Call], *, due: bool) -> tuple[Group | None, list[Answer]]:
        if not calls and not due:
            return None, []
        self._look()
        self.store.begin()
        group, answers = Group(self.store.head.seq + 1, self.log.size, [], [], ""), list[Answer]()
        for call in calls:
            try:
                effect, bodies = self._decide(call)
                answers.append((call, "ok", effect.answer, self.log.size))
            except Refused as refused:
                effect, bodies = self._note(call, refused.code)
                answers.append((call, refused.code, refused.body, 0))
            self._apply(effect, bodies, group)
        if due and not self._unsafe:
            for effect in [effect for ask in self._due for effect in ask()]:
                self._apply(effect, self._encode(effect, OWN), group)
        if group.entries or group.ops:
            return group._replace(checkpoint=self.log.sign()), answers
        self.store.db.execute("ROLLBACK")
        if due:
            self.store.tidy()
        return None, answers

    def _decide(self, call: Call) -> tuple[Effect, list[bytes]]:
        try:
            if call.principal == KEEPER:
                effect = call.proof()
            else:
                self._must_go_on(call)
                effect = self._verbs[call.verb](call)
            return effect, self._encode(effect, call)
        except Refused:
            raise
        except Exception as error:
            if not self.store.db.in_transaction:
                # SQLite gave the group up by itself (a read failed): nothing decided so far stands.
                raise
            # A verb changes nothing before it returns, so whatever malformed arguments led to ends here.
            raise _malformed(call, error) from error

    def _must_go_on(self, call: Call) -> None:
        if time.monotonic() - call.queued_at > WAIT_LIMIT_S:
            raise Refused("keeper-unavailable", "The keeper was too busy to answer in time.")
        if isinstance(call.proof, Refused):
            raise call.proof
        self.permit(call)
        if self._unsafe and call.verb not in policy.WHEN_UNSAFE:
            raise Refused("keeper-sealed", self._unsafe)
        if self._full and call.verb not in policy.WHEN_FULL:
            raise Refused("keeper-sealed", self._full)

    def _encode(self, effect: Effect, call: Call) -> list[bytes]:
        if not effect.entries:
            return []
        said = call.said()
        effect.entries = [said | entry for entry in effect.entries]
        return [self.log.encode(entry, self._wall, self._steady) for entry in effect.entries]

    def _apply(self, effect: Effect, bodies: list[bytes], group: Group) -> None:
        for op in effect.ops:
            self.store.run(op)
            group.ops.append(op)
            for follow in self._follow:
                follow(op)
        if effect.then:
            effect.then()
        for entry, body in zip(effect.entries, bodies, strict=True):
            self.log.append(body, entry)
            group.entries.append(body)
            self.budgets.fold(entry, self._steady)

    # Budgets and refusals

    def spend(self, call: Call, subjects: list[str]) -> None:
        """Check the row's number of subjects and its budget; the entry then counts."""
        if len(subjects) > call.rule.most:
            raise Refused("too-large", f"at most {call.rule.most} at once")
        budget = call.rule.budget
        if budget and (over := self.budgets.over(budget, call.staff, subjects, self._steady)):
            budget, wait_s = over
            raise Refused("over-budget", f"The {budget} budget is used up.", budget=budget, retry_after_s=wait_s)

    def _note(self, call: Call, code: str) -> tuple[Effect, list[bytes]]:
        """Log the first refusal of a kind in a minute at once, and count the rest: nobody can flood the log."""
        verb = call.verb if call.verb in VERBS or call.verb == "connect" else "unknown"
        key = (call.staff or call.about or call.principal, verb, code)
        if code in UNLOGGED:
            return Effect(), []
        if key in self._refusals:
            self._refusals[key][1] += 1
            return Effect(), []
        self._refusals[key] = [self._steady, 0]
        about = {"about": call.about} if call.about else {}
        effect = Effect([{"act": "refused", "what": verb, "outcome": code, **about}])
        return effect, self._encode(effect, call)

    def _flush_refusals(self) -> list[Effect]:
        over = self._steady - (0 if self._stopping else REFUSAL_WINDOW_MS)
        done = {key: self._refusals.pop(key)[1] for key, (since, _) in list(self._refusals.items()) if since <= over}
        return [
            Effect([{"act": "refused", "what": verb, "outcome": code, "count": count, "actor": actor}])
            for (actor, verb, code), count in done.items()
            if count
        ]

    # Failing closed

    @property
    def closed(self) -> str:
        """Why nothing is opened now, or nothing."""
        return self._unsafe or self._full

    def _look(self) -> None:
        """Read the clocks, once a group, and say why nothing may be opened: a clock that was set, a full disk."""
        wall, self._steady = self.clock.wall_ms(), self.clock.steady_ms()
        drift = wall - self._steady - self._gap
        # A clock that jumped ahead must not date entries: setting it right would then look like setting it back.
        self._wall = wall - max(0, drift - CLOCK_SLACK_MS)
        self._unsafe = self._full = ""
        if wall < self.log.last_ms - CLOCK_SLACK_MS or drift < -CLOCK_SLACK_MS:
            self._unsafe = "The clock was set back; set it right and try again."
        elif drift > CLOCK_SLACK_MS:
            self._unsafe = "The clock was set forward; set it right or restart the keeper."
        room = os.statvfs(self.store.folder), os.statvfs(self.store.file)
        if min(there.f_bavail * there.f_frsize for there in room) < FREE_BYTES:
            self._full = "The disk is nearly full; only erasing and signing out go on."


def _answer(answers: list[Answer]) -> None:
    for call, code, body, index in answers:
        try:
            call.reply(code, body(index) if callable(body) else body)
        except KeyFault:
            # The entry stands: asked for, and not given. What was handed in is not what was sealed.
            call.reply("invalid", {"reason": "A sealed record does not belong to this person and place."})
        except Exception as error:  # noqa: BLE001 - one answer that cannot be given must not end the others
            call.reply("invalid", _malformed(call, error).body)


def _malformed(call: Call, error: Exception) -> Refused:
    logger.warning("a malformed call was refused: %s", type(error).__name__)
    verb = call.verb if call.verb in VERBS else "this verb"
    return Refused("invalid", f"The arguments of {verb} are not well formed.")


def fatal(error: BaseException) -> NoReturn:
    """End the process at once, with the status that says: start me anew, I will read what is on disk."""
    logger.critical("keeper stops: %s", error if isinstance(error, Fatal) else type(error).__name__)
    logging.shutdown()
    os._exit(74)
