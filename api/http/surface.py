"""The application as the promise checks look at it: its routes as they are served, its running parts."""

import asyncio
from collections.abc import Iterator, Mapping

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from api.http.deps import PUBLIC, State, declared_by
from crm.kit.note import NoteError
from crm.kit.signed import Verifier
from crm.promises.classes import JSON
from crm.promises.ground import Ground
from crm.promises.inside import Inside, look
from crm.promises.surface import Route
from crm.promises.tree import Remembers


def routes_of(app: FastAPI) -> list[Route]:
    """Walk the routes; HEAD stands beside its GET and answers without a body."""
    return [route for context in iter_route_contexts(app.routes) for route in _routes(context)]


def _routes(context: object) -> Iterator[Route]:
    route = getattr(context, "original_route", None)
    path: str = getattr(context, "path", None) or ""
    methods: set[str] = getattr(context, "methods", None) or {"*"}
    dependant: Dependant | None = getattr(route, "dependant", None)
    declared = declared_by(dependant)
    query = frozenset(_query(dependant)) if dependant else frozenset[str]()
    for method in sorted(methods - ({"HEAD"} if "GET" in methods else set())):
        is_public = (method, path) in PUBLIC
        yield Route(method, path, declared.what if declared else None, is_public, query, _media(route))


def _query(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for one in dependant.dependencies:
        yield from _query(one)


def _media(route: object) -> frozenset[str]:
    """Return the kinds of body a route says it answers with; where it says none, the edge is what sees them."""
    if not isinstance(route, APIRoute):
        return frozenset({JSON})
    kind = getattr(route.response_class, "value", route.response_class)
    said = {getattr(kind, "media_type", None)}
    said |= {
        media
        for status, answer in route.responses.items()
        if str(status)[0] == "2"
        for media in answer.get("content", ())
    }
    return frozenset(media for media in said if media)


def ground_of(app: FastAPI, held: State, refused: Mapping[str, int], memory: Remembers) -> Ground:
    """Hand the checks what this process holds."""

    async def inside() -> Inside:
        return await asyncio.to_thread(look, held.settings.keeper_socket, inherits_socket=True)

    async def limits() -> Mapping[str, int]:
        return dict((await held.keeper.status())["limits"])

    return Ground(
        routes=routes_of(app), reads=held.reads, log=held.keeper, key=_key(held.settings.log_key), memory=memory,
        clock=held.clock, isolation=held.settings.isolation, look=inside, limits=limits, refused=refused,
    )  # fmt: skip


def _key(vkey: str | None) -> Verifier | None:
    try:
        return Verifier.parse(vkey) if vkey else None
    except NoteError:
        return None
