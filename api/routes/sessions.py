"""Signing in and out, and what a person may know about themselves."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, status
from pydantic import StringConstraints, model_validator

from api.http.ceremonies import Passkey, to_sign_in
from api.http.deps import PublicDep, SelfDep
from crm.contacts.schemas import Input, label_out
from crm.kit.pii import Pii

router = APIRouter(tags=["sessions"])

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{6}$")]


class ProofBody(Input):
    """Password, and the one-time code of whoever has a second factor; or a passkey, which is both."""

    password: Secret | None = None
    totp: Code | None = None
    passkey: Passkey | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.password is None) == (self.passkey is None):
            raise ValueError("give a password or a passkey")
        return self


class SignInBody(ProofBody):
    """The same, with the name a password belongs to."""

    name: Name | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.password is None) != (self.name is None):
            raise ValueError("a name and a password belong together")
        return self


class InvitationBody(Input):
    """The one-time code an admin handed over, and the password its bearer chooses."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    password: Secret


class PasswordBody(Input):
    """A change of one's own password."""

    old: Secret
    new: Secret


class TotpBody(Input):
    """The first code of a new second factor."""

    code: Code


@router.post("/v1/sessions", status_code=status.HTTP_201_CREATED)
async def sign_in(body: SignInBody, app: PublicDep) -> dict[str, Any]:
    """Sign in, with name and password and the code of whoever has one, or with a passkey alone."""
    if body.passkey:
        signed = await app.keeper.sign_in_by_passkey(body.passkey.answer())
    else:
        totp = Pii(body.totp) if body.totp else None
        signed = await app.keeper.sign_in(body.name or "", Pii(body.password or ""), totp)
    return {
        "token": signed.token.reveal(),
        "expires_at": signed.expires_at,
        "person": signed.person,
        "second_factor": signed.second_factor,
    }


@router.post("/v1/sessions/options", status_code=status.HTTP_201_CREATED)
async def begin_sign_in(app: PublicDep) -> dict[str, Any]:
    """Begin signing in with a passkey: what `parseRequestOptionsFromJSON` of a browser takes."""
    return await to_sign_in(app.keeper)


@router.post("/v1/sessions/current/proof", status_code=status.HTTP_204_NO_CONTENT)
async def prove(body: ProofBody, desk: SelfDep) -> None:
    """Prove once more who is there, for ten minutes on this session."""
    password, totp = (Pii(value) if value else None for value in (body.password, body.totp))
    await desk.keeper.prove(desk.token, password, totp, passkey=body.passkey.answer() if body.passkey else None)


@router.get("/v1/sessions")
async def list_sessions(desk: SelfDep) -> dict[str, Any]:
    """List one's own sessions."""
    return {"sessions": await desk.keeper.sessions(desk.token)}


@router.delete("/v1/sessions", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out_everywhere(desk: SelfDep) -> None:
    """End every session of one's own."""
    await desk.keeper.sign_out(desk.token, everywhere=True)


@router.delete("/v1/sessions/current", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(desk: SelfDep) -> None:
    """End this session."""
    await desk.keeper.sign_out(desk.token)


@router.post("/v1/invitations", status_code=status.HTTP_201_CREATED)
async def accept_invitation(body: InvitationBody, app: PublicDep) -> dict[str, Any]:
    """Spend an invitation and set the password."""
    return await app.keeper.accept(Pii(body.code), Pii(body.password))


@router.get("/v1/me")
async def me(desk: SelfDep) -> dict[str, Any]:
    """Say who this is, with which roles and factors, and what is left of the budgets."""
    return await desk.keeper.me(desk.token)


@router.get("/v1/me/recent")
async def recent(desk: SelfDep) -> dict[str, Any]:
    """Label the people one opened in the last 14 days, at most 20."""
    return {"people": [label_out(label) for label in (await desk.keeper.recent(desk.token)).matches]}


@router.get("/v1/me/log")
async def my_log(
    desk: SelfDep, after: Annotated[int | None, Query(ge=0)] = None, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> dict[str, Any]:
    """List one's own entries in the log, newest first."""
    return await desk.keeper.my_log(desk.token, after, limit)


@router.post("/v1/me/password", status_code=status.HTTP_204_NO_CONTENT)
async def change_password(body: PasswordBody, desk: SelfDep) -> None:
    """Change one's own password; every other session ends."""
    await desk.keeper.change_password(desk.token, Pii(body.old), Pii(body.new))


@router.post("/v1/me/totp", status_code=status.HTTP_201_CREATED)
async def enrol_totp(desk: SelfDep) -> dict[str, Any]:
    """Begin to enrol a second factor."""
    enrolment = await desk.keeper.enrol_totp(desk.token)
    return {"secret": enrolment["secret"].reveal(), "uri": enrolment["uri"].reveal()}


@router.put("/v1/me/totp", status_code=status.HTTP_204_NO_CONTENT)
async def confirm_totp(body: TotpBody, desk: SelfDep) -> None:
    """Finish enrolling with a first code."""
    await desk.keeper.confirm_totp(desk.token, Pii(body.code))


@router.post("/v1/me/lift", status_code=status.HTTP_201_CREATED)
async def ask_lift(desk: SelfDep) -> dict[str, Any]:
    """Ask for one's budgets to be lifted for an hour; an auditor or privacy officer decides."""
    return await desk.keeper.ask_lift(desk.token)
