"""Who looks after whom: handing over, and what is proposed for erasure to whoever looks after it."""

from typing import Any

from fastapi import APIRouter, status

from api.http.deps import CareDep, ContactPath, IdPath, ManageDep, WriteSessionDep
from crm.contacts import retention
from crm.contacts.schemas import HandOverIn, KeepIn
from crm.interactions import planning

router = APIRouter(tags=["ownership"])


@router.post("/v1/people/{person}/hand-over", status_code=status.HTTP_201_CREATED)
async def hand_over(person: IdPath, body: HandOverIn, desk: ManageDep, db: WriteSessionDep) -> dict[str, Any]:
    """Give all that one colleague owns to another, by count only; a leaver's follow-ups go along."""
    return await planning.hand_over(
        db, desk.keeper, desk.caller, person, given=body, reads=desk.reads, clock=desk.clock
    )


@router.get("/v1/retention")
async def list_proposed(desk: CareDep) -> dict[str, Any]:
    """Show who is proposed for erasure, at most eight at a time, and how many there are."""
    return await retention.list_proposed(desk.reads, desk.keeper, desk.caller)


@router.post("/v1/contacts/{contact}/keep")
async def keep(contact: ContactPath, body: KeepIn, desk: CareDep, db: WriteSessionDep) -> dict[str, Any]:
    """Keep somebody until a day, however quiet."""
    return await retention.keep(db, desk.keeper, desk.caller, contact, given=body, reads=desk.reads, clock=desk.clock)
