"""Ids are 128 random bits in lower hex: they say nothing about when, where or about whom they were made."""

import re
import secrets
from typing import NewType

ContactId = NewType("ContactId", str)
SubjectId = NewType("SubjectId", str)
StaffId = NewType("StaffId", str)
RecordId = NewType("RecordId", str)

_ID = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """Draw an id from the system's random source."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Tell whether `new_id` could have made this."""
    return _ID.fullmatch(text) is not None
