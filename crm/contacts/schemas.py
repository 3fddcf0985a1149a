"""What goes in and out about contacts: written by hand, so that a new column stays private until listed here.

The functions below are the only place of this slice where a personal value is taken out of its `Pii`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from crm.contacts import standards
from crm.errors import Stale
from crm.kit import mailbox
from crm.kit.ids import is_id
from crm.kit.pii import Pii

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "identity": ("given_name", "family_name", "company", "job_title"),
    "channels": ("emails", "phones", "addresses"),
    "profile": ("nickname", "birthday", "websites", "note"),
}
PLAIN = ("language", "country", "time_zone")
MOST_EMAILS = 20
MOST_CRITERIA = 3
FIRST_YEAR, LAST_YEAR = 1900, 2200
# All but the line feed, the carriage return before it, and the tab; and halves of surrogate pairs.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
MOST_ADDRESSES = 10


def _printable(text: str) -> str:
    """Refuse control characters: NUL ends strings elsewhere, the others have no place in a name."""
    if _CONTROL.search(text):
        raise ValueError("control characters are not text")
    return text


def _email(address: str) -> str:
    if not mailbox.plausible(address):
        raise ValueError("not an e-mail address")
    return address


def is_email(address: str) -> bool:
    """Tell whether the schemas take this for an address."""
    try:
        return bool(_email(address))
    except ValueError:
        return False


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("an id is 32 lower-case hex digits")
    return text


def _plausible(at: datetime) -> datetime:
    try:
        year = at.astimezone(UTC).year
    except OverflowError:
        year = 0
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("not between 1900 and 2200")
    return at


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_printable)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_email)]
CompanyName = Annotated[Line, StringConstraints(min_length=1)]
Phone = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_printable)
]
Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_printable)]
Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_printable)]
Wording = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(_printable)
]
AnId = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{32}$"})]
OptionalId = AnId | None
Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]


class Input(BaseModel):
    """A body: unknown fields are mistakes, and a mistake is never quoted."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Address(Input):
    """A postal address in parts; all of them may be left out."""

    street: Line = ""
    city: Line = ""
    region: Line = ""
    postcode: Line = ""
    country: Line = ""


class Profile(Input):
    """What else is worth knowing about a person."""

    nickname: Line | None = None
    birthday: Line | None = None
    websites: list[Line] | None = Field(default=None, max_length=10)
    note: Text | None = None


class PlainIn(Input):
    """What PostgreSQL keeps: terms and standards."""

    language: Annotated[str, StringConstraints(max_length=35), AfterValidator(standards.language)] | None = None
    country: Annotated[str, StringConstraints(max_length=8), AfterValidator(standards.country)] | None = None
    time_zone: Annotated[str, StringConstraints(max_length=64), AfterValidator(standards.time_zone)] | None = None
    stage: Term | None = None
    product: Term | None = None
    tags: list[Term] | None = Field(default=None, max_length=50)


class ReachedIn(PlainIn):
    """How somebody is reached, person or company."""

    emails: list[Email] | None = Field(default=None, max_length=MOST_EMAILS)
    phones: list[Phone] | None = Field(default=None, max_length=MOST_EMAILS)
    addresses: list[Address | Line] | None = Field(default=None, max_length=MOST_ADDRESSES)


class PersonIn(ReachedIn):
    """What a contact is made of."""

    given_name: Line | None = None
    family_name: Line | None = None
    company: Line | None = None
    job_title: Line | None = None
    profile: Profile | None = None


class LinkedIn(Input):
    """The company a contact is linked to, beside its name as the person gave it."""

    company_id: OptionalId = None


class ContactIn(PersonIn, LinkedIn):
    """`POST /v1/contacts`."""

    KIND: ClassVar = "contact"

    id: OptionalId = None
    confirm_duplicate: bool = False

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not any((self.given_name, self.family_name, self.company, self.emails, self.phones)):
            raise ValueError("a contact needs a name, a company, an e-mail address or a phone number")
        return self


class CanaryIn(PersonIn):
    """`POST /v1/canaries`: what is said of somebody made up; a name and a company are chosen where none is given."""

    id: OptionalId = None
    owner: OptionalId = None


class ContactPatch(PersonIn, LinkedIn):
    """`PATCH /v1/contacts/{id}`: JSON Merge Patch; null clears, lists are replaced whole."""

    KIND: ClassVar = "contact"

    owner: OptionalId = None


class CompanyProfile(Input):
    """What else is worth knowing about a company."""

    websites: list[Line] | None = Field(default=None, max_length=10)
    note: Text | None = None


class CompanyIn(ReachedIn):
    """`POST /v1/companies`."""

    KIND: ClassVar = "company"

    id: OptionalId = None
    confirm_duplicate: bool = False
    company: CompanyName = Field(alias="name")
    profile: CompanyProfile | None = None


class CompanyPatch(ReachedIn):
    """`PATCH /v1/companies/{id}`: JSON Merge Patch; a company keeps a name."""

    KIND: ClassVar = "company"

    company: CompanyName = Field(default="", alias="name")
    profile: CompanyProfile | None = None
    owner: OptionalId = None


class SearchIn(Input):
    """`POST /v1/contacts/search`."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]


class MergeIn(Input):
    """`POST /v1/contacts/{id}/merge`: `keep` names fields whose value is taken from the record that goes."""

    into: AnId
    keep: list[str] = Field(default_factory=list, max_length=11)

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = {name for names in SECTIONS.values() for name in names}
        if not known.issuperset(self.keep):
            raise ValueError("keep lists fields of identity, channels and profile")
        return self


class CompareIn(Input):
    """`POST /v1/contacts/compare`: two people who may be one."""

    ids: list[AnId] = Field(min_length=2, max_length=2)

    @model_validator(mode="after")
    def _two(self) -> Self:
        if len(set(self.ids)) != len(self.ids):
            raise ValueError("two different ids")
        return self


class ConsentIn(Input):
    """`POST /v1/contacts/{id}/consents`; `at` is when it was said, now unless told."""

    id: OptionalId = None
    state: Literal["given", "withdrawn", "objected"]
    topic: Term | None = None
    channel: Literal["email", "phone", "post", "sms"] | None = None
    wording: Wording | None = None
    source: Literal["form", "call", "email", "meeting", "letter", "link", "import", "other"]
    at: Moment | None = None

    @model_validator(mode="after")
    def _about(self) -> Self:
        if self.state != "objected" and not (self.topic and self.channel):
            raise ValueError("only an objection goes without topic and channel")
        if self.state == "given" and not self.wording:
            raise ValueError("what is given is given to a wording")
        return self


class HandOverIn(Input):
    """`POST /v1/people/{id}/hand-over`: for good, or for a holiday that ends."""

    id: OptionalId = None
    to: AnId
    kind: Literal["leaver", "holiday"]
    until: Moment | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.kind == "holiday") != (self.until is not None):
            raise ValueError("a holiday has an end, a leaver has none")
        return self


class CountIn(PlainIn):
    """`POST /v1/contacts/count`: at most three criteria; null asks for those without."""

    tags: list[Term] | None = Field(default=None, min_length=1, max_length=MOST_CRITERIA)
    owner: Literal["me"] | OptionalId = None
    active_since: date | None = None
    quiet_since: date | None = None

    @model_validator(mode="after")
    def _few(self) -> Self:
        if len(self.model_fields_set - {"tags"}) + len(self.tags or ()) > MOST_CRITERIA:
            raise ValueError("at most three criteria")
        if any(getattr(self, name) is None for name in self.model_fields_set & {"active_since", "quiet_since"}):
            raise ValueError("a day")
        return self


class KeepIn(Input):
    """`POST /v1/contacts/{id}/keep`: not to be proposed for erasure before a day."""

    until: date


class TermIn(Input):
    """`POST /v1/vocabulary/{kind}`."""

    term: Wording
    id: OptionalId = None


class TermPatch(Input):
    """`PATCH /v1/vocabulary/{kind}/{id}`: another text, or given out no more."""

    term: Wording | None = None
    retired: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.term is None and self.retired is None:
            raise ValueError("a term or whether it is retired")
        return self


def sections_of(person: ReachedIn) -> dict[str, dict[str, Any]]:
    """Sort what was given into the keeper's sections; what is empty is left out.

    The identity is always there, since its first version is how the keeper tells that a contact was made.
    """
    given = person.model_dump(exclude_none=True, exclude_defaults=True)
    given |= given.pop("profile", {})
    found = {name: {field: given[field] for field in fields if given.get(field)} for name, fields in SECTIONS.items()}
    return {name: fields for name, fields in found.items() if fields or name == "identity"}


def changes_of(patch: ContactPatch | CompanyPatch) -> dict[str, dict[str, Any]]:
    """Sort a merge patch into sections: a value to set, or None to clear."""
    given = patch.model_dump(exclude_unset=True)
    profile = given.pop("profile", {})
    if profile is None:
        profile = dict.fromkeys(SECTIONS["profile"])
    found = {
        name: {field: given[field] for field in fields if field in given}
        for name, fields in SECTIONS.items()
        if name != "profile"
    }
    return {name: fields for name, fields in {**found, "profile": profile}.items() if fields}


def patched(standing: Pii[dict[str, Any]] | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Apply the changes of one section to what stands."""
    merged = {**(standing.reveal() if standing else {}), **changes}
    return {field: value for field, value in merged.items() if value not in (None, "", [])}


def label_out(label: Mapping[str, Any]) -> dict[str, Any]:
    """Print one label: what a list may show of a person."""
    return {
        "id": label["id"],
        "name": label["name"].reveal(),
        "company": label["company"].reveal(),
        "email_masked": label["email_masked"].reveal(),
    }


def sections_out(person: Mapping[str, Pii[dict[str, Any]]]) -> dict[str, Any]:
    """Print the opened sections of one person."""
    return {name: section.reveal() if (section := person.get(name)) else {} for name in SECTIONS}


def parse_version(text: str) -> tuple[int, dict[str, int]]:
    """Read an entity tag: the row's version and that of each section.

    Raises:
        Stale: not one of ours, so it is the version of nothing.
    """
    parts = text.split(".")
    if len(parts) != 1 + len(SECTIONS) or not all(part.isascii() and part.isdigit() for part in parts):
        raise Stale
    row, *sections = map(int, parts)
    return row, dict(zip(SECTIONS, sections, strict=True))


def print_version(row: int, sections: Mapping[str, int]) -> str:
    """Print an entity tag."""
    return f'"{row}.{".".join(str(sections.get(name, 0)) for name in SECTIONS)}"'
