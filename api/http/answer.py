"""The answer of a route that prints its document itself."""

from typing import Any

import orjson
from fastapi import Response


def answer(document: dict[str, Any], etag: str | None = None) -> Response:
    """Print an answer without a validating copy of it: the functions that made the document are its model."""
    headers = {"etag": etag} if etag else None
    return Response(orjson.dumps(document), headers=headers, media_type="application/json")
