"""What goes in and out about interactions, and the page of a contact that shows the newest of them.

The functions below are the only place of this slice where a personal value leaves its `Pii`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from asyncpg import Record
from pydantic import AfterValidator, AwareDatetime, Field, field_validator

from crm.contacts.answers import time_out
from crm.contacts.schemas import Input, Line, OptionalId, Term, Text, label_out, sections_out
from crm.db import milliseconds, moment
from crm.keeper_client import Opened
from crm.kit.pii import Pii

KINDS = Literal["call", "email", "meeting", "chat", "note"]
DIRECTIONS = Literal["in", "out", "internal"]
FIRST_YEAR, LAST_YEAR = 1900, 2200
LONGEST_NAME = 200


def _plausible(at: datetime) -> datetime:
    try:
        year = at.astimezone(UTC).year
    except OverflowError:
        year = 0
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("not between 1900 and 2200")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
Title = Annotated[Line, Field(min_length=1)]
AnId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class FollowUpPart(Input):
    """What is to follow an interaction; it is the caller's unless somebody else is named."""

    id: OptionalId = None
    due: Moment
    title: Title
    assignee: OptionalId = None


class FollowUpIn(FollowUpPart):
    """`POST /v1/follow-ups`."""

    contact: AnId


class FollowUpPatch(Input):
    """`PATCH /v1/follow-ups/{id}`; neither can be cleared."""

    due: Moment | None = None
    assignee: AnId | None = None

    @field_validator("due", "assignee")
    @classmethod
    def _stands(cls, value: object) -> object:
        if value is None:
            raise ValueError("it cannot be cleared")
        return value


class InteractionIn(Input):
    """`POST /v1/contacts/{id}/interactions`."""

    id: OptionalId = None
    kind: KINDS
    direction: DIRECTIONS
    occurred_at: Moment
    summary: Line = ""
    notes: Text = ""
    product: Term | None = None
    needs: list[Term] = Field(default_factory=list, max_length=20)
    follow_up: FollowUpPart | None = None


class VersionIn(InteractionIn):
    """`POST /v1/contacts/{id}/interactions/{iid}/versions`: the whole anew, and the version it replaces."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class MoveIn(Input):
    """`POST /v1/contacts/{id}/interactions/{iid}/move`."""

    to: AnId


class DraftFollowUp(Input):
    """What somebody has typed of a follow-up so far."""

    due: Moment | None = None
    title: Line = ""
    assignee: OptionalId = None


class DraftIn(Input):
    """`PUT /v1/contacts/{id}/draft`: what somebody has typed of an interaction so far; nothing is looked up."""

    kind: KINDS | None = None
    direction: DIRECTIONS | None = None
    occurred_at: Moment | None = None
    summary: Line = ""
    notes: Text = ""
    product: Line = ""
    needs: list[Line] = Field(default_factory=list, max_length=20)
    follow_up: DraftFollowUp | None = None


def text_of(given: InteractionIn) -> dict[str, str]:
    """Take what is sealed."""
    return {"summary": given.summary, "notes": given.notes}


def title_of(given: FollowUpPart) -> dict[str, str]:
    """Take what is sealed of a follow-up."""
    return {"title": given.title}


def draft_of(given: DraftIn) -> dict[str, Any]:
    """Take what is sealed of a draft: all that was given."""
    return given.model_dump(mode="json", exclude_unset=True)


def to_ms(at: datetime) -> datetime:
    """Cut to milliseconds: what a continue token can name exactly."""
    return moment(milliseconds(at))


def again(opened: Opened, to: str) -> list[dict[str, Any]]:
    """Print what was opened as records to be sealed for another contact, at the same addresses."""
    return [{"subject": to, "record": record, "fields": text.reveal()} for record, text in opened.records.items()]


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


def attachment_out(row: Record, name: Pii[dict[str, Any]]) -> dict[str, Any]:
    """Print one file of an interaction."""
    return {
        "id": row["id"],
        "type": row["kind"],
        "size_bytes": row["size_bytes"],
        "name": name.reveal()["name"],
        "created_at": time_out(row["created_at"]),
    }


def interactions_out(
    rows: Sequence[Record], files: Iterable[Record], opened: Opened, terms: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """Print interactions in the order of their rows, each with its files."""
    shown: dict[str, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    for file in files:
        shown[file["interaction"]].append(attachment_out(file, opened.records[file["title"]]))
    return [
        interaction_out(row, opened.records[row["record"]], terms) | {"attachments": shown[row["id"]]} for row in rows
    ]


def versions_out(rows: Sequence[Record], opened: Opened, terms: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Print the versions of one interaction in their order."""
    return [interaction_out(row, opened.records[row["record"]], terms) for row in rows]


def follow_ups_out(
    rows: Iterable[Record], heads: Mapping[str, str], labels: Mapping[str, Mapping[str, Any]], opened: Opened
) -> list[dict[str, Any]]:
    """Print follow-ups in the order of their rows, each with the label of who stands for its contact."""
    return [
        {
            "id": row["id"],
            "version": row["version"],
            "due": time_out(row["due_at"]),
            "title": opened.records[row["record"]].reveal()["title"],
            "assignee": row["assignee"],
            "author": row["author"],
            "created_at": time_out(row["created_at"]),
            "contact": label_out(labels[heads[row["contact"]]]),
        }
        for row in rows
        if row["record"] in opened.records
    ]


def draft_out(row: Record, opened: Opened, expires_at: datetime) -> dict[str, Any]:
    """Print a draft: what was given of it, and until when it is kept."""
    return {
        "draft": opened.records[row["record"]].reveal(),
        "saved_at": time_out(row["saved_at"]),
        "expires_at": time_out(expires_at),
        "log_index": opened.index,
    }


def name_of(name: Pii[str]) -> dict[str, str]:
    """Take a file's name as it is sealed: without control characters, and the end of what is too long."""
    return {"name": "".join(char for char in name.reveal() if char.isprintable()).strip()[-LONGEST_NAME:]}


def bytes_of(opened: Opened, record: str) -> bytes:
    """Take the bytes of an opened file."""
    data: bytes = opened.records[record].reveal()["data"]
    return data


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
