"""What goes in and out about interactions, and the page of a contact that shows the newest of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from asyncpg import Record
from pydantic import AfterValidator, AwareDatetime, Field

from crm.contacts.schemas import Input, Line, OptionalId, Term, Text, sections_out
from crm.keeper_client import Opened
from crm.kit.pii import Pii

KINDS = Literal["call", "email", "meeting", "chat", "note"]
DIRECTIONS = Literal["in", "out", "internal"]
FIRST_YEAR, LAST_YEAR = 1900, 2200


def _plausible(at: datetime) -> datetime:
    try:
        year = at.astimezone(UTC).year
    except OverflowError:
        year = 0
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("not between 1900 and 2200")
    return at


class InteractionIn(Input):
    """`POST /v1/contacts/{id}/interactions`."""

    id: OptionalId = None
    kind: KINDS
    direction: DIRECTIONS
    occurred_at: Annotated[AwareDatetime, AfterValidator(_plausible)]
    summary: Line = ""
    notes: Text = ""
    product: Term | None = None
    needs: list[Term] = Field(default_factory=list, max_length=20)


def text_of(given: InteractionIn) -> dict[str, str]:
    """Take what is sealed."""
    return {"summary": given.summary, "notes": given.notes}


def time_out(at: datetime) -> str:
    """Print a time as the contract does; asyncpg gives UTC."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def interaction_out(row: Record, text: Pii[dict[str, Any]], terms: Mapping[str, str | None]) -> dict[str, Any]:
    """Print one interaction."""
    said = text.reveal()
    return {
        "id": row["id"],
        "version": row["version"],
        "kind": row["kind"],
        "direction": row["direction"],
        "occurred_at": time_out(row["occurred_at"]),
        "created_at": time_out(row["created_at"]),
        "author": row["author"],
        "product": terms.get(row["product"], row["product"]),
        "needs": [terms.get(need, need) for need in row["needs"]],
        "summary": said.get("summary", ""),
        "notes": said.get("notes", ""),
        "log_index": row["log_index"],
    }


def interactions_out(rows: Sequence[Record], opened: Opened, terms: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Print interactions in the order of their rows."""
    return [interaction_out(row, opened.records[row["record"]], terms) for row in rows]


def contact_out(row: Record, opened: Opened, terms: Mapping[str, str | None]) -> dict[str, Any]:
    """Print a contact without its interactions."""
    return {
        "id": row["id"],
        "kind": row["kind"],
        "stage": terms.get(row["stage"], row["stage"]),
        "product": terms.get(row["product"], row["product"]),
        "tags": [terms.get(tag, tag) for tag in row["tags"]],
        "language": row["language"],
        "country": row["country"],
        "time_zone": row["time_zone"],
        "owner": row["owner"],
        "company_id": row["company_id"],
        "created_at": time_out(row["created_at"]),
        "updated_at": time_out(row["updated_at"]),
        **sections_out(opened.people[row["id"]]),
        "log_index": opened.index,
    }


def to_json(document: object) -> bytes:
    """Print an answer without a validating copy of it: the shapes above are its model."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
