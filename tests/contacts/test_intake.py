"""Who is told apart in a file, what is said of the rest, and the short ways that must not differ from the long ones."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm.contacts import intake, sources, standard_names, vcard
from crm.contacts.importing import Headings
from crm.contacts.intake import Intake, Person, _is_plain, _sections
from crm.contacts.schemas import MOST_ADDRESSES, MOST_EMAILS, PersonIn, sections_of
from crm.contacts.standards import COUNTRIES

KEY = b"k" * 32
LINE = st.one_of(
    st.text(max_size=8), st.sampled_from(["Ada", " x", "x ", "a\nb", "\x85", "\u2028", "x\0", "x" * 200, "x" * 201])
)
LINES = st.lists(LINE, min_size=1, max_size=3)
EMAILS = st.lists(
    st.sampled_from(["a@b.example", "A@B.example", "none", "a@bücher.example", " a@b.example"]), min_size=1
)


def take(data: bytes, region: str | None = None) -> tuple[list[Person], Intake]:
    """Read all people of a file."""
    reading, entries = Intake(KEY, region), sources.find(data).entries()
    found: list[Person] = []
    while batch := reading.take(entries):
        found += batch
    return found, reading


def warnings(data: str, region: str | None = None) -> list[str]:
    return [one["reason"] for one in take(data.encode(), region)[1].tally.warnings]


# Who is who


def test_the_same_words_are_the_same_person_however_they_are_written() -> None:
    table = "Name,First Name,E-mail,Street,City\nLovelace,Ada,Ada@Example.ORG,1 X,Y\n"
    other = "sep=;\nStadt;Straße;E-Mail-Adresse;Vorname;Nachname;Schuhgröße\nY;1 X;ada@example.org;Ada;Lovelace;38\n"
    card = "BEGIN:VCARD\nN:Lovelace;Ada;;;\nADR:;;1 X;Y;;;\nEMAIL:ada@example.org\nEND:VCARD\n"

    found = {
        take(data.encode(encoding))[0][0].id
        for data, encoding in ((table, "utf-8"), (other, "cp1252"), (card, "utf-16"))
    }

    assert len(found) == 1


@pytest.mark.parametrize(
    "other",
    ["Adb,a@b.example,1,X,en", "Ada,c@b.example,1,X,en", "Ada,a@b.example,2,X,en", "Ada,a@b.example,1,Y,en",
     "Ada,a@b.example,1,X,de", "Ada,,1,X,en", "Ada,a@b.example,,X,en"],
)  # fmt: skip
def test_other_words_are_another_person(other: str) -> None:
    people, reading = take(f"Name,E-mail,Phone,City,Language\nAda,a@b.example,1,X,en\n{other}\n".encode())

    assert len({person.id for person in people}) == 2
    assert reading.tally.repeated == 0


def test_words_that_move_to_another_field_are_another_person() -> None:
    rows = "A,B,,,", "B,A,,,", ",,A,B,", "A,,,,B"
    people, _ = take("\n".join(["First Name,Last Name,Company,Job Title,Nickname", *rows]).encode())

    assert len({person.id for person in people}) == len(rows)


def test_ids_are_keyed() -> None:
    (person,), _ = take(b"Name\nAda\n")
    reading = Intake(b"other" * 8, None)

    assert reading.take(sources.find(b"Name\nAda\n").entries())[0].id != person.id


def test_batches_end_where_they_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH", 2)
    entries, reading = sources.find(b"Name\nA\nB\nB\nC\nD\nE\n").entries(), Intake(KEY, None)

    assert [len(reading.take(entries)) for _ in range(4)] == [2, 2, 1, 0]


# What is said of the rest


def test_numbers_that_cannot_be_called_are_kept_and_told() -> None:
    said = "phones: not a number that can be called, kept as it is written"

    assert warnings("Name,Phone\nA,12\nB,+49 30 1234000\nC,\nD,030 1234000\n") == [said, said]
    assert warnings("Name,Phone\nA,12\nB,030 1234000\n", "DE") == [said]


def test_a_language_that_is_not_known_is_told_and_not_kept() -> None:
    people, reading = take(b"Name,Language\nA,German\nB,de-CH\nC,Klingon\n")

    assert [person.plain for person in people] == [{"language": "de"}, {"language": "de-CH"}, {}]
    assert reading.tally.warnings == [{"line": 4, "reason": "language: not one that is known, and not kept"}]
    assert reading.tally.warned == 1


def test_the_first_country_that_is_clear_counts() -> None:
    data = "Name,Home Street,Home Country,Business Street,Business Country\nA,1 X,Congo,2 Y,Schweiz\nB,1 X,Congo,,\n"
    people, _ = take(data.encode())

    assert [person.plain for person in people] == [{"country": "CH"}, {}]
    assert people[0].sections["channels"]["addresses"][0]["country"] == "Congo"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,none,,", "emails: not an e-mail address"),
        (f"A,{' '.join(f'a{n}@b.example' for n in range(21))},,", "emails: more than 20"),
        (f"A,,{'1' * 61},", "phones: longer than 60 characters"),
        (f"{'A' * 201},,,", "given_name: longer than 200 characters"),
        ("A\x07,,,", "given_name: control characters are not text"),
        (f"A,,,{'x' * 20_001}", "profile: longer than 20000 characters"),
        ("A,,,x\0", "profile: control characters are not text"),
    ],
)  # fmt: skip
def test_why_somebody_is_rejected_is_said_in_words_of_ours(row: str, reason: str) -> None:
    people, reading = take(f"Name,E-mail,Phone,Notes\nB,,,\n{row}\n".encode())

    assert reading.tally.rejects == [{"line": 3, "reason": reason}]
    assert len(people) == 1


def test_a_kind_of_mistake_without_words_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(_: object) -> dict[str, Any]:
        return {"given_name": "\ud800"}

    monkeypatch.setattr(vcard, "read", half)
    _, reading = take(b"BEGIN:VCARD\nFN:A\nEND:VCARD\n")

    assert reading.tally.rejects == [{"line": 1, "reason": "given_name: string unicode"}]


def test_a_row_that_says_nothing_that_is_kept() -> None:
    assert take(b"Name,Shoe size\n,38\n")[1].tally.rejects == [{"line": 2, "reason": "nobody"}]


# The short ways


@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "given_name": LINE, "family_name": LINE, "company": LINE, "job_title": LINE, "emails": EMAILS,
            "phones": LINES,
            "addresses": st.lists(
                st.fixed_dictionaries({}, optional=dict.fromkeys(("street", "city", "country"), LINE)), max_size=11
            ),
            "profile": st.fixed_dictionaries(
                {}, optional={"nickname": LINE, "birthday": LINE, "websites": LINES, "note": LINE}
            ),
        },
    )
)  # fmt: skip
def test_who_passes_by_the_schema_is_taken_as_it_takes_them(fields: dict[str, Any]) -> None:
    if not _is_plain(fields):
        return

    assert _sections(fields) == sections_of(PersonIn.model_validate(fields))


@pytest.mark.parametrize(
    ("field", "most", "over"),
    [
        ("given_name", "x" * intake.LONGEST_LINE, "x" * (intake.LONGEST_LINE + 1)),
        ("phones", ["1" * intake.LONGEST_PHONE], ["1" * (intake.LONGEST_PHONE + 1)]),
        ("phones", ["1"] * MOST_EMAILS, ["1"] * (MOST_EMAILS + 1)),
        ("emails", ["a@b.example"] * MOST_EMAILS, ["a@b.example"] * (MOST_EMAILS + 1)),
        ("addresses", [{"city": "x"}] * MOST_ADDRESSES, [{"city": "x"}] * (MOST_ADDRESSES + 1)),
        ("profile", {"note": "x" * intake.LONGEST_TEXT}, {"note": "x" * (intake.LONGEST_TEXT + 1)}),
        ("profile", {"websites": ["x"] * MOST_ADDRESSES}, {"websites": ["x"] * (MOST_ADDRESSES + 1)}),
    ],
)  # fmt: skip
def test_the_short_way_takes_what_the_schema_takes_and_no_more(field: str, most: Any, over: Any) -> None:
    assert _is_plain({field: most})
    assert _sections({field: most}) == sections_of(PersonIn.model_validate({field: most}))
    assert not _is_plain({field: over})
    with pytest.raises(ValidationError):
        _sections({field: over})


@given(
    st.lists(st.sampled_from([b"BEGIN:VCARD", b" begin:vcard\t", b"END:VCARD", b"FN:A", b"", b"xBEGIN:VCARD"])),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_cards_are_counted_as_they_are_cut(lines: list[bytes], end: bytes) -> None:
    data = end.join(lines)

    assert vcard.count(data) == sum(1 for _ in vcard.cards(data))
    assert vcard.count(b"\xef\xbb\xbf" + data) == sum(1 for _ in vcard.cards(b"\xef\xbb\xbf" + data))


# Names of standards


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("DE", "Germany|Deutschland|Allemagne|Alemania|Germania|Duitsland|Alemanha|de|DE|BRD|Tyskland"),
        ("US", "United States|USA|U.S.A.|United States of America|Vereinigte Staaten von Amerika|États-Unis|us"),
        ("GB", "United Kingdom|UK|Great Britain|England|Royaume-Uni|Großbritannien|Reino Unido|Scotland"),
        ("NL", "Netherlands|The Netherlands|Nederland|Niederlande|Pays-Bas|Holland"),
        ("CH", "Switzerland|Schweiz|Suisse|Svizzera|Zwitserland|SUIZA"), ("AT", "Österreich|Autriche"),
        ("CZ", "Czechia|Czech Republic|Tschechien"), ("JP", "日本|Japan|Japon"), ("XK", "Kosovo"),
    ],
)  # fmt: skip
def test_names_of_countries(code: str, names: str) -> None:
    found = {name: standard_names.country(name) for name in names.split("|")}

    assert found == dict.fromkeys(found, code)


@pytest.mark.parametrize("name", ["", "Atlantis", "Congo", "Kongo", "XX", "Europe", "-"])
def test_what_is_no_clear_country(name: str) -> None:
    assert standard_names.country(name) is None


def test_every_country_with_a_name_has_it() -> None:
    found = set(standard_names._COUNTRIES.values())

    assert found <= COUNTRIES
    assert {"DE", "FR", "ES", "IT", "NL", "PT", "BR", "US", "GB", "IN", "CN", "ZA"} <= found
    assert len(found) > 240


def test_names_of_languages() -> None:
    for code, names in (("de", "German|Deutsch|allemand|alemán|tedesco|Duits|alemão|DE"), ("pt-BR", "pt_br|pt-BR")):
        assert {standard_names.language(name) for name in names.split("|")} == {code}
    assert standard_names.language("Klingon") is None
    assert standard_names.language("") is None


# Headings in memory


def test_headings_of_old_files_are_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.contacts.importing.MOST_REMEMBERED", 2)
    headings = Headings()
    for job in ("a", "b", "c"):
        headings.keep(job, sources.find(f"Name,{job}\nx,y\n".encode()))

    assert [headings.of(job, 2) for job in ("a", "b", "c")] == [[None, None], ["Name", "b"], ["Name", "c"]]
