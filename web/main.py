"""The web process's application: REST and pages."""

from fastapi import FastAPI

from api import main as rest
from crm.config import Settings
from crm.kit.clock import Clock
from web import errors
from web.routes import (
    alerts,
    canaries,
    contacts,
    decisions,
    invitations,
    log,
    me,
    people,
    reports,
    sessions,
    static,
    status,
    today,
    vocabulary,
)

PAGES = (
    contacts, today, log, reports, alerts, canaries, decisions, sessions, invitations, me, people, vocabulary, status,
    static,
)  # fmt: skip


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """Build the application; errors as `api.main.create_app`."""
    return rest.create_app(settings, clock, pages=[module.router for module in PAGES], shown=errors.shown)
