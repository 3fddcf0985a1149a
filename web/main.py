"""The web process's application: REST and pages."""

from fastapi import FastAPI

from api import main as rest
from crm.config import Settings
from crm.kit.clock import Clock
from web import errors
from web.routes import (
    alerts,
    canaries,
    companies,
    contacts,
    counts,
    decisions,
    imports,
    interactions,
    invitations,
    log,
    me,
    merging,
    people,
    records,
    reports,
    sessions,
    standing,
    static,
    status,
    today,
    vocabulary,
)

# Where a step of a path may be a word or an id, the words come first.
PAGES = (
    records, counts, contacts, interactions, standing, merging, companies, imports, today, log, reports, alerts,
    canaries, decisions, sessions, invitations, me, people, vocabulary, status, static,
)  # fmt: skip

# What a file's form may weigh; every other one is short.
LIMITS = {interactions.FILES: interactions.LIMIT, imports.PATH: imports.LIMIT}


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """Build the application; errors as `api.main.create_app`."""
    pages = [module.router for module in PAGES]
    return rest.create_app(settings, clock, pages=pages, shown=errors.shown, limits=LIMITS)
