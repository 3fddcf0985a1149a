"""What an import left behind, by opening everybody it stored."""

import asyncio
from typing import Any

from crm.contacts import sources
from crm.contacts.intake import Intake
from tests.product import Product

Job = dict[str, Any]
People = list[dict[str, Any]]


async def give(product: Product, data: bytes, **fields: str) -> Job:
    """Import a file as staff and wait for its end."""
    answer = await product.staff.post("/v1/imports", files={"file": ("contacts", data)}, data=fields)
    assert answer.status_code == 202, answer.text
    return await ended(product, answer.json()["id"])


async def ended(product: Product, job: str) -> Job:
    while True:
        state: Job = (await product.staff.get(f"/v1/imports/{job}")).json()
        if state["state"] != "running":
            return state
        await asyncio.sleep(0.01)


async def rehearse(product: Product, data: bytes) -> Job:
    """Give a file to be told what its import would do."""
    answer = await product.staff.post("/v1/imports?dry_run=true", files={"file": ("contacts", data)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def counts(job: Job) -> tuple[int, ...]:
    return tuple(job[name] for name in ("total", "stored", "known", "repeated", "rejected"))


def ids(product: Product, data: bytes) -> list[str]:
    """The ids of the people of a file, in its order: they are made of what is said of them."""
    intake, entries = Intake(product.app.state.held.import_key, None), sources.find(data).entries()
    found: list[str] = []
    while batch := intake.take(entries):
        found += [person.id for person in batch]
    return found


async def opened(product: Product, data: bytes) -> People:
    """Open everybody of a file through REST, in its order: every field that is there."""
    return [_person(await product.opened(one)) for one in ids(product, data)]


async def imported(product: Product, data: bytes) -> People:
    """Import a file of which nobody is rejected, and open everybody."""
    job = await give(product, data)
    assert (job["state"], job["rejects"]) == ("done", [])
    return await opened(product, data)


def _person(page: dict[str, Any]) -> dict[str, Any]:
    plain = {name: page[name] for name in ("language", "country", "time_zone", "stage") if page[name]}
    assert not page["tags"]
    profile = {"profile": page["profile"]} if page["profile"] else {}
    return {**page["identity"], **page["channels"], **plain, **profile}
