"""Everything a caller of the domain can be told, as one small tree.

    CrmError
    ├── Unauthenticated          who is asking is not known (or no longer)
    ├── SecondFactorRequired     known, but a second factor is asked for
    ├── ProofRequired            known, but has to prove it once more for this
    ├── PurposeNotYours          role and purpose do not go together
    ├── NotFound                 unknown, erased, merged away: one answer for all
    ├── Duplicate                somebody like that exists; a warning that can be confirmed
    ├── RolesConflict            these roles never go together
    ├── Stale                    somebody else changed it first
    ├── TooLarge                 over a size limit
    ├── Invalid                  what was said is not well formed (pointer and reason, never the value)
    ├── PreconditionRequired     a change must say what it changes from
    ├── OverBudget               the budget is used up; ``retry_after_s`` says until when
    ├── KeeperSealed             the keeper refuses to open anything, and says why
    └── KeeperUnavailable        the keeper does not answer

The domain names a code, never an HTTP status: ``api/http/problem.py`` has the table.
"""

from typing import Any, ClassVar


class CrmError(Exception):
    """A refusal with a stable ``code``; ``detail`` never holds a personal value."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong."

    def __init__(self, reason: str = "", **detail: Any) -> None:  # noqa: ANN401 - counts, pointers, ids
        super().__init__(reason or self.title)
        self.reason = reason or self.title
        self.detail = detail


class Unauthenticated(CrmError):
    """Raised when the caller is not known."""

    code = "unauthenticated"
    title = "Sign in first."


class SecondFactorRequired(CrmError):
    """Raised when a second factor is asked for or has to be enrolled first."""

    code = "second-factor-required"
    title = "A second factor is required."


class ProofRequired(CrmError):
    """Raised when an act asks for a fresh proof of who is there."""

    code = "proof-required"
    title = "Prove again that it is you."


class PurposeNotYours(CrmError):
    """Raised when role and purpose do not go together."""

    code = "purpose-not-yours"
    title = "Your role does not include this purpose."


class NotFound(CrmError):
    """Raised for the unknown, the erased and the merged-away alike."""

    code = "not-found"
    title = "There is no such record."


class Duplicate(CrmError):
    """Raised when somebody like that exists already."""

    code = "duplicate"
    title = "A record like this exists already."


class RolesConflict(CrmError):
    """Raised when roles are asked for that never go together."""

    code = "roles-conflict"
    title = "These roles never go together."


class Stale(CrmError):
    """Raised when the record changed since it was read."""

    code = "stale"
    title = "Somebody changed this record meanwhile."


class TooLarge(CrmError):
    """Raised for a message over a size limit."""

    code = "too-large"
    title = "This is too large."


class Invalid(CrmError):
    """Raised for input that is not well formed."""

    code = "invalid"
    title = "The request is not well formed."


class PreconditionRequired(CrmError):
    """Raised when a change does not say what it changes from."""

    code = "precondition-required"
    title = "Say which version you are changing (If-Match)."


class OverBudget(CrmError):
    """Raised when a budget is used up; ``detail["retry_after_s"]`` says for how long."""

    code = "over-budget"
    title = "Your budget is used up for now."


class KeeperSealed(CrmError):
    """Raised when the keeper refuses to open anything."""

    code = "keeper-sealed"
    title = "The keeper is sealed: nothing can be opened."


class KeeperUnavailable(CrmError):
    """Raised when the keeper does not answer."""

    code = "keeper-unavailable"
    title = "The keeper does not answer. Nothing was opened."


BY_CODE: dict[str, type[CrmError]] = {
    kind.code: kind
    for kind in (
        Unauthenticated, SecondFactorRequired, ProofRequired, PurposeNotYours, NotFound, Duplicate, RolesConflict,
        Stale, TooLarge, Invalid, PreconditionRequired, OverBudget, KeeperSealed, KeeperUnavailable,
    )
}  # fmt: skip
