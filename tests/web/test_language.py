"""The catalogues: each language says everything, fills in the same places, and prints numbers and days its own way."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po

from tests.product import Product
from tests.web.pages import OURS
from web.language import FOLDER, LANGUAGES, Tongue
from web.words import gathered

PLACE = re.compile(r"%\((\w+)\)s")
NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_it_says_everything(language: str) -> None:
    with (FOLDER / f"{language}.po").open("rb") as stream:
        catalogue = read_po(stream, locale=language)
    for message in gathered():
        if message.id:
            told = catalogue.get(message.id)
            assert told is not None, message.id
            sentences = told.string if isinstance(told.string, tuple) else (told.string,)
            english = message.id if isinstance(message.id, tuple) else (message.id,)
            assert all(sentences), message.id
            for sentence in sentences:
                assert set(PLACE.findall(sentence)) <= {name for one in english for name in PLACE.findall(one)}, (
                    sentence
                )


def test_two_languages_at_least() -> None:
    assert LANGUAGES[0] == "en"
    assert "de" in LANGUAGES


def test_days_and_numbers_are_the_readers() -> None:
    english, german = (Tongue(one, ZoneInfo("Europe/Berlin"), NOW) for one in ("en", "de"))

    assert (english.number(1234567), german.number(1234567)) == ("1,234,567", "1.234.567")
    assert (english.when(NOW), english.day(NOW)) == ("00:30", "Wed 25 Nov")
    assert english.day("2025-03-01T12:00:00Z") == "1 Mar 2025"
    assert german.day(NOW).startswith("Mi")


async def test_the_readers_language_is_spoken_until_they_choose(product: Product) -> None:
    asked = await product.nobody.get("/sign-in", headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    other = await product.nobody.get("/sign-in", headers={"accept-language": "tlh"})
    chosen = await product.nobody.post("/look", data={"language": "en", "next": "/sign-in"}, headers=OURS)

    assert '<html lang="de"' in asked.text
    assert '<html lang="en"' in other.text
    assert "__Host-language=en" in chosen.headers["set-cookie"]


@pytest.mark.parametrize("field", ["theme", "language", "reason", "zone"])
async def test_a_word_of_no_list_is_not_kept(product: Product, field: str) -> None:
    answer = await product.nobody.post("/look", data={field: "ada@example.com"}, headers=OURS)

    assert "set-cookie" not in answer.headers
