"""Making and changing contacts and companies: one form for both, and nothing typed is lost on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, cast

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from api.http.deps import ContactPath, WriteSessionDep
from crm.contacts import companies, service
from crm.contacts.answers import company_label_out
from crm.contacts.schemas import CompanyIn, CompanyPatch, ContactIn, ContactPatch, label_out
from crm.errors import CrmError, Duplicate, Invalid, Stale
from crm.interactions.service import open_details
from crm.kit.ids import is_id, new_id
from web import records
from web.forms import FormDep, read, sure, text
from web.render import View
from web.seat import Seat, StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
MADE: dict[str, type[ContactIn | CompanyIn]] = {"contact": ContactIn, "company": CompanyIn}
CHANGED: dict[str, type[ContactPatch | CompanyPatch]] = {"contact": ContactPatch, "company": CompanyPatch}
PLACE = {"contact": "contacts", "company": "companies"}
STATUS = {
    Duplicate: status.HTTP_409_CONFLICT, Stale: status.HTTP_412_PRECONDITION_FAILED,
    Invalid: status.HTTP_422_UNPROCESSABLE_CONTENT,
}  # fmt: skip
Linked = Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordForm(View):
    """Everything that is known of a contact or a company; `now` is what it says by now, where that differs."""

    template: ClassVar[str] = "staff/record_form.html"
    kind: str
    id: str
    action: str
    back: str
    etag: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    now: Mapping[str, Any] | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    duplicates: Sequence[Mapping[str, Any]] = ()
    terms: Mapping[str, Sequence[str]]
    people: Mapping[str, str] = field(default_factory=dict)
    linked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage(View):
    """The form as a page of its own."""

    template: ClassVar[str] = "staff/record.html"
    form: RecordForm


@router.get("/contacts/new")
async def new_contact(seat: StaffSeat, company: Linked = None) -> Response:
    """Ask for somebody new; `company` is whom they work for."""
    given = {"company_id": company, "company": await _company(seat, company)} if company else {}
    return await _new(seat, "contact", given)


@router.post("/contacts/new")
async def make_contact(seat: StaffSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Make a contact; somebody with the same address or number is shown first."""
    return await _make(seat, db, form, "contact")


@router.get("/companies/new")
async def new_company(seat: StaffSeat) -> Response:
    """Ask for a new company."""
    return await _new(seat, "company", {})


@router.post("/companies/new")
async def make_company(seat: StaffSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Make a company; one with the same address or number is shown first."""
    return await _make(seat, db, form, "company")


@router.get("/contacts/{contact}/edit")
async def edit_contact(contact: ContactPath, seat: StaffSeat) -> Response:
    """Open what is known of somebody, to change it; also within their page."""
    return await _edit(seat, "contact", contact)


@router.post("/contacts/{contact}/edit")
async def change_contact(contact: ContactPath, seat: StaffSeat, form: FormDep) -> Response:
    """Change what was changed on the form, from the version it was made of."""
    return await _change(seat, form, "contact", contact)


@router.get("/companies/{company}/edit")
async def edit_company(company: ContactPath, seat: StaffSeat) -> Response:
    """Open what is known of a company, to change it."""
    return await _edit(seat, "company", company)


@router.post("/companies/{company}/edit")
async def change_company(company: ContactPath, seat: StaffSeat, form: FormDep) -> Response:
    """Change what was changed on the form, from the version it was made of."""
    return await _change(seat, form, "company", company)


async def _new(seat: Seat, kind: str, given: records.Values) -> Response:
    place = f"/{PLACE[kind]}"
    view = RecordForm(
        kind=kind, id=new_id(), action=f"{place}/new", back=place, given=given, terms=await seat.terms(),
        linked=await _company(seat, given.get("company_id")),
    )  # fmt: skip
    return seat.show(RecordPage(form=view))


async def _make(seat: Seat, db: Any, form: FormData, kind: str) -> Response:  # noqa: ANN401 - the request's session
    given = records.typed(form)
    id_ = text(form, "id") if is_id(text(form, "id")) else new_id()
    body = records.nested({name: value for name, value in given.items() if value}, kind)
    shape, errors = read(MADE[kind], {**body, "id": id_, "confirm_duplicate": text(form, "confirm") == "yes"})
    place = f"/{PLACE[kind]}"
    view = RecordForm(
        kind=kind, id=id_, action=f"{place}/new", back=place, given=given, errors=errors or {"form": ""},
        terms=await seat.terms(), linked=await _company(seat, given.get("company_id")),
    )  # fmt: skip
    if shape is None:
        return _again(seat, view, Invalid())
    try:
        made = await service.create(
            db, seat.keeper, seat.caller, shape, reads=seat.reads, vocabulary=seat.vocabulary, clock=seat.clock
        )
    except Duplicate as error:
        shown = label_out if kind == "contact" else company_label_out
        labels = [shown(label) for label in error.detail["matches"]]
        return _again(seat, replace(view, errors={}, duplicates=labels), error)
    except Invalid as error:
        return _again(seat, replace(view, errors=records.refused(error)), error)
    return seat.go(f"{place}/{made.id}")


async def _edit(seat: Seat, kind: str, id_: ContactPath) -> Response:
    view = await _opened(seat, kind, id_)
    return seat.show(view if seat.frame.is_fragment else RecordPage(form=view))


async def _opened(seat: Seat, kind: str, id_: ContactPath) -> RecordForm:
    reason = seat.frame.reason
    page: Any
    if kind == "contact":
        page = await open_details(seat.reads, seat.keeper, seat.token, id_, reason=reason, vocabulary=seat.vocabulary)
    else:
        page = await companies.open_company(
            seat.reads, seat.keeper, seat.caller, id_, reason=reason, ref=None, vocabulary=seat.vocabulary
        )
    stands = records.standing(page.document)
    back = f"/{PLACE[kind]}/{id_}"
    return RecordForm(
        kind=kind, id=id_, action=f"{back}/edit", back=back, etag=page.etag.strip('"'), given=stands,
        was=records.hashes(stands), terms=await seat.terms(), people=await seat.names(),
        linked=await _company(seat, stands.get("company_id")),
    )  # fmt: skip


async def _change(seat: Seat, form: FormData, kind: str, id_: ContactPath) -> Response:
    given = records.typed(form)
    patch = records.changed(given, form)
    shape, errors = read(CHANGED[kind], records.nested(patch, kind))
    if not patch and not errors:
        return seat.go(f"/{PLACE[kind]}/{id_}")
    try:
        await service.change(
            seat.database, seat.keeper, seat.caller, id_,
            patch=cast("ContactPatch | CompanyPatch", sure(shape)), etag=text(form, "etag"),
            vocabulary=seat.vocabulary, clock=seat.clock,
        )  # fmt: skip
    except (Stale, Invalid) as error:
        errors = errors or (records.refused(error) if isinstance(error, Invalid) else {})
        view = await _opened(seat, kind, id_)
        # What was not touched here follows what somebody else made of it; what was typed stays, beside theirs.
        now = {name: value for name, value in view.given.items() if name in patch and value != patch[name]}
        told = now if isinstance(error, Stale) else None
        return _again(seat, replace(view, given={**view.given, **patch}, errors=errors, now=told), error)
    return seat.go(f"/{PLACE[kind]}/{id_}")


def _again(seat: Seat, view: RecordForm, error: CrmError) -> Response:
    return seat.show(view if seat.frame.is_fragment else RecordPage(form=view), STATUS[type(error)])


async def _company(seat: Seat, company: str | None) -> str:
    """Name the company somebody is linked to; one that is gone has no name."""
    if not company or not is_id(company):
        return ""
    labels = await seat.keeper.labels(seat.token, [company])
    return str(company_label_out(labels.matches[0])["name"]) if labels.matches else ""
