"""Constraints in words: what is bounded, by what, and what one more unit of room is worth."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from math import floor, log10

from drivetrain.decisions.rounding import number, plainly, short, summed, with_unit
from drivetrain.scenario import Constraint, Lever, Scenario

HEADER = ("constraint", "what is bounded", "bound", "used", "shadow price")
NOTE = "A shadow price is what that much more room under the limit would be worth, summed over all rows."


def lines(scenario: Scenario, prices: Mapping[str, float], used: Mapping[str, float] | None = None) -> list[list[str]]:
    """A line for each constraint, under `HEADER`; of one that bounds groups, a line for each group with a price; then
    what levers say of single rows.

    Args:
        scenario: what was declared.
        prices: `Plan.shadow_prices`.
        used: what the recommended settings use of each constraint, by the same names; where it is known.
    """
    known = scenario.declared
    named = {each.name for each in known.constraints}
    told = {name: _price(scenario, name, price) for name, price in prices.items()}
    lines = [line for each in scenario.constraints if each.name in named for line in _lines(each, told, used or {})]
    return lines + [line for name, lever in known.levers.items() for line in _own(name, lever)]


def never(constraint: Constraint) -> bool:
    """Whether it says that something must not be so in any row: a yes or no, at most 0."""
    tree = ast.parse(constraint.text, mode="eval").body
    is_so = isinstance(tree, ast.BoolOp | ast.Compare) or (
        isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)
    )
    return is_so and constraint.over == "each" and constraint.at_most == 0 and constraint.at_least is None


def unlike(lever: Lever) -> str:
    """How unlike each other the options of one row must be: `at most 1 each of crime, poetry`; empty where anyhow."""
    if lever.kind != "categorical" or lever.diverse is None:
        return ""
    by, most = lever.diverse.by, lever.diverse.most
    return f"at most {most} each of {', '.join(by)}" if isinstance(by, dict) else f"at most {most} of the same {by}"


def _own(name: str, lever: Lever) -> Iterator[list[str]]:
    """What a lever says of single rows."""
    for word, key in (("at least", "at_least"), ("at most", "at_most"), ("only when", "when"), ("none of", "excluded")):
        if (formula := getattr(lever, key, None)) is not None:
            yield [name, "its setting in each row", f"{word} {formula}", "–", "–"]
    if lever.frozen:
        yield [name, "its setting in each row", "stays as it is", "–", "–"]
    if told := unlike(lever):
        yield [name, "its options in each row", told, "–", "–"]


def step(low: float, high: float) -> float:
    """How much more room is spoken of where a bound moves between two ends: a power of ten, about a tenth of the way.

    >>> step(0.0, 0.095), step(0.74, 0.87), step(0.0, 20_000.0)
    (0.01, 0.01, 1000.0)
    """
    return 10.0 ** floor(log10((high - low) / 5))


def room(constraint: Constraint) -> float:
    """How much more room is spoken of: one unit; of a share, or of what has no unit and is as small, a hundredth."""
    bounds = [constraint.bound("at_least"), constraint.bound("at_most")]
    small = all(abs(bound) <= 1 for bound in bounds if bound is not None)
    return 0.01 if small and not constraint.unit and constraint.over in {"mean", "ratio"} else 1.0


def _price(scenario: Scenario, name: str, price: float) -> str:
    """What some more room is worth: `92,000 EUR for 0.01`."""
    of = next((each for each in scenario.constraints if name == each.name or name.startswith(f"{each.name} (")), None)
    step = 1.0 if of is None else room(of)
    worth = with_unit(number(price * step), summed(scenario.objective.unit))
    return worth if not price else f"{worth} for {with_unit(f'{step:g}', '' if of is None else of.unit)}"


def _lines(constraint: Constraint, prices: Mapping[str, str], used: Mapping[str, float]) -> Iterator[list[str]]:
    what = f"{constraint.over}: {constraint.text}"
    if never(constraint):
        what = f"in each row: {constraint.text}"
    what += f" for each {' and '.join(constraint.by)}" if constraint.by else ""
    start = f"{constraint.name} ("
    known = {**used, **prices}
    groups = [name.removeprefix(start)[:-1] for name in known if constraint.by and name.startswith(start)]
    for group in groups or [""]:
        name = f"{constraint.name} ({group})" if group else constraint.name
        price = prices.get(name, "–")
        spent = with_unit(short(used[name]), constraint.unit) if name in used else "–"
        yield [name, what, _bounds(constraint, group), spent, price]


def _bounds(constraint: Constraint, group: str) -> str:
    told = []
    for word, given, bound in (
        ("at least", constraint.at_least, constraint.bound("at_least", group)),
        ("at most", constraint.at_most, constraint.bound("at_most", group)),
    ):
        if bound is not None and never(constraint):
            told.append("never")
        elif bound is not None:
            told.append(f"{word} {with_unit(plainly(bound), constraint.unit)}")
        elif isinstance(given, dict) and not group:
            told.append(f"{word} {', '.join(f'{plainly(each)} in {value}' for value, each in given.items())}")
    return " and ".join(told) + _sure(constraint)


def _sure(constraint: Constraint) -> str:
    """With what confidence it holds, and what is kept in reserve for that."""
    if constraint.confidence is None:
        return ""
    kept = with_unit(number(constraint.reserve), constraint.unit)
    return f", in {constraint.confidence:.3g} of rows: expectations keep {kept} in reserve"
