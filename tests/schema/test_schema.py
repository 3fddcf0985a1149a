"""The migrations, and what each role may do."""

import asyncio

import asyncpg
import pytest
from alembic.config import Config

from alembic import command
from crm import db
from crm.kit.pii import Pii
from tests.product import Server

GRANTS = {
    ("contact", "kept_web"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("interaction", "kept_web"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("follow_up", "kept_web"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("draft", "kept_web"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("former_record", "kept_web"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("attachment", "kept_web"): {"SELECT", "INSERT", "DELETE"},
    ("import_job", "kept_web"): {"SELECT", "INSERT", "UPDATE"},
    ("upkeep", "kept_web"): {"SELECT", "INSERT", "UPDATE"},
    ("consent", "kept_web"): {"SELECT", "INSERT"},
    ("hand_over", "kept_web"): {"SELECT", "INSERT", "UPDATE"},
    ("alert", "kept_web"): {"SELECT", "INSERT", "UPDATE"},
    ("alert_fold", "kept_web"): {"SELECT", "INSERT", "UPDATE"},
    ("contact", "kept_web_read"): {"SELECT"},
    ("interaction", "kept_web_read"): {"SELECT"},
    ("follow_up", "kept_web_read"): {"SELECT"},
    ("draft", "kept_web_read"): {"SELECT"},
    ("former_record", "kept_web_read"): {"SELECT"},
    ("attachment", "kept_web_read"): {"SELECT"},
    ("import_job", "kept_web_read"): {"SELECT"},
    ("upkeep", "kept_web_read"): {"SELECT"},
    ("consent", "kept_web_read"): {"SELECT"},
    ("hand_over", "kept_web_read"): {"SELECT"},
    ("alert", "kept_web_read"): {"SELECT"},
    ("alert_fold", "kept_web_read"): {"SELECT"},
}


async def connect(server: Server, role: str) -> asyncpg.Connection:
    return await asyncpg.connect(server.dsn(role).reveal())


async def test_models_and_migrations_agree(server: Server) -> None:
    config = Config(attributes={"dsn": server.dsn("kept_owner").reveal()})
    config.set_main_option("script_location", str(db.SCRIPTS))

    await asyncio.to_thread(command.check, config)


async def test_migrating_again_changes_nothing(server: Server) -> None:
    await asyncio.to_thread(db.migrate, server.dsn("kept_owner"))


async def test_a_role_has_what_its_process_needs(server: Server) -> None:
    owner = await connect(server, "kept_owner")
    rows = await owner.fetch(
        "select table_name, grantee, privilege_type from information_schema.role_table_grants "
        "where table_schema = 'public' and grantee <> 'kept_owner'"
    )
    await owner.close()

    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        found.setdefault((row["table_name"], row["grantee"]), set()).add(row["privilege_type"])
    assert found == GRANTS


async def test_the_reading_role_cannot_write(server: Server) -> None:
    reader = await connect(server, "kept_web_read")

    with pytest.raises((asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientPrivilegeError)):
        await reader.execute("delete from contact")
    await reader.execute("set default_transaction_read_only = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("delete from contact")
    await reader.close()


@pytest.mark.parametrize("role", ["kept_sender", "kept_inbound"])
async def test_workers_see_nothing_yet(server: Server, role: str) -> None:
    worker = await connect(server, role)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await worker.fetch("select * from public.contact")
    await worker.close()


async def test_no_process_changes_the_schema(server: Server) -> None:
    for role in ("kept_web", "kept_web_read"):
        connection = await connect(server, role)
        for statement in ("create table x (y int)", "drop table contact", "alter table contact add z int"):
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
                await connection.execute(statement)
        await connection.close()


async def test_no_column_holds_free_text(server: Server) -> None:
    """What is text is an id, a code of a list, or a standard; anything longer is sealed bytes."""
    owner = await connect(server, "kept_owner")
    rows = await owner.fetch(
        "select table_name, column_name, data_type, coalesce(character_maximum_length, 0) as most "
        "from information_schema.columns where table_schema = 'public' and table_name <> 'alembic_version'"
    )
    await owner.close()

    text = {(row["table_name"], row["column_name"]) for row in rows if "char" in row["data_type"] and row["most"] > 35}
    loose = {
        (row["table_name"], row["column_name"]) for row in rows if row["data_type"] in {"text", "json", "jsonb", "inet"}
    }
    assert text == {("contact", "time_zone")}
    assert loose == {("import_job", "rejects"), ("import_job", "warnings"), ("alert_fold", "state")}


def test_the_dsn_of_libpq_is_understood() -> None:
    url = db.asyncpg_url("postgresql://kept_web:p%40ss@/kept?host=/a%20b/run&port=5433&sslmode=require")

    assert url.drivername == "postgresql+asyncpg"
    assert (url.password, url.database) == ("p@ss", "kept")
    assert dict(url.query) == {"host": "/a b/run", "port": "5433", "ssl": "require"}


def test_migrations_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(db, "SCRIPTS", tmp_path)

    with pytest.raises(FileNotFoundError):
        db.migrate(Pii("postgresql://nobody@/kept"))
