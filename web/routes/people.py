"""Who works here: inviting, changing, resetting and ending accounts; what an admin asks, an auditor decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from api.http.deps import IdPath, WriteSessionDep
from api.http.problem import status_of
from crm.contacts.schemas import HandOverIn
from crm.errors import CrmError, Invalid, NotFound, RolesConflict, Stale
from crm.interactions import planning
from crm.kit.ids import new_id
from web.forms import FormDep, read, text, texts
from web.language import Tongue
from web.render import View
from web.seat import AdminSeat, PeopleSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
OPEN, BLIND = ("staff", "privacy", "counsel"), ("product", "auditor", "admin")
# What the keeper refuses together, so that a form need not offer it.
EXCLUDES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(OPEN, BLIND), "marketing": (), "product": OPEN, "auditor": (*OPEN, "admin"),
    "admin": (*OPEN, "auditor"),
}  # fmt: skip
Done = Annotated[Literal["roles", "left"] | None, Query()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(View):
    """The form of an invitation; its id is made with it, so that sending it twice invites once."""

    template: ClassVar[str] = "admin/invite.html"
    id: str
    name: str = ""
    roles: Sequence[str] = ()
    problem: str = ""
    excludes: Mapping[str, Sequence[str]] = field(default_factory=lambda: EXCLUDES)


@dataclass(frozen=True, slots=True, kw_only=True)
class People(View):
    """Everybody who works here, those who left last, and what waits for an auditor."""

    template: ClassVar[str] = "admin/people.html"
    people: Sequence[Mapping[str, Any]]
    left: Sequence[Mapping[str, Any]]
    waiting: Sequence[Mapping[str, Any]]
    invite: Invite


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(View):
    """One account, what waits about it, and who could take over what is theirs."""

    template: ClassVar[str] = "admin/account.html"
    one: Mapping[str, Any]
    waiting: Sequence[Mapping[str, Any]]
    takers: Sequence[Mapping[str, Any]]
    hand_over_id: str
    done: str = ""
    problem: str = ""
    handed_over: int | str | None = None
    excludes: Mapping[str, Sequence[str]] = field(default_factory=lambda: EXCLUDES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(View):
    """A one-time code, or the admin's half of one: shown this once."""

    template: ClassVar[str] = "admin/code.html"
    name: str
    code: str
    is_half: bool
    is_reset: bool


@router.get("/people")
async def people(seat: PeopleSeat) -> Response:
    """List who works here."""
    return seat.show(await _people(seat, Invite(id=new_id())))


@router.post("/people")
async def invite(seat: AdminSeat, form: FormDep) -> Response:
    """Invite somebody; what is not accepted comes back as it was typed."""
    id_, name, roles = text(form, "id"), text(form, "name"), texts(form, "roles")
    try:
        asked = await seat.keeper.invite(seat.token, name, roles, id_ or None)
    except (Invalid, RolesConflict, Stale) as error:
        form_again = Invite(id=id_ or new_id(), name=name, roles=roles, problem=_problem(error))
        return seat.show(await _people(seat, form_again), status_of(error.code))
    return _shown(seat, name, asked)


@router.get("/people/{person}")
async def account(person: IdPath, seat: PeopleSeat, done: Done = None) -> Response:
    """Show one account."""
    return seat.show(await _account(seat, person, done=done or ""))


@router.post("/people/{person}/roles")
async def change_roles(person: IdPath, seat: AdminSeat, form: FormDep) -> Response:
    """Ask an auditor for other roles; until then nothing changes."""
    try:
        await seat.keeper.change_person(seat.token, person, roles=texts(form, "roles"))
    except (Invalid, RolesConflict) as error:
        return seat.show(await _account(seat, person, problem=_problem(error)), status_of(error.code))
    return seat.go(f"/people/{person}?done=roles")


@router.post("/people/{person}/reset")
async def reset(person: IdPath, seat: AdminSeat) -> Response:
    """Ask an auditor to let somebody choose a password anew."""
    asked = await seat.keeper.change_person(seat.token, person, state="reset")
    one = next(one for one in await seat.keeper.people(seat.token) if one["id"] == person)
    return _shown(seat, one["name"], asked, is_reset=True)


@router.post("/people/{person}/end")
async def end(person: IdPath, seat: AdminSeat) -> Response:
    """End an account, and every session of it, at once."""
    try:
        await seat.keeper.change_person(seat.token, person, state="left")
    except RolesConflict as error:
        return seat.show(await _account(seat, person, problem="last"), status_of(error.code))
    return seat.go(f"/people/{person}?done=left")


@router.post("/people/{person}/hand-over")
async def hand_over(person: IdPath, seat: AdminSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Give what is one colleague's to another, by count alone."""
    given, _ = read(HandOverIn, _handed(form, seat.frame.tongue))
    if given is None:
        return seat.show(await _account(seat, person, problem="hand-over"), status_of("invalid"))
    try:
        told = await planning.hand_over(
            db, seat.keeper, seat.caller, person, given=given, reads=seat.reads, clock=seat.clock
        )
    except Invalid as error:
        return seat.show(await _account(seat, person, problem="hand-over"), status_of(error.code))
    return seat.show(await _account(seat, person, handed_over=told["count"]))


def _handed(form: FormData, told: Tongue) -> dict[str, object]:
    """Take a hand-over as REST takes it: with an end, which is a day of the reader's, it is a stand-in."""
    given: dict[str, object] = {"id": text(form, "id") or None, "to": text(form, "to"), "kind": "leaver"}
    if until := text(form, "until"):
        try:
            end_of_day = datetime.combine(datetime.fromisoformat(until), time.max, told.zone)
        except ValueError:
            return {}
        given |= {"kind": "holiday", "until": end_of_day.isoformat(timespec="milliseconds")}
    return given


def _problem(error: CrmError) -> str:
    """Name what was wrong, by a word of the template."""
    if isinstance(error, Invalid):
        return str(error.detail.get("pointer", "")).rpartition("/")[2]
    return "conflict" if isinstance(error, RolesConflict) else "taken"


def _shown(seat: Seat, name: str, asked: Mapping[str, Any], *, is_reset: bool = False) -> Response:
    """Show the code; it is told once, so a repeat of the same question has none."""
    code = asked["code"].reveal() if asked["code"] else ""
    return seat.show(Code(name=name, code=code, is_half=bool(asked["decision"]), is_reset=is_reset))


async def _people(seat: Seat, form: Invite) -> People:
    found = sorted(await seat.keeper.people(seat.token), key=lambda one: one["name"].casefold())
    return People(
        people=[one for one in found if one["state"] != "left"], left=[one for one in found if one["state"] == "left"],
        waiting=await _waiting(seat, found), invite=form,
    )  # fmt: skip


async def _account(
    seat: Seat, person: str, *, done: str = "", problem: str = "", handed_over: int | str | None = None
) -> Account:
    found = await seat.keeper.people(seat.token)
    one = next((one for one in found if one["id"] == person), None)
    if one is None:
        raise NotFound
    takers = [each for each in found if each["state"] == "active" and "staff" in each["roles"] and each is not one]
    waiting = [asked for asked in await _waiting(seat, found) if asked["about"] == person]
    return Account(
        one=one, waiting=waiting, takers=takers, hand_over_id=new_id(), done=done, problem=problem,
        handed_over=handed_over,
    )  # fmt: skip


async def _waiting(seat: Seat, people: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """List what nobody decided yet of accounts, with the names it is about."""
    names = {one["id"]: one["name"] for one in people}
    return [
        {**asked, "name": names[asked["about"]], "asker": names[asked["asked_by"]]}
        for asked in await seat.keeper.decisions(seat.token)
        if asked["verdict"] is None and asked["what"] != "lift"
    ]
