"""The promise, clause by clause: what the customer is told, what makes it true, and the checks that may say it is not.

The text is the privacy policy of 2003 that the product keeps. What is built later says `not yet`; a clause is kept
when all of its checks say so.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from crm.promises.budgets import judge_budgets
from crm.promises.database import judge_columns, judge_grants, judge_statement_log
from crm.promises.ground import Ground
from crm.promises.inside import judge_access_log, judge_core, judge_egress, judge_isolation
from crm.promises.surface import judge_declared, judge_width
from crm.promises.tree import judge_log
from crm.promises.verdict import Finding, Verdict, cannot_tell, judged


@dataclass(frozen=True, slots=True)
class Check:
    """One control, and the look at the running system that would find it gone."""

    name: str
    control: str
    find: Callable[[Ground], Awaitable[Finding]]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the promise."""

    id: str
    text: str
    control: str
    checks: tuple[Check, ...]


def _later(name: str, what: str) -> Check:
    async def find(_: Ground) -> Finding:
        return Finding(Verdict.NOT_YET, "not built yet, so nothing of it is promised to hold")

    return Check(name, what, find)


async def _declared(ground: Ground) -> Finding:
    return judge_declared(ground.routes)


async def _width(ground: Ground) -> Finding:
    return judge_width(ground.routes)


async def _answers(ground: Ground) -> Finding:
    return _none_of(ground, "media", "answers of a kind that never leaves", "every answer was of a kind that may leave")


async def _cookies(ground: Ground) -> Finding:
    return _none_of(ground, "cookie", "cookies nobody declared", "none is declared, none was set")


def _none_of(ground: Ground, what: str, fault: str, evidence: str) -> Finding:
    if ground.refused is None:
        return cannot_tell("only the web process knows; ask it (--url)")
    count = ground.refused.get(what, 0)
    return judged([f"{count} {fault} were about to be sent, and were not"] if count else [], evidence)


async def _grants(ground: Ground) -> Finding:
    return await judge_grants(ground.reads)


async def _columns(ground: Ground) -> Finding:
    return await judge_columns(ground.reads)


async def _statement_log(ground: Ground) -> Finding:
    return await judge_statement_log(ground.reads)


async def _log(ground: Ground) -> Finding:
    if ground.key is None:
        return cannot_tell("no key was pinned")
    return await judge_log(ground.log, ground.key, ground.memory, ground.clock)


async def _budgets(ground: Ground) -> Finding:
    return judge_budgets(await ground.limits())


async def _egress(ground: Ground) -> Finding:
    return judge_egress(await ground.look())


async def _core(ground: Ground) -> Finding:
    return judge_core(await ground.look())


async def _isolation(ground: Ground) -> Finding:
    return judge_isolation(await ground.look(), ground.isolation)


async def _access_log(ground: Ground) -> Finding:
    if ground.refused is None:
        return cannot_tell("only the web process knows; ask it (--url)")
    return judge_access_log()


DECLARED = Check("declared", "every route names its purpose or role, or is in the list of public ones", _declared)
WIDTH = Check("width", "no route answers with a file, or with more people than its class in one table", _width)
ANSWERS = Check("answers", "the edge sends JSON, text and sealed bytes, and no other kind of body", _answers)
GRANTS = Check("grants", "each database role has what its process needs; the reading role only reads", _grants)
EGRESS = Check("egress", "the web process cannot connect to anything outside", _egress)
LOG = Check("log", "the log is signed by the pinned key, holds its newest entries, and was never put back", _log)
BUDGETS = Check("budgets", "so many people and labels a day, whatever the route", _budgets)
CORE = Check("core", "a crash leaves no memory behind", _core)
ISOLATION = Check("isolation", "how far processes are kept apart is said as it is", _isolation)
ACCESS_LOG = Check("access log", "no line of the web server has an address", _access_log)
COLUMNS = Check("columns", "the schema has no place for an address, a browser or where somebody came from", _columns)
STATEMENTS = Check("statements", "the database logs no value that was handed to a statement", _statement_log)
COOKIES = Check("cookies", "the edge drops every cookie that is not declared", _cookies)

CLAUSES = (
    Clause(
        "C1",
        "We will not give, rent, loan or sell personally-identifiable information to any third party",
        "no export exists; what leaves is a screenful at most; nothing connects outward",
        (DECLARED, WIDTH, ANSWERS, GRANTS, EGRESS),
    ),
    Clause(
        "C2",
        "unless legally required to do so.",
        "a compulsory instrument, a narrowed scope, two people who sign it, the entry before the data",
        (_later("release", "the only way out is a legal release signed by two people"),),
    ),
    Clause(
        "C3",
        "We store and process that information to better understand your needs and how we can improve our products "
        "and services.",
        "needs are counted above a threshold; who counts never sees a person",
        (_later("needs", "needs and improvements are counted, and no count is below the threshold"),),
    ),
    Clause(
        "C4",
        "We may use that information to contact you.",
        "by consent, to the person's own address, with one click to stop",
        (_later("outreach", "nobody is mailed who did not consent or has objected"),),
    ),
    Clause(
        "C5",
        "We collect information that is not personally-identifiable: browser type, operating system, "
        "the domain name you linked from.",
        "daily counters of one dimension; no row for a visitor",
        (COLUMNS, _later("traffic", "cells below the threshold never reach a disk")),
    ),
    Clause(
        "C6",
        "We use industry-standard efforts to safeguard it; perfect security does not exist.",
        "a log that cannot be changed unseen, budgets, least rights, and a document that says what is not prevented",
        (LOG, BUDGETS, GRANTS, EGRESS, CORE, ISOLATION),
    ),
    Clause(
        "C7",
        "IP addresses are used to examine traffic in aggregate only; our web servers do not record e-mail addresses "
        "of visitors.",
        "an address lives in memory for one request; log lines are made of words of ours",
        (ACCESS_LOG, STATEMENTS, COLUMNS),
    ),
    Clause(
        "C8",
        "Cookies let us know that you are a prior customer and bring back what you gave; they hold no personal or "
        "business information.",
        "a registry of cookies that refuses any other",
        (COOKIES, _later("prior customer", "one constant cookie and one random token, each refusable")),
    ),
    Clause(
        "C9",
        "Unless you specifically tell us, we will never know who you are.",
        "no path in the schema from a visit to a person",
        (COLUMNS, _later("visits", "visits are counted, and a count leads to nobody")),
    ),
    Clause(
        "C10",
        "Links to other sites lead to sites that are not ours.",
        "marked, no referrer, no tracking",
        (_later("links", "every link outward is marked and says nothing of where it was followed"),),
    ),
    Clause(
        "C11",
        "Whoever has a question about this can ask us.",
        "a page, a form and a mailbox that open a request with a deadline",
        (_later("questions", "a question becomes a request that somebody answers in time"),),
    ),
)
