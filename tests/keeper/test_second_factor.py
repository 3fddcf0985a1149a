"""One-time codes: enrolled once, asked for from then on, and each good for one time."""

import pytest

from crm.errors import SecondFactorRequired, Stale, Unauthenticated
from crm.kit.pii import Pii
from tests.keeper.conftest import MakeHome
from tests.keeper.home import PASSWORD, KeeperHome, Person
from tests.keeper.talk import last, sign_in


@pytest.fixture
async def strict(make_home: MakeHome) -> KeeperHome:
    return await make_home(second_factor="required", clock=True)


async def newcomer(home: KeeperHome) -> str:
    """Bring somebody in who has no second factor yet; returns the token of a session."""
    web = await home.client()
    asked = await web.invite(home.token("admin"), "Nora", ["product"])
    await web.accept(asked["code"], Pii(PASSWORD))
    signed = await web.sign_in("Nora", Pii(PASSWORD))
    assert signed.second_factor == "enrol"
    return signed.token.reveal()


async def test_an_account_with_a_code_asks_for_it(strict: KeeperHome) -> None:
    web, staff = await strict.client(), strict.cast["staff"]

    with pytest.raises(SecondFactorRequired):
        await web.sign_in("staff", Pii(PASSWORD))
    with pytest.raises(Unauthenticated):
        await web.sign_in("staff", Pii(PASSWORD), Pii("000000"))
    signed = await web.sign_in("staff", Pii(PASSWORD), Pii(staff.code()))

    assert signed.second_factor == "totp"
    assert (await web.me(signed.token.reveal()))["factors"] == ["password", "totp"]
    assert last(strict)["factors"] == "password+totp"


async def test_a_code_is_good_once(strict: KeeperHome) -> None:
    web, code = await strict.client(), strict.cast["staff"].code()
    await web.sign_in("staff", Pii(PASSWORD), Pii(code))

    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await web.sign_in("staff", Pii(PASSWORD), Pii(code))


async def test_a_used_code_stays_used_over_a_restart(strict: KeeperHome) -> None:
    web, code = await strict.client(), strict.cast["staff"].code()
    await web.sign_in("staff", Pii(PASSWORD), Pii(code))
    strict.stop()
    strict.start()
    web = await strict.client()

    with pytest.raises(Unauthenticated):
        await web.sign_in("staff", Pii(PASSWORD), Pii(code))


async def test_the_code_of_half_a_minute_ago_is_good_and_older_ones_are_not(strict: KeeperHome) -> None:
    web, staff = await strict.client(), strict.cast["staff"]
    assert strict.clock
    strict.clock.advance(minutes=5)

    for steps in (7, 8, 12, 13):
        with pytest.raises(Unauthenticated):
            await web.sign_in("staff", Pii(PASSWORD), Pii(staff.code(steps)))
    assert (await web.sign_in("staff", Pii(PASSWORD), Pii(staff.code(10)))).second_factor == "totp"


async def test_a_code_is_not_good_without_the_password(strict: KeeperHome) -> None:
    web = await strict.client()

    with pytest.raises(Unauthenticated):
        await web.sign_in("staff", Pii("not the password at all"), Pii(strict.cast["staff"].code()))


async def test_without_a_factor_nothing_but_enrolling_is_done(strict: KeeperHome) -> None:
    web, token = await strict.client(), await newcomer(strict)

    assert (await web.me(token))["factors"] == ["password"]
    for attempt in (web.colleagues(token), web.sessions(token), web.my_log(token), web.record(token, "owner")):
        with pytest.raises(SecondFactorRequired):
            await attempt
    refused = last(strict, "refused")
    assert (refused["outcome"], refused["what"]) == ("second-factor-required", "record")

    secret = (await web.enrol_totp(token))["secret"].reveal()
    person = Person("", "Nora", [], token, secret)
    with pytest.raises(Unauthenticated):
        await web.confirm_totp(token, Pii("000000"))
    await web.confirm_totp(token, Pii(person.code()))

    # This session is whole now; the next one asks for a code.
    assert await web.colleagues(token)
    assert [row["factors"] for row in await web.sessions(token)] == ["password+totp"]
    with pytest.raises(SecondFactorRequired):
        await web.sign_in("Nora", Pii(PASSWORD))


async def test_a_session_begun_before_the_enrolment_stays_half(strict: KeeperHome) -> None:
    web, token = await strict.client(), await newcomer(strict)
    other = (await web.sign_in("Nora", Pii(PASSWORD))).token.reveal()
    secret = (await web.enrol_totp(token))["secret"].reveal()
    await web.confirm_totp(token, Pii(Person("", "Nora", [], token, secret).code()))

    with pytest.raises(SecondFactorRequired):
        await web.colleagues(other)


async def test_a_factor_is_enrolled_once(strict: KeeperHome) -> None:
    web = await strict.client()

    with pytest.raises(Stale):
        await web.enrol_totp(strict.token("staff"))
    with pytest.raises(Stale):
        await web.confirm_totp(strict.token("staff"), Pii("000000"))


async def test_the_link_for_the_authenticator_names_the_person(home: KeeperHome) -> None:
    web = await home.client()

    asked = await web.enrol_totp(home.token("staff"))

    uri = asked["uri"].reveal()
    assert uri.startswith("otpauth://totp/Kept:staff?")
    assert f"secret={asked['secret'].reveal()}" in uri
    assert asked["secret"].reveal() not in repr(asked)


async def test_where_it_is_optional_a_factor_counts_once_enrolled(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")
    secret = (await web.enrol_totp(token))["secret"].reveal()
    assert await sign_in(web, "staff"), "an enrolment that was not confirmed asks for nothing"
    person = Person("", "staff", [], token, secret)

    await web.confirm_totp(token, Pii(person.code()))

    with pytest.raises(SecondFactorRequired):
        await web.sign_in("staff", Pii(PASSWORD))
    home.stop()
    assert secret.encode() not in home.file.read_bytes(), "the secret is sealed in the file"


async def test_an_enrolment_begun_again_forgets_the_first_secret(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")
    first = (await web.enrol_totp(token))["secret"].reveal()
    second = (await web.enrol_totp(token))["secret"].reveal()

    with pytest.raises(Unauthenticated):
        await web.confirm_totp(token, Pii(Person("", "staff", [], token, first).code()))
    await web.confirm_totp(token, Pii(Person("", "staff", [], token, second).code()))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "0" * 5000])
async def test_what_is_no_code_is_refused(strict: KeeperHome, code: str) -> None:
    web = await strict.client()

    with pytest.raises((Unauthenticated, SecondFactorRequired)):
        await web.sign_in("staff", Pii(PASSWORD), Pii(code))
