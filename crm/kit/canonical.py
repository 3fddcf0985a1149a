"""One byte string for one value: JSON with sorted keys, no blanks, UTF-8 and no fractions.

Keys are sorted by code point. RFC 8785 sorts by UTF-16 unit and prints floats as ECMAScript does; neither
matters here, because the keys of the log are ASCII and a float is refused: its text depends on the printer.
"""

import json
from typing import Any, NoReturn

_PLAIN = frozenset({str, int, bool, type(None)})
_KEY = frozenset({str})
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def _refuse(_: str) -> NoReturn:
    raise ValueError("not canonical: a fraction, or no number")


_decode = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).raw_decode


def encode(obj: Any) -> bytes:  # noqa: ANN401 - any value; what JSON has no single text for is refused
    """Print strings, whole numbers, booleans, None, lists and dicts with string keys.

    Raises:
        TypeError: a float, a tuple, a key that is not a string, or any other type.
        ValueError: text that UTF-8 cannot carry (half a surrogate pair), or a value that contains itself.
    """
    _check(obj)
    return _encode(obj).encode()


def decode(data: bytes) -> Any:  # noqa: ANN401 - the caller checks the shape
    """Read what `encode` prints.

    Raises:
        ValueError: `encode` would not print it so: other order, blanks, a key twice, a fraction, not UTF-8.
    """
    try:
        obj, _ = _decode(data.decode())  # what follows it shows when it is printed again
        if _encode(obj).encode() == data:
            return obj
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    raise ValueError("not canonical")


def lengths(*parts: bytes) -> bytes:
    """Join parts so that no two different lists give the same bytes: each after its length as u32be."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _check(obj: Any) -> None:  # noqa: ANN401
    # The C encoder takes floats, tuples and keys of other types without a word. This adds a fifth to it.
    kind = type(obj)
    if kind in _PLAIN:
        return
    if kind is not dict and kind is not list:
        raise TypeError(f"no canonical form for {kind.__name__}")
    values = obj
    if kind is dict:
        if not _KEY.issuperset(map(type, obj)):
            raise TypeError("a key is not a string")
        values = obj.values()
    for value in values:
        if type(value) not in _PLAIN:
            _check(value)
