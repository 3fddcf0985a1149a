"""Passkeys: made for this site and its holder, good alone, each ceremony once; and proofs that do not last."""

import asyncio
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webauthn.helpers import base64url_to_bytes

from crm.errors import (
    CrmError,
    Invalid,
    KeeperUnavailable,
    NotFound,
    OverBudget,
    ProofRequired,
    SecondFactorRequired,
    Stale,
    TooLarge,
    Unauthenticated,
)  # fmt: skip
from crm.keeper import policy
from crm.keeper.people import CEREMONIES
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.keeper.authenticator import SYNCED, UP, Authenticator
from tests.keeper.conftest import MakeHome
from tests.keeper.home import PASSWORD, KeeperHome, Person, invitation
from tests.keeper.talk import entries, last, sign_in

OTHER_PASSWORD = "another horse battery"
APPROVE = "https://approve.example.org"


@pytest.fixture
async def strict(make_home: MakeHome) -> KeeperHome:
    return await make_home(second_factor="required", clock=True)


async def enrolled(web: Keeper, token: str, key: Authenticator | None = None) -> tuple[Authenticator, str]:
    """Enrol a passkey for a session's person; returns it with its id."""
    key = key or Authenticator()
    made = await web.passkey_add(token, key.made(await web.challenge(token)))
    return key, str(made["id"])


async def by_passkey(web: Keeper, key: Authenticator, **wrong: Any) -> str:
    """Sign in with a passkey alone; returns the token."""
    return (await web.sign_in_by_passkey(key.signed(await web.challenge(), **wrong))).token.reveal()


async def newcomer(home: KeeperHome, web: Keeper, role: str = "product") -> str:
    """Bring somebody in who has no second factor yet; returns the token of a session."""
    await web.accept(await invitation(home, web, "Nora", [role]), Pii(PASSWORD))
    return await sign_in(web, "Nora")


# Enrolling, and signing in alone


@pytest.mark.parametrize("kind", ["es256", "ed25519"])
async def test_a_passkey_signs_in_alone(home: KeeperHome, kind: str) -> None:
    web, staff = await home.client(), home.cast["staff"]
    key, id_ = await enrolled(web, staff.token, Authenticator(kind))
    key.handle = staff.id

    signed = await web.sign_in_by_passkey(key.signed(await web.challenge()))

    assert (signed.person["id"], signed.second_factor) == (staff.id, "passkey")
    assert (await web.me(signed.token.reveal()))["factors"] == ["password", "passkey"]
    entry = last(home, "sign_in")
    assert (entry["actor"], entry["factors"]) == (staff.id, "passkey")
    added = last(home, "passkey_add")
    assert (added["actor"], added["passkey"], added["synced"]) == (staff.id, id_, False)
    (row,) = await web.passkeys(staff.token)
    assert (row["id"], row["credential"]) == (id_, key.credential)
    assert entries(home, "sign_in")[0]["at"] < row["made_at"] < entry["at"]


async def test_a_synced_passkey_is_told_and_stays_at_nought(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")
    key = Authenticator()
    await web.passkey_add(token, key.made(await web.challenge(token), flags=SYNCED))

    for _ in range(3):
        assert await by_passkey(web, key, flags=SYNCED)
    assert last(home, "passkey_add")["synced"] is True


async def test_from_then_on_a_password_alone_is_not_enough(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")
    await enrolled(web, token)

    for code in (None, Pii("000000")):
        with pytest.raises(SecondFactorRequired):
            await web.sign_in("staff", Pii(PASSWORD), code)
    with pytest.raises(Unauthenticated):
        await web.sign_in("staff", Pii("not the password at all"))


async def test_a_passkey_makes_a_session_whole_where_a_factor_is_required(strict: KeeperHome) -> None:
    web = await strict.client()
    token = await newcomer(strict, web)
    half = await sign_in(web, "Nora")
    with pytest.raises(SecondFactorRequired):
        await web.colleagues(token)

    key, _ = await enrolled(web, token)

    assert await web.colleagues(token)
    assert {row["factors"] for row in await web.sessions(token)} == {"password+passkey", "password"}
    plain = await strict.plain_client()
    for attempt in (plain.enrol_totp(half), plain.passkey_add(half, Authenticator().made(await web.challenge(half)))):
        with pytest.raises(ProofRequired):  # the password is not enough to add a factor of one's own any more
            await attempt
    with pytest.raises(SecondFactorRequired):
        await web.prove(half, Pii(PASSWORD))
    await web.prove(half, passkey=key.signed(await web.challenge(half)))
    assert await web.colleagues(half)


async def test_a_passkey_survives_a_restart_and_a_lost_file(strict: KeeperHome, tmp_path: Path) -> None:
    web, host = await strict.client(), await strict.client("admin")
    key, _ = await enrolled(web, strict.token("staff"), Authenticator(counter=5))
    made = await host.call("backup", to=str(tmp_path / "backups"))
    second, _ = await enrolled(web, strict.token("staff"))
    key.counter = 6
    await by_passkey(web, key)
    strict.stop()
    strict.file.unlink()
    done = strict.call("restore", "--snapshot", made["snapshot"], "--key", strict.vkey)
    assert done.returncode == 0, done.stderr
    assert strict.start(), strict.stderr()
    web = await strict.client()

    with pytest.raises(Unauthenticated):
        await by_passkey(web, key)  # the counter came back too
    key.counter = 7
    for one in (key, second):
        assert await by_passkey(web, one)


async def test_a_passkey_of_before_a_kill_is_there_after(home: KeeperHome) -> None:
    web = await home.client()
    key, _ = await enrolled(web, home.token("staff"))
    home.kill()
    assert home.start()

    assert await by_passkey(await home.client(), key)


async def test_the_same_id_again_answers_as_the_first_time(home: KeeperHome) -> None:
    web, token, id_, key = await home.client(), home.token("staff"), new_id(), Authenticator()
    made = key.made(await web.challenge(token))

    answers = [await web.passkey_add(token, made, id_) for _ in range(2)]

    assert answers == [{"id": id_}] * 2
    assert len(entries(home, "passkey_add")) == len(await web.passkeys(token)) == 1
    for bad in (id_, "no-id"):  # another's, and none
        other = home.token("staff2")
        with pytest.raises(Stale):
            await web.passkey_add(other, Authenticator().made(await web.challenge(other)), bad)


async def test_a_credential_is_enrolled_once(home: KeeperHome) -> None:
    web, token, other = await home.client(), home.token("staff"), home.token("staff2")
    key, _ = await enrolled(web, token)

    for who in (token, other):
        with pytest.raises(Stale):
            await enrolled(web, who, key)
        with pytest.raises(Stale):
            await enrolled(web, who, Authenticator(credential=key.credential))
    assert await web.passkeys(other) == []


async def test_there_are_at_most_ten(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")
    for _ in range(policy.PASSKEYS):
        await enrolled(web, token)

    with pytest.raises(TooLarge):
        await enrolled(web, token)
    assert len(await web.passkeys(token)) == policy.PASSKEYS


# What is refused

WRONG: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "http://localhost:8001"},
    "an origin above": {"origin": "http://localhost"},
    "another site": {"rp_id": "example.org"},
    "nobody verified": {"flags": UP},
    "nobody present": {"flags": 4},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_what_was_made_otherwise_is_not_enrolled(home: KeeperHome, wrong: dict[str, Any]) -> None:
    web, token, key = await home.client(), home.token("staff"), Authenticator()

    with pytest.raises(Invalid):
        await web.passkey_add(token, key.made(await web.challenge(token), **wrong))
    with pytest.raises(Invalid):
        await web.passkey_add(token, key.made(await web.challenge(token), kind="get"))

    assert await web.passkeys(token) == []
    assert (last(home)["act"], last(home)["outcome"]) == ("refused", "invalid")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_what_was_signed_otherwise_does_not_sign_in(home: KeeperHome, wrong: dict[str, Any]) -> None:
    web, staff = await home.client(), home.cast["staff"]
    key, _ = await enrolled(web, staff.token)

    with pytest.raises(Unauthenticated):
        await by_passkey(web, key, **wrong)
    with pytest.raises(Unauthenticated):
        await by_passkey(web, key, kind="create")

    refused = last(home)
    assert (refused["act"], refused["what"], refused["about"]) == ("refused", "sign_in", staff.id)


async def test_a_ceremony_is_good_once(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")
    key = Authenticator()
    made = key.made(await web.challenge(token))
    _, id_ = key, (await web.passkey_add(token, made))["id"]
    await web.passkey_remove(token, str(id_))
    signed = None

    with pytest.raises(Unauthenticated):
        await web.passkey_add(token, made)
    await enrolled(web, token, key)
    signed = key.signed(await web.challenge())
    await web.sign_in_by_passkey(signed)
    with pytest.raises(Unauthenticated):
        await web.sign_in_by_passkey(signed)


async def test_a_ceremony_that_failed_is_over(home: KeeperHome) -> None:
    web = await home.client()
    key, _ = await enrolled(web, home.token("staff"))
    challenge = await web.challenge()

    for wrong in ({"flags": UP}, {}):
        with pytest.raises(Unauthenticated):
            await web.sign_in_by_passkey(key.signed(challenge, **wrong))


async def test_a_ceremony_is_over_after_five_minutes_and_with_the_process(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    assert home.clock
    web, token = await home.client(), home.token("staff")
    key, _ = await enrolled(web, token)
    early, late = await web.challenge(), await web.challenge()
    home.clock.advance(minutes=4.9)
    assert await web.sign_in_by_passkey(key.signed(early))
    home.clock.advance(minutes=0.2)

    with pytest.raises(Unauthenticated):
        await web.sign_in_by_passkey(key.signed(late))
    left = await web.challenge()
    home.stop()
    home.start()
    with pytest.raises(Unauthenticated):
        await (await home.client()).sign_in_by_passkey(key.signed(left))


async def test_a_challenge_belongs_to_its_session_and_ceremony(home: KeeperHome) -> None:
    web, token, other = await home.client(), home.token("staff"), home.token("staff2")
    key, _ = await enrolled(web, token)

    for challenge in (await web.challenge(), await web.challenge(other), b"x" * 32):
        with pytest.raises(Unauthenticated):
            await web.passkey_add(token, Authenticator().made(challenge))
        with pytest.raises(Unauthenticated):
            await web.prove(token, passkey=key.signed(challenge))
    with pytest.raises(Unauthenticated):
        await web.sign_in_by_passkey(key.signed(await web.challenge(token)))


async def test_another_persons_passkey_proves_nothing(home: KeeperHome) -> None:
    web, other = await home.client(), home.token("staff2")
    key, _ = await enrolled(web, home.token("staff"))

    with pytest.raises(Unauthenticated):
        await web.prove(other, passkey=key.signed(await web.challenge(other)))
    with pytest.raises(Unauthenticated):
        await by_passkey(web, Authenticator())  # nobody's


async def test_a_copied_key_is_told_by_its_counter(home: KeeperHome) -> None:
    web = await home.client()
    key, _ = await enrolled(web, home.token("staff"), Authenticator(counter=3))
    key.counter = 4
    await by_passkey(web, key)

    for counter in (4, 3, 0):
        key.counter = counter
        with pytest.raises(Unauthenticated):
            await by_passkey(web, key)
    key.counter = 5
    assert await by_passkey(web, key)


@pytest.mark.parametrize(
    "broken",
    [
        None, "x", 7, [], {"id": "AA"}, {"id": "AA", "response": {}}, {"id": "AA", "response": {"clientDataJSON": "x"}},
        {"id": 7, "response": {"clientDataJSON": "e30"}}, {"id": "AA", "response": None},
    ],
)  # fmt: skip
async def test_what_is_no_passkey_is_refused(home: KeeperHome, broken: object) -> None:
    web, token = await home.client(), home.token("staff")

    for verb, session in (("sign_in", {}), ("prove", {"token": token}), ("passkey_add", {"token": token})):
        with pytest.raises((Invalid, Unauthenticated)):
            await web.call(verb, passkey=broken, **session)
    assert (await web.status())["state"] == "open"


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_bit_of_an_answer_may_change(home: KeeperHome, data: st.DataObject) -> None:
    web = await home.client()
    if not (held := getattr(home, "key", None)):
        held = home.key = (await enrolled(web, home.token("staff")))[0]  # type: ignore[attr-defined]
    signed = held.signed(await web.challenge())
    part = data.draw(st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]))
    raw = bytearray(base64url_to_bytes(signed["response"][part]))
    at = data.draw(st.integers(0, 2**16)) % (8 * len(raw))
    raw[at // 8] ^= 1 << at % 8
    signed["response"][part] = urlsafe_b64encode(raw).rstrip(b"=").decode()

    with pytest.raises((Invalid, Unauthenticated)):
        await web.sign_in_by_passkey(signed)
    await home.disconnect()


async def test_beginning_tells_nothing_and_costs_nothing(home: KeeperHome) -> None:
    web = await home.client()
    before = len(home.entries())

    challenges = {await web.challenge() for _ in range(50)}

    assert {len(one) for one in challenges} == {32}
    assert len(challenges) == 50
    assert len(home.entries()) == before


async def test_ceremonies_that_are_never_ended_fill_no_memory(home: KeeperHome) -> None:
    """The oldest make room, and whoever begins anew is served."""
    web = await home.client()
    key, _ = await enrolled(web, home.token("staff"))
    first = await web.challenge()

    for _ in range(CEREMONIES // 1000):
        await asyncio.gather(*(web.challenge() for _ in range(1000)))

    with pytest.raises(Unauthenticated):
        await web.sign_in_by_passkey(key.signed(first))
    assert await by_passkey(web, key)


async def test_failed_passwords_do_not_lock_a_passkey_out(home: KeeperHome) -> None:
    web = await home.client()
    key, _ = await enrolled(web, home.token("staff"))
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await web.sign_in("staff", Pii("not the password at all"))
    with pytest.raises(OverBudget):
        await web.sign_in("staff", Pii(PASSWORD))

    assert await by_passkey(web, key)


# Removing


async def test_a_removed_passkey_is_good_for_nothing(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")
    key, id_ = await enrolled(web, token)

    await web.passkey_remove(token, id_)

    assert (last(home, "passkey_remove")["passkey"], await web.passkeys(token)) == (id_, [])
    with pytest.raises(Unauthenticated):
        await by_passkey(web, key)
    assert await sign_in(web, "staff")


async def test_others_and_unknown_passkeys_are_not_there(home: KeeperHome) -> None:
    web = await home.client()
    _, id_ = await enrolled(web, home.token("staff"))

    for one in (id_, new_id(), "x"):
        with pytest.raises(NotFound):
            await web.passkey_remove(home.token("staff2"), one)
    assert len(await web.passkeys(home.token("staff"))) == 1


async def test_the_last_factor_stays_where_one_is_required(strict: KeeperHome) -> None:
    web = await strict.client()
    token = await newcomer(strict, web)
    key, first = await enrolled(web, token)

    with pytest.raises(Stale):
        await web.passkey_remove(token, first)
    _, second = await enrolled(web, token)
    await web.passkey_remove(token, first)
    with pytest.raises(Unauthenticated):
        await by_passkey(web, key)
    secret = (await web.enrol_totp(token))["secret"].reveal()
    await web.confirm_totp(token, Pii(Person("", "Nora", [], token, secret).code()))
    await web.passkey_remove(token, second)
    assert (await web.me(token))["factors"] == ["password", "totp"]


async def test_a_reset_and_an_end_forget_the_passkeys(home: KeeperHome) -> None:
    web, admin, auditor = await home.client(), home.token("admin"), home.token("auditor")
    staff, staff2 = home.cast["staff"], home.cast["staff2"]
    key, _ = await enrolled(web, staff.token)
    other, _ = await enrolled(web, staff2.token)

    asked = await web.change_person(admin, staff.id, state="reset")
    decided = await web.decide(auditor, asked["decision"], "approve")
    await web.change_person(admin, staff2.id, state="left")

    for one in (key, other):
        with pytest.raises(Unauthenticated):
            await by_passkey(web, one)
    code = Pii(f"{asked['code'].reveal()}.{decided['code'].reveal()}")
    await web.accept(code, Pii(OTHER_PASSWORD))
    token = (await web.sign_in("staff", Pii(OTHER_PASSWORD))).token.reveal()
    assert await web.passkeys(token) == []
    assert home.rows("SELECT count(*) FROM passkey") == [(0,)]


# Proofs


async def test_signing_in_is_a_proof_for_ten_minutes(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    assert home.clock
    web, plain = await home.client(), await home.plain_client()
    admin = await sign_in(web, "admin")

    home.clock.advance(minutes=9.9)
    await plain.invite(admin, "In time", ["product"])
    home.clock.advance(minutes=0.2)
    with pytest.raises(ProofRequired):
        await plain.invite(admin, "Too late", ["product"])
    await plain.prove(admin, Pii(PASSWORD))
    await plain.invite(admin, "Again in time", ["product"])

    assert (last(home, "prove")["actor"], last(home, "prove")["factors"]) == (home.cast["admin"].id, "password")
    assert [entry["what"] for entry in entries(home, "refused")] == [], "to be asked is not to be refused"


async def test_a_proof_is_one_sessions_and_ends_with_the_process(home: KeeperHome) -> None:
    web, plain = await home.client(), await home.plain_client()
    first = home.token("admin")
    with pytest.raises(ProofRequired):
        await plain.invite(first, "Sue", ["product"])

    second = await sign_in(web, "admin")

    with pytest.raises(ProofRequired):
        await plain.invite(first, "Sue", ["product"])
    await plain.invite(second, "Sue", ["product"])


async def test_a_wrong_proof_counts_like_a_wrong_password(home: KeeperHome) -> None:
    web, token = await home.client(), home.token("staff")

    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await web.prove(token, Pii("not the password at all"))
    with pytest.raises(OverBudget):
        await web.prove(token, Pii(PASSWORD))
    with pytest.raises(OverBudget):
        await web.sign_in("staff", Pii(PASSWORD))


async def test_a_proof_asks_for_every_factor(strict: KeeperHome) -> None:
    web, staff = await strict.client(), strict.cast["staff"]

    with pytest.raises(SecondFactorRequired):
        await web.prove(staff.token, Pii(PASSWORD))
    with pytest.raises(Unauthenticated):
        await web.prove(staff.token, Pii(PASSWORD), Pii("000000"))
    await web.prove(staff.token, Pii(PASSWORD), Pii(staff.code()))

    assert last(strict, "prove")["factors"] == "password+totp"
    key, _ = await enrolled(await strict.plain_client(), staff.token)
    await web.prove(staff.token, passkey=key.signed(await web.challenge(staff.token)))
    assert last(strict, "prove")["factors"] == "passkey"


async def test_a_proof_does_not_lengthen_a_session(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    assert home.clock
    web = await home.client()
    token = await sign_in(web, "staff")
    for _ in range(24):
        home.clock.advance(minutes=29)
        await web.prove(token, Pii(PASSWORD))
    home.clock.advance(minutes=29)

    with pytest.raises(Unauthenticated):
        await web.prove(token, Pii(PASSWORD))


# The site


async def test_passkeys_of_one_domain_are_good_on_all_its_pages(tmp_path: Path) -> None:
    home = KeeperHome(tmp_path / "home")
    site = ["--rp-id=example.org", "--web-origin=https://crm.example.org", f"--web-origin={APPROVE}"]
    home.init(options=site)
    assert home.start(), home.stderr()
    try:
        web, host = await home.client(), await home.client("admin")
        made = await host.call("people_add", name="Ann", roles=["admin"])
        await web.accept(Pii(made["code"]), Pii(PASSWORD))
        token, key = await sign_in(web, "Ann"), Authenticator()
        where = {"rp_id": "example.org", "origin": "https://crm.example.org"}
        await web.passkey_add(token, key.made(await web.challenge(token), **where))

        assert await by_passkey(web, key, rp_id="example.org", origin=APPROVE)
        for origin in ("https://example.org", "https://evil.example.org", f"{APPROVE}:8443", "http://crm.example.org"):
            with pytest.raises(Unauthenticated):
                await by_passkey(web, key, rp_id="example.org", origin=origin)
        assert (last(home, "start")["rp_id"], last(home, "start")["origins"][1]) == ("example.org", APPROVE)
    finally:
        await home.aclose()


@pytest.mark.parametrize(
    "origin",
    [
        "http://example.org", "https://example.org/", "https://example.com", "https://notexample.org", "example.org",
        "https://Example.org", "https://example.org:0", "https://user@example.org", "https://example.org.evil.test", "",
    ],
)  # fmt: skip
def test_an_origin_browsers_would_not_take_is_refused(tmp_path: Path, origin: str) -> None:
    home = KeeperHome(tmp_path / "home")

    done = home.call("init", "--origin", "o", "--rp-id", "example.org", "--web-origin", origin)

    assert done.returncode == 75
    assert "a web origin is" in done.stderr
    assert not home.file.exists()


async def test_a_keeper_that_is_down_begins_nothing(home: KeeperHome) -> None:
    web = await home.client()
    home.kill()

    for attempt in (web.challenge(), web.sign_in_by_passkey({})):
        with pytest.raises((KeeperUnavailable, CrmError)):
            await attempt
    home.start()
