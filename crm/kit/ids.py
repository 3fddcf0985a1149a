"""Ids are 128 random bits in lower hex: they say nothing about when, where or about whom they were made."""

import re
import secrets
from collections.abc import Sequence
from typing import NewType

ContactId = NewType("ContactId", str)
TITLE = "7171e000"  # how the id of a record begins that holds a title: all that an agenda opens

_HEX = re.compile(r"[0-9a-f]*")


def new_id() -> str:
    """Draw an id from the system's random source."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Tell whether `new_id` could have made this."""
    return len(text) == 32 and _HEX.fullmatch(text) is not None  # noqa: PLR2004 - digits


def are_ids(texts: Sequence[str]) -> bool:
    """Tell whether all of these are ids: one look at many, for pages of records."""
    return set(map(len, texts)) <= {32} and _HEX.fullmatch("".join(texts)) is not None
