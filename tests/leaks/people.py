"""People nobody knows, in the spellings that slip through filters.

All of a run share a core that is drawn for it, so that one search finds everybody; phone numbers share digits.
"""

import secrets
from dataclasses import dataclass

COUNT = 200
_NAMES = (
    "{}", "O'{}", "{}-Ünløck", "שרה {}", "{} علي", "\u202e{}", "😀{}🏳️‍🌈", "李 {}", "{}\u0301e\u0301", "van der {}",
    '{} "Bob" <b>', "{}\\",
)  # fmt: skip
_ADDRESSES = (
    "{}@example.org", "first.{}+tag@example.org", "{}@MÜNCHEN.example", "{}@xn--mnchen-3ya.example", "o'{}@example.org",
    "{}@sub.domain.example.co.uk", "{}_%&=@example.org", "{}@example.museum", '"{} quoted"@example.org',
)  # fmt: skip
# Numbers that can be called: Vienna has the longest.
_PHONES = ("+43 {a} {b}", "+43{a}{b}", "0043 {a}-{b}", "(0{a}) {b}", "+43.{a}.{b}", "tel:+43-{a}-{b}")


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

    def __init__(self, count: int) -> None:
        self.core = f"Zq{secrets.token_hex(7)}Xj"
        self.digits = f"1{secrets.choice('23456789')}" + "".join(secrets.choice("0123456789") for _ in range(8))
        self.people = [self._person(number) for number in range(count)]

    def _person(self, number: int) -> Canary:
        mark = f"{self.core}{number:03d}"
        return Canary(
            name=_NAMES[number % len(_NAMES)].format(mark),
            email=_ADDRESSES[number % len(_ADDRESSES)].format(mark),
            phone=_PHONES[number % len(_PHONES)].format(a=self.digits, b=f"{number:03d}"),
            company=f"{mark} & Sons GmbH",
            note=f"allergic to {mark}",
        )
