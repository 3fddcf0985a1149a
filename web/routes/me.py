"""Oneself: what one may do, what is left of it, what one did, and how one signs in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from babel import Locale
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import ValidationError

from api.http.ceremonies import Passkey, to_enrol, to_prove
from api.http.deps import IdPath
from api.http.problem import status_of
from crm.errors import Invalid, OverBudget, Stale, TooLarge, Unauthenticated
from crm.kit.pii import Pii
from web import charts
from web.forms import FormDep, text
from web.frame import REASONS, THEMES, ZONES
from web.language import LANGUAGES, Tongue
from web.render import View
from web.seat import AnySeat, Seat, StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
LOG_PAGE = 100
CHART_DAYS = 30
NEWEST = 8
MINUTE_S = 60
# Where people are; the list has other names for the same places, and offsets that know no summer.
REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
Done = Annotated[Literal["password", "factor", "lift", "look", "passkey"] | None, Query()]
After = Annotated[int | None, Query(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Me(View):
    """One's own account; `problem` is what was wrong with a change of the password, by a word of the template."""

    template: ClassVar[str] = "me/me.html"
    limits: Mapping[str, int]
    is_optional: bool
    lift_asked_at: str | None
    sessions: Sequence[Mapping[str, Any]]
    passkeys: Sequence[Mapping[str, Any]]
    entries: Sequence[Mapping[str, Any]]
    chart: str
    languages: Sequence[tuple[str, str]]
    zones: Sequence[str]
    themes: Sequence[str] = THEMES
    reasons: Sequence[str] = REASONS
    done: str = ""
    problem: str = ""
    wait_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MyLog(View):
    """One's own entries, newest first, and how many there were on each day of this page."""

    template: ClassVar[str] = "me/log.html"
    entries: Sequence[Mapping[str, Any]]
    next: int | None
    chart: str
    days: Mapping[date, int]
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor(View):
    """Enrolling a second factor; the secret is shown once, and not again with what was wrong."""

    template: ClassVar[str] = "me/factor.html"
    step: str
    is_required: bool
    secret: str = ""
    qr: str = ""
    problem: str = ""


@router.get("/me")
async def me(seat: AnySeat, done: Done = None) -> Response:
    """Show one's own account."""
    return seat.show(await _me(seat, done=done or ""))


async def _me(seat: Seat, *, done: str = "", problem: str = "", wait_minutes: int = 0) -> Me:
    keeper, told = seat.keeper, seat.frame.tongue
    status = await keeper.status()
    log = await keeper.my_log(seat.token, None, LOG_PAGE)
    asked = await keeper.decisions(seat.token) if seat.frame.can("staff") else []
    lifts = [one["asked_at"] for one in asked if (one["what"], one["about"]) == ("lift", seat.caller.id)]
    waiting = [one["asked_at"] for one in asked if one["asked_at"] in lifts and one["verdict"] is None]
    days = _by_day(log["entries"], told, told.today())
    zone = told.zone.key
    return Me(
        limits=status["limits"], is_optional=status["second_factor"] == "optional",
        lift_asked_at=waiting[-1] if waiting else None, sessions=await keeper.sessions(seat.token),
        passkeys=await keeper.passkeys(seat.token),
        entries=log["entries"][:NEWEST], chart=charts.columns(_bars(days, told), _summary(told), height=40),
        languages=[(one, Locale.parse(one).get_display_name() or one) for one in LANGUAGES],
        zones=_zones() if zone in _zones() else [zone, *_zones()], done=done, problem=problem,
        wait_minutes=wait_minutes,
    )  # fmt: skip


@router.get("/me/log")
async def my_log(seat: AnySeat, after: After = None) -> Response:
    """List what one did, newest first."""
    log, told = await seat.keeper.my_log(seat.token, after, LOG_PAGE), seat.frame.tongue
    entries = log["entries"]
    last = told.moment(entries[0]["at"]).date() if entries else told.today()
    days = _by_day(entries, told, told.today() if after is None else last)
    return seat.show(
        MyLog(
            entries=[{**entry, "day": told.moment(entry["at"]).date()} for entry in entries], next=log["next"],
            chart=charts.columns(_bars(days, told), _summary(told), height=64),
            days={day: count for day, count in days.items() if count}, is_first=after is None,
        )
    )  # fmt: skip


@router.post("/me/password")
async def change_password(seat: AnySeat, form: FormDep) -> Response:
    """Change one's password; every other session of one's own ends."""
    old, new = str(form.get("old", "")), str(form.get("new", ""))
    if new != form.get("again"):
        return seat.show(await _me(seat, problem="again"), status_of("invalid"))
    try:
        await seat.keeper.change_password(seat.token, Pii(old), Pii(new))
    except (Invalid, Stale) as error:
        problem = "old" if error.detail.get("pointer") == "/old" or isinstance(error, Stale) else "new"
        return seat.show(await _me(seat, problem=problem), status_of(error.code))
    except OverBudget as error:
        wait_s = error.detail["retry_after_s"]
        view = await _me(seat, problem="wait", wait_minutes=-(-wait_s // MINUTE_S))
        return seat.show(view, status_of(error.code), {"retry-after": str(wait_s)})
    return seat.go("/me?done=password")


@router.post("/me/lift")
async def ask_lift(seat: StaffSeat) -> Response:
    """Ask for one's budgets to be lifted for an hour; asking twice asks once."""
    await seat.keeper.ask_lift(seat.token)
    return seat.go("/me?done=lift")


@router.get("/me/factor")
async def factor_page(seat: AnySeat) -> Response:
    """Say what a second factor is; nothing is made by looking."""
    step = "has" if seat.frame.has_factor("totp") else "begin"
    return seat.show(Factor(step=step, is_required=await _is_required(seat)))


@router.post("/me/factor")
async def begin_factor(seat: AnySeat) -> Response:
    """Make a secret and show it, this once."""
    enrolment = await seat.keeper.enrol_totp(seat.token)
    secret, uri = enrolment["secret"].reveal(), enrolment["uri"].reveal()
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    qr = charts.qr(uri, seat.frame.tongue.catalogue.gettext("QR code with the secret"))
    return seat.show(Factor(step="confirm", is_required=await _is_required(seat), secret=groups, qr=qr))


@router.post("/me/factor/confirm")
async def confirm_factor(seat: AnySeat, form: FormDep) -> Response:
    """Keep the secret once a code shows that the other side has it."""
    try:
        await seat.keeper.confirm_totp(seat.token, Pii(text(form, "code")))
    except (Unauthenticated, Stale) as error:
        problem = "code" if isinstance(error, Unauthenticated) else "stale"
        view = Factor(
            step="confirm" if problem == "code" else "begin", is_required=await _is_required(seat), problem=problem
        )
        return seat.show(view, 422)
    return seat.go("/me?done=factor")


@router.post("/me/passkeys/options", response_class=JSONResponse)
async def begin_ceremony(seat: AnySeat, form: FormDep) -> Response:
    """Begin to enrol a passkey, or to prove with one who is there."""
    begin = to_enrol if text(form, "ceremony") == "enrol" else to_prove
    return JSONResponse(await begin(seat.keeper, seat.token))


@router.post("/me/passkeys")
async def add_passkey(seat: AnySeat, form: FormDep) -> Response:
    """Keep a passkey that the browser just made."""
    try:
        await seat.keeper.passkey_add(seat.token, Passkey.model_validate_json(text(form, "passkey")).answer())
    except (ValidationError, Unauthenticated, Invalid, Stale, TooLarge):
        view = Factor(step="begin", is_required=await _is_required(seat), problem="passkey")
        return seat.show(view, status_of("invalid"))
    return seat.go("/me?done=factor")


@router.post("/me/passkeys/{passkey}/remove")
async def remove_passkey(passkey: IdPath, seat: AnySeat) -> Response:
    """Forget a passkey; where a second factor is required, never the last."""
    try:
        await seat.keeper.passkey_remove(seat.token, passkey)
    except Stale as error:
        return seat.show(await _me(seat, problem="last"), status_of(error.code))
    return seat.go("/me?done=passkey")


async def _is_required(seat: Seat) -> bool:
    return bool((await seat.keeper.status())["second_factor"] == "required")


def _by_day(entries: Sequence[Mapping[str, Any]], told: Tongue, last: date) -> dict[date, int]:
    """Count entries on each of the days up to the last."""
    days = dict.fromkeys((last - timedelta(days=back) for back in reversed(range(CHART_DAYS))), 0)
    for entry in entries:
        if (day := told.moment(entry["at"]).date()) in days:
            days[day] += 1
    return days


def _bars(days: Mapping[date, int], told: Tongue) -> list[tuple[str, int]]:
    return [(told.day(day), count) for day, count in days.items()]


def _summary(told: Tongue) -> str:
    return told.catalogue.gettext("Entries on each of 30 days")


@cache
def _zones() -> list[str]:
    return [*sorted(zone for zone in ZONES if zone.partition("/")[0] in REGIONS), "UTC"]
