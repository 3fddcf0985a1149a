"""Which database: the one that ``DATABASE_URL`` names, or one of our own."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from crm.host import roles
from crm.host.child import Child, command, environment
from crm.host.home import Home
from crm.host.postgres import PORT, SUPERUSER, Postgres
from crm.host.relay import MODES as TLS_MODES
from crm.host.supervisor import ChildService, Service
from crm.kit.pii import Pii

VARIABLE = "DATABASE_URL"


class DatabaseUrlRefused(Exception):
    """Raised when the address of the database is no such thing; never says the address."""


@dataclass(frozen=True, slots=True)
class Given:
    """A server that somebody else runs. ``folder`` is set when it is reached over a unix socket."""

    url: Pii[str]
    database: str
    host: str
    port: int
    folder: str | None
    tls: str


def given() -> Given | None:
    """Read the address of a database server from the environment, if there is one.

    Raises:
        DatabaseUrlRefused: it is not a PostgreSQL address.
    """
    url = os.environ.get(VARIABLE)
    return parse(url) if url else None


def behind_socket(folder: Path, password_file: Path) -> Given:
    """Return the server of compose: its superuser's password in a file, its socket in a folder."""
    password = password_file.read_text(encoding="utf-8").strip()
    return parse(roles.dsn(SUPERUSER, password, str(folder), "postgres"))


def parse(url: str) -> Given:
    """Read an address.

    Raises:
        DatabaseUrlRefused: it is not a PostgreSQL address.
    """
    try:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        port = parts.port or int(query.get("port", PORT))
    except ValueError:
        raise DatabaseUrlRefused(f"{VARIABLE} is not an address.") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise DatabaseUrlRefused(f"{VARIABLE} does not begin with postgresql://.")
    host = query.get("host") or unquote(parts.hostname or "")
    if not host:
        raise DatabaseUrlRefused(f"{VARIABLE} names no host.")
    tls = query.get("sslmode", "prefer")
    if tls not in TLS_MODES:
        raise DatabaseUrlRefused(f"sslmode in {VARIABLE} must be one of {', '.join(TLS_MODES)}.")
    name = unquote(parts.path.lstrip("/"))
    database = roles.DATABASE if name in ("", "postgres", "template1") else name
    folder = host if host.startswith("/") else None
    return Given(Pii(url), database, host, port, folder, tls)


def service(home: Home, server: Given | None) -> Service | None:
    """Return what has to run to reach the database; nothing when it is a socket of this machine already."""
    if server is None:
        return Postgres(home)
    if server.folder is not None:
        return None
    what = [
        "--", "crm.host.relay", "--socket", str(home.path / "postgres" / "run" / f".s.PGSQL.{PORT}"),
        "--host", server.host, "--port", str(server.port), "--tls", server.tls,
    ]  # fmt: skip

    async def spawn() -> Child:
        line = command(home, "postgres", what, network=True)
        return await Child.start(line, environ=environment(), stdout=asyncio.subprocess.PIPE)

    return ChildService("database relay", spawn)


async def ensure_roles(home: Home, server: Given | None) -> None:
    """Make database and roles, wherever they are.

    Raises:
        ServerTooOld: the schema needs PostgreSQL 15.
    """
    own = str(home.path / "postgres" / "run")
    if server is None:
        await roles.ensure(home, Postgres(home).admin_dsn(), own)
    elif server.folder is None:
        await roles.ensure(home, server.url.reveal(), own, database=server.database)
    else:
        await roles.ensure(home, server.url.reveal(), server.folder, database=server.database, port=server.port)
