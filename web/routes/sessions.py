"""Signing in and out, and how the pages look."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.http.deps import PublicDep
from api.http.headers import LANGUAGE, REASON, SESSION, THEME, ZONE
from crm.errors import CrmError, Unauthenticated
from crm.kit.pii import Pii
from web.forms import FormDep, text
from web.frame import REASONS, THEMES, ZONES, frame_of
from web.language import LANGUAGES
from web.render import View, render
from web.seat import AnySeat, drop, keep, ours_alone

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
YEAR_S = 365 * 24 * 3600
# What a reader may choose, and the words each cookie can hold.
LOOKS = {
    "theme": (THEME, THEMES), "language": (LANGUAGE, LANGUAGES), "reason": (REASON, REASONS), "zone": (ZONE, ZONES),
}  # fmt: skip

Next = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(View):
    """Name and password; then, of whoever has a second factor, its code."""

    template: ClassVar[str] = "sign_in.html"
    next: str
    problem: str = ""


@router.get("/sign-in")
async def sign_in_page(request: Request, app: PublicDep, next: Next = "/") -> Response:  # noqa: A002, ARG001
    """Ask who is there."""
    return render(SignIn(next=_path(next)), frame_of(request, None))


@router.post("/sign-in")
async def sign_in(request: Request, app: PublicDep, form: FormDep) -> Response:
    """Prove who is there; the session's token goes into a cookie no script reads."""
    ours_alone(request)
    code, back = text(form, "totp"), _path(text(form, "next"))
    try:
        name, password = text(form, "name"), Pii(str(form.get("password", "")))
        signed = await app.keeper.sign_in(name, password, Pii(code) if code else None)
    except CrmError as error:
        if not isinstance(error, Unauthenticated) and error.code != "second-factor-required":
            raise
        view = SignIn(next=back, problem=error.code)
        return render(view, frame_of(request, None), 401)
    response = RedirectResponse(back, 303)
    keep(response, SESSION, signed.token.reveal())
    return response


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
