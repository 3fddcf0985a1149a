"""Files of interactions."""

import asyncio
from typing import Any

import pytest

from api.http.headers import HEADERS
from crm.interactions import attaching
from crm.interactions.queries import attachments as queries
from crm.interactions.records import What, record_of
from crm.kit.ids import new_id
from tests.interactions.calls import TXT, at, attach, entries, log
from tests.product import SERVE, Product

PDF = ("Ada's contract.pdf", b"%PDF-1.7\n\0\1", "application/pdf")


async def filed(product: Product) -> tuple[str, str]:
    """Make a contact with an interaction."""
    contact = await product.contact()
    return contact, (await log(product, contact))["id"]


def path(contact: str, interaction: str, file: str = "") -> str:
    return at(contact, interaction, f"attachments/{file}" if file else "attachments")


async def test_it_is_listed_with_the_interaction_and_comes_back(product: Product) -> None:
    contact, interaction = await filed(product)

    file = await attach(product, contact, interaction, PDF)

    (shown,) = (await product.opened(contact))["interactions"]
    (listed,) = shown["attachments"]
    assert file == {"id": file["id"], "type": "pdf", "size_bytes": 11, "log_index": file["log_index"]}
    assert listed.pop("created_at")
    assert listed == {"id": file["id"], "type": "pdf", "size_bytes": 11, "name": "Ada's contract.pdf"}
    older = await product.staff.get(at(contact))
    assert [one["name"] for one in older.json()["interactions"][0]["attachments"]] == ["Ada's contract.pdf"]
    answer = await product.staff.get(path(contact, interaction, file["id"]))
    assert (answer.status_code, answer.content) == (200, PDF[1])


async def test_it_is_given_out_as_bytes_that_nothing_shows(product: Product) -> None:
    contact, interaction = await filed(product)
    file = await attach(product, contact, interaction, PDF)

    answer = await product.staff.get(path(contact, interaction, file["id"]))

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="file.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    policies = answer.headers.get_list("content-security-policy")
    assert policies == ["sandbox", dict(HEADERS)[b"content-security-policy"].decode()]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Ada" not in str(answer.headers)


async def test_the_list_opens_names_and_the_file_is_an_open_of_its_own(product: Product) -> None:
    contact, interaction = await filed(product)
    file = await attach(product, contact, interaction)
    await product.opened(contact)
    await product.staff.get(path(contact, interaction, file["id"]), params={"reason": "order"})

    listed, opened = await entries(product, contact, "open")
    assert set(listed["records"]) == {interaction, record_of(What.NAME, file["id"])}
    assert (opened["records"], opened["reason"], opened["ref"]) == (
        [record_of(What.FILE, file["id"])],
        "order",
        f"interaction:{interaction}",
    )


async def test_the_same_id_again_answers_as_the_first_time(product: Product) -> None:
    contact, interaction = await filed(product)
    id_ = new_id()

    answers = await asyncio.gather(*(attach(product, contact, interaction, id=id_) for _ in range(6)))
    again = await attach(product, contact, interaction, PDF, id=id_)

    assert all(answer == again for answer in answers)
    (shown,) = (await product.opened(contact))["interactions"]
    assert [one["id"] for one in shown["attachments"]] == [id_]


@pytest.mark.parametrize("is_seen", [True, False])
async def test_an_id_of_another_interactions_file_is_a_clash(
    product: Product, monkeypatch: pytest.MonkeyPatch, *, is_seen: bool
) -> None:
    contact, interaction = await filed(product)
    other = (await log(product, contact))["id"]
    file = await attach(product, contact, interaction)

    async def unseen(*_: object) -> None:
        return None

    if not is_seen:
        monkeypatch.setattr(queries, "find", unseen)
    answer = await product.staff.post(path(contact, other), files={"file": TXT}, data={"id": file["id"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")


async def test_two_interactions_that_take_one_id_at_once(product: Product) -> None:
    contact, interaction = await filed(product)
    other, id_ = (await log(product, contact))["id"], new_id()

    answers = await asyncio.gather(
        *(
            product.staff.post(path(contact, one), files={"file": TXT}, data={"id": id_})
            for one in (interaction, other) * 3
        )
    )

    assert {answer.status_code for answer in answers} == {201, 409}
    shown = (await product.opened(contact))["interactions"]
    assert [file["id"] for one in shown for file in one["attachments"]] == [id_]


async def test_an_id_taken_at_the_last_moment(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact, interaction = await filed(product)
    file = await attach(product, contact, interaction)

    async def unseen(*_: object) -> None:
        return None

    monkeypatch.setattr(queries, "find", unseen)
    monkeypatch.setattr(queries, "find_written", unseen)
    answer = await product.staff.post(path(contact, interaction), files={"file": TXT}, data={"id": file["id"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")


async def test_ten_and_not_one_more_however_many_at_once(product: Product) -> None:
    contact, interaction = await filed(product)

    answers = await asyncio.gather(
        *(product.staff.post(path(contact, interaction), files={"file": TXT}) for _ in range(13))
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [413] * 3
    (shown,) = (await product.opened(contact))["interactions"]
    assert len(shown["attachments"]) == 10


async def test_five_megabytes_and_not_one_byte_more(product: Product) -> None:
    contact, interaction = await filed(product)
    data = b"%PDF-" + b"x" * (attaching.MOST_BYTES - 5)

    file = await attach(product, contact, interaction, ("x.pdf", data, "application/pdf"))
    over = await product.staff.post(path(contact, interaction), files={"file": ("x", data + b"x", "application/pdf")})
    far = await product.staff.post(path(contact, interaction), files={"file": ("x", data + data, "application/pdf")})

    answer = await product.staff.get(path(contact, interaction, file["id"]))
    assert answer.content == data
    assert {(one.status_code, one.json()["code"]) for one in (over, far)} == {(413, "too-large")}


async def test_another_kind_or_another_than_it_says(product: Product) -> None:
    contact, interaction = await filed(product)

    for file in (
        ("x.html", b"<p>Quilligan", "text/html"),
        ("x.pdf", b"Quilligan", "application/pdf"),
        ("x.txt", b"", "text/plain"),
        ("Quilligan.svg", b"<svg/>", "image/svg+xml"),
    ):
        answer = await product.staff.post(path(contact, interaction), files={"file": file})
        assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/file")
        assert "Quilligan" not in answer.text
    (shown,) = (await product.opened(contact))["interactions"]
    assert shown["attachments"] == []


async def test_forms_that_are_none(product: Product) -> None:
    contact, interaction = await filed(product)

    for call, pointer in (
        ({"json": {}}, "/header/content-type"),
        ({"files": {"other": TXT}}, "/body/file"),
        ({"files": {"file": TXT}, "data": {"id": "x"}}, "/body/id"),
        ({"files": {"file": TXT}, "data": {"id": "x" * 300}}, "/body"),
    ):
        answer = await product.staff.post(path(contact, interaction), **call)
        assert (answer.status_code, answer.json()["pointer"]) == (422, pointer)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\Users\\ada\\offer.txt", "offer.txt"),
        ("a" * 300 + ".txt", "a" * 196 + ".txt"),
        ("zo\u202eexe.txt", "zoexe.txt"),
        ("", ""),
    ],
)
async def test_a_name_is_kept_without_what_deceives(product: Product, given: str, kept: str) -> None:
    contact, interaction = await filed(product)
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + given.encode() + b'"\r\n'
        b"X-Other: x\r\nContent-Type: text/plain\r\n\r\nx\r\n--x--\r\n"
    )

    answer = await product.staff.post(
        path(contact, interaction), content=body, headers={"content-type": "multipart/form-data; boundary=x"}
    )

    assert answer.status_code == 201, answer.text
    (shown,) = (await product.opened(contact))["interactions"]
    assert [one["name"] for one in shown["attachments"]] == [kept]


async def test_nobody_else_sees_anything(product: Product) -> None:
    contact, interaction = await filed(product)
    other, theirs = await filed(product)
    file = await attach(product, contact, interaction)

    bodies = set()
    for url in (
        path(contact, interaction, new_id()),
        path(contact, interaction, "x"),
        path(contact, theirs, file["id"]),
        path(other, interaction, file["id"]),
        path(other, theirs, file["id"]),
        path(new_id(), interaction, file["id"]),
    ):
        answer = await product.staff.get(url)
        assert answer.status_code == 404, url
        bodies.add(answer.content)
        assert (await product.auditor.get(url)).status_code == 403
    for url in (path(contact, theirs), path(new_id(), interaction), path(contact, new_id())):
        answer = await product.staff.post(url, files={"file": TXT})
        assert answer.status_code == 404
        bodies.add(answer.content)
    assert len(bodies) == 1
    head = await product.staff.head(path(contact, interaction, file["id"]))
    assert head.status_code == 405


async def test_that_of_the_merged_away_opens_and_takes_more(product: Product) -> None:
    contact, interaction = await filed(product)
    kept = await product.contact()
    first = await attach(product, contact, interaction, PDF)
    await product.staff.post(f"/v1/contacts/{contact}/merge", json={"into": kept})

    assert (await product.staff.get(path(kept, interaction, first["id"]))).content == PDF[1]
    second = await attach(product, kept, interaction)

    (shown,) = (await product.opened(kept))["interactions"]
    assert [one["id"] for one in shown["attachments"]] == [first["id"], second["id"]]
    assert (await product.staff.get(path(kept, interaction, first["id"]))).content == PDF[1]


async def test_erased_with_the_person(product: Product) -> None:
    contact, interaction = await filed(product)
    file = await attach(product, contact, interaction)
    await product.staff.delete(f"/v1/contacts/{contact}", params={"ground": "request"})

    assert (await product.staff.get(path(contact, interaction, file["id"]))).status_code == 404
    assert (await product.staff.post(path(contact, interaction), files={"file": TXT})).status_code == 404


async def test_a_move_while_the_file_comes_in(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact, interaction = await filed(product)
    right = await product.contact()
    keeper = product.app.state.held.keeper
    seal = keeper.seal

    async def late(*given: Any) -> Any:
        monkeypatch.setattr(keeper, "seal", seal)
        await product.staff2.post(at(contact, interaction, "move"), json={"to": right})
        return await seal(*given)

    monkeypatch.setattr(keeper, "seal", late)
    answer = await product.staff.post(path(contact, interaction), files={"file": TXT})

    assert (answer.status_code, answer.json()["code"]) == (412, "stale")


async def test_a_failure_behind_the_keeper_keeps_nothing(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact, interaction = await filed(product)

    async def dies(*_: Any) -> None:
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(queries, "add", dies)
        assert (await product.staff.post(path(contact, interaction), files={"file": TXT})).status_code == 500

    (shown,) = (await product.opened(contact))["interactions"]
    assert shown["attachments"] == []


async def test_bytes_changed_in_the_database_are_not_opened(product: Product) -> None:
    contact, interaction = await filed(product)
    mine, theirs = await attach(product, contact, interaction, PDF), await attach(product, contact, interaction)
    async with product.app.state.held.database.writes() as db:
        connection = await db.connection()
        # The role may not change a file; whoever puts the bytes of one in another's place changes nothing either.
        await connection.exec_driver_sql(
            "with mine as (delete from attachment where id = $1 returning *) "
            "insert into attachment (contact, id, interaction, record, title, kind, size_bytes, author, created_at, "
            "sealed_title, sealed, log_index) select m.contact, m.id, m.interaction, m.record, m.title, m.kind, "
            "m.size_bytes, m.author, m.created_at, m.sealed_title, t.sealed, m.log_index "
            "from mine m, attachment t where t.id = $2",
            (mine["id"], theirs["id"]),
        )

    answer = await product.staff.get(path(contact, interaction, mine["id"]), params=SERVE)

    assert answer.status_code == 422
    assert b"said" not in answer.content
