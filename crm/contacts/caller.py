"""Who is asking, as the keeper knows them."""

from dataclasses import dataclass
from typing import NewType

StaffId = NewType("StaffId", str)


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person; the token is the only thing the keeper believes, so it goes with every call."""

    token: str
    id: StaffId
    roles: frozenset[str]

    def __repr__(self) -> str:
        return f"Caller({self.id})"
