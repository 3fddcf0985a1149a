"""Whether the routes there are fit the table of classes: declared, classified, no file, no list, nothing wider."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm.promises.classes import CLASSES, MEDIA, MOST_LABELS, MOST_OF, MOST_PEOPLE
from crm.promises.verdict import Finding, judged


@dataclass(frozen=True, slots=True)
class Route:
    """A route as it is served: ``declared`` is its purpose or role, ``media`` what it says it answers with."""

    method: str
    path: str
    declared: str | None
    is_public: bool
    query: frozenset[str]
    media: frozenset[str]

    @property
    def name(self) -> str:
        """Return method and path, as the access line has them."""
        return f"{self.method} {self.path}"


def judge_declared(routes: Sequence[Route]) -> Finding:
    """Every route names a purpose or a role, or stands in the list of public ones."""
    open_ = [f"{route.name} declares neither purpose nor role" for route in routes if not _is_declared(route)]
    public = sum(route.is_public for route in routes)
    return judged(open_, f"{len(routes) - public} routes declare one, {public} are public; sha256 {digest(routes)}")


def judge_width(routes: Sequence[Route]) -> Finding:
    """No route answers with more people than its class, by a parameter its class does not know, or with a file."""
    faults = [fault for route in routes for fault in _faults(route)]
    people = max((row.people for row in CLASSES.values()), default=0)
    labels = max((row.labels for row in CLASSES.values()), default=0)
    return judged(faults, f"{len(routes)} routes, at most {people} people or {labels} labels in an answer, no file")


def digest(routes: Sequence[Route]) -> str:
    """Hash what the routes are, so that two looks can be compared."""
    lines = sorted(f"{route.name} {route.declared} {sorted(route.query)} {sorted(route.media)}" for route in routes)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _is_declared(route: Route) -> bool:
    return route.is_public or bool(route.declared)


def _faults(route: Route) -> Iterator[str]:
    row = CLASSES.get((route.method, route.path))
    if row is None:
        yield f"{route.name} has no class"
        return
    if row.people > MOST_PEOPLE or row.labels > MOST_OF.get((route.method, route.path), MOST_LABELS):
        yield f"{route.name} may answer with more people than the contract allows"
    if (row.people or row.labels) and route.is_public:
        yield f"{route.name} shows people to everybody"
    for name in sorted(route.query - row.query):
        yield f"{route.name} takes {name}, which its class does not know"
    for media in sorted(route.media - ({row.media} & MEDIA)):
        yield f"{route.name} answers with {media}"
