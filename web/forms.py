"""What a page's form sends: short fields, never a file, read into the same shapes REST takes."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from crm.errors import Invalid

Shape = TypeVar("Shape", bound=BaseModel)
MOST_FIELDS = 200
FORM, WRONG = "kept.form", "kept.wrong"
# The fields of a proof, beside those of the form it came with.
PASSWORD, CODE, PASSKEY = "proof_password", "proof_code", "proof_passkey"
PROOF = frozenset({PASSWORD, CODE, PASSKEY})


async def fields(request: Request) -> FormData:
    """Read the form; the edge has bounded its size already."""
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    # Whoever has to prove first who they are sends the same again, with the proof.
    request.scope[FORM] = form
    return form


FormDep = Annotated[FormData, Depends(fields)]


def text(form: FormData, name: str) -> str:
    """Return one field without the blanks around it; empty when it is not there."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def texts(form: FormData, name: str) -> list[str]:
    """Return every filled field of a name, in their order."""
    return [value.strip() for value in form.getlist(name) if isinstance(value, str) and value.strip()]


def read(shape: type[Shape], given: Mapping[str, object]) -> tuple[Shape | None, dict[str, str]]:
    """Read a shape; or nothing, and what is wrong by field, in codes that quote no value."""
    try:
        return shape.model_validate(given), {}
    except ValidationError as error:
        return None, {str(one["loc"][0]): _reason(one) for one in error.errors(include_input=False) if one["loc"]}


def sure(shape: Shape | None) -> Shape:
    """Take what was read.

    Raises:
        Invalid: nothing could be.
    """
    if shape is None:
        raise Invalid(pointer="/body/form")
    return shape


def _reason(error: Mapping[str, object]) -> str:
    """Our own validators' messages are constants; pydantic's are told by their kind."""
    if error["type"] == "value_error":
        context = error.get("ctx")
        return str(context["error"]) if isinstance(context, dict) else "invalid"
    return str(error["type"]).replace("_", " ")
