"""A file of contacts: what it would do, then what it does, as it happens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import HTMLResponse

from api.http import intake
from api.http.deps import IdPath
from api.http.upload import read_form
from crm.contacts import importing
from crm.errors import Invalid
from crm.kit.ids import is_id, new_id
from web.render import View
from web.seat import StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
PATH = "/import"
LIMIT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(View):
    """What a file holds: counts, what its columns are taken for, and by line what could not be read."""

    template: ClassVar[str] = "staff/import_report.html"
    told: Mapping[str, Any] | None = None
    is_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportForm(View):
    """The form; its id is made with it, so that sending it twice imports once."""

    template: ClassVar[str] = "staff/import.html"
    id: str
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(View):
    """How far an import has come; it asks again by itself until that ends."""

    template: ClassVar[str] = "staff/import_progress.html"
    job: Mapping[str, Any]
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPage(View):
    """The same as a page."""

    template: ClassVar[str] = "staff/import_page.html"
    progress: Progress


@router.get(PATH)
async def import_page(seat: StaffSeat) -> Response:
    """Ask for a file."""
    return seat.show(ImportForm(id=new_id(), report=Report()))


@router.post(PATH)
async def import_file(request: Request, seat: StaffSeat) -> Response:
    """Say what a file would do; or begin to take it in."""
    form = await read_form(request)
    chosen = form.fields.get("id", "")
    data = form.file or bytearray()
    try:
        if form.fields.get("do") == "import":
            job = await intake.start(seat, data, chosen if is_id(chosen) else None)
            return seat.go(f"{PATH}/{job}")
        key, region = seat.state.import_key, seat.state.settings.phone_region
        told = await importing.rehearse(seat.database, seat.keeper, seat.caller, data, key=key, region=region)
        view, code = Report(told=told), status.HTTP_200_OK
    except Invalid:
        view, code = Report(is_refused=True), status.HTTP_422_UNPROCESSABLE_CONTENT
    if seat.frame.is_fragment:
        return seat.show(view, code)
    return seat.show(ImportForm(id=chosen if is_id(chosen) else new_id(), report=view), code)


@router.get("/import/{job}")
async def progress(job: IdPath, seat: StaffSeat) -> Response:
    """Say how far one's own import has come."""
    told = await importing.progress(seat.database, seat.caller, job, headings=seat.state.headings, clock=seat.clock)
    view = Progress(job=told, report=Report(told=told))
    return seat.show(view if seat.frame.is_fragment else ImportPage(progress=view))
