"""The objective against a constraint's bound: what another unit of a budget is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.errors import Fault, InfeasibleError, UsageError, nearest
from drivetrain.optimizer.asking import asking, confirmed, decided, spent
from drivetrain.scenario import Constraint, Objective, Scenario
from drivetrain.scenario.constraints import Key
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Frontier:
    """The best value of the objective at each bound of a constraint, the bounds ascending."""

    constraint: str
    side: str
    """`at_most` or `at_least`."""
    declared: float
    """The bound that the scenario gives."""
    bounds: Floats
    """[P]"""
    values: Floats
    """[P] what the members expect of the objective, the mean over rows."""
    spent: Floats
    """[P] what the constraint's formula comes to, as the bound counts it."""
    prices: Floats
    """[P] how much higher (of a minimised objective: lower, so negative) the objective's total would be if the bound
    were looser by one of its own units."""

    @property
    def frame(self) -> pd.DataFrame:
        """A line for each bound."""
        columns = {"bound": self.bounds, "objective": self.values, "used": self.spent, "shadow_price": self.prices}
        return pd.DataFrame(columns)


def frontier(
    simulator: Simulator, crowd: Crowd, unit: Ints, constraint: str, points: int = 15, *, share: float = 1.0
) -> Frontier:
    """The best value of the objective against a constraint's bound, from near the tightest to one that binds no more.

    Args:
        simulator: who is asked.
        crowd: N rows, at least one.
        unit: [N] the decision that each row belongs to, numbered from 0 without gaps.
        constraint: its name; it must bound a total or a mean over rows.
        points: how many bounds to try, beside the scenario's own.
        share: the part of all rows that these are; totals are bounded in proportion.

    Raises:
        UsageError: no such constraint, or one that holds for each row.
        InfeasibleError, DataError, RefusedError: as of `optimise`.
    """
    scenario = simulator.scenario
    asked = _bounding(scenario, constraint)
    side: Key = "at_most" if asked.at_most is not None else "at_least"
    declared = asked.bound(side)
    assert declared is not None  # noqa: S101  (a constraint has a bound, and this one no groups)
    others = [each for each in scenario.constraints if each.name != constraint]
    want = Objective(minimise=asked.formula) if side == "at_most" else Objective(maximise=asked.formula)
    tight = decided(asking(simulator, want, others), crowd, unit, share)
    loose = decided(asking(simulator, scenario.objective, others), crowd, unit, share)
    ends = [_spent(simulator, crowd, asked, plan.given, share) for plan in (tight, loose)]
    found = [
        line
        for bound in np.unique([*np.linspace(ends[0], ends[1], max(2, points) + 1)[1:], declared])
        for line in _at(simulator, crowd, unit, asked, others, {side: float(bound)}, share)
    ]
    columns = np.array(found, dtype=np.float64).reshape(-1, 4).T
    return Frontier(constraint, side, declared, *columns)


def _bounding(scenario: Scenario, name: str) -> Constraint:
    over = {each.name: each for each in scenario.constraints if each.over in {"total", "mean"} and not each.by}
    if name not in over:
        other = next((each for each in scenario.constraints if each.name == name), None)
        found = f"found a constraint that holds for {_scope(other)}" if other else "found no such constraint"
        rule = "A frontier follows one bound on a total or a mean over all rows"
        raise UsageError(Fault(name, found, rule, nearest(name, over)))
    return over[name]


def _scope(constraint: Constraint) -> str:
    if constraint.by:
        return f"each {' and '.join(constraint.by)}"
    return "each row" if constraint.over == "each" else f"a {constraint.over}"


def _at(
    simulator: Simulator,
    crowd: Crowd,
    unit: Ints,
    asked: Constraint,
    others: Sequence[Constraint],
    bound: Mapping[str, float],
    share: float,
) -> Iterator[tuple[float, float, float, float]]:
    """Bound, objective, what is used and shadow price; nothing where the bound cannot be kept."""
    moved = asked.model_copy(update={"at_most": None, "at_least": None, **bound})
    try:
        asked_now = asking(simulator, simulator.scenario.objective, [*others, moved])
        plan = decided(asked_now, crowd, unit, share)
    except InfeasibleError:
        return
    value = simulator.scenario.objective.sign * float(confirmed(asked_now, crowd, unit, plan.given, share).mean())
    told = _spent(simulator, crowd, asked, plan.given, share)
    yield next(iter(bound.values())), value, told, plan.shadow_prices.get(asked.name, 0.0)


def _spent(simulator: Simulator, crowd: Crowd, constraint: Constraint, given: Floats, share: float) -> float:
    value = spent(simulator, crowd, given)[constraint.name]
    return float(value.mean()) if constraint.over == "mean" else float(value.sum() / share)
