"""Vocabularies: what stages, tags, products, needs, topics and wordings there are."""

from typing import Any

from fastapi import APIRouter, status

from api.http.deps import AdminDep, HouseDep, IdPath, ManageDep
from crm.contacts.schemas import TermIn, TermPatch
from crm.contacts.vocabulary import RETIRED, Kind

router = APIRouter(tags=["vocabulary"])


@router.get("/v1/vocabulary/{kind}")
async def list_terms(kind: Kind, desk: HouseDep) -> dict[str, Any]:
    """List the terms of one vocabulary."""
    terms, _ = await desk.vocabulary.read(desk.token)
    retired = terms.get(RETIRED, {})
    shown = terms.get(kind, {}).items()
    return {"terms": [{"id": id_, "term": term, "retired": id_ in retired} for id_, term in shown]}


@router.post("/v1/vocabulary/{kind}", status_code=status.HTTP_201_CREATED)
async def add_term(kind: Kind, body: TermIn, desk: AdminDep) -> dict[str, Any]:
    """Add a term."""
    id_, index = await desk.vocabulary.add(desk.token, kind, body.term, id_=body.id)
    return {"id": id_, "log_index": index}


@router.patch("/v1/vocabulary/{kind}/{term}")
async def change_term(kind: Kind, term: IdPath, body: TermPatch, desk: ManageDep) -> dict[str, Any]:
    """Rename a term, retire it, or give it out again."""
    index = await desk.vocabulary.change(desk.token, kind, term, text=body.term, is_retired=body.retired)
    return {"id": term, "log_index": index}
