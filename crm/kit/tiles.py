"""What is in a log's tiles and bundles (C2SP tlog-tiles), and receipts (C2SP tlog-proof v1)."""

from base64 import b64encode
from collections.abc import Iterable
from typing import Final

WIDTH: Final = 256
MAX_ENTRY_BYTES: Final = 0xFFFF


PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"


def bundle(entries: Iterable[bytes]) -> bytes:
    """Put entries into one file, each after its length as u16be; `OverflowError` over 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def proof_text(index: int, hashes: Iterable[bytes], note: str) -> str:
    """Print a receipt: an entry's index, its inclusion proof, and the checkpoint the proof leads to."""
    lines = [PROOF_HEADER, f"index {index}", *(b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + "\n\n" + note
