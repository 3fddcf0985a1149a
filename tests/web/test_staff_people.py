"""Making, changing, merging and erasing people and companies on pages: what is typed, and what stands then."""

import pytest

from crm.contacts import service
from crm.errors import KeeperUnavailable
from crm.kit.ids import new_id
from tests.product import Product
from tests.web.staff import filled, is_gone, reader, went


async def test_somebody_new_with_two_addresses(product: Product) -> None:
    staff, address = reader(product), f"{new_id()}@example.org"
    form = filled(await staff.get("/contacts/new"))

    place = went(
        await staff.post(
            "/contacts/new",
            {**form, "given_name": "Marta", "emails": [address, f"x{address}", ""], "phones": [""], "note": "a\r\nb",
             "address_street": ["Ringvägen 98", ""], "address_postcode": ["", ""], "address_city": ["Stockholm", ""],
             "address_region": ["", ""], "address_country": ["", ""]},
        )
    )  # fmt: skip

    contact = await product.opened(place.rpartition("/")[2])
    assert place == f"/contacts/{form['id'][0]}"
    assert contact["identity"] == {"given_name": "Marta"}
    assert contact["channels"]["emails"] == [address, f"x{address}"]
    assert contact["channels"]["addresses"][0]["city"] == "Stockholm"
    assert contact["profile"] == {"note": "a\nb"}


async def test_sending_it_twice_makes_one(product: Product) -> None:
    staff = reader(product)
    form = filled(await staff.get("/contacts/new")) | {"given_name": "Twice", "emails": [f"{new_id()}@example.org"]}

    assert went(await staff.post("/contacts/new", form)) == went(await staff.post("/contacts/new", form))


async def test_a_twin_is_shown_before_anything_is_made(product: Product) -> None:
    staff, address = reader(product), f"{new_id()}@example.org"
    await product.contact(given_name="Elder", emails=[address])

    warned = await staff.post("/contacts/new", {"given_name": "Younger", "emails": address}, fragment=True)
    assert warned.status_code == 409
    assert "Elder" in warned.text
    assert filled(warned)["given_name"] == ["Younger"]

    assert went(await staff.post("/contacts/new", filled(warned) | {"confirm": "yes"})).startswith("/contacts/")


async def test_nobody_and_nonsense_come_back_as_typed(product: Product) -> None:
    staff = reader(product)

    empty = await staff.post("/contacts/new", {})
    wrong = await staff.post("/contacts/new", {"given_name": "Kept", "emails": "no address", "time_zone": "Mars/X"})
    retired = await staff.post("/contacts/new", {"given_name": "Kept", "stage": "no such stage"})

    assert {empty.status_code, wrong.status_code, retired.status_code} == {422}
    assert "needs a name" in empty.text
    assert filled(wrong)["given_name"] == ["Kept"]
    assert "not an e-mail address" in wrong.text
    assert "no such term" in retired.text


async def test_only_what_was_changed_is_written(product: Product) -> None:
    staff = reader(product)
    contact = await product.contact(given_name="Ada", job_title="Poet", emails=[f"{new_id()}@example.org"])
    form = filled(await staff.get(f"/contacts/{contact}/edit", fragment=True))

    assert (
        went(await staff.post(f"/contacts/{contact}/edit", form | {"job_title": "Engineer"})) == f"/contacts/{contact}"
    )
    assert (await product.opened(contact))["identity"] == {"given_name": "Ada", "job_title": "Engineer"}

    form = filled(await staff.get(f"/contacts/{contact}/edit"))
    assert went(await staff.post(f"/contacts/{contact}/edit", form)) == f"/contacts/{contact}"
    assert filled(await staff.get(f"/contacts/{contact}/edit"))["etag"] == form["etag"]


async def test_whoever_is_too_late_sees_both(product: Product) -> None:
    staff, other = reader(product), reader(product, "staff2")
    contact = await product.contact(given_name="Ada", job_title="Poet")
    mine, theirs = [filled(await one.get(f"/contacts/{contact}/edit")) for one in (staff, other)]
    went(await other.post(f"/contacts/{contact}/edit", theirs | {"job_title": "Countess", "company": "Lovelace"}))

    late = await staff.post(f"/contacts/{contact}/edit", mine | {"job_title": "Engineer"}, fragment=True)

    assert late.status_code == 412
    assert "<strong>Countess</strong>" in late.text
    assert filled(late)["job_title"] == ["Engineer"]
    went(await staff.post(f"/contacts/{contact}/edit", filled(late)))
    assert (await product.opened(contact))["identity"] == {
        "given_name": "Ada", "job_title": "Engineer", "company": "Lovelace",
    }  # fmt: skip


async def test_a_wrong_change_comes_back_as_typed(product: Product) -> None:
    staff, contact = reader(product), await product.contact(given_name="Ada")
    form = filled(await staff.get(f"/contacts/{contact}/edit"))

    for change in ({"emails": "no address"}, {"stage": "no such stage"}):
        answer = await staff.post(f"/contacts/{contact}/edit", form | change | {"job_title": "Typed"})
        assert answer.status_code == 422
        assert filled(answer)["job_title"] == ["Typed"]


async def test_half_way_nothing_is_lost_but_the_answer(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    staff = reader(product)

    async def dies(*_: object, **__: object) -> None:
        raise KeeperUnavailable

    monkeypatch.setattr(service, "create", dies)
    answer = await staff.post("/contacts/new", {"given_name": "Half"}, fragment=True)

    assert answer.status_code == 503
    assert "nothing is lost" in answer.text
    assert "<form" not in answer.text


async def test_a_company_and_somebody_there(product: Product) -> None:
    staff, name = reader(product), f"Firma {new_id()[:8]}"
    place = went(await staff.post("/companies/new", {"company": name, "emails": f"{new_id()}@example.org"}))
    company = place.rpartition("/")[2]
    form = filled(await staff.get(f"/contacts/new?company={company}"))
    assert form["company"] == [name]
    contact = went(await staff.post("/contacts/new", form | {"company_id": ["", company], "given_name": "Zoe"}))

    page = await staff.get(place)
    found = await staff.post("/companies/search", {"q": name}, fragment=True)
    assert "Zoe" in page.text
    assert company in found.text
    assert f'href="{place}"' in (await staff.get("/contacts")).text

    went(await staff.post(f"{contact}/edit", filled(await staff.get(f"{contact}/edit")) | {"company_id": ""}))
    assert "Zoe" not in (await staff.get(place)).text


async def test_a_company_keeps_a_name_and_has_twins(product: Product) -> None:
    staff, address = reader(product), f"{new_id()}@example.org"
    place = went(await staff.post("/companies/new", {"company": "Acme", "emails": address}))

    assert (await staff.post("/companies/new", {"company": ""})).status_code == 422
    assert (await staff.post("/companies/new", {"company": "Other", "emails": address})).status_code == 409
    form = filled(await staff.get(f"{place}/edit"))
    assert (await staff.post(f"{place}/edit", form | {"company": ""})).status_code == 422
    assert went(await staff.post(f"{place}/edit", form | {"company": "Acme AG"})) == place
    assert "Acme AG" in (await staff.get(place)).text
    assert "Type at least three" in (await staff.post("/companies/search", {"q": "a"})).text
    assert "Which company?" in (await staff.post("/companies/search", {"q": ""})).text


async def test_two_become_one_and_two_again(product: Product) -> None:
    staff, name = reader(product), f"Zwilling{new_id()[:8]}"
    stays = await product.contact(given_name="Marta", family_name=name)
    goes = await product.contact(given_name="Martha", family_name=name, job_title="Buyer")

    found = await staff.post(f"/contacts/{stays}/merge/search", {"q": name}, fragment=True)
    assert f"with={goes}" in found.text
    assert f"with={stays}" not in found.text
    compared = await staff.get(f"/contacts/{stays}/merge?with={goes}")
    assert filled(compared)["take"] == ["job_title"]

    done = went(await staff.post(f"/contacts/{stays}/merge", {"with": goes, "take": "job_title"}))
    assert (await product.opened(stays))["identity"]["job_title"] == "Buyer"
    assert is_gone(await staff.get(f"/contacts/{goes}"))
    assert f"/contacts/{goes}/merge/undo" in (await staff.get(done)).text

    assert went(await staff.post(f"/contacts/{goes}/merge/undo")) == f"/contacts/{goes}"
    assert (await staff.get(f"/contacts/{goes}")).status_code == 200


async def test_nobody_is_merged_with_themselves(product: Product) -> None:
    staff, contact = reader(product), await product.contact()

    assert is_gone(await staff.get(f"/contacts/{contact}/merge?with={contact}"))
    assert (await staff.post(f"/contacts/{contact}/merge", {"with": contact})).status_code == 422
    assert "Type at least three" in (await staff.post(f"/contacts/{contact}/merge/search", {"q": "a"})).text


async def test_erased_by_one_and_kept_by_another(product: Product) -> None:
    staff, other, contact = reader(product), reader(product, "staff2"), await product.contact(given_name="Going")
    assert "Going" in (await staff.get(f"/contacts/{contact}/erase")).text
    assert (await staff.post(f"/contacts/{contact}/erase", {"ground": "boredom"})).status_code == 422

    cancel = went(await staff.post(f"/contacts/{contact}/erase", {"ground": "request"}))
    assert is_gone(await staff.get(f"/contacts/{contact}"))
    assert is_gone(await staff.get(f"/contacts/{contact}/erase"))
    same = await staff.post(cancel)
    assert same.status_code == 403
    assert "takes a second person" in same.text

    assert went(await other.post((await other.get(cancel)).url.path)) == f"/contacts/{contact}"
    assert "Going" in (await staff.get(f"/contacts/{contact}")).text


async def test_consent_is_given_withdrawn_and_objected_to(product: Product) -> None:
    staff, contact = reader(product), await product.contact(given_name="Ada")
    topic, wording = f"News {new_id()[:6]}", f"Write to me {new_id()[:6]}"
    await product.term("topic", topic)
    await product.term("wording", wording)
    path = f"/contacts/{contact}/consents"
    said = {"topic": topic, "channel": "email", "source": "call", "wording": wording, "id": new_id()}

    assert went(await staff.post(path, {**said, "state": "given"})) == path
    assert wording in (await staff.get(path)).text
    wrong = await staff.post(path, {"state": "given", "topic": topic, "source": "call"})
    future = await staff.post(path, {**said, "id": "", "state": "given", "at": "2199-01-01T10:00"})
    nonsense = await staff.post(path, {**said, "id": "", "state": "given", "at": "yesterday"})
    assert {wrong.status_code, future.status_code, nonsense.status_code} == {422}
    assert "not been said yet" in future.text

    privacy = reader(product, "privacy")
    went(await privacy.post(path, {"state": "objected", "source": "letter"}))
    page = await privacy.get(path)
    assert "Objected on" in page.text
    assert "Ada" not in page.text
