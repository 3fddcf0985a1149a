"""What is in a log's tiles and bundles (C2SP tlog-tiles)."""

from collections.abc import Iterable
from typing import Final

WIDTH: Final = 256


def bundle(entries: Iterable[bytes]) -> bytes:
    """Put entries into one file, each after its length as u16be; `OverflowError` over 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
