"""The form of a contact or a company: what was typed, what stood there, and what of it changed.

Values are flat, by the name of their field. An empty field clears. What stood when the form was made comes back
with it as one short hash a field, so that a patch holds what was changed and nothing else.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.datastructures import FormData

from crm.contacts.schemas import PLAIN, SECTIONS
from crm.errors import Invalid
from web.forms import text, texts

LINES = ("given_name", "family_name", "company", "job_title", *PLAIN, "stage", "product", "nickname", "birthday")
LISTS = ("emails", "phones", "tags", "websites")
LINKS = ("company_id", "owner")
ADDRESS = ("street", "city", "region", "postcode", "country")
Values = dict[str, Any]


def typed(form: FormData) -> Values:
    """Take what was typed; of a field that is not on the form, nothing."""
    given: Values = {name: text(form, name) or None for name in (*LINES, *LINKS) if name in form}
    given |= {name: texts(form, name) for name in LISTS if name in form}
    given |= {"note": str(form["note"]).replace("\r\n", "\n").strip() or None} if "note" in form else {}
    parts = [[str(part).strip() for part in form.getlist(f"address_{name}")] for name in ADDRESS]
    rows = [dict(zip(ADDRESS, row, strict=True)) for row in zip(*parts, strict=False)]
    given["addresses"] = [row for row in rows if any(row.values())]
    # The form always has a first blank for each; a box that is not ticked sends nothing.
    return {"tags": [], **given}


def standing(document: Mapping[str, Any]) -> Values:
    """Take what stands from an opened contact or company."""
    sections = {**document.get("identity", {}), **document["channels"], **document["profile"]}
    if "identity" not in document:
        sections["company"] = document["name"]
    told = {name: sections.get(name) or None for name in (*LINES, "note")}
    told |= {name: document.get(name) for name in (*PLAIN, "stage", "product", *LINKS)}
    told |= {name: list(sections.get(name) or ()) for name in LISTS if name != "tags"}
    addresses = [one if isinstance(one, dict) else {"street": one} for one in sections.get("addresses", ())]
    blank = dict.fromkeys(ADDRESS, "")
    return {**told, "tags": list(document["tags"]), "addresses": [blank | one for one in addresses]}


def hashes(values: Mapping[str, Any]) -> dict[str, str]:
    """Hash each field, to be compared with what comes back."""
    return {
        name: hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        for name, value in values.items()
    }


def changed(given: Values, form: FormData) -> Values:
    """Leave what is not what stood when the form was made."""
    now = hashes(given)
    return {name: value for name, value in given.items() if form.get(f"was_{name}") != now[name]}


def nested(given: Values, kind: str) -> dict[str, Any]:
    """Shape the fields as the schemas take them."""
    body = {name: value for name, value in given.items() if name not in SECTIONS["profile"]}
    if kind == "company":
        body = {"name" if name == "company" else name: value for name, value in body.items()}
    profile = {name: value for name, value in given.items() if name in SECTIONS["profile"]}
    return {**body, "profile": profile} if profile else body


def refused(error: Invalid) -> dict[str, str]:
    """Tell a refusal of the domain by the field it points at."""
    _, _, rest = str(error.detail.get("pointer", "")).partition("/body/")
    return {rest.partition("/")[0] or "form": error.reason}
