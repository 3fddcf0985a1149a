"""The processes beside the web: ``kept worker --role inbound|sender`` and ``kept approve``.

Each holds its own authenticated connection to the keeper, says when the keeper's state changes, and ends on
SIGTERM after what is under way. None does its own work yet: bounces and replies (inbound) and campaigns (sender)
come with the issue of outreach, the signing pages (approve) with the issue of the legal release. Until then each
is the process with its account, its key and its locks, so that what is shown about isolation is shown of the
process that will do the work.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from crm.errors import CrmError
from crm.host.egress import egress_state
from crm.keeper_client import Keeper

PRELOAD = ("msgpack.*",)
ROLES = ("inbound", "sender", "approve")
_EVERY_S = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="kept worker", description="Run one process beside the web.")
    parser.add_argument("--role", choices=ROLES, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--state-file", type=Path, help="kept at the keeper's state, for health checks")
    options = parser.parse_args(arguments)
    asyncio.run(_run(options.role, options.home, options.state_file))
    return os.EX_OK


async def _run(role: str, home: Path, state_file: Path | None) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    keeper = await Keeper.connect(home / "run" / f"{role}.sock", home / "services" / f"{role}.key")
    said = ""
    _say("ready")
    while not ending.is_set():
        state = await _state(keeper)
        if state != said:
            _say(f"{role}: keeper {state}, way out {egress_state()}")
            said = state
            if state_file is not None:
                await asyncio.to_thread(state_file.write_text, state, encoding="ascii")
        await _until(ending, _EVERY_S)
    await keeper.close()


async def _until(ending: asyncio.Event, seconds: float) -> None:
    waiting = asyncio.create_task(ending.wait())
    await asyncio.wait([waiting], timeout=seconds)
    waiting.cancel()


async def _state(keeper: Keeper) -> str:
    try:
        return str((await keeper.status())["state"])
    except CrmError as error:
        return error.code


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
