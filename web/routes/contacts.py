"""Finding somebody, and their page; nothing is opened that was not asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from api.http.deps import ContactPath
from crm.contacts import consents
from crm.contacts.schemas import SearchIn, label_out
from crm.interactions import service
from crm.kit.pii import Pii
from web import charts
from web.forms import FormDep, read, text
from web.frame import REASONS
from web.language import Tongue
from web.render import View
from web.routes.interactions import Composer, restored
from web.seat import CareSeat, StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
SPARK_DAYS = 30
MOST_FOUND = 8
Reason = Annotated[str | None, Query(pattern="^(" + "|".join(REASONS) + ")$")]
Before = Annotated[str, Query(pattern=r"^-?[0-9]{1,13}-[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(View):
    """At most eight labels; none of them is opened by being shown."""

    template: ClassVar[str] = "staff/found.html"
    matches: Sequence[Mapping[str, Any]]
    more: bool
    is_short: bool = False
    is_recent: bool = False


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
    composer: Composer | None
    standing: Sequence[Mapping[str, Any]]
    objected_at: str | None
    looks: Sequence[Mapping[str, Any]]
    spark: str
    lookers: int
    log_index: int


@router.get("/contacts")
async def contacts(seat: StaffSeat) -> Response:
    """Ask for whom; show whom one worked with."""
    return seat.show(Contacts(found=None, recent=await seat.recent()))


@router.post("/contacts/search")
async def search(seat: StaffSeat, form: FormDep) -> Response:
    """Find by the beginnings of words, or by a whole address or number."""
    q = text(form, "q")
    given, _ = read(SearchIn, {"q": q})
    if not q:
        found = Found(matches=(await seat.recent())[:MOST_FOUND], more=False, is_recent=True)
    elif given is None:
        found = Found(matches=(), more=False, is_short=True)
    else:
        labels = await seat.keeper.search(seat.token, Pii(given.q))
        found = Found(matches=[label_out(label) for label in labels.matches], more=labels.more)
    return seat.show(found if seat.frame.is_fragment else Contacts(found=found, recent=()))


@router.get("/contacts/{contact}")
async def contact(contact: ContactPath, seat: CareSeat, reason: Reason = None) -> Response:
    """Open one person, for the reason in the frame; the entry is written before anything is shown."""
    page = await service.open_contact(
        seat.reads, seat.keeper, seat.token, contact,
        purpose=seat.purpose, reason=reason or seat.frame.reason, ref=None, vocabulary=seat.vocabulary,
    )  # fmt: skip
    looks = await seat.keeper.looks(seat.token, contact)
    said = await consents.list_of(seat.reads, seat.caller, contact, vocabulary=seat.vocabulary)
    names = await seat.names()
    document, told = page.document, seat.frame.tongue
    identity = document["identity"]
    name = " ".join(filter(None, (identity.get("given_name"), identity.get("family_name")))) or identity.get("company")
    return seat.show(
        Contact(
            id=contact, name=name or "?", etag=page.etag, contact=document,
            timeline=_timeline(contact, document, names, told),
            composer=await restored(seat, contact) if "staff" in seat.caller.roles else None,
            standing=said["standing"], objected_at=said["objected_at"],
            looks=[{**one, "name": one["name"] or names.get(one["actor"], "")} for one in looks],
            spark=_spark(looks, told), lookers=len({one["actor"] for one in looks}), log_index=document["log_index"],
        )
    )  # fmt: skip


@router.get("/contacts/{contact}/interactions")
async def older(contact: ContactPath, seat: CareSeat, before: Before) -> Response:
    """Open the next older interactions."""
    document = await service.list_older(
        seat.reads, seat.keeper, seat.token, contact,
        purpose=seat.purpose, reason=seat.frame.reason, before=before, vocabulary=seat.vocabulary,
    )  # fmt: skip
    return seat.show(_timeline(contact, document, await seat.names(), seat.frame.tongue))


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
