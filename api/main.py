"""The web process's application: REST, and nothing that a route did not declare."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException

from api.http import logs, problem
from api.http.deps import State, closed
from api.http.headers import Edge, Shown, as_it_is
from api.http.limits import Limiter
from api.http.openapi import describe
from api.http.surface import ground_of
from api.routes import (
    alerts,
    attachments,
    canaries,
    companies,
    consents,
    contacts,
    drafts,
    follow_ups,
    health,
    imports,
    interactions,
    log,
    ownership,
    passkeys,
    people,
    promises,
    sessions,
    vocabulary,
)
from crm.config import Settings, load
from crm.contacts import upkeep as contacts_upkeep
from crm.db import DOWN, Database
from crm.errors import CrmError
from crm.interactions import upkeep
from crm.keeper_client import Keeper
from crm.kit.clock import Clock
from crm.promises.service import Board
from crm.promises.tree import Remembered

# Switched off one by one: the framework's telemetry records validation errors with their input and
# exceptions with their messages, and would send them wherever an environment variable says.
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
# The routes that are asked most come first: the router tries them in this order.
ROUTERS = (
    contacts, interactions, follow_ups, drafts, attachments, sessions, companies, consents, vocabulary, imports,
    ownership, people, passkeys, log, alerts, canaries, health, promises,
)  # fmt: skip

Handler = Callable[[Request, Exception], Coroutine[Any, Any, Response]]


def create_app(
    settings: Settings | None = None,
    clock: Clock | None = None,
    *,
    pages: Sequence[APIRouter] = (),
    shown: Shown = as_it_is,
    limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """Build the application: REST, the ``pages`` beside it, and ``shown``, which may make a page of a problem.

    ``limits`` adds to how many bytes a body may have, by path.

    Raises:
        MisconfiguredError: a setting is missing.
        OpenRouteError: a route declares neither purpose nor role.
    """
    told = settings or load()
    refused: Counter[str] = Counter()
    memory = Remembered()
    if settings is None:
        # A process of its own, started by a server that has set up its idea of logging already.
        logs.tame()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        logs.tame_loop()
        keeper = await Keeper.connect(told.keeper_socket, told.service_key_file)
        async with Database(told.database_url, told.read_database_url) as database:
            held = State(told, database, keeper, clock or Clock())
            held.board = Board(lambda: ground_of(app, held, refused, memory), held.clock)
            app.state.held = held
            said, broke, days = logs.event, logs.failure, told.retention_days
            work = [
                asyncio.create_task(upkeep.run(database, keeper, held.clock, report=said, fail=broke)),
                asyncio.create_task(contacts_upkeep.run(database, held.clock, days, report=said, fail=broke)),
            ]
            # What was made until now lives as long as the process: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            try:
                yield
            finally:
                # An import that is cut off is finished by giving the same file again.
                ending = [*work, *held.imports]
                for task in ending:
                    task.cancel()
                await asyncio.gather(*ending, return_exceptions=True)
                await keeper.close()

    app = FastAPI(
        title="Kept",
        version="1",
        summary="A customer-contact CRM that can prove it shares nothing.",
        openapi_url="/openapi.json",
        # Both pages load scripts and styles of third parties.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
        lifespan=lifespan,
        exception_handlers={
            CrmError: _then(problem.on_crm_error, shown),
            HTTPException: _then(problem.on_http_error, shown),
            RequestValidationError: _then(problem.on_validation_error, shown),
            **dict.fromkeys(DOWN, _then(problem.on_database_error, shown)),
        },
    )
    for router in (*(module.router for module in ROUTERS), *pages):
        app.include_router(router)
    sizes = {imports.PATH: imports.LIMIT, attachments.PATH: attachments.LIMIT, **(limits or {})}
    limiter = Limiter(told.requests_per_minute, clock or Clock())
    app.add_middleware(Edge, limits=sizes, limiter=limiter, refused=refused, shown=shown)
    closed(app)
    describe(app)
    return app


def _then(handler: Handler, shown: Shown) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        return shown(request.scope, await handler(request, error))

    return handle
