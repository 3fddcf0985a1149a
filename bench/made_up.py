"""People who do not exist, the same in every run: names as uneven as real ones, ids that can be computed."""

import hashlib
import itertools
import random
from collections.abc import Iterator
from typing import Any

FIRST_NAMES, LAST_NAMES, COMPANIES = 7_500, 6_700, 120_000
NOTES, NOTE_BYTES = 20, 600
_STARTS = [
    "b",
    "br",
    "ch",
    "d",
    "f",
    "fr",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "sch",
    "st",
    "t",
    "v",
    "w",
    "z",
]
_VOWELS = ["a", "e", "i", "o", "u", "a", "e", "i", "ö", "ü", "ie", "ei", "au"]
_ENDS = ["", "", "n", "r", "l", "s", "t", "m", "ck", "nn", "ń", "ß", "ł"]


def _names(count: int, seed: str, syllables: tuple[int, int]) -> list[str]:
    dice, found = random.Random(seed), dict[str, None]()  # noqa: S311 - made-up names
    while len(found) < count:
        name = "".join(
            dice.choice(_STARTS) + dice.choice(_VOWELS) + dice.choice(_ENDS) for _ in range(dice.randint(*syllables))
        )
        if len(name) > 2:
            found[name.capitalize()] = None
    return list(found)


def _zipf(count: int) -> list[float]:
    return list(itertools.accumulate(1 / (rank + 3) ** 0.9 for rank in range(count)))


class Population:
    """Person by number: the same number is the same person in every process."""

    def __init__(self) -> None:
        self.first = _names(FIRST_NAMES, "first", (1, 3))
        self.last = _names(LAST_NAMES, "last", (2, 3))
        trade = _names(4_000, "trade", (2, 4))
        self.companies = [f"{trade[n % 4_000]} {self.last[n % 601]}" for n in range(COMPANIES)]
        self._weights = _zipf(FIRST_NAMES), _zipf(LAST_NAMES), _zipf(COMPANIES)

    def people(self, start: int, count: int) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Yield id, identity and channels; ``start`` is a multiple of ``count``."""
        dice = random.Random(f"{start}/{count}")  # noqa: S311
        given = dice.choices(self.first, cum_weights=self._weights[0], k=count)
        family = dice.choices(self.last, cum_weights=self._weights[1], k=count)
        company = dice.choices(self.companies, cum_weights=self._weights[2], k=count)
        for offset in range(count):
            n = start + offset
            identity = {"given_name": given[offset], "family_name": family[offset], "job_title": "Einkauf"}
            if n % 3:
                identity["company"] = company[offset]
            channels = {
                "emails": [f"p{n}@example-{n % 997}.com"],
                "phones": [f"+4915{n % 10_000_000 + 110_000_000}"],
                "addresses": [{"street": f"Langer Weg {n % 90}", "city": "Berlin", "postcode": "10115"}],
            }
            yield person(n), identity, channels


def person(n: int) -> str:
    """Return the id of a made-up person."""
    return hashlib.blake2b(b"person %d" % n, digest_size=16).hexdigest()


def record(n: int, note: int) -> str:
    """Return the id of one of their notes."""
    return hashlib.blake2b(b"note %d of %d" % (note, n), digest_size=16).hexdigest()


def note(n: int, number: int, size: int = NOTE_BYTES) -> dict[str, str]:
    """Return a note of ``size`` bytes of text."""
    dice = random.Random(f"{n}/{number}")  # noqa: S311
    words: list[str] = []
    length = 0
    while length < size:
        word = dice.choice(("order", "delivery", "price", "asked", "again", "Tuesday", "sample", "invoice", "call"))
        words.append(word)
        length += len(word) + 1
    return {"summary": "About the order", "notes": " ".join(words)[: size - 15]}
