"""Interactions of one contact: the older ones, new ones, their versions, and to whom they belong."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from api.http.answer import answer
from api.http.deps import ContactPath, IdPath, ServeDep, StaffDep, WriteSessionDep
from api.routes.contacts import OpenFor, Reason
from crm.interactions import moving, service, writing
from crm.interactions.schemas import InteractionIn, MoveIn, VersionIn

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
    return answer(document)


@router.post("/v1/contacts/{contact}/interactions", status_code=status.HTTP_201_CREATED)
async def log_interaction(
    contact: ContactPath, body: InteractionIn, desk: StaffDep, db: WriteSessionDep
) -> dict[str, Any]:
    """Log a call, an e-mail, a meeting, a chat or a note, with what is to follow; the draft of it goes."""
    return await writing.create(
        db, desk.keeper, desk.caller, contact,
        given=body, reads=desk.reads, vocabulary=desk.vocabulary, clock=desk.clock,
    )  # fmt: skip


@router.get("/v1/contacts/{contact}/interactions/{interaction}/versions", response_class=Response)
async def list_versions(
    contact: ContactPath, interaction: IdPath, desk: ServeDep, purpose: OpenFor = "serve", reason: Reason = "other"
) -> Response:
    """Open all versions of an interaction, oldest first."""
    document = await service.list_versions(
        desk.reads, desk.keeper, desk.token, contact, interaction,
        purpose=purpose, reason=reason, vocabulary=desk.vocabulary,
    )  # fmt: skip
    return answer(document)


@router.post("/v1/contacts/{contact}/interactions/{interaction}/versions", status_code=status.HTTP_201_CREATED)
async def add_version(
    contact: ContactPath, interaction: IdPath, body: VersionIn, desk: StaffDep, db: WriteSessionDep
) -> dict[str, Any]:
    """Say an interaction anew, in the place of the version named; nothing is edited."""
    return await writing.add_version(
        db, desk.keeper, desk.caller, contact, interaction,
        given=body, reads=desk.reads, vocabulary=desk.vocabulary, clock=desk.clock,
    )  # fmt: skip


@router.post("/v1/contacts/{contact}/interactions/{interaction}/move")
async def move_interaction(
    contact: ContactPath, interaction: IdPath, body: MoveIn, desk: StaffDep, db: WriteSessionDep
) -> dict[str, Any]:
    """Move an interaction, with versions, files and follow-ups, to the contact it is about."""
    return await moving.move(db, desk.keeper, desk.caller, contact, interaction, given=body, reads=desk.reads)
