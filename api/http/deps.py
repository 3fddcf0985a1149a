"""What a route can ask for: one desk, at which a caller stands, with everything that serves them.

One dependency rather than one for each tool: FastAPI takes 60 microseconds to solve one, and six of them
cost more than both database reads and the keeper together.

Closed by default: every route takes an `Asks` (the keeper's verb decides) or a `Has` (the web decides by
role first, then the keeper again), or stands in `PUBLIC`; `closed` refuses to start otherwise.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.routing import iter_route_contexts
from fastapi.security.base import SecurityBase
from pydantic import AfterValidator

from crm.audit.review import Watch
from crm.config import Settings
from crm.contacts.caller import Caller
from crm.contacts.importing import Headings, id_key
from crm.contacts.vocabulary import Vocabulary
from crm.db import Database, WriteSession
from crm.errors import PreconditionRequired, PurposeNotYours, Unauthenticated
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.kit.ids import ContactId, is_id, new_id
from crm.promises.service import Board

PUBLIC = frozenset(
    {
        ("GET", "/health"),
        ("GET", "/v1/promises"),
        ("GET", "/openapi.json"),
        ("GET", "/log/checkpoint"),
        ("GET", "/log/tile/{path:path}"),
        ("POST", "/v1/sessions"),
        ("POST", "/v1/sessions/options"),
        ("POST", "/v1/invitations"),
        # pages of whoever is not signed in
        ("GET", "/static/{name}"),
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("POST", "/sign-in/options"),
        ("POST", "/sign-in/passkey"),
        ("GET", "/invitation"),
        ("POST", "/invitation"),
        ("POST", "/look"),
    }
)
LONGEST_TOKEN = 200


class State:
    """What an application holds while it runs; made by its lifespan."""

    def __init__(self, settings: Settings, database: Database, keeper: Keeper, clock: Clock) -> None:
        self.settings = settings
        self.database = database
        self.reads = database.reads
        self.keeper = keeper
        self.clock = clock
        self.vocabulary = Vocabulary(keeper, clock)
        service_key = settings.service_key_file.read_bytes()
        self.import_key = id_key(service_key)
        self.watch = Watch.of(service_key, settings.time_zone)
        self.imports: set[asyncio.Task[None]] = set()
        self.headings = Headings()
        self.board: Board


class Desk:
    """One request's place: the token it came with, and the application's tools."""

    __slots__ = ("clock", "database", "keeper", "reads", "state", "token", "vocabulary")

    def __init__(self, state: State, token: str) -> None:
        self.state = state
        self.token = token
        self.keeper = state.keeper
        self.reads = state.reads
        self.database = state.database
        self.vocabulary = state.vocabulary
        self.clock = state.clock


class StaffDesk(Desk):
    """A desk at which it is known who stands."""

    __slots__ = ("caller",)

    def __init__(self, state: State, caller: Caller) -> None:
        super().__init__(state, caller.token)
        self.caller = caller


def state(request: Request) -> State:
    """Find the application's state."""
    held: State = request.app.state.held
    return held


async def public(request: Request) -> State:
    """Serve anybody; only the routes of `PUBLIC` may take this alone."""
    return state(request)


def bearer(request: Request) -> str:
    """Take the token from the Authorization header.

    Raises:
        Unauthenticated: there is none, or it cannot be one.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN or not token.isascii():
        raise Unauthenticated
    return token


class Declared(SecurityBase):
    """A route's declaration of who may ask and what for; FastAPI shows it as bearer security."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.model = HTTPBearerModel(description="The token of POST /v1/sessions.")
        self.scheme_name = "session"


class Asks(Declared):
    """The route's first call to the keeper decides, by role and purpose, before any id is looked at."""

    async def __call__(self, request: Request) -> Desk:
        """Hand on the token."""
        return Desk(state(request), bearer(request))


class Has(Declared):
    """The route acts in the database before or beside the keeper, so the role is asked for first."""

    def __init__(self, *roles: str) -> None:
        super().__init__(" or ".join(roles) or "anybody signed in")
        self.roles = frozenset(roles)

    async def __call__(self, request: Request) -> StaffDesk:
        """Ask the keeper who this is."""
        app = state(request)
        caller, _ = await self.caller(app, bearer(request))
        return StaffDesk(app, caller)

    async def caller(self, app: State, token: str) -> tuple[Caller, dict[str, Any]]:
        """Ask the keeper whose token this is; returns the caller and all that `me` says.

        Raises:
            PurposeNotYours: none of the roles.
        """
        person = await app.keeper.me(token)
        caller = Caller(token, person["id"], frozenset(person["roles"]))
        if self.roles and not self.roles & caller.roles:
            raise PurposeNotYours
        return caller, person


async def write_session(request: Request) -> AsyncIterator[WriteSession]:
    """Open the request's one transaction; `scope="function"` commits it before the answer leaves."""
    async with state(request).database.writes() as session:
        yield session


def or_unknown(text: str) -> str:
    """Take an id from a path; what is no id is asked for as one that cannot exist.

    So a wrong role is told 403 and everybody else 404, the same as for any unknown id.
    """
    return text if is_id(text) else new_id()


async def if_match(value: Annotated[str | None, Header(alias="If-Match")] = None) -> str:
    """Take the version a change starts from.

    Raises:
        PreconditionRequired: the client does not say.
    """
    if value is None:
        raise PreconditionRequired
    return value.strip().removeprefix("W/").strip('"')


WriteSessionDep = Annotated[WriteSession, Depends(write_session, scope="function")]
IfMatchDep = Annotated[str, Depends(if_match)]
IdPath = Annotated[str, AfterValidator(or_unknown)]
ContactPath = Annotated[ContactId, AfterValidator(or_unknown)]

PublicDep = Annotated[State, Depends(public)]
ServeDep = Annotated[Desk, Depends(Asks("serve"))]
HouseDep = Annotated[Desk, Depends(Asks("house"))]
SelfDep = Annotated[Desk, Depends(Asks("anybody signed in"))]
AdminDep = Annotated[Desk, Depends(Asks("admin"))]
AuditDep = Annotated[Desk, Depends(Asks("auditor"))]
PeopleDep = Annotated[Desk, Depends(Asks("admin or auditor"))]
DecisionsDep = Annotated[Desk, Depends(Asks("admin, auditor, privacy or staff"))]
DecideDep = Annotated[Desk, Depends(Asks("auditor or privacy"))]
StaffDep = Annotated[StaffDesk, Depends(Has("staff"))]
AuditorDep = Annotated[StaffDesk, Depends(Has("auditor"))]
CareDep = Annotated[StaffDesk, Depends(Has("staff", "privacy"))]
ManageDep = Annotated[StaffDesk, Depends(Has("admin"))]
CountDep = Annotated[StaffDesk, Depends(Has("staff", "marketing", "privacy"))]


class OpenRouteError(Exception):
    """Raised at start for routes without a declaration."""


def declarations(app: FastAPI) -> Iterator[tuple[str, str, Declared | None]]:
    """Walk all routes: method, path template, and what was declared."""
    for context in iter_route_contexts(app.routes):
        found = declared_by(getattr(context.original_route, "dependant", None))
        for method in sorted(context.methods or {"*"}):
            yield method, context.path or "", found


def closed(app: FastAPI) -> None:
    """Refuse to start with a route that anybody could call without having been meant to.

    Raises:
        OpenRouteError: the routes that declare nothing and are not public.
    """
    undeclared = [
        f"{method} {path}"
        for method, path, found in declarations(app)
        if found is None and (method.replace("HEAD", "GET"), path) not in PUBLIC
    ]
    if undeclared:
        raise OpenRouteError(", ".join(undeclared))


def declared_by(dependant: Any) -> Declared | None:  # noqa: ANN401 - FastAPI's own tree
    """Find the declaration among a route's dependencies."""
    if dependant is None:
        return None
    if isinstance(dependant.call, Declared):
        return dependant.call
    return next(filter(None, map(declared_by, dependant.dependencies)), None)
