"""The log as its auditor reads it: what happened, one entry and its proof, the signed tree."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Path, Query, Response, status
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BeforeValidator

from api.routes.log import LARGEST_INDEX
from crm.audit import browsing, counting
from crm.audit.browsing import Entry, Page, Proved, Span, Wanted
from crm.audit.counting import Tally
from crm.audit.receipts import receipt
from crm.kit.clock import rfc3339
from crm.kit.ids import is_id
from web import charts
from web.colleagues import Colleagues, colleagues_of
from web.language import Tongue
from web.render import View
from web.seat import AuditSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
HOURS = 24
REFUSED = "refused"
# Words of the lists the log's filters offer; whatever else an entry says is found without one.
ACTS = (
    "open", "search", "labels", "match", "subject", "put", "seal", "merge", "unmerge", "object", "restrict", "erase",
    "cancel_erase", "erased", "record", "sign_in", "sign_out", "accept", "invite", "change_person", "decide",
    "ask_lift", "change_password", "enrol_totp", "confirm_totp", "people_add", "orphan", "backup", "rotate",
    "cards_built", "start", "stop", "restored_with_loss",
)  # fmt: skip
PURPOSES = (
    "serve", "compare", "subject_request", "intake", "import", "agenda", "canary", "audit", "house", "upkeep",
)  # fmt: skip
OUTCOMES = (
    "ok", REFUSED, "purpose-not-yours", "over-budget", "unauthenticated", "second-factor-required", "invalid",
    "too-large", "roles-conflict", "approve", "refuse",
)  # fmt: skip


# What not every entry says.
UNSAID: Mapping[str, Any] = {
    "actor": "", "role": "", "by": "", "about": "", "what": "", "subjects": [], "purpose": "", "reason": "", "count": 0,
}  # fmt: skip


def _index(text: object) -> object:
    """Take what is no number for an entry there cannot be: both are not found."""
    return text if isinstance(text, str) and _is_number(text) else LARGEST_INDEX


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < len(str(LARGEST_INDEX))


Index = Annotated[int, BeforeValidator(_index), Path()]
Typed = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What was typed, as it was typed; `errors` by field."""

    since: str = ""
    until: str = ""
    actor: str = ""
    act: str = ""
    purpose: str = ""
    subject: str = ""
    outcome: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    def link(self) -> dict[str, str]:
        """Return what a link to the same filters carries."""
        named = {"from": self.since, "to": self.until, "actor": self.actor, "act": self.act}
        named |= {"purpose": self.purpose, "subject": self.subject, "outcome": self.outcome}
        return {name: value for name, value in named.items() if value}

    def wanted(self) -> Wanted:
        """Return them as the log takes them: a refusal is an act of its own, of what was refused."""
        where = {"actor": self.actor, "purpose": self.purpose, "subject": self.subject}
        if self.outcome == REFUSED or self.outcome not in {"", "ok", "approve", "refuse"}:
            outcome = "" if self.outcome == REFUSED else self.outcome
            where |= {"act": REFUSED, "outcome": outcome}
            return Wanted({name: value for name, value in where.items() if value}, self.act or None)
        where |= {"act": self.act, "outcome": self.outcome}
        return Wanted({name: value for name, value in where.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(View):
    """Entries that fit, newest first; and what the last 24 hours came to."""

    template: ClassVar[str] = "audit/log.html"
    filters: Filters
    page: Page
    colleagues: Colleagues
    size: int
    day: Tally
    bars: Sequence[charts.Bar]
    is_first: bool
    acts: Sequence[str] = ACTS
    purposes: Sequence[str] = PURPOSES
    outcomes: Sequence[str] = OUTCOMES


@dataclass(frozen=True, slots=True, kw_only=True)
class One(View):
    """One entry, everything it says, and what proves that it is in the log."""

    template: ClassVar[str] = "audit/entry.html"
    proved: Proved
    colleagues: Colleagues

    @property
    def row(self) -> Entry:
        """The entry, whole."""
        return {**UNSAID, **self.proved.entry}

    @property
    def hashes(self) -> list[str]:
        """The proof, as the receipt prints it."""
        return [b64encode(one).decode() for one in self.proved.hashes]

    @property
    def root(self) -> str:
        """The root it leads to."""
        return b64encode(self.proved.checkpoint.root).decode()

    @property
    def body(self) -> str:
        """The bytes that are hashed: canonical JSON."""
        return self.proved.body.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree(View):
    """The newest checkpoint, as it is published to everybody."""

    template: ClassVar[str] = "audit/tree.html"
    checkpoint: str
    origin: str
    size: int
    root: str
    at: str
    key: str


@router.get("/log")
async def log(  # noqa: PLR0917 - one parameter for each filter
    seat: AuditSeat,
    actor: Typed = "",
    act: Typed = "",
    purpose: Typed = "",
    subject: Typed = "",
    outcome: Typed = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    before: Annotated[int | None, Query(ge=0, le=LARGEST_INDEX)] = None,
) -> Response:
    """Show what happened, newest first; what a filter cannot be is said beside it, and nothing is looked for."""
    told, subject = seat.frame.tongue, subject.strip().lower()
    typed = Filters(
        since=since, until=until, actor=actor, act=act, purpose=purpose, subject=subject, outcome=outcome,
        errors=_wrong(since, until, actor, act, purpose, subject, outcome, told),
    )  # fmt: skip
    if _is_number(typed.subject):
        return seat.go(f"/log/entries/{int(typed.subject)}")
    page = Page([], None)
    if not typed.errors:
        span = await browsing.span_of(seat.keeper, seat.token, since=moment(since, told), until=moment(until, told))
        span = Span(span.start, min(span.end, before if before is not None else span.end))
        page = whole(await browsing.newest(seat.keeper, seat.token, span, typed.wanted()))
    day, bars = await _day(seat)
    view = Log(
        filters=typed, page=page, colleagues=await colleagues_of(seat), size=await browsing.size_of(seat.keeper),
        day=day, bars=bars, is_first=before is None,
    )  # fmt: skip
    return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT if typed.errors else status.HTTP_200_OK)


@router.get("/log/tree")
async def tree(seat: AuditSeat) -> Response:
    """Show the signed tree; the page's own script recomputes it."""
    checkpoint = await seat.keeper.checkpoint()
    origin, size, root, _ = checkpoint.split("\n", 3)
    last = await seat.keeper.entries(seat.token, after=int(size) - 2, limit=1)
    view = Tree(
        checkpoint=checkpoint, origin=origin, size=int(size), root=root, at=last["entries"][0]["at"],
        key=seat.state.settings.log_key or "",
    )  # fmt: skip
    return seat.show(view)


@router.get("/log/entries/{index}")
async def entry(index: Index, seat: AuditSeat) -> Response:
    """Show one entry with its proof."""
    proved = await browsing.prove(seat.keeper, seat.token, index)
    return seat.show(One(proved=proved, colleagues=await colleagues_of(seat)))


@router.get("/log/entries/{index}/proof", response_class=PlainTextResponse)
async def send_proof(index: Index, seat: AuditSeat) -> Response:
    """Send one entry's receipt as a file (C2SP tlog-proof)."""
    await seat.keeper.entries(seat.token, limit=1)  # who may read entries may have their proofs
    proof = await receipt(seat.keeper, index)
    named = {"content-disposition": f'attachment; filename="entry-{index}.tlog-proof"'}
    return PlainTextResponse(proof, headers=named)


def whole(page: Page) -> Page:
    """Let every entry of a page say everything that a line shows."""
    return Page([{**UNSAID, **one} for one in page.entries], page.next)


def moment(typed: str, told: Tongue) -> str | None:
    """Take a day or a time of the reader's zone as the log writes times; None when nothing was typed.

    Raises:
        ValueError: it is neither.
    """
    if not typed:
        return None
    at = datetime.fromisoformat(typed)
    aware = at if at.tzinfo else at.replace(tzinfo=told.zone)
    return rfc3339(int(aware.astimezone(UTC).timestamp() * 1000))


def is_moment(typed: str, told: Tongue) -> bool:
    """Say whether it is a time the log could hold."""
    try:
        moment(typed, told)
    except (ValueError, OverflowError):
        return False
    return True


def _wrong(  # noqa: PLR0917 - as the filters
    since: str, until: str, actor: str, act: str, purpose: str, subject: str, outcome: str, told: Tongue
) -> dict[str, str]:
    checks = {
        "from": is_moment(since, told), "to": is_moment(until, told), "actor": not actor or is_id(actor),
        "act": not act or act in ACTS, "purpose": not purpose or purpose in PURPOSES,
        "subject": not subject or is_id(subject), "outcome": not outcome or outcome in OUTCOMES,
    }  # fmt: skip
    return {name: "unknown" for name, is_right in checks.items() if not is_right}


async def _day(seat: Seat) -> tuple[Tally, list[charts.Bar]]:
    """Count the last 24 hours, to the hour."""
    told = seat.frame.tongue
    hour = told.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    since = rfc3339(int(hours[0].timestamp() * 1000))
    span = await browsing.span_of(seat.keeper, seat.token, since=since)
    tally = await counting.count(seat.keeper, seat.token, span, Wanted(), told.zone)
    return tally, [(told.clock(one), tally.hours[_local(one, told)]) for one in hours]


def _local(hour: datetime, told: Tongue) -> datetime:
    return hour.astimezone(told.zone).replace(minute=0, second=0, microsecond=0)
