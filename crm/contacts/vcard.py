"""Reads vCard 2.1, 3.0 and 4.0 as address books really write them.

The library for this, vobject, was tried first: of six real exports it gave up on one (`PROFILE:VCard`), cut a
name at an unescaped comma in another, and left the escapes in web addresses. What is needed here is
small: unfold, split, decode, and take eleven fields. Photos, sounds and keys are never decoded.

A file is cut into cards first (`cards`), so that one broken card costs that card; `read` takes one apart.
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Data = bytes | bytearray
CHARSETS = ("utf-8", "cp1252")
# Real cards hold a photo of a few hundred kilobytes; beyond this it is no card.
LONGEST_CARD = 4 << 20
_BREAKS = re.compile(rb"\r*\n|\r+")
_BEGIN = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])[ \t\v\f]*BEGIN:VCARD[ \t\v\f]*(?=[\r\n]|\Z)", re.IGNORECASE)
_NAME = re.compile(r"(?:[A-Za-z0-9_-]+\.)?([A-Za-z0-9-]+)$")
_PARAMETER = re.compile(r'([^=;]+)(=?)((?:"[^"]*"|[^";])*)(?:;|$)')
_PART = re.compile(r"((?:\\.|[^\\;])*)(?:;|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BINARY = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
_TEL = re.compile(r"tel:([^;]+)(?:.*;ext=([0-9]+))?", re.IGNORECASE)


class NotACardError(ValueError):
    """A card that cannot be read; the message is a reason code and nothing of the card."""


@dataclass(slots=True)
class Line:
    """One property: its name in upper case, its parameters, its value still escaped."""

    name: str
    parameters: dict[str, list[str]]
    value: str


@dataclass(slots=True)
class Card:
    """One card of a file: the number of its first line, and its lines without ends."""

    at: int
    lines: list[bytes] = field(default_factory=list)


def count(data: Data) -> int:
    """Count the cards of a file without cutting it."""
    return sum(1 for _ in _BEGIN.finditer(_as_bytes(data)))


def cards(data: Data) -> Iterator[Card]:
    """Cut a file into cards; what stands between them is passed over."""
    card: Card | None = None
    for number, raw in enumerate(_raw_lines(_as_bytes(data)), 1):
        word = raw.strip().upper()
        if word == b"BEGIN:VCARD":
            if card is not None:
                yield card  # never ended: the reader says so
            card = Card(number)
        elif card is not None:
            card.lines.append(raw)
            if word == b"END:VCARD":
                yield card
                card = None
    if card is not None:
        yield card


def _as_bytes(data: Data) -> Data:
    """Turn what Windows calls Unicode into UTF-8, so that a line end is a byte."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace").encode()
    return data


def _raw_lines(data: Data) -> Iterator[bytes]:
    """Give one line at a time: a list of them would be several times the file."""
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    for end in _BREAKS.finditer(data, start):
        yield bytes(data[start : end.start()])
        start = end.end()
    yield bytes(data[start:])


def read(card: Card) -> dict[str, Any]:
    """Take the fields of a contact from one card.

    Raises:
        NotACardError: it has no end, is too large, or holds nobody.
    """
    if not card.lines or card.lines[-1].strip().upper() != b"END:VCARD":
        raise NotACardError("no-end")
    if sum(map(len, card.lines)) > LONGEST_CARD:
        raise NotACardError("too-large")
    found: dict[str, list[Line]] = {}
    for line in _lines(card.lines):
        found.setdefault(line.name, []).append(line)
    return {name: value for name, value in _fields(found).items() if value}


def _fields(found: dict[str, list[Line]]) -> dict[str, Any]:
    given, family = _name(found)
    org = _parts(found["ORG"][0].value) if "ORG" in found else [""]
    profile = {
        "nickname": ", ".join(_texts(found, "NICKNAME")),
        "birthday": next(iter(_texts(found, "BDAY")), ""),
        "websites": _texts(found, "URL")[:10],
        "note": "\n".join(_texts(found, "NOTE")),
    }
    return {
        "given_name": given,
        "family_name": family,
        "company": org[0],
        "job_title": next(iter(_texts(found, "TITLE")), ""),
        "emails": _unique(text.removeprefix("mailto:") for text in _texts(found, "EMAIL")),
        "phones": _unique(_phone(text) for text in _texts(found, "TEL")),
        "addresses": [address for line in found.get("ADR", ()) if (address := _address(line))],
        "language": next(iter(_texts(found, "LANG")), ""),
        "profile": {name: value for name, value in profile.items() if value},
    }


def _name(found: dict[str, list[Line]]) -> tuple[str, str]:
    """Take given and family name; a card with a formatted name alone gives that."""
    if "N" in found:
        family, given, additional, *_ = [*_parts(found["N"][0].value), "", "", ""]
        given = " ".join(part for part in (given, additional.replace(",", " ")) if part)
        if family or given:
            return " ".join(given.split()), family
    formatted = next(iter(_texts(found, "FN")), "")
    # Only a person's name is split; "Acme Ltd" on a card without N is a company's.
    given, _, family = formatted.rpartition(" ")
    return (given, family) if given else (formatted, "")


def _address(line: Line) -> dict[str, str]:
    box, extended, street, city, region, postcode, country, *_ = [*_parts(line.value), *[""] * 7]
    lines = "\n".join(part for part in (box, extended, street) if part)
    parts = {"street": lines, "city": city, "region": region, "postcode": postcode, "country": country}
    return {name: value for name, part in parts.items() if (value := part.strip().rstrip(","))}


def _phone(text: str) -> str:
    """Take the number out of a `tel:` address."""
    found = _TEL.match(text)
    if found is None:
        return text
    return f"{found[1]} ext. {found[2]}" if found[2] else found[1]


def _unique(values: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _texts(found: dict[str, list[Line]], name: str) -> list[str]:
    texts = (_unescape(line.value).strip() for line in found.get(name, ()))
    return [text for text in texts if text]


def _parts(value: str) -> list[str]:
    r"""Split at semicolons that are not escaped."""
    return [_unescape(part).strip() for part in _PART.findall(value)]


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


# Lines


def _lines(raw: list[bytes]) -> Iterator[Line]:
    """Unfold and decode; a line that is none is passed over, as every address book does."""
    logical: list[bytes] = []
    for line in raw[:-1]:
        if logical and _continues(logical[-1]):
            # A soft break of quoted-printable: the "=" goes, and 2.1 has no leading blank here.
            logical[-1] = logical[-1][:-1] + line
        elif line[:1] in (b" ", b"\t") and logical:
            logical[-1] += line[1:]
        elif line.strip():
            logical.append(line)
    for line in logical:
        if parsed := _line(line):
            yield parsed


def _continues(line: bytes) -> bool:
    head = line.partition(b":")[0].upper()
    return line.endswith(b"=") and b"QUOTED-PRINTABLE" in head


def _line(raw: bytes) -> Line | None:
    head, colon, value = _split_head(raw)
    parameters_at = head.find(";")
    name = _NAME.match(head if parameters_at < 0 else head[:parameters_at])
    if not colon or name is None or name[1].upper() in _BINARY:
        return None
    parameters: dict[str, list[str]] = {}
    if parameters_at >= 0:
        for key, equals, values in _PARAMETER.findall(head[parameters_at + 1 :]):
            # 2.1 writes a type without its name: TEL;HOME;VOICE
            named, given = (key, values) if equals else ("TYPE", key)
            parameters.setdefault(named.strip().upper(), []).extend(given.replace('"', "").split(","))
    return Line(name[1].upper(), parameters, _decode(value, parameters))


def _split_head(raw: bytes) -> tuple[str, bool, bytes]:
    """Split at the first colon outside quotes."""
    quoted = False
    for at, byte in enumerate(raw):
        if byte == 0x22:  # noqa: PLR2004 - a quotation mark
            quoted = not quoted
        elif byte == 0x3A and not quoted:  # noqa: PLR2004 - a colon
            return raw[:at].decode("ascii", "replace").strip(), True, raw[at + 1 :]
    return "", False, b""


def _decode(value: bytes, parameters: dict[str, list[str]]) -> str:
    encoding = {*parameters.get("ENCODING", ()), *parameters.get("TYPE", ())}
    wanted = {word.upper() for word in encoding}
    if "QUOTED-PRINTABLE" in wanted:
        value = quopri.decodestring(value)
    elif wanted & {"B", "BASE64"}:
        try:
            value = binascii.a2b_base64(value)
        except binascii.Error:
            return ""
    for charset in (*parameters.get("CHARSET", ()), *CHARSETS):
        try:
            return value.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
    return value.decode("latin-1")
