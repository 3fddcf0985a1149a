"""``kept install``: make a home and its database for processes that something else starts (compose, systemd).

What ``kept serve`` does before it starts the first process, and nothing more; run again, it brings the schema up
and puts owners and passwords right. Afterwards each process finds its key and its passwords in files of its own.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from crm.db import migrate
from crm.host import accounts, database, keeper_home, roles
from crm.host import home as homes
from crm.host.home import Home
from crm.kit.pii import Pii

# What can be wrong with a machine; each says what, and needs no traceback.
EXPECTED = (
    accounts.AccountMissing,
    asyncpg.PostgresError,
    database.DatabaseUrlRefused,
    homes.HomeRefused,
    keeper_home.KeeperRefused,
    roles.ServerTooOld,
    OSError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is installed, and where."""

    home: Path
    server: database.Given
    origin: str | None = None
    recovery: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    rp_id: str | None = None
    journal: Path | None = None
    is_second_factor_required: bool = True


def run(plan: Plan) -> int:
    """Install; status 69 with the reason when it cannot be done."""
    try:
        home = homes.prepare(plan.home)
        asyncio.run(make(home, plan))
    except EXPECTED as error:
        sys.stderr.write(f"kept install: {error}\n")
        return os.EX_UNAVAILABLE
    sys.stdout.write(f"Installed in {home.root} ({accounts.isolation()})\n")
    return os.EX_OK


async def make(home: Home, plan: Plan) -> None:
    """Make the keeper's part, database, roles and schema."""
    await keeper_home.ensure(
        home,
        origin=plan.origin or keeper_home.default_origin(),
        is_second_factor_required=plan.is_second_factor_required,
        journal=plan.journal,
        recovery=plan.recovery,
        sites=plan.sites,
        rp_id=plan.rp_id,
    )
    await database.ensure_roles(home, plan.server)
    await bring_up_schema(home)


async def bring_up_schema(home: Home) -> None:
    """Run the migrations as the tables' owner."""
    owner = home.dsn_file(roles.OWNER).read_text(encoding="utf-8").strip()
    await asyncio.to_thread(migrate, Pii(owner))
