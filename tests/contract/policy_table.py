"""The policy as a table: printed from ``crm/keeper/policy.py``, and read back from ``docs/security-model.md``.

``python -m tests.contract.policy_table`` puts the table into the document anew. The behaviour test takes what
it expects of a running keeper from the document, never from the code, so that a rule taken out of the code is
missed by somebody.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from crm.keeper import policy

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "security-model.md"
HEADING = "## Who may do what"
BEGIN, END = "<!-- begin: crm/keeper/policy.py -->", "<!-- end -->"
RULE_COLUMNS = ("verb", "purpose", "sockets", "roles", "sections", "at most", "budget", "reason", "proof")
BUDGET_COLUMNS = ("budget", "at most", "within")
EVERYBODY, NOBODY = "everybody signed in", "no session"


class Row(NamedTuple):
    """One row as the document says it."""

    verb: str
    purpose: str
    principals: frozenset[str]
    roles: frozenset[str]
    sections: frozenset[str]
    most: int
    budget: str
    reason: bool
    proof: bool


def render() -> str:
    """Print rules and budgets as two Markdown tables."""
    rules = [
        (
            f"`{verb}`", purpose, _words(rule.principals), _roles(rule.roles), _words(rule.sections), str(rule.most),
            rule.budget, *("due" if one else "" for one in (rule.reason, rule.proof)),
        )
        for (verb, purpose), rule in policy.RULES.items()
    ]  # fmt: skip
    budgets = [(name, f"{limit:,}", f"{ms // policy.HOUR_MS} h") for name, (limit, ms) in policy.BUDGETS.items()]
    return f"{_table(RULE_COLUMNS, rules)}\n{_table(BUDGET_COLUMNS, budgets)}"


def rows() -> list[Row]:
    """Read the rules back from the document."""
    found = []
    for cells in _cells("verb"):
        verb, purpose, principals, roles, sections, most, budget, *due = cells
        named = policy.ROLES if roles == EVERYBODY else frozenset() if roles == NOBODY else _set(roles)
        is_due = (one == "due" for one in due)
        found.append(Row(verb.strip("`"), purpose, _set(principals), named, _set(sections), int(most), budget, *is_due))
    return found


def _cells(first: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this name."""
    lines = iter(DOCUMENT.read_text().splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            break
    next(lines)
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def _table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    whole = [columns, tuple("---" for _ in columns), *lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in whole)


def _words(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _roles(names: frozenset[str]) -> str:
    return EVERYBODY if names == policy.ROLES else NOBODY if not names else _words(names)


def _set(words: str) -> frozenset[str]:
    return frozenset(word.strip() for word in words.split(",") if word.strip())


def main() -> None:
    """Replace the tables between the two marks by those of the code."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{render()}\n{END}{after}")


if __name__ == "__main__":
    main()
