"""Consents: what a person said about being written to, and what holds."""

from typing import Any

from fastapi import APIRouter, status

from api.http.deps import CareDep, ContactPath, WriteSessionDep
from crm.contacts import consents
from crm.contacts.schemas import ConsentIn

router = APIRouter(tags=["consents"])


@router.get("/v1/contacts/{contact}/consents")
async def list_consents(contact: ContactPath, desk: CareDep) -> dict[str, Any]:
    """List what was said, newest first, and what holds by topic and channel."""
    return await consents.list_of(desk.reads, desk.caller, contact, vocabulary=desk.vocabulary)


@router.post("/v1/contacts/{contact}/consents", status_code=status.HTTP_201_CREATED)
async def add_consent(contact: ContactPath, body: ConsentIn, desk: CareDep, db: WriteSessionDep) -> dict[str, Any]:
    """Note what a person said; nothing is ever changed."""
    return await consents.add(
        db, desk.keeper, desk.caller, contact,
        given=body, reads=desk.reads, vocabulary=desk.vocabulary, clock=desk.clock,
    )  # fmt: skip
