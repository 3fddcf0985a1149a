"""Every page is looked at by axe, in both themes, wide and narrow: it finds nothing, and nothing runs over the edge."""

from importlib.resources import files

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.web.conftest import NARROW, WIDE, Browse, Site

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = {"resultTypes": ["violations"]}
# Each theme and each width in the gate; the other two pairs in the soak.
LOOKS = [
    pytest.param("light", WIDE, id="light wide"),
    pytest.param("dark", NARROW, id="dark narrow"),
    pytest.param("light", NARROW, id="light narrow", marks=pytest.mark.soak),
    pytest.param("dark", WIDE, id="dark wide", marks=pytest.mark.soak),
]
# Whose pages, and which; `{contact}` is somebody with an interaction.
PAGES = {
    None: ["/sign-in", "/invitation", "/nowhere"],
    "staff": [
        "/today",
        "/contacts",
        "/contacts/{contact}",
        "/contacts/new",
        "/contacts/{contact}/edit",
        "/contacts/{contact}/consents",
        "/contacts/{contact}/merge",
        "/contacts/{contact}/erase",
        "/contacts/counts",
        "/companies",
        "/companies/new",
        "/import",
        "/me",
        "/me/log",
        "/me/factor",
    ],
    "admin": ["/people", "/vocabulary", "/status"],
    "auditor": [
        "/people",
        "/log",
        "/log?subject={contact}",
        "/log?subject=zz",
        "/log/tree",
        "/log/entries/0",
        "/reports",
        "/reports/people/{contact}",
        "/reports/colleagues",
        "/reports/refusals",
        "/reports/week",
        "/alerts",
        "/alerts/canaries",
        "/decisions",
    ],
}


def faults(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("async (rules) => await axe.run(document, rules)", RULES)
    told = [
        f"{page.url}: {fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
    if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
        told.append(f"{page.url}: runs over the edge")
    return told


@pytest.fixture(scope="module")
def somebody(site: Site) -> str:
    # A term may be as long as this, and choosing one must not widen a page.
    with site.rest("admin") as client:
        for kind in ("stage", "product", "tag", "need"):
            client.post(f"/v1/vocabulary/{kind}", json={"term": "W" * 80})
    contact = site.contact(
        given_name="Wilhelmina", family_name="Featherstonehaugh", company="Example & Daughters", job_title="Owner",
        emails=["wilhelmina@example.com"], phones=["+49 30 901820"],
    )  # fmt: skip
    with site.rest("staff") as client:
        body = {"kind": "call", "direction": "in", "occurred_at": "2026-01-02T03:04:05Z", "summary": "Asked for a bell"}
        assert client.post(f"/v1/contacts/{contact}/interactions", json=body).status_code == 201
    return contact


@pytest.mark.parametrize(("theme", "size"), LOOKS)
@pytest.mark.parametrize("role", PAGES)
def test_axe_finds_nothing(browse: Browse, somebody: str, role: str | None, theme: str, size: ViewportSize) -> None:
    page = browse(role, theme=theme, size=size, answers=(404, 422))
    found: list[str] = []
    for path in PAGES[role]:
        page.goto(path.format(contact=somebody))
        found += faults(page)

    assert found == []
