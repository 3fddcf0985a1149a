"""The log over HTTP: checkpoint and hash tiles for everybody, entries and proofs for auditors."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, model_validator
from starlette.responses import PlainTextResponse, Response

from api.http.deps import AuditDep, PublicDep
from crm.audit.receipts import receipt
from crm.contacts.schemas import Email, Input, Phone
from crm.errors import NotFound
from crm.kit.clock import rfc3339
from crm.kit.merkle import WIDTH
from crm.kit.pii import Pii
from crm.kit.proofs import parse_tile_path

router = APIRouter(tags=["log"])

WORD = r"^[a-z_]{1,32}$"
ID = r"^[0-9a-f]{32}$"
LARGEST_INDEX = 2**53
IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
# A partial tile holds its path's width for ever, but logs drop it once the full one is there.
FLEETING = {"cache-control": "public, max-age=60"}


def _dated(text: object) -> object:
    """Refuse a bare number, which pydantic would take for seconds."""
    if not isinstance(text, str) or text[4:5] != "-":
        raise ValueError("not a time of RFC 3339")
    return text


Moment = Annotated[datetime, BeforeValidator(_dated)]
Word = Annotated[str | None, Query(pattern=WORD)]
Id = Annotated[str | None, Query(pattern=ID)]


def _print(at: datetime) -> str:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return rfc3339(int(aware.timestamp() * 1000))


@router.get("/v1/log/entries")
async def list_entries(  # noqa: PLR0917 - one parameter for each filter of the contract
    desk: AuditDep,
    actor: Id = None,
    act: Word = None,
    purpose: Word = None,
    subject: Id = None,
    outcome: Annotated[str | None, Query(pattern=r"^[a-z-]{1,32}$")] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    after: Annotated[int, Query(ge=-1, le=LARGEST_INDEX)] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """List entries in order that fit every filter; `next` goes on where this answer ends."""
    given: dict[str, Any] = {
        "actor": actor, "act": act, "purpose": purpose, "subject": subject, "outcome": outcome,
        "from": since and _print(since), "to": until and _print(until), "after": after, "limit": limit,
    }  # fmt: skip
    return await desk.keeper.entries(desk.token, **{name: value for name, value in given.items() if value is not None})


class SubjectBody(Input):
    """A whole e-mail address or phone number, as a complaint names it."""

    email: Email | None = None
    phone: Phone | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.phone is None):
            raise ValueError("give an e-mail address or a phone number")
        return self


@router.post("/v1/log/subject")
async def find_subject(body: SubjectBody, desk: AuditDep) -> dict[str, str | None]:
    """Tell the id behind an address or number, so that its entries can be found; no name."""
    kind, value = ("email", body.email) if body.email else ("phone", body.phone)
    return {"id": await desk.keeper.subject_of(desk.token, kind, Pii(value or ""))}


@router.get("/v1/log/entries/{index}/proof", response_class=PlainTextResponse)
async def prove_entry(index: int, desk: AuditDep) -> str:
    """Return the inclusion proof of one entry, as C2SP tlog-proof."""
    await desk.keeper.entries(desk.token, limit=1)  # who may read entries may have their proofs
    return await receipt(desk.keeper, index)


@router.get("/log/checkpoint", response_class=PlainTextResponse)
async def checkpoint(app: PublicDep) -> str:
    """Return the newest checkpoint, as C2SP tlog-checkpoint."""
    return await app.keeper.checkpoint()


@router.get("/log/tile/entries/{path:path}", response_class=Response)
async def entry_bundle(path: str, desk: AuditDep) -> Response:
    """Return a bundle of entries, as C2SP tlog-tiles."""
    _, n, width = _tile(f"tile/entries/{path}")
    return Response(await desk.keeper.bundle(desk.token, n, width), media_type="application/octet-stream")


@router.get("/log/tile/{path:path}", response_class=Response)
async def hash_tile(path: str, app: PublicDep) -> Response:
    """Return a tile of hashes, as C2SP tlog-tiles."""
    level, n, width = _tile(f"tile/{path}")
    # The path of entries belongs to the route above.
    tile = await app.keeper.tile(int(level), n, width)
    headers = IMMUTABLE if width == WIDTH else FLEETING
    return Response(tile, headers=headers, media_type="application/octet-stream")


def _tile(path: str) -> tuple[int | str, int, int]:
    try:
        return parse_tile_path(path)
    except ValueError as error:
        raise NotFound from error
