"""Signing in and out, and how the pages look."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import ValidationError

from api.http.ceremonies import Passkey, to_sign_in
from api.http.deps import PublicDep, State
from api.http.headers import LANGUAGE, REASON, SESSION, THEME, ZONE
from api.http.problem import status_of
from crm.errors import CrmError, Invalid, SecondFactorRequired, Unauthenticated
from crm.kit.pii import Pii
from web.forms import FormDep, text
from web.frame import REASONS, THEMES, ZONES, frame_of
from web.language import LANGUAGES
from web.render import View, render
from web.seat import AnySeat, drop, keep, ours_alone

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
YEAR_S = 365 * 24 * 3600
MINUTE_S = 60
# What a reader may choose, and the words each cookie can hold.
LOOKS = {
    "theme": (THEME, THEMES), "language": (LANGUAGE, LANGUAGES), "reason": (REASON, REASONS), "zone": (ZONE, ZONES),
}  # fmt: skip

Next = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(View):
    """Name and password; then, of whoever has a second factor, its code. A password is never sent back."""

    template: ClassVar[str] = "sign_in.html"
    next: str
    is_optional: bool
    is_closed: bool
    name: str = ""
    has_code: bool = False
    problem: str = ""
    wait_minutes: int = 0


@router.get("/sign-in")
async def sign_in_page(request: Request, app: PublicDep, next: Next = "/") -> Response:  # noqa: A002
    """Ask who is there."""
    return render(await _asking(app, _path(next)), frame_of(request, None))


@router.post("/sign-in")
async def sign_in(request: Request, app: PublicDep, form: FormDep) -> Response:
    """Prove who is there; the session's token goes into a cookie no script reads."""
    ours_alone(request)
    name, code, back = text(form, "name"), text(form, "totp"), _path(text(form, "next"))
    try:
        password = Pii(str(form.get("password", "")))
        signed = await app.keeper.sign_in(name, password, Pii(code) if code else None)
    except CrmError as error:
        wait_s = error.detail.get("retry_after_s", 0)
        has_code = bool(code) or isinstance(error, SecondFactorRequired)
        view = await _asking(
            app, back, name=name, has_code=has_code, problem=error.code, wait_minutes=-(-wait_s // MINUTE_S)
        )
        headers = {"retry-after": str(wait_s)} if wait_s else {}
        return render(view, frame_of(request, None), status_of(error.code), headers)
    response = RedirectResponse("/me/factor" if signed.second_factor == "enrol" else back, 303)
    keep(response, SESSION, signed.token.reveal())
    return response


@router.post("/sign-in/options", response_class=JSONResponse)
async def sign_in_options(request: Request, app: PublicDep) -> Response:
    """Begin signing in with a passkey: the same for everybody."""
    ours_alone(request)
    return JSONResponse(await to_sign_in(app.keeper))


@router.post("/sign-in/passkey")
async def sign_in_by_passkey(request: Request, app: PublicDep, form: FormDep) -> Response:
    """Prove who is there by a passkey alone."""
    ours_alone(request)
    back = _path(text(form, "next"))
    try:
        signed = await app.keeper.sign_in_by_passkey(Passkey.model_validate_json(text(form, "passkey")).answer())
    except (CrmError, ValidationError) as error:
        problem = "passkey" if isinstance(error, ValidationError | Unauthenticated | Invalid) else error.code
        status = 401 if problem == "passkey" else status_of(problem)
        return render(await _asking(app, back, problem=problem), frame_of(request, None), status)
    response = RedirectResponse(back, 303)
    keep(response, SESSION, signed.token.reveal())
    return response


async def _asking(app: State, back: str, **typed: Any) -> SignIn:  # noqa: ANN401 - fields of the view
    try:
        keeper = await app.keeper.status()
    except CrmError:
        keeper = {"state": "unavailable", "second_factor": ""}
    return SignIn(
        next=back, is_optional=keeper["second_factor"] == "optional", is_closed=keeper["state"] != "open", **typed
    )


@router.post("/sign-out")
async def sign_out(seat: AnySeat, form: FormDep) -> Response:
    """End this session, or every one; nothing of it stays in the browser."""
    await seat.keeper.sign_out(seat.token, everywhere=text(form, "everywhere") == "yes")
    response = RedirectResponse("/sign-in", 303, {"clear-site-data": '"cache", "storage"'})
    drop(response, SESSION)
    return response


@router.post("/look")
async def look(request: Request, app: PublicDep, form: FormDep) -> Response:  # noqa: ARG001 - public
    """Keep how the reader wants to see it, and why they open whom they open: one word of a list each."""
    ours_alone(request)
    response = RedirectResponse(_path(text(form, "next")), 303)
    for name, (cookie, words) in LOOKS.items():
        if (chosen := text(form, name)) in words:
            keep(response, cookie, chosen, YEAR_S)
    return response


@router.get("/")
async def home(seat: AnySeat) -> Response:
    """Go to the first place that is this person's."""
    return RedirectResponse(seat.frame.places[0].path, 303)


def _path(asked: str) -> str:
    """Return a path of this site; anything else would let a link send people elsewhere."""
    is_ours = asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if is_ours else "/"
