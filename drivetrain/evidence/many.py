"""Levers with thousands of options: no single choice has been tried often enough to be judged, and this says so.

Valuing "each gets its best of 9,066" doubly robustly needs rows in which that very one was tried; there is hardly one.
What the data can tell is told: what was observed, what blind models expect, and how many rows speak for that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.errors import Fault, RefusedError
from drivetrain.optimizer import deciders, ranking
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Opinion:
    """What blind models expect of giving each who decides its best option, with what the data can say of it."""

    observed: Floats
    """[N] what rows were worth."""
    expected: Floats
    """[D] what blind models expect of each one's best option (of the mean of several), everyone once in each fold."""
    spoken: int
    """Rows in which the option that was tried is chosen."""


def require_alone(scenario: Scenario) -> None:
    """Raises: RefusedError: other levers, bounds over all rows, or one decision for all, beside so many options."""
    totals = [constraint.name for constraint in scenario.constraints if constraint.over != "each"]
    found = [*list(scenario.levers)[1:], *totals, *(["decide: once"] if scenario.decide.unit == "once" else [])]
    if found:
        rule = "A lever with many options is decided by ranking them, alone, for each row or segment"
        raise RefusedError(
            Fault("levers", f"found {', '.join(found)} beside it", rule, "Declare another scenario for it")
        )


def opinion(simulator: Simulator, table: Table) -> Opinion:
    """Ask, for each fold, the members that have not seen it for the best option of everyone in it.

    Args:
        simulator: all members.
        table: training rows.
    """
    expected, spoken = [], 0
    who = deciders(simulator.scenario, table.frame)
    for fold in np.unique(table.fold):
        rows = np.flatnonzero(table.fold == fold)
        everyone, first = np.unique(who[rows], return_index=True)
        best = ranking(simulator.without(int(fold)), table.frame.iloc[rows[first]], top=simulator.scenario.slots)
        expected.append(np.nanmean(best.objective, axis=1))
        chosen = best.settings[np.searchsorted(everyone, who[rows]), :, 0]
        spoken += int((chosen == table.settings[rows]).any(1).sum())
    return Opinion(simulator.observed(table.frame, table.settings), np.concatenate(expected), spoken)
