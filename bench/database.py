"""``python -m bench.database HOME``: PostgreSQL as the product starts it, until standard input is closed."""

import asyncio
import sys
from pathlib import Path

from crm.db import migrate
from crm.host import database, home, roles
from crm.host.postgres import Postgres
from crm.kit.pii import Pii


async def main(root: Path) -> None:
    place = home.prepare(root)
    server = Postgres(place)
    await server.start()
    try:
        await database.ensure_roles(place, None)
        owner = place.dsn_file(roles.OWNER).read_text(encoding="utf-8").strip()
        await asyncio.to_thread(migrate, Pii(owner))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
