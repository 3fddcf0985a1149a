"""Who works here, and what waits for a second person."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, status
from pydantic import Field, StringConstraints

from api.http.deps import AdminDep, DecideDep, DecisionsDep, IdPath, PeopleDep, SelfDep
from crm.contacts.schemas import Input, OptionalId
from crm.kit.pii import Pii

router = APIRouter(tags=["people"])

Role = Literal["staff", "marketing", "auditor", "counsel", "privacy", "product", "admin"]


class PersonBody(Input):
    """An invitation."""

    id: OptionalId = None
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    roles: Annotated[list[Role], Field(min_length=1, max_length=7)]


class PersonPatch(Input):
    """A change of roles or state."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=7)] | None = None
    state: Literal["left", "reset"] | None = None


class DecisionBody(Input):
    """A second person's verdict."""

    verdict: Literal["approve", "refuse"]


def _told(body: dict[str, Any]) -> dict[str, Any]:
    """Print an answer that may hold a one-time code."""
    return {key: value.reveal() if isinstance(value, Pii) else value for key, value in body.items()}


@router.get("/v1/colleagues")
async def list_colleagues(desk: SelfDep) -> dict[str, Any]:
    """List ids and names of who works here."""
    return {"colleagues": await desk.keeper.colleagues(desk.token)}


@router.get("/v1/people")
async def list_people(desk: PeopleDep) -> dict[str, Any]:
    """List accounts with their roles and states."""
    return {"people": await desk.keeper.people(desk.token)}


@router.post("/v1/people", status_code=status.HTTP_201_CREATED)
async def invite(body: PersonBody, desk: AdminDep) -> dict[str, Any]:
    """Invite a person; whoever can open or approve waits for an auditor."""
    return _told(await desk.keeper.invite(desk.token, body.name, body.roles, body.id))


@router.patch("/v1/people/{person}")
async def change_person(person: IdPath, body: PersonPatch, desk: AdminDep) -> dict[str, Any]:
    """Change roles or end an account."""
    return _told(await desk.keeper.change_person(desk.token, person, roles=body.roles, state=body.state))


@router.post("/v1/people/{person}/recovery", status_code=status.HTTP_201_CREATED)
async def recover(person: IdPath, desk: PeopleDep) -> dict[str, Any]:
    """Ask for a reset of an admin or auditor; another auditor, or a privacy officer, decides."""
    return _told(await desk.keeper.recover(desk.token, person))


@router.get("/v1/decisions")
async def list_decisions(desk: DecisionsDep) -> dict[str, Any]:
    """List what waits for a second person."""
    return {"decisions": await desk.keeper.decisions(desk.token)}


@router.post("/v1/decisions/{decision}")
async def decide(decision: IdPath, body: DecisionBody, desk: DecideDep) -> dict[str, Any]:
    """Approve or refuse as the second person."""
    return _told(await desk.keeper.decide(desk.token, decision, body.verdict))
