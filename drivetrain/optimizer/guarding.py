"""The price of the guard: what models would expect more of, were settings that the data cannot speak for not refused.

It is the models' opinion of exactly those settings on which nothing backs it, so it is an upper bound of what is given
up, not a promise; where it is large, an experiment there may be worth its cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.errors import DrivetrainError
from drivetrain.optimizer.choice import optimise
from drivetrain.simulator import Crowd, Simulator

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Guard:
    """What the guard of support costs, as the models see it; amounts are the objective's mean over rows."""

    rows: int
    """How many were asked."""
    kept: float
    """What members expect of the best settings within support."""
    free: float
    """What they expect of the best settings without it."""
    beyond: float
    """The share of rows whose best setting then is one that is refused."""

    @property
    def price(self) -> float:
        """How much is given up for a row, at most; in the objective's unit, at least 0."""
        return abs(self.free - self.kept)


def price(simulator: Simulator, crowd: Crowd, unit: Ints, *, share: float = 1.0) -> Guard | None:
    """Decide for rows with and without the guard.

    Args:
        simulator: who is asked.
        crowd: N rows.
        unit: [N] the decision that each row belongs to, numbered from 0 without gaps.
        share: the part of all rows that these are; totals are bounded in proportion.

    Returns:
        None where one of the two has no answer.
    """
    free = replace(simulator, support=simulator.support.lifted, kin=None)
    try:
        inside, outside = (optimise(each, crowd, unit, share=share).settings for each in (simulator, free))
    except DrivetrainError:
        return None
    sign = simulator.scenario.objective.sign
    told = [simulator.paired(crowd, at).mean()[:, 0].double().numpy() for at in (inside, outside)]
    better = sign * (told[1].mean() - told[0].mean()) > 0  # else the search found nothing beyond what is supported
    kept, free_value = float(told[0].mean()), float(told[1].mean()) if better else float(told[0].mean())
    held = simulator.support.holds(outside)
    if simulator.kin is not None:
        held &= simulator.kin.holds(simulator, crowd, outside)
    return Guard(len(crowd), kept, free_value, float((~held).mean()) if better else 0.0)
