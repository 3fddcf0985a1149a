"""Electronic mail addresses: told from typing mistakes, compared, and shown without being given away."""

import re
from unicodedata import normalize

import idna

_MAX_BYTES = 254
_MAX_LOCAL_BYTES = 64
_ATOM = r"[^\s@<>(),;:.\\\"\[\]\x00-\x1f\x7f]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_MAX_DOMAIN = 253
_PLAIN = re.compile(r"(?:(?!-|..--)[a-z0-9-]{1,63}(?<!-)\.)+(?!-|..--)[a-z0-9-]{1,63}(?<!-)").fullmatch
_DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z][a-z0-9-]*[a-z0-9]")


def plausible(address: str) -> bool:
    """Tell whether mail could be sent there: a dotted domain, and no blanks, quotes or brackets."""
    local, _, domain = address.rpartition("@")
    ascii_domain = _ascii(domain)
    try:
        local_bytes = len(local.encode())
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return (
        ascii_domain is not None
        and _DOMAIN.fullmatch(ascii_domain) is not None
        and _LOCAL.fullmatch(local) is not None
        and local_bytes <= _MAX_LOCAL_BYTES
        and local_bytes + 1 + len(ascii_domain) <= _MAX_BYTES
    )


def match_key(address: str) -> str:
    """Make spellings of one mailbox equal; dots and +tags stay: to most servers they are other mailboxes."""
    local, at, domain = normalize("NFC", address.strip()).rpartition("@")
    return local.casefold() + at + (_ascii(domain) or domain.casefold())


def mask(address: str) -> str:
    """Show enough to tell two addresses apart and too little to write to one: `a•••@e•••.com`."""
    if not plausible(address):
        return "•••"
    local, _, domain = address.rpartition("@")
    return f"{local[0]}•••@{domain[0]}•••.{domain.rpartition('.')[2]}"


def _ascii(domain: str) -> str | None:
    # Nearly every domain is plain letters, digits and hyphens already; idna takes 20 times as long to say so.
    if (plain := domain.lower()) and len(plain) <= _MAX_DOMAIN and _PLAIN(plain):
        return plain
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
