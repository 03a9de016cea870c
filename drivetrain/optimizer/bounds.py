"""Whether constraints are kept, as the members expect."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.scenario import Constraint, Scenario
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]

TOLERANCE = 1e-6


def broken(constraint: Constraint, value: Tensor) -> Tensor:
    """Where a value passes a bound by more than rounding would; a value that is not a number keeps none."""
    kept = ~torch.isnan(value)
    if constraint.at_most is not None:
        kept &= value <= constraint.at_most + _room(constraint.at_most, TOLERANCE)
    if constraint.at_least is not None:
        kept &= value >= constraint.at_least - _room(constraint.at_least, TOLERANCE)
    return ~kept


def used(simulator: Simulator, crowd: Crowd, settings: Floats) -> dict[str, Floats]:
    """Constraint → its formula [N] for rows under their settings [N, L], the mean over members."""
    if not simulator.scenario.constraints:
        return {}
    outlook = simulator.paired(crowd, settings)
    return {name: outlook.mean(value)[:, 0].double().numpy() for name, value in outlook.bounded.items()}


def kept(
    scenario: Scenario,
    uses: Mapping[str, Floats],
    *,
    share: float = 1.0,
    slack: float = TOLERANCE,
    stray: float = 0.0,
) -> bool:
    """Whether every constraint holds.

    Args:
        scenario: which constraints.
        uses: constraint → its formula [N].
        share: the part of all rows that these are; totals are bounded in proportion.
        slack: by how much of itself a bound may be passed.
        stray: the share of rows that may break what holds for each.
    """
    for constraint in scenario.constraints:
        value = uses[constraint.name]
        sums = {"each": value, "mean": np.array([value.mean()]), "total": np.array([value.sum() / share])}
        over = sums[constraint.over]
        fine = np.isfinite(over)
        if constraint.at_most is not None:
            fine &= over <= constraint.at_most + _room(constraint.at_most, slack)
        if constraint.at_least is not None:
            fine &= over >= constraint.at_least - _room(constraint.at_least, slack)
        if (~fine).mean() > (stray if constraint.over == "each" else 0.0):
            return False
    return True


def holds(simulator: Simulator, crowd: Crowd, settings: Floats) -> bool:
    """Whether the members expect every constraint to hold for rows under their settings [N, L]."""
    return kept(simulator.scenario, used(simulator, crowd, settings))


def _room(bound: float, slack: float) -> float:
    return slack * max(1.0, abs(bound))
