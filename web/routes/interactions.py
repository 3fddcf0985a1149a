"""Logging what was said: the draft while it is typed, its versions, its files, and to whom it belongs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import HTMLResponse

from api.http.deps import ContactPath, IdPath, WriteSessionDep
from api.http.upload import read_form
from crm.contacts.schemas import SearchIn, label_out
from crm.errors import CrmError, Invalid, Stale, TooLarge
from crm.interactions import attaching, drafting, moving, service, writing
from crm.interactions.schemas import DraftIn, InteractionIn, MoveIn, VersionIn
from crm.kit.ids import is_id, new_id
from crm.kit.pii import Pii
from web import composing, records
from web.forms import FormDep, read, sure, text
from web.render import View
from web.seat import CareSeat, Seat, StaffSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
FILES = "/contacts/{contact}/interactions/{interaction}/attachments"
# The form around the file is a few lines.
LIMIT = attaching.MOST_BYTES + (64 << 10)
WRONG = status.HTTP_422_UNPROCESSABLE_CONTENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer(View):
    """A call, e-mail, meeting, chat or note as it is being logged, or said anew; `errors` by field."""

    template: ClassVar[str] = "staff/composer.html"
    contact: str
    id: str
    given: Mapping[str, Any]
    terms: Mapping[str, Sequence[str]]
    people: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    drafted_at: str = ""
    interaction: str = ""
    version: int = 0
    is_stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(View):
    """When the draft was kept; nothing when there is none any more."""

    template: ClassVar[str] = "staff/draft.html"
    saved_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions(View):
    """Everything that was ever written of one interaction, newest first, and the form for the next version."""

    template: ClassVar[str] = "staff/versions.html"
    contact: str
    interaction: str
    versions: Sequence[Mapping[str, Any]]
    names: Mapping[str, str]
    composer: Composer
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked(View):
    """At most eight labels, one of which is chosen: `by` a link, or a form that sends its id."""

    template: ClassVar[str] = "staff/picked.html"
    contact: str
    act: str
    target: str
    matches: Sequence[Mapping[str, Any]] = ()
    more: bool = False
    is_short: bool = False
    is_asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick(View):
    """The search for the person something is to be done with."""

    template: ClassVar[str] = "staff/pick.html"
    whose: Mapping[str, Any] | None
    search: str
    picked: Picked


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRefused(View):
    """A line about a file that was not taken."""

    template: ClassVar[str] = "staff/file_refused.html"
    is_large: bool


@router.post("/contacts/{contact}/interactions")
async def log(contact: ContactPath, seat: StaffSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Log an interaction; what is not accepted comes back as it was typed."""
    typed = composing.typed(form)
    id_ = text(form, "id") if is_id(text(form, "id")) else None
    given, errors = read(InteractionIn, {**composing.interaction(typed, seat.frame.tongue), "id": id_})
    try:
        await writing.create(
            db, seat.keeper, seat.caller, contact,
            given=sure(given), reads=seat.reads, vocabulary=seat.vocabulary, clock=seat.clock,
        )  # fmt: skip
    except Invalid as error:
        view = await composer(seat, contact, typed, errors=errors or records.refused(error), id=id_ or new_id())
        return seat.show(view, WRONG)
    return seat.go(f"/contacts/{contact}")


@router.post("/contacts/{contact}/draft")
async def keep_draft(contact: ContactPath, seat: StaffSeat, db: WriteSessionDep, form: FormDep) -> Response:
    """Keep what is typed so far; an emptied form lets go of it."""
    typed = composing.typed(form)
    given, _ = read(DraftIn, composing.draft(typed, seat.frame.tongue))
    saved_at = ""
    if composing.says_nothing(typed):
        await drafting.drop(db, seat.caller, contact, reads=seat.reads)
    elif given is None:
        raise Invalid
    else:
        kept = await drafting.save(
            db, seat.keeper, seat.caller, contact, given=given, reads=seat.reads, clock=seat.clock
        )
        saved_at = kept["saved_at"]
    return seat.show(Draft(saved_at=saved_at)) if seat.frame.is_fragment else seat.go(f"/contacts/{contact}")


@router.post("/contacts/{contact}/draft/drop")
async def drop_draft(contact: ContactPath, seat: StaffSeat, db: WriteSessionDep) -> Response:
    """Let go of the draft and begin anew."""
    await drafting.drop(db, seat.caller, contact, reads=seat.reads)
    return seat.go(f"/contacts/{contact}")


@router.get("/contacts/{contact}/interactions/{interaction}")
async def versions(contact: ContactPath, interaction: IdPath, seat: CareSeat) -> Response:
    """Open every version of one interaction."""
    return seat.show(await _versions(seat, contact, interaction))


@router.post("/contacts/{contact}/interactions/{interaction}")
async def say_anew(
    contact: ContactPath, interaction: IdPath, seat: StaffSeat, db: WriteSessionDep, form: FormDep
) -> Response:
    """Write the next version; whoever is too late sees the one that stands, and sends theirs again."""
    typed = composing.typed(form)
    body = composing.interaction(typed, seat.frame.tongue)
    id_ = text(form, "id") if is_id(text(form, "id")) else None
    given, errors = read(VersionIn, {**body, "id": id_, "version": text(form, "version") or None})
    try:
        await writing.add_version(
            db, seat.keeper, seat.caller, contact, interaction,
            given=sure(given), reads=seat.reads, vocabulary=seat.vocabulary, clock=seat.clock,
        )  # fmt: skip
    except (Invalid, Stale) as error:
        told = (errors or records.refused(error)) if isinstance(error, Invalid) else {}
        view = await _versions(seat, contact, interaction, typed, errors=told, is_stale=isinstance(error, Stale))
        code = WRONG if isinstance(error, Invalid) else status.HTTP_412_PRECONDITION_FAILED
        return seat.show(view.composer if seat.frame.is_fragment else view, code)
    return seat.go(f"/contacts/{contact}")


@router.get("/contacts/{contact}/interactions/{interaction}/move")
async def move_page(contact: ContactPath, interaction: IdPath, seat: StaffSeat) -> Response:
    """Ask to whom it belongs."""
    picked = _move_to(contact, interaction, is_asked=False)
    return seat.show(Pick(whose=await seat.label(contact), search=f"{picked.target}/search", picked=picked))


@router.post("/contacts/{contact}/interactions/{interaction}/move/search")
async def move_search(contact: ContactPath, interaction: IdPath, seat: StaffSeat, form: FormDep) -> Response:
    """Find to whom it belongs."""
    return await pick(seat, _move_to(contact, interaction), text(form, "q"))


@router.post("/contacts/{contact}/interactions/{interaction}/move")
async def move(
    contact: ContactPath, interaction: IdPath, seat: StaffSeat, db: WriteSessionDep, form: FormDep
) -> Response:
    """Take an interaction to the person it is about, and go there."""
    given, _ = read(MoveIn, {"to": text(form, "to")})
    if given is None:
        raise Invalid
    await moving.move(db, seat.keeper, seat.caller, contact, interaction, given=given, reads=seat.reads)
    return seat.go(f"/contacts/{given.to}")


@router.post(FILES)
async def attach(
    contact: ContactPath, interaction: IdPath, request: Request, seat: StaffSeat, db: WriteSessionDep
) -> Response:
    """Seal a file of an interaction, held in memory until then; one that is not taken is told of in a line."""
    sent = await read_form(request)
    chosen = sent.fields.get("id", "")
    file = attaching.FileIn(bytes(sent.file or b""), sent.file_name, sent.file_type, chosen if is_id(chosen) else None)
    try:
        await attaching.add(
            db, seat.keeper, seat.caller, contact, interaction, given=file, reads=seat.reads, clock=seat.clock
        )
    except (Invalid, TooLarge) as error:
        if not seat.frame.is_fragment:
            raise
        return seat.show(FileRefused(is_large=isinstance(error, TooLarge)), WRONG)
    return seat.go(f"/contacts/{contact}")


@router.get(FILES + "/{attachment}", response_class=Response)
async def open_file(contact: ContactPath, interaction: IdPath, attachment: IdPath, seat: CareSeat) -> Response:
    """Open a file, as bytes to be saved: no browser is told what it could show."""
    file = await attaching.read(
        seat.reads, seat.keeper, seat.token, contact, interaction, attachment,
        purpose=seat.purpose, reason=seat.frame.reason,
    )  # fmt: skip
    headers = {"content-disposition": f'attachment; filename="file.{file.kind}"', "content-security-policy": "sandbox"}
    return Response(file.data, headers=headers, media_type="application/octet-stream")


async def composer(
    seat: Seat,
    contact: ContactPath,
    given: Mapping[str, Any],
    *,
    id: str = "",  # noqa: A002 - the column's name
    **more: Any,  # noqa: ANN401
) -> Composer:
    """Lay out the form; its id is made with it, so that sending it twice logs once."""
    return Composer(
        contact=contact, id=id or new_id(), given=given, terms=await seat.terms(), people=await seat.names(), **more
    )


async def restored(seat: Seat, contact: ContactPath) -> Composer:
    """Lay out the form with the draft there is, or empty."""
    try:
        kept = await drafting.read(
            seat.reads, seat.keeper, seat.caller, contact, reason=seat.frame.reason, clock=seat.clock
        )
    except CrmError:
        # None is there; or the day's budget is used up, and the page was opened with the last of it.
        return await composer(seat, contact, composing.BLANK)
    given = composing.again(kept["draft"], seat.frame.tongue)
    return await composer(seat, contact, given, drafted_at=kept["saved_at"])


async def pick(seat: Seat, picked: Picked, q: str) -> Response:
    """Show whom a search finds, to be picked."""
    given, _ = read(SearchIn, {"q": q})
    about: dict[str, Any] = {"contact": picked.contact, "act": picked.act, "target": picked.target}
    if given is None:
        view = Picked(**about, is_short=bool(q), is_asked=bool(q))
    else:
        found = await seat.keeper.search(seat.token, Pii(given.q))
        matches = [label_out(label) for label in found.matches if label["id"] != picked.contact]
        view = Picked(**about, matches=matches, more=found.more)
    if seat.frame.is_fragment:
        return seat.show(view)
    return seat.show(Pick(whose=await seat.label(picked.contact), search=seat.frame.path, picked=view))


def _move_to(contact: str, interaction: str, *, is_asked: bool = True) -> Picked:
    target = f"/contacts/{contact}/interactions/{interaction}/move"
    return Picked(contact=contact, act="move", target=target, is_asked=is_asked)


async def _versions(
    seat: Seat,
    contact: ContactPath,
    interaction: str,
    typed: Mapping[str, Any] | None = None,
    **more: Any,  # noqa: ANN401
) -> Versions:
    document = await service.list_versions(
        seat.reads, seat.keeper, seat.token, contact, interaction,
        purpose=seat.purpose, reason=seat.frame.reason, vocabulary=seat.vocabulary,
    )  # fmt: skip
    newest = document["versions"][-1]
    given = typed or composing.again(newest, seat.frame.tongue)
    form = await composer(seat, contact, given, interaction=interaction, version=newest["version"], **more)
    return Versions(
        contact=contact, interaction=interaction, versions=document["versions"][::-1], names=await seat.names(),
        composer=form, log_index=document["log_index"],
    )  # fmt: skip
