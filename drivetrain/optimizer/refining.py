"""Refinement: from the best candidate to a better setting between candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.bounds import Limit, broken
from drivetrain.optimizer.fear import paired_premiums
from drivetrain.optimizer.totals import accept
from drivetrain.scenario import Continuous, Integer, LeverSpace, places, stepped
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS = 5
SHRINK = 4
"""By how much each round is finer than the one before."""


@dataclass(frozen=True)
class Search:
    """What refinement asks: N rows of U decisions, and the limits with their prices."""

    simulator: Simulator
    crowd: Crowd
    unit: Ints
    """[N]"""
    limits: list[Limit]
    prices: Floats
    """[C] of each limit."""
    share: float = 1.0
    """The part of all rows that these are."""
    kept: frozenset[int] = frozenset()
    """Levers that stay as they are, such as those that decisions share."""

    @cached_property
    def alone(self) -> bool:
        """Whether each row decides for itself, in the rows' order."""
        return bool((self.unit == np.arange(len(self.unit))).all())

    def ask(self, settings: Floats) -> tuple[Floats, Floats]:
        """For settings [U, L]: each decision's value [U], −∞ where it is not allowed, and what it uses [C, U]."""
        scenario = self.simulator.scenario
        expected = self.simulator.expected_paired(self.crowd, settings[self.unit])
        value, bounded = self._sum(scenario.objective.sign * expected.objective), expected.bounded
        if scenario.objective.risk is not None:
            outlook = self.simulator.paired(self.crowd, settings[self.unit])
            value = value - paired_premiums(self.simulator, outlook, self.unit)
        for constraint in scenario.constraints:
            if constraint.over == "each":
                value[self._sum(broken(constraint, bounded[constraint.name])) > 0] = -np.inf
        use = [self._used(limit, bounded) for limit in self.limits]
        value[~np.isfinite(value) | ~np.isfinite(np.array(use)).all(0)] = -np.inf
        return value, np.array(use).reshape(len(use), len(value))

    def _used(self, limit: Limit, bounded: Mapping[str, Tensor]) -> Floats:
        """What each decision uses of a limit, [U]."""
        value = limit.use(bounded)[:, 0].to(torch.float64).numpy()[limit.rows]
        sums = np.bincount(self.unit[limit.rows], weights=value, minlength=int(self.unit.max()) + 1)
        return np.asarray(sums, dtype=np.float64)

    def _sum(self, values: Tensor) -> Floats:
        if self.alone:
            return np.asarray(values[:, 0].double().numpy())
        sums = np.bincount(self.unit, weights=values[:, 0].to(torch.float64).numpy())
        return np.asarray(sums, dtype=np.float64)


def refine(search: Search, start: Floats, tried: Floats) -> Floats:
    """Pattern search (Hooke & Jeeves 1961, J. ACM 8:212) from each decision's best candidate, along numeric levers.

    Each step tries a little less, a little more, and the top of the parabola through the three (Brent 1973, ch. 5). It
    moves only to better, allowed and supported settings. With totals it climbs the Lagrangian, and then keeps as many
    of the moves as gain and leave the sums within their limits.

    Args:
        search: whom to ask.
        start: [U, L] the candidates chosen.
        tried: [G, L] all candidates.

    Returns:
        Settings [U, L], together worth at least as much as `start`.
    """
    space = search.simulator.scenario.space
    widths = {i: width for i in range(len(space)) if i not in search.kept and (width := _width(space, i, tried[:, i]))}
    if not widths:
        return start
    value, use = search.ask(start)
    best, score = start.copy(), value - search.prices @ use
    for _ in range(max(_rounds(space, i, width) for i, width in widths.items())):
        for i, width in widths.items():
            _climb(search, best, score, i, width)
        widths = {i: width / SHRINK for i, width in widths.items()}
    return _within(search, start, value, use, best) if search.limits else best


def _width(space: LeverSpace, i: int, tried: Floats) -> float:
    """Half of what lies between candidates of one lever; 0 where there is nothing between them."""
    lever, values = space.levers[space.names[i]], np.unique(tried)
    if not isinstance(lever, Continuous | Integer) or len(values) < 2:
        return 0.0
    spacing = np.diff(values)
    finest = lever.step or 10.0 ** -places(lever)
    if spacing.max() < 1.5 * finest:
        return 0.0
    return float(np.median(spacing)) / 2


def _rounds(space: LeverSpace, i: int, width: float) -> int:
    """So many that the last one is about as fine as settings are recommended."""
    lever = space.levers[space.names[i]]
    fine = (lever.step or 10.0 ** -places(lever)) if isinstance(lever, Continuous | Integer) else width
    return int(np.clip(ceil(log(max(width / fine, 1.0), SHRINK)), 1, ROUNDS))


def _climb(search: Search, best: Floats, score: Floats, i: int, width: float) -> None:
    """One step of every decision along one lever, in place."""
    space = search.simulator.scenario.space
    name, lever, middle, height = space.names[i], space.levers[space.names[i]], best[:, i].copy(), score.copy()
    if not isinstance(lever, Continuous | Integer):
        return

    def visit(values: Floats) -> tuple[Floats, Floats]:
        moved = best.copy()
        moved[:, i] = space.rounded(name, values)
        gained, used = search.ask(moved)
        net = gained - search.prices @ used
        better = np.flatnonzero(net > score)
        better = better[search.simulator.support.holds(moved[better])]
        if search.simulator.kin is not None and search.alone:
            better = better[search.simulator.kin.holds(search.simulator, search.crowd, moved)[better]]
        best[better], score[better] = moved[better], net[better]
        return moved[:, i], net

    ends = [visit(_to(lever, middle, step)) for step in (-width, width)]
    top = _vertex(ends[0], (middle, height), ends[1])
    visit(_to(lever, middle, np.where(np.isfinite(top), top - middle, 0.0).clip(-2 * width, 2 * width)))


def _vertex(low: tuple[Floats, Floats], middle: tuple[Floats, Floats], high: tuple[Floats, Floats]) -> Floats:
    """Where the parabola through three points (place, height) has its top or bottom; NaN where they lie on a line."""
    (a, at_a), (b, at_b), (c, at_c) = low, middle, high
    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = (b - a) * (at_b - at_c), (b - c) * (at_b - at_a)
        return np.asarray(b - 0.5 * ((b - a) * one - (b - c) * other) / (one - other))


def _to(lever: Continuous | Integer, values: Floats, step: Floats | float) -> Floats:
    """One step on, inside the lever's range and on its steps."""
    if lever.step:
        whole = np.sign(step) * np.maximum(1, np.round(np.abs(step) / lever.step)) * lever.step
        return stepped(lever, values + whole)
    return np.clip(values + step, lever.min, lever.max)


def _within(search: Search, start: Floats, value: Floats, use: Floats, best: Floats) -> Floats:
    """The moves from start to best that gain, as far as the totals allow."""
    moved_value, moved_use = search.ask(best)
    gain = np.where(np.isfinite(moved_value), moved_value - value, -np.inf)
    room = np.array([limit.ceiling(search.share) for limit in search.limits]) - use.sum(1)
    made = accept(gain, moved_use - use, room, search.prices)
    return np.where(made[:, None], best, start)
