"""PostgreSQL, as two kinds of session that cannot be taken for each other.

`ReadSession` holds nothing: each call takes a connection of the read-only role, runs one statement in
autocommit and gives the connection back, so none is ever held while the keeper is awaited, and no BEGIN or
ROLLBACK costs a round trip. Its statements are written with SQLAlchemy, compiled once and run on asyncpg
itself: the same two reads took 94 instead of 370 microseconds of this process, out of a budget of 1,250.

`WriteSession` is one transaction; it takes its connection at the first statement, which services put behind
their last word with the keeper.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import asyncpg
from sqlalchemy import ClauseElement, MetaData, String, exc, make_url
from sqlalchemy.dialects.postgresql import asyncpg as postgresql_asyncpg
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlmodel import SQLModel

from crm.kit.pii import Pii

SCRIPTS = Path(__file__).resolve().parents[1] / "alembic"
POOL_SIZE = 10
POOL_WAIT_S = 5
SERVER_SETTINGS = {"statement_timeout": "10000", "jit": "off"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Byte order, not language: ids are compared, never sorted for people.
Id = String(32, collation="C")
Code = String(32, collation="C")

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
).naming_convention


def moment(ms: int) -> datetime:
    """Turn the clock's milliseconds into what a `timestamptz` takes."""
    return _EPOCH + timedelta(milliseconds=ms)


def milliseconds(at: datetime) -> int:
    """Turn a `timestamptz` into the clock's milliseconds."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


# What a database raises that does not answer, or not in time; anything else is a mistake of ours.
DOWN: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    exc.OperationalError,
    exc.InterfaceError,
    exc.TimeoutError,
)


class WriteSession(AsyncSession):
    """One transaction of the writing role; whoever opened it commits, nobody else."""


class Query:
    """A statement compiled once; its named parameters become asyncpg's numbered ones."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=postgresql_asyncpg.dialect())  # type: ignore[no-untyped-call]
        self.sql = str(compiled)
        self._fixed = compiled.params
        self._names: Sequence[str] = compiled.positiontup or ()  # type: ignore[attr-defined]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Put values in the order of the statement."""
        return [values[name] if name in values else self._fixed[name] for name in self._names]


class ReadSession:
    """Statements of the reading role, each on its own; columns by name, `row["id"]`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def rows(self, query: Query, **values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - SQL's types
        """Run one statement and give all its rows."""
        async with self._pool.acquire(timeout=POOL_WAIT_S) as connection:
            found: list[asyncpg.Record] = await connection.fetch(query.sql, *query.arguments(values))
            return found

    async def row(self, query: Query, **values: Any) -> asyncpg.Record | None:  # noqa: ANN401 - SQL's types
        """Run one statement and give its first row, if there is one."""
        async with self._pool.acquire(timeout=POOL_WAIT_S) as connection:
            return await connection.fetchrow(query.sql, *query.arguments(values))

    async def answers(self) -> bool:
        """Say whether the database answers."""
        try:
            async with self._pool.acquire(timeout=POOL_WAIT_S) as connection:
                await connection.execute("select 1")
        except DOWN:
            return False
        return True


class Database:
    """The two engines of one process."""

    def __init__(self, write: Pii[str], read: Pii[str]) -> None:
        self._write = _engine(write)
        self._pool = asyncpg.create_pool(
            read.reveal(),
            min_size=0,
            max_size=POOL_SIZE,
            # Nothing a read leaves behind on a connection needs a round trip to take back.
            reset=_nothing,
            timeout=POOL_WAIT_S,
            server_settings={**SERVER_SETTINGS, "default_transaction_read_only": "on"},
        )
        self.reads = ReadSession(self._pool)

    @asynccontextmanager
    async def writes(self) -> AsyncIterator[WriteSession]:
        """Open one transaction; it is committed when the block ends without an error."""
        async with WriteSession(self._write, expire_on_commit=False) as session, session.begin():
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self._write.dispose()
        await self._pool.close()

    async def __aenter__(self) -> Self:
        await self._pool
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def asyncpg_url(dsn: str) -> URL:
    """Read a libpq DSN as SQLAlchemy's; `sslmode` is libpq's word for what asyncpg calls `ssl`."""
    url = make_url(dsn).set(drivername="postgresql+asyncpg")
    mode = url.query.get("sslmode")
    if isinstance(mode, str):
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


async def _nothing(_: object) -> None:
    """Reset a connection of the reading role."""


def _engine(dsn: Pii[str]) -> AsyncEngine:
    return create_async_engine(
        asyncpg_url(dsn.reveal()),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        # An exception carries the bound values; nothing of ours prints exceptions, this is the second net.
        hide_parameters=True,
        connect_args={"timeout": POOL_WAIT_S, "server_settings": SERVER_SETTINGS},
    )


def migrate(owner: Pii[str]) -> None:
    """Bring the schema up as its owner; needs no running event loop.

    Raises:
        FileNotFoundError: the migrations are not beside the package.
    """
    # The web process never migrates, and starts a tenth of a second sooner without the library.
    from alembic.config import Config  # noqa: PLC0415

    from alembic import command  # noqa: PLC0415

    if not (SCRIPTS / "env.py").is_file():
        raise FileNotFoundError(SCRIPTS)
    config = Config(attributes={"dsn": owner.reveal()})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    command.upgrade(config, "head")
