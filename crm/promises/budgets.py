"""Whether budgets bound what one account can take, by the values the keeper runs with."""

from collections.abc import Mapping

from crm.promises.verdict import Finding, cannot_tell, judged

# A day for each person: the contract's values, which are the policy's; lifted for an hour by a second person, three
# times as much.
CONTRACT = {"people": 150, "labels": 600, "intake": 300}
LIFT = 3


def judge_budgets(limits: Mapping[str, int] | None) -> Finding:
    """Each budget of the contract is there, and none is more than the contract's, lifted."""
    if limits is None:
        return cannot_tell("the keeper's file does not say")
    faults = [f"there is no budget of {name}" for name in CONTRACT if name not in limits]
    faults += [
        f"{limits[name]:,} {name} a day, where the contract allows {most}"
        for name, most in CONTRACT.items()
        if name in limits and not 0 < limits[name] <= most * LIFT
    ]
    return judged(faults, ", ".join(f"{limits.get(name):,} {name}" for name in CONTRACT if name in limits) + " a day")
