"""The roles of the database: one for each process, each with a password in its own process's file.

    kept_owner     owns the database and its tables; migrations run as this role
    kept_web       reads and writes what the migrations grant
    kept_web_read  reads; its transactions are read only
    kept_sender    kept_inbound    what the migrations grant, so far nothing

The keeper has none. Nobody gets anything by being anybody: what PUBLIC may by default is taken away.
"""

import base64
import hashlib
import hmac
import secrets
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from crm.host import accounts
from crm.host.home import Home, write_for

OWNER = "kept_owner"
DATABASE = "kept"
# Which process reads the role's password; the owner's is the launcher's.
READERS = {OWNER: None, "kept_web": "web", "kept_web_read": "web", "kept_sender": "sender", "kept_inbound": "inbound"}
OLDEST_SERVER = 150000
_ITERATIONS = 4096
_RIGHTS = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"


class ServerTooOld(Exception):
    """Raised when the database server is older than what the schema needs."""


def dsn(role: str, password: str, host: str, database: str = DATABASE, port: int | None = None) -> str:
    """Write a connection string; ``host`` may be the folder of a unix socket."""
    where = f"?host={quote(host, safe='/')}" + (f"&port={port}" if port else "")
    return f"postgresql://{role}:{quote(password, safe='')}@/{quote(database, safe='')}{where}"


def password_in(file: Path) -> str | None:
    """Return the password of a connection string's file; nothing when there is none."""
    try:
        password = urlsplit(file.read_text(encoding="utf-8").strip()).password
    except FileNotFoundError:
        return None
    return unquote(password) if password else None


def scram_verifier(password: str) -> str:
    """Compute what the server stores, so that the password itself is never sent to it."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, client, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{text[0]}${text[1]}:{text[2]}"


async def ensure(home: Home, admin_dsn: str, host: str, *, database: str = DATABASE, port: int | None = None) -> None:
    """Make database and roles, or put them right; every role's connection string is in its file afterwards.

    ``host`` and ``port`` are what the processes connect to. A password that is there stays: another
    launcher of the same server may rely on it.

    Raises:
        ServerTooOld: the schema needs PostgreSQL 15.
    """
    admin = await asyncpg.connect(admin_dsn)
    try:
        if admin.get_server_version().major * 10000 < OLDEST_SERVER:
            raise ServerTooOld("Kept needs PostgreSQL 15 or later.")
        for role, reader in READERS.items():
            file = home.dsn_file(role)
            password = password_in(file) or secrets.token_urlsafe(32)
            account = accounts.of_role(reader) if reader else None
            write_for(file, dsn(role, password, host, database, port), account)
            await _role(admin, role, password)
        # Whoever is no superuser must be a member of the role that shall own, for as long as this takes.
        await admin.execute(f"grant {OWNER} to current_user")
        await _database(admin, database)
        await _schema(admin_dsn, database)
        await admin.execute(f"revoke {OWNER} from current_user")
    finally:
        await admin.close()


async def _role(admin: asyncpg.Connection, role: str, password: str) -> None:
    there = await admin.fetchval("select true from pg_roles where rolname = $1", role)
    verb = "alter" if there else "create"
    # A verifier is base64 and punctuation: nothing in it ends a literal.
    await admin.execute(f"{verb} role {role} with {_RIGHTS} password '{scram_verifier(password)}'")
    if role.endswith("_read"):
        await admin.execute(f"alter role {role} set default_transaction_read_only = on")


async def _database(admin: asyncpg.Connection, database: str) -> None:
    quoted = '"' + database.replace('"', '""') + '"'
    owner = await admin.fetchval("select datdba::regrole::text from pg_database where datname = $1", database)
    if owner is None:
        await admin.execute(f"create database {quoted} owner {OWNER} encoding 'UTF8' template template0")
    elif owner != OWNER:
        await admin.execute(f"alter database {quoted} owner to {OWNER}")
    await admin.execute(f"revoke all on database {quoted} from public")
    await admin.execute(f"grant connect on database {quoted} to {', '.join(READERS)}")


async def _schema(admin_dsn: str, database: str) -> None:
    inside = await asyncpg.connect(admin_dsn, database=database)
    try:
        # The schema belongs to whoever owns the database.
        await inside.execute(f"set role {OWNER}")
        await inside.execute("revoke all on schema public from public")
    finally:
        await inside.close()
