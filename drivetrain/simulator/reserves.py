"""Reserves: how far within its bound an expectation must stay, for what happens to stay within it too.

What a row turns out to be differs from what is expected of it, by the models' errors and by luck. How much is told by
rows that models have not seen: the reserve is what they fell short of in all but a declared share (split conformal
prediction, one-sided, over the folds: Lei et al. 2018, JASA 113:1094; Barber et al. 2021, Ann. Statist. 49:486).
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.errors import Fault, RefusedError
from drivetrain.scenario import Constraint
from drivetrain.simulator.simulator import Simulator

Floats = NDArray[np.float64]


def reserves(simulator: Simulator, table: Table) -> dict[str, float]:
    """Constraint → its reserve, in its formula's unit; of those that are declared with a `confidence`.

    Args:
        simulator: all members.
        table: training rows.

    Raises:
        RefusedError: too few rows for the confidence that is asked for.
    """
    asked = [each for each in simulator.scenario.constraints if each.confidence is not None]
    if not asked:
        return {}
    expected = {each.name: np.empty(len(table)) for each in asked}
    for fold in np.unique(table.fold):
        rows, blind = np.flatnonzero(table.fold == fold), simulator.without(int(fold))
        told = blind.paired(blind.crowd(table.frame.iloc[rows]), table.settings[rows])
        for name, out in expected.items():
            out[rows] = told.mean(told.bounded[name])[:, 0].double().numpy()
    return {each.name: _reserve(simulator, table, each, expected[each.name]) for each in asked}


def _reserve(simulator: Simulator, table: Table, constraint: Constraint, expected: Floats) -> float:
    happened = simulator.observed(table.frame, table.settings, constraint.formula)
    sign = 1 if constraint.at_most is not None else -1
    worse = sign * (happened - expected)
    worse = np.sort(worse[np.isfinite(worse)])
    place = ceil((constraint.confidence or 0.0) * (len(worse) + 1))
    if place > len(worse):
        raise RefusedError(
            Fault(
                f"constraints.{constraint.name}.confidence",
                f"found {constraint.confidence:g} with {len(worse):,} rows",
                "Confidence c needs at least c / (1 - c) rows that have happened",
                "Bring more rows, or ask for less",
            )
        )
    return max(0.0, float(worse[place - 1]))
