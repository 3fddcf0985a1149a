"""POST and GET /v1/imports, over files real address books wrote."""

import asyncio
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.routes.imports import LIMIT
from crm.contacts import importing, intake
from crm.errors import KeeperUnavailable, TooLarge
from crm.keeper_client import Put
from crm.kit.ids import new_id
from tests.contacts.imported import counts, ended, give, ids, opened
from tests.product import SERVE, Product


def cards(*names: str, extra: str = "") -> bytes:
    return "".join(f"BEGIN:VCARD\nVERSION:3.0\nN:{name};Ada;;;\n{extra}END:VCARD\n" for name in names).encode()


async def found(product: Product, name: str) -> list[dict[str, Any]]:
    answer = await product.staff.post("/v1/contacts/search", json={"q": name})
    return list(answer.json()["matches"])


@pytest.mark.parametrize(
    "name",
    [
        "John_Doe_GMAIL.vcf", "John_Doe_IPHONE.vcf", "John_Doe_LOTUS_NOTES.vcf", "John_Doe_MS_OUTLOOK.vcf",
        "gmail-list.vcf", "rfc6350-example.vcf",
    ],
)  # fmt: skip
async def test_the_same_file_again_doubles_nothing(product: Product, shared_data: Path, name: str) -> None:
    data = (shared_data / "vcards" / name).read_bytes()

    first, again = await give(product, data), await give(product, data)

    assert (first["state"], first["rejects"]) == ("done", [])
    assert counts(again) == (first["total"], 0, first["total"], 0, 0)


async def test_what_is_imported_is_found_and_opened(product: Product) -> None:
    name = f"Fam{new_id()[:8]}"

    job = await give(product, cards(name, extra="EMAIL:ada@example.org\nORG:Acme\n"))

    (label,) = await found(product, name)
    assert counts(job) == (1, 1, 0, 0, 0)
    page = await product.opened(label["id"])
    assert page["identity"] == {"given_name": "Ada", "family_name": name, "company": "Acme"}
    assert page["owner"] == product.keeper.cast["staff"].id


async def test_repeated_and_rejected_cards_are_told_by_line_and_reason(product: Product) -> None:
    name, secret = f"Fam{new_id()[:8]}", "quilligan"
    data = (
        cards(name, name)
        + cards(f"{name}b", extra=f"EMAIL:{secret}\n")
        + cards(f"{name}c", extra=f"ROLE:{secret}\x00\nTITLE:{secret}\x00\n")
        + cards(secret * 30)
        + b"BEGIN:VCARD\nEND:VCARD\nBEGIN:VCARD\nFN:open"
    )

    job = await give(product, data)

    assert counts(job) == (7, 1, 0, 1, 5)
    assert job["rejects"] == [
        {"line": 9, "reason": "emails: not an e-mail address"},
        {"line": 14, "reason": "job_title: control characters are not text"},
        {"line": 20, "reason": "family_name: longer than 200 characters"},
        {"line": 24, "reason": "nobody"},
        {"line": 26, "reason": "no-end"},
    ]
    assert secret not in str(job)


async def test_the_list_of_rejects_ends_and_the_count_does_not(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_TOLD", 2)

    job = await give(product, b"BEGIN:VCARD\nEND:VCARD\n" * 5)

    assert (job["rejected"], len(job["rejects"])) == (5, 2)


async def test_more_than_a_batch(product: Product) -> None:
    name = f"F{new_id()[:8]}"

    job = await give(product, cards(*(f"{name}x{number}" for number in range(450))))

    assert counts(job) == (450, 450, 0, 0, 0)
    assert job["per_second"] > 0


async def test_an_interrupted_import_is_finished_by_the_same_file(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keeper goes away after each batch in turn, once before and once after the batch was durable."""
    name = f"F{new_id()[:8]}"
    data = cards(*(f"{name}x{number}" for number in range(450)))
    keeper = product.app.state.held.keeper
    put = keeper.put

    for batch, is_durable in ((1, False), (1, True), (2, False), (2, True)):
        calls = 0

        async def broken(*args: Any, at: int = batch, durable: bool = is_durable, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                if durable:
                    await put(*args, **kwargs)
                raise KeeperUnavailable
            return await put(*args, **kwargs)

        monkeypatch.setattr(keeper, "put", broken)
        job = await give(product, data)
        assert (job["state"], job["reason"]) == ("failed", "keeper-unavailable")
    monkeypatch.setattr(keeper, "put", put)
    last = await give(product, data)
    again = await give(product, data)

    assert last["stored"] + last["known"] == 450
    assert counts(again) == (450, 0, 450, 0, 0)
    assert [one["name"] for one in await found(product, f"{name}x123")] == [f"Ada {name}x123"]


async def test_what_was_erased_is_not_brought_back(product: Product) -> None:
    name = f"Fam{new_id()[:8]}"
    data = cards(name, f"{name}b", f"{name}c")
    await give(product, data)
    (label,) = [one for one in await found(product, name) if one["name"] == f"Ada {name}b"]
    await product.staff.delete(f"/v1/contacts/{label['id']}", params={"ground": "request"})
    # As if its time had come and the row were gone; the keeper remembers it as a tombstone does.
    async with product.app.state.held.database.writes() as db:
        connection = await db.connection()
        await connection.exec_driver_sql("delete from contact where id = $1", (label["id"],))

    job = await give(product, data + cards(f"{name}d"))

    assert counts(job) == (4, 1, 2, 0, 1)
    assert job["rejects"] == [{"line": 5, "reason": "erased"}]


async def test_the_same_id_again_is_the_same_import(product: Product) -> None:
    job, name = new_id(), f"Fam{new_id()[:8]}"

    first = await give(product, cards(name), id=job)
    again = await give(product, cards(f"{name}b"), id=job)

    assert first == again
    assert await found(product, f"{name}b") == []


async def test_the_same_id_twice_at_once_is_one_import(product: Product) -> None:
    job, name = new_id(), f"Fam{new_id()[:8]}"

    answers = await asyncio.gather(
        *(product.staff.post("/v1/imports", files={"file": ("x", cards(name))}, data={"id": job}) for _ in range(5))
    )

    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, {"id": job})] * 5
    assert counts(await ended(product, job)) == (1, 1, 0, 0, 0)


async def test_another_persons_import_is_not_there(product: Product) -> None:
    job = await give(product, cards(f"Fam{new_id()[:8]}"))

    answer = await product.staff2.get(f"/v1/imports/{job['id']}")

    assert answer.status_code == 404


async def test_a_job_nobody_works_on_any_more_is_interrupted(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await give(product, cards(f"Fam{new_id()[:8]}"))
    monkeypatch.setattr(importing, "SILENT_MS", -1)
    async with product.app.state.held.database.writes() as db:
        connection = await db.connection()
        await connection.exec_driver_sql("update import_job set state = 'running' where id = $1", (job["id"],))

    assert (await product.staff.get(f"/v1/imports/{job['id']}")).json()["state"] == "interrupted"


async def test_an_import_ends_with_the_process_and_says_so(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"F{new_id()[:8]}"
    data = cards(*(f"{name}x{number}" for number in range(250)))
    keeper = product.app.state.held.keeper
    put, second, calls = keeper.put, asyncio.Event(), 0

    async def slow(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            second.set()
            await asyncio.Event().wait()
        return await put(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "put", slow)
        job = (await product.staff.post("/v1/imports", files={"file": ("x", data)})).json()["id"]
        await asyncio.wait_for(second.wait(), 30)
        (task,) = product.app.state.held.imports
        task.cancel()
        last = await ended(product, job)

    assert (last["state"], last["reason"], last["stored"]) == ("failed", "interrupted", 200)
    assert counts(await give(product, data)) == (250, 50, 200, 0, 0)


async def test_a_mistake_of_ours_ends_the_import(
    product: Product, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Quilligan"

    async def broken(*_: Any, **__: Any) -> None:
        raise ValueError(secret)

    monkeypatch.setattr(product.app.state.held.keeper, "put", broken)
    job = await give(product, cards(secret))

    assert (job["state"], job["reason"]) == ("failed", "internal")
    assert "builtins.ValueError" in caplog.text
    assert secret not in caplog.text


async def test_bodies_that_are_no_upload(product: Product) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    for call in (
        {"json": {"file": "x"}},
        {"content": b"", "headers": headers},
        {"content": b'--x\r\ncontent-disposition: form-data; name="other"\r\n\r\ny\r\n--x--\r\n', "headers": headers},
        {"files": {"file": ("x", b"name,email\n")}},
        {"files": {"file": ("x", b"shoe size,colour\n38,red\n")}},
        {"files": {"file": ("x", b"")}},
        {"files": {"file": ("x", cards("A"))}, "data": {"dry_run": "perhaps"}},
        {"files": {"file": ("x", cards("A"))}, "params": {"dry_run": "perhaps"}},
        {"files": {"file": ("x", cards("A"))}, "data": {"id": "no id"}},
        {"files": {"file": ("x", cards("A"))}, "data": {"note": "x" * 300}},
    ):
        answer = await product.staff.post("/v1/imports", **call)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), call


async def test_a_file_over_the_limit(product: Product) -> None:
    async def chunks() -> Any:
        for _ in range(LIMIT // (8 << 20) + 1):
            yield b"x" * (8 << 20)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    declared = await product.staff.post(
        "/v1/imports", content=b"", headers={**headers, "content-length": str(LIMIT + 1)}
    )
    sent = await product.staff.post("/v1/imports", content=chunks(), headers=headers)

    assert (declared.status_code, sent.status_code) in {(413, 413), (413, 422)}


async def test_nothing_is_spooled_to_a_disk(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was made")

    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", refuse)
    note = "x" * 15_000

    job = await give(product, cards(*(f"F{new_id()}" for _ in range(200)), extra=f"NOTE:{note}\n"))

    assert counts(job) == (200, 200, 0, 0, 0)


async def test_ids_say_nothing_about_the_card_without_the_key() -> None:
    one, other = importing.id_key(b"a" * 64), importing.id_key(b"b" * 64)

    assert one != other
    assert len(one) == 32


async def test_a_file_is_imported_by_the_person_it_was_given_by(product: Product) -> None:
    name = f"Fam{new_id()[:8]}"
    await give(product, cards(name))
    (label,) = await found(product, name)

    entries = await product.auditor.get("/v1/log/entries", params={"subject": label["id"]})

    first = entries.json()["entries"][0]
    assert (first["act"], first["actor"]) == ("put", product.keeper.cast["staff"].id)
    assert (await product.staff.get(f"/v1/contacts/{label['id']}", params=SERVE)).status_code == 200


async def test_an_import_and_somebody_who_types_the_same_person_in_change_nothing_of_each_other(
    product: Product,
) -> None:
    """An import makes people and changes nobody: both stand, each as it was given; whoever types may be warned."""
    name = f"F{new_id()[:10]}"
    rows = "".join(f"Ada,{name},p{n}@{name}.example,Imported\n" for n in range(60))
    data = f"First Name,Last Name,E-mail,Job Title\n{rows}".encode()

    async def by_hand(n: int) -> Any:
        body = {"given_name": "Ada", "family_name": name, "emails": [f"p{n}@{name}.example"], "job_title": "Typed"}
        return await product.staff.post("/v1/contacts", json=body)

    job, *answers = await asyncio.gather(give(product, data), *(by_hand(n) for n in range(0, 60, 3)))

    assert (job["state"], job["stored"], job["rejected"]) == ("done", 60, 0)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [person["job_title"] for person in await opened(product, data)] == ["Imported"] * 60
    for answer in answers:
        if answer.status_code == 201:
            page = await product.opened(answer.json()["id"])
            assert page["identity"]["job_title"] == "Typed"


async def test_two_imports_of_one_file_at_once_double_nobody(product: Product) -> None:
    name = f"F{new_id()[:8]}"
    data = cards(*(f"{name}x{number}" for number in range(450)))

    jobs = await asyncio.gather(give(product, data), give(product, data))

    assert [job["state"] for job in jobs] == ["done", "done"]
    assert all(job["stored"] + job["known"] == 450 for job in jobs)
    assert len(await found(product, f"{name}x123")) == 1
    assert counts(await give(product, data)) == (450, 0, 450, 0, 0)


# What is told


async def test_columns_are_told_by_heading_and_kept_by_field(product: Product) -> None:
    heading, name = f"Kids of {new_id()}", f"F{new_id()[:8]}"
    data = f"First Name,Last Name,{heading},Photo\nAda,{name},2,\n".encode()

    job = await give(product, data)

    assert job["unknown_columns"] == [heading]
    assert [(one["number"], one["heading"], one["field"], one["filled"]) for one in job["columns"]] == [
        (1, "First Name", "given_name", 1), (2, "Last Name", "family_name", 1), (3, heading, None, 1),
        (4, "Photo", None, 0),
    ]  # fmt: skip
    async with product.app.state.held.database.writes() as db:
        connection = await db.connection()
        rows = await connection.exec_driver_sql("select import_job::text from import_job where id = $1", (job["id"],))
        assert heading not in str(rows.all())


async def test_another_process_tells_columns_by_number(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await give(product, f"Last Name,Shoe size\nF{new_id()},38\n".encode())
    monkeypatch.setattr(product.app.state.held, "headings", importing.Headings())

    told = (await product.staff.get(f"/v1/imports/{job['id']}")).json()

    assert told["unknown_columns"] == ["column 2"]
    assert [column["field"] for column in told["columns"]] == ["family_name", None]


async def test_languages_and_countries_become_plain_attributes(product: Product) -> None:
    name = f"F{new_id()[:8]}"
    data = (
        "Vorname,Nachname,Sprache,Land/Region privat,Straße privat\n"
        f"Ada,{name},Deutsch,Schweiz,Weg 1\nBea,{name},fr-CA,,\nCy,{name},,Atlantis,Way 2\n"
    ).encode()

    await give(product, data)

    pages = [await product.opened(one) for one in ids(product, data)]
    assert [(page["language"], page["country"]) for page in pages] == [("de", "CH"), ("fr-CA", None), (None, None)]
    assert pages[2]["channels"]["addresses"] == [{"street": "Way 2", "country": "Atlantis"}]


@pytest.mark.parametrize(("held", "told"), [(None, None), (0, "fewer than 10"), (9, "fewer than 10"), (10, 10)])
async def test_known_addresses_are_a_count_from_ten_on(
    product: Product, monkeypatch: pytest.MonkeyPatch, held: int | None, told: object
) -> None:
    keeper = product.app.state.held.keeper
    put = keeper.put

    async def says(*args: Any, **kwargs: Any) -> Put:
        return replace(await put(*args, **kwargs), held=held)

    monkeypatch.setattr(keeper, "put", says)
    name = f"F{new_id()[:8]}"
    one, more = await give(product, cards(name)), await give(product, cards(*(f"{name}x{n}" for n in range(201))))

    assert (one["known_addresses"], one["stored"]) == (told, 1)
    assert more["known_addresses"] == (2 * held if held and 2 * held >= 10 else told)


# A dry run


@pytest.mark.parametrize("way", ["query", "field"])
async def test_a_dry_run_stores_nothing_and_says_what_would_be(product: Product, way: str) -> None:
    name = f"F{new_id()[:8]}"
    await give(product, f"First Name,Last Name,Phone\nAda,{name},+49 30 1234000\n".encode())
    data = f"Last Name;First Name;Phone;Size\n{name};Ada;+49 30 1234000;\n{name};Bea;12;38\n{name};Bea;12;\n".encode()
    where: dict[str, Any] = {"params": {"dry_run": "true"}} if way == "query" else {"data": {"dry_run": "TRUE"}}

    answer = await product.staff.post("/v1/imports", files={"file": ("x", data)}, **where)

    dry = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (dry["dry_run"], *counts(dry), dry["warned"]) == (True, 3, 1, 1, 1, 0, 1)
    assert dry["unknown_columns"] == ["Size"]
    assert name not in answer.text
    assert [one["name"] for one in await found(product, name)] == [f"Ada {name}"]


async def test_a_dry_run_is_in_the_log_and_names_nobody(product: Product) -> None:
    answer = await product.staff.post(
        "/v1/imports", files={"file": ("x", cards("Quilligan"))}, params={"dry_run": "true"}
    )
    log = (await product.staff.get("/v1/me/log")).json()["entries"]

    assert answer.status_code == 200
    entry = next(one for one in log if one["act"] == "record")
    assert (entry["what"], entry["detail"], entry["subjects"]) == ("import", {"cards": 1, "count": 0}, [])
    assert "Quilligan" not in str(log)


@pytest.mark.parametrize("who", ["auditor", "admin", "marketing", "counsel", "privacy", "product", "nobody"])
@pytest.mark.parametrize("params", [{}, {"dry_run": "true"}])
async def test_who_may_not_import_may_not_rehearse(product: Product, who: str, params: dict[str, str]) -> None:
    answer = await product.as_(who).post("/v1/imports", files={"file": ("x", cards("A"))}, params=params)

    expected = (401, "unauthenticated") if who == "nobody" else (403, "purpose-not-yours")
    assert (answer.status_code, answer.json()["code"]) == expected


async def test_a_keeper_that_is_down_rehearses_nothing(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object, **__: object) -> None:
        raise KeeperUnavailable

    monkeypatch.setattr(product.app.state.held.keeper, "record", down)
    answer = await product.staff.post("/v1/imports", files={"file": ("x", cards("A"))}, params={"dry_run": "true"})

    assert (answer.status_code, answer.json()["code"]) == (503, "keeper-unavailable")


# What goes wrong half-way


async def test_a_database_that_goes_away_ends_the_import_as_failed(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"F{new_id()[:8]}"
    data = cards(*(f"{name}x{number}" for number in range(450)))

    async def down(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(importing.queries, "add_imported", down)
        job = await give(product, data)
    assert (job["state"], job["reason"], job["stored"]) == ("failed", "database-unavailable", 0)
    assert counts(await give(product, data)) == (450, 450, 0, 0, 0)


async def test_a_person_too_large_for_the_keeper_costs_one_person(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"F{new_id()[:8]}"
    keeper = product.app.state.held.keeper
    put = keeper.put

    async def narrow(token: str, purpose: str, items: list[dict[str, Any]], **rest: Any) -> Any:
        if any(item["fields"].get("family_name") == f"{name}x3" for item in items):
            raise TooLarge
        return await put(token, purpose, items, **rest)

    monkeypatch.setattr(keeper, "put", narrow)
    job = await give(product, cards(*(f"{name}x{number}" for number in range(9))))

    assert counts(job) == (9, 8, 0, 0, 1)
    assert job["rejects"] == [{"line": 13, "reason": "too-large"}]


async def test_nothing_of_a_file_is_in_a_line_that_is_written(
    product: Product, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = f"Quilligan{new_id()[:6]}"
    caplog.set_level(logging.DEBUG)
    table = f'Name,E-mail,Phone,Notes,{secret}\n{secret},{secret}@example.org,12,"{secret}\n'

    for data in (table.encode(), cards(secret) + cards(secret * 30), f"x,{secret}@example.org\n".encode()):
        for params in ({}, {"dry_run": "true"}):
            answer = await product.staff.post("/v1/imports", files={"file": (secret, data)}, params=params)
            if answer.status_code == 202:
                await ended(product, answer.json()["id"])
            if answer.status_code == 422:
                assert secret not in answer.text

    # The test's own client writes what it asks for.
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert any("/v1/imports" in line for line in lines)
    assert secret not in "".join(lines)
    assert secret not in "".join(capfd.readouterr())
