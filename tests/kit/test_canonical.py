from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kit.canonical import encode, lengths
from crm.kit.proofs import read_entry

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


class Colour(StrEnum):
    RED = "red"


@given(VALUES)
def test_values_come_back(value: Any) -> None:
    assert read_entry(encode(value)) == value


@given(st.binary() | st.text(alphabet='{}[]":,0123456789.eE- \\u0041truefalsn').map(str.encode))
def test_what_is_read_is_printed_so(data: bytes) -> None:
    try:
        value = read_entry(data)
    except ValueError:
        return
    assert encode(value) == data


def test_the_bytes_are_these() -> None:
    assert encode({"ö": [1, None, True], "a": {"b": "é\n\x7f", "B": ""}}) == (
        '{"a":{"B":"","b":"é\\n\x7f"},"ö":[1,null,true]}'.encode()
    )


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        {"a": 1.5},
        [[0.0]],
        {"a": [{"b": 2.0}]},
        (1,),
        {"a": (1,)},
        {1: 2},
        {None: 1},
        {True: 1},
        b"x",
        {"a": b"x"},
        {1, 2},
        object(),
        Colour.RED,
        {"a": Colour.RED},
        {Colour.RED: 1},
    ],
)
def test_what_has_no_single_text_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize("value", ["\ud800", 2**64, -(2**63) - 1])
def test_what_cannot_be_carried_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b'"\\u00e9"',
        b'"\\/"',
        b'"\xff"',
        b'"\\ud800"',
        b"\xef\xbb\xbf1",
        '{"a":1}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * 5000 + b"]" * 5000,
        b"9" * 5000,
        b"18446744073709551616",
        b"[" * 400 + b"]" * 400,
    ],
)
def test_another_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json, UTF-8 and our own
        read_entry(data)


def test_parts_are_told_apart_by_their_lengths() -> None:
    assert lengths(b"ab", b"") == b"\0\0\0\2ab\0\0\0\0"
    assert lengths() == b""
    assert lengths(b"a", b"b") != lengths(b"ab", b"") != lengths(b"", b"ab")
