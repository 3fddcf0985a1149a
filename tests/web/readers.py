"""Readers without a browser: each has cookies of their own, and signs in as people do."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from crm.kit.pii import Pii
from tests.api.test_sessions import PASSWORD
from tests.web.pages import OURS

SESSION = "__Host-kept"
SECRET = re.compile(r'class="secret">([^<]+)<')


@asynccontextmanager
async def a_browser(app: FastAPI, token: str = "") -> AsyncIterator[AsyncClient]:
    """Open a browser without a session, or with somebody's."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    # A cookie for one host alone is a secure one.
    async with AsyncClient(transport=transport, base_url="https://kept.test", headers=OURS) as client:
        if token:
            client.cookies.set(SESSION, token)
            await app.state.held.keeper.prove(token, Pii(PASSWORD))
        yield client


async def sign_in(client: AsyncClient, name: str, **more: str) -> Response:
    """Send the form of the door."""
    form = {"name": name, "password": PASSWORD, "next": "/me", **more}
    return await client.post("/sign-in", data=form, headers=OURS)


def secret_of(answer: Response) -> str:
    """Read what a page shows once."""
    (secret,) = SECRET.findall(answer.text)
    return str(secret).replace(" ", "")
