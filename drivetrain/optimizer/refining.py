"""Refinement: from the best candidate to a better setting between candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.bounds import broken
from drivetrain.optimizer.totals import Total, accept
from drivetrain.scenario import Continuous, Integer
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS = 5


@dataclass(frozen=True)
class Search:
    """What refinement asks: N rows of U decisions, and the totals with their prices."""

    simulator: Simulator
    crowd: Crowd
    unit: Ints
    """[N]"""
    totals: list[Total]
    prices: Floats

    def ask(self, settings: Floats) -> tuple[Floats, Floats]:
        """For settings [U, L]: each decision's value [U], −∞ where it is not allowed, and what it uses [C, U]."""
        scenario = self.simulator.scenario
        outlook = self.simulator.paired(self.crowd, settings[self.unit])
        value = self._sum(scenario.objective.sign * outlook.mean())
        bounded = {name: outlook.mean(each) for name, each in outlook.bounded.items()}
        for constraint in scenario.constraints:
            if constraint.over == "each":
                value[self._sum(broken(constraint, bounded[constraint.name])) > 0] = -np.inf
        use = [total.direction * self._sum(bounded[total.name]) for total in self.totals]
        value[~np.isfinite(value) | ~np.isfinite(np.array(use)).all(0)] = -np.inf
        return value, np.array(use).reshape(len(use), len(value))

    def _sum(self, values: Tensor) -> Floats:
        sums = np.bincount(self.unit, weights=values[:, 0].to(torch.float64).numpy())
        return np.asarray(sums, dtype=np.float64)


def refine(search: Search, start: Floats, tried: Floats) -> Floats:
    """Pattern search (Hooke & Jeeves 1961, J. ACM 8:212) from each decision's best candidate, along numeric levers.

    It moves only to better, allowed and supported settings. With totals it climbs the Lagrangian, and then keeps as
    many of the moves as gain and leave the totals within their limits.

    Args:
        search: whom to ask.
        start: [U, L] the candidates chosen.
        tried: [G, L] all candidates.

    Returns:
        Settings [U, L], together worth at least as much as `start`.
    """
    value, use = search.ask(start)
    best, score = start.copy(), value - search.prices @ use
    space = search.simulator.scenario.space
    for i, (name, lever) in enumerate(space.levers.items()):
        if not isinstance(lever, Continuous | Integer):
            continue
        spacing = np.diff(np.unique(tried[:, i]))
        width = float(np.median(spacing)) / 2 if len(spacing) else 0.0
        for _ in range(ROUNDS):
            for step in (-width, width):
                moved = best.copy()
                moved[:, i] = space.rounded(name, _to(lever, moved[:, i], step))
                gained, used = search.ask(moved)
                better = (gained - search.prices @ used > score) & search.simulator.support.holds(moved)
                best[better], score[better] = moved[better], (gained - search.prices @ used)[better]
            width /= 2
    return _within(search, start, value, use, best)


def _to(lever: Continuous | Integer, values: Floats, step: float) -> Floats:
    """One step on, inside the lever's range and on its steps."""
    if lever.step:
        whole = np.sign(step) * max(1, round(abs(step) / lever.step)) * lever.step
        moved = lever.min + np.round((values + whole - lever.min) / lever.step) * lever.step
        return np.where((moved >= lever.min) & (moved <= lever.max), moved, values)
    return np.clip(values + step, lever.min, lever.max)


def _within(search: Search, start: Floats, value: Floats, use: Floats, best: Floats) -> Floats:
    """The moves from start to best that gain, as far as the totals allow."""
    moved_value, moved_use = search.ask(best)
    gain = np.where(np.isfinite(moved_value), moved_value - value, -np.inf)
    room = np.array([total.limit for total in search.totals]) - use.sum(1)
    made = accept(gain, moved_use - use, room, search.prices) if search.totals else gain > 0
    return np.where(made[:, None], best, start)
