"""The draft a person has about a contact: saved while typing, so that no time-out takes it."""

from typing import Any

from fastapi import APIRouter, Response, status

from api.http.answer import answer
from api.http.deps import ContactPath, StaffDep, WriteSessionDep
from api.routes.contacts import Reason
from crm.interactions import drafting
from crm.interactions.schemas import DraftIn

router = APIRouter(tags=["interactions"])


@router.put("/v1/contacts/{contact}/draft")
async def save_draft(contact: ContactPath, body: DraftIn, desk: StaffDep, db: WriteSessionDep) -> dict[str, Any]:
    """Keep what one has typed about a contact, for seven days."""
    return await drafting.save(db, desk.keeper, desk.caller, contact, given=body, reads=desk.reads, clock=desk.clock)


@router.get("/v1/contacts/{contact}/draft", response_class=Response)
async def open_draft(contact: ContactPath, desk: StaffDep, reason: Reason = "other") -> Response:
    """Open one's own draft about a contact."""
    document = await drafting.read(desk.reads, desk.keeper, desk.caller, contact, reason=reason, clock=desk.clock)
    return answer(document)


@router.delete("/v1/contacts/{contact}/draft", status_code=status.HTTP_204_NO_CONTENT)
async def drop_draft(contact: ContactPath, desk: StaffDep, db: WriteSessionDep) -> None:
    """Let go of one's own draft about a contact."""
    await drafting.drop(db, desk.caller, contact, reads=desk.reads)
