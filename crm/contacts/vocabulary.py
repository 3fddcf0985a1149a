"""Vocabularies: stages, tags, products, needs, topics.

PostgreSQL holds random ids; the texts are one section of one subject in the keeper, the house. A text never
changes its id, so what was read once stays right, and only an unknown id or text makes a process read again.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from crm.errors import Invalid, NotFound, Stale
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.text import fold

HOUSE = "0" * 32
SECTION = "vocabulary"
MOST_TERMS = 500
TRIES = 5


class Kind(StrEnum):
    """The vocabularies there are."""

    STAGE = "stage"
    TAG = "tag"
    PRODUCT = "product"
    NEED = "need"
    TOPIC = "topic"


Terms = dict[str, dict[str, str]]


class Vocabulary:
    """The vocabularies as this process last read them: by kind, the text of each id."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
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
        self._texts = terms
        self._ids = {kind: {fold(text): id_ for id_, text in of.items()} for kind, of in terms.items()}

    async def id_of(self, token: str, kind: Kind, term: str, pointer: str) -> str:
        """Find a term's id by its text, or take the id itself.

        Raises:
            Invalid: the vocabulary has no such term.
        """
        for last_try in (False, True):
            if term in self._texts.get(kind, {}):
                return term
            if found := self._ids.get(kind, {}).get(fold(term)):
                return found
            if not last_try:
                await self.read(token)
        raise Invalid("The vocabulary has no such term.", pointer=pointer)

    async def ids_of(self, token: str, kind: Kind, terms: Iterable[str], pointer: str) -> list[str]:
        """Find the ids of several terms, each once, in the order given."""
        found = [await self.id_of(token, kind, term, f"{pointer}/{at}") for at, term in enumerate(terms)]
        return list(dict.fromkeys(found))

    async def text_of(self, token: str, kind: Kind, id_: str) -> str:
        """Find a term's text; an id nobody can name any more is shown as it is."""
        text = self._texts.get(kind, {}).get(id_)
        if text is None and id_ not in self._gone:
            await self.read(token)
            text = self._texts.get(kind, {}).get(id_)
            if text is None:
                self._gone.add(id_)
        return text or id_

    async def add(self, token: str, kind: Kind, text: str, *, id_: str | None = None) -> tuple[str, int]:
        """Add a term, or find the one that reads the same; returns its id and the log index.

        Raises:
            Stale: others kept changing the vocabularies meanwhile.
            Invalid: the vocabulary is full.
        """
        for _ in range(TRIES):
            terms, version = await self.read(token)
            mine = terms.get(kind, {})
            standing = next((one for one, other in mine.items() if one == id_ or fold(other) == fold(text)), None)
            if standing is None and len(mine) >= MOST_TERMS:
                raise Invalid("The vocabulary is full.", pointer="/term")
            chosen = standing or id_ or new_id()
            changed = {**terms, kind.value: {**mine, chosen: mine.get(chosen, text)}}
            try:
                put = await self._keeper.put(token, "house", [_house(changed, version)])
            except Stale:
                continue
            self._keep(changed)
            return chosen, put.index
        raise Stale


def _house(terms: Terms, version: int) -> dict[str, Any]:
    return {"subject": HOUSE, "kind": "house", "section": SECTION, "fields": terms, "expected": version}
