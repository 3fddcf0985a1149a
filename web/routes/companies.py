"""Companies: found, and opened with some of their people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from api.http.deps import ContactPath
from crm.contacts import companies
from crm.contacts.answers import company_label_out
from crm.contacts.schemas import SearchIn
from crm.kit.pii import Pii
from web.forms import FormDep, read, text
from web.render import View
from web.seat import StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(View):
    """At most eight companies by their labels."""

    template: ClassVar[str] = "staff/companies_found.html"
    matches: Sequence[Mapping[str, Any]] = ()
    more: bool = False
    is_asked: bool = True
    is_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Companies(View):
    """The search for a company."""

    template: ClassVar[str] = "staff/companies.html"
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Company(View):
    """One company, and at most eight of its people by their labels."""

    template: ClassVar[str] = "staff/company.html"
    company: Mapping[str, Any]
    names: Mapping[str, str]


@router.get("/companies")
async def search_page(seat: StaffSeat) -> Response:
    """Ask for which company."""
    return seat.show(Companies(found=Found(is_asked=False)))


@router.post("/companies/search")
async def search(seat: StaffSeat, form: FormDep) -> Response:
    """Find by the beginnings of words."""
    q = text(form, "q")
    given, _ = read(SearchIn, {"q": q})
    if given is None:
        found = Found(is_asked=bool(q), is_short=True)
    else:
        labels = await seat.keeper.search(seat.token, Pii(given.q), "company")
        found = Found(matches=[company_label_out(label) for label in labels.matches], more=labels.more)
    return seat.show(found if seat.frame.is_fragment else Companies(found=found))


@router.get("/companies/{company}")
async def company(company: ContactPath, seat: StaffSeat) -> Response:
    """Open one company."""
    page = await companies.open_company(
        seat.reads, seat.keeper, seat.caller, company,
        reason=seat.frame.reason, ref=None, vocabulary=seat.vocabulary,
    )  # fmt: skip
    return seat.show(Company(company=page.document, names=await seat.names()))
