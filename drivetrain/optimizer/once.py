"""One decision for many rows, of several levers: which settings are worth a close look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.optimizer.aims import Aim
from drivetrain.optimizer.landscape import Landscape
from drivetrain.optimizer.multistart import BUDGET, Climber
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]

FOR_EACH = 2_000
"""Settings asked about for each lever, at most: few levers leave few places to look."""


@dataclass(frozen=True)
class Promising:
    """Settings that everyone could get at once."""

    settings: Floats
    """[P, L]"""
    method: str
    """How they were found, in words; empty where nothing was looked for."""


def promising(
    simulator: Simulator,
    crowd: Crowd,
    tried: Floats,
    most: int,
    *,
    share: float = 1.0,
    budget: int = BUDGET,
    rows: int | None = None,
) -> Promising:
    """Where local searches end, and the best of the candidates; all candidates where none keeps every bound.

    Args:
        simulator: who is asked.
        crowd: N rows, at least one.
        tried: [G, L] candidates.
        most: how many candidates at most, beside the ends of searches.
        share: the part of all rows that these are; totals are bounded in proportion.
        budget: how many settings may be asked about; one with its gradient counts twice.
        rows: how many of the rows stand for all; all of them where left out.
    """
    goals = 1 + len(simulator.scenario.objective.beside)
    aim = Aim((1.0,) + (0.0,) * (goals - 1), (-np.inf,) * goals)
    ground = Landscape.of(simulator, crowd, share).sample(rows or len(crowd))
    climber = Climber(ground, aim, min(budget, FOR_EACH * tried.shape[1]))
    best = climber.seek(tried)
    if not np.isfinite(climber.judged(best[None])[0]):
        return Promising(tried, "")
    settings = np.unique(np.vstack([climber.first[:most], *(end[None] for end in climber.ends), best[None]]), axis=0)
    way = "by gradient" if climber.landscape.smooth and climber.free.any() else "lever by lever"
    method = f"{climber.asked:,} settings asked about, {climber.climbs} local searches {way}"
    return Promising(settings[simulator.support.holds(settings)], method)
