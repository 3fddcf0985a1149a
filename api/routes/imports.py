"""Imports: a file in, counts out."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, status

from api.http import logs
from api.http.deps import IdPath, StaffDep
from api.http.upload import read_form
from crm.contacts import importing
from crm.errors import Invalid
from crm.kit.ids import is_id

router = APIRouter(tags=["imports"])

PATH = "/v1/imports"
LIMIT = 64 << 20
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "A vCard file."},
                        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                    },
                }
            }
        },
    }
}


@router.post(PATH, status_code=status.HTTP_202_ACCEPTED, openapi_extra=BODY)
async def import_file(request: Request, desk: StaffDep) -> dict[str, Any]:
    """Take in a file of contacts; it is stored in the background."""
    form = await read_form(request)
    chosen = form.fields.get("id")
    if form.file is None or (chosen is not None and not is_id(chosen)):
        raise Invalid("An id is 32 lower-case hex digits.", pointer="/body/id")
    job, is_new = await importing.begin(
        desk.database, desk.keeper, desk.caller, form.file, job=chosen, clock=desk.clock
    )
    if is_new:
        work = importing.Import(desk.database, desk.keeper, desk.caller, job, desk.state.import_key, desk.clock).run(
            form.file
        )
        task = asyncio.create_task(work)
        desk.state.imports.add(task)
        task.add_done_callback(desk.state.imports.discard)
        task.add_done_callback(_report)
    return {"id": job}


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logs.failure(error)


@router.get("/v1/imports/{job}")
async def show_import(job: IdPath, desk: StaffDep) -> dict[str, Any]:
    """Say how far an import has come."""
    return await importing.progress(desk.database, desk.caller, job, clock=desk.clock)
