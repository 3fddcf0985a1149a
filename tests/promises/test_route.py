"""GET /v1/promises: for everybody, never better than it is, and no way to keep the parts busy."""

import asyncio
import re

import pytest

from crm.keeper import policy
from crm.promises import budgets, database
from crm.promises.clauses import CLAUSES
from crm.promises.service import KEPT_MS, from_json, to_json
from crm.promises.verdict import Verdict, worst
from tests.product import Product
from tests.promises.conftest import told

# What is built later; a line goes when its check comes.
LATER = {"C2", "C3", "C4", "C5", "C8", "C9", "C10", "C11"}


async def test_every_clause_is_told_with_control_evidence_and_verdict(pinned: Product) -> None:
    report = await told(pinned)

    assert [clause["id"] for clause in report["clauses"]] == [f"C{number}" for number in range(1, 12)]
    for clause in report["clauses"]:
        assert clause["text"]
        assert clause["control"]
        assert clause["checks"]
        for check in clause["checks"]:
            assert set(check) == {"name", "control", "verdict", "evidence"}
            assert all(check.values())
            assert check["verdict"] in set(Verdict)
        assert clause["verdict"] == worst(Verdict(check["verdict"]) for check in clause["checks"])
    assert report["verdict"] == "broken", "the tests' own process has a way out"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z", report["checked_at"])


async def test_what_is_built_later_is_never_kept(pinned: Product) -> None:
    verdicts = {clause["id"]: clause["verdict"] for clause in (await told(pinned))["clauses"]}

    assert {id_ for id_ in LATER if verdicts[id_] == "kept"} == set()
    assert {id_ for id_, verdict in verdicts.items() if verdict == "not yet"} == LATER


async def test_nothing_secret_is_told(pinned: Product) -> None:
    answer = await pinned.nobody.get("/v1/promises")

    home = pinned.keeper.path
    secrets = {(home / "services" / "web.key").read_text().strip(), str(home), str(pinned.server.home.root)}
    secrets |= {pinned.server.dsn(role).reveal() for role in ("kept_web", "kept_web_read")}
    secrets |= {person.token for person in pinned.keeper.cast.values()} | {"127.0.0.1", "postgresql://"}
    assert [secret for secret in secrets if secret in answer.text] == []


async def test_many_who_ask_are_one_look(pinned: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    rows = pinned.app.state.held.reads.rows

    async def counted(*args: object, **values: object) -> object:
        nonlocal looks
        looks += 1
        return await rows(*args, **values)

    monkeypatch.setattr(pinned.app.state.held.reads, "rows", counted)
    reports = await asyncio.gather(*(told(pinned) for _ in range(20)))
    first = looks
    board = pinned.app.state.held.board
    board._until_ms -= KEPT_MS
    again = await told(pinned)

    assert all(report == reports[0] for report in reports)
    assert again["checked_at"] >= reports[0]["checked_at"]
    assert looks == 2 * first


async def test_it_takes_no_other_method(pinned: Product) -> None:
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
        assert (await pinned.nobody.request(method, "/v1/promises")).status_code == 405


async def test_a_report_reads_back_as_it_was_printed(pinned: Product) -> None:
    report = await pinned.app.state.held.board.report()

    assert to_json(from_json(to_json(report))) == to_json(report)


async def test_what_a_report_leaves_out_is_not_kept_and_what_it_adds_is_not_shown(pinned: Product) -> None:
    told_all = await told(pinned)
    lying = {**told_all, "clauses": [{**told_all["clauses"][2], "id": "C99"}], "verdict": "kept"}
    lying["clauses"][0]["checks"] = [{"name": "log", "verdict": "kept", "evidence": "fine\x1b[2Jfine\n"}]

    report = from_json(lying)

    assert [clause.id for clause in report.clauses] == [clause.id for clause in CLAUSES]
    assert report.found["log"].evidence == "fine[2Jfine"
    assert {finding.verdict for name, finding in report.found.items() if name != "log"} == {Verdict.CANNOT_TELL}


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"clauses": [{"id": "C1"}]}, {"clauses": 3}, [], {"clauses": []},
        {"clauses": [{"checks": [{"name": "log", "verdict": "fine", "evidence": ""}]}], "checked_at": ""},
    ],
)  # fmt: skip
def test_what_is_no_report_is_not_taken_for_one(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not a report|not a valid Verdict"):
        from_json(broken)


def test_a_clause_has_a_name_of_its_own_and_so_has_a_check() -> None:
    assert len({clause.id for clause in CLAUSES}) == len(CLAUSES)
    checks = {check for clause in CLAUSES for check in clause.checks}
    assert len({check.name for check in checks}) == len(checks)


def test_the_contracts_budgets_are_the_policys() -> None:
    assert {name: policy.BUDGETS[name][0] for name in budgets.CONTRACT} == budgets.CONTRACT
    assert budgets.LIFT == policy.LIFT
    assert "no budget of people" in budgets.judge_budgets({"labels": 600, "intake": 300}).evidence


def test_what_the_migrations_grant_is_read_from_them() -> None:
    assert database.SAID["contact", "kept_web"] == {"select", "insert", "update", "delete"}
    assert ("schema public", "kept_web") not in database.SAID


async def test_without_migrations_nothing_is_taken_for_right(pinned: Product) -> None:
    finding = await database.judge_grants(pinned.app.state.held.reads, {})

    assert finding.verdict is Verdict.BROKEN
