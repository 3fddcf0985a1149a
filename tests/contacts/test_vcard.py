"""The reader of vCards, on files real address books wrote and on what they write wrong."""

from pathlib import Path
from typing import Any

import pytest

from crm.contacts.vcard import LONGEST_CARD, NotACardError, cards, read

NEW_YORK = {"city": "New York", "region": "New York", "postcode": "12345", "country": "United States of America"}


def one(data: bytes) -> dict[str, Any]:
    (card,) = cards(data)
    return read(card)


def card(*lines: str | bytes, version: str = "3.0", end: str = "\r\n") -> bytes:
    raw = [line if isinstance(line, bytes) else line.encode() for line in lines]
    return end.encode().join([b"BEGIN:VCARD", f"VERSION:{version}".encode(), *raw, b"END:VCARD", b""])


def without_note(person: dict[str, Any]) -> dict[str, Any]:
    """Drop the note, which is the licence of the collection in all but one of them."""
    assert person["profile"].pop("note", "THIS").startswith("THIS")
    return person


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "John_Doe_GMAIL.vcf": [
        {
            "given_name": "John Richter James", "family_name": "Doe", "company": "IBM",
            "job_title": "Money Counter", "emails": ["john.doe@ibm.com"],
            "phones": ["905-555-1234", "905-666-1234"],
            "addresses": [
                {"street": "Crescent moon drive\n555-asd\nNice Area, Albaney, New York 12345\nUnited States of America"}
            ],
            "profile": {"birthday": "1980-03-22", "websites": ["http://www.ibm.com"]},
        }
    ],
    "John_Doe_IPHONE.vcf": [
        {
            "given_name": "John Richter James", "family_name": "Doe", "company": "IBM",
            "job_title": "Money Counter", "emails": ["john.doe@ibm.com"],
            "phones": [
                "905-555-1234", "905-666-1234", "905-777-1234", "905-888-1234", "905-999-1234",
                "905-111-1234", "905-222-1234",
            ],
            "addresses": [
                {"street": "Silicon Alley 5", **NEW_YORK},
                {"street": "Street4\nBuilding 6\nFloor 8", "city": "New York", "postcode": "12345", "country": "USA"},
            ],
            "profile": {"nickname": "Johny", "birthday": "2012-06-06", "websites": ["http://www.ibm.com"]},
        }
    ],
    "John_Doe_LOTUS_NOTES.vcf": [
        {
            "given_name": "John Johny", "family_name": "Doe", "company": "IBM",
            "job_title": "Generic Accountant", "emails": ["john.doe@ibm.com", "billy_bob@gmail.com"],
            "phones": ["+1 (212) 204-34456", "00-1-212-555-7777"],
            "addresses": [
                {
                    "street": "25334\nSouth cresent drive, Building 5, 3rd floo r", "city": "New York",
                    "region": "New York", "postcode": "NYC887", "country": "U.S.A.",
                }
            ],
            "profile": {"nickname": "Johny,JayJay", "birthday": "1980-05-21", "websites": ["http://www.sun.com"]},
        }
    ],
    "John_Doe_MS_OUTLOOK.vcf": [
        {
            "given_name": "John Richter James", "family_name": "Doe", "company": "IBM",
            "job_title": "Money Counter", "emails": ["john.doe@ibm.cm"],
            "phones": ["(905) 555-1234", "(905) 666-1234"],
            "addresses": [
                {**NEW_YORK, "street": "Cresent moon drive", "city": "Albaney"},
                {"street": "Silicon Alley 5", **NEW_YORK},
            ],
            "profile": {"nickname": "Johny", "birthday": "19800322", "websites": ["http://www.ibm.com"]},
        }
    ],
    "gmail-list.vcf": [
        {"given_name": "Arnold", "family_name": "Smith", "emails": ["asmithk@gmail.com"]},
        {"given_name": "Chris", "family_name": "Beatle", "emails": ["chrisy55d@yahoo.com"]},
        {"given_name": "Doug", "family_name": "White", "emails": ["dwhite@gmail.com"]},
    ],
    "rfc6350-example.vcf": [
        {
            "given_name": "Simon", "family_name": "Perreault", "company": "Viagenie",
            "emails": ["simon.perreault@viagenie.ca"], "phones": ["+1-418-656-9254 ext. 102", "+1-418-262-6501"],
            "addresses": [
                {
                    "street": "Suite D2-630\n2875 Laurier", "city": "Quebec", "region": "QC",
                    "postcode": "G1V 2M2", "country": "Canada",
                }
            ],
            "language": "fr", "profile": {"birthday": "--0203", "websites": ["http://nomis80.org"]},
        }
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_files_of_real_address_books(shared_data: Path, name: str) -> None:
    found = [read(one) for one in cards((shared_data / "vcards" / name).read_bytes())]

    if name.startswith("John"):
        found = [without_note(person) for person in found]
    assert found == EXPECTED[name]


def test_quoted_printable_with_soft_breaks_and_a_charset() -> None:
    data = card(
        "N;CHARSET=ISO-8859-2;ENCODING=QUOTED-PRINTABLE:=A3=B1k=",
        "owska;Jolanta;;;",
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Gr=C3=BC=C3=9Fe=0D=0Aaus =",
        "=C3=96sterreich",
        version="2.1",
    )

    found = one(data)

    assert (found["family_name"], found["given_name"]) == ("Łąkowska", "Jolanta")
    assert found["profile"]["note"] == "Grüße\r\naus Österreich"


@pytest.mark.parametrize("text", ["Zoë", "Дмитрий", "李明", "😀"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files(text: str, encoding: str) -> None:
    data = card(f"FN:{text}").decode().encode(encoding)

    assert one(data)["given_name"] == text


def test_bytes_of_windows_where_utf_8_was_due() -> None:
    assert one(card("FN:Zoë Müller".encode("cp1252")))["family_name"] == "Müller"


def test_bytes_of_no_known_encoding() -> None:
    assert one(card(b"FN:A\x81\xff"))["given_name"] == "A\x81ÿ"


def test_an_unknown_charset_falls_back() -> None:
    assert one(card("FN;CHARSET=X-KLINGON:Worf"))["given_name"] == "Worf"


def test_folds_and_line_ends() -> None:
    for end in ("\r\n", "\n", "\r", "\r\r\n"):
        data = card("FN:Ada Love", " lace", "EMAIL;TYPE=HOME", "\t:ada@example.org", end=end)
        assert one(data) == {"given_name": "Ada", "family_name": "Lovelace", "emails": ["ada@example.org"]}


def test_escapes_and_separators() -> None:
    found = one(card(r"N:Doe\;Roe;A\\;B\,C", r"ORG:Acme\; Sons;Sales", r"NOTE:one\ntwo\Nthree\, four"))

    assert (found["family_name"], found["given_name"], found["company"]) == ("Doe;Roe", "A\\ B C", "Acme; Sons")
    assert found["profile"]["note"] == "one\ntwo\nthree, four"


def test_a_colon_inside_a_quoted_parameter() -> None:
    found = one(card('TEL;X-LABEL="a:b;c";TYPE="work,voice":+4930123', version="4.0"))

    assert found["phones"] == ["+4930123"]


def test_base64_text_and_pictures() -> None:
    found = one(card("NOTE;ENCODING=B:Z3LDvMOfZQ==", "PHOTO;ENCODING=b:####", "FN:A", "TITLE;ENCODING=BASE64:abc"))

    assert found["profile"]["note"] == "grüße"
    assert "job_title" not in found


def test_mailto_tel_and_repetitions() -> None:
    found = one(card("FN:A", "EMAIL:mailto:a@b.example", "EMAIL:a@b.example", "TEL:tel:+49-30;isub=1", "TEL:"))

    assert (found["emails"], found["phones"]) == (["a@b.example"], ["+49-30"])


def test_lines_that_are_none_are_passed_over() -> None:
    data = card("", "garbage", "FN:Ada", ":", ";:", "X Y:Z", " folded into it")

    assert one(data) == {"given_name": "Ada"}


def test_a_company_without_a_person() -> None:
    assert one(card("N:;;;;", "FN:Acme", "ORG:Acme Ltd")) == {"given_name": "Acme", "company": "Acme Ltd"}


def test_broken_cards_cost_themselves_only() -> None:
    data = b"junk\nBEGIN:VCARD\nFN:Lost\n" + card("FN:Kept") + b"END:VCARD\nBEGIN:VCARD\nFN:Open"

    found = list(cards(data))

    assert [card.at for card in found] == [2, 4, 9]
    assert read(found[1])["given_name"] == "Kept"
    for broken in (found[0], found[2]):
        with pytest.raises(NotACardError, match="no-end"):
            read(broken)


def test_a_card_over_the_limit() -> None:
    with pytest.raises(NotACardError, match="too-large"):
        one(card("FN:A", "NOTE:" + "x" * LONGEST_CARD))


def test_no_cards() -> None:
    assert list(cards(b"")) == list(cards(b"name,email\na,b\n")) == []
