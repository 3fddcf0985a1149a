"""Who stands in a file: read, checked, told apart by what is said of them; and what there is to say about the rest.

A contact's id is a keyed hash of what its card or row says: the same words are the same contact, in this file, in
the next try and in next year's. The key is the web process's own, so a dump cannot be asked whether it holds a
given person.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack
from pydantic import ValidationError

from crm.contacts import standard_names
from crm.contacts.schemas import MOST_ADDRESSES, MOST_EMAILS, SECTIONS, PersonIn, is_email, sections_of
from crm.contacts.sources import Entry
from crm.kit import email, phone

BATCH = 200
MOST_TOLD = 1000
COUNTS = ("stored", "known", "repeated", "rejected", "warned")
# No more than the schema takes.
LONGEST_LINE, LONGEST_PHONE, LONGEST_TEXT = 200, 60, 20_000


@dataclass(slots=True)
class Person:
    """One card or row, ready to be stored."""

    line: int
    id: str
    sections: dict[str, dict[str, Any]]
    plain: dict[str, str]


@dataclass(slots=True)
class Tally:
    """How far an import has come: counts, and by line and reason what was rejected or is worth a look."""

    stored: int = 0
    known: int = 0
    repeated: int = 0
    rejected: int = 0
    warned: int = 0
    held: int | None = None
    rejects: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def hold(self, held: int | None) -> None:
        """Count those whose address somebody else holds, where the keeper says so."""
        if held is not None:
            self.held = (self.held or 0) + held

    def reject(self, line: int, reason: str) -> None:
        """Count one that cannot be stored; the list ends at `MOST_TOLD`, the count does not."""
        self.rejected += 1
        _tell(self.rejects, line, reason)

    def warn(self, line: int, reasons: Sequence[str]) -> None:
        """Count one that is stored, though not all of it was understood."""
        self.warned += bool(reasons)
        for reason in reasons:
            _tell(self.warnings, line, reason)

    def repeat(self, line: int, first: int) -> None:
        """Count one that says the same as an earlier one."""
        self.repeated += 1
        _tell(self.warnings, line, f"says the same as line {first}")

    def report(self) -> dict[str, Any]:
        """Print counts and lists."""
        return {name: getattr(self, name) for name in (*COUNTS, "rejects", "warnings")}


def _tell(told: list[dict[str, Any]], line: int, reason: str) -> None:
    if len(told) < MOST_TOLD:
        told.append({"line": line, "reason": reason})


@dataclass(slots=True)
class Intake:
    """Reads the people of one file: whom to store, who is there twice, and who cannot be read and why."""

    key: bytes
    region: str | None
    tally: Tally = field(default_factory=Tally)
    _seen: dict[bytes, int] = field(default_factory=dict)

    def take(self, entries: Iterator[Entry]) -> list[Person]:
        """Read until a batch is full or the file ends; what cannot be read is counted."""
        batch: list[Person] = []
        for entry in entries:
            if (person := self._person(entry)) is not None:
                batch.append(person)
                if len(batch) == BATCH:
                    break
        return batch

    def _person(self, entry: Entry) -> Person | None:
        if entry.refused:
            self.tally.reject(entry.line, entry.refused)
            return None
        plain = self._plain(entry.fields, entry.warnings)
        try:
            sections = _sections(entry.fields)
        except ValidationError as error:
            self.tally.reject(entry.line, _why(error))
            return None
        if not any(sections.values()):
            self.tally.reject(entry.line, "nobody")
            return None
        digest = _digest(self.key, sections, plain)
        if (first := self._seen.setdefault(digest, entry.line)) != entry.line:
            self.tally.repeat(entry.line, first)
            return None
        self.tally.warn(entry.line, entry.warnings)
        return Person(entry.line, digest.hex(), sections, plain)

    def _plain(self, fields: dict[str, Any], warnings: list[str]) -> dict[str, str]:
        """Take plain attributes out of the fields, by their codes where they are clear; add what is to be said."""
        plain: dict[str, str] = {}
        if (said := fields.pop("language", None)) is not None:
            if language := standard_names.language(said):
                plain["language"] = language
            else:
                warnings.append("language: not one that is known, and not kept")
        written = [address["country"] for address in fields.get("addresses", ()) if "country" in address]
        for name in (fields.pop("country", ""), *written):
            if name and (country := standard_names.country(name)):
                plain["country"] = country
                break
        if not all(phone.match_key(number, self.region) for number in fields.get("phones", ())):
            warnings.append("phones: not a number that can be called, kept as it is written")
        return plain


def _sections(fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sort what was read into sections, as the schema checks and sorts it, in a third of its time for most people.

    Raises:
        ValidationError: a field is not what it must be.
    """
    if not _is_plain(fields):
        return sections_of(PersonIn.model_validate(fields))
    given = fields | fields.get("profile", {})
    found = {name: {one: given[one] for one in names if given.get(one)} for name, names in SECTIONS.items()}
    return {name: values for name, values in found.items() if values or name == "identity"}


def _is_plain(fields: Mapping[str, Any]) -> bool:
    """Say yes where the schema surely takes everything as it is; a no is for the schema to judge."""
    emails, numbers, profile = fields.get("emails", ()), fields.get("phones", ()), fields.get("profile", {})
    addresses, websites, note = fields.get("addresses", ()), profile.get("websites", ()), profile.get("note", "")
    lines = [fields[name] for name in SECTIONS["identity"] if name in fields]
    lines += [profile[name] for name in ("nickname", "birthday") if name in profile]
    lines += [value for address in addresses for value in address.values()]
    lines += websites
    texts = [*lines, *numbers]
    return (
        "".join(texts).isprintable()
        and note.replace("\n", "").isprintable()
        and "" not in texts
        and [text.strip() for text in texts] == texts
        and max(map(len, lines), default=0) <= LONGEST_LINE
        and max(map(len, numbers), default=0) <= LONGEST_PHONE
        and len(note) <= LONGEST_TEXT
        and max(len(emails), len(numbers)) <= MOST_EMAILS
        and max(len(addresses), len(websites)) <= MOST_ADDRESSES
        and all(map(is_email, emails))
    )


def _digest(key: bytes, sections: Mapping[str, Mapping[str, Any]], plain: Mapping[str, str]) -> bytes:
    """Digest what a person is said to be; the spellings of one mailbox make no other person."""
    said = list(sections.items())
    for at, (name, fields) in enumerate(said):
        if "emails" in fields:
            said[at] = (name, {**fields, "emails": list(map(email.match_key, fields["emails"]))})
    return hashlib.blake2b(msgpack.packb([said, plain.get("language")]), key=key, digest_size=16).digest()


def _why(error: ValidationError) -> str:
    """Print the first mistake as field and kind; both are words of ours."""
    first = error.errors(include_url=False, include_input=False)[0]
    context = first.get("ctx", {})
    kinds = {
        "value_error": str(context.get("error")),  # our own validators, whose messages are constants
        "string_too_long": f"longer than {context.get('max_length')} characters",
        "too_long": f"more than {context.get('max_length')}",
    }
    return f"{first['loc'][0]}: {kinds.get(first['type'], first['type'].replace('_', ' '))}"
