"""What waits for a second person, and that person's verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, Response, status
from fastapi.responses import HTMLResponse

from api.http.deps import IdPath
from api.routes.people import DecisionBody
from web.colleagues import Colleagues, colleagues_of
from web.forms import FormDep, read, text
from web.render import View
from web.seat import DecideSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions(View):
    """What waits, oldest first, and what this person decided or asked for, newest first."""

    template: ClassVar[str] = "audit/decisions.html"
    waiting: Sequence[Mapping[str, Any]]
    decided: Sequence[Mapping[str, Any]]
    colleagues: Colleagues
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(View):
    """A verdict as it was taken; the half of a code that comes with it is shown here and never again."""

    template: ClassVar[str] = "audit/decided.html"
    outcome: str
    what: str
    name: str
    code: str


@router.get("/decisions")
async def decisions(seat: DecideSeat) -> Response:
    """List what waits."""
    return seat.show(await _view(seat))


@router.post("/decisions/{decision}")
async def decide(decision: IdPath, seat: DecideSeat, form: FormDep) -> Response:
    """Approve or refuse; what comes with an approval stands on the answer itself, for nothing keeps it."""
    given, _ = read(DecisionBody, {"verdict": text(form, "verdict")})
    if given is None:
        return seat.show(await _view(seat, failed=decision), status.HTTP_422_UNPROCESSABLE_CONTENT)
    colleagues = await colleagues_of(seat)
    asked = next((one for one in await seat.keeper.decisions(seat.token) if one["id"] == decision), None)
    taken = await seat.keeper.decide(seat.token, decision, given.verdict)
    code, about = taken["code"], asked["about"] if asked else ""
    if code is None:
        return seat.go("/decisions")
    name = colleagues[about]["name"] if about in colleagues else ""
    view = Decided(outcome=taken["outcome"], what=asked["what"] if asked else "", name=name, code=code.reveal())
    return seat.show(view)


async def _view(seat: Seat, failed: str = "") -> Decisions:
    rows = await seat.keeper.decisions(seat.token)
    return Decisions(
        waiting=[one for one in rows if one["verdict"] is None and seat.caller.id != one["asked_by"]],
        decided=[one for one in reversed(rows) if one["verdict"] is not None],
        colleagues=await colleagues_of(seat), failed=failed,
    )  # fmt: skip
