"""Problems as pages: what happened, what was kept, and what to do now."""

from dataclasses import dataclass
from typing import ClassVar

import orjson
from fastapi.responses import RedirectResponse, Response
from starlette.requests import HTTPConnection
from starlette.types import Scope

from crm.contacts.vocabulary import Kind
from crm.kit.ids import is_id
from web.forms import FORM, PROOF, WRONG
from web.frame import FRAME, Frame, frame_of
from web.render import View, render

REST = ("/v1/", "/log/checkpoint", "/log/tile/", "/health", "/openapi.json")
_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(View):
    """A refusal or a fault, by its stable code; a fragment tells the same in a line."""

    template: ClassVar[str] = "problem.html"
    code: str
    status: int
    title: str
    reasons: tuple[str, ...] = ()
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemLine(Problem):
    """The same within a page that stays."""

    template: ClassVar[str] = "parts/problem_line.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prove(View):
    """Who they are, once more; the form comes along and is taken with the proof."""

    template: ClassVar[str] = "me/prove.html"
    path: str
    fields: tuple[tuple[str, str], ...]
    factors: frozenset[str]
    problem: str


def shown(scope: Scope, response: Response) -> Response:
    """Make a page of a problem that a page met; REST gets it as it is."""
    path: str = scope["path"]
    if path.startswith(REST):
        return response
    request = HTTPConnection(scope)
    said = orjson.loads(bytes(response.body) or b"{}")
    frame = frame_of(request, None)
    if response.status_code == 401 and scope["method"] == "GET":  # noqa: PLR2004
        # What somebody typed where an id belongs would stand in a second address.
        back = path if all(map(_is_ours, scope.get("path_params", {}).values())) else "/"
        # Whoever has to enrol a second factor is signed in, and may do nothing else.
        has_to_enrol = said.get("code") == "second-factor-required"
        where = "/me/factor" if has_to_enrol else f"/sign-in?next={back}"
        if frame.is_fragment:
            return Response(status_code=204, headers={"HX-Redirect": where})
        return RedirectResponse(where, 303)
    if said.get("code") == "proof-required" and FRAME in scope:
        return _proof(scope)
    kind = ProblemLine if frame.is_fragment else Problem
    view = kind(
        code=said.get("code", "internal"), status=response.status_code, title=said.get("title", ""),
        reasons=tuple(f"{one['pointer'].rpartition('/')[2]}: {one['reason']}" for one in said.get("errors", ())),
        retry_after_s=said.get("retry_after_s"),
    )  # fmt: skip
    headers = {name: value for name in ("retry-after", "allow") if (value := response.headers.get(name))}
    return render(view, frame, response.status_code, headers)


def _is_ours(step: str) -> bool:
    return is_id(step) or step in _KINDS


def _proof(scope: Scope) -> Response:
    frame: Frame = scope[FRAME]
    sent = scope.get(FORM, {})
    given = tuple((name, value) for name, value in getattr(sent, "multi_items", tuple)() if name not in PROOF)
    factors = frame.person.factors if frame.person else frozenset[str]()
    view = Prove(path=frame.path, fields=given, factors=factors, problem=scope.get(WRONG, ""))
    return render(view, frame, 403, {"HX-Retarget": "#main", "HX-Reselect": "#main"} if frame.is_fragment else {})
