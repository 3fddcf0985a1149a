"""The CRM everybody else has: the product's handler for one contact, on rows that anybody with the database reads.

Same framework, server, middleware, route declaration, read session and answer; the names and notes stand in
PostgreSQL, nothing is asked of a keeper, nothing is logged, and a session is a key in a dictionary. It is the
cheapest such handler that is fair, so the share of its rate that the product keeps is the price of the promise.
"""

import gc
import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from asyncpg import Record
from fastapi import Depends, FastAPI, Query, Request, Response
from sqlalchemy import bindparam, column, select, table

from api.http.answer import answer
from api.http.deps import ContactPath, Declared, bearer
from api.http.headers import Edge
from api.http.limits import Limiter
from api.main import NO_TELEMETRY
from crm.config import load
from crm.contacts.answers import time_out
from crm.contacts.schemas import print_version
from crm.db import Database, ReadSession
from crm.db import Query as Compiled
from crm.errors import NotFound, Unauthenticated
from crm.host import web
from crm.kit.clock import Clock

TOKEN = "plain"  # noqa: S105 - of a server that lives for a minute
_CONTACT = table(
    "bench_contact",
    *map(
        column,
        ("id", "kind", "stage", "product", "tags", "language", "country", "time_zone", "owner", "created_at",
         "updated_at", "version", "log_index", "given_name", "family_name", "company", "job_title", "emails",
         "phones", "addresses"),
    ),
)  # fmt: skip
_NOTE = table(
    "bench_interaction",
    *map(
        column,
        ("contact", "id", "version", "kind", "direction", "occurred_at", "created_at", "author", "product", "needs",
         "summary", "notes", "log_index"),
    ),
)  # fmt: skip
_FIND = Compiled(select(*_CONTACT.c).where(_CONTACT.c.id == bindparam("id")))
_NEWEST = Compiled(
    select(*_NOTE.c)
    .where(_NOTE.c.contact == bindparam("contact"))
    .order_by(_NOTE.c.occurred_at.desc(), _NOTE.c.id)
    .limit(bindparam("most"))
)
SCHEMA = """
drop table if exists bench_contact, bench_interaction;
create table bench_contact (like contact including defaults including constraints including indexes);
alter table bench_contact add given_name text, add family_name text, add company text, add job_title text,
    add emails text[], add phones text[], add addresses jsonb;
create table bench_interaction (like interaction including defaults including indexes);
alter table bench_interaction drop sealed, drop record, add summary text, add notes text;
create index on bench_interaction (contact, occurred_at desc, id);
grant select on bench_contact, bench_interaction to kept_web_read;
grant insert on bench_contact, bench_interaction to kept_web;
"""

Sessions = dict[str, frozenset[str]]
OpenFor = Annotated[Literal["serve", "subject_request"], Query()]
Reason = Annotated[Literal["call", "email", "follow_up", "complaint", "order", "correction", "other"], Query()]
Reference = Annotated[str | None, Query(pattern=r"^[a-z]{1,16}:[0-9a-f]{32}$")]


class Desk(Declared):
    """Takes the token and asks the dictionary."""

    async def __call__(self, request: Request) -> ReadSession:
        sessions: Sessions = request.app.state.sessions
        if "staff" not in sessions.get(bearer(request), ()):
            raise Unauthenticated
        reads: ReadSession = request.app.state.reads
        return reads


def create_app() -> FastAPI:
    """Build the application."""
    settings = load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Database(settings.database_url, settings.read_database_url) as database:
            app.state.reads = database.reads
            app.state.sessions = {TOKEN: frozenset({"staff"})}
            gc.collect()
            gc.freeze()
            yield

    app = FastAPI(
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, telemetry=NO_TELEMETRY,
        lifespan=lifespan,
    )  # fmt: skip
    app.add_api_route("/v1/contacts/{contact}", open_contact, response_class=Response)
    limiter = Limiter(load().requests_per_minute, Clock())
    app.add_middleware(Edge, limits={}, limiter=limiter, refused=Counter())
    return app


async def open_contact(
    contact: ContactPath,
    purpose: OpenFor,  # noqa: ARG001 - declared as the product declares it
    reads: Annotated[ReadSession, Depends(Desk("serve"))],
    reason: Reason = "other",  # noqa: ARG001
    ref: Reference = None,  # noqa: ARG001
) -> Response:
    """Read one contact with its newest 50 interactions."""
    row = await reads.row(_FIND, id=contact)
    if row is None:
        raise NotFound
    notes = await reads.rows(_NEWEST, contact=contact, most=51)
    document = _contact(row)
    document["interactions"] = [_interaction(note) for note in notes[:50]]
    document["next"] = None
    etag = print_version(row["version"], {"identity": 1, "channels": 1, "profile": 0})
    return answer(document, etag)


def _contact(row: Record) -> dict[str, Any]:
    plain = ("id", "kind", "stage", "product", "tags", "language", "country", "time_zone", "owner")
    return {
        **{name: row[name] for name in plain},
        "created_at": time_out(row["created_at"]),
        "updated_at": time_out(row["updated_at"]),
        "identity": {name: row[name] for name in ("given_name", "family_name", "company", "job_title") if row[name]},
        "channels": {"emails": row["emails"], "phones": row["phones"], "addresses": json.loads(row["addresses"])},
        "profile": {},
        "log_index": row["log_index"],
    }


def _interaction(row: Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "version": row["version"],
        "kind": row["kind"],
        "direction": row["direction"],
        "occurred_at": time_out(row["occurred_at"]),
        "created_at": time_out(row["created_at"]),
        "author": row["author"],
        "product": row["product"],
        "needs": row["needs"],
        "summary": row["summary"],
        "notes": row["notes"],
        "log_index": row["log_index"],
    }


def main() -> int:
    """Serve like the product's web process."""
    os.environ.setdefault("KEPT_HOME", ".")
    web.APP = "bench.plaintext_app:create_app"
    return web.main()
