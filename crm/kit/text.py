"""Names as people type them: without accents, without case, whatever keyboard they have."""

import re
from unicodedata import category, combining, normalize

# Letters that Unicode does not take apart, but people do.
_BY_HAND = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th",
        "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k", "ƀ": "b", "ɨ": "i", "ƶ": "z", "ə": "e",
    }
)  # fmt: skip
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘ʼʹ`´"))  # noqa: RUF001 - each is typed as an apostrophe
_ASCII_WORD = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """Make spellings of one name equal: `Łukasz` and `lukasz`, `STRASSE` and `Straße`, `Zoë` and `zoe`.

    Marks that carry meaning of their own (vowel signs of Indic scripts, combining class 0) stay.
    """
    if text.isascii():
        return text.lower()
    bare = normalize("NFKD", normalize("NFKC", text).casefold())
    return normalize("NFC", "".join(char for char in bare if not combining(char))).translate(_BY_HAND)


def words(text: str) -> list[str]:
    """Fold and split at all that is no letter, digit or mark; `O'Brien` is one word, `Smith-Jones` two."""
    folded = fold(text.translate(_APOSTROPHES))
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    return "".join(char if char.isalnum() or category(char)[0] == "M" else " " for char in folded).split()
