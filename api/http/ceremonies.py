"""What a browser is told to begin a ceremony with a passkey, and what it answers (WebAuthn level 3, in JSON).

The challenge is the keeper's, and the keeper checks what comes back: nothing here is trusted by it. A passkey is always
discoverable and its holder always verified, so it signs in alone.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)  # fmt: skip

from crm.keeper_client import Keeper

NAME = "Kept"
TIMEOUT_MS = 300_000  # as long as the keeper remembers a challenge
VERIFIED = UserVerificationRequirement.REQUIRED
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$", max_length=8000)]


class Signed(BaseModel):
    """What the authenticator made, in base64url; a browser sends more, which nobody needs."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)
    client_data: Base64 = Field(alias="clientDataJSON")
    attestation: Base64 | None = Field(None, alias="attestationObject")
    authenticator_data: Base64 | None = Field(None, alias="authenticatorData")
    signature: Base64 | None = None
    user_handle: Base64 | None = Field(None, alias="userHandle")


class Passkey(BaseModel):
    """A credential, as `PublicKeyCredential.toJSON()` prints it."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)
    id: Base64
    raw_id: Base64 = Field(alias="rawId")
    type: Annotated[str, StringConstraints(pattern=r"^public-key$")]
    response: Signed

    def answer(self) -> dict[str, Any]:
        """Return it for the keeper."""
        return self.model_dump(exclude_none=True, by_alias=True)


async def to_sign_in(keeper: Keeper) -> dict[str, Any]:
    """Begin signing in: every passkey of this site fits, so nothing is told about accounts."""
    return await _to_prove(keeper, await keeper.challenge(), [])


async def to_prove(keeper: Keeper, token: str) -> dict[str, Any]:
    """Begin a fresh proof with one of one's own passkeys."""
    challenge = await keeper.challenge(token)
    return await _to_prove(keeper, challenge, _known(await keeper.passkeys(token)))


async def to_enrol(keeper: Keeper, token: str) -> dict[str, Any]:
    """Begin enrolling a passkey; an authenticator that holds one already refuses to make another."""
    challenge, person = await keeper.challenge(token), await keeper.me(token)
    # A session that still has to enrol its first factor may not ask which there are: there are none.
    held = await keeper.passkeys(token) if "passkey" in person["factors"] else []
    options = generate_registration_options(
        rp_id=str((await keeper.status())["rp_id"]),
        rp_name=NAME,
        user_id=person["id"].encode(),
        user_name=person["name"],
        user_display_name=person["name"],
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
        ),
        exclude_credentials=_known(held),
    )
    return options_to_json_dict(options)


async def _to_prove(keeper: Keeper, challenge: bytes, known: list[PublicKeyCredentialDescriptor]) -> dict[str, Any]:
    rp_id = str((await keeper.status())["rp_id"])
    options = generate_authentication_options(
        rp_id=rp_id, challenge=challenge, timeout=TIMEOUT_MS, allow_credentials=known, user_verification=VERIFIED
    )
    return options_to_json_dict(options)


def _known(passkeys: list[dict[str, Any]]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one["credential"]) for one in passkeys]
