"""Canaries: customers who do not exist, so that nobody has a reason to look at one; auditors know them by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fastapi import APIRouter, Response, status
from fastapi.responses import HTMLResponse

from api.http.deps import WriteSessionDep
from crm.contacts import canaries as service
from crm.contacts.schemas import CanaryIn
from crm.errors import Invalid
from crm.kit.ids import new_id
from web.colleagues import Colleagues, colleagues_of
from web.forms import FormDep, read, text
from web.render import View
from web.seat import AuditSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
FIELDS = ("given_name", "family_name", "company", "job_title")
LISTS = ("emails", "phones")


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaries(View):
    """The canaries by id, with who was shown each first and last, and one as it is being made."""

    template: ClassVar[str] = "audit/canaries.html"
    canaries: Sequence[Mapping[str, Any]]
    read: int
    size: int
    colleagues: Colleagues
    id: str
    given: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@router.get("/alerts/canaries")
async def canaries(seat: AuditSeat) -> Response:
    """List the canaries."""
    return seat.show(await _view(seat, new_id(), {}, {}))


@router.post("/alerts/canaries")
async def create(seat: AuditSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Make a canary of what is given; the rest is chosen."""
    typed = {name: text(form, name) for name in FIELDS + LISTS}
    filled: dict[str, Any] = {name: [value] if name in LISTS else value for name, value in typed.items() if value}
    given, errors = read(CanaryIn, {"id": text(form, "id") or None, **filled})
    if given is not None:
        try:
            await service.create(
                db, seat.keeper, seat.caller, given, reads=seat.reads, vocabulary=seat.vocabulary, clock=seat.clock
            )
        except Invalid as error:
            errors = {str(error.detail.get("pointer", "/body/id")).split("/")[2]: "taken"}
        else:
            return seat.go("/alerts/canaries")
    view = await _view(seat, text(form, "id") or new_id(), typed, errors)
    return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT)


async def _view(seat: Seat, id_: str, given: Mapping[str, str], errors: Mapping[str, str]) -> Canaries:
    found = await service.list_all(seat.database, seat.keeper, seat.token, watch=seat.state.watch)
    return Canaries(colleagues=await colleagues_of(seat), id=id_, given=given, errors=errors, **found)
