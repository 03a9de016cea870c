"""What levers say of single rows, said in the words that everything else knows.

A frozen lever that each row's column tells is an input. A condition, a row's own bounds and the options that it must
not get are constraints that hold for each row; so the optimizer keeps them, evidence judges by them, and a conflict
names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from drivetrain.formula import Formula, among, parse
from drivetrain.scenario.constraints import Constraint
from drivetrain.scenario.declarations import Input
from drivetrain.scenario.levers import Categorical, Continuous, Integer, Lever, YesNo

if TYPE_CHECKING:
    from drivetrain.scenario.root import Scenario


Kind = Literal["numeric", "categorical", "yes_no"]


def lowered(scenario: Scenario) -> Scenario:
    """The scenario as it is worked with; `Scenario.declared` tells it as it was written."""
    known = {name: each for name, each in scenario.levers.items() if each.frozen and each.current == "data"}
    implied = [constraint for name, lever in scenario.levers.items() for constraint in implications(name, lever)]
    if not known and not implied:
        return scenario
    changes = {
        "levers": {name: each for name, each in scenario.levers.items() if name not in known},
        "inputs": scenario.inputs | {name: _input(each) for name, each in known.items()},
        "constraints": (*scenario.constraints, *implied),
    }
    copy = scenario.model_copy(update=changes)
    copy._declared = scenario
    copy.__dict__.pop("space", None)  # cached for the levers as they were
    return copy


def implications(name: str, lever: Lever) -> Iterator[Constraint]:
    """The constraints that a lever's own words mean: `discount_when`, `price_at_most`, `shown_excluded`."""
    if lever.when is not None:
        text = f"0 if ({lever.when.text}) else ({name} != {_written(lever)})"
        yield Constraint(name=f"{name}_when", each=parse(text), at_most=0)
    if isinstance(lever, Categorical) and lever.excluded is not None:
        yield Constraint(name=f"{name}_excluded", each=among(name, f"{name}_excluded"), at_most=0)
    if isinstance(lever, Continuous | Integer):
        if lever.at_most is not None:
            yield Constraint(name=f"{name}_at_most", each=_less(name, lever.at_most), at_most=0)
        if lever.at_least is not None:
            yield Constraint(name=f"{name}_at_least", each=_less(name, lever.at_least), at_least=0)


def rule_of(scenario: Scenario, constraint: str) -> tuple[str, str] | None:
    """The lever and the key that a constraint came from, such as `when` or `at_most`; None of a declared one."""
    if constraint in {each.name for each in scenario.declared.constraints}:
        return None
    for name, lever in scenario.levers.items():
        if any(each.name == constraint for each in implications(name, lever)):
            return name, constraint.removeprefix(f"{name}_")
    return None


def _less(name: str, bound: Formula) -> Formula:
    """By how much of itself a setting passes a bound: 32-bit numbers are as exact as that, however large they are."""
    return parse(f"({name} - ({bound.text})) / max(1, abs({bound.text}))")


def _written(lever: Lever) -> str:
    """The setting that does nothing, as formulas write it."""
    value = lever.settled
    return repr(value) if isinstance(lever, Categorical) else repr(float(value))


def _input(lever: Lever) -> Input:
    kind: Kind = (
        "categorical" if isinstance(lever, Categorical) else "yes_no" if isinstance(lever, YesNo) else "numeric"
    )
    return Input(kind=kind, column=lever.column, unit=lever.unit, description=lever.description)
