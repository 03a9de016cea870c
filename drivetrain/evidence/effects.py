"""What acting at all does, against doing nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.evidence.kernel import FLOOR
from drivetrain.evidence.laws import chances
from drivetrain.evidence.propensity import SHRINK, strata
from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.value import Judge

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """What acting at all does to an outcome, against doing nothing."""

    outcome: str
    estimate: Estimate
    acting: float
    """Share of rows in which the data shows something other than doing nothing."""


def effects(court: Judge) -> tuple[Effect, ...]:
    """What acting does to each plain outcome, where doing nothing is a setting that the data shows often enough."""
    scenario, table = court.simulator.scenario, court.table
    nothing = scenario.space.do_nothing
    if nothing is None:
        return ()
    acting = np.asarray(~np.isclose(table.settings, nothing).all(axis=1))
    if not 0.02 <= acting.mean() <= 0.98:
        return ()
    share = _share(court, acting)
    out = []
    for name, declared in scenario.outcomes.items():
        if declared.kind == "categorical" or declared.when:
            continue
        scores = replace(court, outcome=name).contrast(acting, share)
        out.append(Effect(name, court.estimate(scores.total), float(acting.mean())))
    return tuple(out)


def _share(court: Judge, acting: NDArray[np.bool_]) -> Floats:
    """The chance to act of rows with such inputs: declared, or the share in the draw's stratum, or learned."""
    table, design = court.table, court.simulator.scenario.assignment
    if table.propensity is not None and len(np.unique(table.settings, axis=0)) == 2:
        share = np.where(acting, table.propensity, 1 - table.propensity)
    elif design.design == "observational" and court.simulator.scenario.inputs:
        inputs, seed = court.simulator.models.inputs, court.simulator.scenario.seed
        share = chances(table, inputs, acting.astype(np.int64), seed)[:, 1]
    else:
        groups = pd.Series(acting).groupby(strata(table, design.within))
        count = groups.transform("size").to_numpy()
        share = (groups.transform("sum").to_numpy() + float(acting.mean()) * SHRINK) / (count + SHRINK)
    return np.asarray(np.clip(share, FLOOR, 1 - FLOOR))
