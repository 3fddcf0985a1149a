"""docs/promises.md says what there is."""

import re

from crm.promises.clauses import CLAUSES
from crm.promises.verdict import Verdict
from tests.keeper.home import ROOT
from tests.leaks.web import GUARDS

TEXT = (ROOT / "docs" / "promises.md").read_text()


def first_cells(heading: str) -> list[str]:
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_it_has_every_verdict_and_every_check_that_is_built() -> None:
    checks = [check for clause in CLAUSES for check in clause.checks]
    built = {check.name for check in checks if not check.find.__qualname__.startswith("_later")}
    assert set(first_cells("Verdicts")) == set(Verdict)
    assert set(first_cells("Checks")) == built


def test_it_names_every_guard_that_a_test_takes_away() -> None:
    section = TEXT.partition("\n## What leaks by default elsewhere, and here\n")[2]

    assert {guard.__name__ for guard in GUARDS} <= set(re.findall(r"`(\w+)`", section))
