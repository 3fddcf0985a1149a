"""What people write where a standard has a code: names of countries and of languages."""

import importlib.util
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import phonenumbers

from crm.contacts import standards
from crm.kit.text import words

# What the library's names, which are Java's, leave out.
_OTHER_COUNTRIES = {
    "AE": "UAE",
    "CD": "DR Congo",
    "CZ": "Czechia, Tschechien",
    "DE": "BRD, Bundesrepublik Deutschland",
    "GB": "UK, Great Britain, England, Scotland, Wales, Northern Ireland, Großbritannien, Angleterre, Inglaterra",
    "KR": "Republic of Korea",
    "NL": "Holland, The Netherlands, Die Niederlande",
    "RU": "Russian Federation",
    "TR": "Türkiye",
    "US": "USA, United States of America, America",
    "XK": "Kosovo",
}
_UNCLEAR = ("Congo", "Kongo")
_LANGUAGES = {
    "da": "Danish Dänisch danois danés danese Deens dinamarquês dansk",
    "de": "German Deutsch allemand alemán tedesco Duits alemão",
    "en": "English Englisch anglais inglés inglese Engels inglês",
    "es": "Spanish Spanisch espagnol español spagnolo Spaans espanhol castellano",
    "fr": "French Französisch français francés francese Frans francês",
    "it": "Italian Italienisch italien italiano Italiaans",
    "ja": "Japanese Japanisch japonais japonés giapponese Japans japonês 日本語",
    "nl": "Dutch Niederländisch Holländisch néerlandais neerlandés holandés olandese Nederlands holandês",
    "no": "Norwegian Norwegisch norvégien noruego norvegese Noors norueguês norsk",
    "pl": "Polish Polnisch polonais polaco polacco Pools polonês polski",
    "pt": "Portuguese Portugiesisch portugais portugués portoghese Portugees português",
    "ru": "Russian Russisch russe ruso russo русский",
    "sv": "Swedish Schwedisch suédois sueco svedese Zweeds svenska",
    "tr": "Turkish Türkisch turc turco Turks Türkçe",
    "uk": "Ukrainian Ukrainisch ukrainien ucraniano ucraino Oekraïens українська",
    "zh": "Chinese Chinesisch chinois chino cinese Chinees chinês 中文",
}


def _key(text: str) -> str:
    return "".join(words(text))


def _locale_data() -> dict[str, dict[str, str]]:
    """Read the one module of names: its package would load a hundred megabytes of places with it."""
    path = Path(phonenumbers.__file__).with_name("geodata") / "locale.py"
    spec = importlib.util.spec_from_file_location("phonenumbers.geodata.locale", path)
    assert spec is not None  # noqa: S101 - a path that ends in .py has one
    assert spec.loader is not None  # noqa: S101 - and a loader
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.LOCALE_DATA)


def _countries() -> dict[str, str]:
    """Collect names by key; one that several countries bear is none of them."""
    named: dict[str, set[str]] = {}
    for code, by_language in _locale_data().items():
        if code in standards.COUNTRIES:
            for name in by_language.values():
                if not name.startswith("*"):  # a reference to another language's name
                    named.setdefault(_key(name), set()).add(code)
    for code, names in _OTHER_COUNTRIES.items():
        for name in names.split(","):
            named[_key(name)] = {code}
    for name in _UNCLEAR:
        named.pop(_key(name), None)
    return {name: next(iter(codes)) for name, codes in named.items() if len(codes) == 1}


# Read at import: later this process may run under an account that cannot reach the files of its packages.
_COUNTRIES = _countries()
_BY_LANGUAGE = {_key(name): code for code, names in _LANGUAGES.items() for name in names.split()}


@lru_cache(maxsize=1024)
def country(text: str) -> str | None:
    """Tell the ISO 3166 code a name or code stands for, in whatever language; None where that is not clear."""
    try:
        return standards.country(text)
    except ValueError:
        return _COUNTRIES.get(_key(text))


@lru_cache(maxsize=1024)
def language(text: str) -> str | None:
    """Tell the BCP 47 tag a name or tag stands for; None where that is not clear."""
    try:
        return standards.language(text)
    except ValueError:
        return _BY_LANGUAGE.get(_key(text))
