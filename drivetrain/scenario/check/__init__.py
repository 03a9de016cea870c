"""Whether the parts of a scenario fit together: names, formulas, columns, the order of outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from keyword import iskeyword
from typing import TYPE_CHECKING

from drivetrain.errors import nearest
from drivetrain.formula import FUNCTIONS
from drivetrain.scenario.check import formulas, groups, levers, outcomes
from drivetrain.scenario.check.formulas import COST
from drivetrain.scenario.declaration import Flaw, Path

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario

GROUPS = ("parameters", "levers", "inputs", "outcomes")


def flaws(scenario: Scenario, faulty: frozenset[str] = frozenset()) -> Iterator[Flaw]:
    """Everything that does not fit.

    Args:
        scenario: the scenario; parts that are faulty in themselves may be left out of it.
        faulty: names whose declarations are faulty, so that using them is no second fault.
    """
    yield from _names(scenario)
    for part in (formulas, levers, outcomes, groups):
        yield from part.flaws(scenario, faulty)
    yield from _inputs(scenario, faulty)
    yield from _columns(scenario)
    yield from _split(scenario, faulty)


def _names(scenario: Scenario) -> Iterator[Flaw]:
    seen: dict[str, str] = {}
    for group in GROUPS:
        for name in getattr(scenario, group):
            if name in seen:
                rule = "Levers, inputs, outcomes and parameters share one set of names"
                yield Flaw((group, name), f"found the name {name!r}, also in {seen[name]}", rule, "Rename one.", True)
            seen[name] = group
            if iskeyword(name) or name in FUNCTIONS or name == COST:
                rule = "Python's words, formula functions and 'cost' are taken"
                yield Flaw((group, name), f"found the name {name!r}", rule, f"Write {name}_1, say.", True)
    for place, beside in enumerate(scenario.objective.beside if scenario.objective else ()):
        if beside.name in seen:
            path: Path = ("objective", "beside", place, "name")
            yield Flaw(
                path, f"found the name {beside.name!r}, also in {seen[beside.name]}", "Names are unique", "Rename one."
            )


def _inputs(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    timed = scenario.data and scenario.data.split.by == "time"
    for name, declared in scenario.inputs.items():
        if declared.adstock is not None and not timed:
            rule = "What earlier periods left behind needs the order of rows"
            yield Flaw(
                ("inputs", name, "adstock"), "found it without a split by time", rule, "Say split: {by: time}.", True
            )
    words = {("assignment", "within"): scenario.assignment.within, ("decide", "by"): scenario.decide.by}
    for path, names in words.items():
        for place, name in enumerate(names):
            if name not in scenario.inputs.keys() | faulty:
                yield Flaw((*path, place), f"found {name!r}", "It must be an input", nearest(name, scenario.inputs))
    known = scenario.inputs.keys() | scenario.outcomes.keys()
    for place, name in enumerate(scenario.assignment.negative_controls):
        if name not in known | faulty:
            at: Path = ("assignment", "negative_controls", place)
            yield Flaw(at, f"found {name!r}", "It must be an input or an outcome", nearest(name, sorted(known)))


def _columns(scenario: Scenario) -> Iterator[Flaw]:
    """No column plays two roles: an input that is an outcome would leak it into its own prediction."""
    owners: dict[str, str] = {}
    dated: set[str] = set()
    measured = {each.column or name for name, each in scenario.outcomes.items() if each.above is not None}
    for group in ("levers", "outcomes", "inputs"):
        for name, each in getattr(scenario, group).items():
            if getattr(each, "adstock", None) is not None:
                continue  # the past of a column, which is not the column
            column = each.column or name
            two_sides = column in measured and group == "outcomes" and owners.get(column, "").startswith("outcome")
            if getattr(each, "of_date", None) is not None:  # several may be parts of one column's dates
                two_sides = column in dated
                dated.add(column)
            if column in owners and not two_sides:
                path = (group, name, "column") if each.column else (group, name)
                found = f"found the column {column!r}, which is also that of {owners[column]}"
                yield Flaw(path, found, "A column has one role", "Remove one of the two.", not each.column)
            owners.setdefault(column, f"{group[:-1]} {name!r}")
    if (propensity := scenario.assignment.propensity) in owners:
        found = f"found the column {propensity!r}, which is also that of {owners[str(propensity)]}"
        yield Flaw(("assignment", "propensity"), found, "A column has one role", "Name the column of probabilities.")
    if scenario.data and (weight := scenario.data.weight) in owners:
        found = f"found the column {weight!r}, which is also that of {owners[str(weight)]}"
        yield Flaw(("data", "weight"), found, "A column has one role", "Name the column that says how much rows count.")


def _split(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    split = scenario.data.split if scenario.data else None
    if split and split.by == "stratified" and split.column is None and not scenario.outcomes and not faulty:
        rule = "A stratified split needs an outcome, or the column to mix evenly"
        yield Flaw(("data", "split", "by"), "found no outcome to stratify by", rule, "Add column, or say by: random.")
