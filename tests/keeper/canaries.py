"""Words that must not be found anywhere, and every form they could be found in."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from crm.kit import text

SHORTEST = 6


def forms(canary: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each form of a word."""
    spellings = {canary, canary.lower(), canary.upper(), canary.casefold(), text.fold(canary), canary[::-1]}
    spellings |= {"".join(filter(str.isalnum, canary)), canary.replace(" ", "")}
    for spelling in sorted(one for one in spellings if len(one) >= SHORTEST):
        yield "as it is", spelling.encode()
        for coding in ("utf-16-le", "utf-16-be", "utf-32-le"):
            yield coding, spelling.encode(coding)
        yield "escaped", spelling.encode("unicode_escape")
        yield "quoted", quote(spelling).encode()
        raw = spelling.encode()
        yield "hex", raw.hex().encode()
        yield "HEX", raw.hex().upper().encode()
        for shift in range(3):
            # Within a longer text: the characters that depend on the neighbours are cut off.
            whole = base64.b64encode(bytes(shift) + raw)
            inner = whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
            yield "base64", inner
            yield "base64 in a URL", inner.translate(bytes.maketrans(b"+/", b"-_"))
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s"):
            digest = hashlib.new(name, raw, usedforsecurity=False).digest()
            yield name, digest[:16]
            yield name, digest.hex()[:32].encode()


def found(canaries: Mapping[str, str], files: list[Path]) -> list[str]:
    """Return what was found of the canaries, by where it was put, as what, and in which file."""
    contents = {path: path.read_bytes() for path in files}
    return [
        f"{where} as {form} in {path.name}"
        for where, canary in canaries.items()
        for form, needle in forms(canary)
        for path, content in contents.items()
        if needle in content
    ]
