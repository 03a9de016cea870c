"""What acting at all does, against doing nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.evidence.propensity import FLOOR, SHRINK
from drivetrain.evidence.value import Estimate, Judge
from drivetrain.scenario import Scenario

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
    acting = ~np.isclose(table.settings, nothing).all(axis=1)
    if not 0.02 <= acting.mean() <= 0.98:
        return ()
    share = _share(table, scenario, acting)
    out = []
    for name, declared in scenario.outcomes.items():
        if declared.kind == "categorical" or declared.when:
            continue
        scores = replace(court, outcome=name).contrast(acting, share)
        out.append(Effect(name, Estimate.of(scores.total), float(acting.mean())))
    return tuple(out)


def _share(table: Table, scenario: Scenario, acting: NDArray[np.bool_]) -> Floats:
    """Share of rows that act, within the strata of the draw, shrunk to the share of all."""
    overall = float(acting.mean())
    if not scenario.assignment.within:
        return np.full(len(table), overall)
    keys = table.frame[list(scenario.assignment.within)].astype(object)
    groups = pd.Series(acting).groupby(pd.MultiIndex.from_frame(keys.where(keys.notna(), "")).factorize()[0])
    count = groups.transform("size").to_numpy()
    share = (groups.transform("sum").to_numpy() + overall * SHRINK) / (count + SHRINK)
    return np.asarray(np.clip(share, FLOOR, 1 - FLOOR))
