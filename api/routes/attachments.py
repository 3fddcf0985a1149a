"""Files of interactions: one in, one out."""

from typing import Any

from fastapi import APIRouter, Request, Response, status

from api.http.deps import ContactPath, IdPath, ServeDep, StaffDep, WriteSessionDep
from api.http.upload import read_form
from api.routes.contacts import OpenFor, Reason
from crm.errors import Invalid
from crm.interactions import attaching
from crm.kit.ids import is_id

router = APIRouter(tags=["interactions"])

PATH = "/v1/contacts/{contact}/interactions/{interaction}/attachments"
# The form around the file is a few lines; the file's own limit is told by its own words.
LIMIT = attaching.MOST_BYTES + (64 << 10)
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "At most 5 MB, with its type."},
                        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                    },
                }
            }
        },
    }
}


@router.post(PATH, status_code=status.HTTP_201_CREATED, openapi_extra=BODY)
async def attach_file(
    contact: ContactPath, interaction: IdPath, request: Request, desk: StaffDep, db: WriteSessionDep
) -> dict[str, Any]:
    """Seal a file of an interaction, held in memory until then."""
    form = await read_form(request)
    chosen = form.fields.get("id")
    if form.file is None or (chosen is not None and not is_id(chosen)):
        raise Invalid("An id is 32 lower-case hex digits.", pointer="/body/id")
    given = attaching.FileIn(bytes(form.file), form.file_name, form.file_type, chosen)
    return await attaching.add(
        db, desk.keeper, desk.caller, contact, interaction, given=given, reads=desk.reads, clock=desk.clock
    )


@router.get(
    "/v1/contacts/{contact}/interactions/{interaction}/attachments/{attachment}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def open_file(  # noqa: PLR0917 - one parameter for each part of the declaration
    contact: ContactPath,
    interaction: IdPath,
    attachment: IdPath,
    desk: ServeDep,
    purpose: OpenFor = "serve",
    reason: Reason = "other",
) -> Response:
    """Open a file, as bytes to be saved: no browser is told what it could show."""
    file = await attaching.read(
        desk.reads, desk.keeper, desk.token, contact, interaction, attachment, purpose=purpose, reason=reason
    )
    headers = {"content-disposition": f'attachment; filename="file.{file.kind}"', "content-security-policy": "sandbox"}
    return Response(file.data, headers=headers, media_type="application/octet-stream")
