"""What stands around every page: who is there, where they may go, how they want to see it."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from starlette.requests import HTTPConnection

from api.http.headers import LANGUAGE, REASON, THEME, ZONE
from crm.config import UTC_ZONE
from crm.db import moment
from web.language import LANGUAGES, Tongue

REASONS = ("call", "email", "follow_up", "complaint", "order", "correction", "other")
FRAME = "kept.frame"
THEMES = ("system", "light", "dark")
ZONES = available_timezones()


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation: its key after `g`, and whom it is for (nobody named: everybody)."""

    path: str
    key: str
    icon: str
    roles: frozenset[str] = frozenset()


STAFF, AUDITOR, ADMIN = frozenset({"staff"}), frozenset({"auditor"}), frozenset({"admin"})
# Their names are in the catalogue, by path: `place_name` in `parts/macros.html`.
PLACES = (
    Place("/today", "i", "inbox", STAFF),
    Place("/contacts", "c", "users", STAFF),
    Place("/companies", "o", "building-2", STAFF),
    Place("/import", "u", "upload", STAFF),
    Place("/log", "a", "scroll-text", AUDITOR),
    Place("/reports", "r", "file-search", AUDITOR),
    Place("/alerts", "l", "bell", AUDITOR),
    Place("/people", "p", "users-round", ADMIN | AUDITOR),
    Place("/decisions", "d", "stamp", AUDITOR | frozenset({"privacy"})),
    Place("/vocabulary", "v", "tag", ADMIN),
    Place("/status", "s", "activity", ADMIN),
    Place("/me", "m", "circle-user"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, as `me` says it."""

    id: str
    name: str
    roles: frozenset[str]
    factors: frozenset[str]
    budget: dict[str, dict[str, int]]

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Person":
        """Read what the keeper says of a session's person."""
        return cls(said["id"], said["name"], frozenset(said["roles"]), frozenset(said["factors"]), said["budget"])


@dataclass(frozen=True, slots=True)
class Frame:
    """The reader of this answer: nobody's cookie decides more than how it looks and why somebody is opened."""

    person: Person | None
    path: str
    theme: str
    reason: str
    tongue: Tongue
    is_fragment: bool
    asks_zone: bool = False

    @property
    def places(self) -> list[Place]:
        """List where this person may go."""
        roles = self.person.roles if self.person else frozenset[str]()
        return [place for place in PLACES if self.person and (not place.roles or place.roles & roles)]

    def is_here(self, path: str) -> bool:
        """Say whether a place of the navigation is where this page is."""
        return self.path == path or self.path.startswith(f"{path}/")

    def can(self, *roles: str) -> bool:
        """Say whether the person holds one of the roles; the keeper decides, this only leaves out what would fail."""
        return bool(self.person and self.person.roles & set(roles))

    def has_factor(self, factor: str) -> bool:
        """Say whether the person has enrolled a factor."""
        return bool(self.person and factor in self.person.factors)


def frame_of(request: HTTPConnection, person: Person | None) -> Frame:
    """Read how a reader wants to see it; a cookie that holds no word of its list counts as none."""
    theme = _of(request, THEME, THEMES)
    zone = request.cookies.get(ZONE, "")
    now = moment(request.app.state.held.clock.wall_ms())
    language = _of(request, LANGUAGE, LANGUAGES, _preferred(request.headers.get("accept-language", "")))
    tongue = Tongue(language, ZoneInfo(zone) if zone in ZONES else UTC_ZONE, now)
    return Frame(
        person, request.url.path, theme, _of(request, REASON, REASONS, "call"), tongue,
        is_fragment="hx-request" in request.headers and "hx-boosted" not in request.headers,
        asks_zone=zone not in ZONES,
    )  # fmt: skip


def _of(request: HTTPConnection, cookie: str, words: tuple[str, ...], otherwise: str = "") -> str:
    held = request.cookies.get(cookie, "")
    return held if held in words else (otherwise or words[0])


def _preferred(header: str) -> str:
    """Return the first language of the reader's list that there is."""
    asked = (part.partition(";")[0].strip().partition("-")[0].lower() for part in header.split(","))
    return next((language for language in asked if language in LANGUAGES), LANGUAGES[0])
