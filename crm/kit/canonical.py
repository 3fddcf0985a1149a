"""One byte string for one value: JSON with sorted keys, no blanks, UTF-8 and no fractions.

Keys are sorted by code point. RFC 8785 sorts by UTF-16 unit and prints floats as ECMAScript does; neither
matters here, because the keys of the log are ASCII and a float is refused: its text depends on the printer.
"""

from typing import Any

import orjson

_PLAIN = frozenset({str, int, bool, type(None)})


def encode(obj: Any) -> bytes:  # noqa: ANN401 - any value; what JSON has no single text for is refused
    """Print strings, whole numbers of 64 bits, booleans, None, lists and dicts with string keys.

    All else is a `TypeError`, and so are half a surrogate pair and more than 254 levels.
    """
    printed = orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
    _check(obj)
    return printed


def lengths(*parts: bytes) -> bytes:
    """Join parts so that no two different lists give the same bytes: each after its length as u32be."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _check(obj: Any) -> None:  # noqa: ANN401
    # The printer takes floats, tuples, dates and enumerations without a word; keys it refuses itself.
    kind = type(obj)
    if kind in _PLAIN:
        return
    if kind is not dict and kind is not list:
        raise TypeError(f"no canonical form for {kind.__name__}")
    values = obj.values() if kind is dict else obj
    if not _PLAIN.issuperset(map(type, values)):
        for value in values:
            if type(value) not in _PLAIN:
                _check(value)
