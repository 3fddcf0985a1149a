"""Alerts: what of the log an auditor should look at, and whose it is."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from api.http.deps import AuditorDep, IdPath
from crm.audit import review
from crm.contacts.schemas import Input

router = APIRouter(tags=["alerts"])

AlertState = Annotated[Literal["open", "acknowledged"] | None, Query()]
After = Annotated[str | None, Query(pattern=r"^[0-9]{1,16}-[0-9a-f]{32}$")]


class NoteBody(Input):
    """What became of an alert: a word of the list."""

    note_code: Literal["acknowledged", "false_alarm", "followed_up", "escalated"]


@router.get("/v1/alerts")
async def list_alerts(desk: AuditorDep, state: AlertState = None, after: After = None) -> dict[str, Any]:
    """List alerts, newest first; `next` goes on where this answer ends."""
    return await review.list_alerts(
        desk.database, desk.keeper, desk.token, watch=desk.state.watch, state=state, after=review.parse_cursor(after)
    )


@router.post("/v1/alerts/{alert}/acknowledge")
async def acknowledge_alert(alert: IdPath, body: NoteBody, desk: AuditorDep) -> dict[str, Any]:
    """Take an alert as one's own."""
    return await review.acknowledge(
        desk.database, desk.keeper, desk.token, alert, note_code=body.note_code, watch=desk.state.watch
    )
