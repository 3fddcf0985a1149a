"""Finding somebody, their page, and logging what was said; nothing is opened that was not asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from api.http.deps import ContactPath, WriteSessionDep
from crm.contacts import consents
from crm.contacts.schemas import SearchIn, label_out
from crm.contacts.vocabulary import RETIRED, Kind
from crm.interactions import service, writing
from crm.interactions.schemas import InteractionIn
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from web import charts
from web.forms import FormDep, read, text, texts
from web.frame import REASONS, Frame
from web.language import Tongue
from web.render import View
from web.seat import CareSeat, Seat, StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
KINDS = ("call", "email", "meeting", "chat", "note")
SPARK_DAYS = 30
Reason = Annotated[str | None, Query(pattern="^(" + "|".join(REASONS) + ")$")]
Before = Annotated[str, Query(pattern=r"^-?[0-9]{1,13}-[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(View):
    """At most eight labels; none of them is opened by being shown."""

    template: ClassVar[str] = "staff/found.html"
    matches: Sequence[Mapping[str, Any]]
    more: bool
    is_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts(View):
    """The search, and the people of the last days beside it."""

    template: ClassVar[str] = "staff/contacts.html"
    found: Found | None
    recent: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What was said on one day, newest first."""

    day: date
    interactions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer(View):
    """A call, e-mail, meeting, chat or note as it is being logged; `errors` by field."""

    template: ClassVar[str] = "staff/composer.html"
    contact: str
    id: str
    given: Mapping[str, Any]
    products: Sequence[str]
    needs: Sequence[str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline(View):
    """A part of what was said, and where the older part begins."""

    template: ClassVar[str] = "staff/timeline.html"
    contact: str
    days: Sequence[Day]
    next: str | None
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(View):
    """One person: what was said and agreed, what they allow, who has looked."""

    template: ClassVar[str] = "staff/contact.html"
    id: str
    name: str
    etag: str
    contact: Mapping[str, Any]
    timeline: Timeline
    composer: Composer
    standing: Sequence[Mapping[str, Any]]
    objected_at: str | None
    looks: Sequence[Mapping[str, Any]]
    spark: str
    lookers: int
    log_index: int


@router.get("/contacts")
async def contacts(seat: StaffSeat) -> Response:
    """Ask for whom; show whom one worked with."""
    recent = await seat.keeper.recent(seat.token)
    return seat.show(Contacts(found=None, recent=[label_out(label) for label in recent.matches]))


@router.post("/contacts/search")
async def search(seat: StaffSeat, form: FormDep) -> Response:
    """Find by the beginnings of words, or by a whole address or number."""
    given, _ = read(SearchIn, {"q": text(form, "q")})
    if given is None:
        found = Found(matches=(), more=False, is_short=True)
    else:
        labels = await seat.keeper.search(seat.token, Pii(given.q))
        found = Found(matches=[label_out(label) for label in labels.matches], more=labels.more)
    return seat.show(found if seat.frame.is_fragment else Contacts(found=found, recent=()))


@router.get("/contacts/{contact}")
async def contact(contact: ContactPath, seat: CareSeat, reason: Reason = None) -> Response:
    """Open one person, for the reason in the frame; the entry is written before anything is shown."""
    purpose = "serve" if "staff" in seat.caller.roles else "subject_request"
    page = await service.open_contact(
        seat.reads, seat.keeper, seat.token, contact,
        purpose=purpose, reason=reason or seat.frame.reason, ref=None, vocabulary=seat.vocabulary,
    )  # fmt: skip
    looks = await seat.keeper.looks(seat.token, contact)
    said = await consents.list_of(seat.reads, seat.caller, contact, vocabulary=seat.vocabulary)
    names = await _names(seat)
    document, told = page.document, seat.frame.tongue
    identity = document["identity"]
    name = " ".join(filter(None, (identity.get("given_name"), identity.get("family_name")))) or identity.get("company")
    return seat.show(
        Contact(
            id=contact, name=name or "?", etag=page.etag, contact=document,
            timeline=_timeline(contact, document, names, told),
            composer=await _composer(seat, contact, {"kind": "call", "direction": "in"}),
            standing=said["standing"], objected_at=said["objected_at"],
            looks=[{**one, "name": one["name"] or names.get(one["actor"], "")} for one in looks],
            spark=_spark(looks, told), lookers=len({one["actor"] for one in looks}), log_index=document["log_index"],
        )
    )  # fmt: skip


@router.get("/contacts/{contact}/interactions")
async def older(contact: ContactPath, seat: CareSeat, before: Before) -> Response:
    """Open the next older interactions."""
    purpose = "serve" if "staff" in seat.caller.roles else "subject_request"
    document = await service.list_older(
        seat.reads, seat.keeper, seat.token, contact,
        purpose=purpose, reason=seat.frame.reason, before=before, vocabulary=seat.vocabulary,
    )  # fmt: skip
    return seat.show(_timeline(contact, document, await _names(seat), seat.frame.tongue))


@router.post("/contacts/{contact}/interactions")
async def log(contact: ContactPath, seat: StaffSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Log an interaction; what is not accepted comes back as it was typed."""
    typed = _typed(form, seat.frame)
    given, errors = read(InteractionIn, typed)
    if given is None:
        view = await _composer(seat, contact, {**typed, "needs": texts(form, "needs")}, errors, text(form, "id"))
        return seat.show(view, status.HTTP_422_UNPROCESSABLE_CONTENT)
    await writing.create(
        db, seat.keeper, seat.caller, contact,
        given=given, reads=seat.reads, vocabulary=seat.vocabulary, clock=seat.clock,
    )  # fmt: skip
    return seat.go(f"/contacts/{contact}")


def _typed(form: FormData, frame: Frame) -> dict[str, Any]:
    """Take an interaction as REST takes it; times are the reader's, and now where none was given."""
    told = frame.tongue
    kind = text(form, "kind")
    typed: dict[str, Any] = {
        "id": text(form, "id") or None, "kind": kind,
        "direction": "internal" if kind == "note" else text(form, "direction"),
        "occurred_at": _moment(text(form, "occurred_at"), told), "summary": text(form, "summary"),
        "notes": text(form, "notes"), "product": text(form, "product") or None, "needs": texts(form, "needs"),
    }  # fmt: skip
    if title := text(form, "follow_up"):
        typed["follow_up"] = {"title": title, "due": _moment(text(form, "due") + "T09:00", told)}
    return typed


def _moment(typed: str, told: Tongue) -> str:
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        at = told.now
    return (at if at.tzinfo else at.replace(tzinfo=told.zone)).isoformat()


async def _composer(
    seat: Seat, contact: str, given: Mapping[str, Any], errors: Mapping[str, str] | None = None, id_: str = ""
) -> Composer:
    terms, _ = await seat.vocabulary.read(seat.token)
    retired = terms.get(RETIRED, {})

    def of(kind: Kind) -> list[str]:
        return sorted(term for term_id, term in terms.get(kind, {}).items() if term_id not in retired)

    # The id is made with the form: sending it twice logs once.
    return Composer(
        contact=contact, id=id_ or new_id(), given=given, products=of(Kind.PRODUCT), needs=of(Kind.NEED),
        errors=errors or {},
    )  # fmt: skip


async def _names(seat: Seat) -> dict[str, str]:
    return {one["id"]: one["name"] for one in await seat.keeper.colleagues(seat.token)}


def _timeline(contact: str, document: Mapping[str, Any], names: Mapping[str, str], told: Tongue) -> Timeline:
    by_day = groupby(document["interactions"], key=lambda one: told.moment(one["occurred_at"]).date())
    days = [Day(day=day, interactions=list(some)) for day, some in by_day]
    return Timeline(contact=contact, days=days, next=document["next"], names=names)


def _spark(looks: Sequence[Mapping[str, Any]], told: Tongue) -> str:
    """Draw how often somebody looked on each of the last thirty days."""
    first = told.today() - timedelta(days=SPARK_DAYS - 1)
    counts = dict.fromkeys((first + timedelta(days=day) for day in range(SPARK_DAYS)), 0)
    for look in looks:
        if (day := told.moment(look["at"]).date()) in counts:
            counts[day] += 1
    bars = [(told.day(day), count) for day, count in counts.items()]
    summary = told.catalogue.gettext("Looks on each of the last 30 days")
    return charts.sparkline(bars, summary)
