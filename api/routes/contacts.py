"""Contacts: find, open, compare, count, make, change, merge, erase."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, status

from api.http.answer import answer
from api.http.deps import CareDep, ContactPath, CountDep, IfMatchDep, ServeDep, StaffDep, WriteSessionDep
from crm.contacts import comparing, counting, erasing, merging, ownership, service
from crm.contacts.schemas import CompareIn, ContactIn, ContactPatch, CountIn, MergeIn, SearchIn, label_out
from crm.interactions import service as interactions
from crm.kit.pii import Pii

router = APIRouter(tags=["contacts"])

# What an open can be for, through these routes; the keeper decides whose purpose it is.
OpenFor = Annotated[Literal["serve", "subject_request"], Query()]
Reason = Annotated[Literal["call", "email", "follow_up", "complaint", "order", "correction", "other"], Query()]
Reference = Annotated[str | None, Query(pattern=r"^[a-z]{1,16}:[0-9a-f]{32}$")]
Ground = Annotated[Literal["request", "objection", "retention", "mistake"], Query()]


@router.get("/v1/contacts/{contact}", response_class=Response)
async def open_contact(
    contact: ContactPath, purpose: OpenFor, desk: ServeDep, reason: Reason = "other", ref: Reference = None
) -> Response:
    """Open one contact with its newest 50 interactions."""
    page = await interactions.open_contact(
        desk.reads, desk.keeper, desk.token, contact,
        purpose=purpose, reason=reason, ref=ref, vocabulary=desk.vocabulary,
    )  # fmt: skip
    return answer(page.document, page.etag)


@router.post("/v1/contacts/search")
async def search_contacts(body: SearchIn, desk: ServeDep) -> dict[str, Any]:
    """Find contacts by the beginnings of words; at most eight labels."""
    found = await desk.keeper.search(desk.token, Pii(body.q))
    return {"matches": [label_out(label) for label in found.matches], "more": found.more}


@router.get("/v1/contacts")
async def list_own(owner: Annotated[Literal["me"], Query()], desk: StaffDep) -> dict[str, Any]:  # noqa: ARG001 - the one value there is
    """Label the contacts of one's own that changed last, at most twenty; nobody else's, and no next page."""
    return await ownership.list_owned(desk.reads, desk.keeper, desk.caller)


@router.post("/v1/contacts/count")
async def count_contacts(body: CountIn, desk: CountDep) -> dict[str, Any]:
    """Count people by at most three plain attributes, in tens."""
    return await counting.count(desk.reads, desk.caller, body, vocabulary=desk.vocabulary)


@router.post("/v1/contacts/compare")
async def compare_contacts(body: CompareIn, desk: StaffDep) -> dict[str, Any]:
    """Open two people side by side, who may be one."""
    return await comparing.compare(desk.reads, desk.keeper, desk.caller, body.ids)


@router.post("/v1/contacts", status_code=status.HTTP_201_CREATED)
async def create_contact(body: ContactIn, desk: StaffDep, db: WriteSessionDep) -> dict[str, Any]:
    """Make a contact; somebody with the same address or number is a warning."""
    made = await service.create(
        db, desk.keeper, desk.caller, body, reads=desk.reads, vocabulary=desk.vocabulary, clock=desk.clock
    )
    return {"id": made.id, "log_index": made.log_index}


@router.patch("/v1/contacts/{contact}")
async def change_contact(
    contact: ContactPath, body: ContactPatch, etag: IfMatchDep, desk: StaffDep, response: Response
) -> dict[str, Any]:
    """Change a contact by JSON Merge Patch."""
    changed = await service.change(
        desk.database, desk.keeper, desk.caller, contact,
        patch=body, etag=etag, vocabulary=desk.vocabulary, clock=desk.clock,
    )  # fmt: skip
    response.headers["etag"] = changed.etag
    return {"id": changed.id, "log_index": changed.log_index}


@router.delete("/v1/contacts/{contact}", status_code=status.HTTP_202_ACCEPTED)
async def erase_contact(contact: ContactPath, ground: Ground, desk: ServeDep, db: WriteSessionDep) -> dict[str, Any]:
    """Schedule an erasure: opens stop at once, 72 hours to cancel."""
    return await erasing.erase(db, desk.keeper, desk.token, contact, ground=ground, reads=desk.reads)


@router.post("/v1/contacts/{contact}/erase/cancel")
async def cancel_erasure(contact: ContactPath, desk: CareDep) -> dict[str, Any]:
    """Cancel a scheduled erasure, as a second person."""
    return {"log_index": await erasing.cancel_erase(desk.database, desk.keeper, desk.caller, contact)}


@router.put("/v1/contacts/{contact}/restriction")
async def restrict_contact(contact: ContactPath, desk: ServeDep) -> dict[str, Any]:
    """Keep a contact from everything but its own request, as a privacy officer; again is the same."""
    return {"log_index": await desk.keeper.restrict(desk.token, contact)}


@router.delete("/v1/contacts/{contact}/restriction")
async def lift_restriction(contact: ContactPath, desk: ServeDep) -> dict[str, Any]:
    """Lift a restriction, as a privacy officer."""
    return {"log_index": await desk.keeper.restrict(desk.token, contact, lift=True)}


@router.post("/v1/contacts/{contact}/merge")
async def merge_contact(contact: ContactPath, body: MergeIn, desk: StaffDep, db: WriteSessionDep) -> dict[str, Any]:
    """Let another contact stand for this one too."""
    index = await merging.merge(db, desk.keeper, desk.caller, contact, given=body, reads=desk.reads, clock=desk.clock)
    return {"log_index": index}


@router.post("/v1/contacts/{contact}/merge/undo")
async def unmerge_contact(contact: ContactPath, desk: StaffDep) -> dict[str, Any]:
    """Undo a merge within its 30 days."""
    index = await merging.unmerge(desk.database, desk.keeper, desk.caller, contact, clock=desk.clock)
    return {"log_index": index}


@router.get("/v1/contacts/{contact}/looks")
async def list_looks(contact: ContactPath, desk: ServeDep) -> dict[str, Any]:
    """List who looked at a contact, why, when, and in which entry."""
    return {"looks": await desk.keeper.looks(desk.token, contact)}
