"""The edge of a session: whose it is, how it ends, and what another site or a large body can do to it."""

from httpx import AsyncClient

from crm.kit.ids import new_id
from tests.api.test_sessions import PASSWORD, new_person
from tests.product import Product
from tests.web.pages import OURS
from tests.web.readers import SESSION, a_browser, sign_in


async def sessions_of(client: AsyncClient) -> int:
    return (await client.get("/me")).text.count('<span class="quiet block">password</span>')


async def test_the_cookie_is_for_this_host_alone_and_no_script_reads_it(product: Product) -> None:
    async with a_browser(product.app) as client:
        answer = await sign_in(client, await new_person(product, "product"))

    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert cookie.startswith(f"{SESSION}=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_wrong_names_and_passwords_are_told_alike_and_no_password_comes_back(product: Product) -> None:
    name = await new_person(product, "product")

    wrong = await sign_in(product.nobody, name, password="entirely wrong one")
    unknown = await sign_in(product.nobody, "nobody <b>of</b> this name", password="entirely wrong one")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    for answer in (wrong, unknown):
        assert "do not go together" in answer.text
        assert "entirely wrong one" not in answer.text
        assert "set-cookie" not in answer.headers
    assert f'value="{name}"' in wrong.text
    assert "nobody &lt;b&gt;of&lt;/b&gt; this name" in unknown.text


async def test_too_many_attempts_are_told_for_how_long(product: Product) -> None:
    name = await new_person(product, "product")

    answers = [await sign_in(product.nobody, name, password="entirely wrong one") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "Wait 10 minutes" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) in range(590, 601)


async def test_the_way_back_never_leads_to_another_site(product: Product) -> None:
    name = await new_person(product, "product")
    for back in ("https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example", "/me\r\nx: y", ""):
        answer = await sign_in(product.nobody, name, next=back)
        product.nobody.cookies.clear()

        assert answer.headers["location"] == "/", back


async def test_a_stolen_cookie_opens_nothing_after_signing_out(product: Product) -> None:
    async with a_browser(product.app) as client:
        await sign_in(client, await new_person(product, "staff"))
        stolen = client.cookies[SESSION]
        assert (await client.get("/today")).status_code == 200

        out = await client.post("/sign-out", headers=OURS)

        assert (out.headers["location"], out.headers["clear-site-data"]) == ("/sign-in", '"cache", "storage"')
        assert SESSION not in client.cookies
        client.cookies.set(SESSION, stolen)
        assert (await client.get("/today")).headers["location"] == "/sign-in?next=/today"


async def test_the_door_leads_back_to_ids_and_never_to_what_was_typed_for_one(product: Product) -> None:
    async with a_browser(product.app) as client:
        for step, back in (("0" * 32, f"/contacts/{'0' * 32}"), ("ada@example.org", "/")):
            assert (await client.get(f"/contacts/{step}")).headers["location"] == f"/sign-in?next={back}"


async def test_everywhere_ends_the_other_tabs_and_nobody_elses(product: Product) -> None:
    name, other = await new_person(product, "product"), await new_person(product, "product")
    async with a_browser(product.app) as one, a_browser(product.app) as two, a_browser(product.app) as third:
        await sign_in(one, name)
        await sign_in(two, name)
        await sign_in(third, other)
        assert (await sessions_of(one), await sessions_of(third)) == (2, 1)

        await one.post("/sign-out", data={"everywhere": "yes"}, headers=OURS)

        assert (await two.get("/me")).status_code == 303
        assert (await third.get("/me")).status_code == 200


async def test_signing_out_of_one_tab_leaves_the_other(product: Product) -> None:
    name = await new_person(product, "product")
    async with a_browser(product.app) as one, a_browser(product.app) as two:
        await sign_in(one, name)
        await sign_in(two, name)

        await one.post("/sign-out", headers=OURS)

        assert (await two.get("/me")).status_code == 200


async def test_a_role_that_is_taken_away_ends_the_session(product: Product) -> None:
    name = await new_person(product, "staff")
    async with a_browser(product.app) as client:
        await sign_in(client, name)
        people = (await product.admin.get("/v1/people")).json()["people"]
        person = next(one["id"] for one in people if one["name"] == name)
        asked = await product.admin.patch(f"/v1/people/{person}", json={"roles": ["product"]})
        assert (await client.get("/contacts")).status_code == 200

        await product.auditor.post(f"/v1/decisions/{asked.json()['decision']}", json={"verdict": "approve"})

        assert (await client.get("/contacts")).status_code == 303
        await sign_in(client, name)
        assert (await client.get("/contacts")).status_code == 403


async def test_an_account_that_ends_ends_its_session(product: Product) -> None:
    name = await new_person(product, "staff")
    async with a_browser(product.app) as client:
        await sign_in(client, name)
        people = (await product.admin.get("/v1/people")).json()["people"]
        person = next(one["id"] for one in people if one["name"] == name)

        await product.admin.patch(f"/v1/people/{person}", json={"state": "left"})

        assert (await client.get("/contacts")).status_code == 303


async def test_another_site_signs_nobody_in(product: Product) -> None:
    name = await new_person(product, "product")
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}, {}):
        form = {"name": name, "password": PASSWORD}

        answer = await product.nobody.post("/sign-in", data=form, headers=headers)

        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), headers


async def test_odd_cookies_are_nobody(product: Product) -> None:
    for value in ("", "x" * 43, "x" * 5000, '"; DROP', "%00"):
        product.nobody.cookies.set(SESSION, value)

        assert (await product.nobody.get("/me")).status_code == 303, value[:20]


async def test_a_body_of_ten_megabytes_is_refused_as_a_page(product: Product) -> None:
    for path in ("/sign-in", "/invitation", "/look"):
        answer = await product.nobody.post(path, data={"name": "x" * 10_000_000}, headers=OURS)

        assert answer.status_code == 413, path
        assert "Nothing of it was kept" in answer.text


async def test_a_name_of_markup_of_both_directions_and_of_pictures_is_a_name(product: Product) -> None:
    name = f"<b>\u202eeve\u202c</b> \U0001f9d1\u200d\U0001f4bb {new_id()[:6]}"
    asked = (await product.admin.post("/v1/people", json={"name": name, "roles": ["product"]})).json()
    accepted = await product.nobody.post("/v1/invitations", json={"code": asked["code"], "password": PASSWORD})
    assert accepted.status_code == 201
    async with a_browser(product.app) as client:
        await sign_in(client, name)

        page = (await client.get("/me")).text

    assert "<b>" not in page
    assert f"<bdi>{name.replace('<b>', '&lt;b&gt;').replace('</b>', '&lt;/b&gt;')}</bdi>" in page
