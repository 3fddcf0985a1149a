"""The files of our own that pages load."""

from fastapi import APIRouter, Request, Response

from api.http.deps import PublicDep
from crm.errors import NotFound
from web.assets import ASSETS

router = APIRouter(include_in_schema=False)
FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/static/{name}", response_class=Response)
async def static(name: str, request: Request, app: PublicDep) -> Response:  # noqa: ARG001 - public
    """Send a file by the name of its content, packed where the browser takes that."""
    asset = ASSETS.find(name)
    if asset is None:
        raise NotFound
    headers = {"cache-control": FOR_EVER, "vary": "Accept-Encoding"}
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers=headers | {"content-encoding": "gzip"}, media_type=asset.media)
    return Response(asset.body, headers=headers, media_type=asset.media)
