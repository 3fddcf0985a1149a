"""Homes full of made-up people, filled through the socket as an import fills them, kept for the next run."""

import asyncio
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import msgpack

from bench import made_up
from bench.homes import FOLDER, REPOSITORY, Running, make, running
from crm.keeper.tables import TABLES
from crm.keeper_client import Keeper

BATCH = 100
AT_ONCE = 4


def home_of(people: int, *, lifted: bool = True) -> tuple[Path, float]:
    """Return a home with so many people, and at how many a second it was filled."""
    home = FOLDER / (f"home-{people}" if lifted else f"home-{people}-bound")
    told = home / "filled.json"
    known = json.loads(told.read_text()) if told.exists() else {}
    if known.get("format") != _format():
        make(home, lifted=lifted)
        with running(home) as keeper:
            token = keeper.token()
            began = time.perf_counter()
            keeper.ask(lambda client: _fill(client, token, people))
            rate = people / (time.perf_counter() - began)
        known = {"format": _format(), "people_per_s": rate}
        told.write_text(json.dumps(known))
    return home, known["people_per_s"]


def _format() -> str:
    """Return a digest of what decides how a home is written: another one has to be filled anew."""
    crm = REPOSITORY / "crm"
    files = (crm / "keeper" / "keys.py", crm / "kit" / "sealing.py", crm / "kit" / "journal.py", Path(made_up.__file__))
    parts = [TABLES.create, *(file.read_text() for file in files if file.exists())]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def copy_of(people: int, name: str, *, lifted: bool = True) -> Path:
    """Return a fresh copy of a filled home: what a bench does to it is gone with it."""
    home, _ = home_of(people, lifted=lifted)
    copy = FOLDER / name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("*.sock"))
    return copy


async def _fill(client: Keeper, token: str, people: int) -> None:
    population = made_up.Population()
    starts = iter(range(0, people, BATCH))

    async def importer() -> None:
        for start in starts:
            items: list[dict[str, Any]] = []
            for subject, identity, channels in population.people(start, min(BATCH, people - start)):
                items += [
                    {"subject": subject, "kind": "contact", "section": name, "fields": fields, "expected": 0}
                    for name, fields in (("identity", identity), ("channels", channels))
                ]
            await client.put(token, "intake", items, bulk=True)

    await asyncio.gather(*(importer() for _ in range(AT_ONCE)))


def seal_notes(keeper: Running, token: str, people: int, file: Path, notes: int = made_up.NOTES) -> None:
    """Seal everybody's notes into a file: by person, the ciphertexts in order."""

    async def seal(client: Keeper) -> dict[int, list[bytes]]:
        sealed: dict[int, list[bytes]] = {}
        for n in range(people):
            records = [made_up.record(n, number) for number in range(notes)]
            items = [
                {"subject": made_up.person(n), "record": record, "fields": made_up.note(n, number)}
                for number, record in enumerate(records)
            ]
            blobs = (await client.seal(token, "serve", items)).blobs
            sealed[n] = [blobs[record] for record in records]
        return sealed

    file.write_bytes(msgpack.packb(keeper.ask(seal)))
