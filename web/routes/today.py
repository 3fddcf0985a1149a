"""A day's first page: what is due, and who was opened lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from api.http.deps import IdPath, WriteSessionDep
from crm.contacts.schemas import label_out
from crm.interactions import planning
from web.render import View
from web.seat import StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Today(View):
    """Open follow-ups, overdue ones first, and the people of one's last 14 days."""

    template: ClassVar[str] = "staff/today.html"
    overdue: Sequence[Mapping[str, Any]]
    due: Sequence[Mapping[str, Any]]
    later: Sequence[Mapping[str, Any]]
    recent: Sequence[Mapping[str, Any]]


@router.get("/today")
async def today(seat: StaffSeat) -> Response:
    """Show the day."""
    mine = await planning.list_mine(
        seat.reads, seat.keeper, seat.caller, due=None, zone=seat.frame.tongue.zone.key, after=None, clock=seat.clock
    )
    recent = await seat.keeper.recent(seat.token)
    day, told = seat.frame.tongue.today(), seat.frame.tongue
    parts: dict[int, list[Mapping[str, Any]]] = {-1: [], 0: [], 1: []}
    for one in mine["follow_ups"]:
        due = told.moment(one["due"]).date()
        parts[(due > day) - (due < day)].append(one)
    people = [label_out(label) for label in recent.matches]
    return seat.show(Today(overdue=parts[-1], due=parts[0], later=parts[1], recent=people))


@router.post("/follow-ups/{follow_up}/done")
async def done(follow_up: IdPath, seat: StaffSeat, db: WriteSessionDep) -> Response:
    """Mark a follow-up as done; its line goes."""
    await planning.finish(db, seat.keeper, seat.caller, follow_up, reads=seat.reads, clock=seat.clock)
    return Response("", 200, media_type="text/html") if seat.frame.is_fragment else seat.go("/today")
