"""What a check can say, and what a clause then says: never more than its weakest check."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """From the worst to the best; a clause has the worst of its checks."""

    BROKEN = "broken"
    CANNOT_TELL = "cannot tell"
    NOT_YET = "not yet"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; the evidence is made of counts, digests and words of ours, for everybody to read."""

    verdict: Verdict
    evidence: str


def kept(evidence: str) -> Finding:
    """Say that a control holds."""
    return Finding(Verdict.KEPT, evidence)


def broken(evidence: str) -> Finding:
    """Say that a control does not hold."""
    return Finding(Verdict.BROKEN, evidence)


def cannot_tell(evidence: str) -> Finding:
    """Say that it cannot be seen from here."""
    return Finding(Verdict.CANNOT_TELL, evidence)


def judged(faults: Iterable[str], evidence: str) -> Finding:
    """Say broken with the faults, each once and in order, or kept with the evidence where there is none."""
    found = list(dict.fromkeys(faults))
    return broken("; ".join(found)) if found else kept(evidence)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of the whole."""
    order = list(Verdict)
    return min(verdicts, key=order.index)
