"""What a scenario says, in words for people who have not written it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from drivetrain.scenario.levers import Categorical, Lever, YesNo

if TYPE_CHECKING:
    from drivetrain.scenario.constraints import Constraint
    from drivetrain.scenario.root import Scenario

FEW = 6
"""So many options are named; of more only the number is told."""
_OUTCOMES = {"binary": "yes or no", "count": "a count", "rating": "a rating", "categorical": "one of several"}


def in_words(scenario: Scenario) -> dict[str, str]:
    """Part of a scenario → what it says there.

    >>> from drivetrain.scenario import load
    >>> in_words(load("scenarios/cash_incentive.yaml"))["levers"]
    'incentive (0 to 3 USD), for each row'
    """
    objective = scenario.objective
    unit = f", in {objective.unit}" if objective.unit else ""
    much = "much" if objective.sign > 0 else "little"
    told = {
        "question": " ".join(scenario.title.split()),
        "objective": f"as {much} as possible of {' '.join(objective.text.split())}{unit}",
        "levers": ", ".join(_lever(name, lever) for name, lever in scenario.levers.items()) + f", {_unit(scenario)}",
        "inputs": ", ".join(scenario.inputs),
        "outcomes": ", ".join(_outcome(name, each.kind, each.unit) for name, each in scenario.outcomes.items()),
        "constraints": "; ".join(bound(each) for each in scenario.constraints),
        "assignment": "settings in the data were "
        + ("drawn at random" if scenario.assignment.design == "randomised" else "not drawn at random"),
    }
    return {part: said for part, said in told.items() if said}


def extent(lever: Lever) -> str:
    """What a lever can be set to: `0 to 3 USD`, `yes or no`, `sms, mail`, `240 options`."""
    if isinstance(lever, Categorical):
        return ", ".join(lever.options) if 0 < len(lever.options) <= FEW else f"{len(lever.options) or 'many'} options"
    if isinstance(lever, YesNo):
        return "yes or no"
    return f"{lever.min:g} to {lever.max:g} {lever.unit}".strip()


def bound(constraint: Constraint, mark: str = "", unit: str | None = None) -> str:
    """What a constraint asks for: `total price * taken at most 1000 EUR`.

    Args:
        constraint: the constraint.
        mark: what stands before and after its formula.
        unit: its unit, where it is to be written otherwise.
    """
    ends = {"at least": constraint.at_least, "at most": constraint.at_most}
    told = " and ".join(f"{word} {_end(end)}" for word, end in ends.items() if end is not None)
    sure = f" with confidence {constraint.confidence:g}" if constraint.confidence is not None else ""
    said = f"{constraint.over} {mark}{constraint.text}{mark} {told} {constraint.unit if unit is None else unit}"
    return said.rstrip() + sure


def remarks(scenario: Scenario) -> tuple[str, ...]:
    """What is allowed, and will be missed."""
    if scenario.objective.unit:
        return ()
    return ("objective: it has no unit, so no figure will say of what it is. Add one, such as unit: EUR per visitor",)


def _end(end: float | Mapping[str, float]) -> str:
    return f"{end:g}" if not isinstance(end, Mapping) else "a bound for each group"


def _lever(name: str, lever: Lever) -> str:
    return f"{name} ({'stays as it is' if lever.frozen else extent(lever)})"


def _unit(scenario: Scenario) -> str:
    decide = scenario.decide
    if decide.unit == "segment":
        return f"for each {' and '.join(decide.by)}" if decide.by else f"for each of at most {decide.tree} groups"
    return "for each row" if decide.unit == "row" else "once for all"


def _outcome(name: str, kind: str, unit: str) -> str:
    said = _OUTCOMES.get(kind, unit or "a number")
    return f"{name} ({said})"
