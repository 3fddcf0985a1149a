"""What the tests run as a plain user: words in, JSON lines out."""

import asyncio
import json
import os
import sys
from pathlib import Path

import asyncpg

from crm.host import home as homes
from crm.host import roles, serve
from crm.host.postgres import Postgres


def main(words: list[str]) -> int:
    return {"postgres": _postgres, "serve": _serve}[words[0]](*words[1:])


def _say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _serve(root: str, *more: str) -> int:
    return serve.run(serve.Options(home=Path(root), port=0, is_demo="demo" in more))


def _postgres(root: str) -> int:
    asyncio.run(_round(Path(root)))
    return 0


async def _round(root: Path) -> None:
    """Start, connect as a role, say what was found, stop when standard input ends."""
    home = homes.prepare(root)
    server = Postgres(home)
    await server.start()
    await roles.ensure(home, server.admin_dsn(), server.host)
    connection = await asyncpg.connect(home.dsn_file("kept_web").read_text())
    who = await connection.fetchval("select current_user")
    await connection.close()
    await server.stop()
    _say(who=who, uid=os.getuid(), mode=oct(home.root.stat().st_mode & 0o777))
