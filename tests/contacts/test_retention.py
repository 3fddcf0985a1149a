"""Who is proposed for erasure, GET /v1/retention, POST /v1/contacts/{id}/keep, and what runs hourly."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.main import create_app
from crm.config import MisconfiguredError, load
from crm.contacts import retention, upkeep
from crm.db import Database
from crm.errors import KeeperUnavailable
from crm.kit.ids import new_id
from tests.contacts.clocks import Later, in_days
from tests.contacts.test_consents import OBJECTED, say
from tests.contacts.test_owners import Colleague, hire
from tests.product import SERVE, Product, settings_for

RUN = upkeep.run  # before the fixture of the application stands something in for it
DAYS = 730


@pytest.fixture
def database(product: Product) -> Database:
    return product.app.state.held.database  # type: ignore[no-any-return]


@pytest.fixture
async def ann(product: Product) -> AsyncIterator[Colleague]:
    """Somebody whose contacts are proposed to nobody else; when it is over, nobody is proposed."""
    yield await hire(product)
    await retention.propose(product.app.state.held.database, Later(days=0), None)


async def proposed(ann: Colleague) -> list[str]:
    answer = await ann.client.get("/v1/retention")
    assert answer.status_code == 200
    return [label["id"] for label in answer.json()["matches"]]


def day(days: float) -> str:
    return in_days(days).date().isoformat()


async def test_whom_nobody_has_dealt_with_is_proposed_to_their_owner(database: Database, ann: Colleague) -> None:
    made = await ann.makes(2)

    await retention.propose(database, Later(days=DAYS - 1), DAYS)
    early = await proposed(ann)
    new = await retention.propose(database, Later(days=DAYS + 1), DAYS)
    again = await retention.propose(database, Later(days=DAYS + 1), DAYS)

    assert (early, again) == ([], 0)
    assert new >= 2
    found = (await ann.client.get("/v1/retention")).json()
    assert found["matches"][0] == {"id": made[1], "name": "N1", "company": "", "email_masked": ""}
    assert ([label["id"] for label in found["matches"]], found["count"]) == (made[::-1], "fewer than 10")


async def test_nobody_is_erased_but_by_a_person(product: Product, database: Database, ann: Colleague) -> None:
    first, second = await ann.makes(2)
    await retention.propose(database, Later(days=2 * DAYS), DAYS)

    opened = await ann.client.get(f"/v1/contacts/{first}", params=SERVE)
    erased = await ann.client.delete(f"/v1/contacts/{second}", params={"ground": "retention"})

    assert (opened.status_code, erased.status_code) == (200, 202)
    assert await proposed(ann) == [first]
    assert (await product.staff.post(f"/v1/contacts/{second}/erase/cancel")).status_code == 200


async def test_eight_are_shown_at_a_time(database: Database, ann: Colleague) -> None:
    made = await ann.makes(11)
    await retention.propose(database, Later(days=DAYS + 1), DAYS)

    found = (await ann.client.get("/v1/retention")).json()
    assert ([label["id"] for label in found["matches"]], found["count"]) == (made[:2:-1], 10)
    await ann.client.delete(f"/v1/contacts/{made[10]}", params={"ground": "retention"})
    assert await proposed(ann) == made[9:1:-1]


async def test_the_privacy_officer_sees_all_by_id(product: Product, database: Database, ann: Colleague) -> None:
    made = await ann.makes(10)
    await retention.propose(database, Later(days=DAYS + 1), DAYS)

    found = (await product.privacy.get("/v1/retention")).json()

    shown = [label["id"] for label in found["matches"]]
    assert len(shown) == 8
    # Whom other tests changed at a later hour come first.
    assert [one for one in shown if one in made] == made[::-1][: sum(one in made for one in shown)]
    assert all(set(label) == {"id"} for label in found["matches"])
    assert found["count"] >= 10


async def test_an_interaction_a_consent_or_a_change_is_dealing_with_somebody(
    product: Product, database: Database, ann: Colleague
) -> None:
    called, consented, changed, merged, quiet = await ann.makes(5)
    (gone,) = await ann.makes(1)
    await ann.client.post(f"/v1/contacts/{gone}/merge", json={"into": merged})
    later = Later(days=DAYS + 1)
    await retention.propose(database, later, DAYS)
    assert set(await proposed(ann)) == {called, consented, changed, merged, quiet}
    soon = in_days(100).isoformat()

    call = {"kind": "call", "direction": "in", "occurred_at": soon}
    for contact in (called, gone):
        # What was said with who was merged away was said with the one who stands for both.
        await ann.client.post(f"/v1/contacts/{contact}/merge/undo")
        assert (await ann.client.post(f"/v1/contacts/{contact}/interactions", json=call)).status_code == 201
    await ann.client.post(f"/v1/contacts/{gone}/merge", json={"into": merged})
    product.app.state.held.clock = Later(days=100)
    await say(product, consented, client=ann.client, **OBJECTED)
    etag = (await ann.client.get(f"/v1/contacts/{changed}", params=SERVE)).headers["etag"]
    await ann.client.patch(f"/v1/contacts/{changed}", json={"language": "fr"}, headers={"if-match": etag})
    await retention.propose(database, later, DAYS)

    assert await proposed(ann) == [quiet]


async def test_an_old_call_is_no_reason_to_keep_anybody(database: Database, ann: Colleague) -> None:
    (contact,) = await ann.makes(1)
    call = {"kind": "call", "direction": "in", "occurred_at": "2020-03-01T10:00:00Z"}
    await ann.client.post(f"/v1/contacts/{contact}/interactions", json=call)

    await retention.propose(database, Later(days=DAYS + 1), DAYS)

    assert await proposed(ann) == [contact]


async def test_whoever_is_kept_is_proposed_when_that_is_over(
    product: Product, database: Database, ann: Colleague
) -> None:
    (contact,) = await ann.makes(1)
    await retention.propose(database, Later(days=DAYS + 1), DAYS)

    answer = await ann.client.post(f"/v1/contacts/{contact}/keep", json={"until": day(900)})

    assert answer.status_code == 200
    assert answer.json()["keep_until"] == f"{day(900)}T00:00:00.000Z"
    assert await proposed(ann) == []
    await retention.propose(database, Later(days=899), DAYS)
    assert await proposed(ann) == []
    await retention.propose(database, Later(days=901), DAYS)
    assert await proposed(ann) == [contact]
    entries = (await product.auditor.get("/v1/log/entries", params={"subject": contact, "act": "record"})).json()
    (entry,) = entries["entries"]
    assert (entry["index"], entry["what"]) == (answer.json()["log_index"], "attributes")
    assert entry["detail"] == {"fields": "keep_until"}


async def test_how_long_somebody_is_kept(product: Product) -> None:
    contact = await product.contact()

    for until in (day(-1), day(0), day(3661), "2026", None):
        answer = await product.staff.post(f"/v1/contacts/{contact}/keep", json={"until": until})
        assert answer.status_code == 422, until
    assert (await product.privacy.post(f"/v1/contacts/{contact}/keep", json={"until": day(3650)})).status_code == 200


async def test_without_an_entry_nobody_is_kept(
    product: Product, database: Database, ann: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    (contact,) = await ann.makes(1)
    await retention.propose(database, Later(days=DAYS + 1), DAYS)

    async def down(*_: object, **__: object) -> int:
        raise KeeperUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(product.app.state.held.keeper, "record", down)
        answer = await ann.client.post(f"/v1/contacts/{contact}/keep", json={"until": day(900)})

    assert answer.status_code == 503
    assert await proposed(ann) == [contact]


async def test_switched_off_nobody_is_proposed_and_nobody_stays_so(database: Database, ann: Colleague) -> None:
    (contact,) = await ann.makes(1)
    await retention.propose(database, Later(days=DAYS + 1), DAYS)
    assert await proposed(ann) == [contact]

    assert await retention.propose(database, Later(days=10 * DAYS), None) == 0

    assert await proposed(ann) == []


async def test_companies_are_not_proposed(database: Database, ann: Colleague) -> None:
    await ann.client.post("/v1/companies", json={"name": "Acme"})

    await retention.propose(database, Later(days=DAYS + 1), DAYS)

    assert await proposed(ann) == []


# The setting, and what runs hourly


@pytest.mark.parametrize("text", ["-1", "two", "1.5", "36501", "٣"])
def test_a_number_of_days_that_is_none(tmp_path: Any, text: str) -> None:
    (tmp_path / "services").mkdir()
    for name in ("kept_web", "kept_web_read"):
        (tmp_path / "services" / f"{name}.dsn").write_text("postgresql:///x")

    with pytest.raises(MisconfiguredError, match="KEPT_RETENTION_DAYS"):
        load(tmp_path, {"KEPT_RETENTION_DAYS": text})
    assert load(tmp_path, {}).retention_days is None
    assert load(tmp_path, {"KEPT_RETENTION_DAYS": "0"}).retention_days is None
    assert load(tmp_path, {"KEPT_RETENTION_DAYS": "730"}).retention_days == 730


async def test_the_application_starts_it(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    started: asyncio.Queue[Any] = asyncio.Queue()

    async def run(*given: object, **__: object) -> None:
        await started.put(given[2])
        await asyncio.Event().wait()

    monkeypatch.setattr(upkeep, "run", run)
    app = create_app(settings_for(product.server, product.keeper))
    async with app.router.lifespan_context(app):
        assert await asyncio.wait_for(started.get(), 30) is None


async def test_it_does_both_and_is_tried_again_when_the_database_is_down(
    database: Database, ann: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    (contact,) = await ann.makes(1)
    failures: list[BaseException] = []
    done: asyncio.Queue[dict[str, int]] = asyncio.Queue()
    end, is_down = upkeep.end_hand_overs, True

    async def broken(*given: Any) -> int:
        nonlocal is_down
        if is_down:
            is_down = False
            raise OSError
        return await end(*given)

    def report(_: str, **counts: int) -> None:
        done.put_nowait(counts)

    monkeypatch.setattr(upkeep, "RETRY_S", 0)
    monkeypatch.setattr(upkeep, "end_hand_overs", broken)
    task = asyncio.create_task(RUN(database, Later(days=DAYS + 1), DAYS, report=report, fail=failures.append))
    counts = await asyncio.wait_for(done.get(), 30)
    task.cancel()

    assert [type(one) for one in failures] == [OSError]
    assert set(counts) == {"returned", "proposed"}
    assert counts["proposed"] >= 1
    assert await proposed(ann) == [contact]


async def test_unknown_is_not_kept(product: Product) -> None:
    answer = await product.staff.post(f"/v1/contacts/{new_id()}/keep", json={"until": day(900)})

    assert answer.status_code == 404
