"""Constraints in words: what is bounded, by what, and what one more unit of room is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drivetrain.decisions.rounding import number, with_unit
from drivetrain.scenario import Constraint, Scenario

HEADER = ("constraint", "what is bounded", "bound", "shadow price")
NOTE = "A shadow price is what one more unit of room is worth, in the objective's unit summed over the rows."


def lines(scenario: Scenario, prices: Mapping[str, float]) -> list[list[str]]:
    """A line for each constraint, under `HEADER`; of one that bounds groups, a line for each group with a price.

    Args:
        scenario: what was declared.
        prices: `Plan.shadow_prices`.
    """
    return [line for each in scenario.constraints for line in _lines(each, prices)]


def _lines(constraint: Constraint, prices: Mapping[str, float]) -> Iterator[list[str]]:
    what = f"{constraint.over}: {constraint.text}"
    what += f" for each {' and '.join(constraint.by)}" if constraint.by else ""
    start = f"{constraint.name} ("
    groups = [name.removeprefix(start)[:-1] for name in prices if constraint.by and name.startswith(start)]
    for group in groups or [""]:
        name = f"{constraint.name} ({group})" if group else constraint.name
        price = number(prices[name]) if name in prices else "–"
        yield [name, what, _bounds(constraint, group), price]


def _bounds(constraint: Constraint, group: str) -> str:
    told = []
    for word, given, bound in (
        ("at least", constraint.at_least, constraint.bound("at_least", group)),
        ("at most", constraint.at_most, constraint.bound("at_most", group)),
    ):
        if bound is not None:
            told.append(f"{word} {with_unit(number(bound), constraint.unit)}")
        elif isinstance(given, dict) and not group:
            told.append(f"{word} {', '.join(f'{number(each)} in {value}' for value, each in given.items())}")
    return " and ".join(told)
