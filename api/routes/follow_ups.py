"""Follow-ups: what one means to do, and for whom."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status
from pydantic import AfterValidator, StringConstraints

from api.http.answer import answer
from api.http.deps import IdPath, IfMatchDep, StaffDep, WriteSessionDep
from api.routes.interactions import Before
from crm.contacts import standards
from crm.interactions import planning
from crm.interactions.days import Due
from crm.interactions.schemas import FollowUpIn, FollowUpPatch

router = APIRouter(tags=["follow-ups"])

Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(standards.time_zone), Query()]


@router.get("/v1/follow-ups", response_class=Response)
async def list_follow_ups(desk: StaffDep, due: Due | None = None, zone: Zone = "UTC", after: Before = None) -> Response:
    """List one's own open follow-ups in the order they fall due, by the calendar of a time zone."""
    document = await planning.list_mine(
        desk.reads, desk.keeper, desk.caller, due=due, zone=zone, after=after, clock=desk.clock
    )
    return answer(document)


@router.post("/v1/follow-ups", status_code=status.HTTP_201_CREATED)
async def create_follow_up(body: FollowUpIn, desk: StaffDep, db: WriteSessionDep) -> dict[str, Any]:
    """Make a follow-up for oneself or somebody else."""
    return await planning.create(db, desk.keeper, desk.caller, given=body, reads=desk.reads, clock=desk.clock)


@router.patch("/v1/follow-ups/{follow_up}")
async def change_follow_up(  # noqa: PLR0917 - one parameter for each part of the declaration
    follow_up: IdPath, body: FollowUpPatch, etag: IfMatchDep, desk: StaffDep, db: WriteSessionDep, response: Response
) -> dict[str, Any]:
    """Hand a follow-up to somebody else, or let it fall due at another time, by JSON Merge Patch."""
    changed = await planning.change(db, desk.keeper, desk.caller, follow_up, patch=body, etag=etag, reads=desk.reads)
    response.headers["etag"] = f'"{changed["version"]}"'
    return changed


@router.post("/v1/follow-ups/{follow_up}/done")
async def finish_follow_up(follow_up: IdPath, desk: StaffDep, db: WriteSessionDep) -> dict[str, Any]:
    """Mark a follow-up as done."""
    return await planning.finish(db, desk.keeper, desk.caller, follow_up, reads=desk.reads, clock=desk.clock)
