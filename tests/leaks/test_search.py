"""The search finds what is there: each form, planted, is found; and nothing where nothing is."""

import base64
import gzip
import hashlib
import json
import quopri
from urllib.parse import quote

import pytest

from tests.leaks.people import COUNT, Crowd, hits

CROWD = Crowd()
PERSON = CROWD.people[6]
FORMS = {
    "raw": PERSON.name.encode(),
    "URL": quote(PERSON.email).encode(),
    "every byte quoted": "".join(f"%{byte:02X}" for byte in PERSON.email.encode()).encode(),
    "base64": base64.b64encode(b"x" + PERSON.name.encode() + b"more"),
    "base64 in a URL": base64.urlsafe_b64encode(b"xy" + PERSON.note.encode()),
    "hex": b"\\x" + PERSON.note.encode().hex().encode(),
    "gzip": b"before" + gzip.compress(PERSON.name.encode()) + b"after",
    "JSON": json.dumps({"name": PERSON.name}).encode(),
    "quoted-printable": quopri.encodestring(PERSON.name.encode()),
    "UTF-16": PERSON.company.encode("utf-16"),
    "sha256": hashlib.sha256(PERSON.email.encode()).hexdigest().encode(),
    "sha1 in capitals": hashlib.sha1(PERSON.email.encode(), usedforsecurity=False).hexdigest().upper().encode(),
    "md5 of lower case": hashlib.md5(PERSON.email.lower().encode(), usedforsecurity=False).hexdigest().encode(),
    "phone": PERSON.phone.encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_there_is_found(form: str) -> None:
    assert hits(CROWD, {"sink": b"\0before " + FORMS[form] + b" after\xff"})


def test_nothing_is_found_where_nothing_is() -> None:
    other = Crowd().people[0]

    assert (
        hits(CROWD, {"sink": "\n".join(other.values()).encode() + gzip.compress(b"nobody") + b"\x1f\x8b\x08torn"}) == []
    )


def test_there_are_fifty_of_them_and_no_two_alike() -> None:
    assert len(CROWD.people) == COUNT == 50
    assert len({person.email for person in CROWD.people}) == len({person.name for person in CROWD.people}) == COUNT
    assert len({person.phone for person in CROWD.people}) == COUNT
