"""Every file of the shared data through REST: everybody is opened, and every field compared."""

from pathlib import Path
from typing import Any

import pytest

from tests.contacts import expected_people
from tests.contacts.imported import counts, give, imported, opened, rehearse
from tests.contacts.test_vcard import EXPECTED
from tests.product import Product

NOTE = "met at the fair,\nwants a call back"
ALIKE: dict[str, tuple[str, dict[str, str]]] = {
    "google-2019.csv": (expected_people.GOOGLE_2019, {}),
    "google-2024.csv": (expected_people.GOOGLE_2024, {}),
    "outlook-cp1252-semicolon.csv": (expected_people.OUTLOOK, {"job_title": "Leiter Einkauf"}),
}
TABLES = (*ALIKE, "trouble.csv")
GOOD_ONE = {"given_name": "Good", "family_name": "One", "emails": ["good.one@firma.example"]}
TROUBLE = [
    GOOD_ONE,
    {"given_name": '=HYPERLINK("http://evil.example")', "family_name": "Formula", "emails": ["formula@firma.example"]},
    {"given_name": "Phone", "family_name": "Bad", "emails": ["phone.bad@firma.example"], "phones": ["12"]},
    {"given_name": "Only", "family_name": "Phone", "phones": ["+46 70 174 06 11"]},
    {"given_name": "Good", "family_name": "Two", "emails": ["good.two@firma.example"]},
]
# What the country of a first address that says one, and a language, are by their codes.
PLAIN = {
    "John_Doe_IPHONE.vcf": {"country": "US"}, "John_Doe_LOTUS_NOTES.vcf": {"country": "US"},
    "John_Doe_MS_OUTLOOK.vcf": {"country": "US"}, "rfc6350-example.vcf": {"country": "CA"},
}  # fmt: skip
DISCLAIMER = (
    "THIS SOFTWARE IS PROVIDED BY {} AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED "
    "WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL {} OR "
    "CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES "
    "(INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR "
    "BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR "
    "TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF "
    "THE POSSIBILITY OF SUCH DAMAGE."
)
HOLDERS = 'THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"'
NOTES = {
    "John_Doe_GMAIL.vcf": DISCLAIMER.format(HOLDERS, "THE COPYRIGHT HOLDER") + " Favotire Color: Blue",
    "John_Doe_LOTUS_NOTES.vcf": DISCLAIMER.format(HOLDERS, "THE COPYRIGHT OWNER"),
    "John_Doe_MS_OUTLOOK.vcf": DISCLAIMER.format("GEORGE EL-HADDAD ''AS IS''", "GEORGE EL-HADDAD"),
}


def people(lines: str, alike: dict[str, str], job_title: str = "") -> list[dict[str, Any]]:
    """Read the expected people of one file."""
    found = []
    for line in lines.strip().splitlines():
        given, family, company, emails, phone, *note = (part.strip() for part in line.split("|"))
        person: dict[str, Any] = {"given_name": given, "family_name": family, **alike}
        person |= {"company": company} if company else {}
        person |= {"job_title": job_title} if company and job_title else {}
        person |= {"emails": emails.split(), "phones": [phone]} | ({"profile": {"note": NOTE}} if note else {})
        found.append(person)
    return found


@pytest.mark.parametrize("name", ALIKE)
async def test_everybody_of_a_table_with_every_field(product: Product, shared_data: Path, name: str) -> None:
    lines, alike = ALIKE[name]
    expected = people(lines, alike, "Buyer" if name == "google-2019.csv" else "")

    found = await imported(product, (shared_data / "csv" / name).read_bytes())

    assert len(found) == 120
    assert found == expected


@pytest.mark.parametrize("name", EXPECTED)
async def test_everybody_of_a_file_of_cards_with_every_field(product: Product, shared_data: Path, name: str) -> None:
    found = await imported(product, (shared_data / "vcards" / name).read_bytes())

    if name in NOTES:
        # Where lines were folded twice over, the blanks of the second time stay in the words.
        note = found[0]["profile"].pop("note")
        assert "".join(note.split()) == "".join(NOTES[name].split())
    assert found == [{**person, **PLAIN.get(name, {})} for person in EXPECTED[name]]


async def test_a_table_with_troubles_keeps_every_good_row(product: Product, shared_data: Path) -> None:
    data = (shared_data / "csv" / "trouble.csv").read_bytes()

    dry, job = await rehearse(product, data), await give(product, data)

    assert counts(job) == counts(dry) == (9, 5, 0, 1, 3)
    for told in (dry, job):
        assert told["rejects"] == [
            {"line": 4, "reason": "emails: not an e-mail address"},
            {"line": 7, "reason": "given_name: longer than 200 characters"},
            {"line": 9, "reason": "given_name: control characters are not text"},
        ]
        assert told["warnings"] == [
            {"line": 5, "reason": "says the same as line 2"},
            {"line": 8, "reason": "phones: not a number that can be called, kept as it is written"},
        ]
    assert await opened(product, data) == TROUBLE


@pytest.mark.parametrize("name", TABLES)
async def test_the_same_table_again_doubles_nothing(product: Product, shared_data: Path, name: str) -> None:
    data = (shared_data / "csv" / name).read_bytes()
    await give(product, data)

    dry, again = await rehearse(product, data), await give(product, data)

    assert counts(dry) == counts(again)
    assert again["stored"] == 0
    assert again["known"] == len(await opened(product, data))


@pytest.mark.parametrize(
    ("name", "taken", "left"),
    [
        (
            "google-2019.csv",
            {"Given Name": "given_name", "Family Name": "family_name", "Notes": "profile.note",
             "E-mail 1 - Value": "emails", "E-mail 2 - Value": "emails", "Phone 1 - Value": "phones",
             "Organization 1 - Name": "company", "Organization 1 - Title": "job_title", "Language": "language"},
            ["Group Membership"],
        ),
        (
            "google-2024.csv",
            {"First Name": "given_name", "Middle Name": "given_name", "Last Name": "family_name",
             "Organization Name": "company", "Organization Title": "job_title", "E-mail 1 - Value": "emails",
             "E-mail 1 - Label": "emails.type", "Phone 1 - Value": "phones", "Nickname": "profile.nickname"},
            ["Labels"],
        ),
        (
            "outlook-cp1252-semicolon.csv",
            {"First Name": "given_name", "Last Name": "family_name", "Company": "company", "Title": None,
             "Job Title": "job_title", "E-mail 3 Address": "emails", "Mobile Phone": "phones", "Home Fax": None,
             "Home Street": "addresses.street", "Web Page": "profile.websites"},
            [],
        ),
    ],
)  # fmt: skip
async def test_a_dry_run_says_what_columns_are_taken_for(
    product: Product, shared_data: Path, name: str, taken: dict[str, str | None], left: list[str]
) -> None:
    dry = await rehearse(product, (shared_data / "csv" / name).read_bytes())

    fields = {column["heading"]: column["field"] for column in dry["columns"]}
    assert taken.items() <= fields.items()
    assert dry["unknown_columns"] == left
