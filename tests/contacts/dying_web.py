"""The web process as it is shipped, but for one moment of an import at which a process is killed.

``KEPT_TEST_KILL`` is ``PID:MOMENT:BATCH``; 0 stands for this process itself, and without it nobody dies. Batches are
small then, so that a short file has several.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from crm.contacts import intake, queries
from crm.host import web
from crm.keeper_client import Keeper

MOMENTS = ("before the keeper", "behind the keeper", "before the rows", "before the commit")
BATCH = 20


def dying(what: Callable[..., Awaitable[Any]], before: str, behind: str) -> Callable[..., Awaitable[Any]]:
    """Wrap a step of the import so that its n-th call kills before it begins or when it is done."""
    pid, moment, batch = os.environ["KEPT_TEST_KILL"].split(":")
    calls = 0

    def kill(at: str) -> None:
        if (at, calls) == (moment, int(batch)):
            os.kill(int(pid) or os.getpid(), signal.SIGKILL)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        kill(before)
        done = await what(*args, **kwargs)
        kill(behind)
        return done

    return wrapped


if __name__ == "__main__":
    if "KEPT_TEST_KILL" in os.environ:
        intake.BATCH = BATCH
        Keeper.put = dying(Keeper.put, *MOMENTS[:2])  # type: ignore[method-assign]
        queries.add_imported = dying(queries.add_imported, *MOMENTS[2:])
    sys.exit(web.main())
