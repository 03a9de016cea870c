"""Bounds on how far groups may be apart, as bounds on each group around a centre; and what such bounds cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.errors import InfeasibleError
from drivetrain.optimizer.bounds import used
from drivetrain.optimizer.choice import decisions, optimise
from drivetrain.scenario import Scenario, labelled
from drivetrain.simulator import Simulator

Floats = NDArray[np.float64]

MOST = 2_000
"""Rows, drawn at random, on which centres are searched and prices told."""
CENTRES = 3
PARTS = (1.0, 0.5, 0.0)
"""Shares of the free gap for which a price is told."""


@dataclass(frozen=True)
class Price:
    """What the objective is expected to be if groups may be so far apart."""

    by: str
    of: str
    """The formula that is bounded."""
    gap: float
    objective: float
    """For one row, as the models expect."""


def centred(simulator: Simulator, frame: pd.DataFrame) -> tuple[Simulator, tuple[float, ...], tuple[Price, ...]]:
    """The simulator whose scenario keeps the declared gaps, each around the centre that costs least.

    A gap of at most d between groups means that, for some centre c, every group's mean lies within c ± d/2; the centre
    is searched between the groups' means without the bound.

    Args:
        simulator: all members.
        frame: training rows.

    Returns:
        The simulator; the centre of each bounded fairness, in order; and what other gaps would cost.

    Raises:
        InfeasibleError: no settings keep the bounds.
    """
    some = frame.sample(min(MOST, len(frame)), random_state=simulator.scenario.seed).reset_index(drop=True)
    prices: list[Price] = []
    centres: list[float] = []
    for place, each in enumerate(simulator.scenario.bounded_fairness):
        search = _Search(simulator, some, centres, place)
        free = search.free
        room = float(free.max() - free.min())
        most, of = float(each.at_most or 0.0), each.of.text if each.of else ""
        asked = sorted({part * room for part in PARTS} | {most}, reverse=True)
        found = {gap: search.best(gap, free) for gap in asked}
        prices += [Price(each.by, of, gap, best[1]) for gap, best in found.items() if best is not None]
        kept = found[most]
        centres.append(float(free.mean()) if kept is None else kept[0])
    bounded = simulator.scenario.fair(centres)
    return replace(simulator, scenario=bounded), tuple(centres), tuple(prices)


@dataclass(frozen=True)
class _Search:
    simulator: Simulator
    frame: pd.DataFrame
    settled: Sequence[float]
    """The centres of the bounds before this one."""
    place: int

    @property
    def free(self) -> Floats:
        """[groups] the mean of the bounded formula in each group, were it not bounded."""
        wide = self._under(0.0, 1e300)
        told = self._decided(wide)
        name = wide.constraints[-1].name
        crowd = replace(self.simulator, scenario=wide).crowd(self.frame)
        value = used(replace(self.simulator, scenario=wide), crowd, told[0])[name]
        group = labelled(wide, self.frame)[wide.constraints[-1].by[0]]
        return np.array([value[group == each].mean() for each in np.unique(group.astype(str))])

    def best(self, gap: float, free: Floats) -> tuple[float, float] | None:
        """The centre that costs least for a gap, and the objective's mean under it."""
        found: list[tuple[float, float]] = []
        sign = self.simulator.scenario.objective.sign
        for centre in np.unique(
            np.linspace(free.min() + gap / 2, max(free.min() + gap / 2, free.max() - gap / 2), CENTRES)
        ):
            try:
                found.append((float(centre), self._decided(self._under(float(centre), gap))[1]))
            except InfeasibleError:
                continue
        return max(found, key=lambda each: sign * each[1], default=None)

    def _under(self, centre: float, gap: float) -> Scenario:
        scenario = self.simulator.scenario
        return scenario.fair([*self.settled, centre], [None] * len(self.settled) + [gap])

    def _decided(self, scenario: Scenario) -> tuple[Floats, float]:
        simulator = replace(self.simulator, scenario=scenario)
        crowd = simulator.crowd(self.frame)
        settings = optimise(simulator, crowd, decisions(scenario, self.frame)).settings
        return settings, float(simulator.paired(crowd, settings).mean().mean())
