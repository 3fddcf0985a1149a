"""Mailbox addresses told from typing mistakes, where they come in."""

import re

from crm.kit.email import ascii_domain

_MAX_BYTES = 254
_MAX_LOCAL_BYTES = 64
_ATOM = r"[^\s@<>(),;:.\\\"\[\]\x00-\x1f\x7f]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z][a-z0-9-]*[a-z0-9]")


def plausible(address: str) -> bool:
    """Tell whether mail could be sent there: a dotted domain, and no blanks, quotes or brackets."""
    local, _, domain = address.rpartition("@")
    ascii_form = ascii_domain(domain)
    try:
        local_bytes = len(local.encode())
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return (
        ascii_form is not None
        and _DOMAIN.fullmatch(ascii_form) is not None
        and _LOCAL.fullmatch(local) is not None
        and local_bytes <= _MAX_LOCAL_BYTES
        and local_bytes + 1 + len(ascii_form) <= _MAX_BYTES
    )
