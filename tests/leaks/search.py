"""Looks for a crowd in bytes: as they are, decoded by everything that encodes, one inside another, and as hashes."""

import binascii
import contextlib
import hashlib
import html
import quopri
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from urllib.parse import unquote_to_bytes

from tests.leaks.people import Crowd

# How many encodings may lie one inside another.
DEPTH = 2
# No shorter than what is looked for.
_TEXT = re.compile(rb"[\t\n\r -~]{16,}")
_HEX = re.compile(rb"[0-9A-Fa-f]{20,}")
_LONG_HEX = re.compile(rb"[0-9a-f]{64,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_ESCAPE = re.compile(rb"(?:\\u00|\\x)([0-9A-Fa-f]{2})")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_BLANKS = b"\0\t\n\r "
_PROBE, _MOST = 1 << 9, 1 << 24


def _hex(text: bytes) -> Iterator[bytes]:
    for run in _HEX.findall(text.translate(None, _BLANKS)):
        for start in (0, 1):
            yield binascii.unhexlify(run[start : start + (len(run) - start) // 2 * 2])


def _base64(text: bytes) -> Iterator[bytes]:
    # Hex is base64 as well, of nothing.
    for run in _BASE64.findall(_LONG_HEX.sub(b".", text.translate(None, _BLANKS))):
        plain = run.translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):
            # One letter over is less than a byte.
            whole = plain[start : len(plain) - ((len(plain) - start) % 4 == 1)]
            yield binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _packed(data: bytes) -> Iterator[bytes]:
    """Unpack whatever begins as gzip or zlib do."""
    for match in _PACKED.finditer(data):
        start, unpack = match.start(), zlib.decompressobj(wbits=47)
        with contextlib.suppress(zlib.error):
            # What only looks like it fails soon.
            begin = unpack.decompress(data[start : start + _PROBE])
            yield begin + unpack.decompress(data[start + _PROBE : start + _MOST], _MOST)


# Each takes text and gives what it stands for; alone what is packed is no text.
ENCODINGS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "URL": lambda text: iter([unquote_to_bytes(text)] if b"%" in text else []),
    "quoted-printable": lambda text: iter([quopri.decodestring(text)] if b"=" in text else []),
    "JSON": lambda text: iter([_ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), text)]),
    "HTML": lambda text: iter([html.unescape(text.decode()).encode(errors="replace")] if b"&#" in text else []),
    "hex": _hex,
    "base64": _base64,
}


def layers(data: bytes, depth: int = DEPTH) -> Iterator[bytes]:
    """Give the bytes, and whatever they stand for."""
    yield data
    if not depth:
        return
    text = b"\n".join(_TEXT.findall(data))
    for decode in ENCODINGS.values():
        # Joined, so that many short ones are one search.
        decoded = b"\n".join(decode(text))
        if decoded and decoded != text:
            yield from layers(decoded, depth - 1)
    for unpacked in _packed(data):
        yield from layers(unpacked, depth - 1)


class Search:
    """What is looked for: whatever has the core or the digits in it, and the hashes of every value."""

    def __init__(self, crowd: Crowd) -> None:
        core, digits = crowd.core.lower().encode(), crowd.digits.encode()
        self._needles = {core, core[::-1], digits, digits[::-1]}
        texts = {value for person in crowd.people for value in person.values()}
        texts |= {spelt for text in texts for spelt in (text.lower(), text.upper())}
        self._digests = {
            int.from_bytes(hashlib.new(name, text.encode(), usedforsecurity=False).digest()[:8], "little")
            for text, name in product(texts, ("md5", "sha1", "sha256", "sha512", "blake2b"))
        }

    def found(self, data: bytes) -> Iterator[str]:
        """Say what is there, with what stands around it."""
        # Without zeros UTF-16 and UTF-32 are text; without line ends nothing is folded.
        folded = data.translate(None, _BLANKS).lower()
        for needle in self._needles:
            if (at := folded.find(needle)) >= 0:
                yield repr(folded[max(0, at - 60) : at + 80])
        if not all(self._digests.isdisjoint(_words(data, start)) for start in range(8)):
            yield "a hash"


def _words(data: bytes, start: int) -> memoryview:
    """View bytes as numbers of eight bytes each."""
    whole = data[start : start + (len(data) - start) // 8 * 8]
    return memoryview(whole).cast("Q")


def hits(crowd: Crowd, sinks: Mapping[str, bytes]) -> list[str]:
    """Say in which sink what was found."""
    search = Search(crowd)
    return sorted(
        {
            f"{name}: {found}"
            for name, data in sinks.items()
            # A write-ahead log is made at its full length.
            for layer in layers(data.rstrip(b"\0"))
            for found in search.found(layer)
        }
    )
