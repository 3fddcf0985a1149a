"""Tables: how they are written, where their lines are, what their headings mean, what their rows say."""

import csv
import io
import random
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.contacts import sources, tables
from crm.contacts.headings import meaning
from crm.contacts.layout import LONGEST_HEADING, MOST_COLUMNS, Layout, heads
from crm.contacts.sources import CardSource, TableSource
from crm.contacts.tables import LONGEST_LINE, MOST_MENDED, BrokenRowError, Table, find

Cells = list[list[str]]
HEADINGS = ["First Name", "Last Name", "E-mail", "Notes"]
# What a table can hold at all: a record separator inside a cell is written as it is, and NUL is rejected later.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)
_ONE_OF_UTF8 = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})[\x80-\xbf]")
WESTERN = st.text(st.sampled_from([*"aZ09 ,;|\t\n\"'=@+-", *"äöüßéèçñ€„“…™Œž"]), max_size=12)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
# With "\r" at the end of a line, the writer leaves a "\n" inside a cell bare unless all is quoted.
WRITTEN = st.sampled_from([("\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_NONNUMERIC), ("\r", csv.QUOTE_ALL)])


def table(data: bytes) -> Table:
    found = find(data, heads)
    assert found is not None
    return found


def read(data: bytes) -> list[tuple[int, list[str] | str]]:
    """Read rows with their lines; a broken one as its reason."""
    return [(line, str(row) if isinstance(row, BrokenRowError) else row) for line, row in table(data).rows()]


def written(rows: Cells, delimiter: str, end: str, quoting: Any) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows(rows)
    return stream.getvalue()


def said(rows: Cells) -> Cells:
    """The rows that are not blank."""
    return [row for row in rows if any(cell.strip() for cell in row)]


def fields(*rows: str) -> list[dict[str, Any]]:
    """Read a table written with commas; nobody in it is refused."""
    source = sources.find("\n".join(rows).encode())
    entries = list(source.entries())
    assert not any(entry.refused for entry in entries)
    return [entry.fields for entry in entries]


def field(heading: str) -> str | None:
    found = meaning(heading)
    return found and found.field


# How they are written


@given(
    rows=st.lists(st.lists(TEXT, min_size=4, max_size=4), max_size=8),
    delimiter=st.sampled_from(tables.DELIMITERS),
    ends=WRITTEN,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    first=st.sampled_from(["", "sep={}"]),
)
def test_whatever_is_written_reads_back_the_same(
    rows: Cells, delimiter: str, ends: tuple[str, int], encoding: str, first: str
) -> None:
    end, quoting = ends
    before = [first.format(delimiter), end] if first else []

    found = table("".join([*before, written([HEADINGS, *rows], delimiter, end, quoting)]).encode(encoding))

    assert (found.headings, found.delimiter) == (HEADINGS, delimiter)
    assert [row for _, row in found.rows()] == said(rows)


@given(rows=st.lists(st.lists(WESTERN, min_size=4, max_size=4), max_size=8), delimiter=st.sampled_from(";,\t|"))
def test_what_windows_writes_reads_back_the_same(rows: Cells, delimiter: str) -> None:
    data = written([HEADINGS, *rows], delimiter, "\r\n", csv.QUOTE_MINIMAL).encode("cp1252")
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        assume(data.isascii())
    # Western letters side by side can be one of UTF-8: which of the two they are, nobody can tell.
    assume(not _ONE_OF_UTF8.search(data))

    assert [row for _, row in table(data).rows()] == said(rows)


@given(cell=st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\r\n",'), max_size=9))
def test_a_delimiter_of_ones_own_is_taken_at_its_word(cell: str) -> None:
    assume("^" not in cell)
    rows = [["Name", "Email"], [f"x{cell}", "y"]]

    found = table(("sep=^\n" + "\n".join("^".join(row) for row in rows)).encode())

    assert [row for _, row in found.rows()] == rows[1:]


def test_encodings_without_a_mark() -> None:
    for text, encoding in (("Zoë", "utf-8"), ("Zoë", "cp1252"), ("Łukasz", "utf-8"), ("日本", "utf-8")):
        assert read(f"Name,Email\n{text},\n".encode(encoding)) == [(2, [text, ""])]


def test_one_odd_byte_makes_no_other_encoding_of_a_whole_file() -> None:
    data = "Name,Email\nZoë,\nJürgen,\nBjörn,\n".encode() + b"Ren\xe9,\nUnn\x81,\n"

    assert [row[0] for _, row in read(data)] == ["Zoë", "Jürgen", "Björn", "René", "Unn\x81"]


def test_a_file_that_was_cut_off_in_the_middle_of_a_letter() -> None:
    assert read("Name,Email\nZoë,\nJürgen,\nBjö".encode()[:-1])[-1] == (4, ["BjÃ"])


def test_bytes_windows_has_no_letter_for() -> None:
    assert read(b"Name,Email\nA\x81\xff,\n") == [(2, ["A\x81ÿ", ""])]


def test_an_odd_half_at_the_end_of_utf_16() -> None:
    assert read("Name,Email\nZoë,\n".encode("utf-16") + b"x")[0] == (2, ["Zoë", ""])


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"\xff\xfe", b"sep=;", b"sep=;\n", b"colour;size\nred;1\n", b"Notes\nx\n"]
)
def test_what_is_no_table_of_people(data: bytes) -> None:
    assert find(data, heads) is None
    assert isinstance(sources.find(data), CardSource)


def test_a_file_without_headings_is_none_and_its_first_person_no_heading() -> None:
    assert find(b"Name,ada@example.org\nBob,bob@example.org\n", heads) is None


def test_cards_are_no_table() -> None:
    assert isinstance(sources.find(b"BEGIN:VCARD\nFN:A\nEND:VCARD\n"), CardSource)
    assert isinstance(sources.find(b"Name,Email\nBEGIN:VCARD,\n"), TableSource)


# Where they stand


def test_lines_are_those_of_the_file() -> None:
    data = b'\nsomething;else\n\nName;Notes\n\nAda;"one\ntwo\r\nthree"\n;\n  ; \nBob;x\n'

    # What stands before the headings makes them no headings.
    assert find(data, heads) is None
    assert read(data[16:]) == [(4, ["Ada", "one\ntwo\r\nthree"]), (9, ["Bob", "x"])]


@given(notes=st.lists(st.integers(0, 3), min_size=1, max_size=12), end=ENDS, first=st.sampled_from(["", "sep=,"]))
def test_a_line_is_where_an_editor_shows_it(notes: list[int], end: str, first: str) -> None:
    rows = [["Name", "Notes"], *([f"P{n}", end.join("x" * (size + 1))] for n, size in enumerate(notes))]
    text = (first and first + end) + written(rows, ",", end, csv.QUOTE_MINIMAL)

    lines = text.split(end)
    for line, row in table(text.encode()).rows():
        assert isinstance(row, list)
        assert lines[line - 1].startswith(row[0])


def test_a_quote_that_is_not_closed_costs_its_row_only() -> None:
    for data in (
        b'Name,Notes\nAda,x\n"Bob,open\nCy,"two\nlines"\nDan,x\n',
        b'Name,Notes\nAda,x\nBob,"open\nCy,"two\nlines"\nDan,x\n',
        b'Name,Notes\nAda,x\nBob,"open\nCy,"two\nlines"\nDan,x',
    ):
        assert read(data) == [
            (2, ["Ada", "x"]), (3, "a quote is not closed, or a cell is too large"), (4, ["Cy", "two\nlines"]),
            (6, ["Dan", "x"]),
        ]  # fmt: skip


def test_a_quote_that_is_not_closed_in_the_last_row() -> None:
    assert read(b'Name,Notes\nAda,x\nBob,"open') == [
        (2, ["Ada", "x"]), (3, "a quote is not closed, or a cell is too large")
    ]  # fmt: skip


def test_a_cell_over_the_limit_costs_its_row_only() -> None:
    data = b"Name,Notes\nAda," + b"x" * 200_000 + b"\nBob,x\n"

    assert read(data) == [(2, "a quote is not closed, or a cell is too large"), (3, ["Bob", "x"])]


def test_a_line_over_the_limit_costs_its_row_only() -> None:
    data = b"Name,Notes\nAda" + b"," * (LONGEST_LINE + 1) + b"\nBob,x\n"

    assert read(data) == [(2, "a quote is not closed, or a cell is too large"), (3, ["Bob", "x"])]


@pytest.mark.parametrize("first", [b'"Name,Notes', b"Name," * (LONGEST_LINE // 5 + 1), b"Name," * (MOST_COLUMNS + 1)])
def test_headings_that_cannot_be_read(first: bytes) -> None:
    assert find(first + b"\nName,Notes\nAda,x\n", heads) is None


def test_mending_ends() -> None:
    """Each row that is mended is read again; behind the last of them, an open quote takes what follows."""
    data = b"Name,Notes\n" + b'Ada,"open" x\n"Bob\n' * (MOST_MENDED + 5)

    rows = read(data)

    assert len(rows) < 2 * MOST_MENDED + 10
    assert max(line for line, _ in rows) > MOST_MENDED


def test_short_rows_are_taken_and_long_ones_are_not() -> None:
    data = b"Name,Email,Notes\nAda\nBob,,,\nCy,,,shifted\n"

    assert read(data) == [(2, ["Ada"]), (3, ["Bob", "", "", ""]), (4, "more cells than headings")]
    assert [(entry.line, entry.refused) for entry in sources.find(data).entries()] == [
        (2, ""), (3, ""), (4, "more cells than headings")
    ]  # fmt: skip


@given(st.binary(max_size=300))
def test_no_bytes_end_the_reader(data: bytes) -> None:
    for prefix in (b"", b"Name,Email,Notes\n", b"\xff\xfe", b"\xef\xbb\xbfsep=;\nName;Email\n"):
        source = sources.find(prefix + data)
        assert sum(1 for _ in source.entries()) == source.survey().total


# What headings mean


@pytest.mark.parametrize(
    ("meant", "headings"),
    [
        ("given_name", "First Name|firstName|FIRST_NAME|Given Name|Vorname|Prénom|Voornaam|Nombre de pila"),
        ("family_name", "Last Name|Surname|lastname|Nachname|Familienname|Nom de famille|Apellidos|Cognome|Achternaam"),
        ("additional_name", "Middle Name|Additional Name|Weitere Vornamen|Deuxième prénom|Segundo nombre|Secondo nome"),
        ("full_name", "Full Name|Display Name|Anzeigename|Nom complet|Nombre completo|Nome completo|Volledige naam"),
        ("company", "Company|Company Name|Organization 1 - Name|Account Name|Firma|Nom de l’entreprise|Azienda"),
        ("job_title", "Job Title|Organization 1 - Title|Organization Title|Position|Fonction|Cargo|Qualifica|Functie"),
        ("emails", "E-mail|Email|E-Mail-Adresse|E-mail 1 - Value|EMAIL ADDRESS|Courriel|Adresse e-mail|Adresse mail"),
        ("emails", "Adresse électronique|Correo electrónico|Posta elettronica|E-mailadres|Endereço de e-mail|eMail"),
        ("emails", "Work Email|E-Mail (geschäftlich)|Secondary Email|Person - Email - Home|E-mail 3 Address"),
        ("phones", "Phone|Telephone Number|Mobile Phone|Telefon geschäftlich 2|Handy|Tél. portable|Téléphone mobile"),
        ("phones", "Teléfono móvil|Cellulare|Telefoonnummer|Telemóvel|Celular|Mobil-Tel.-Nr.|MOBILEPHONE"),
        ("street", "Street|Home Street|Business Street 2|Straße geschäftlich|Rue (bureau)|Calle|Straat|MAILINGSTREET"),
        ("street", "Address Line 2|Street Address|Straße und Hausnummer|Address 1 - Street|Rua"),
        ("city", "City|Mailing City|Ort privat|Ville|Ciudad|Città|Woonplaats|Cidade|Address 2 - City|OTHERCITY"),
        ("region", "State|State/Region|Mailing State/Province|Bundesland|Région|Provincia|Estado|Privat: Bundesland"),
        ("postcode", "Zip|ZipCode|Postal Code|Mailing Zip/Postal Code|PLZ|Code postal|Código postal|CAP|Postcode|CEP"),
        ("country", "Country|Country/Region|Land/Region privat|Pays|País|Paese/area geografica|Land|MailingCountry"),
        ("address", "Home Address|Address 1 - Formatted|Anschrift|Privatadresse|Organization - Address|Indirizzo"),
        ("box", "Business Address PO Box|Address 1 - PO Box|Postfach geschäftlich|Boîte postale|Postbus"),
        ("websites", "Website|Web Page|Website URL|Webseite 1|Homepage|Site web|Página web|Sito web"),
        ("birthday", "Birthday|Date of Birth|Geburtstag|Date de naissance|Cumpleaños|Data di nascita|Geboortedatum"),
        ("note", "Notes|Description|Notizen|Bemerkungen|Remarques|Observaciones|Annotazioni|Opmerkingen|Observações"),
        ("language", "Language|Preferred language|Sprache|Langue|Idioma|Lingua|Taal"),
        ("nickname", "Nickname|Spitzname|Surnom|Apodo|Soprannome|Bijnaam"),
    ],
)  # fmt: skip
def test_headings_of_seven_languages(meant: str, headings: str) -> None:
    assert {heading: field(heading) for heading in headings.split("|")} == dict.fromkeys(headings.split("|"), meant)


@pytest.mark.parametrize(
    "heading",
    [
        "", " ", "-", "1", "Shoe size", "Assistant's Phone", "Telefon Assistent", "Name Assistent", "Manager's Name",
        "Spouse", "E-mail 2 Display Name", "E-Mail: Angezeigter Name", "Email Opt Out", "Contact owner", "Record ID",
        "Home Fax", "Fax geschäftlich", "Pager", "Name Prefix", "Suffix", "Initials", "Phonetic First Name",
        "Given Name Yomi", "Internet Free Busy", "Lead Source", "Group Membership", "Labels", "Gender", "Photo",
        "Referred By", "Account Owner", "Street of birth", "Home", "Business",
    ],
)  # fmt: skip
def test_a_heading_with_a_word_that_is_not_known_means_nothing(heading: str) -> None:
    assert meaning(heading) is None


def test_what_stands_beside_a_value_is_told_from_it() -> None:
    for heading in ("E-mail 1 - Type", "E-mail 1 - Label", "E-Mail-Typ", "E-mail 1 - Libellé"):
        found = meaning(heading)
        assert found is not None
        assert (found.field, found.is_beside) == ("emails", True)


@given(st.text(max_size=40))
def test_no_heading_ends_the_reader(heading: str) -> None:
    meaning(heading)
    Layout([heading, heading])


# What rows say


def test_a_name_that_means_one_thing_here_and_another_there() -> None:
    assert fields("Name", "Ada Lovelace") == [{"given_name": "Ada", "family_name": "Lovelace"}]
    assert fields("Name,Vorname", "Lovelace,Ada") == [{"given_name": "Ada", "family_name": "Lovelace"}]
    assert fields("Nome,Cognome", "Ada,Lovelace") == [{"given_name": "Ada", "family_name": "Lovelace"}]
    assert fields("Name,First Name,Last Name", "X Y,Ada,Lovelace", "X Y,,") == [
        {"given_name": "Ada", "family_name": "Lovelace"}, {"given_name": "X", "family_name": "Y"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("whole", "given_name", "family_name"),
    [
        ("Ada", "Ada", None), ("Ada Lovelace", "Ada", "Lovelace"), ("Ada King Lovelace", "Ada King", "Lovelace"),
        ("Lovelace, Ada", "Ada", "Lovelace"), ("Ada van der Berg", "Ada", "van der Berg"),
        ("Lovelace,", "Lovelace,", None),
        ("Ida du Pont", "Ida", "du Pont"), ("Zoe von Au", "Zoe", "von Au"), ("Dee Dee Lu", "Dee Dee", "Lu"),
    ],
)  # fmt: skip
def test_a_whole_name_is_taken_apart(whole: str, given_name: str, family_name: str | None) -> None:
    (found,) = fields("Full name", f'"{whole}"')

    assert (found["given_name"], found.get("family_name")) == (given_name, family_name)


def test_a_title_is_a_position_where_no_other_column_is() -> None:
    assert fields("Name,Title", "Ada,Countess") == [{"given_name": "Ada", "job_title": "Countess"}]
    assert fields("Name,Title,Job Title", "Ada,Countess,Analyst") == [{"given_name": "Ada", "job_title": "Analyst"}]
    assert fields("Titre,Prénom,Nom,Titre", "Mme,Ada,L,Chef") == [
        {"given_name": "Ada", "family_name": "L", "job_title": "Chef"}
    ]


def test_a_word_that_is_a_family_name_in_portugal_and_a_nickname_in_brazil() -> None:
    assert fields("Nome,Apelido", "Ana,Silva") == [{"given_name": "Ana", "family_name": "Silva"}]
    assert fields("Nome,Sobrenome,Apelido", "Ana,Silva,Aninha")[0]["profile"] == {"nickname": "Aninha"}


def test_addresses_and_numbers_of_one_cell_and_of_several() -> None:
    assert fields(
        "Name,E-mail 1,E-mail 2,Phone",
        "A,a@x.example ::: b@x.example,a@x.example; c@x.example,+49 30 1 ::: +49 30 2 :::",
        'B,"Bea <b@y.example>, Bo <o@y.example>",mailto:m@y.example,',
        "C, ; ,,",
        'D,"""Do, Dee"" <mailto:d@z.example>; e@z.example",mailto:f@z.example mailto:g@z.example,',
        "E,<h@z.example>,,",
    ) == [
        {"given_name": "A", "emails": ["a@x.example", "b@x.example", "c@x.example"],
         "phones": ["+49 30 1", "+49 30 2"]},
        {"given_name": "B", "emails": ["b@y.example", "o@y.example", "m@y.example"]},
        {"given_name": "C"},
        {"given_name": "D", "emails": ["d@z.example", "e@z.example", "f@z.example", "g@z.example"]},
        {"given_name": "E", "emails": ["h@z.example"]},
    ]  # fmt: skip


def test_lines_of_a_street_and_a_second_address() -> None:
    assert fields("Name,Address 1,Address 2,City", "A,1 X,Flat 2,Y")[0]["addresses"] == [
        {"street": "1 X\nFlat 2", "city": "Y"}
    ]
    assert fields("Name,Street,City,Street 2,City 2", "A,1 X,Y,2 X,Z")[0]["addresses"] == [
        {"street": "1 X", "city": "Y"}, {"street": "2 X", "city": "Z"}
    ]  # fmt: skip
    assert fields("Name,Street,House number,PO box", "A,High St,12,PB 3")[0]["addresses"] == [
        {"street": "PB 3\nHigh St 12"}
    ]
    assert fields("Name,House number,City", "A,12,Y")[0]["addresses"] == [{"street": "12", "city": "Y"}]


def test_a_whole_address_beside_its_parts() -> None:
    rows = 'A,1 X,"1 X, Y",Y', 'B,,"2 X, Y",Y', "C,3 X,c/o D,Y"
    assert [one["addresses"][0]["street"] for one in fields("Name,Home Street,Home Address,Home City", *rows)] == [
        "1 X", "2 X, Y", "3 X\nc/o D"
    ]  # fmt: skip


def test_a_country_that_no_address_stands_beside() -> None:
    assert fields("Name,Country", "A,Deutschland", "B,Atlantis", "C,") == [
        {"given_name": "A", "country": "DE"}, {"given_name": "B", "addresses": [{"country": "Atlantis"}]},
        {"given_name": "C"},
    ]  # fmt: skip


def test_several_columns_of_a_field_that_has_one_value() -> None:
    source = sources.find(b"Name,Company,Organization\nA,X,X\nB,X,Y\nC,,Y\n")

    said = [(entry.fields.get("company"), entry.warnings) for entry in source.entries()]

    assert said == [("X", []), ("X", ["company: the first of several"]), ("Y", [])]


def test_birthdays_notes_and_websites() -> None:
    (found,) = fields(
        "Name,Birth Year,Birth Month,Birth Day,Notes,Comments,Website 1,Website 2",
        "A,1980,3,9,one,two,https://a.example,https://b.example ::: https://a.example",
    )

    assert found["profile"] == {
        "birthday": "1980-03-09", "note": "one\ntwo", "websites": ["https://a.example", "https://b.example"]
    }  # fmt: skip
    assert fields("Name,Birth Year", "A,1980")[0]["profile"] == {"birthday": "1980"}


def test_how_often_columns_are_filled() -> None:
    source = sources.find(b'Name,Shoe size,Notes\nA,38,\nB,,x\nC,40,"x\ny"\nD,,,,z\n')

    survey = source.survey()

    assert (survey.total, survey.filled) == (4, [3, 2, 2])
    assert [column.field for column in source.columns] == ["given_name, family_name", None, "profile.note"]


def test_headings_are_shown_as_a_terminal_can_be_trusted_with() -> None:
    (_, column) = Layout(["Name", "\x1b[2J" + "x" * 200]).columns

    assert column.heading == " [2J" + "x" * (LONGEST_HEADING - 4)


def test_the_order_of_columns_means_nothing() -> None:
    headings = ["First Name", "Last Name", "Company", "E-mail 1 - Value", "Home Street", "Home City", "Notes"]
    values = ["Ada", "Lovelace", "Acme", "ada@example.org", "1 X", "Y", "z"]
    expected = fields(",".join(headings), ",".join(values))
    dice = random.Random(1)  # noqa: S311 - a fixed order

    for _ in range(20):
        pairs = list(zip(headings, values, strict=True))
        dice.shuffle(pairs)
        assert fields(*(",".join(line) for line in zip(*pairs, strict=True))) == expected
