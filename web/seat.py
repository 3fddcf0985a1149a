"""Where a page's reader sits: the session's cookie instead of a header, and a guard against other sites.

A page's cookie goes with every request a browser makes, also with those another site causes. So what changes
anything is taken from our own pages alone: `Sec-Fetch-Site` says where it came from, `Origin` where that is
missing; neither can be set by a script. REST never takes the cookie.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.http.ceremonies import Passkey
from api.http.deps import LONGEST_TOKEN, Has, StaffDesk, State, state
from api.http.headers import SESSION
from crm.contacts import companies
from crm.contacts.caller import Caller
from crm.contacts.schemas import label_out
from crm.contacts.vocabulary import RETIRED, Kind
from crm.errors import Invalid, NotFound, ProofRequired, PurposeNotYours, SecondFactorRequired, Unauthenticated
from crm.kit.pii import Pii
from web.forms import CODE, PASSKEY, PASSWORD, WRONG, fields, text
from web.frame import FRAME, Frame, Person, frame_of
from web.render import View, render

SAFE = frozenset({"GET", "HEAD"})


class Seat(StaffDesk):
    """A desk with a page in front of it."""

    __slots__ = ("frame",)

    def __init__(self, app: State, caller: Caller, frame: Frame) -> None:
        super().__init__(app, caller)
        self.frame = frame

    @property
    def purpose(self) -> str:
        """Say what this person opens somebody for."""
        return "serve" if "staff" in self.caller.roles else "subject_request"

    async def names(self) -> dict[str, str]:
        """Name everybody who works here, by id."""
        return {one["id"]: one["name"] for one in await self.keeper.colleagues(self.token)}

    async def terms(self) -> dict[str, list[str]]:
        """List what each vocabulary gives out, in the order of the alphabet."""
        terms, _ = await self.vocabulary.read(self.token)
        retired = terms.get(RETIRED, {})
        return {
            kind.value: sorted(text for id_, text in terms.get(kind, {}).items() if id_ not in retired) for kind in Kind
        }

    async def label(self, contact: str) -> Mapping[str, Any] | None:
        """Label somebody, so that a page about them says whom it is about; None to whom labels are not for.

        Raises:
            NotFound: nobody of this id.
        """
        if "staff" not in self.caller.roles:
            return None
        labels = await self.keeper.labels(self.token, [contact])
        if not labels.matches:
            raise NotFound
        return label_out(labels.matches[0])

    async def recent(self) -> list[dict[str, Any]]:
        """Label whom this person worked with, at most twenty, newest first, each with the path of its page."""
        labels = [label_out(label) for label in (await self.keeper.recent(self.token)).matches]
        nameless = await companies.among(self.reads, [one["id"] for one in labels if not one["name"]])
        return [
            {**one, "name": one["name"] or one["company"] or "?",
             "path": f"/{'companies' if one['id'] in nameless else 'contacts'}/{one['id']}"}
            for one in labels
        ]  # fmt: skip

    def show(self, view: View, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """Answer with a view."""
        return render(view, self.frame, status, headers)

    def go(self, path: str) -> Response:
        """Answer a form that was taken: on to another page; going back does not post it again."""
        if self.frame.is_fragment:
            return Response(status_code=204, headers={"HX-Redirect": path})
        return RedirectResponse(path, 303)


class Sits(Has):
    """The route is a page for one of these roles; for everybody signed in when none is named."""

    async def __call__(self, request: Request) -> Seat:
        """Ask the keeper who this is.

        Raises:
            Unauthenticated: no session.
            PurposeNotYours: another site's doing, or none of the roles.
        """
        ours_alone(request)
        app = state(request)
        caller, person = await self.caller(app, token_of(request))
        frame = frame_of(request, Person.of(person))
        request.scope[FRAME] = frame
        # A form with a file is read by whoever holds the file, and nothing such a form does asks for a proof.
        if request.method not in SAFE and not request.headers.get("content-type", "").startswith("multipart/"):
            await proven(request, app, caller.token)
        return Seat(app, caller, frame)


async def proven(request: Request, app: State, token: str) -> None:
    """Take the proof that came with a form, where one did.

    Raises:
        ProofRequired: it does not hold; the page asks once more.
    """
    form = await fields(request)
    password, code, passkey = str(form.get(PASSWORD, "")), text(form, CODE), text(form, PASSKEY)
    if not (password or passkey):
        return
    try:
        signed = Passkey.model_validate_json(passkey).answer() if passkey else None
        await app.keeper.prove(token, Pii(password) if password else None, Pii(code) if code else None, passkey=signed)
    except (Unauthenticated, SecondFactorRequired, Invalid, ValidationError) as error:
        request.scope[WRONG] = "code" if isinstance(error, SecondFactorRequired) else "wrong"
        raise ProofRequired from error


def token_of(request: Request) -> str:
    """Take the token from the session's cookie.

    Raises:
        Unauthenticated: there is none, or it cannot be one.
    """
    token = request.cookies.get(SESSION, "")
    if not token or len(token) > LONGEST_TOKEN or not token.isascii():
        raise Unauthenticated
    return token


def ours_alone(request: Request) -> None:
    """Refuse what another site caused.

    Raises:
        PurposeNotYours: this changes something and does not come from one of our pages.
    """
    if request.method in SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = site == "same-origin" if site else bool(origin) and urlsplit(origin).netloc == request.url.netloc
    if not is_ours:
        raise PurposeNotYours


def keep(response: Response, cookie: str, value: str, max_age_s: int | None = None) -> None:
    """Set a cookie of the registry, for this host alone and out of every script's reach."""
    response.set_cookie(cookie, value, max_age_s, path="/", secure=True, httponly=True, samesite="lax")


def drop(response: Response, cookie: str) -> None:
    """Take a cookie of the registry back."""
    response.delete_cookie(cookie, path="/", secure=True, httponly=True, samesite="lax")


StaffSeat = Annotated[Seat, Depends(Sits("staff"))]
CareSeat = Annotated[Seat, Depends(Sits("staff", "privacy"))]
AuditSeat = Annotated[Seat, Depends(Sits("auditor"))]
AdminSeat = Annotated[Seat, Depends(Sits("admin"))]
PeopleSeat = Annotated[Seat, Depends(Sits("admin", "auditor"))]
DecideSeat = Annotated[Seat, Depends(Sits("auditor", "privacy"))]
AnySeat = Annotated[Seat, Depends(Sits())]
