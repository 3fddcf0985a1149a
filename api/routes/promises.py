"""The promise, checked: for everybody to read."""

from typing import Any

from fastapi import APIRouter

from api.http.deps import PublicDep
from crm.promises.service import to_json

router = APIRouter(tags=["promises"])


@router.get("/v1/promises")
async def show_promises(app: PublicDep) -> dict[str, Any]:
    """Say of each clause what makes it true and whether it holds now; looked at once a minute at most."""
    return to_json(await app.board.report())
