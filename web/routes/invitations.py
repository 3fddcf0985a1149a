"""Spending an invitation: two halves of a code, each from another person, and a password nobody else knows."""

from dataclasses import dataclass, field
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.http.deps import PublicDep
from api.http.problem import status_of
from crm.errors import Invalid, Unauthenticated
from crm.kit.pii import Pii
from web.forms import FormDep, text
from web.frame import frame_of
from web.render import View, render
from web.seat import ours_alone

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(View):
    """The form; the halves come back with what is wrong about the password, and nothing else ever does."""

    template: ClassVar[str] = "me/invitation.html"
    first: str = ""
    second: str = ""
    problems: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(View):
    """What whoever works here for the first time is told, once."""

    template: ClassVar[str] = "me/welcome.html"
    name: str


@router.get("/invitation")
async def invitation_page(request: Request, app: PublicDep) -> Response:  # noqa: ARG001 - public
    """Ask for the code; it is typed or pasted and never stands in a link."""
    return render(Invitation(), frame_of(request, None))


@router.post("/invitation")
async def accept(request: Request, app: PublicDep, form: FormDep) -> Response:
    """Spend the code and set the password."""
    ours_alone(request)
    frame, first, second = frame_of(request, None), text(form, "first"), text(form, "second")
    password = str(form.get("password", ""))
    if password != form.get("again"):
        return render(Invitation(first=first, second=second, problems=frozenset({"again"})), frame, 422)
    try:
        person = await app.keeper.accept(Pii(f"{first}.{second}" if second else first), Pii(password))
    except Unauthenticated as error:
        return render(Invitation(problems=frozenset({"code"})), frame, status_of(error.code))
    except Invalid as error:
        view = Invitation(first=first, second=second, problems=frozenset({"password"}))
        return render(view, frame, status_of(error.code))
    return render(Welcome(name=person["name"]), frame)
