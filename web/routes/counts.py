"""Counts of people by what identifies nobody. The address says what is counted, so that a bookmark keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import HTMLResponse

from crm.contacts import counting
from crm.contacts.schemas import CountIn
from crm.errors import Invalid
from web.forms import read, sure
from web.render import View
from web.seat import StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
QUIET_DAYS = (30, 90, 365)
Word = Annotated[str, Query(max_length=80)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(View):
    """The criteria, and how many fit, in tens."""

    template: ClassVar[str] = "staff/counts.html"
    given: Mapping[str, str]
    terms: Mapping[str, Sequence[str]]
    count: int | str | None = None
    problem: str = ""


@router.get("/contacts/counts")
async def counts(  # noqa: PLR0917 - a criterion each
    seat: StaffSeat, stage: Word = "", product: Word = "", tag: Word = "", country: Word = "", owner: Word = "",
    quiet: Word = "",
) -> Response:  # fmt: skip
    """Count who fits at most three criteria; nothing is counted before there is one."""
    given = {
        "stage": stage, "product": product, "tag": tag, "country": country, "owner": owner, "quiet": quiet,
    }  # fmt: skip
    view = Counts(given=given, terms=await seat.terms())
    asked: dict[str, Any] = {name: given[name] for name in ("stage", "product", "country") if given[name]}
    asked |= {"tags": [tag]} if tag else {}
    asked |= {"owner": "me"} if owner else {}
    if quiet.isascii() and quiet.isdigit() and int(quiet) in QUIET_DAYS:
        asked["quiet_since"] = seat.frame.tongue.today() - timedelta(days=int(quiet))
    if not asked:
        return seat.show(view)
    criteria, _ = read(CountIn, asked)
    try:
        told = await counting.count(seat.reads, seat.caller, sure(criteria), vocabulary=seat.vocabulary)
    except Invalid:
        problem = "many" if len(asked) > 3 else "unknown"  # noqa: PLR2004 - as CountIn has it
        view = Counts(given=given, terms=view.terms, problem=problem)
        return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT)
    return seat.show(Counts(given=given, terms=view.terms, count=told["count"]))
