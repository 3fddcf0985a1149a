"""The fold: which entries are an alert, that more entries take none back, and that pages do not matter."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.audit import alerts
from crm.audit.alerts import Acknowledged, Alert, Fold, State, is_canary
from crm.kit.clock import rfc3339

ADA, BEA, CARL = ("a" * 32, "b" * 32, "c" * 32)
BIRD = "f" * 32
SECOND, MINUTE, HOUR, DAY = 1000, alerts.MINUTE_MS, alerts.HOUR_MS, alerts.DAY_MS
MONDAY = 1_795_428_000_000  # 2026-11-23T10:00:00Z
ZONE = ZoneInfo("UTC")
ORIGIN = "keeper.example/log"
ACKNOWLEDGED = {"state": "acknowledged"}


class Log:
    """Entries as the keeper lists them; time passes by both clocks."""

    def __init__(self, at: int = MONDAY) -> None:
        self.entries: list[dict[str, Any]] = []
        self.at = at
        self.steady = 5_000_000

    def wait(self, ms: int) -> "Log":
        self.at += ms
        self.steady += ms
        return self

    def add(self, act: str, actor: str | None = ADA, outcome: str = "ok", **more: Any) -> "Log":
        entry = {
            "index": len(self.entries), "at": rfc3339(self.at), "steady": self.steady, "v": 1, "act": act,
            "outcome": outcome, **({"actor": actor, "role": "staff"} if actor else {}), **more,
        }  # fmt: skip
        self.entries.append(entry)
        return self.wait(SECOND)

    def open(self, *subjects: str, actor: str = ADA, **more: Any) -> "Log":
        return self.add("open", actor, purpose="serve", subjects=list(subjects), **more)

    def refuse(self, what: str, outcome: str = "purpose-not-yours", actor: str | None = ADA, **more: Any) -> "Log":
        return self.add("refused", actor, outcome, what=what, **more)


def person(number: int) -> str:
    return f"{number:032x}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fold(entries: Sequence[dict[str, Any]], *cuts: int, zone: ZoneInfo = ZONE) -> tuple[list[Alert], list[Any]]:
    """Take entries in pages that begin at the cuts, with what is carried on as JSON between them."""
    found: dict[tuple[str, int], Alert] = {}
    words: list[Acknowledged] = []
    state, canaries = State(), set[str]()
    for start, end in pairwise([0, *sorted(cuts), len(entries)]):
        page = Fold(ORIGIN, zone, digest, canaries, state=state)
        for entry in entries[start:end]:
            page.take(entry)
        found |= {(alert.kind, alert.first): alert for alert in page.raised}
        words += page.acknowledged
        state = State(**json.loads(json.dumps(asdict(page.carry())))) if end > start else state
        canaries |= {one for entry in entries[start:end] if is_canary(entry) for one in entry["subjects"]}
    return list(found.values()), words


def found_in(log: Log, **more: Any) -> list[Alert]:
    """Fold at once, and see that entry by entry it is the same."""
    found = fold(log.entries, **more)
    assert fold(log.entries, *range(len(log.entries)), **more) == found
    return found[0]


def kinds(log: Log, **more: Any) -> list[str]:
    return [alert.kind for alert in found_in(log, **more)]


def only(log: Log, kind: str) -> Alert:
    (alert,) = (one for one in found_in(log) if one.kind == kind)
    return alert


# What is an alert, and what is none


def test_an_ordinary_day_is_quiet() -> None:
    log = Log().add("start", None, build="1").add("sign_in", factors="password")
    for number in range(30):
        log.open(person(number % 9)).wait(MINUTE)
    log.add("stop", None).add("start", None, build="1").refuse("open")

    assert kinds(log) == []


def test_a_spent_budget_is_one_alert_an_hour_for_each_person() -> None:
    log = Log().refuse("open", "over-budget").refuse("search", "over-budget", BEA)
    log.wait(MINUTE).refuse("open", "over-budget", None, by="keeper", count=7)
    log.entries[-1]["actor"] = ADA
    log.wait(2 * HOUR).refuse("open", "over-budget")

    found = [(one.kind, one.actor, one.count, one.evidence) for one in found_in(log)]
    assert found == [
        ("budget_exhausted", ADA, 8, [0, 2]), ("budget_exhausted", BEA, 1, [1]), ("budget_exhausted", ADA, 1, [3])
    ]  # fmt: skip


def test_an_alert_ends_with_a_pause_that_is_longer_than_its_own() -> None:
    log = Log().refuse("open", "over-budget").wait(HOUR - SECOND)
    log.add("sign_in", BEA).wait(-SECOND).refuse("open", "over-budget")
    assert only(log, "budget_exhausted").count == 2

    log.wait(HOUR).refuse("open", "over-budget")
    assert [alert.count for alert in found_in(log)] == [2, 1]


def test_people_are_counted_to_the_end_of_the_minute() -> None:
    log = Log().open(*map(person, range(9)))

    assert kinds(log.wait(MINUTE - SECOND).open(person(9))) == ["many_people"]


def test_a_few_refusals_are_an_alert_and_counts_count() -> None:
    few = Log()
    for _ in range(4):
        few.refuse("open").wait(2 * MINUTE)
    assert kinds(few) == []

    alert = only(few.refuse("open", count=1), "refusals")
    assert (alert.first, alert.last, alert.count, alert.evidence) == (0, 4, 5, [0, 1, 2, 3, 4])
    assert kinds(Log().refuse("open").wait(MINUTE).refuse("open", count=4)) == ["refusals"]
    assert kinds(Log().refuse("open", count=4).wait(11 * MINUTE).refuse("open", count=4)) == []
    assert kinds(Log().refuse("open", count=4).refuse("open", actor=BEA, count=4)) == []


def test_failed_sign_ins_are_those_of_the_account_or_of_nobodys() -> None:
    tried = Log().refuse("sign_in", "unauthenticated", None, about=BEA).refuse("sign_in", actor=BEA, count=4)
    assert (only(tried, "failed_sign_ins").actor, only(tried, "failed_sign_ins").count) == (BEA, 5)

    unknown = Log().refuse("sign_in", "unauthenticated", None).refuse("accept", "unauthenticated", "web", count=9)
    assert only(unknown, "failed_sign_ins").actor is None
    assert kinds(Log().refuse("sign_in", "over-budget", None, about=BEA)) == ["failed_sign_ins"]
    assert kinds(Log().refuse("sign_in", "second-factor-required", None, about=BEA, count=9)) == []


def test_a_stranger_at_a_socket_is_an_alert_at_once() -> None:
    alert = only(Log().refuse("connect", "unauthenticated", None, by="web").refuse("connect", actor="web", count=3),
                 "connection_refused")  # fmt: skip

    assert (alert.actor, alert.count, alerts.SEVERITY[alert.kind]) == (None, 4, "critical")


def test_hours_in_which_somebody_never_works() -> None:
    log = Log()
    for day in range(4):
        log.at = MONDAY + day * DAY
        log.steady += DAY
        log.open(person(1)).wait(HOUR).open(person(1))
    log.at += 7 * HOUR  # 18:00, where 10:00 and 11:00 are usual
    log.steady += 7 * HOUR
    log.open(person(2)).open(person(3))

    alert = only(log, "unusual_hours")
    assert (alert.actor, alert.first, alert.count) == (ADA, 8, 2)
    log.wait(16 * HOUR).open(person(2))
    assert kinds(log).count("unusual_hours") == 1


def test_whoever_is_new_has_no_hours_yet() -> None:
    log = Log().open(person(1)).wait(8 * HOUR).open(person(2))

    assert kinds(log) == []


def test_what_was_worked_long_ago_says_nothing() -> None:
    log = Log()
    for day in range(4):
        log.at = MONDAY + day * DAY
        log.steady += DAY
        log.open(person(1))
    log.wait(21 * DAY - 12 * HOUR + 20 * HOUR).open(person(2))

    assert "unusual_hours" not in kinds(log)


@pytest.mark.parametrize(
    ("after", "zone", "is_one"),
    [
        (0, "UTC", False),
        (9 * HOUR, "UTC", False),
        (11 * HOUR, "UTC", True),
        (20 * HOUR - 1 * MINUTE, "UTC", True),
        (20 * HOUR, "UTC", False),
        (5 * DAY, "UTC", True),
        (0, "Asia/Tokyo", False),
        (2 * HOUR, "Asia/Tokyo", True),
        (0, "America/Los_Angeles", True),
    ],
)
def test_nights_and_weekends_are_where_people_work(after: int, zone: str, *, is_one: bool) -> None:
    log = Log(MONDAY + after).open(person(1))

    assert kinds(log, zone=ZoneInfo(zone)) == ["night_or_weekend"] * is_one


def test_many_people_within_a_minute() -> None:
    quick = Log()
    for number in range(10):
        quick.open(person(number))
    alert = only(quick.open(person(3)), "many_people")
    assert (alert.first, alert.last, alert.count, alert.actor) == (0, 10, 11, ADA)

    same, slow = Log(), Log()
    for number in range(20):
        same.open(person(number % 9))
        slow.open(person(number)).wait(7 * SECOND)
    assert kinds(same) == kinds(slow) == []


def test_a_merged_set_is_one_person() -> None:
    log = Log()
    for number in range(9):
        log.open(person(number), person(100 + number), merged=1)

    assert kinds(log) == []


def test_a_canary_shown_and_opened() -> None:
    log = Log().open(BIRD).add("put", BEA, purpose="canary", subjects=[BIRD])
    assert kinds(log) == []

    log.add("search", purpose="serve", subjects=[person(1), BIRD]).open(person(1)).open(BIRD).open(BIRD, actor=CARL)
    log.add("match", purpose="serve", subjects=[]).add("subject", BEA, purpose="audit", subjects=[BIRD])
    log.open(BIRD)

    found = [(one.kind, one.actor, one.first) for one in found_in(log)]
    assert found == [("canary_shown", ADA, 2), ("canary_opened", ADA, 4), ("canary_opened", CARL, 5)]


def test_no_canary_hides_behind_another() -> None:
    other = "e" * 32
    log = Log().add("put", BEA, purpose="canary", subjects=[BIRD]).add("put", BEA, purpose="canary", subjects=[other])
    log.open(BIRD).open(BIRD, other).open(other).wait(alerts.QUIET_MS).open(BIRD)

    assert [(one.kind, one.first) for one in found_in(log)] == [
        ("canary_opened", 2), ("canary_opened", 3), ("canary_opened", 5)
    ]  # fmt: skip


def test_a_canary_is_an_alert_again_after_a_day_without() -> None:
    log = Log().add("put", BEA, purpose="canary", subjects=[BIRD]).open(BIRD)
    log.wait(2 * HOUR).add("sign_in").open(BIRD).wait(alerts.QUIET_MS - SECOND).open(BIRD)
    assert kinds(log).count("canary_opened") == 1

    log.wait(alerts.QUIET_MS).open(BIRD)
    assert kinds(log).count("canary_opened") == 2


def test_an_alert_that_is_somebodys_grows_no_more() -> None:
    quick = Log()
    for number in range(10):
        quick.open(person(number)).refuse("open")
    found = {alert.kind: alert for alert in fold(quick.entries)[0]}
    for alert in found.values():
        quick.add("record", BEA, role="auditor", what="alert", subjects=[alert.id_in(ORIGIN)], detail=ACKNOWLEDGED)
    quick.add("record", BEA, role="auditor", what="alert", subjects=[person(9)], detail=ACKNOWLEDGED)
    for number in range(10):
        quick.open(person(number)).refuse("open")

    assert set(found) == {"many_people", "refusals"}
    after = [(one.kind, one.first) for one in found_in(quick)]
    assert after == [("refusals", 1), ("many_people", 0), ("refusals", 24), ("many_people", 23)]


def test_the_house_is_nobody() -> None:
    log = Log(MONDAY + 5 * DAY).add("open", purpose="house", subjects=[person(0)])

    assert kinds(log) == []


@pytest.mark.parametrize("act", ["open", "search", "put"])
def test_what_was_not_done_touches_nothing(act: str) -> None:
    log = Log().add("put", BEA, purpose="canary", subjects=[BIRD])
    log.add(act, outcome="invalid", purpose="canary", subjects=[BIRD])

    assert kinds(log) == []


def test_accounts_and_lifts() -> None:
    log = Log().add("people_add", None, about=BEA).add("invite", CARL, about=BEA)
    log.add("invite", CARL, about=BEA, what="person", decision=person(1))
    for what in ("person", "roles", "reset", "lift"):
        log.add("decide", CARL, "approve", what=what, about=BEA).add("decide", CARL, "refuse", what=what, about=BEA)

    found = [(one.kind, one.actor, one.about) for one in found_in(log)]
    assert found == [
        ("account_made", None, BEA), ("account_made", CARL, BEA), ("account_made", CARL, BEA),
        ("roles_changed", CARL, BEA), ("account_reset", CARL, BEA), ("budget_lifted", CARL, BEA),
    ]  # fmt: skip


def test_a_keeper_that_ended_without_a_word_or_came_back_another() -> None:
    log = Log().add("start", None, build="1").add("sign_in").add("start", None, build="1")
    log.add("stop", None).add("start", None, build="2")

    assert [(one.kind, one.first) for one in found_in(log)] == [("keeper_ended", 2), ("keeper_changed", 4)]


def test_a_restore_with_loss() -> None:
    log = Log().add("restored_with_loss", None).add("start", None, build="1")

    assert kinds(log) == ["restored_with_loss"]


def test_backups_that_are_too_old() -> None:
    log = Log().add("start", None).wait(7 * DAY).add("backup", None).wait(7 * DAY).add("sign_in")
    assert kinds(log) == []

    log.wait(2 * DAY).add("sign_in").add("sign_in").add("rotate", None).wait(9 * DAY).add("sign_in")
    found = [(one.kind, one.evidence, one.actor) for one in found_in(log)]
    assert found == [("backup_old", [1, 3], None), ("backup_old", [5, 6], None)]


@pytest.mark.parametrize(
    ("wall", "steady", "is_one"),
    [(HOUR, HOUR, False), (HOUR, 0, True), (0, HOUR, True), (MINUTE, 0, False), (HOUR, -1_000_000, False)],
)
def test_a_clock_that_was_set(wall: int, steady: int, *, is_one: bool) -> None:
    log = Log().add("start", None).add("stop", None)
    log.at += wall
    log.steady += steady
    log.add("start", None)

    assert kinds(log) == ["clock_jumped"] * is_one


def test_only_an_auditors_word_from_the_list_acknowledges() -> None:
    said = {"what": "alert", "subjects": [person(7)], "detail": {"state": "false_alarm"}, "role": "auditor"}
    log = Log()
    for more in (
        {}, {"role": "staff"}, {"detail": {"state": "lead"}}, {"detail": {}}, {"subjects": []}, {"what": "owner"},
        {"outcome": "invalid"},
    ):  # fmt: skip
        log.add("record", **{"actor": BEA, **said, **more})
    del log.entries[-1]["detail"]

    alert, words = fold(log.entries)
    assert alert == []
    assert words == [Acknowledged(person(7), BEA, "false_alarm", MONDAY, 0)]


def test_the_name_of_an_alert_is_that_of_its_log() -> None:
    alert = only(Log().add("restored_with_loss", None), "restored_with_loss")

    assert alert.id_in("a.example/log") == alert.id_in("a.example/log") != alert.id_in("b.example/log")


def test_evidence_that_is_named_ends_and_the_count_goes_on() -> None:
    log = Log()
    for _ in range(50):
        log.refuse("open", "over-budget")

    alert = only(log, "budget_exhausted")
    assert (alert.evidence, alert.count, alert.last) == (list(range(alerts.EVIDENCE)), 50, 49)


# What holds for every log

PEOPLE = st.sampled_from([ADA, BEA, CARL])
SUBJECTS = st.lists(st.integers(0, 15).map(person), min_size=1, max_size=3, unique=True)
COUNT = st.one_of(st.just({}), st.integers(1, 9).map(lambda count: {"count": count}))
REFUSED = st.fixed_dictionaries(
    {
        "act": st.just("refused"),
        "actor": st.one_of(PEOPLE, st.just("web"), st.none()),
        "what": st.sampled_from(["open", "sign_in", "accept", "connect", "invite"]),
        "outcome": st.sampled_from(["over-budget", "unauthenticated", "purpose-not-yours", "second-factor-required"]),
    }
)
SHOWN = st.fixed_dictionaries(
    {
        "act": st.sampled_from(["open", "open", "search", "labels", "match", "put"]),
        "actor": PEOPLE,
        "purpose": st.sampled_from(["serve", "house", "canary"]),
        "outcome": st.sampled_from(["ok", "ok", "invalid"]),
        "subjects": SUBJECTS,
    }
)
DECIDED = st.fixed_dictionaries(
    {
        "act": st.just("decide"),
        "actor": PEOPLE,
        "what": st.sampled_from(["person", "roles", "reset", "lift"]),
        "about": PEOPLE,
        "outcome": st.sampled_from(["approve", "refuse"]),
    }
)
OWN = st.fixed_dictionaries(
    {
        "act": st.sampled_from(["start", "stop", "backup", "rotate", "restored_with_loss"]),
        "actor": st.none(),
        "build": st.sampled_from(["1", "2"]),
    }
)
SAID = st.fixed_dictionaries(
    {
        "act": st.just("record"),
        "actor": PEOPLE,
        "role": st.sampled_from(["auditor", "staff"]),
        "what": st.just("alert"),
        "subjects": SUBJECTS,
        "detail": st.just({"state": "escalated"}),
    }
)
STEP = st.tuples(
    st.sampled_from([0, SECOND, 5 * SECOND, MINUTE, 11 * MINUTE, HOUR, 13 * HOUR, 9 * DAY, 20 * DAY]),
    st.sampled_from([0, 0, 0, 5 * MINUTE, -5_000_000]),
)


def read(entries: list[dict[str, Any]]) -> Fold:
    page = Fold(ORIGIN, ZONE, digest, ())
    for entry in entries:
        page.take(entry)
    return page


@st.composite
def logs(draw: st.DrawFn) -> list[dict[str, Any]]:
    log, page = Log(), read([])
    steps = st.tuples(STEP, st.one_of(REFUSED, REFUSED, SHOWN, SHOWN, DECIDED, OWN, SAID), COUNT)
    for (passed, set_by), entry, count in draw(st.lists(steps, max_size=60)):
        log.wait(passed)
        log.steady = max(0, log.steady + set_by)
        more = count if entry["act"] == "refused" else {}
        if entry["act"] == "record" and page.raised:
            more = {"subjects": [page.raised[-1].id_in(ORIGIN)]}
        log.add(**{**entry, **more})
        page.take(log.entries[-1])
    return log.entries


def shape(found: Iterable[Alert]) -> dict[tuple[str, int], Alert]:
    return {(alert.kind, alert.first): alert for alert in found}


@given(logs(), st.data())
def test_pages_do_not_matter(entries: list[dict[str, Any]], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(entries)), max_size=6))

    whole, words = fold(entries)
    paged, paged_words = fold(entries, *cuts)

    assert shape(paged) == shape(whole)
    assert paged_words == words


@given(logs(), st.data())
def test_more_entries_take_no_alert_back(entries: list[dict[str, Any]], data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(entries)))

    before, after = shape(fold(entries[:end])[0]), shape(fold(entries)[0])

    assert before.keys() <= after.keys()
    for name, alert in before.items():
        grown = after[name]
        assert (grown.at, grown.actor, grown.about) == (alert.at, alert.actor, alert.about)
        assert grown.last >= alert.last
        assert grown.count >= alert.count
        assert grown.evidence[: len(alert.evidence)] == alert.evidence


@given(logs())
def test_what_an_alert_rests_on_is_there(entries: list[dict[str, Any]]) -> None:
    found = read(entries).raised

    # No two alerts of one kind begin with the same entry, or one would take the other's name.
    assert len(found) == len(shape(found))
    for alert in found:
        assert alert.kind in alerts.SEVERITY
        assert alert.evidence == sorted(set(alert.evidence))
        assert alert.evidence[0] == alert.first <= alert.evidence[-1] <= alert.last < len(entries)
        if alert.kind in alerts.ABOUT_PEOPLE:
            assert {entries[index]["actor"] for index in alert.evidence} == {alert.actor}
            assert all(entries[index]["subjects"] for index in alert.evidence)


@given(logs())
def test_what_is_carried_on_names_nobody_who_was_looked_at(entries: list[dict[str, Any]]) -> None:
    carried = json.dumps(asdict(read(entries).carry()))

    subjects = {one for entry in entries for one in entry.get("subjects", ())}
    assert not any(one in carried for one in subjects)
