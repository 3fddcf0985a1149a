"""Fifty people nobody knows, in the spellings that slip through filters, and every form one could be found in.

All share a core that is drawn for each run, so that one search finds all of them; phone numbers share digits.
"""

import base64
import contextlib
import hashlib
import secrets
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

COUNT = 50
_NAMES = (
    "{}", "O'{}", "{}-Ünløck", "שרה {}", "{} علي", "\u202e{}", "😀{}🏳️‍🌈", "李 {}", "{}\u0301e\u0301", "van der {}",
)  # fmt: skip
_ADDRESSES = (
    "{}@example.org", "first.{}+tag@example.org", "{}@MÜNCHEN.example", "{}@xn--mnchen-3ya.example", "o'{}@example.org",
    "{}@sub.domain.example.co.uk", "{}_%&=@example.org", "{}@example.museum",
)  # fmt: skip
_PHONES = ("+49 {a} {b}", "+49{a}{b}", "0049 {a}-{b}", "(0{a}) {b}", "+49.{a}.{b}", "tel:+49-{a}-{b}")


@dataclass(frozen=True, slots=True)
class Canary:
    """One person."""

    name: str
    email: str
    phone: str
    company: str
    note: str

    def values(self) -> tuple[str, ...]:
        """Return everything that must not be found."""
        return self.name, self.email, self.phone, self.company, self.note


class Crowd:
    """The people of one run."""

    def __init__(self, count: int = COUNT) -> None:
        self.core = f"Zq{secrets.token_hex(7)}Xj"
        self.digits = "".join(secrets.choice("123456789") for _ in range(10))
        self.people = [self._person(number) for number in range(count)]

    def _person(self, number: int) -> Canary:
        mark = f"{self.core}{number:02d}"
        return Canary(
            name=_NAMES[number % len(_NAMES)].format(mark),
            email=_ADDRESSES[number % len(_ADDRESSES)].format(mark),
            phone=_PHONES[number % len(_PHONES)].format(a=self.digits, b=f"{number:02d}"),
            company=f"{mark} & Sons GmbH",
            note=f"allergic to {mark}",
        )

    def needles(self) -> set[bytes]:
        """Return the forms in which software has been seen to keep a text."""
        found = {self.digits.encode(), self.digits[::-1].encode()}
        for text in (self.core, self.core.lower(), self.core.upper(), self.core[::-1]):
            raw = text.encode()
            found |= {raw, text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("utf-32-le")}
            found |= {raw.hex().encode(), raw.hex().upper().encode()}
            found |= {"".join(f"{mark}{byte:02X}" for byte in raw).encode() for mark in ("%", "=", "\\x")}
            found |= {"".join(f"\\u{byte:04x}" for byte in raw).encode()}
            for shift in range(3):
                # Within a longer text: what depends on the neighbours is cut off.
                whole = base64.b64encode(bytes(shift) + raw)
                inner = whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
                found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
        return found

    def digests(self) -> set[str]:
        """Return the beginnings of the hashes of every value, as a lookup column would keep them: 32 hex digits."""
        texts = {value for person in self.people for value in person.values()}
        texts |= {spelt for text in texts for spelt in (text.lower(), text.upper(), text.strip())}
        return {
            hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()[:32]
            for text in texts
            for name in ("md5", "sha1", "sha256", "sha512", "blake2b")
        }


_HEX = b"0123456789abcdefABCDEF"


def hits(crowd: Crowd, sinks: Mapping[str, bytes]) -> list[str]:
    """Say in which sink what was found, with what stands around it."""
    needles, digests = crowd.needles(), crowd.digests()
    found = []
    for name, data in sinks.items():
        for part in (data, *_unpacked(data)):
            found += [
                f"{name}: {part[max(0, at - 40) : at + 60]!r}" for needle in needles if (at := part.find(needle)) >= 0
            ]
            found += [f"{name}: a hash {run[:32]}" for run in _hex_runs(part) if run[:32] in digests]
    return found


def _hex_runs(data: bytes) -> Iterator[str]:
    """Give every run of hex digits that is long enough to be a hash."""
    table = bytes(byte if byte in _HEX else 32 for byte in range(256))
    for run in data.translate(table).split():
        if len(run) >= 32:
            yield run.decode().lower()


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Unpack whatever begins as gzip does."""
    at = data.find(b"\x1f\x8b\x08")
    while at >= 0:
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(wbits=31).decompress(data[at:], 1 << 24)
        at = data.find(b"\x1f\x8b\x08", at + 1)
