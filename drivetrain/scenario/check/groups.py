"""Whether groups are of inputs with few values, and bounds are of groups and settings that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from drivetrain.errors import nearest
from drivetrain.scenario.constraints import KEYS, Constraint, Key
from drivetrain.scenario.declaration import Flaw, Path
from drivetrain.scenario.groups import MISSING, bands
from drivetrain.scenario.levers import Continuous, Integer

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario


def flaws(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """What does not fit; arguments as of `check.flaws`."""
    yield from _grouping(scenario, faulty)
    yield from _constraints(scenario)


def _grouping(scenario: Scenario, faulty: frozenset[str]) -> Iterator[Flaw]:
    """What makes segments and groups must be inputs of few values, and bounds must be of such values."""
    words: list[tuple[Path, tuple[str, ...]]] = [(("decide", "by"), scenario.decide.by)]
    words += [(("decide", "shared", lever), by) for lever, by in scenario.decide.shared.items()]
    words += [(("constraints", place, "by"), each.by) for place, each in enumerate(scenario.constraints)]
    words += [(("fairness", place, "by"), (each.by,)) for place, each in enumerate(scenario.fairness)]
    for path, names in words:
        for place, name in enumerate(names):
            declared = scenario.inputs.get(name)
            at: Path = path if path[0] == "fairness" else (*path, place)
            if declared is None and name not in faulty and path != ("decide", "by"):
                yield Flaw(at, f"found {name!r}", "It must be an input", nearest(name, scenario.inputs))
            if declared is not None and declared.kind == "numeric" and not declared.bins:
                rule = "A number has too many values to make groups"
                cure = f"Cut it, with bins: [NUMBER, ...] in inputs.{name}; or declare it categorical."
                yield Flaw(at, f"found the numeric input {name!r}", rule, cure)
    for name in scenario.decide.shared:
        if name not in scenario.levers.keys() | faulty:
            cure = nearest(name, scenario.levers)
            yield Flaw(("decide", "shared", name), f"found {name!r}", "It must be a lever", cure, True)
    if scenario.levers and scenario.decide.shared.keys() >= scenario.levers.keys():
        rule = "Some lever must be left to each row or segment"
        yield Flaw(("decide", "shared"), "found all levers", rule, "Use unit instead.", True)
    for place, each in enumerate(scenario.constraints):
        yield from _bound_groups(scenario, ("constraints", place), each)


def _bound_groups(scenario: Scenario, path: Path, constraint: Constraint) -> Iterator[Flaw]:
    """Bounds for values that an input surely does not have."""
    declared = scenario.inputs.get(constraint.by[0]) if len(constraint.by) == 1 else None
    known = () if declared is None else ("yes", "no") if declared.kind == "yes_no" else bands(declared)
    for key in KEYS:
        bound = getattr(constraint, key)
        for group in bound if isinstance(bound, dict) and known else ():
            if group not in (*known, MISSING):
                rule = f"It must be one of the groups of {constraint.by[0]}"
                yield Flaw((*path, key, group), f"found {group!r}", rule, nearest(group, known), True)


def _constraints(scenario: Scenario) -> Iterator[Flaw]:
    names: list[str] = []
    for place, constraint in enumerate(scenario.constraints):
        if constraint.name in names:
            yield Flaw(("constraints", place, "name"), f"found {constraint.name!r} twice", "Constraints have own names")
        names.append(constraint.name)
        lever = scenario.levers.get(constraint.formula.text)
        if constraint.over in {"each", "mean"} and isinstance(lever, Continuous | Integer):
            yield from _bounds(("constraints", place), lever, constraint)


def _bounds(path: Path, lever: Continuous | Integer, constraint: Constraint) -> Iterator[Flaw]:
    for at, most in _each_bound(constraint, "at_most"):
        if most < lever.min:
            yield Flaw((*path, *at), f"found {most:g}", f"The lever's lowest setting is {lever.min:g}")
    for at, least in _each_bound(constraint, "at_least"):
        if least > lever.max:
            yield Flaw((*path, *at), f"found {least:g}", f"The lever's highest setting is {lever.max:g}")


def _each_bound(constraint: Constraint, key: Key) -> Iterator[tuple[Path, float]]:
    bound = getattr(constraint, key)
    if isinstance(bound, dict):
        yield from (((key, group), value) for group, value in bound.items())
    elif bound is not None:
        yield (key,), bound
