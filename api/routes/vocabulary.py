"""Vocabularies: what stages, tags, products, needs and topics there are."""

from typing import Any

from fastapi import APIRouter, status

from api.http.deps import AdminDep, HouseDep
from crm.contacts.schemas import TermIn
from crm.contacts.vocabulary import Kind

router = APIRouter(tags=["vocabulary"])


@router.get("/v1/vocabulary/{kind}")
async def list_terms(kind: Kind, desk: HouseDep) -> dict[str, Any]:
    """List the terms of one vocabulary."""
    terms, _ = await desk.vocabulary.read(desk.token)
    return {"terms": [{"id": id_, "term": term} for id_, term in terms.get(kind, {}).items()]}


@router.post("/v1/vocabulary/{kind}", status_code=status.HTTP_201_CREATED)
async def add_term(kind: Kind, body: TermIn, desk: AdminDep) -> dict[str, Any]:
    """Add a term."""
    id_, index = await desk.vocabulary.add(desk.token, kind, body.term, id_=body.id)
    return {"id": id_, "log_index": index}
