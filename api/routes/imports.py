"""Imports: a file in, counts out."""

from typing import Any

from fastapi import APIRouter, Request, Response, status

from api.http import intake
from api.http.deps import IdPath, StaffDep
from api.http.upload import read_form
from crm.contacts import importing
from crm.errors import Invalid
from crm.kit.ids import is_id

router = APIRouter(tags=["imports"])

PATH = "/v1/imports"
LIMIT = 64 << 20
SAID = {"true": True, "1": True, "false": False, "0": False, "": False}
DRY: dict[int | str, dict[str, Any]] = {200: {"description": "A dry run: what would be stored, known and rejected."}}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "vCards, or a table under headings (CSV).",
                        },
                        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                        "dry_run": {"type": "string", "enum": ["true", "false"]},
                    },
                }
            }
        },
    }
}


@router.post(PATH, status_code=status.HTTP_202_ACCEPTED, openapi_extra=BODY, responses=DRY)
async def import_file(request: Request, response: Response, desk: StaffDep, *, dry_run: bool = False) -> dict[str, Any]:
    """Take in a file of contacts; it is stored in the background. A dry run says what would be, and stores nothing."""
    form = await read_form(request)
    chosen = form.fields.get("id")
    if form.file is None or (chosen is not None and not is_id(chosen)):
        raise Invalid("An id is 32 lower-case hex digits.", pointer="/body/id")
    said = form.fields.get("dry_run", "false").lower()
    if said not in SAID:
        raise Invalid("A dry run is true or false.", pointer="/body/dry_run")
    key, region = desk.state.import_key, desk.state.settings.phone_region
    if dry_run or SAID[said]:
        response.status_code = status.HTTP_200_OK
        return await importing.rehearse(desk.database, desk.keeper, desk.caller, form.file, key=key, region=region)
    return {"id": await intake.start(desk, form.file, chosen)}


@router.get("/v1/imports/{job}")
async def show_import(job: IdPath, desk: StaffDep) -> dict[str, Any]:
    """Say how far an import has come."""
    return await importing.progress(desk.database, desk.caller, job, headings=desk.state.headings, clock=desk.clock)
