"""How the installation is: nothing secret, for everybody."""

from typing import Any

from fastapi import APIRouter

from api.http.deps import PublicDep
from crm.errors import CrmError
from crm.keeper_client import Keeper

router = APIRouter(tags=["health"])


@router.get("/health")
async def health(app: PublicDep) -> dict[str, Any]:
    """Say how web, database, keeper and isolation are."""
    return {
        "web": "ok",
        "database": "ok" if await app.reads.answers() else "unavailable",
        "keeper": await _keeper(app.keeper),
        "isolation": app.settings.isolation,
        "egress": app.settings.egress,
    }


async def _keeper(keeper: Keeper) -> dict[str, Any]:
    try:
        return await keeper.status()
    except CrmError as error:
        return {"state": "unavailable", "reason": error.reason}
