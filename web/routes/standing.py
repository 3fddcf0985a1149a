"""What somebody allows, and their end: consents, objection, restriction, erasing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from fastapi import APIRouter, Response, status
from fastapi.responses import HTMLResponse

from api.http.deps import ContactPath, WriteSessionDep
from crm.contacts import consents, erasing
from crm.contacts.schemas import ConsentIn, Input
from crm.errors import Invalid, PurposeNotYours
from crm.kit.ids import new_id
from web import composing, records
from web.forms import FormDep, read, sure, text
from web.render import View
from web.seat import CareSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
SAID = ("state", "topic", "channel", "wording", "source", "at")


class EraseIn(Input):
    """Why somebody is erased."""

    ground: Literal["request", "objection", "retention", "mistake"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents(View):
    """Everything somebody said about being written to, what holds of it, and the form for what they say now."""

    template: ClassVar[str] = "staff/consents.html"
    contact: str
    id: str
    whose: Mapping[str, Any] | None
    said: Sequence[Mapping[str, Any]]
    standing: Sequence[Mapping[str, Any]]
    objected_at: str | None
    terms: Mapping[str, Sequence[str]]
    names: Mapping[str, str]
    given: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(View):
    """What erasing means, before it is asked for."""

    template: ClassVar[str] = "staff/erase.html"
    contact: str
    whose: Mapping[str, Any] | None
    is_wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing(View):
    """What a second person can still stop; it says nothing of whether there is anything."""

    template: ClassVar[str] = "staff/erasing.html"
    contact: str
    is_same: bool = False


@router.get("/contacts/{contact}/consents")
async def consents_page(contact: ContactPath, seat: CareSeat) -> Response:
    """Show what was said, newest first, and what holds."""
    return seat.show(await _consents(seat, contact))


@router.post("/contacts/{contact}/consents")
async def add_consent(contact: ContactPath, seat: CareSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Note what somebody said; nothing is ever changed."""
    typed = {name: text(form, name) for name in SAID}
    said = {name: value or None for name, value in typed.items()}
    said["at"] = composing.moment(typed["at"], seat.frame.tongue) if typed["at"] else None
    given, errors = read(ConsentIn, {**said, "id": text(form, "id") or None})
    try:
        await consents.add(
            db, seat.keeper, seat.caller, contact,
            given=sure(given), reads=seat.reads, vocabulary=seat.vocabulary, clock=seat.clock,
        )  # fmt: skip
    except Invalid as error:
        view = await _consents(seat, contact, given=typed, errors=errors or records.refused(error))
        return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT)
    return seat.go(f"/contacts/{contact}/consents")


@router.get("/contacts/{contact}/erase")
async def erase_page(contact: ContactPath, seat: CareSeat) -> Response:
    """Say what erasing means, and ask why."""
    return seat.show(Erase(contact=contact, whose=await seat.label(contact)))


@router.post("/contacts/{contact}/erase")
async def erase(contact: ContactPath, seat: CareSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Stop every open at once; what is left goes in 72 hours."""
    given, _ = read(EraseIn, {"ground": text(form, "ground")})
    if given is None:
        view = Erase(contact=contact, whose=await seat.label(contact), is_wrong=True)
        return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT)
    await erasing.erase(db, seat.keeper, seat.token, contact, ground=given.ground, reads=seat.reads)
    return seat.go(f"/contacts/{contact}/erase/cancel")


@router.get("/contacts/{contact}/erase/cancel")
async def cancel_page(contact: ContactPath, seat: CareSeat) -> Response:
    """Say how an erasure is stopped, to anybody: whether there is one, only doing it tells."""
    return seat.show(Erasing(contact=contact))


@router.post("/contacts/{contact}/erase/cancel")
async def cancel(contact: ContactPath, seat: CareSeat) -> Response:
    """Stop an erasure, as a second person."""
    try:
        await erasing.cancel_erase(seat.database, seat.keeper, seat.caller, contact)
    except PurposeNotYours:
        # The role was asked for first: what is refused is the same person on both sides.
        return seat.show(Erasing(contact=contact, is_same=True), status.HTTP_403_FORBIDDEN)
    return seat.go(f"/contacts/{contact}")


async def _consents(
    seat: Seat, contact: ContactPath, given: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> Consents:
    told = await consents.list_of(seat.reads, seat.caller, contact, vocabulary=seat.vocabulary)
    blank = {**dict.fromkeys(SAID, ""), "state": "given", "source": "call", "channel": "email"}
    return Consents(
        contact=contact, id=new_id(), whose=await seat.label(contact), said=told["consents"],
        standing=told["standing"], objected_at=told["objected_at"], terms=await seat.terms(),
        names=await seat.names(), given=given or blank, errors=errors or {},
    )  # fmt: skip
