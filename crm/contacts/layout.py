"""Where the fields of a contact stand in the rows of one table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm.contacts import standard_names
from crm.contacts.headings import PARTS, Heading, meaning
from crm.contacts.schemas import is_email
from crm.contacts.tables import Row

MOST_COLUMNS = 1_000
LONGEST_HEADING = 100
# What tells one person from another; a table without any of it is none of people.
_TELLING = frozenset(
    {"name", "full_name", "given_name", "family_name", "company", "emails", "phones", "nickname", "apelido"}
)
_IDENTITY = ("company", "job_title", "language")
_SINGLE = (*_IDENTITY, "nickname", "birthday")
# What a heading means that is not a field of a contact by itself, as a report names it.
_TOLD = {
    "full_name": "given_name, family_name", "additional_name": "given_name", "family_prefix": "family_name",
    "second_family_name": "family_name", "birth_year": "profile.birthday", "birth_month": "profile.birthday",
    **{field: f"profile.{field}" for field in ("nickname", "birthday", "websites", "note")},
    **{part: f"addresses.{part}" for part in ("city", "region", "postcode", "country")},
    **dict.fromkeys(("street", "address", "box", "extended", "house_number"), "addresses.street"),
}  # fmt: skip
_NAMES = {
    "given_name": ("given_name", "additional_name"),
    "family_name": ("family_prefix", "family_name", "second_family_name"),
}
_LINES = frozenset({"street", "address"})
_MANY = ":::"
_WITH_AT = re.compile(r"[^\s;,<>]*@[^\s;,<>]*")
_BETWEEN = re.compile(r"[;,<\s]+|:::")
_PARTICLE = re.compile(r" (?=(?:a[fl]|bin|d[aeio]s?|de[lnr]|du|e[ln]|la|le|te[nr]?|v[ao][nm]|zu[mr]?) )")


@dataclass(frozen=True, slots=True)
class Column:
    """One column as a report names it: its number from 1, its heading, the field it is taken for."""

    number: int
    heading: str
    field: str | None


def heads(headings: Row) -> int:
    """Count headings that mean something; 0 where they tell no people apart, are too many, or hold an address."""
    if len(headings) > MOST_COLUMNS or any(map(is_email, map(str.strip, headings))):
        return 0
    meant = [one for heading in headings if (one := meaning(heading))]
    return len(meant) if any(one.field in _TELLING and not one.is_beside for one in meant) else 0


class Layout:
    """The columns of one table: found once, used for every row."""

    def __init__(self, headings: Row) -> None:
        meant = _settled([meaning(heading) for heading in headings])
        self._width = len(headings)
        self.columns = [
            Column(number, _shown(heading), _told(one))
            for number, (heading, one) in enumerate(zip(headings, meant, strict=True), 1)
        ]
        self._at: dict[str, list[int]] = {}
        places: dict[tuple[str, int], dict[str, list[int]]] = {}
        # `Street 2` is a second line, unless `City 2` says that it belongs to a second address.
        others = {(one.group, one.number) for one in meant if one and one.is_last and one.field in PARTS - _LINES}
        for at, one in enumerate(meant):
            if one is None or one.is_beside:
                continue
            is_line = one.is_last and one.field in _LINES and (one.group, one.number) not in others
            place = places.setdefault((one.group, 1 if is_line else one.number), {}) if one.field in PARTS else self._at
            place.setdefault(one.field, []).append(at)
        self._countries = [place["country"] for place in places.values() if place.keys() == {"country"}]
        self._places = [place for place in places.values() if place.keys() != {"country"}]

    def read(self, row: Row) -> tuple[dict[str, Any], list[str]]:
        """Take the fields of a contact from one row, and say what could not be taken with them."""
        if len(row) < self._width:
            row = row + [""] * (self._width - len(row))
        given = {field: values for field, cells in self._at.items() if (values := _values(row, cells))}
        found = _name(given) | _lists(given) | {field: given[field][0] for field in _IDENTITY if field in given}
        if addresses := [address for place in self._places if (address := _address(row, place))]:
            found["addresses"] = addresses
        for cells in self._countries:
            for value in _values(row, cells):
                _country(found, value)
        if profile := _profile(given):
            found["profile"] = profile
        return found, [f"{field}: the first of several" for field in _SINGLE if len(given.get(field, ())) > 1]


def _settled(meant: Sequence[Heading | None]) -> list[Heading | None]:
    """Give each heading that means one thing here and another there the meaning it has beside the others."""
    clear = {one.field for one in meant if one and not one.is_beside}
    apelido = "nickname" if "family_name" in clear else "family_name"
    clear |= {apelido} if "apelido" in clear else set()
    name = "full_name"
    if len(clear & {"given_name", "family_name"}) == 1:
        name = "family_name" if "given_name" in clear else "given_name"
    instead = {"name": name, "title": "" if "job_title" in clear else "job_title", "apelido": apelido}
    # Of several titles, the one of the position stands behind the one of courtesy.
    titles = [at for at, one in enumerate(meant) if one and one.field == "title"]
    settled = []
    for at, one in enumerate(meant):
        field = instead.get(one.field, one.field) if one else ""
        is_courtesy = at in titles[:-1]
        settled.append(replace(one, field=field) if one and field and not is_courtesy else None)
    return settled


def _shown(heading: str) -> str:
    """Cut a heading to what a terminal can be trusted with."""
    return "".join(char if char.isprintable() else " " for char in heading.strip()[:LONGEST_HEADING])


def _told(one: Heading | None) -> str | None:
    if one is None:
        return None
    return f"{one.field}.type" if one.is_beside else _TOLD.get(one.field, one.field)


def _values(row: Row, cells: Sequence[int]) -> list[str]:
    """Take what stands in some cells, each once."""
    if len(cells) == 1:
        value = row[cells[0]].strip()
        return [value] if value else []
    return list(dict.fromkeys(value for at in cells if (value := row[at].strip())))


def _name(given: Mapping[str, list[str]]) -> dict[str, Any]:
    """Put given and family name together; a whole name is taken apart where they are not given."""
    found = {
        name: " ".join(value for part in parts for value in given.get(part, ()))
        for name, parts in _NAMES.items()
        if not given.keys().isdisjoint(parts)
    }
    if not found and "full_name" in given:
        whole = given["full_name"][0]
        if whole.count(",") == 1:
            family, _, first = whole.partition(",")
        elif particle := _PARTICLE.search(whole):
            first, family = whole[: particle.start()], whole[particle.end() :]
        else:
            first, _, family = whole.rpartition(" ")
        names = {"given_name": first.strip(), "family_name": family.strip()}
        # Only a person's name is taken apart: one word is called by.
        return {name: value for name, value in names.items() if value} if first.strip() else {"given_name": whole}
    return found


def _lists(given: Mapping[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, split in (("emails", _emails), ("phones", _parts)):
        parts = [part for value in given.get(field, ()) for part in split(value)]
        if parts:
            found[field] = list(dict.fromkeys(parts)) if len(parts) > 1 else parts
    return found


def _emails(value: str) -> list[str]:
    """Take the addresses of one cell, without the names that stand before some."""
    if _BETWEEN.search(value) is None:
        return [value.removeprefix("mailto:")]
    parts = _WITH_AT.findall(value) if "<" in value else filter(None, _BETWEEN.split(value))
    return [part.removeprefix("mailto:") for part in parts]


def _parts(value: str) -> list[str]:
    return [part for one in value.split(_MANY) if (part := one.strip())] if _MANY in value else [value]


def _address(row: Row, place: Mapping[str, list[int]]) -> dict[str, str]:
    given = {part: values for part, cells in place.items() if (values := _values(row, cells))}
    if not given:
        return {}
    street = " ".join([*given.get("street", ())[:1], *given.get("house_number", ())])
    lines = [*given.get("box", ()), *given.get("extended", ()), street, *given.get("street", ())[1:]]
    # Beside a street, the whole address says the same once more.
    lines += [whole for whole in given.get("address", ()) if not street or street not in whole]
    address = {"street": "\n".join(filter(None, lines))}
    address |= {part: given[part][0] for part in ("city", "region", "postcode", "country") if part in given}
    return {part: value for part, value in address.items() if value}


def _country(found: dict[str, Any], value: str) -> None:
    """Keep a country that no address stands beside: by its code where it is clear, as it is written otherwise."""
    if code := standard_names.country(value):
        found.setdefault("country", code)
    else:
        found.setdefault("addresses", []).append({"country": value})


def _profile(given: Mapping[str, list[str]]) -> dict[str, Any]:
    profile: dict[str, Any] = {field: given[field][0] for field in ("nickname", "birthday") if field in given}
    if "birth_year" in given:
        parts = [*given["birth_year"][:1], *given.get("birth_month", ())[:1], *given.get("birthday", ())[:1]]
        profile["birthday"] = "-".join(part.zfill(2) for part in parts)
    if "websites" in given:
        profile["websites"] = list(dict.fromkeys(part for value in given["websites"] for part in _parts(value)))
    if "note" in given:
        profile["note"] = "\n".join(given["note"])
    return profile
