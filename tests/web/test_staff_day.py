"""A day at the pages: what was said, drafts, files, follow-ups, imports and counts."""

import asyncio
import re
from typing import Any

import pytest

from api.http import logs
from crm.contacts import importing
from crm.errors import OverBudget
from crm.interactions import drafting
from crm.kit.ids import new_id
from tests.product import Product
from tests.web.staff import filled, is_gone, reader, went

CALL = {"kind": "call", "direction": "in", "summary": "Battery error", "notes": "Reseated\r\nit"}
CSV = b"First name,Last name,E-mail,Colour\nJonas,Brandt,%s@example.org,blue\n,,broken,red\n"


async def logged(product: Product, contact: str, **more: Any) -> str:
    """Log a call through its form; returns its id."""
    id_ = new_id()
    assert went(await reader(product).post(f"/contacts/{contact}/interactions", {**CALL, "id": id_, **more}))
    return id_


async def test_a_call_with_what_follows(product: Product) -> None:
    staff, contact = reader(product), await product.contact(given_name="Ada")
    interaction = await logged(
        product, contact, follow_up="Send the offer", due="2126-01-02", occurred_at="2026-01-05T10:00"
    )

    page = await staff.get(f"/contacts/{contact}")
    assert "Reseated\nit" in page.text
    assert f"/interactions/{interaction}" in page.text
    day = await staff.get("/today")
    assert "Send the offer" in day.text
    done = re.findall(
        r'action="(/follow-ups/[0-9a-f]{32}/done)"[^<]*<button class="tick" aria-label="Done: Send', day.text
    )
    for path in done:
        went(await staff.post(path))
    assert done
    assert "Send the offer" not in (await staff.get("/today")).text


async def test_what_is_not_accepted_comes_back_as_typed(product: Product) -> None:
    staff, contact = reader(product), await product.contact()
    path = f"/contacts/{contact}/interactions"

    for wrong in ({"occurred_at": "soon"}, {"kind": "dream"}, {"product": "no such product"}):
        answer = await staff.post(path, {**CALL, **wrong}, fragment=True)
        assert answer.status_code == 422
        assert filled(answer)["summary"] == ["Battery error"]
        assert 'id="composer"' in answer.text
        assert "soon" not in answer.text.replace('value="soon"', "")


async def test_a_draft_outlives_its_session_and_goes_with_the_call(product: Product) -> None:
    staff, contact = reader(product), await product.contact()
    path = f"/contacts/{contact}/draft"

    kept = await staff.post(
        path, {**CALL, "follow_up": "Call", "due": "2126-01-02", "occurred_at": "2026-01-05T10:00"}, fragment=True
    )
    assert "Kept at" in kept.text
    page = await staff.get(f"/contacts/{contact}")
    assert "is back" in page.text
    form = filled(page)
    assert (form["summary"], form["follow_up"], form["due"]) == (["Battery error"], ["Call"], ["2126-01-02"])
    assert "is back" not in (await reader(product, "staff2").get(f"/contacts/{contact}")).text

    await logged(product, contact)
    assert "is back" not in (await staff.get(f"/contacts/{contact}")).text


async def test_a_draft_is_let_go_of(product: Product) -> None:
    staff, contact = reader(product), await product.contact()
    path = f"/contacts/{contact}/draft"
    someone = product.keeper.cast["staff2"].id

    assert went(await staff.post(path, {**CALL, "follow_up": "x", "assignee": someone}))
    assert someone in (await staff.get(f"/contacts/{contact}")).text
    assert "Kept" not in (await staff.post(path, {"kind": "call"}, fragment=True)).text
    assert "is back" not in (await staff.get(f"/contacts/{contact}")).text
    went(await staff.post(path, CALL))
    went(await staff.post(f"{path}/drop"))
    assert "is back" not in (await staff.get(f"/contacts/{contact}")).text
    assert (await staff.post(path, {"kind": "dream", "summary": "x"}, fragment=True)).status_code == 422


async def test_the_page_opens_though_a_draft_cannot_be(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = await product.contact(given_name="Ada")

    async def used_up(*_: object, **__: object) -> None:
        raise OverBudget

    monkeypatch.setattr(drafting, "read", used_up)
    assert "Ada" in (await reader(product).get(f"/contacts/{contact}")).text


async def test_a_problem_is_a_line_that_leaves_the_form(product: Product) -> None:
    answer = await reader(product).post(f"/contacts/{new_id()}/interactions", CALL, fragment=True)

    assert answer.status_code == 404
    assert "<form" not in answer.text


async def test_said_anew_and_whoever_is_late_sees_the_newest(product: Product) -> None:
    staff, contact = reader(product), await product.contact()
    path = f"/contacts/{contact}/interactions/{await logged(product, contact)}"
    form = filled(await staff.get(path)) | {"kind": "call", "direction": "in"}

    went(await staff.post(path, form | {"summary": "Battery and seal"}))
    late = await staff.post(path, form | {"summary": "Mine", "id": new_id()}, fragment=True)
    wrong = await staff.post(path, form | {"kind": "dream", "id": new_id()})
    page = await staff.get(path)

    assert late.status_code == 412
    assert (filled(late)["summary"], filled(late)["version"]) == (["Mine"], ["2"])
    assert wrong.status_code == 422
    assert "Battery error" in page.text
    assert "Version 2" in page.text
    privacy = await reader(product, "privacy").get(path)
    assert "Battery error" in privacy.text
    assert 'id="composer"' not in privacy.text


async def test_it_is_moved_to_whom_it_is_about(product: Product) -> None:
    staff, name = reader(product), f"Rightful{new_id()[:8]}"
    wrong, right = await product.contact(given_name="Wrong"), await product.contact(family_name=name)
    path = f"/contacts/{wrong}/interactions/{await logged(product, wrong)}"

    assert "Wrong" in (await staff.get(f"{path}/move")).text
    found = await staff.post(f"{path}/move/search", {"q": name})
    assert f'value="{right}"' in found.text
    assert (await staff.post(f"{path}/move", {"to": "nobody"})).status_code == 422
    assert went(await staff.post(f"{path}/move", {"to": right})) == f"/contacts/{right}"
    assert "Battery error" in (await staff.get(f"/contacts/{right}")).text
    assert is_gone(await staff.get(path))


async def test_a_file_is_attached_and_saved_never_shown(product: Product) -> None:
    staff, contact = reader(product), await product.contact()
    path = f"/contacts/{contact}/interactions/{await logged(product, contact)}/attachments"

    went(await staff.post(path, files={"file": ("note.txt", b"hello", "text/plain")}))
    page = await staff.get(f"/contacts/{contact}")
    (link,) = re.findall(rf'href="({path}/[0-9a-f]{{32}})"', page.text)
    file = await staff.get(link)
    assert "note.txt" in page.text
    assert (file.content, file.headers["content-type"]) == (b"hello", "application/octet-stream")
    assert file.headers["content-disposition"].startswith("attachment")

    refused = await staff.post(path, files={"file": ("x.exe", b"MZ", "application/x-msdownload")}, fragment=True)
    large = await staff.post(path, files={"file": ("x.txt", b"x" * (5 * 1024 * 1024 + 1), "text/plain")}, fragment=True)
    page = await staff.post(path, files={"file": ("x.exe", b"MZ", "application/x-msdownload")})
    assert {refused.status_code, large.status_code, page.status_code} == {422}
    assert "at most 5 MB" in large.text
    assert "Nothing was changed" in page.text


async def follow_up(product: Product, title: str, **more: Any) -> str:
    body = {"contact": await product.contact(), "due": "2026-01-02T09:00:00Z", "title": title, **more}
    answer = await product.staff.post("/v1/follow-ups", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_follow_up_changes_its_day_and_its_owner(product: Product) -> None:
    staff, title = reader(product), f"Title {new_id()}"
    path = f"/follow-ups/{await follow_up(product, title)}"
    assert "Overdue" in (await staff.get("/today")).text
    form = {"version": "1", "was_due": "2026-01-02", "due": "2026-01-02", "assignee": ""}

    assert went(await staff.post(path, form)) == "/today"
    assert went(await staff.post(path, form | {"due": "2026-01-03"})) == "/today"
    assert (await staff.post(path, form | {"due": "2026-01-04"})).status_code == 412
    assert (await staff.post(path, form | {"version": "2", "due": "never"})).status_code == 422
    assert (await staff.post(path, form | {"version": "2", "assignee": new_id()})).status_code == 422
    went(await staff.post(path, form | {"version": "2", "assignee": product.keeper.cast["staff2"].id}))
    assert title not in (await staff.get("/today")).text
    assert title in (await reader(product, "staff2").get("/today")).text


async def test_a_file_is_looked_at_then_taken_in(product: Product) -> None:
    staff, job = reader(product), new_id()
    file = {"file": ("people.csv", CSV % new_id().encode(), "text/csv")}

    looked = await staff.post("/import", {"do": "check"}, files=file, fragment=True)
    assert "Nothing was stored yet" in looked.text
    assert "not taken" in looked.text
    page = await staff.post("/import", {"do": "check", "id": job}, files=file)
    assert filled(page)["id"] == [job]

    assert went(await staff.post("/import", {"do": "import", "id": job}, files=file)) == f"/import/{job}"
    assert went(await staff.post("/import", {"do": "import", "id": job}, files=file)) == f"/import/{job}"
    await asyncio.gather(*product.app.state.held.imports)
    done = await staff.get(f"/import/{job}")
    assert "Done." in done.text
    assert "hx-get" not in (await staff.get(f"/import/{job}", fragment=True)).text
    assert is_gone(await reader(product, "staff2").get(f"/import/{job}"))


async def test_no_file_of_contacts_is_refused(product: Product) -> None:
    staff, file = reader(product), {"file": ("x.csv", b"nothing at all", "text/csv")}

    for do in ("check", "import"):
        for fragment in (True, False):
            answer = await staff.post("/import", {"do": do}, files=file, fragment=fragment)
            assert answer.status_code == 422
            assert "no file of contacts" in answer.text


async def test_an_import_asks_again_while_it_runs(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, job, told = reader(product), new_id(), asyncio.Event()

    async def stands(*_: object) -> None:
        await told.wait()
        raise LookupError

    failures: list[BaseException] = []
    monkeypatch.setattr(importing.Import, "run", stands)
    monkeypatch.setattr(logs, "failure", failures.append)
    file = {"file": ("people.csv", CSV % new_id().encode(), "text/csv")}
    went(await staff.post("/import", {"do": "import", "id": job}, files=file))

    running = await staff.get(f"/import/{job}", fragment=True)
    assert f'hx-get="/import/{job}"' in running.text
    told.set()
    await asyncio.gather(*product.app.state.held.imports, return_exceptions=True)
    await asyncio.sleep(0)
    assert [type(one) for one in failures] == [LookupError]


async def test_counts_stand_in_their_address(product: Product) -> None:
    staff = reader(product)

    assert "people fit" not in (await staff.get("/contacts/counts")).text
    assert "fewer than 10" in (await staff.get("/contacts/counts?country=AQ&owner=me&quiet=90")).text
    many = await staff.get("/contacts/counts?country=AQ&owner=me&quiet=90&tag=x")
    unknown = await staff.get("/contacts/counts?tag=no-such-tag")
    assert "At most three" in many.text
    assert {many.status_code, unknown.status_code} == {422}


async def test_nothing_typed_finds_whom_one_worked_with(product: Product) -> None:
    staff, name = reader(product), f"Recent{new_id()[:8]}"
    await staff.get(f"/contacts/{await product.contact(family_name=name)}")

    assert name in (await staff.post("/contacts/search", {"q": ""}, fragment=True)).text


async def test_a_look_in_a_search_is_told_as_one(product: Product) -> None:
    staff, name = reader(product), f"Sought{new_id()[:8]}"
    contact = await product.contact(family_name=name)
    await staff.post("/contacts/search", {"q": name}, fragment=True)

    page = await staff.get(f"/contacts/{contact}")

    assert "In a search" in page.text
    assert "None given" not in page.text
