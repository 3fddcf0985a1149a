"""A member of staff at their pages, without a browser."""

import re
from html import unescape
from typing import Any

from httpx import AsyncClient, Response

from tests.product import Product

FRAGMENT = {"hx-request": "true"}


class Reader:
    """Somebody signed in, who gets pages and sends forms."""

    def __init__(self, client: AsyncClient, token: str) -> None:
        self._client = client
        self._cookies = {"cookie": f"__Host-kept={token}", "sec-fetch-site": "same-origin"}

    async def get(self, path: str, *, fragment: bool = False) -> Response:
        return await self._client.get(path, headers=self._cookies | (FRAGMENT if fragment else {}))

    async def post(
        self, path: str, form: dict[str, Any] | None = None, *, fragment: bool = False, **more: Any
    ) -> Response:
        headers = self._cookies | (FRAGMENT if fragment else {})
        return await self._client.post(path, data=form, headers=headers, **more)


def reader(product: Product, name: str = "staff") -> Reader:
    return Reader(product.nobody, product.keeper.token(name))


def filled(answer: Response) -> dict[str, list[str]]:
    """Return what the form of a page holds before anybody types: hidden fields and inputs by name."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", answer.text):
        given = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if "name" in given and (given.get("type") not in {"checkbox", "radio"} or " checked" in tag):
            found.setdefault(given["name"], []).append(given.get("value", ""))
    return found


def went(answer: Response) -> str:
    """Return where a form that was taken leads."""
    assert answer.status_code == 303, (answer.status_code, answer.text)
    return answer.headers["location"]


def is_gone(answer: Response) -> bool:
    return answer.status_code == 404 and "Nothing here" in answer.text
