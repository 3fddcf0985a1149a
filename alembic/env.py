"""Runs the migrations as kept_owner; the DSN comes from the caller or from a file, never from the ini."""

import asyncio
import os
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

import crm.audit.models
import crm.contacts.models
import crm.interactions.models  # noqa: F401 - the tables register themselves
from alembic import context
from crm.db import asyncpg_url


def dsn() -> str:
    """Find the owner's DSN: handed in by `crm.db.migrate`, or in the file the environment names."""
    given = context.config.attributes.get("dsn")
    return given or Path(os.environ["KEPT_OWNER_DATABASE_URL_FILE"]).read_text(encoding="utf-8").strip()


def run(connection: Connection) -> None:
    """Bring the schema up in one transaction; a lock held by others ends it after five seconds."""
    context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_server_default=True)
    with context.begin_transaction():
        connection.execute(text("set local lock_timeout = '5s'"))
        context.run_migrations()


async def main() -> None:
    """Connect and run."""
    engine = create_async_engine(asyncpg_url(dsn()), poolclass=NullPool, hide_parameters=True)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
