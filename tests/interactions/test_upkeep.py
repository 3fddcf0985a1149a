"""Making the two stores agree, and removing what is erased."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from api.main import create_app
from crm.contacts import queries as contacts
from crm.db import Database, milliseconds, moment
from crm.errors import KeeperUnavailable
from crm.interactions import upkeep
from crm.keeper_client import Keeper
from crm.kit.clock import Clock, parse_rfc3339
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.interactions.calls import CALL, attach, follow, log, move, renew
from tests.keeper.home import PASSWORD, KeeperHome, gather_cast
from tests.product import Product, settings_for

RUN = upkeep.run  # before the fixture of the application stands something in for it


class At:
    """A clock of another time."""

    def __init__(self, ms: int) -> None:
        self._ms = ms

    def wall_ms(self) -> int:
        return self._ms

    def steady_ms(self) -> int:
        return self._ms


@pytest.fixture
def database(product: Product) -> Database:
    return product.app.state.held.database  # type: ignore[no-any-return]


@pytest.fixture
def keeper(product: Product) -> Keeper:
    return product.app.state.held.keeper  # type: ignore[no-any-return]


async def sql(database: Database, statement: str, *values: Any) -> Any:
    async with database.writes() as db:
        return await (await db.connection()).exec_driver_sql(statement, values)


@pytest.fixture
async def reconcile(database: Database, keeper: Keeper) -> Callable[..., Any]:
    """Reconcile what was made from here on, without waiting for requests that may be under way."""
    origin, size, _ = (await keeper.checkpoint()).split("\n", 2)
    await sql(
        database,
        "insert into upkeep (task, position) values ($1, $2) "
        "on conflict (task) do update set position = $2, claimed_at = null",
        upkeep.reconciling(origin),
        int(size) - 1,
    )

    async def once(clock: Clock | None = None) -> int:
        return await upkeep.reconcile(database, keeper, clock or Clock(), settle_s=0)

    return once


def orphan(subject: str) -> list[dict[str, Any]]:
    return [
        {"subject": subject, "kind": "contact", "section": "identity", "fields": {"given_name": "A"}, "expected": 0}
    ]


async def test_what_never_reached_the_database_is_marked_once(
    product: Product, keeper: Keeper, reconcile: Callable[..., Any]
) -> None:
    token = product.keeper.token("staff")
    kept, lost, record = await product.contact(), new_id(), new_id()
    await keeper.put(token, "intake", orphan(lost))
    await keeper.seal(token, "serve", [{"subject": kept, "record": record, "fields": {"summary": "lost"}}])

    marked, again = await reconcile(), await reconcile()

    assert (marked, again) == (2, 0)
    entries = await product.auditor.get("/v1/log/entries", params={"subject": lost})
    mark = entries.json()["entries"][-1]
    assert (mark["act"], mark["records"]) == ("orphan", [record])
    assert set(mark["subjects"]) == {lost, kept}


async def test_what_is_there_is_left_alone(product: Product, reconcile: Callable[..., Any]) -> None:
    contact = await product.contact()
    await product.staff.post(f"/v1/contacts/{contact}/interactions", json=CALL)

    assert await reconcile() == 0


async def test_a_row_that_comes_while_it_waits_is_no_orphan(
    product: Product, keeper: Keeper, monkeypatch: pytest.MonkeyPatch, reconcile: Callable[..., Any]
) -> None:
    late = {"id": new_id(), "given_name": "Late", "confirm_duplicate": True}
    await keeper.put(product.keeper.token("staff"), "intake", orphan(late["id"]))
    sleep = asyncio.sleep

    async def meanwhile(seconds: float) -> None:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        assert (await product.staff.post("/v1/contacts", json=late)).status_code == 201
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", meanwhile)

    assert await reconcile() == 0


SERVE = {"purpose": "serve", "reason": "call"}


async def test_a_merge_that_only_the_keeper_knows_is_made_here_too(
    product: Product, keeper: Keeper, reconcile: Callable[..., Any]
) -> None:
    """The process died between the two: what was said with the one that went shows on the one that stayed."""
    gone, kept = await product.contact(), await product.contact()
    await product.staff.post(f"/v1/contacts/{gone}/interactions", json=CALL)
    await keeper.merge(product.keeper.token("staff"), gone, kept)
    assert (await product.opened(kept))["interactions"] == []

    differed, again = await reconcile(), await reconcile()

    assert (differed, again) == (1, 0)
    assert len((await product.opened(kept))["interactions"]) == 1
    assert (await product.staff.post(f"/v1/contacts/{gone}/merge/undo")).status_code == 200


async def test_an_erasure_that_only_the_keeper_knows_is_made_here_too(
    product: Product, keeper: Keeper, database: Database, reconcile: Callable[..., Any]
) -> None:
    contact, merged = await product.contact(), await product.contact()
    await product.staff.post(f"/v1/contacts/{merged}/merge", json={"into": contact})
    scheduled = await keeper.erase(product.keeper.token("staff"), contact, "request")

    assert (await reconcile(), await reconcile()) == (2, 0)

    rows = await contacts.states(database.reads, [contact, merged])
    due = {milliseconds(row["erase_due_at"]) for row in rows.values()}
    assert due == {parse_rfc3339(scheduled["due_at"])}
    assert rows[merged]["merged_into"] == contact
    assert (await product.staff2.post(f"/v1/contacts/{contact}/erase/cancel")).status_code == 200
    assert (await product.staff.get(f"/v1/contacts/{contact}", params=SERVE)).status_code == 200


async def test_a_merge_into_somebody_whose_row_never_came(
    product: Product, keeper: Keeper, database: Database, reconcile: Callable[..., Any]
) -> None:
    """There is nothing to point at: the one is an orphan, the other stays as it is, and the task goes on."""
    gone, lost = await product.contact(), new_id()
    token = product.keeper.token("staff")
    await keeper.put(token, "intake", orphan(lost))
    await keeper.merge(token, gone, lost)

    assert (await reconcile(), await reconcile()) == (1, 0)

    assert (await contacts.states(database.reads, [gone]))[gone]["merged_into"] is None


async def test_rows_of_somebody_whose_key_is_dead_are_let_go(
    product: Product, keeper: Keeper, database: Database, monkeypatch: pytest.MonkeyPatch, reconcile: Callable[..., Any]
) -> None:
    """It was down for as long as an erasure takes."""
    contact = await product.contact()
    made = keeper.made

    async def later(after: int) -> dict[str, Any]:
        return await made(after) | {"now": {contact: {"into": None, "due": 0}}}

    monkeypatch.setattr(keeper, "made", later)

    assert (await reconcile(), await reconcile()) == (1, 0)
    assert await contacts.due(database.reads, moment(1), 10) == [contact]
    assert await upkeep.remove_due(database, Clock()) == 1


async def test_what_is_undone_while_it_waits_stays_undone(
    product: Product, keeper: Keeper, database: Database, monkeypatch: pytest.MonkeyPatch, reconcile: Callable[..., Any]
) -> None:
    gone, kept = await product.contact(), await product.contact()
    token = product.keeper.token("staff")
    await keeper.merge(token, gone, kept)
    sleep = asyncio.sleep

    async def meanwhile(seconds: float) -> None:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        await keeper.unmerge(token, gone)
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", meanwhile)

    assert await reconcile() == 0
    assert (await contacts.states(database.reads, [gone]))[gone]["merged_into"] is None


async def test_what_moved_since_it_was_seen_is_left_alone(product: Product, database: Database) -> None:
    gone, kept = await product.contact(), await product.contact()
    seen = (await contacts.states(database.reads, [gone]))[gone]
    await product.staff.post(f"/v1/contacts/{gone}/merge", json={"into": kept})

    async with database.writes() as db:
        await contacts.set_state(db, seen, None, moment(1))

    now = (await contacts.states(database.reads, [gone]))[gone]
    assert (now["merged_into"], now["erase_due_at"]) == (kept, None)


async def test_one_process_works_at_a_time(
    database: Database, reconcile: Callable[..., Any], keeper: Keeper, product: Product
) -> None:
    now = Clock().wall_ms()
    await keeper.put(product.keeper.token("staff"), "intake", orphan(new_id()))
    await sql(database, "update upkeep set claimed_at = now() where task like 'reconcile %'")

    assert await reconcile() == 0
    # Whoever took it has died since.
    assert await reconcile(At(now + upkeep.CLAIM_MS + 60_000)) == 1


async def test_it_goes_on_where_it_was_stopped(
    product: Product, keeper: Keeper, monkeypatch: pytest.MonkeyPatch, reconcile: Callable[..., Any]
) -> None:
    await keeper.put(product.keeper.token("staff"), "intake", orphan(new_id()))

    async def broken(*_: object) -> int:
        raise KeeperUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "orphan", broken)
        with pytest.raises(KeeperUnavailable):
            await reconcile()

    assert await reconcile() == 1


async def test_a_keeper_that_is_down_leaves_nothing_claimed(
    product: Product, keeper: Keeper, monkeypatch: pytest.MonkeyPatch, reconcile: Callable[..., Any]
) -> None:
    await keeper.put(product.keeper.token("staff"), "intake", orphan(new_id()))

    async def down(*_: object, **__: object) -> None:
        raise KeeperUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "call", down)
        with pytest.raises(KeeperUnavailable):
            await reconcile()

    assert await reconcile() == 1


async def test_after_a_restore_with_loss_it_begins_anew(database: Database, tmp_path: Path) -> None:
    """The new log begins at 0: how far the old one had been looked at says nothing of it."""
    home = KeeperHome(tmp_path / "home")
    home.init(options=("--origin", "lossy.example/log"))
    try:
        assert home.start(), home.stderr()
        await gather_cast(home, second_factor="optional")
        made = await (await home.client("admin")).call("backup", to=str(tmp_path / "safe"))
        web = await home.client()
        await web.put(home.token("staff"), "intake", orphan(new_id()))
        assert await upkeep.reconcile(database, web, Clock(), settle_s=0) == 1
        await home.disconnect()
        assert home.stop() == 0
        shutil.rmtree(home.file.parent)
        shutil.rmtree(home.journal)
        both = f"admin {PASSWORD}\nauditor {PASSWORD}\n"
        options = ("--snapshot", made["snapshot"], "--key", home.vkey, "--with-loss")
        assert home.call("restore", *options, stdin=both).returncode == 0

        assert home.start(), home.stderr()
        web = await home.client()
        staff = (await web.sign_in("staff", Pii(PASSWORD))).token.reveal()
        await web.put(staff, "intake", orphan(new_id()))
        once, again = [await upkeep.reconcile(database, web, Clock(), settle_s=0) for _ in range(2)]
        assert (once, again) == (1, 0)
    finally:
        await home.aclose()


async def test_rows_go_when_the_erasure_has_fallen_due(product: Product, database: Database) -> None:
    gone, kept = await product.contact(), await product.contact()
    merged = await product.contact()
    for contact in (gone, kept, merged):
        await product.staff.post(f"/v1/contacts/{contact}/interactions", json=CALL)
    await product.staff.post(f"/v1/contacts/{merged}/merge", json={"into": gone})
    await product.staff.delete(f"/v1/contacts/{gone}", params={"ground": "request"})
    rows = await sql(database, "select erase_due_at from contact where id = $1", gone)
    due = milliseconds(rows.one()[0])

    early = await upkeep.remove_due(database, At(due))
    removed = await upkeep.remove_due(database, At(due + upkeep.GRACE_MS + 1))

    left = await sql(database, "select contact from interaction where contact in ($1, $2, $3)", gone, kept, merged)
    assert (early, [row[0] for row in left]) == (0, [kept])
    assert removed >= 2
    assert (await sql(database, "select id from contact where id in ($1, $2)", gone, merged)).all() == []


async def test_one_process_removes_at_a_time(
    product: Product, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await product.contact()
    await product.staff.delete(f"/v1/contacts/{gone}", params={"ground": "request"})
    rows = await sql(database, "select erase_due_at from contact where id = $1", gone)
    late = At(milliseconds(rows.one()[0]) + upkeep.GRACE_MS + 1)
    due = contacts.due
    second: list[int] = []

    async def meanwhile(*asked: Any) -> list[str]:
        monkeypatch.setattr(contacts, "due", due)
        second.append(await upkeep.remove_due(database, late))
        return await due(*asked)

    monkeypatch.setattr(contacts, "due", meanwhile)

    first = await upkeep.remove_due(database, late)

    assert second == [0]
    assert first >= 1
    assert (await sql(database, "select id from contact where id = $1", gone)).all() == []


async def test_two_processes_at_once_remove_everybody_once(product: Product, database: Database) -> None:
    gone = [await product.contact() for _ in range(5)]
    for contact in gone:
        await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})
    rows = await sql(database, "select max(erase_due_at) from contact where erase_due_at is not null")
    late = At(milliseconds(rows.one()[0]) + upkeep.GRACE_MS + 1)
    count = "select count(*) from contact where erase_due_at is not null"
    all_due = (await sql(database, count)).one()[0]

    removed = await asyncio.gather(*(upkeep.remove_due(database, late) for _ in range(2)))

    assert sum(removed) == all_due
    assert (await sql(database, count)).one()[0] == 0


async def test_a_removal_that_fails_is_not_held_for_itself(
    product: Product, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await product.contact()
    await product.staff.delete(f"/v1/contacts/{gone}", params={"ground": "request"})
    rows = await sql(database, "select erase_due_at from contact where id = $1", gone)
    late = At(milliseconds(rows.one()[0]) + upkeep.GRACE_MS + 1)

    async def broken(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(contacts, "remove", broken)
        with pytest.raises(ConnectionError):
            await upkeep.remove_due(database, late)

    assert await upkeep.remove_due(database, late) >= 1


TABLES = ("interaction", "follow_up", "draft", "attachment", "former_record")


async def whole(product: Product) -> str:
    """Make a contact of whom every table of this slice has a row."""
    contact, other = await product.contact(), await product.contact()
    first = await log(product, contact, summary="one", follow_up={"due": "2026-11-25T09:00:00Z", "title": "x"})
    await renew(product, contact, first["id"], 1, summary="two")
    await attach(product, contact, first["id"])
    await follow(product, contact)
    strayed = await log(product, contact)
    await attach(product, contact, strayed["id"])
    await move(product, contact, strayed["id"], other)
    for notes in ("typed", "typed on"):
        await product.staff.put(f"/v1/contacts/{contact}/draft", json={"notes": notes})
    return contact


async def count(database: Database, table: str, column: str, contact: str) -> int:
    rows = await sql(database, f"select count(*) from {table} where {column} = $1", contact)  # noqa: S608
    return int(rows.one()[0])


async def test_every_kind_of_sealed_record_is_known(product: Product, reconcile: Callable[..., Any]) -> None:
    """Neither what stands is marked, nor what was replaced, moved or let go on purpose."""
    contact = await whole(product)
    await product.staff.delete(f"/v1/contacts/{contact}/draft")
    other = await product.contact()
    await product.staff.put(f"/v1/contacts/{other}/draft", json={"notes": "x"})
    await log(product, other, summary="x")

    assert await reconcile() == 0


async def test_a_move_that_broke_off_is_marked_where_it_never_came(
    product: Product, keeper: Keeper, reconcile: Callable[..., Any]
) -> None:
    wrong, right = await product.contact(), await product.contact()
    first = await log(product, wrong)
    await keeper.seal(
        product.keeper.token("staff"), "serve", [{"subject": right, "record": first["id"], "fields": {"notes": "x"}}]
    )

    assert (await reconcile(), await reconcile()) == (1, 0)

    (mark,) = (await product.auditor.get("/v1/log/entries", params={"subject": right, "act": "orphan"})).json()[
        "entries"
    ]
    assert mark["records"] == [first["id"]]


async def test_nothing_of_the_erased_is_left_in_any_table(product: Product, database: Database) -> None:
    contact, other = await whole(product), await product.contact()
    strayed = await log(product, other)
    await move(product, other, strayed["id"], contact)
    for table in TABLES:
        assert await count(database, table, "contact", contact), table
    assert await count(database, "former_record", "moved_to", contact)
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})
    rows = await sql(database, "select erase_due_at from contact where id = $1", contact)
    due = milliseconds(rows.one()[0])

    await upkeep.remove_due(database, At(due + upkeep.GRACE_MS + 1))

    named = (
        "select table_name from information_schema.columns where table_schema = 'public' and column_name = 'contact'"
    )
    tables = {row[0] for row in await sql(database, named)}
    assert tables >= set(TABLES)
    for table in tables:
        assert await count(database, table, "contact", contact) == 0, table
    assert await count(database, "former_record", "moved_to", contact) == 0


async def test_a_draft_goes_after_seven_days(product: Product, database: Database) -> None:
    contact = await product.contact()
    await product.staff.put(f"/v1/contacts/{contact}/draft", json={"notes": "x"})
    now, week = Clock().wall_ms(), 7 * 24 * 3_600_000

    await upkeep.remove_due(database, At(now + week - 60_000))
    assert await count(database, "draft", "contact", contact) == 1
    await upkeep.remove_due(database, At(now + week + 60_000))

    assert await count(database, "draft", "contact", contact) == 0


async def test_a_trace_goes_once_its_entry_was_passed_unless_something_was_moved(
    product: Product, database: Database, reconcile: Callable[..., Any]
) -> None:
    contact = await product.contact()
    await product.staff.put(f"/v1/contacts/{contact}/draft", json={"notes": "x"})
    await product.staff.delete(f"/v1/contacts/{contact}/draft")
    strayed = await log(product, contact)
    await move(product, contact, strayed["id"], await product.contact())

    await upkeep.remove_due(database, Clock())
    before = await count(database, "former_record", "contact", contact)
    await reconcile()
    await upkeep.remove_due(database, Clock())

    rows = await sql(database, "select record from former_record where contact = $1", contact)
    assert before == 2
    assert [row[0] for row in rows] == [strayed["id"]]


async def test_the_application_starts_it(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    started = asyncio.Event()

    async def run(*_: object, **__: object) -> None:
        started.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(upkeep, "run", run)
    app = create_app(settings_for(product.server, product.keeper))
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(started.wait(), 30)


@pytest.mark.parametrize(
    "error",
    [KeeperUnavailable(), IntegrityError("", None, Exception()), ValueError()],
    ids=lambda error: type(error).__name__,
)
async def test_it_is_tried_again_whatever_failed(
    database: Database, keeper: Keeper, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failures: list[BaseException] = []
    reports: list[dict[str, int]] = []
    done = asyncio.Event()
    down = True

    async def broken(*_: object) -> int:
        nonlocal down
        if down:
            down = False
            raise error
        return 7

    async def none(*_: object) -> int:
        return 0

    def report(_: str, **counts: int) -> None:
        reports.append(counts)
        done.set()

    monkeypatch.setattr(upkeep, "RETRY_S", 0)
    monkeypatch.setattr(upkeep, "reconcile", broken)
    monkeypatch.setattr(upkeep, "remove_due", none)
    task = asyncio.create_task(RUN(database, keeper, Clock(), report=report, fail=failures.append))
    await asyncio.wait_for(done.wait(), 30)
    task.cancel()

    assert [type(one) for one in failures] == [type(error)]
    assert reports == [{"marked": 7, "removed": 0}]
