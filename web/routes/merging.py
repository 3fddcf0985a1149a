"""Two records of one person: found, compared side by side, made one, and two again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from api.http.deps import ContactPath, WriteSessionDep
from crm.contacts import comparing, merging
from crm.contacts.schemas import SECTIONS, CompareIn, MergeIn
from crm.errors import Invalid, NotFound
from crm.kit.ids import ContactId
from web.forms import FormDep, read, text, texts
from web.render import View
from web.routes.interactions import Pick, Picked, pick
from web.seat import StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
FIELDS = tuple(name for names in SECTIONS.values() for name in names)
WITH = Query(alias="with", pattern="^[0-9a-f]{32}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(View):
    """Two people side by side: the first stays, the other goes; `rows` are name, its values, whether they differ."""

    template: ClassVar[str] = "staff/compare.html"
    id: str
    other: str
    names: tuple[str, str]
    rows: Sequence[tuple[str, Any, Any, bool]]
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(View):
    """Two are one, and how to take that back."""

    template: ClassVar[str] = "staff/merged.html"
    id: str
    other: str


@router.get("/contacts/{contact}/merge")
async def merge_page(contact: ContactPath, seat: StaffSeat, other: Annotated[str | None, WITH] = None) -> Response:
    """Ask for the other one; then open both in one entry."""
    if other is None:
        picked = Picked(contact=contact, act="merge", target=f"/contacts/{contact}/merge", is_asked=False)
        return seat.show(Pick(whose=await seat.label(contact), search=f"{picked.target}/search", picked=picked))
    given, _ = read(CompareIn, {"ids": [contact, other]})
    if given is None:
        raise NotFound
    told = await comparing.compare(seat.reads, seat.keeper, seat.caller, given.ids)
    first, second = ({name: one[part].get(name) for part, names in SECTIONS.items() for name in names}
                     for one in told["people"])  # fmt: skip
    rows = [
        (name, first[name], second[name], name in told["differs"]) for name in FIELDS if first[name] or second[name]
    ]
    names = (_name(first), _name(second))
    return seat.show(Compare(id=contact, other=other, names=names, rows=rows, log_index=told["log_index"]))


@router.post("/contacts/{contact}/merge/search")
async def merge_search(contact: ContactPath, seat: StaffSeat, form: FormDep) -> Response:
    """Find the other one."""
    target = f"/contacts/{contact}/merge"
    return await pick(seat, Picked(contact=contact, act="merge", target=target), text(form, "q"))


@router.post("/contacts/{contact}/merge")
async def merge(contact: ContactPath, seat: StaffSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Let this one stand for the other too, with what was chosen of the other."""
    given, _ = read(MergeIn, {"into": contact, "keep": texts(form, "take")})
    other, _ = read(CompareIn, {"ids": [contact, text(form, "with")]})
    if given is None or other is None:
        raise Invalid
    gone = ContactId(other.ids[1])
    await merging.merge(db, seat.keeper, seat.caller, gone, given=given, reads=seat.reads, clock=seat.clock)
    return seat.go(f"/contacts/{contact}/merged?with={gone}")


@router.get("/contacts/{contact}/merged")
async def merged(contact: ContactPath, seat: StaffSeat, other: Annotated[str, WITH]) -> Response:
    """Say that two are one; whether they are, only undoing it tells."""
    return seat.show(Merged(id=contact, other=other))


@router.post("/contacts/{contact}/merge/undo")
async def undo(contact: ContactPath, seat: StaffSeat) -> Response:
    """Make two of them again, within 30 days; the one that had gone is shown."""
    await merging.unmerge(seat.database, seat.keeper, seat.caller, contact, clock=seat.clock)
    return seat.go(f"/contacts/{contact}")


def _name(person: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (person["given_name"], person["family_name"]))) or person["company"] or "?"
