"""Vocabularies: stages, tags, products, needs, topics, and the wordings of consents.

PostgreSQL holds random ids; the texts are one section of one subject in the keeper, the house. An unknown id or
text makes a process read again; a term that another process renamed or retired is seen within `FRESH_MS`.
Nothing is ever taken out: what is retired stays readable, and is not given out any more.
"""

from collections.abc import Container, Iterable
from enum import StrEnum
from typing import Any

from crm.errors import Invalid, NotFound, Stale
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import new_id
from crm.kit.text import fold

HOUSE = "0" * 32
SECTION = "vocabulary"
# Beside the vocabularies: the kind of each term that is not given out any more.
RETIRED = "retired"
MOST_TERMS = 500
LONGEST_TERM = 80
FRESH_MS = 5 * 60_000
TRIES = 5


class Kind(StrEnum):
    """The vocabularies there are."""

    STAGE = "stage"
    TAG = "tag"
    PRODUCT = "product"
    NEED = "need"
    TOPIC = "topic"
    WORDING = "wording"


Terms = dict[str, dict[str, str]]


class Vocabulary:
    """The vocabularies as this process last read them: by kind, the text of each id."""

    def __init__(self, keeper: Keeper, clock: Clock) -> None:
        self._keeper = keeper
        self._clock = clock
        self._old_at = 0
        self._texts: Terms = {}
        self._ids: Terms = {}
        self._gone: set[str] = set()

    async def read(self, token: str) -> tuple[Terms, int]:
        """Open the house; an installation without terms has none yet."""
        try:
            opened = await self._keeper.open(token, "house", subjects=[HOUSE], fields=[SECTION])
        except NotFound:
            return {}, 0
        section = opened.people.get(HOUSE, {}).get(SECTION)
        terms: Terms = section.reveal() if section else {}
        self._keep(terms)
        return terms, opened.versions.get(HOUSE, {}).get(SECTION, 0)

    def _keep(self, terms: Terms) -> None:
        self._old_at = self._clock.steady_ms() + FRESH_MS
        self._texts = terms
        self._ids = {kind: {fold(text): id_ for id_, text in of.items()} for kind, of in terms.items()}

    def _is_old(self) -> bool:
        return self._clock.steady_ms() >= self._old_at

    async def id_of(
        self, token: str, kind: Kind, term: str, pointer: str, *, keeping: Container[str] | None = ()
    ) -> str:
        """Find a term's id by its text, or take the id itself.

        A retired one is taken only where it stands already (`keeping`; None: wherever it is asked for).

        Raises:
            Invalid: the vocabulary has no such term, or it is retired.
        """
        reason = ""
        for is_read in (False, True):
            if is_read or self._is_old():
                await self.read(token)
            found = term if term in self._texts.get(kind, {}) else self._ids.get(kind, {}).get(fold(term))
            if found is None:
                reason = "The vocabulary has no such term."
            elif found not in self._texts.get(RETIRED, {}) or keeping is None or found in keeping:
                return found
            else:
                reason = "This term is retired."
        raise Invalid(reason, pointer=pointer)

    async def ids_of(
        self, token: str, kind: Kind, terms: Iterable[str], pointer: str, *, keeping: Container[str] | None = ()
    ) -> list[str]:
        """Find the ids of several terms, each once, in the order given."""
        found = [
            await self.id_of(token, kind, term, f"{pointer}/{at}", keeping=keeping) for at, term in enumerate(terms)
        ]
        return list(dict.fromkeys(found))

    async def text_of(self, token: str, kind: Kind, id_: str) -> str:
        """Find a term's text; an id nobody can name any more is shown as it is."""
        is_missing = id_ not in self._texts.get(kind, {})
        if self._is_old() or (is_missing and id_ not in self._gone):
            await self.read(token)
        text = self._texts.get(kind, {}).get(id_)
        if text is None:
            self._gone.add(id_)
        return text or id_

    async def texts_of(self, token: str, wanted: Iterable[tuple[Kind, str | None]]) -> dict[str, str]:
        """Find the texts of several terms, by id."""
        return {id_: await self.text_of(token, kind, id_) for kind, id_ in wanted if id_}

    async def add(self, token: str, kind: Kind, text: str, *, id_: str | None = None) -> tuple[str, int]:
        """Add a term, or find the one that reads the same and give it out again; returns its id and the log index.

        Raises:
            Stale: others kept changing the vocabularies meanwhile.
            Invalid: the vocabulary is full, or the text too long.
        """
        _must_fit(kind, text)
        for _ in range(TRIES):
            terms, version = await self.read(token)
            mine = terms.get(kind, {})
            standing = next((one for one, other in mine.items() if one == id_ or fold(other) == fold(text)), None)
            if standing is None and len(mine) >= MOST_TERMS:
                raise Invalid("The vocabulary is full.", pointer="/term")
            chosen = standing or id_ or new_id()
            changed = {**terms, kind.value: {**mine, chosen: mine.get(chosen, text)}}
            index = await self._write(token, _retired(changed, kind, chosen, is_retired=False), version)
            if index is not None:
                return chosen, index
        raise Stale

    async def change(self, token: str, kind: Kind, id_: str, *, text: str | None, is_retired: bool | None) -> int:
        """Give a term another text, for everybody who has it, or retire it, or give it out again.

        Raises:
            NotFound: the vocabulary has no such term.
            Stale: others kept changing the vocabularies meanwhile.
            Invalid: another term reads like that, the text is too long, or it is a wording: people agreed to that.
        """
        if text is not None:
            _must_fit(kind, text)
        for _ in range(TRIES):
            terms, version = await self.read(token)
            mine = terms.get(kind, {})
            if id_ not in mine:
                raise NotFound
            if text is not None and kind is Kind.WORDING:
                raise Invalid("A wording is never reworded; add another.", pointer="/body/term")
            if text is not None and any(fold(other) == fold(text) for one, other in mine.items() if one != id_):
                raise Invalid("Another term reads like that.", pointer="/body/term")
            changed = {**terms, kind.value: {**mine, id_: text or mine[id_]}}
            index = await self._write(token, _retired(changed, kind, id_, is_retired=is_retired), version)
            if index is not None:
                return index
        raise Stale

    async def _write(self, token: str, terms: Terms, version: int) -> int | None:
        """Store the vocabularies and return the log index; None where others were first."""
        try:
            put = await self._keeper.put(token, "house", [_house(terms, version)])
        except Stale:
            return None
        self._keep(terms)
        return put.index


def _must_fit(kind: Kind, text: str) -> None:
    if kind is not Kind.WORDING and len(text) > LONGEST_TERM:
        raise Invalid("A term has at most 80 characters.", pointer="/body/term")


def _retired(terms: Terms, kind: Kind, id_: str, *, is_retired: bool | None) -> Terms:
    """Note that a term is given out no more, or again; None leaves that as it is."""
    retired = dict(terms.get(RETIRED, {}))
    if is_retired:
        retired[id_] = kind.value
    elif is_retired is False:
        retired.pop(id_, None)
    return {**terms, RETIRED: retired}


def _house(terms: Terms, version: int) -> dict[str, Any]:
    return {"subject": HOUSE, "kind": "house", "section": SECTION, "fields": terms, "expected": version}
