"""What goes out about companies, consents and groups of contacts; personal values as `schemas` prints them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from asyncpg import Record

from crm.contacts.schemas import SECTIONS, label_out, sections_out
from crm.keeper_client import Labels, Opened

FEWEST_TOLD = 10


def told(count: int) -> int | str:
    """Print a count of people: in tens, and nothing finer below ten."""
    return "fewer than 10" if count < FEWEST_TOLD else count // FEWEST_TOLD * FEWEST_TOLD


def time_out(at: datetime) -> str:
    """Print a time as the contract does; the database gives UTC."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def compare_out(ids: Iterable[str], opened: Opened) -> dict[str, Any]:
    """Print people side by side, and which fields differ."""
    people = [{"id": one, **sections_out(opened.people[one])} for one in ids]
    first, second = people
    differs = [
        field
        for name, fields in SECTIONS.items()
        for field in fields
        if first[name].get(field) != second[name].get(field)
    ]
    return {"people": people, "differs": differs, "log_index": opened.index}


def company_label_out(label: Mapping[str, Any]) -> dict[str, Any]:
    """Print the label of a company."""
    shown = label_out(label)
    return {"id": shown["id"], "name": shown["company"], "email_masked": shown["email_masked"]}


def company_out(row: Record, opened: Opened, terms: Mapping[str, str]) -> dict[str, Any]:
    """Print a company without its people."""
    sections = sections_out(opened.people[row["id"]])
    return {
        "id": row["id"],
        "name": sections["identity"].get("company", ""),
        "channels": sections["channels"],
        "profile": sections["profile"],
        "stage": terms.get(row["stage"]),
        "product": terms.get(row["product"]),
        "tags": [terms[tag] for tag in row["tags"]],
        "language": row["language"],
        "country": row["country"],
        "time_zone": row["time_zone"],
        "owner": row["owner"],
        "created_at": time_out(row["created_at"]),
        "updated_at": time_out(row["updated_at"]),
        "log_index": opened.index,
    }


def labels_out(labels: Labels, count: int) -> dict[str, Any]:
    """Print the first of a group, and how many they are."""
    return {"matches": [label_out(label) for label in labels.matches], "count": told(count)}


def consent_out(row: Record, terms: Mapping[str, str]) -> dict[str, Any]:
    """Print one thing that was said."""
    return {
        "id": row["id"],
        "state": row["state"],
        "topic": terms.get(row["topic"]),
        "channel": row["channel"],
        "wording": row["wording"] and {"version": row["wording"], "text": terms[row["wording"]]},
        "source": row["source"],
        "at": time_out(row["at"]),
        "recorded_at": time_out(row["recorded_at"]),
        "author": row["author"],
        "log_index": row["log_index"],
    }


def standing_out(rows: Iterable[Record], terms: Mapping[str, str], *, is_objected: bool) -> list[dict[str, Any]]:
    """Print what holds by topic and channel; an objection holds for all of them."""
    return [
        {
            "topic": terms[row["topic"]],
            "channel": row["channel"],
            "state": "objected" if is_objected else row["state"],
            "at": time_out(row["at"]),
        }
        for row in rows
    ]
