"""A day's first page: what is due and who was opened lately; and what becomes of a follow-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import HTMLResponse

from api.http.deps import IdPath, WriteSessionDep
from crm.errors import Invalid, Stale
from crm.interactions import planning
from crm.interactions.schemas import FollowUpPatch
from web import composing
from web.forms import FormDep, read, sure, text
from web.render import View
from web.seat import Seat, StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
After = Annotated[str | None, Query(pattern=r"^-?[0-9]{1,13}-[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The follow-ups of one day, in the order they fall due."""

    day: date
    follow_ups: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Today(View):
    """Open follow-ups by day, overdue ones first, and the people of one's last 14 days."""

    template: ClassVar[str] = "staff/today.html"
    overdue: Sequence[Mapping[str, Any]]
    days: Sequence[Due]
    recent: Sequence[Mapping[str, Any]]
    people: Mapping[str, str]
    next: str | None
    problem: str = ""


@router.get("/today")
async def today(seat: StaffSeat, after: After = None) -> Response:
    """Show the day, or what falls due behind the last one shown."""
    return await _day(seat, after=after)


@router.post("/follow-ups/{follow_up}/done")
async def done(follow_up: IdPath, seat: StaffSeat, db: WriteSessionDep) -> Response:
    """Mark a follow-up as done; its line goes."""
    await planning.finish(db, seat.keeper, seat.caller, follow_up, reads=seat.reads, clock=seat.clock)
    return Response("", 200, media_type="text/html") if seat.frame.is_fragment else seat.go("/today")


@router.post("/follow-ups/{follow_up}")
async def change(follow_up: IdPath, seat: StaffSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Let a follow-up fall due on another day, or hand it to a colleague, from the version that was shown."""
    typed: dict[str, str] = {}
    if (day := text(form, "due")) != text(form, "was_due"):
        typed["due"] = composing.due(day, seat.frame.tongue)
    if assignee := text(form, "assignee"):
        typed["assignee"] = assignee
    patch, _ = read(FollowUpPatch, typed)
    try:
        if typed:
            await planning.change(
                db, seat.keeper, seat.caller, follow_up, patch=sure(patch), etag=text(form, "version"), reads=seat.reads
            )
    except Stale:
        return await _day(seat, problem="stale", code=status.HTTP_412_PRECONDITION_FAILED)
    except Invalid:
        return await _day(seat, problem="invalid", code=status.HTTP_422_UNPROCESSABLE_CONTENT)
    return seat.go("/today")


async def _day(seat: Seat, *, after: str | None = None, problem: str = "", code: int = 200) -> Response:
    told = seat.frame.tongue
    mine = await planning.list_mine(
        seat.reads, seat.keeper, seat.caller, due=None, zone=told.zone.key, after=after, clock=seat.clock
    )
    by_day = [
        (day, list(some)) for day, some in groupby(mine["follow_ups"], lambda one: told.moment(one["due"]).date())
    ]
    overdue = [one for day, some in by_day for one in some if day < told.today()]
    view = Today(
        overdue=overdue, days=[Due(day=day, follow_ups=some) for day, some in by_day if day >= told.today()],
        recent=await seat.recent(), people=await seat.names(), next=mine["next"],
        problem=problem,
    )  # fmt: skip
    return seat.show(view, code)
