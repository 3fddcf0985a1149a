"""The web process: uvicorn on a listening socket that somebody else made.

The launcher, ``enter --listen`` or systemd hands the socket in, so this process never needs a network of its
own: what it answers goes out through connections that came in. Several may share the one socket.
"""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from typing_extensions import override

from crm.host.egress import egress_state
from crm.host.enter import LISTEN_FDS_START

APP = "web.main:create_app"
DRAIN_S = 20
# Imported while they still can be: what the application, its server and its database driver load late.
PRELOAD = (
    "argon2.*", "asyncpg.*", "asyncpg.protocol.*", "fastapi.openapi.*", "fastapi._compat.*",
    "multipart.multipart", "phonenumbers.data.*", "python_multipart.*", "sqlalchemy.dialects.postgresql.*",
    "sqlalchemy.ext.asyncio.*", "starlette.formparsers", "starlette.middleware.errors", "uvicorn.lifespan.*",
    "uvicorn.loops.*", "uvicorn.protocols.http.*", "uvicorn.protocols.utils", "uvloop", "web.main",
)  # fmt: skip


class _Server(uvicorn.Server):
    """Says when it takes requests: the launcher waits for the line."""

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write("ready\n")
            sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; what is under way is answered first."""
    parser = argparse.ArgumentParser(prog="kept web", description="Serve REST and pages on an inherited socket.")
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--fd", type=int, default=None, help="the listening socket (default: as systemd tells)")
    options = parser.parse_args(arguments)
    number = options.fd if options.fd is not None else _inherited()
    if number is None:
        sys.stderr.write("kept web: no listening socket was handed in (--fd, or LISTEN_FDS as systemd sets it)\n")
        return os.EX_USAGE
    if options.home is not None:
        os.environ["KEPT_HOME"] = str(options.home)
    # The application tells it on /health; a probe there would let a request decide when to knock.
    os.environ["KEPT_EGRESS"] = egress_state(inherits_socket=True)
    config = uvicorn.Config(
        APP,
        factory=True,
        # Addresses of visitors live in memory for one request: no access log, ever.
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        log_level="warning",
        timeout_graceful_shutdown=DRAIN_S,
    )
    with socket.socket(fileno=number) as listening:
        _Server(config).run(sockets=[listening])
    return os.EX_OK


def _inherited() -> int | None:
    """Find the socket as systemd hands it over: number 3, when the environment names this process."""
    is_ours = os.environ.get("LISTEN_PID") == str(os.getpid())
    return LISTEN_FDS_START if is_ours and os.environ.get("LISTEN_FDS") == "1" else None
