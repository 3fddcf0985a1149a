"""The interface's words: one catalogue a language, read as the translator saved it.

English stands in the code and the templates. `locale/<language>.po` holds a translation; one more file is one
more language. Numbers and times are printed as the language does, times in the reader's zone.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from crm.contacts import standards
from crm.kit.text import fold

FOLDER = Path(__file__).with_name("locale")
LANGUAGES = ("en", *sorted(file.stem for file in FOLDER.glob("*.po")))


@cache
def catalogue(language: str) -> NullTranslations:
    """Read a language once; what is not translated stays English."""
    file = FOLDER / f"{language}.po"
    if not file.exists():
        return NullTranslations()
    packed = BytesIO()
    with file.open("rb") as stream:
        write_mo(packed, read_po(stream, locale=language))
    packed.seek(0)
    return GNUTranslations(packed)


class Tongue:
    """How one reader is spoken to at one moment: language and zone."""

    def __init__(self, language: str, zone: ZoneInfo, now: datetime) -> None:
        self.language = language
        self.zone = zone
        self.now = now.astimezone(zone)
        self._locale = Locale.parse(language)
        self.catalogue = catalogue(language)

    def moment(self, at: str | datetime) -> datetime:
        """Take a time as the services print it into the reader's zone."""
        told = datetime.fromisoformat(at) if isinstance(at, str) else at
        return told.astimezone(self.zone)

    def clock(self, at: str | datetime, seconds: bool = False) -> str:  # noqa: FBT001, FBT002 - read in templates
        """Print hours and minutes."""
        return dates.format_time(self.moment(at), "HH:mm:ss" if seconds else "HH:mm", locale=self._locale)

    def day(self, at: str | datetime | date) -> str:
        """Print a day, without its year when that is this one."""
        told = at if isinstance(at, date) and not isinstance(at, datetime) else self.moment(at).date()
        pattern = "EEE d MMM" if told.year == self.today().year else "d MMM y"
        return dates.format_date(told, pattern, locale=self._locale)

    def when(self, at: str | datetime) -> str:
        """Print the time of today, and the day of every other."""
        return self.clock(at) if self.moment(at).date() == self.today() else self.day(at)

    def full(self, at: str | datetime) -> str:
        """Print day, time and zone, as a proof needs it."""
        return dates.format_datetime(self.moment(at), "d MMM y, HH:mm:ss z", locale=self._locale)

    def today(self) -> date:
        """Return the reader's day."""
        return self.now.date()

    def countries(self) -> list[tuple[str, str]]:
        """List the countries there are, code and name, in the order of their names."""
        return self._named(standards.COUNTRIES, self._locale.territories)

    def languages(self) -> list[tuple[str, str]]:
        """List the languages there are, code and name, in the order of their names."""
        return self._named(standards.LANGUAGES, self._locale.languages)

    @staticmethod
    def _named(codes: Iterable[str], names: Mapping[str, str]) -> list[tuple[str, str]]:
        return sorted(((code, names.get(code, code)) for code in codes), key=lambda pair: fold(pair[1]))

    def number(self, value: int) -> str:
        """Print a number with its separators."""
        return numbers.format_decimal(value, locale=self._locale)
