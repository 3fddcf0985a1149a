"""What an auditor answers with: who looked at somebody, what a colleague opened, what was refused, how a week was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import HTMLResponse

from api.http.deps import ContactPath
from api.routes.log import LARGEST_INDEX, SubjectBody
from crm.audit import browsing, counting
from crm.audit.browsing import Page, Span, Wanted
from crm.audit.counting import SHOWING, Tally
from crm.audit.review import list_alerts
from crm.kit.ids import is_id
from crm.kit.pii import Pii
from web import charts
from web.colleagues import Colleagues, colleagues_of
from web.forms import FormDep, read, text
from web.language import Tongue
from web.render import View
from web.routes.log import is_moment, moment, whole
from web.seat import AuditSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
DAYS = 30
MOST_DAYS = 92  # columns that a chart holds
ROWS = 200
LONGEST_LOOKS = 500  # what the keeper lists of one person
Typed = Annotated[str, Query(max_length=40)]
Before = Annotated[int | None, Query(ge=0, le=LARGEST_INDEX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports(View):
    """The reports there are, and what each has to be told; `is_nobody`: what was asked for is nobody's here."""

    template: ClassVar[str] = "audit/reports.html"
    colleagues: Colleagues
    given: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    is_nobody: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks(View):
    """Everybody who was shown one person, newest first; the person is an id here, and stays one."""

    template: ClassVar[str] = "audit/looks.html"
    id: str
    looks: Sequence[Mapping[str, Any]]
    lookers: int
    bars: Sequence[charts.Bar]
    size: int
    origin: str
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(View):
    """What one colleague was shown in a while, newest first."""

    template: ClassVar[str] = "audit/opened.html"
    colleagues: Colleagues
    person: str
    since: str
    until: str
    page: Page
    tally: Tally
    is_whole: bool
    bars: Sequence[charts.Bar]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals(View):
    """What was refused in a while."""

    template: ClassVar[str] = "audit/refusals.html"
    colleagues: Colleagues
    since: str
    until: str
    page: Page
    tally: Tally
    is_whole: bool
    bars: Sequence[charts.Bar]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week(View):
    """A week in numbers, without a name of anybody."""

    template: ClassVar[str] = "audit/week.html"
    first: date
    tally: Tally
    is_whole: bool
    limits: Mapping[str, int]
    alerts: Sequence[tuple[str, str, int]]
    open_alerts: int
    bars: Sequence[charts.Bar]
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> date:
        """Its Sunday."""
        return self.first + timedelta(days=6)

    @staticmethod
    def code(day: date) -> str:
        """Name the week of a day as ISO 8601 does."""
        return f"{day:%G}-W{day:%V}"


@router.get("/reports")
async def reports(seat: AuditSeat) -> Response:
    """List the reports."""
    return seat.show(Reports(colleagues=await colleagues_of(seat)))


@router.post("/reports/subject")
async def subject(seat: AuditSeat, form: FormDep) -> Response:
    """Find the id behind a whole address or number: an entry, twenty a day, and no name."""
    kind = "phone" if text(form, "phone") else "email"
    given, errors = read(SubjectBody, {kind: text(form, kind)})
    found = None
    if given is not None:
        value = given.email or given.phone or ""
        found = await seat.keeper.subject_of(seat.token, kind, Pii(value))
    if found is not None:
        return seat.go(f"/reports/people/{found}")
    view = Reports(
        colleagues=await colleagues_of(seat), given={kind: text(form, kind)}, errors=errors, is_nobody=not errors
    )
    return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT if errors else status.HTTP_200_OK)


@router.get("/reports/people/{contact}")
async def looks(contact: ContactPath, seat: AuditSeat) -> Response:
    """Report who looked at one person."""
    rows = await seat.keeper.looks(seat.token, contact)
    told = seat.frame.tongue
    origin, size, _ = (await seat.keeper.checkpoint()).split("\n", 2)
    days = _days(told.today() - timedelta(days=DAYS - 1), told.today())
    counts = dict.fromkeys(days, 0)
    for row in rows:
        if (day := told.moment(row["at"]).date()) in counts:
            counts[day] += 1
    bars = [(told.day(day), count) for day, count in counts.items()]
    view = Looks(
        id=contact, looks=rows, lookers=len({row["actor"] for row in rows}), bars=bars, size=int(size), origin=origin,
        is_cut=len(rows) >= LONGEST_LOOKS,
    )  # fmt: skip
    return seat.show(view)


@router.get("/reports/colleagues")
async def opened(
    seat: AuditSeat,
    person: Typed = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    before: Before = None,
) -> Response:
    """Report everything one colleague was shown, by default of the last 30 days."""
    while_ = _While(seat.frame.tongue, since, until)
    colleagues = await colleagues_of(seat)
    errors = while_.errors | ({} if is_id(person) and person in colleagues else {"person": "unknown"})
    wanted = Wanted({"actor": person})
    span, tally = await _counted(seat, while_, wanted, is_asked=not errors)
    page = await _listed(seat, span, before, wanted)
    shown = Page([one for one in page.entries if one["act"] in SHOWING], page.next)
    view = Opened(
        colleagues=colleagues, person=person, since=while_.since, until=while_.until, page=shown, tally=tally,
        is_whole=tally.start <= span.start, errors=errors, bars=_bars(tally.days, while_),
    )  # fmt: skip
    return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT if errors else status.HTTP_200_OK)


@router.get("/reports/refusals")
async def refusals(
    seat: AuditSeat,
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    before: Before = None,
) -> Response:
    """Report what was refused, by default of the last 30 days."""
    while_ = _While(seat.frame.tongue, since, until)
    wanted = Wanted({"act": "refused"})
    span, tally = await _counted(seat, while_, wanted, is_asked=not while_.errors)
    view = Refusals(
        colleagues=await colleagues_of(seat), since=while_.since, until=while_.until,
        page=await _listed(seat, span, before, wanted), tally=tally, is_whole=tally.start <= span.start,
        errors=while_.errors, bars=_bars(tally.refused_days, while_),
    )  # fmt: skip
    return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT if while_.errors else status.HTTP_200_OK)


@router.get("/reports/week")
async def week(seat: AuditSeat, week: Typed = "") -> Response:
    """Tell a week in numbers: the one named, as in 2026-W48, or the last whole one."""
    told = seat.frame.tongue
    first = _monday(week, told)
    errors = {"week": "unknown"} if first is None else {}
    first = first or _monday("", told) or told.today()
    while_ = _While(told, first.isoformat(), (first + timedelta(days=6)).isoformat())
    span, tally = await _counted(seat, while_, Wanted(), is_asked=True)
    alerts, open_ = await _alerts(seat, span)
    view = Week(
        first=first, tally=tally, is_whole=tally.start <= span.start, alerts=alerts, open_alerts=open_, errors=errors,
        limits=counting.limits_of(await seat.keeper.status()), bars=_bars(tally.days, while_),
    )  # fmt: skip
    return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT if errors else status.HTTP_200_OK)


class _While:
    """Two days of the reader's, both of them in it; the last 30 days where none is given."""

    def __init__(self, told: Tongue, since: str, until: str) -> None:
        self.told = told
        self.since = since or (told.today() - timedelta(days=DAYS - 1)).isoformat()
        self.until = until or told.today().isoformat()
        self.errors = {
            name: "unknown"
            for name, typed in (("from", self.since), ("to", self.until))
            if not is_moment(typed, told)
        }  # fmt: skip

    @property
    def first(self) -> date:
        return self.told.moment(moment(self.since, self.told) or "").date()

    @property
    def last(self) -> date:
        return self.told.moment(moment(self.until, self.told) or "").date()

    async def span(self, seat: Seat) -> Span:
        behind = (self.last + timedelta(days=1)).isoformat()
        since, until = moment(self.first.isoformat(), self.told), moment(behind, self.told)
        return await browsing.span_of(seat.keeper, seat.token, since=since, until=until)

    @property
    def days(self) -> list[date]:
        """Its days; the last ones, where there are more than a chart holds."""
        if self.errors:
            return []
        return _days(max(self.first, self.last - timedelta(days=MOST_DAYS - 1)), self.last)


async def _counted(seat: Seat, while_: _While, wanted: Wanted, *, is_asked: bool) -> tuple[Span, Tally]:
    if not is_asked:
        return Span(0, 0), Tally(seat.frame.tongue.zone, 0)
    span = await while_.span(seat)
    return span, await counting.count(seat.keeper, seat.token, span, wanted, seat.frame.tongue.zone)


async def _listed(seat: Seat, span: Span, before: int | None, wanted: Wanted) -> Page:
    end = min(span.end, before if before is not None else span.end)
    return whole(await browsing.newest(seat.keeper, seat.token, Span(span.start, end), wanted, ROWS))


def _bars(counts: Mapping[date, int], while_: _While) -> list[charts.Bar]:
    return [(while_.told.day(day), counts.get(day, 0)) for day in while_.days]


async def _alerts(seat: Seat, span: Span) -> tuple[list[tuple[str, str, int]], int]:
    """Count the newest alerts of a stretch by kind, with their severity; and those that wait for somebody."""
    found = await list_alerts(seat.database, seat.keeper, seat.token, watch=seat.state.watch, state=None, after=None)
    kinds: dict[tuple[str, str], int] = {}
    open_ = 0
    for alert in found["alerts"]:
        if span.start <= alert["first_index"] < span.end:
            kind = (alert["kind"], alert["severity"])
            kinds[kind] = kinds.get(kind, 0) + 1
            open_ += alert["acknowledged"] is None
    return [(*kind, count) for kind, count in sorted(kinds.items())], open_


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def _monday(week: str, told: Tongue) -> date | None:
    """Return the Monday of a week as ISO 8601 names it, of the last whole one where none is named."""
    if not week:
        return told.today() - timedelta(days=told.today().weekday() + 7)
    try:
        return datetime.strptime(f"{week}-1", "%G-W%V-%u").replace(tzinfo=told.zone).date()
    except ValueError:
        return None
