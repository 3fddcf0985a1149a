"""What the checks look at: the running parts, handed in by whoever runs them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from crm.audit.receipts import Published
from crm.db import ReadSession
from crm.kit.clock import Clock
from crm.kit.signed import Verifier
from crm.promises.inside import Inside
from crm.promises.surface import Route
from crm.promises.tree import Remembers


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """An installation, seen from one of its processes or from its home; None: cannot be seen from there.

    ``refused`` counts what the web process was about to send and did not: cookies nobody declared, kinds of body
    that never leave.
    """

    routes: Sequence[Route]
    reads: ReadSession
    log: Published
    key: Verifier | None
    memory: Remembers
    clock: Clock
    isolation: str
    look: Callable[[], Awaitable[Inside]]
    limits: Callable[[], Awaitable[Mapping[str, int] | None]]
    refused: Mapping[str, int] | None = None
