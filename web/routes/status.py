"""How the installation is: each process, the keeper's limits, what the promise rests on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from crm.kit.signed import parse_checkpoint
from crm.promises.service import to_json
from web.render import View
from web.seat import AdminSeat

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(View):
    """What runs, as it says of itself; the promise by verdict, worst first."""

    template: ClassVar[str] = "admin/status.html"
    has_database: bool
    active: int
    with_factor: int
    keeper: Mapping[str, Any]
    isolation: str
    egress: str
    origin: str
    size: int
    root: str
    verdict: str
    verdicts: Mapping[str, int]
    broken: Sequence[Mapping[str, Any]]
    checked_at: str
    retention_days: int | None
    zone: str


@router.get("/status")
async def status(seat: AdminSeat) -> Response:
    """Show how everything is."""
    settings, report = seat.state.settings, to_json(await seat.state.board.report())
    checkpoint = parse_checkpoint((await seat.keeper.checkpoint()).partition("\n\n")[0] + "\n")
    clauses = report["clauses"]
    active = [one for one in await seat.keeper.people(seat.token) if one["state"] == "active"]
    return seat.show(
        Status(
            has_database=await seat.reads.answers(), active=len(active),
            with_factor=sum(one["second_factor"] for one in active), keeper=await seat.keeper.status(),
            isolation=settings.isolation, egress=settings.egress, origin=checkpoint.origin, size=checkpoint.size,
            root=checkpoint.root.hex(), verdict=report["verdict"],
            verdicts=Counter(str(clause["verdict"]) for clause in clauses),
            broken=[clause for clause in clauses if clause["verdict"] == "broken"], checked_at=report["checked_at"],
            retention_days=settings.retention_days, zone=settings.time_zone.key,
        )
    )  # fmt: skip
