"""An interaction as it is being typed: strings of a form, and the shapes the services take and give.

Times are the reader's, and now where none was given. What comes back to the form is what was typed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData

from web.forms import text, texts
from web.language import Tongue

Typed = dict[str, Any]
LINES = ("kind", "direction", "occurred_at", "summary", "product", "follow_up", "due", "assignee")
BLANK: Typed = {**dict.fromkeys(LINES, ""), "kind": "call", "direction": "in", "notes": "", "needs": []}
SAYS = ("summary", "notes", "follow_up")
NINE = "T09:00"


def typed(form: FormData) -> Typed:
    """Take what was typed."""
    notes = str(form.get("notes", "")).replace("\r\n", "\n")
    return {**{name: text(form, name) for name in LINES}, "notes": notes, "needs": texts(form, "needs")}


def says_nothing(given: Mapping[str, Any]) -> bool:
    """Tell whether nothing was typed yet that could be lost."""
    return not any(given[name].strip() for name in SAYS)


def interaction(given: Mapping[str, Any], told: Tongue) -> dict[str, Any]:
    """Shape it to be logged."""
    body = {
        "kind": given["kind"], "direction": "internal" if given["kind"] == "note" else given["direction"],
        "occurred_at": moment(given["occurred_at"], told), "summary": given["summary"], "notes": given["notes"],
        "product": given["product"] or None, "needs": given["needs"],
    }  # fmt: skip
    if given["follow_up"]:
        body["follow_up"] = {
            "title": given["follow_up"], "due": due(given["due"], told), "assignee": given["assignee"] or None,
        }  # fmt: skip
    return body


def draft(given: Mapping[str, Any], told: Tongue) -> dict[str, Any]:
    """Shape it to be kept as it is, finished or not."""
    body = {name: given[name] for name in ("summary", "notes", "product", "needs")}
    body |= {name: given[name] for name in ("kind", "direction") if given[name]}
    if given["occurred_at"]:
        body["occurred_at"] = moment(given["occurred_at"], told)
    if given["follow_up"]:
        body["follow_up"] = {"title": given["follow_up"], "due": due(given["due"], told)}
        body["follow_up"] |= {"assignee": given["assignee"]} if given["assignee"] else {}
    return body


def again(said: Mapping[str, Any], told: Tongue) -> Typed:
    """Type a draft, or a version that stands, into the form."""
    given = {**BLANK, **{name: said[name] for name in BLANK if name in said and said[name] is not None}}
    given["occurred_at"] = local(said["occurred_at"], told) if said.get("occurred_at") else ""
    plan = said.get("follow_up") or {}
    day = told.moment(plan["due"]).date().isoformat() if plan.get("due") else ""
    return {**given, "follow_up": plan.get("title", ""), "due": day, "assignee": plan.get("assignee") or ""}


def local(at: str, told: Tongue) -> str:
    """Print a time as the browser's field takes it."""
    return told.moment(at).strftime("%Y-%m-%dT%H:%M")


def due(typed: str, told: Tongue) -> str:
    """Take a day: its morning, where the reader is."""
    return moment(f"{typed}{NINE}" if typed else "", told)


def moment(typed: str, told: Tongue) -> str:
    """Take a time; what is none stays what it is, to be refused."""
    try:
        at = datetime.fromisoformat(typed) if typed else told.now
    except ValueError:
        return typed
    return (at if at.tzinfo else at.replace(tzinfo=told.zone)).isoformat()
