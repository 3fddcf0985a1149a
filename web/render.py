"""Views become HTML here: a frozen dataclass names its template, and the template reads nothing else.

`frame` is who looks and what stands around every page; `view` is the page's own. A name a template gets wrong
is an error, never an empty place (`StrictUndefined`).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from web import charts
from web.assets import ASSETS
from web.frame import Frame
from web.language import catalogue

TEMPLATES = Path(__file__).with_name("templates")
# No inline style or script at all, no third party, and only htmx may write HTML, into elements with the nonce.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx"
)
HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": (
        "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), geolocation=(), "
        "microphone=(), payment=(), usb=(), interest-cohort=(), browsing-topics=()"
    ),
    "vary": "Cookie",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one page or fragment shows."""

    template: ClassVar[str]


def render(view: View, frame: Frame, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """Print a view as the answer; its content policy carries a nonce of this answer alone."""
    nonce = secrets.token_urlsafe(16)
    template = environment(frame.tongue.language).get_template(view.template)
    html = template.render(view=view, frame=frame, t=frame.tongue, nonce=nonce)
    policy = {"content-security-policy": POLICY.format(nonce=nonce)}
    return HTMLResponse(html, status, {**HEADERS, **policy, **(headers or {})})


@cache
def environment(language: str) -> Environment:
    """Return the templates in one language."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    found.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    found.globals.update(icon=icon, asset=ASSETS.url, initials=initials, hue=hue, charts=charts)
    return found


def icon(name: str, label: str = "") -> Markup:
    """Draw an icon of the sprite; one without a label is not read aloud."""
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(said, ASSETS.url("icons.svg"), name)


def initials(name: str) -> str:
    """Return at most two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words if len(words) < 2 else [words[0], words[-1]])).upper()  # noqa: PLR2004


def hue(id_: str) -> int:
    """Return one of six colours that stays with an id."""
    return sum(id_.encode()) % 6
