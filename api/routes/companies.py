"""Companies: find, open, make, change, merge, erase."""

from typing import Any

from fastapi import APIRouter, Response, status

from api.http.answer import answer
from api.http.deps import CareDep, ContactPath, IfMatchDep, ServeDep, StaffDep, WriteSessionDep
from api.routes.contacts import Ground, Reason, Reference
from crm.contacts import companies, erasing, merging, service
from crm.contacts.answers import company_label_out
from crm.contacts.schemas import CompanyIn, CompanyPatch, MergeIn, SearchIn
from crm.kit.pii import Pii

router = APIRouter(tags=["companies"])


@router.get("/v1/companies/{company}", response_class=Response)
async def open_company(
    company: ContactPath, desk: StaffDep, reason: Reason = "other", ref: Reference = None
) -> Response:
    """Open one company with at most eight of its people."""
    page = await companies.open_company(
        desk.reads, desk.keeper, desk.caller, company, reason=reason, ref=ref, vocabulary=desk.vocabulary
    )
    return answer(page.document, page.etag)


@router.post("/v1/companies/search")
async def search_companies(body: SearchIn, desk: ServeDep) -> dict[str, Any]:
    """Find companies by the beginnings of words; at most eight labels."""
    found = await desk.keeper.search(desk.token, Pii(body.q), "company")
    return {"matches": [company_label_out(label) for label in found.matches], "more": found.more}


@router.post("/v1/companies", status_code=status.HTTP_201_CREATED)
async def create_company(body: CompanyIn, desk: StaffDep, db: WriteSessionDep) -> dict[str, Any]:
    """Make a company; somebody with the same address or number is a warning."""
    made = await service.create(
        db, desk.keeper, desk.caller, body, reads=desk.reads, vocabulary=desk.vocabulary, clock=desk.clock
    )
    return {"id": made.id, "log_index": made.log_index}


@router.patch("/v1/companies/{company}")
async def change_company(
    company: ContactPath, body: CompanyPatch, etag: IfMatchDep, desk: StaffDep, response: Response
) -> dict[str, Any]:
    """Change a company by JSON Merge Patch."""
    changed = await service.change(
        desk.database, desk.keeper, desk.caller, company,
        patch=body, etag=etag, vocabulary=desk.vocabulary, clock=desk.clock,
    )  # fmt: skip
    response.headers["etag"] = changed.etag
    return {"id": changed.id, "log_index": changed.log_index}


@router.delete("/v1/companies/{company}", status_code=status.HTTP_202_ACCEPTED)
async def erase_company(company: ContactPath, ground: Ground, desk: ServeDep, db: WriteSessionDep) -> dict[str, Any]:
    """Schedule an erasure: opens stop at once, 72 hours to cancel; its people stay."""
    return await erasing.erase(db, desk.keeper, desk.token, company, ground=ground, reads=desk.reads, kind="company")


@router.post("/v1/companies/{company}/erase/cancel")
async def cancel_erasure_of_company(company: ContactPath, desk: CareDep) -> dict[str, Any]:
    """Cancel a scheduled erasure, as a second person."""
    index = await erasing.cancel_erase(desk.database, desk.keeper, desk.caller, company, kind="company")
    return {"log_index": index}


@router.post("/v1/companies/{company}/merge")
async def merge_company(company: ContactPath, body: MergeIn, desk: StaffDep, db: WriteSessionDep) -> dict[str, Any]:
    """Let another company stand for this one too."""
    index = await merging.merge(
        db, desk.keeper, desk.caller, company, given=body, reads=desk.reads, clock=desk.clock, kind="company"
    )
    return {"log_index": index}


@router.post("/v1/companies/{company}/merge/undo")
async def unmerge_company(company: ContactPath, desk: StaffDep) -> dict[str, Any]:
    """Undo a merge within its 30 days."""
    index = await merging.unmerge(desk.database, desk.keeper, desk.caller, company, clock=desk.clock, kind="company")
    return {"log_index": index}
