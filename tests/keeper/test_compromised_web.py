"""A fully compromised web process: what the kernel refuses, what the keeper refuses, and what it bounds and logs.

The attacker runs in the web's account with the web's service key, has the product's source, and has seen the
session of everybody who is signed in. The keeper runs in its own account. Both are started as ``kept serve``
starts them.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm.errors import CrmError
from crm.host import accounts
from crm.kit.ids import new_id
from tests.conftest import Need
from tests.keeper.home import KeeperHome, item
from tests.keeper.occupied import BUDGETS, Occupied, is_root, occupied
from tests.keeper.talk import entries, eventually, last

OTHERS = ("sender", "inbound", "approve", "admin")
PURPOSES = ("serve", "compare", "subject_request", "house", "outreach", "notice", "legal_release", "upkeep", "")
ASSERTED = {"actor", "staff", "role", "roles", "session", "principal", "by", "outcome", "uid"}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, need: Need) -> Iterator[Occupied]:
    """Take over the web process of a home."""
    need(is_root(), "run as root: each process needs an account of its own")
    with occupied(tmp_path_factory.mktemp("occupied")) as made:
        yield made


@pytest.fixture
def staff(taken: Occupied) -> str:
    """Bring in somebody whose budgets are untouched; the name."""
    return taken.hire("staff")


def refused_in_log(home: KeeperHome, who: str | None, verb: str, code: str) -> bool:
    """Say whether the log holds this refusal; of nobody, when nobody was known."""
    return any((one.get("actor"), one["what"], one["outcome"]) == (who, verb, code) for one in entries(home, "refused"))


def everything_in(folder: Path) -> list[Path]:
    """List a folder's files and folders as root sees them."""
    return [folder, *sorted(folder.rglob("*"))]


def test_the_two_run_in_accounts_of_their_own(taken: Occupied) -> None:
    web, keeper = accounts.of_role("web"), accounts.of_role("keeper")
    assert web
    assert keeper

    assert taken.try_("whoami") == {"uid": [web.uid] * 3, "groups": []}
    status = Path(f"/proc/{taken.keeper.pid}/status").read_text()
    assert f"Uid:\t{keeper.uid}\t{keeper.uid}\t{keeper.uid}" in status
    assert taken.call("status")[0] == "ok"


def test_no_key_file_journal_or_other_service_is_read(taken: Occupied) -> None:
    home = taken.home.path
    secret = [path for name in ("keys", "keeper", "journal") for path in everything_in(home / name)]
    secret += [home / "services" / f"{name}.key" for name in OTHERS]
    assert {"root.key", "keeper.db", "epoch-1.key"} <= {path.name for path in secret}

    found = taken.try_("read", paths=[str(path) for path in [*secret, home, home / "run", home / "services"]])

    assert {path: answer for path, answer in found.items() if not answer.startswith("refused: E")} == {}
    own = taken.try_("read", paths=[str(home / "services" / "web.key"), str(home / "log.vkey")])
    assert all(answer.startswith("DONE") for answer in own.values()), "its own key, and what is public"


def test_nothing_is_planted_replaced_or_removed(taken: Occupied) -> None:
    home = taken.home.path
    folders = [home, *(home / name for name in ("run", "services", "keys", "keeper", "journal"))]
    files = [home / "log.vkey", taken.home.file, *taken.home.segments(), *(home / "run").glob("*.sock")]
    files += [home / "keys" / "root.key", home / "services" / "admin.key"]

    found = taken.try_("change", folders=list(map(str, folders)), files=list(map(str, files)))

    # A socket is opened by connecting, never as a file.
    allowed = {f"append to {path}" for path in (home / "run").glob("*.sock")}
    assert {what for what, answer in found.items() if not answer.startswith("refused: E")} <= allowed
    assert not list(home.rglob("planted"))
    assert taken.call("status")[0] == "ok"


def test_the_keepers_memory_is_closed(taken: Occupied) -> None:
    found = taken.try_("process")

    assert {what: answer for what, answer in found.items() if not answer.startswith("refused: E")} == {}
    assert taken.keeper.poll() is None
    assert taken.call("status")[0] == "ok"


def test_other_sockets_are_closed_to_this_account_whatever_the_key(taken: Occupied) -> None:
    services = taken.home.path / "services"
    web = (services / "web.key").read_text()
    for name in OTHERS:
        # Even with a key that was stolen somewhere else: the account decides as well.
        for key, as_whom in ((web, "web"), (web, name), ((services / f"{name}.key").read_text(), name)):
            assert taken.try_("knock", principal=name, key=key, as_whom=as_whom) == "closed"
    for key in ((services / "sender.key").read_text(), "00" * 32, new_id() * 2):
        assert taken.try_("knock", principal="web", key=key, as_whom="web") == "closed"

    def logged() -> set[str]:
        return {one["by"] for one in entries(taken.home, "refused") if one["what"] == "connect"}

    asyncio.run(eventually(lambda: logged() >= {"web", *OTHERS}))


def test_this_account_is_not_another_socket_to_anybody(taken: Occupied) -> None:
    """The stolen key is of no use from another account either: here, root's."""

    async def from_root() -> str:
        client = await taken.home.client("web")
        try:
            await client.status()
        except CrmError as refused:
            return refused.code
        finally:
            await taken.home.disconnect()
        return "ok"

    assert os.geteuid() == 0
    assert asyncio.run(from_root()) == "keeper-unavailable"


def test_verbs_of_other_principals_are_not_served(taken: Occupied) -> None:
    for verb, arguments in (
        ("people_add", {"name": "Mallory", "roles": ["admin"]}), ("backup", {"to": "/tmp/out"}), ("rotate", {}),
        ("seal", {"purpose": "intake", "items": []}), ("roster", {}), ("link", {}), ("package", {}),
        ("keys", {}), ("__init__", {}), ("write", {}),
    ):  # fmt: skip
        for who in (None, "admin"):
            assert taken.call(verb, who, **arguments)[0] == "purpose-not-yours"
    assert {one["what"] for one in entries(taken.home, "refused")} >= {
        "people_add",
        "backup",
        "rotate",
        "seal",
        "unknown",
    }
    assert "Mallory" not in str(taken.call("people", "admin"))


def test_nobody_else_is_acted_for(taken: Occupied, staff: str) -> None:
    """Tokens are neither guessed nor made, and who acts is never what the caller says."""
    ada, token = taken.contact(), taken.tokens[staff]
    session = taken.call("sessions", staff)[1][0][0]
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    guesses = ["", swapped, token[:-1], token + "A", token.swapcase(), session, session * 2, taken.ids[staff], new_id()]
    for guess in guesses:
        assert taken.open(ada, guess)[0] == "unauthenticated"
    lies = dict.fromkeys(ASSERTED, taken.ids[taken.helper])

    assert taken.open(ada, staff, **lies)[0] == "ok"

    opened = last(taken.home, "open")
    assert (opened["actor"], opened["role"], opened["by"]) == (taken.ids[staff], "staff", "web")
    assert refused_in_log(taken.home, None, "open", "unauthenticated")


def test_nothing_personal_comes_without_an_entry(taken: Occupied, staff: str) -> None:
    ada = taken.contact(
        identity={"given_name": "Ada", "family_name": "Byron"}, channels={"emails": ["ada@byron.example"]}
    )
    asked: list[tuple[str, dict[str, Any]]] = [
        ("search", {"q": "byron"}), ("labels", {"subjects": [ada]}),
        ("match", {"kind": "email", "value": "ada@byron.example"}),
        ("open", {"subjects": [ada], "fields": ["identity"], "records": {}, "reason": "call"}),
    ]  # fmt: skip
    assert taken.call("recent", staff)[1]["matches"] == []
    for verb, arguments in asked:
        size = len(taken.home.entries())
        code, body = taken.call(verb, staff, purpose="serve", **arguments)
        assert (code, "Ada" in str(body) or b"Ada".hex() in str(body)) == ("ok", True)
        entry = entries(taken.home)[size]
        assert (entry["act"], entry["subjects"], entry["actor"]) == (verb, [ada], taken.ids[staff])
        assert taken.home.checkpoint_in_journal.size > size
    assert [label[0] for label in taken.call("recent", staff)[1]["matches"]] == [ada], "opened before, in the log"
    for who in (None, staff, "admin"):
        assert "Ada" not in str(taken.call("made", who, after=-1))
        assert b"Ada".hex() not in str(taken.call("tile", who, level=0, n=0, width=1))


def test_reading_on_stops_at_the_budget(taken: Occupied, staff: str) -> None:
    people = [taken.contact() for _ in range(BUDGETS["people"] + 3)]
    codes = [taken.open(one, staff)[0] for one in people]
    wide = [
        taken.call("open", staff, purpose="serve", subjects=people, fields=["identity"], records={}, reason="call")[0]
    ]
    wide += [taken.call("open", staff, purpose="compare", subjects=people[-2:], fields=["identity"], records={})[0]]
    labels = [taken.call("labels", staff, purpose="serve", subjects=[taken.contact()])[0] for _ in range(8)]

    assert codes == ["ok"] * 3 + ["over-budget"] * 3
    assert wide == ["too-large", "over-budget"]
    assert labels == ["ok"] * 6 + ["over-budget"] * 2
    for verb, code in (("open", "over-budget"), ("open", "too-large"), ("labels", "over-budget")):
        assert refused_in_log(taken.home, taken.ids[staff], verb, code)
    assert taken.call("me", staff)[1]["budget"]["people"] == {"used": 3, "limit": 3}


@pytest.mark.parametrize("role", ["marketing", "admin", "auditor", "product"])
def test_whoever_opens_nobody_opens_nobody(taken: Occupied, role: str) -> None:
    who = taken.hire(role)
    ada, record = taken.contact(), new_id()
    blob = taken.call(
        "seal", taken.helper, purpose="serve", items=[{"subject": ada, "record": record, "fields": {"a": "Ada"}}]
    )
    note = {record: bytes.fromhex(blob[1]["blobs"][record]["hex"])}
    for purpose in PURPOSES:
        for records in ({}, {ada: note}):
            code, body = taken.open(
                ada, who, purpose=purpose, records=records, fields=["identity"] if not records else []
            )
            assert code == "purpose-not-yours" or (purpose == "house" and code in {"not-found", "invalid"})
            assert "Ada" not in str(body)
    for verb, arguments in (
        ("search", {"q": "lovelace"}), ("labels", {"subjects": [ada]}), ("match", {"kind": "phone", "value": "1"}),
        ("seal", {"items": []}), ("merge", {"subject": ada, "into": ada}),
        ("erase", {"subject": ada, "ground": "request"}),
        ("put", {"items": item(new_id(), identity={})}),
    ):  # fmt: skip
        purpose = "intake" if verb == "put" else "serve"
        assert taken.call(verb, who, purpose=purpose, **arguments)[0] == "purpose-not-yours"
        assert refused_in_log(taken.home, taken.ids[who], verb, "purpose-not-yours")
    assert taken.call("recent", who)[0] == "purpose-not-yours"
    assert refused_in_log(taken.home, taken.ids[who], "open", "purpose-not-yours")


def test_a_field_the_purpose_lacks_is_not_opened(taken: Occupied, staff: str) -> None:
    ada = taken.contact()
    for fields in (["vocabulary"], ["identity", "notes"], ["*"], ["keys"], ["wrapped"], ["identity.*"], [""]):
        assert taken.open(ada, staff, fields=fields)[0] == "purpose-not-yours"
    assert refused_in_log(taken.home, taken.ids[staff], "open", "purpose-not-yours")


def test_mass_erasing_stops_and_is_undone_by_somebody_else(taken: Occupied, staff: str) -> None:
    people = [taken.contact() for _ in range(5)]
    codes = [taken.call("erase", staff, purpose="serve", subject=one, ground="request")[0] for one in people]

    assert codes == ["ok", "ok", *["over-budget"] * 3]
    assert refused_in_log(taken.home, taken.ids[staff], "erase", "over-budget")
    for one in people[:2]:
        assert taken.call("cancel_erase", staff, purpose="serve", subject=one)[0] == "purpose-not-yours"
        assert taken.call("cancel_erase", taken.hire("privacy"), purpose="serve", subject=one)[0] == "ok"
    assert all(taken.open(one, staff)[0] == "ok" for one in people[:3])


def test_swapping_addresses_is_an_entry_each_and_counted(taken: Occupied, staff: str) -> None:
    people = [taken.contact(channels={"emails": [f"{number}@lovelace.example"]}) for number in range(7)]
    hers = {"emails": ["mallory@example.net"]}

    in_bulk = [
        taken.call("put", staff, purpose=purpose, items=item(people[0], expected=1, channels=hers), bulk=bulk)[0]
        for purpose, bulk in (("intake", True), ("import", True), ("import", False))
    ]
    blind = taken.call("put", staff, purpose="intake", items=item(people[0], channels=hers))
    codes = [
        taken.call("put", staff, purpose="intake", items=item(one, expected=1, channels=hers))[0] for one in people
    ]

    assert in_bulk == ["purpose-not-yours"] * 3
    assert (blind[0], blind[1]["versions"]) == ("ok", [1]), "a creation that finds somebody there writes nothing"
    assert codes == ["ok"] * BUDGETS["intake"] + ["over-budget"] * 3
    written = [one for one in entries(taken.home, "put") if one["actor"] == taken.ids[staff]]
    assert [(one["subjects"], one["writes"]) for one in written] == [([one], ["0/channels/2"]) for one in people[:4]]
    for verb, code in (("put", "over-budget"), ("put", "purpose-not-yours")):
        assert refused_in_log(taken.home, taken.ids[staff], verb, code)


def test_a_token_harvested_is_dead_after_signing_out(taken: Occupied, staff: str) -> None:
    ada, token = taken.contact(), taken.tokens[staff]
    assert taken.call("sign_out", staff)[0] == "ok"

    for _ in range(3):
        assert taken.open(ada, token)[0] == "unauthenticated"

    assert refused_in_log(taken.home, None, "open", "unauthenticated")


def test_a_token_harvested_is_dead_after_half_an_hour_of_silence(taken: Occupied, staff: str) -> None:
    ada = taken.contact()
    taken.clock.advance(minutes=31)

    assert taken.open(ada, staff)[0] == "unauthenticated"
    assert refused_in_log(taken.home, None, "open", "unauthenticated")


def test_a_token_kept_awake_is_dead_after_twelve_hours(taken: Occupied, staff: str) -> None:
    """Nobody sits there, and the attacker keeps the session from falling asleep."""
    ada = taken.contact()
    for _ in range(28):
        taken.clock.advance(minutes=25)
        assert taken.call("me", staff)[0] == "ok"

    taken.clock.advance(minutes=21)

    assert taken.open(ada, staff)[0] == "unauthenticated"


def test_a_password_and_a_reset_are_out_of_reach(taken: Occupied, staff: str) -> None:
    """With an admin's session alone: whoever can open is made or reset by two people."""
    token, privacy = taken.tokens[staff], taken.hire("privacy")
    assert taken.call("change_password", staff, old="guessed password", new="a password of mine")[0] == "invalid"
    asked = taken.call("change_person", "admin", person=taken.ids[staff], state="reset")
    puppet = taken.call("invite", "admin", name="Puppet", roles=["staff"])
    for decision in (asked[1]["decision"], puppet[1]["decision"]):
        for who in ("admin", staff, privacy):
            code, _ = taken.call("decide", who, decision=decision, verdict="approve")
            assert code in {"purpose-not-yours", "not-found"}
    for half in (asked[1]["code"], puppet[1]["code"]):
        assert taken.call("accept", code=half, password="a password of mine")[0] == "unauthenticated"
    assert taken.call("me", token)[0] == "ok"
    assert refused_in_log(taken.home, taken.ids["admin"], "decide", "purpose-not-yours")


def test_guessing_passwords_is_slow_and_in_the_log(taken: Occupied, staff: str) -> None:
    codes = [taken.call("sign_in", name=staff, password=f"guess number {number}")[0] for number in range(14)]

    assert codes == ["unauthenticated"] * 10 + ["over-budget"] * 4
    about = {(one.get("about"), one["outcome"]) for one in entries(taken.home, "refused") if one["what"] == "sign_in"}
    assert about == {(taken.ids[staff], "unauthenticated"), (taken.ids[staff], "over-budget")}


def test_what_is_sealed_for_one_is_not_opened_as_anothers(taken: Occupied, staff: str) -> None:
    """The attacker holds the database: notes are moved, swapped and changed."""
    ada, eve, record = taken.contact(), taken.contact(), new_id()
    blob = taken.call(
        "seal", taken.helper, purpose="serve", items=[{"subject": ada, "record": record, "fields": {"a": "note"}}]
    )
    sealed = bytes.fromhex(blob[1]["blobs"][record]["hex"])
    for subject, place, content in ((eve, record, sealed), (ada, new_id(), sealed), (ada, record, sealed[:-1] + b"\0")):
        records = {subject: {place: content}}
        assert taken.open(subject, staff, fields=[], records=records)[0] == "invalid"
    asked = [one for one in entries(taken.home, "open") if one["actor"] == taken.ids[staff]]
    assert len(asked) == 3, "asked for, and not given"
