"""Canaries: customers who do not exist, for auditors; for everybody else they are contacts."""

from typing import Any

from fastapi import APIRouter, status

from api.http.deps import AuditorDep, WriteSessionDep
from crm.contacts import canaries
from crm.contacts.schemas import CanaryIn

router = APIRouter(tags=["canaries"])


@router.get("/v1/canaries")
async def list_canaries(desk: AuditorDep) -> dict[str, Any]:
    """List the canaries by id, and who was shown each last."""
    return await canaries.list_all(desk.database, desk.keeper, desk.token, watch=desk.state.watch)


@router.post("/v1/canaries", status_code=status.HTTP_201_CREATED)
async def create_canary(body: CanaryIn, desk: AuditorDep, db: WriteSessionDep) -> dict[str, Any]:
    """Make a canary of what is given; the rest is chosen."""
    made = await canaries.create(
        db, desk.keeper, desk.caller, body, reads=desk.reads, vocabulary=desk.vocabulary, clock=desk.clock
    )
    return {"id": made.id, "log_index": made.log_index}
