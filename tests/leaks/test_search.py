"""The search finds what is there, in each form; and nothing where nothing is."""

import base64
import gzip
import hashlib
import json
import quopri
import zlib
from urllib.parse import quote

import pytest

from tests.leaks.people import COUNT, Crowd
from tests.leaks.search import ENCODINGS, hits

CROWD = Crowd(COUNT)
PERSON = CROWD.people[6]
FORMS = {
    "raw": PERSON.name.encode(),
    "upper case": PERSON.name.upper().encode(),
    "backwards": PERSON.email.encode()[::-1],
    "URL": quote(PERSON.email).encode(),
    "URL, every byte quoted": "".join(f"%{byte:02X}" for byte in PERSON.email.encode()).encode(),
    "base64": base64.b64encode(PERSON.name.encode() + b"more"),
    "base64, one further": base64.b64encode(b"x" + PERSON.name.encode() + b"more"),
    "base64, two further": base64.b64encode(b"xy" + PERSON.name.encode() + b"more"),
    "base64 in a URL": base64.urlsafe_b64encode(b"\xff\xfe" + PERSON.note.encode()),
    "base64 in lines": base64.encodebytes(b"more of it " * 5 + PERSON.note.encode() * 3),
    "hex": b"\\x" + PERSON.note.encode().hex().encode(),
    "hex in capitals": PERSON.note.encode().hex(" ").upper().encode(),
    "gzip": b"before" + gzip.compress(PERSON.name.encode()) + b"after",
    "zlib": b"before" + zlib.compress(PERSON.name.encode()) + b"after",
    "JSON": json.dumps({"name": PERSON.name}).encode(),
    "JSON, every letter escaped": "".join(f"\\u{ord(letter):04x}" for letter in PERSON.note).encode(),
    "escaped in C": "".join(f"\\x{byte:02x}" for byte in PERSON.note.encode()).encode(),
    "HTML": "".join(f"&#{ord(letter)};" for letter in PERSON.note).encode(),
    "quoted-printable": "".join(f"={byte:02X}" for byte in PERSON.name.encode()).encode(),
    "quoted-printable in lines": quopri.encodestring(b"more of it " * 6 + PERSON.note.encode()),
    "UTF-16": PERSON.company.encode("utf-16"),
    "UTF-16 the other way": PERSON.company.encode("utf-16-be"),
    "UTF-32": PERSON.company.encode("utf-32"),
    "base64 of gzip": base64.b64encode(gzip.compress(PERSON.note.encode())),
    "hex of base64 of UTF-16": base64.b64encode(PERSON.note.encode("utf-16")).hex().encode(),
    "gzip of JSON of a URL": gzip.compress(json.dumps({"to": quote(PERSON.email)}).encode()),
    "sha256": hashlib.sha256(PERSON.email.encode()).hexdigest().encode(),
    "sha256 in bytes": b"x" + hashlib.sha256(PERSON.email.encode()).digest(),
    "sha256 in base64": base64.b64encode(hashlib.sha256(PERSON.email.encode()).digest()),
    "sha1 in capitals": hashlib.sha1(PERSON.email.encode(), usedforsecurity=False).hexdigest().upper().encode(),
    "md5 of lower case": hashlib.md5(PERSON.email.lower().encode(), usedforsecurity=False).hexdigest().encode(),
    "phone": PERSON.phone.encode(),
    "phone in E.164": f"+43{CROWD.digits}006".encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_there_is_found(form: str) -> None:
    assert hits(CROWD, {"sink": b"\0before: " + FORMS[form] + b"; after\xff\0"})


def test_no_encoding_is_looked_into_in_vain() -> None:
    assert ENCODINGS.keys() <= {form.split(",")[0] for form in FORMS}


def test_nothing_is_found_where_nothing_is() -> None:
    other = Crowd(1).people[0]

    assert (
        hits(CROWD, {"sink": "\n".join(other.values()).encode() + gzip.compress(b"nobody") + b"\x1f\x8b\x08torn"}) == []
    )


def test_there_are_two_hundred_of_them_and_no_two_alike() -> None:
    assert len(CROWD.people) == COUNT == 200
    assert len({person.email for person in CROWD.people}) == len({person.name for person in CROWD.people}) == COUNT
    assert len({person.phone for person in CROWD.people}) == COUNT
