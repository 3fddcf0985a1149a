"""Every row of the policy against a running keeper: who is let in, who is not, and that there is no other way.

What is expected comes from the table in ``docs/security-model.md``; what happens, from the sockets.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from crm.errors import CrmError
from crm.keeper import policy
from crm.keeper.__main__ import Keeper
from crm.keeper.home import Home
from crm.kit.clock import Clock
from crm.kit.ids import new_id
from tests.contract import policy_table
from tests.contract.policy_table import Row
from tests.contract.scene import ALLOWED, ARGUMENTS, PRINCIPALS, Scene, running
from tests.keeper.home import CAST, KeeperHome, item

ROWS = policy_table.rows()
SECTIONS = ("identity", "channels", "profile", "vocabulary", "notes")
TIGHT = 3
POOL = 200
# The budgets of the people who prepare a case must not be what refuses it.
TIGHT_BUDGETS = dict.fromkeys(policy.BUDGETS, TIGHT) | {"import": POOL, "installation": 10_000}


def by_row(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[f"{row.verb}-{row.purpose}" for row in rows])


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    with running(tmp_path_factory.mktemp("matrix")) as home:
        yield home


@pytest.fixture
async def scene(wide: KeeperHome) -> AsyncIterator[Scene]:
    made = Scene(wide)
    await made.connect()
    yield made
    await wide.disconnect()


def member(row: Row) -> str:
    """Name one of the cast whom the row allows; nobody where no session is asked for."""
    return min(row.roles, default="")


def test_the_document_holds_the_policy_as_it_is() -> None:
    assert policy_table.HEADING in policy_table.DOCUMENT.read_text()
    assert policy_table.render() in policy_table.DOCUMENT.read_text()


def test_the_document_reads_back_as_the_policy() -> None:
    assert {(row.verb, row.purpose): tuple(row[2:]) for row in ROWS} == {
        key: tuple(rule) for key, rule in policy.RULES.items()
    }


def test_every_verb_has_a_row_and_every_row_a_verb(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = KeeperHome(tmp_path_factory.mktemp("verbs") / "home")
    home.init()
    keeper = Keeper(Home(home.path), Clock(), None)
    try:
        assert set(keeper.engine._verbs) == {verb for verb, _ in policy.RULES}
    finally:
        keeper.engine.store.close()


def test_every_row_is_tried_here() -> None:
    assert set(ARGUMENTS) == set(policy.RULES)
    assert set(CAST.keys()) >= policy.ROLES


@by_row(ROWS)
async def test_a_row_lets_in_its_roles_and_nobody_else(scene: Scene, row: Row) -> None:
    key, principal = (row.verb, row.purpose), min(row.principals)
    for role in sorted(policy.ROLES) if row.roles else [""]:
        is_allowed = role in row.roles or not row.roles
        # Who is refused gives arguments made for somebody who is not, so that nothing else can refuse them.
        arguments = await ARGUMENTS[key](scene, role if is_allowed else member(row))
        token = arguments.pop("token", None) or (scene.home.token(role) if role else None)
        code, refused = await scene.code(principal, *key, arguments, token)
        expected = ALLOWED.get(key, "ok") if is_allowed else "purpose-not-yours"
        assert code == expected, (role, refused)


@by_row([row for row in ROWS if row.roles])
async def test_a_row_with_roles_wants_a_session(scene: Scene, row: Row) -> None:
    arguments = await ARGUMENTS[row.verb, row.purpose](scene, member(row))
    arguments.pop("token", None)
    for token in (None, "", "A" * 43, new_id()):
        code, _ = await scene.code("web", row.verb, row.purpose, arguments, token)
        assert code == "unauthenticated"


@by_row(ROWS)
async def test_a_row_lets_in_its_sockets_and_no_other(scene: Scene, row: Row) -> None:
    key, role = (row.verb, row.purpose), member(row)
    for principal in PRINCIPALS:
        arguments = await ARGUMENTS[key](scene, role)
        token = arguments.pop("token", None) or (scene.home.token(role) if role else None)
        code, refused = await scene.code(principal, *key, arguments, token)
        expected = ALLOWED.get(key, "ok") if principal in row.principals else "purpose-not-yours"
        assert code == expected, (principal, refused)


@by_row(ROWS)
async def test_a_verb_goes_with_its_purposes_only(scene: Scene, row: Row) -> None:
    purposes = {one.purpose for one in ROWS if one.verb == row.verb}
    principal, role = min(row.principals), member(row)
    for other in sorted({one.purpose for one in ROWS} | {"outreach", "upkeep", "Serve"} - purposes):
        if other in purposes:
            continue
        token = scene.home.token(role) if role else None
        code, _ = await scene.code(principal, row.verb, other, {}, token)
        assert code == "purpose-not-yours", other


@by_row([row for row in ROWS if row.sections])
async def test_a_row_opens_and_writes_its_sections_only(scene: Scene, row: Row) -> None:
    token = scene.home.token(member(row))
    for section in SECTIONS:
        arguments = await ARGUMENTS[row.verb, row.purpose](scene, member(row))
        if row.verb == "open":
            arguments["fields"] = [section]
        else:
            arguments["items"][0]["section"] = section
        code, _ = await scene.code("web", row.verb, row.purpose, arguments, token)
        assert code == ("ok" if section in row.sections else "purpose-not-yours"), section


@by_row([row for row in ROWS if row.verb in {"open", "labels", "put", "seal", "record", "orphan"}])
async def test_a_row_takes_so_many_subjects_and_not_one_more(scene: Scene, row: Row) -> None:
    role = member(row)
    token, principal = scene.home.token(role) if role else None, min(row.principals)
    for count in (row.most, row.most + 1):
        arguments = await ARGUMENTS[row.verb, row.purpose](scene, role)
        match row.verb:
            case "put":
                first = arguments["items"][0]
                arguments["items"] = [{**first, "subject": new_id()} for _ in range(count)]
            case "seal":
                known = await scene.contact(count)
                arguments["items"] = [{"subject": one, "record": new_id(), "fields": {}} for one in known]
            case "orphan":
                arguments["subjects"] = [new_id() for _ in range(count)]
            case "open" if row.purpose == "house":
                more = [(await ARGUMENTS["open", "house"](scene, role))["subjects"][0] for _ in range(count)]
                arguments["subjects"] = more
            case _:
                arguments["subjects"] = await scene.contact(count)
        code, refused = await scene.code(principal, row.verb, row.purpose, arguments, token)
        assert code == ("ok" if count == row.most else "too-large"), refused


@pytest.fixture(scope="module")
def anew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    """A keeper that was started anew: nobody has proved anything to it yet."""
    with running(tmp_path_factory.mktemp("anew")) as home:
        home.stop()
        assert home.start(), home.stderr()
        yield home


@by_row([row for row in ROWS if row.roles and row.verb != "sign_out"])
async def test_a_row_asks_for_a_fresh_proof_where_one_is_due(anew: KeeperHome, row: Row) -> None:
    web = await anew.plain_client()
    purpose: dict[str, object] = {"purpose": "intake", "bulk": True} if row.purpose == "import" else {}
    codes = {}
    for role in sorted(policy.ROLES):
        try:
            await web.call(row.verb, token=anew.token(role), **({"purpose": row.purpose} | purpose))
            codes[role] = "ok"
        except CrmError as refused:
            codes[role] = refused.code
    await anew.disconnect()

    assert {role for role, code in codes.items() if code == "proof-required"} == (row.roles if row.proof else set())
    assert {role for role, code in codes.items() if code == "purpose-not-yours"} == policy.ROLES - row.roles


async def test_search_shows_so_many_and_says_that_there_are_more(scene: Scene) -> None:
    (most,) = [row.most for row in ROWS if row.verb == "search"]
    await scene.contact(most + 1)

    found = await scene.web.call("search", token=scene.home.token("staff"), purpose="serve", q="Ada")

    assert len(found["matches"]) == most
    assert found["more"] is True


@by_row([row for row in ROWS if row.verb == "open"])
async def test_a_row_asks_for_a_reason_where_one_is_due(scene: Scene, row: Row) -> None:
    for reason in (None, "", "because", "call"):
        arguments = {**await ARGUMENTS[row.verb, row.purpose](scene, member(row)), "reason": reason}
        code, _ = await scene.code("web", row.verb, row.purpose, arguments, scene.home.token(member(row)))
        assert code == ("ok" if reason == "call" or not row.reason else "invalid"), reason


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeeperHome]:
    with running(tmp_path_factory.mktemp("tight"), **TIGHT_BUDGETS) as home:
        yield home


@by_row([row for row in ROWS if row.budget])
async def test_a_row_counts_against_its_budget(tight: KeeperHome, row: Row) -> None:
    scene = Scene(tight)
    scene.is_tight = True
    await scene.connect()
    role, principal = member(row), min(row.principals)
    token = await scene.hire(role) if role else None
    refused = None
    for _ in range(TIGHT + 1):
        arguments = await ARGUMENTS[row.verb, row.purpose](scene, role)
        if row.budget == "import":
            arguments = {"items": [one for _ in range(POOL // TIGHT) for one in item(new_id(), identity={})]}
        code, refused = await scene.code(principal, row.verb, row.purpose, arguments, token)
        if code != "ok":
            break
    await tight.disconnect()

    assert refused is not None
    assert (refused.code, refused.detail["budget"]) == ("over-budget", row.budget)
    assert 0 < refused.detail["retry_after_s"] <= policy.DAY_MS // 1000
