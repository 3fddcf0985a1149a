"""One's own page: what is left, what one did, and how one signs in."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.api.test_sessions import PASSWORD, new_person
from tests.keeper.home import Person
from tests.product import Product
from tests.web.readers import a_browser, secret_of, sign_in
from web import charts
from web.language import Tongue
from web.routes.me import CHART_DAYS, _by_day, _zones

ANOTHER = "another long password"


async def test_staff_see_what_is_left_and_others_do_not(product: Product) -> None:
    async with (
        a_browser(product.app, product.keeper.token("staff")) as staff,
        a_browser(product.app, product.keeper.token("auditor")) as auditor,
    ):
        theirs, other = (await staff.get("/me")).text, (await auditor.get("/me")).text

    assert "What is left of 24 hours" in theirs
    assert "What is left of 24 hours" not in other
    assert "Reason to begin with" not in other
    assert "Read who looked at whom" in other


async def test_a_lift_is_asked_once_and_waits(product: Product) -> None:
    name = await new_person(product, "staff")
    async with a_browser(product.app) as client:
        await sign_in(client, name)

        asked = await client.post("/me/lift")
        page = (await client.get(asked.headers["location"])).text
        await client.post("/me/lift")

    waiting = (await product.auditor.get("/v1/decisions")).json()["decisions"]
    person = next(one["id"] for one in (await product.admin.get("/v1/people")).json()["people"] if one["name"] == name)
    mine = [one for one in waiting if (one["what"], one["about"]) == ("lift", person)]
    assert asked.headers["location"] == "/me?done=lift"
    assert len(mine) == 1
    assert "It waits for an auditor" in page
    assert "Ask for more" not in page


async def test_a_lift_that_is_granted_shows(product: Product) -> None:
    async with a_browser(product.app) as client:
        await sign_in(client, await new_person(product, "staff"))
        await client.post("/me/lift")
        me = await client.get("/me")
        assert "lifted for this hour" not in me.text
        waiting = (await product.auditor.get("/v1/decisions")).json()["decisions"]
        asked = [one for one in waiting if one["what"] == "lift" and one["verdict"] is None]

        await product.auditor.post(f"/v1/decisions/{asked[-1]['id']}", json={"verdict": "approve"})

        after = (await client.get("/me")).text
    assert "lifted for this hour" in after
    assert "Ask for more" in after


async def test_a_lift_that_does_not_reach_the_keeper_is_told(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_browser(product.app, product.keeper.token("staff")) as client:
        monkeypatch.setattr(product.app.state.held.keeper, "_timeout_s", 0.0)

        answer = await client.post("/me/lift")

    assert answer.status_code == 503
    assert "The keeper does not answer" in answer.text


@pytest.mark.parametrize(
    ("old", "new", "again", "told"),
    [
        ("not the one", ANOTHER, ANOTHER, "The old password does not fit."),
        (PASSWORD, ANOTHER, "another long passwort", "The two new ones are not the same."),
        (PASSWORD, "short", "short", "A password has 12 to 1,024 characters."),
    ],
)
async def test_a_password_that_is_not_taken_is_told_why(
    product: Product, old: str, new: str, again: str, told: str
) -> None:
    async with a_browser(product.app) as client:
        await sign_in(client, await new_person(product, "product"))

        answer = await client.post("/me/password", data={"old": old, "new": new, "again": again})

    assert answer.status_code == 422
    assert told in answer.text
    assert not any(f'value="{typed}"' in answer.text for typed in (old, new, again))


async def test_a_password_that_is_taken_ends_the_other_sessions(product: Product) -> None:
    name = await new_person(product, "product")
    async with a_browser(product.app) as one, a_browser(product.app) as two:
        await sign_in(one, name)
        await sign_in(two, name)

        answer = await one.post("/me/password", data={"old": PASSWORD, "new": ANOTHER, "again": ANOTHER})

        page = (await one.get(answer.headers["location"])).text
        assert (await two.get("/me")).status_code == 303
        assert (await sign_in(two, name, password=ANOTHER)).status_code == 303
    assert "every other session of yours has ended" in page


async def test_guessing_the_old_password_has_an_end(product: Product) -> None:
    async with a_browser(product.app) as client:
        await sign_in(client, await new_person(product, "product"))
        form = {"old": "not the one", "new": ANOTHER, "again": ANOTHER}

        answers = [await client.post("/me/password", data=form) for _ in range(11)]

    assert {answer.status_code for answer in answers[:10]} == {422}
    assert answers[-1].status_code == 429
    assert "Wait 10 minutes." in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) > 500


async def test_a_second_factor_is_enrolled_by_its_first_code(product: Product) -> None:
    name = await new_person(product, "product")
    async with a_browser(product.app) as client:
        await sign_in(client, name)
        assert "Begin" in (await client.get("/me/factor")).text
        shown = await client.post("/me/factor")
        person = Person("", name, ["product"], "", secret_of(shown))

        wrong = await client.post("/me/factor/confirm", data={"code": "000000"})
        right = await client.post("/me/factor/confirm", data={"code": person.code(-1)})
        has = (await client.get("/me/factor")).text
        client.cookies.clear()
        asked = await sign_in(client, name)
        refused = await sign_in(client, name, totp="000000")
        signed = await sign_in(client, name, totp=person.code())

    assert 'class="chart-qr"' in shown.text
    assert wrong.status_code == 422
    assert person.totp not in wrong.text.replace(" ", "")
    assert right.headers["location"] == "/me?done=factor"
    assert "You have one" in has
    assert (asked.status_code, refused.status_code, signed.status_code) == (401, 401, 303)
    assert "One more step" in asked.text
    assert f'value="{name}"' in asked.text
    assert PASSWORD not in asked.text
    assert all('<details class="door-more" open>' in answer.text for answer in (asked, refused))


async def test_a_code_without_an_enrolment_begins_anew(product: Product) -> None:
    async with a_browser(product.app) as client:
        await sign_in(client, await new_person(product, "product"))

        answer = await client.post("/me/factor/confirm", data={"code": "123456"})

    assert answer.status_code == 422
    assert "begin again" in answer.text


async def test_the_log_is_ones_own_and_has_pages(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.routes.me.LOG_PAGE", 2)
    async with a_browser(product.app) as client:
        await sign_in(client, await new_person(product, "product"))
        await client.post("/me/factor")

        first = (await client.get("/me/log")).text
        older = first.partition('href="/me/log?after=')[2].partition('"')[0]
        second = (await client.get(f"/me/log?after={older}")).text
        past = (await client.get("/me/log?after=0")).text

    assert "Began a second factor" in first
    assert "Signed in" in first
    assert "Took up the invitation" in second
    assert "Newest" in second
    assert "Newest" in past
    assert "Nothing older" in past


@pytest.mark.parametrize("path", ["/me?done=else", "/me/log?after=-1", "/me/log?after=x"])
async def test_a_parameter_of_no_list_is_refused_and_not_quoted(product: Product, path: str) -> None:
    async with a_browser(product.app, product.keeper.token("product")) as client:
        answer = await client.get(path)

    assert answer.status_code == 422
    assert "else" not in answer.text.partition("<main")[2]


async def test_zone_and_theme_are_chosen_and_keep(product: Product) -> None:
    async with a_browser(product.app, product.keeper.token("staff")) as client:
        assert 'data-zone="UTC"' in (await client.get("/me")).text

        form = {"zone": "Asia/Tokyo", "theme": "dark", "next": "/me?done=look"}
        answer = await client.post("/look", data=form)
        page = (await client.get(answer.headers["location"])).text

    assert 'data-theme="dark"' in page
    assert "<option selected>Asia/Tokyo</option>" in page
    assert "data-zone" not in page


async def test_a_zone_by_another_name_is_still_chosen(product: Product) -> None:
    assert "Etc/GMT+3" not in _zones()
    async with a_browser(product.app, product.keeper.token("staff")) as client:
        await client.post("/look", data={"zone": "Etc/GMT+3", "next": "/me"})

        assert "<option selected>Etc/GMT+3</option>" in (await client.get("/me")).text


def test_days_are_counted_within_the_window_alone() -> None:
    told = Tongue("en", ZoneInfo("Europe/Berlin"), datetime(2026, 11, 24, 12, tzinfo=UTC))
    # Half past eleven in London is the next day in Berlin.
    late = {"at": "2026-11-23T23:30:00Z"}
    old = {"at": (told.now - timedelta(days=CHART_DAYS)).isoformat()}

    days = _by_day([late, late, old], told, told.today())

    assert len(days) == CHART_DAYS
    assert days[told.today()] == 2
    assert sum(days.values()) == 2


@pytest.mark.parametrize(
    ("used", "most", "width"), [(0, 150, 0), (1, 150, 1), (75, 150, 50), (450, 150, 100), (0, 0, 0)]
)
def test_a_bar_is_as_long_as_what_is_used(used: int, most: int, width: int) -> None:
    assert f'class="chart-bar" width="{width}"' in charts.bar(used, most, "x")


def test_a_square_says_what_it_was_given() -> None:
    drawn, other = charts.qr("otpauth://one", "<b>"), charts.qr("otpauth://two", "<b>")

    assert "&lt;b&gt;" in drawn
    assert drawn != other
    assert "style" not in drawn
