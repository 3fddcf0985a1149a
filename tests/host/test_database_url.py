"""A database server that somebody else runs, over TCP and over a socket of its own."""

import asyncio
import contextlib
import os
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from typing_extensions import override

from crm.host import database, install, relay, roles
from crm.host import home as homes
from crm.host.child import command
from crm.host.home import Home
from crm.host.postgres import Postgres
from crm.host.roles import password_in
from tests.host.conftest import PROJECT
from tests.host.product import serving


class Elsewhere(Postgres):
    """A server with a network, as somebody else would run it."""

    @override
    def _line(self, programs: Path) -> list[str]:
        closed = super()._line(programs)
        return command(self._home, "postgres", closed[closed.index("--") + 1 :], network=True, program=True, end="INT")


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def _elsewhere(folder: Path, port: int, **settings: str) -> AsyncIterator[str]:
    """Run a server and give its superuser's password."""
    home = homes.prepare(folder / "elsewhere")
    server = Elsewhere(home, {"listen_addresses": "127.0.0.1", "port": str(port)} | settings)
    await server.start()
    try:
        password = password_in(home.dsn_file("kept_super"))
        assert password is not None
        yield password
    finally:
        await server.stop()


def _serve(root: Path, url: str) -> tuple[dict[str, object], set[str]]:
    with serving(root, DATABASE_URL=url) as product:
        health = product.until("open")
        return health, set(product.children())


async def test_over_tcp_the_processes_go_through_the_relay(folder: Path, port: int) -> None:
    async with _elsewhere(folder, port) as password:
        url = f"postgresql://kept_super:{password}@127.0.0.1:{port}/postgres"
        health, children = await asyncio.to_thread(_serve, folder / "home", url)
        assert health["egress"] == "closed"
        assert "crm.host.relay" in children
        assert "bin/postgres" not in children
        # The roles are there, and what is in the files opens them from anywhere.
        kept = password_in(folder / "home" / "services" / "kept_web.dsn")
        connection = await asyncpg.connect(host="127.0.0.1", port=port, user="kept_web", password=kept, database="kept")
        assert await connection.fetchval("select count(*) from contact") == 0
        await connection.close()


async def test_over_a_socket_they_go_straight(folder: Path, port: int) -> None:
    async with _elsewhere(folder, port) as password:
        where = folder / "elsewhere" / "postgres" / "run"
        url = f"postgresql://kept_super:{password}@/crm_of_ours?host={where}&port={port}"
        admin = await asyncpg.connect(f"postgresql://kept_super:{password}@127.0.0.1:{port}/postgres")
        await admin.execute("create database crm_of_ours")
        await admin.close()
        health, children = await asyncio.to_thread(_serve, folder / "home", url)
        assert health["egress"] == "closed"
        assert "crm.host.relay" not in children
        for _ in range(2):
            # Again is no harm: passwords stay, the schema is there.
            server = database.parse(url)
            before = (folder / "home" / "services" / "kept_web.dsn").read_text()
            await install.make(homes.prepare(folder / "home"), install.Plan(home=folder / "home", server=server))
            assert (folder / "home" / "services" / "kept_web.dsn").read_text() == before


async def test_role_that_may_only_create_roles_and_databases_is_enough(folder: Path, port: int, home: Home) -> None:
    async with _elsewhere(folder, port) as password:
        admin = await asyncpg.connect(f"postgresql://kept_super:{password}@127.0.0.1:{port}/postgres")
        await admin.execute("create role installer login createrole createdb password 'a b/c'")
        await admin.close()
        url = f"postgresql://installer:a%20b%2Fc@127.0.0.1:{port}/postgres"
        await roles.ensure(home, url, "127.0.0.1", port=port)
        kept = password_in(home.dsn_file("kept_web"))
        connection = await asyncpg.connect(host="127.0.0.1", port=port, user="kept_web", password=kept, database="kept")
        await connection.close()


class Far:
    """A server that answers the question about TLS and says everything backwards."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self.asked: list[bytes] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.asked.append(await reader.readexactly(8))
            writer.write(b"S" if self._context else b"N")
            if self._context:
                await writer.start_tls(self._context)
            while chunk := await reader.read(100):
                writer.write(chunk[::-1])
        writer.close()


async def _through_relay(folder: Path, far: Far, tls: str, **environ: str) -> bytes:
    """Say something through a relay and return what comes back."""
    server = await asyncio.start_server(far.answer, "127.0.0.1", 0)
    path, port = folder / "relay.sock", server.sockets[0].getsockname()[1]
    words = ["--socket", str(path), "--host", "localhost", "--port", str(port), "--tls", tls]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "crm.host.relay", *words,
        cwd=PROJECT, env=os.environ | environ, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"abcdefgh")
    said = await reader.read(100)
    writer.close()
    process.terminate()
    assert await process.wait() == 0
    server.close()
    return said


@pytest.fixture
def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server's TLS for localhost, and the file that vouches for it."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    day = timedelta(days=1)
    now = datetime.fromtimestamp(time.time(), UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, secret)
    return context, str(chain)


@pytest.mark.parametrize("tls", relay.MODES)
async def test_server_without_tls_is_used_only_when_that_was_allowed(folder: Path, tls: str) -> None:
    far = Far(None)
    said = await _through_relay(folder, far, tls)
    if tls == "disable":
        # Nothing was asked: what it takes for the question is what was said.
        assert (far.asked, said) == ([b"abcdefgh"], b"N")
    else:
        assert far.asked == [relay.TLS_ASKED]
        assert said == (b"hgfedcba" if tls == "prefer" else b"")


@pytest.mark.parametrize("tls", ["prefer", "require", "verify-full"])
async def test_server_with_tls_is_checked_when_that_was_asked(
    folder: Path, certificate: tuple[ssl.SSLContext, str], tls: str
) -> None:
    context, vouching = certificate
    assert await _through_relay(folder, Far(context), tls) == (b"" if tls == "verify-full" else b"hgfedcba")
    assert await _through_relay(folder, Far(context), tls, SSL_CERT_FILE=vouching) == b"hgfedcba"


async def test_relay_to_nobody_closes_at_once(folder: Path, port: int) -> None:
    path = folder / "relay.sock"
    words = ["--socket", str(path), "--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "crm.host.relay", *words, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    reader, writer = await asyncio.open_unix_connection(str(path))
    assert await reader.read(100) == b""
    writer.close()
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root@localhost/kept",
        "postgresql://kept_super@localhost:port/kept",
        "postgresql:///kept",
        "not an address",
        "postgresql://u@h/kept?sslmode=none",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(database.DatabaseUrlRefused) as refused:
        database.parse(url)
    assert url not in str(refused.value)


def test_address_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert database.given() is None
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p%40@[::1]:6000/ours?sslmode=verify-full")
    found = database.given()
    assert found is not None
    assert (found.host, found.port, found.database, found.tls, found.folder) == (
        "::1",
        6000,
        "ours",
        "verify-full",
        None,
    )
    assert "p%40" not in repr(found)


async def test_server_that_is_too_old_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch, folder: Path, port: int
) -> None:
    async with _elsewhere(folder, port) as password:
        monkeypatch.setattr(roles, "OLDEST_SERVER", 990000)
        with pytest.raises(roles.ServerTooOld):
            await roles.ensure(home, f"postgresql://kept_super:{password}@127.0.0.1:{port}/postgres", "127.0.0.1")
