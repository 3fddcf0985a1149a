"""Alerts: what of the log somebody should look at, and whose it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from fastapi import APIRouter, Response, status
from fastapi.responses import HTMLResponse

from api.http.deps import IdPath
from api.routes.alerts import After, AlertState, NoteBody
from crm.audit import review
from web.colleagues import Colleagues, colleagues_of
from web.forms import FormDep, read, text
from web.render import View
from web.seat import AuditSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
NOTES: tuple[str, ...] = get_args(NoteBody.model_fields["note_code"].annotation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts(View):
    """Alerts, newest first, and what is wrong just now; `failed` is the one whose word was none of the list."""

    template: ClassVar[str] = "audit/alerts.html"
    state: str | None
    alerts: Sequence[Mapping[str, Any]]
    next: str | None
    conditions: Sequence[Mapping[str, str]]
    read: int
    size: int
    colleagues: Colleagues
    failed: str = ""
    notes: Sequence[str] = NOTES


@router.get("/alerts")
async def alerts(seat: AuditSeat, state: AlertState = None, after: After = None) -> Response:
    """List the alerts."""
    return await _listed(seat, state, after)


@router.post("/alerts/{alert}/acknowledge")
async def acknowledge(alert: IdPath, seat: AuditSeat, form: FormDep) -> Response:
    """Take an alert as one's own, with what became of it."""
    given, _ = read(NoteBody, {"note_code": text(form, "note_code")})
    if given is None:
        return await _listed(seat, None, None, failed=alert)
    await review.acknowledge(
        seat.database, seat.keeper, seat.token, alert, note_code=given.note_code, watch=seat.state.watch
    )
    return seat.go("/alerts")


async def _listed(seat: Seat, state: str | None, after: str | None, failed: str = "") -> Response:
    found = await review.list_alerts(
        seat.database, seat.keeper, seat.token,
        watch=seat.state.watch, state=state, after=review.parse_cursor(after),
    )  # fmt: skip
    view = Alerts(state=state, colleagues=await colleagues_of(seat), failed=failed, **found)
    return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT if failed else status.HTTP_200_OK)
