"""Plain attributes are of a standard, so that none can carry a name."""

import pytest

from crm.contacts.standards import COUNTRIES, LANGUAGES, country, language, time_zone


@pytest.mark.parametrize(
    ("given", "tidy"),
    [("de", "de"), ("EN-gb", "en-GB"), ("zh_hant_tw", "zh-Hant-TW"), ("es-419", "es-419"), ("fil", "fil")],
)
def test_languages(given: str, tidy: str) -> None:
    assert language(given) == tidy


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "xx",
        "english",
        "en-Quil",
        "en-x-ada",
        "de-1996",
        "en-ZZ",
        "en-GB-oed",
        "en-a-myext",
        "de-DE-u-co-phonebk",
    ],
)
def test_what_is_no_language(given: str) -> None:
    with pytest.raises(ValueError, match="BCP 47"):
        language(given)


def test_countries() -> None:
    assert (country("ch"), country(" GB ")) == ("CH", "GB")
    for given in ("", "XX", "CHE", "EU", "UK"):
        with pytest.raises(ValueError, match="ISO 3166"):
            country(given)
    assert len(COUNTRIES) >= 249
    assert len(LANGUAGES) > 180


def test_time_zones() -> None:
    assert time_zone("Europe/Zurich") == "Europe/Zurich"
    for given in ("", "Europe/Ada", "../../etc/passwd", "CET+1"):
        with pytest.raises(ValueError, match="IANA"):
            time_zone(given)
