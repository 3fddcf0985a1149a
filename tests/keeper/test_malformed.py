"""Whatever a process sends, the keeper answers with a code it knows, opens nothing by it, and lives."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.errors import BY_CODE, CrmError
from crm.keeper import policy
from crm.keeper_client import Keeper
from crm.kit.ids import new_id
from tests.contract.scene import ARGUMENTS, Scene, running
from tests.keeper.home import KeeperHome
from tests.keeper.talk import entries

# Left out: the three that hash passwords for a second each way, and the host's own, which write files where told.
SLOW = {"sign_in", "accept", "change_password"}
HOSTS = {"people_add", "backup", "rotate"}
NAMES = (
    "purpose", "token", "subjects", "fields", "records", "reason", "ref", "items", "bulk", "q", "kind", "value",
    "subject", "into", "ground", "act", "detail", "code", "name", "roles", "id", "person", "state", "decision",
    "verdict", "level", "n", "width", "after", "limit", "from", "to_", "index", "actor", "where", "everywhere", "totp",
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=40),
    st.binary(max_size=40),
    st.sampled_from([*policy.ROLES, *policy.REASONS, *policy.PERSON, "serve", "house", "contact", "email", "0" * 32]),
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
CASES = [key for key in ARGUMENTS if key[0] not in SLOW | HOSTS]
# What a call may leave out or have wrong and still be understood: none of these decides what is opened.
OPTIONAL = {
    "id", "ref", "kind", "detail", "reason", "limit", "roles", "after", "fields", "expected", "company", "everywhere",
}  # fmt: skip


class Line:
    """A scene that hypothesis can use: one event loop for all examples."""

    def __init__(self, home: KeeperHome) -> None:
        self.loop = asyncio.new_event_loop()
        self.scene = Scene(home)
        self.home = home
        self.loop.run_until_complete(self.scene.connect())
        self.arguments = {key: self.loop.run_until_complete(ARGUMENTS[key](self.scene, "staff")) for key in CASES}

    def ask(self, *calls: tuple[str, dict[str, Any]], principal: str = "web") -> list[tuple[str, Any]]:
        """Send calls at once and return each one's code and answer."""
        return self.loop.run_until_complete(self._ask(self.scene.clients[principal], calls))

    async def _ask(self, client: Keeper, calls: tuple[tuple[str, dict[str, Any]], ...]) -> list[tuple[str, Any]]:
        answers = await asyncio.gather(*(client.call(verb, **args) for verb, args in calls), return_exceptions=True)
        return [(one.code, None) if isinstance(one, CrmError) else ("ok", one) for one in answers]

    def close(self) -> None:
        """End the loop."""
        self.loop.run_until_complete(self.home.disconnect())
        self.loop.close()


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with running(tmp_path_factory.mktemp("malformed")) as home:
        made = Line(home)
        yield made
        made.close()


def is_alive(line: Line) -> None:
    """The process that was started still answers."""
    assert line.home.process
    assert line.home.process.poll() is None, line.home.stderr()[-2000:]
    assert line.ask(("status", {}))[0][0] == "ok"


def is_nothing(body: object) -> bool:
    """An index, or an answer in which nobody appears."""
    if isinstance(body, dict):
        return all(is_nothing(value) for value in body.values())
    return body in (None, [], False) or (isinstance(body, int) and body >= 0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    arguments=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6),
    who=st.sampled_from(["", "staff", "auditor", "admin", "marketing", "privacy"]),
    principal=st.sampled_from(["web", "sender", "inbound", "approve"]),
)
def test_any_arguments_to_any_verb(line: Line, arguments: dict[str, Any], who: str, principal: str) -> None:
    if who:
        arguments = {**arguments, "token": line.home.token(who)}
    calls = [
        (verb, {**arguments, "purpose": purpose} if purpose else arguments)
        for verb, purpose in CASES
        if verb != "sign_out"
    ]

    answers = line.ask(*calls, ("status", arguments), ("no such verb", arguments), principal=principal)

    assert {code for code, _ in answers} <= {"ok", *BY_CODE} - {"keeper-unavailable", "keeper-sealed"}
    for (verb, _), (code, body) in zip(calls, answers, strict=False):
        if code == "ok" and verb == "open":
            assert not any(body["people"].values()), "nobody was named who is there"
            assert not body["records"]
    is_alive(line)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(wrong=ANYTHING.filter(bool))
@pytest.mark.parametrize("key", CASES, ids=[f"{verb}-{purpose}" for verb, purpose in CASES])
def test_one_wrong_argument_gets_nothing(line: Line, key: tuple[str, str], wrong: object) -> None:
    verb, purpose = key
    rule, right = policy.RULES[key], line.arguments[key]
    token = {"token": line.home.token(min(rule.roles))} if rule.roles and verb != "sign_out" else {}
    whole = {**right, **token, **({"purpose": purpose} if purpose else {})}
    calls = []
    for name, value in right.items():
        if name not in OPTIONAL and type(wrong) is not type(value):
            calls += [(verb, {**whole, name: wrong}), (verb, {k: v for k, v in whole.items() if k != name})]

    answers = line.ask(*calls, principal=min(rule.principals, key=lambda one: one != "web"))

    for (_, arguments), (code, body) in zip(calls, answers, strict=True):
        assert code in BY_CODE or is_nothing(body) or verb in {"tile", "made"}, (arguments, body)
        assert code not in {"keeper-unavailable", "keeper-sealed"}
    is_alive(line)


@pytest.mark.parametrize("purpose", [[], {}, None, 7, b"serve", ["serve"], {"serve": 1}, True, 1.5, "x" * 100_000])
@pytest.mark.parametrize("verb", ["status", "open", "sign_in", "accept", "record", "nonsense"])
def test_a_purpose_is_a_word(line: Line, verb: str, purpose: object) -> None:
    ((code, _),) = line.ask((verb, {"purpose": purpose, "name": "x", "password": "y", "code": "z"}))

    assert code in {"purpose-not-yours", "invalid"}
    is_alive(line)


@pytest.mark.parametrize("token", [None, 1, b"x", [], {}, "", "x" * 1_000_000, "\0", "é"])
def test_a_token_is_one(line: Line, token: object) -> None:
    ((code, _),) = line.ask(("me", {"token": token}))

    assert code == "unauthenticated"


@pytest.mark.parametrize(
    "fields",
    [
        {"given_name": 5, "family_name": ["x"], "company": {"a": 1}}, {"given_name": "\0\x1b[31m"}, {"": ""},
        {"given_name": "x" * 100_000}, {"given_name": "'; DROP TABLE card; --"}, {"given_name": '" OR "'},
    ],
)  # fmt: skip
def test_odd_names_are_stored_and_given_back(line: Line, fields: dict[str, Any]) -> None:
    token, subject = line.home.token("staff"), new_id()
    item = {"subject": subject, "kind": "contact", "section": "identity", "fields": fields, "expected": 0}
    channels = {"emails": ["", "@", "a@b", "x" * 5000, 7, None], "phones": ["", "+", "1" * 500, None, 3.5]}
    rest = {**item, "section": "channels", "fields": channels}

    answers = line.ask(
        ("put", {"token": token, "purpose": "intake", "items": [item, rest]}),
        ("labels", {"token": token, "purpose": "serve", "subjects": [subject]}),
        ("open", {"token": token, "purpose": "serve", "subjects": [subject], "fields": ["identity"], "records": {},
                  "reason": "call"}),
    )  # fmt: skip

    assert [code for code, _ in answers] == ["ok"] * 3
    is_alive(line)


@pytest.mark.parametrize(
    "channels", [{"emails": 5}, {"phones": 5}, {"emails": {"a": "b"}}, {"emails": "a@b.example"}, {"emails": True}]
)
def test_channels_that_are_no_lists_harm_nobody(line: Line, channels: dict[str, Any]) -> None:
    item = {"subject": new_id(), "kind": "contact", "section": "channels", "fields": channels, "expected": 0}

    ((code, _),) = line.ask(("put", {"token": line.home.token("staff"), "purpose": "intake", "items": [item]}))

    assert code in {"ok", "invalid"}
    is_alive(line)


def test_depth_has_an_end(line: Line) -> None:
    token = line.home.token("staff")
    for depth in (500, 1000, 1010, 1015, 1016, 1017, 1018, 1019):
        deep: Any = 1
        for _ in range(depth):
            deep = [deep]
        subject = new_id()
        item = {"subject": subject, "kind": "contact", "section": "profile", "fields": {"a": deep}, "expected": 0}
        opening = {"token": token, "purpose": "serve", "subjects": [subject], "fields": ["profile", "profile.a"],
                   "records": {}, "reason": "call"}  # fmt: skip
        try:
            line.ask(("put", {"token": token, "purpose": "intake", "items": [item]}), ("open", opening))
        except ValueError:
            continue  # deeper than this side can say
        is_alive(line)


def test_malformed_calls_are_in_the_log_without_what_they_said(line: Line) -> None:
    line.ask(("open", {"token": line.home.token("staff2"), "purpose": "serve", "subjects": "Lady Lovelace"}))

    refused = [one for one in entries(line.home, "refused") if one.get("actor") == line.home.cast["staff2"].id]
    assert {(one["what"], one["outcome"]) for one in refused} >= {("open", "invalid")}
    assert "Lovelace" not in str(entries(line.home)) + line.home.stderr()
