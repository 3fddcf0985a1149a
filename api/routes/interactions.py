"""Interactions of one contact: the older ones, and a new one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from api.http.deps import ContactPath, ServeDep, StaffDep, WriteSessionDep
from api.routes.contacts import OpenFor, Reason
from crm.interactions import service
from crm.interactions.schemas import InteractionIn, to_json

router = APIRouter(tags=["interactions"])

Before = Annotated[str | None, Query(pattern=r"^-?[0-9]{1,13}-[0-9a-f]{32}$")]


@router.get("/v1/contacts/{contact}/interactions", response_class=Response)
async def list_interactions(
    contact: ContactPath, desk: ServeDep, purpose: OpenFor = "serve", reason: Reason = "other", before: Before = None
) -> Response:
    """Open the next older interactions of a contact."""
    document = await service.list_older(
        desk.reads, desk.keeper, desk.token, contact,
        purpose=purpose, reason=reason, before=before, vocabulary=desk.vocabulary,
    )  # fmt: skip
    return Response(to_json(document), media_type="application/json")


@router.post("/v1/contacts/{contact}/interactions", status_code=status.HTTP_201_CREATED)
async def log_interaction(
    contact: ContactPath, body: InteractionIn, desk: StaffDep, db: WriteSessionDep
) -> dict[str, Any]:
    """Log a call, an e-mail, a meeting, a chat or a note."""
    return await service.create(
        db, desk.keeper, desk.caller, contact,
        given=body, reads=desk.reads, vocabulary=desk.vocabulary, clock=desk.clock,
    )  # fmt: skip
