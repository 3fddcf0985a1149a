"""Each control is broken for real, and its check says so; put right again, it says that too."""

import json
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from api.http.deps import HouseDep, PublicDep, ServeDep
from crm.db import Database
from crm.host.accounts import OWN_ACCOUNTS
from crm.host.home import Home
from crm.kit.note import Signer
from crm.promises import commands
from crm.promises.budgets import judge_budgets
from crm.promises.classes import CLASSES, Class
from crm.promises.database import judge_statement_log
from crm.promises.inside import Inside, judge_core, judge_egress
from tests.contract.scene import running as running_keeper
from tests.keeper.home import ROOT, KeeperHome
from tests.product import Product
from tests.promises.conftest import Running, found

KEPT, BROKEN = "kept", "broken"


class Table(Response):
    """A file for a spreadsheet."""

    media_type = "text/csv"


def everybody() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/everybody")
    async def list_everybody() -> None: ...

    return router


def unclassified() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/everybody")
    async def list_everybody(_: ServeDep) -> None: ...

    return router


def wider() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/me/recent")
    async def recent(_: ServeDep, limit: int = 20) -> int:
        return limit

    return router


def a_file() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/colleagues", response_class=Table)
    async def colleagues(_: HouseDep) -> None: ...

    return router


def told_a_file() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/colleagues", responses={200: {"content": {"text/vcard": {}}}})
    async def colleagues(_: HouseDep) -> None: ...

    return router


def open_to_all() -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    async def health(_: PublicDep, q: str = "") -> str:
        return q

    return router


@pytest.mark.parametrize(
    ("router", "check", "evidence"),
    [
        (everybody, "declared", "GET /v1/everybody declares neither purpose nor role"),
        (unclassified, "width", "GET /v1/everybody has no class"),
        (wider, "width", "GET /v1/me/recent takes limit, which its class does not know"),
        (a_file, "width", "GET /v1/colleagues answers with text/csv"),
        (told_a_file, "width", "GET /v1/colleagues answers with text/vcard"),
        (open_to_all, "width", "GET /health takes q, which its class does not know"),
    ],
)
async def test_a_route_that_should_not_be(pinned: Product, router: object, check: str, evidence: str) -> None:
    assert (await found(pinned, check))[0] == KEPT

    pinned.app.include_router(router())  # type: ignore[operator]

    assert await found(pinned, check) == (BROKEN, evidence)


@pytest.mark.parametrize(
    "media", ["text/csv", "text/vcard", "application/x-ndjson", "application/zip", "application/pdf"]
)
async def test_an_answer_of_a_kind_that_never_leaves(
    pinned: Product, media: str, caplog: pytest.LogCaptureFixture
) -> None:
    router = APIRouter()

    @router.get("/v1/file")
    async def file(_: HouseDep) -> Response:
        return StreamingResponse(iter([b"Ada,Lovelace\n"]), media_type=media)

    pinned.app.include_router(router)
    assert (await found(pinned, "answers"))[0] == KEPT

    answer = await pinned.staff.get("/v1/file")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "ForeignMediaError" in caplog.text
    assert "Ada" not in answer.text
    assert (await found(pinned, "answers"))[0] == BROKEN


async def test_a_cookie_nobody_declared(pinned: Product) -> None:
    router = APIRouter()

    @router.get("/v1/cookie")
    async def cookie(_: HouseDep, response: Response) -> str:
        response.set_cookie("who", "somebody")
        return "x"

    pinned.app.include_router(router)
    assert (await found(pinned, "cookies"))[0] == KEPT

    answer = await pinned.staff.get("/v1/cookie")

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert await found(pinned, "cookies") == (BROKEN, "1 cookies nobody declared were about to be sent, and were not")


@pytest.mark.parametrize(
    ("breaks", "mends", "evidence"),
    [
        (
            "grant select on alembic_version to kept_web_read", "revoke select on alembic_version from kept_web_read",
            "kept_web_read may select alembic_version",
        ),
        (
            "grant update on contact to kept_web_read", "revoke update on contact from kept_web_read",
            "kept_web_read may update contact",
        ),
        (
            "grant select (id) on contact to kept_inbound", "revoke select (id) on contact from kept_inbound",
            "kept_inbound may select contact.id",
        ),
        ("grant select on contact to public", "revoke select on contact from public", "public may select contact"),
        (
            "grant truncate on contact to kept_web", "revoke truncate on contact from kept_web",
            "kept_web may truncate contact",
        ),
        (
            "revoke select on upkeep from kept_web_read", "grant select on upkeep to kept_web_read",
            "kept_web_read may not select upkeep, as the migrations say",
        ),
        (
            "grant select on contact to kept_web with grant option",
            "revoke grant option for select on contact from kept_web", "kept_web may hand on select of contact",
        ),
        ("alter role kept_web createrole", "alter role kept_web nocreaterole", "kept_web has an attribute"),
        ("grant kept_owner to kept_web", "revoke kept_owner from kept_web", "kept_web is a member of kept_owner"),
        (
            "grant pg_read_all_data to kept_web_read", "revoke pg_read_all_data from kept_web_read",
            "kept_web_read is a member of pg_read_all_data",
        ),
        (
            "alter role kept_web_read reset default_transaction_read_only",
            "alter role kept_web_read set default_transaction_read_only = on",
            "kept_web_read can begin a transaction that writes",
        ),
        (
            "grant create on schema public to public", "revoke create on schema public from public",
            "public may create in the schema",
        ),
        ("create table stray (id int)", "drop table stray", "kept_super owns stray"),
        ("create role kept_more", "drop role kept_more", ""),
        ("grant select on contact to pg_monitor", "revoke select on contact from pg_monitor", "pg_monitor may select"),
    ],
)  # fmt: skip
async def test_a_right_too_many_or_too_few(pinned: Product, breaks: str, mends: str, evidence: str) -> None:
    assert (await found(pinned, "grants"))[0] == KEPT
    admin = await asyncpg.connect(pinned.server.admin_dsn, database="kept")
    try:
        await admin.execute(breaks)
        verdict, said = await found(pinned, "grants")
    finally:
        await admin.execute(mends)
        await admin.close()

    # A role of another name that may do nothing is nobody's right.
    assert verdict == (BROKEN if evidence else KEPT)
    assert evidence in said
    assert (await found(pinned, "grants"))[0] == KEPT


@pytest.mark.parametrize("column", ["seen_from inet", "visitor_ip text", "user_agent text", "network cidr"])
async def test_a_column_for_where_somebody_came_from(pinned: Product, column: str) -> None:
    assert (await found(pinned, "columns"))[0] == KEPT
    admin = await asyncpg.connect(pinned.server.admin_dsn, database="kept")
    try:
        await admin.execute(f"alter table upkeep add column {column}")
        verdict, said = await found(pinned, "columns")
    finally:
        await admin.execute(f"alter table upkeep drop column {column.split(maxsplit=1)[0]}")
        await admin.close()

    assert (verdict, said) == (BROKEN, f"upkeep.{column.split(maxsplit=1)[0]} could hold a visitor's address")
    assert (await found(pinned, "columns"))[0] == KEPT


@pytest.mark.parametrize(
    ("settings", "verdict", "evidence"),
    [
        ({"log_statement": "'all'", "log_parameter_max_length": "-1"}, BROKEN, "statements are logged with"),
        ({"log_min_duration_statement": "0", "log_parameter_max_length": "8"}, BROKEN, "statements are logged with"),
        ({"log_parameter_max_length_on_error": "-1"}, BROKEN, "statements that fail are logged with their values"),
        ({"log_statement": "'ddl'", "log_parameter_max_length": "0"}, KEPT, "logged without their values"),
    ],
)
async def test_a_database_that_logs_values(
    pinned: Product, settings: dict[str, str], verdict: str, evidence: str
) -> None:
    assert await found(pinned, "statements") == (KEPT, "no statement is logged")
    admin = await asyncpg.connect(pinned.server.admin_dsn, database="kept")
    try:
        for name, value in settings.items():
            await admin.execute(f"alter role kept_web_read set {name} = {value}")
        async with Database(pinned.server.dsn("kept_web"), pinned.server.dsn("kept_web_read")) as database:
            finding = await judge_statement_log(database.reads)
    finally:
        await admin.execute("alter role kept_web_read reset all")
        await admin.execute("alter role kept_web_read set default_transaction_read_only = on")
        await admin.close()

    assert finding.verdict == verdict
    assert evidence in finding.evidence


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    """A keeper whose file may be written to underneath, with the budgets of the contract."""
    with running_keeper(tmp_path_factory.mktemp("promises"), people=150, labels=600, intake=300) as home:
        yield home


def flip(home: KeeperHome, index: int) -> None:
    """Change one bit of the hash of an entry, in the file of the running keeper."""
    with closing(sqlite3.connect(home.file)) as db:
        (kept,) = db.execute("SELECT hash FROM entry WHERE idx = ?", (index,)).fetchone()
        db.execute("UPDATE entry SET hash = ? WHERE idx = ?", (bytes([kept[0] ^ 1]) + kept[1:], index))
        db.commit()


async def test_a_byte_of_a_tile(running: Running, own: KeeperHome) -> None:
    async with running(own) as product:
        first, (second, said) = await found(product, "log"), await found(product, "log")
        assert (first[0], second) == (KEPT, KEPT)
        assert "goes on from the" in said
        for index in (0, len(own.entries()) - 1):
            flip(own, index)
            broken = await found(product, "log")
            flip(own, index)
            assert broken == (BROKEN, "the tiles lead to another root than the one that was signed"), index
        assert (await found(product, "log"))[0] == KEPT


async def test_a_log_of_another_key(running: Running, own: KeeperHome) -> None:
    origin = own.vkey.partition("+")[0]
    async with running(own, log_key=Signer(origin, Ed25519PrivateKey.generate()).vkey) as product:
        verdict, said = await found(product, "log")

    assert verdict == BROKEN
    assert "the checkpoint does not hold" in said


@pytest.mark.parametrize("vkey", [None, "no key"])
async def test_a_log_whose_key_nobody_pinned(running: Running, vkey: str | None) -> None:
    async with running(log_key=vkey) as product:
        assert await found(product, "log") == ("cannot tell", "no key was pinned")


async def test_a_budget_without_an_end(running: Running, own: KeeperHome, shared_keeper: KeeperHome) -> None:
    async with running(own) as bounded, running(shared_keeper) as unbounded:
        assert await found(bounded, "budgets") == (KEPT, "150 people, 600 labels, 300 intake a day")
        verdict, said = await found(unbounded, "budgets")

    assert verdict == BROKEN
    assert "10,000,000 people a day, where the contract allows 150" in said


async def test_a_process_with_a_way_out_and_open_memory(pinned: Product) -> None:
    """The tests' own process is neither shut in nor closed; what a shut-in one says is tried with the command."""
    assert await found(pinned, "egress") == (BROKEN, "the way out is open")
    verdict, said = await found(pinned, "core")
    assert (verdict, "others of its account may read its memory" in said) == (BROKEN, True)


async def test_accounts_that_are_said_and_are_not(running: Running) -> None:
    async with running() as honest, running(isolation=OWN_ACCOUNTS) as boasting:
        assert (await found(honest, "isolation"))[0] == KEPT
        verdict, said = await found(boasting, "isolation")

    assert (verdict, said) == (BROKEN, f"said: {OWN_ACCOUNTS}; yet this is the keeper's account")


async def test_a_keeper_whose_account_cannot_be_seen(running: Running, tmp_path: Path) -> None:
    async with running(keeper_socket=tmp_path / "none.sock") as product:
        assert (await found(product, "isolation"))[0] == "cannot tell"
        assert await found(product, "log") == ("cannot tell", "The keeper does not answer. Nothing was opened.")
        assert (await found(product, "budgets"))[0] == "cannot tell"


async def test_an_access_log_that_writes_addresses(pinned: Product, caplog: pytest.LogCaptureFixture) -> None:
    assert (await found(pinned, "access log"))[0] == KEPT

    with caplog.at_level(logging.INFO, logger="uvicorn.access"):
        assert await found(pinned, "access log") == (BROKEN, "the access log writes the visitor's address")

    assert (await found(pinned, "access log"))[0] == KEPT


async def test_a_database_that_does_not_answer(pinned: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(pinned.app.state.held.reads, "rows", down)

    assert await found(pinned, "grants") == ("cannot tell", "the database does not answer")
    assert await found(pinned, "columns") == ("cannot tell", "the database does not answer")


@pytest.mark.parametrize(
    ("route", "row", "evidence"),
    [
        (("GET", "/v1/me/recent"), Class(labels=21), "may answer with more people than the contract allows"),
        (("GET", "/v1/contacts/{contact}"), Class(people=3), "may answer with more people than the contract allows"),
        (("GET", "/health"), Class(labels=1), "GET /health shows people to everybody"),
        (("GET", "/health"), Class(media="text/csv"), "GET /health answers with application/json"),
    ],
)
async def test_a_class_that_is_wider_than_the_contract(
    pinned: Product, route: tuple[str, str], row: Class, evidence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast("dict[tuple[str, str], Class]", CLASSES), route, row)

    verdict, said = await found(pinned, "width")

    assert verdict == BROKEN
    assert evidence in said


def test_a_process_says_what_it_sees_of_itself(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "crm.promises.inside", "--socket", str(tmp_path)]

    seen = json.loads(subprocess.run(line, capture_output=True, check=True, cwd=ROOT).stdout)

    assert seen["egress"] == "open"
    assert seen["is_account_shared"] is True
    assert judge_core(Inside(**{**seen, "core_bytes": 1, "is_dumpable": None})).verdict == BROKEN
    assert judge_core(Inside(**{**seen, "core_bytes": 0, "is_dumpable": False})).verdict == KEPT
    assert judge_egress(Inside(**{**seen, "egress": "tcp closed"})).verdict == BROKEN
    assert judge_egress(Inside(**{**seen, "egress": "closed"})).verdict == KEPT


async def test_a_home_whose_web_process_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "command", lambda *_: [sys.executable, "-c", "raise SystemExit(71)"])

    with pytest.raises(commands.CannotLookError, match="no process can be started"):
        await commands._inside(Home(tmp_path, tmp_path))


def test_a_home_without_a_keepers_file_does_not_tell_its_budgets(tmp_path: Path) -> None:
    assert commands._limits(tmp_path / "none.db") is None
    assert judge_budgets(None).verdict == "cannot tell"
