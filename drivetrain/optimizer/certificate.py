"""How far from the best one setting for all can be, as the models see it: branch and bound over boxes of settings.

Every box has an upper bound from the models' own code run on bounds (see `simulator.relaxation`). Boxes with the
highest ones are halved, over and over, along the lever that their bound hangs on most; boxes in which no setting has
support, or that surely break a bound, fall away. What is left bounds every setting (Land & Doig 1960; for networks
Bunel et al. 2018). Options, yes and no, and doing nothing where it stands apart, are gone through one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.bounds import limits
from drivetrain.optimizer.landscape import Landscape
from drivetrain.scenario import Continuous, Integer
from drivetrain.scenario.constraints import KEYS
from drivetrain.simulator import Crowd, Relaxed, Simulator, Unbounded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_LEVERS = 10
"""With more levers that have a range, boxes are too many."""
MOST_STARTS = 512
CELLS, MOST_BOXES = 2_000_000, 10_000
"""Members · rows · boxes that are asked about at most, and boxes."""
CELLS_AT_ONCE = 40_000
MOST_AT_ONCE = 200_000
"""Members · rows that one box may cost."""
ALLOWED = 1e-6
"""By how much of itself a bound may be passed and still be kept."""
AT_ONCE = 128
CLOSE = 0.002
"""A gap of this share of the value is close enough."""
ROUNDING = 2e-6
"""What a prediction's 32-bit numbers may add to it, as a share of it."""


@dataclass(frozen=True)
class Certificate:
    """No supported setting that keeps all bounds is worth more than `bound`, as the models see it."""

    value: float
    """What the models expect of the setting, for one row, more being better."""
    bound: float
    """Above it no setting can be, in the same terms."""
    boxes: int
    """How many boxes of settings were asked about."""

    @property
    def gap(self) -> float:
        """How much more any setting could be worth, for one row; at least 0."""
        return max(0.0, self.bound - self.value)


def certify(
    simulator: Simulator, crowd: Crowd, setting: Floats, *, share: float = 1.0, cells: int = CELLS, close: float = CLOSE
) -> Certificate | None:
    """Bound how much better than one setting for all rows any other could be.

    Args:
        simulator: whose models are looked into.
        crowd: N rows, at least one.
        setting: [L] the setting.
        share: the part of all rows that these are; totals are bounded in proportion.
        cells: members · rows · boxes to ask about at most.
        close: a gap of this share of the value is close enough.

    Returns:
        None where no bound is known: too many levers or rows, models without one (trees), a risk, or formulas that may
        divide by 0.
    """
    space = simulator.scenario.space
    ranged = sum(isinstance(lever, Continuous | Integer) for lever in space.levers.values())
    if ranged > MOST_LEVERS or simulator.scenario.objective.risk is not None:
        return None
    start, landscape = _starts(simulator), Landscape.of(simulator, crowd, share)
    if start is None or _size(landscape) > MOST_AT_ONCE:
        return None
    value = float(landscape.ask(setting[None]).goals[0, 0])
    try:
        return _branch(landscape, value, start, cells, close)
    except Unbounded:
        return None


@dataclass(frozen=True)
class _Boxes:
    """Boxes of settings that may hold something better."""

    low: Floats
    """[G, L]"""
    high: Floats
    bound: Floats
    """[G] nothing in a box is worth more."""
    steep: Floats
    """[G, L] how much of the bound hangs on each lever."""

    def take(self, which: Ints | NDArray[np.bool_]) -> _Boxes:
        """Some of them."""
        return _Boxes(self.low[which], self.high[which], self.bound[which], self.steep[which])

    def beside(self, other: _Boxes) -> _Boxes:
        """These and others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Boxes(*(np.concatenate(pair) for pair in pairs))

    def halved(self) -> _Boxes:
        """Two of each, split along the steepest lever that has a width; both keep the bound."""
        rows = np.arange(len(self.low))
        lever = np.where(self.high > self.low, self.steep, -1.0).argmax(1)
        middle = (self.low[rows, lever] + self.high[rows, lever]) / 2
        high, low = self.high.copy(), self.low.copy()
        high[rows, lever], low[rows, lever] = middle, middle
        return _Boxes(self.low, high, self.bound, self.steep).beside(_Boxes(low, self.high, self.bound, self.steep))


def _branch(landscape: Landscape, value: float, start: _Boxes, cells: int, close: float) -> Certificate:
    slack, enough = ROUNDING * abs(value), value + close * abs(value)
    most = min(MOST_BOXES, cells // _size(landscape))
    left, boxes, done = _bounded(landscape, start), len(start.low), -np.inf
    while len(left.bound) and boxes < most:
        order = np.argsort(-left.bound)
        if left.bound[order[0]] <= enough:
            break
        few, rest = left.take(order[:AT_ONCE]), left.take(order[AT_ONCE:])
        points = (few.high <= few.low).all(1)
        done = max(done, float(few.bound[points].max(initial=-np.inf)))
        halves = few.take(~points & (few.bound > enough)).halved()
        easy = few.take(~points & (few.bound <= enough))
        boxes += len(halves.low)
        left = _bounded(landscape, halves).beside(easy).beside(rest) if len(halves.low) else easy.beside(rest)
    top = max(value, done, float(left.bound.max(initial=-np.inf)))
    return Certificate(value, top + slack, boxes)


def _size(landscape: Landscape) -> int:
    return max(1, len(landscape.simulator.folds)) * len(landscape.crowd)


def _bounded(landscape: Landscape, boxes: _Boxes) -> _Boxes:
    """The boxes that may hold an allowed setting, their bounds as tight as the models say."""
    alive = boxes.take(~landscape.simulator.support.nowhere(boxes.low, boxes.high))
    step = max(1, CELLS_AT_ONCE // _size(landscape))
    starts = range(0, len(alive.low), step)
    parts = [_few(landscape, alive.take(np.arange(i, min(i + step, len(alive.low))))) for i in starts]
    out = alive.take(np.zeros(0, dtype=np.int64))
    for part in parts:
        out = out.beside(part)
    return out


def _few(landscape: Landscape, boxes: _Boxes) -> _Boxes:
    simulator = landscape.simulator
    asked = Relaxed.boxes(torch.from_numpy(boxes.low), torch.from_numpy(boxes.high))
    objective, bounded = simulator.bounded(landscape.crowd, asked)
    if not bool(torch.isfinite(objective.high).all()):
        raise Unbounded("the objective")
    signed = objective if simulator.scenario.objective.sign > 0 else -objective
    share = landscape.weights / landscape.weights.sum()
    above = torch.einsum("dmng,n->dg", signed.high, share) / len(signed)
    below = torch.einsum("dmng,n->dg", signed.low, share) / len(signed)
    bound = above[0] + above[1:].abs().sum(0)
    bound = torch.minimum(bound, torch.einsum("mng,n->g", signed.most, share) / len(signed))
    alive = torch.ones(len(bound), dtype=torch.bool)
    for over in _over(landscape, {name: each.mean(0) for name, each in bounded.items()}):
        alive &= over[0] - over[1:].abs().sum(0) <= ALLOWED
        bound = torch.minimum(bound, _within(above, over))
    steep = above[1:].abs().T + (above[0] - below[0])[:, None] * _widths(simulator, boxes)
    found = _Boxes(boxes.low, boxes.high, np.minimum(boxes.bound, bound.numpy()), steep.numpy())
    return found.take(alive.numpy())


def _widths(simulator: Simulator, boxes: _Boxes) -> Tensor:
    """[G, L] how wide boxes are, in shares of what was seen."""
    whole = np.array([max(reach.high - reach.low, 1e-12) for reach in simulator.support.reach])
    return torch.from_numpy((boxes.high - boxes.low) / whole)


def _over(landscape: Landscape, asked: Mapping[str, Relaxed]) -> Iterator[Tensor]:
    """For each bound a plane [1 + d, G] that lies below what passes it, as a share of it."""
    for constraint in landscape.simulator.scenario.constraints:
        for key in KEYS if constraint.over == "each" else ():
            if (bound := constraint.bound(key)) is not None:
                over = asked[constraint.name] - bound if key == "at_most" else bound - asked[constraint.name]
                worst = over.low[0].argmax(0)
                yield over.low[:, worst, torch.arange(len(worst))] / max(1.0, abs(bound))
    for limit in limits(landscape.simulator.scenario, landscape.crowd.labels, len(landscape.crowd)):
        if limit.constraint.over == "ratio":
            continue  # left out: a bound that holds without it holds with it
        rows = torch.from_numpy(limit.rows)
        weights = landscape.weights[rows]
        value = asked[limit.constraint.name]
        low = (value if limit.sign > 0 else -value).low[:, rows]
        spent = torch.einsum("dng,n->dg", low, weights)
        whole = landscape.share if limit.constraint.over == "total" else float(weights.sum())
        plane = spent / whole
        yield torch.cat([(plane[0] - limit.sign * limit.bound)[None], plane[1:]]) / max(1.0, abs(limit.bound))


def _within(above: Tensor, over: Tensor) -> Tensor:
    """[G] the highest point of a plane where another is at most 0: the best multiplier is a ratio of slopes."""
    ratios = above[1:] / torch.where(over[1:].abs() > 1e-12, over[1:], torch.inf)
    tried = torch.cat([torch.zeros_like(ratios[:1]), ratios.clamp(min=0)])  # [1 + d, G]
    plane = above[None] - tried[:, None] * over[None]  # [1 + d, 1 + d, G]
    return (plane[:, 0] + ALLOWED * tried + plane[:, 1:].abs().sum(1)).amin(0)


def _starts(simulator: Simulator) -> _Boxes | None:
    """Boxes that together hold every setting that could be recommended; None where there are too many."""
    space, support = simulator.scenario.space, simulator.support
    each: list[list[tuple[float, float]]] = []
    for i, (name, lever) in enumerate(space.levers.items()):
        reach, alone = support.reach[i], support.alone(i)
        if not isinstance(lever, Continuous | Integer):
            each.append([(float(code), float(code)) for code in space.grid(name, MOST_STARTS)])
        elif alone is not None:
            each.append([(float(value), float(value)) for value in alone])
        else:
            ends = [(max(reach.low, lever.min), min(reach.high, lever.max))]
            each.append(ends + ([] if reach.apart is None else [(reach.apart, reach.apart)]))
    if prod(map(len, each)) > MOST_STARTS:
        return None
    table = np.array(list(product(*each)), dtype=np.float64)
    many = len(table)
    return _Boxes(table[..., 0], table[..., 1], np.full(many, np.inf), np.zeros((many, len(space))))
