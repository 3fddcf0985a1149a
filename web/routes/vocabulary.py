"""The words people choose from; what is retired stays readable and is not given out any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from api.http.deps import IdPath
from api.http.problem import status_of
from crm.contacts.schemas import TermIn, TermPatch
from crm.contacts.vocabulary import RETIRED, Kind
from crm.errors import Invalid
from web.forms import FormDep, read, text
from web.render import View
from web.seat import AdminSeat, Seat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Term(NamedTuple):
    """One word or wording."""

    id: str
    text: str
    is_retired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary(View):
    """One vocabulary, and how many words each has; `typed` comes back with what was wrong about it, for `about`."""

    template: ClassVar[str] = "admin/vocabulary.html"
    kind: str
    terms: Sequence[Term]
    counts: Mapping[str, int]
    about: str = ""
    typed: str = ""
    problem: str = ""


@router.get("/vocabulary")
async def first_vocabulary(seat: AdminSeat) -> Response:
    """Show the stages."""
    return seat.show(await _vocabulary(seat, Kind.STAGE))


@router.get("/vocabulary/{kind}")
async def vocabulary(kind: Kind, seat: AdminSeat) -> Response:
    """Show one vocabulary."""
    return seat.show(await _vocabulary(seat, kind))


@router.post("/vocabulary/{kind}")
async def add_term(kind: Kind, seat: AdminSeat, form: FormDep) -> Response:
    """Add a word, or give one out again that was retired."""
    typed = text(form, "term")
    given, errors = read(TermIn, {"term": typed})
    if given is None:
        return await _again(seat, kind, "", typed, errors["term"])
    try:
        await seat.vocabulary.add(seat.token, kind, given.term)
    except Invalid as error:
        return await _again(seat, kind, "", typed, error.reason)
    return seat.go(f"/vocabulary/{kind}")


@router.post("/vocabulary/{kind}/{term}")
async def change_term(kind: Kind, term: IdPath, seat: AdminSeat, form: FormDep) -> Response:
    """Rename a word for everybody who has it, retire it, or give it out again."""
    typed, retired = text(form, "term"), text(form, "retired")
    given, errors = read(TermPatch, {"term": typed} if "term" in form else {"retired": retired == "yes"})
    if given is None:
        return await _again(seat, kind, term, typed, errors["term"])
    try:
        await seat.vocabulary.change(seat.token, kind, term, text=given.term, is_retired=given.retired)
    except Invalid as error:
        return await _again(seat, kind, term, typed, error.reason)
    return seat.go(f"/vocabulary/{kind}")


async def _again(seat: Seat, kind: Kind, about: str, typed: str, problem: str) -> Response:
    view = await _vocabulary(seat, kind, about=about, typed=typed, problem=problem)
    return seat.show(view, status_of("invalid"))


async def _vocabulary(seat: Seat, kind: Kind, *, about: str = "", typed: str = "", problem: str = "") -> Vocabulary:
    said, _ = await seat.vocabulary.read(seat.token)
    retired = said.get(RETIRED, {})
    terms = [Term(id_, term, id_ in retired) for id_, term in said.get(kind, {}).items()]
    counts = {each.value: sum(id_ not in retired for id_ in said.get(each, {})) for each in Kind}
    return Vocabulary(
        kind=kind.value, terms=sorted(terms, key=lambda term: (term.is_retired, term.text.casefold())), counts=counts,
        about=about, typed=typed, problem=problem,
    )  # fmt: skip
