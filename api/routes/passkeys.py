"""One's own passkeys: enrolled, listed, removed."""

from typing import Any, Literal

from fastapi import APIRouter, status

from api.http.ceremonies import Passkey, to_enrol, to_prove
from api.http.deps import IdPath, SelfDep
from crm.contacts.schemas import Input, OptionalId

router = APIRouter(tags=["sessions"])
BEGIN = {"enrol": to_enrol, "prove": to_prove}


class OptionsBody(Input):
    """What a ceremony is for."""

    ceremony: Literal["enrol", "prove"]


class PasskeyBody(Input):
    """A new passkey."""

    id: OptionalId = None
    passkey: Passkey


@router.post("/v1/passkeys/options", status_code=status.HTTP_201_CREATED)
async def begin(body: OptionsBody, desk: SelfDep) -> dict[str, Any]:
    """Begin a ceremony: what `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` of a browser takes."""
    return await BEGIN[body.ceremony](desk.keeper, desk.token)


@router.post("/v1/passkeys", status_code=status.HTTP_201_CREATED)
async def add_passkey(body: PasskeyBody, desk: SelfDep) -> dict[str, Any]:
    """Enrol a passkey; asks for a fresh proof."""
    return await desk.keeper.passkey_add(desk.token, body.passkey.answer(), body.id)


@router.get("/v1/passkeys")
async def list_passkeys(desk: SelfDep) -> dict[str, Any]:
    """List one's own passkeys, oldest first."""
    passkeys = await desk.keeper.passkeys(desk.token)
    return {"passkeys": [{"id": one["id"], "made_at": one["made_at"]} for one in passkeys]}


@router.delete("/v1/passkeys/{passkey}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_passkey(passkey: IdPath, desk: SelfDep) -> None:
    """Forget a passkey; asks for a fresh proof, and the last second factor stays where one is required."""
    await desk.keeper.passkey_remove(desk.token, passkey)
