"""What the tests of interactions ask for, each as staff unless somebody else is named."""

from typing import Any

from httpx import AsyncClient

from tests.product import Product

CALL = {"kind": "call", "direction": "in", "occurred_at": "2026-11-23T10:00:00Z"}
DUE = "2026-11-25T09:00:00.000Z"
TXT = ("Zoë's notes.txt", b"what Zo\xc3\xab said\n", "text/plain; charset=utf-8")


def made(answer: Any, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def at(contact: str, interaction: str = "", what: str = "") -> str:
    """Print the address of a contact's interaction, or of something of it."""
    return "/".join(filter(None, ("/v1/contacts", contact, "interactions", interaction, what)))


async def log(product: Product, contact: str, **fields: Any) -> dict[str, Any]:
    return made(await product.staff.post(at(contact), json={**CALL, **fields}))


async def renew(product: Product, contact: str, interaction: str, version: int, **fields: Any) -> dict[str, Any]:
    """Write the version behind one."""
    body = {**CALL, "version": version, **fields}
    return made(await product.staff.post(at(contact, interaction, "versions"), json=body))


async def versions(product: Product, contact: str, interaction: str) -> list[dict[str, Any]]:
    answer = await product.staff.get(at(contact, interaction, "versions"))
    return list(made(answer, 200)["versions"])


async def move(product: Product, contact: str, interaction: str, to: str) -> dict[str, Any]:
    return made(await product.staff.post(at(contact, interaction, "move"), json={"to": to}), 200)


async def attach(product: Product, contact: str, interaction: str, file: Any = TXT, **fields: str) -> dict[str, Any]:
    answer = await product.staff.post(at(contact, interaction, "attachments"), files={"file": file}, data=fields)
    return made(answer)


async def follow(product: Product, contact: str, **fields: Any) -> dict[str, Any]:
    body = {"contact": contact, "due": DUE, "title": "Ring back", **fields}
    return made(await product.staff.post("/v1/follow-ups", json=body))


async def agenda(client: AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """List all one's follow-ups, through every page."""
    found: list[dict[str, Any]] = []
    while True:
        page = made(await client.get("/v1/follow-ups", params=params), 200)
        found += page["follow_ups"]
        if page["next"] is None:
            return found
        params["after"] = page["next"]


async def entries(product: Product, subject: str, act: str) -> list[dict[str, Any]]:
    """Read the entries of an act about somebody, as an auditor."""
    answer = await product.auditor.get("/v1/log/entries", params={"subject": subject, "act": act})
    return list(answer.json()["entries"])


async def summaries(product: Product, contact: str) -> list[str]:
    return [one["summary"] for one in (await product.opened(contact))["interactions"]]
