"""Support: where the data has seen enough to speak; outside it a prediction is extrapolation.

With a few levers enough rows must lie around a setting (a kernel density). With many there are hardly ever any: where
most settings of the data itself would be refused so, a setting must be no further from the rows nearest to it than rows
of the data are from theirs (Ramaswamy, Rastogi & Shim 2000, SIGMOD: distance to the k-th neighbour).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from drivetrain.scenario import Categorical, LeverSpace, YesNo
from drivetrain.simulator.reach import NEXT, Reach, next_to

Floats = NDArray[np.float64]

FEWEST = 10
FEWEST_SHARE = 0.005
MANY = 200
"""Above so many options no share of the rows can be asked of each."""
MOST_KEPT = 4096
MOST_PROBED = 500
USUAL = 0.95
"""With many levers: the share of the data's own settings that count as near enough to others."""
CELLS_AT_ONCE = 4_000_000


class Support(BaseModel):
    """What settings the data has seen, and how often around each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reach: tuple[Reach, ...]
    """For each lever."""
    seen: tuple[tuple[float, ...], ...]
    """Distinct logged settings; at most 4,096, a sample where there were more."""
    counts: tuple[float, ...]
    """The rows that each stands for."""
    fewest: float = FEWEST_SHARE
    """The share of all rows that must speak for a setting; 0 where a lever has many options, and 10 rows do."""
    unit: tuple[float, ...] = ()
    """With many levers: how much of each makes a distance of 1; its standard deviation, and 0 where any difference
    does."""
    radius: float = 0.0
    """With many levers: how far the tenth row may be from a setting; 0 where rows around a setting are counted."""
    guarded: bool = True
    """Whether settings are refused at all; not where it is asked what that costs."""

    @property
    def lifted(self) -> Self:
        """The same, refusing nothing."""
        reach = tuple(each.model_copy(update={"low": -np.inf, "high": np.inf}) for each in self.reach)
        return self.model_copy(update={"guarded": False, "reach": reach})

    @classmethod
    def fit(cls, space: LeverSpace, settings: Floats, seed: int = 0) -> Self:
        """Args: space: the levers; settings: [N, L] logged settings of the training rows; seed: of the sample."""
        nothing: Sequence[float | None] = [None] * len(space) if space.do_nothing is None else list(space.do_nothing)
        ranges = sum(not isinstance(lever, Categorical | YesNo) for lever in space.levers.values())
        reach = tuple(
            Reach.fit(
                settings[:, i], discrete=isinstance(lever, Categorical | YesNo), nothing=nothing[i], ranges=ranges
            )
            for i, lever in enumerate(space.levers.values())
        )
        distinct, counts = np.unique(settings, axis=0, return_counts=True)
        many = any(isinstance(lever, Categorical) and len(lever.options) > MANY for lever in space.levers.values())
        if len(distinct) > MOST_KEPT and not (many and len(space) == 1):
            picked = np.random.default_rng(seed).choice(len(settings), MOST_KEPT, replace=False)
            distinct, counts = settings[picked], np.full(MOST_KEPT, len(settings) / MOST_KEPT)
        found = cls(
            reach=reach,
            seen=tuple(map(tuple, distinct.tolist())),
            counts=tuple(map(float, counts)),
            fewest=0.0 if many else FEWEST_SHARE,
        )
        return found if len(space) < 3 or many else found._by_neighbours(space, settings, seed)

    def _by_neighbours(self, space: LeverSpace, settings: Floats, seed: int) -> Self:
        """The same, judged by distances, where counting rows would refuse most of what the data itself did."""
        draw = np.random.default_rng(seed)
        some = settings[draw.choice(len(settings), min(MOST_PROBED, len(settings)), replace=False)]
        if self.holds(some).mean() >= 0.5 or len(settings) <= FEWEST:
            return self
        flags = [isinstance(lever, Categorical | YesNo) for lever in space.levers.values()]
        unit = tuple(0.0 if flag else float(settings[:, i].std()) for i, flag in enumerate(flags))
        other = self.model_copy(update={"unit": unit})
        away = other.distance(some, FEWEST + 1)  # each is its own nearest
        return other.model_copy(update={"radius": float(np.quantile(away, USUAL))})

    def alone(self, lever: int) -> Floats | None:
        """The values of one lever that were seen, ascending, each speaking only for itself; None where near ones do."""
        return None if self.reach[lever].width or not self.guarded else np.unique(self._arrays[0][:, lever])

    def logged(self, most: int) -> Floats:
        """Settings [n, L] that were seen, at most so many of them, evenly taken."""
        seen: Floats = self._arrays[0]
        return np.array(seen[np.linspace(0, len(seen) - 1, min(most, len(seen))).round().astype(int)])

    def kernel(self, seen: Floats, settings: Floats) -> Floats:
        """Product over levers of each lever's kernel: seen [N, L], settings [G, L] → [N, G].

        The kernel is Epanechnikov's for numbers and equality for options (Racine & Li 2004, J. Econometrics 119:99).
        """
        weight = np.ones((len(seen), len(settings)))
        for i, reach in enumerate(self.reach):
            weight *= reach.kernel(seen[:, i, None], settings[None, :, i])
        return weight

    def paired(self, seen: Floats, settings: Floats) -> Floats:
        """The same for pairs: seen [N, L], settings [N, L] → [N]."""
        weight = np.ones(len(seen))
        for i, reach in enumerate(self.reach):
            weight *= reach.kernel(seen[:, i], settings[:, i])
        return weight

    def distance(self, settings: Floats, rank: int = FEWEST) -> Floats:
        """How far the row of this rank is from each setting [G, L], the nearest one being the first, [G]."""
        seen, counts = self._arrays
        step, out = max(1, CELLS_AT_ONCE // len(seen)), np.empty(len(settings))
        for start in range(0, len(settings), step):
            few = settings[start : start + step]
            away = np.zeros((len(few), len(seen)))
            for i, unit in enumerate(self.unit):
                between = few[:, i, None] - seen[None, :, i]
                away += (between / unit) ** 2 if unit > 0 else between != 0
            near = np.argpartition(away, min(rank, len(seen)) - 1, axis=1)[:, :rank]
            close = np.take_along_axis(away, near, 1)
            order = np.argsort(close, axis=1)
            enough = (np.cumsum(np.take_along_axis(counts[near], order, 1), axis=1) >= rank - 1e-9).argmax(1)
            out[start : start + step] = np.sqrt(np.take_along_axis(close, order, 1)[np.arange(len(few)), enough])
        return out

    def margin(self, settings: Floats) -> Floats:
        """By how much settings [G, L] have support: continuous, at least 0 where there is enough of it, [G]."""
        if not self.guarded:
            return np.ones(len(settings))
        if self.radius:
            return 1 - self.distance(settings) / self.radius
        return np.log((self.rows_near(settings) + 1e-3) / self._enough)

    def nowhere(self, low: Floats, high: Floats) -> NDArray[np.bool_]:
        """Whether surely no setting in boxes from low to high [G, L] has support, [G]."""
        if not self.guarded:
            return np.zeros(len(low), dtype=np.bool_)
        seen, counts = self._arrays
        if self.radius:
            away = np.zeros((len(low), len(seen)))
            for i, unit in enumerate(self.unit):
                outside = _outside(seen[:, i], low[:, i], high[:, i])
                away += (outside / unit) ** 2 if unit > 0 else outside > 0
            near = away <= self.radius**2 * (1 + 1e-9)
            return np.asarray(near @ counts < FEWEST - 1e-9)
        weight = np.ones((len(low), len(seen)))
        for i, reach in enumerate(self.reach):
            outside = _outside(seen[:, i], low[:, i], high[:, i])
            weight *= (
                np.clip(1 - (outside / max(reach.width, NEXT)) ** 2, 0, None)
                if reach.width
                else outside <= next_to(seen[:, i])
            )
        return np.asarray(weight @ counts < self._enough * (1 - 1e-9))

    @property
    def limited(self) -> bool:
        """Whether there are settings within the ranges seen that are not supported."""
        return self.guarded

    @property
    def _enough(self) -> float:
        return max(FEWEST, self.fewest * sum(self.counts))

    def rows_near(self, settings: Floats) -> Floats:
        """For each setting [G, L] the number of training rows that speak for it, [G]; a million settings are fine."""
        if len(self.reach) == 1:
            return self._along(settings[:, 0])
        distinct, back = _distinct(settings)
        step = max(1, CELLS_AT_ONCE // len(self.seen))
        seen, counts = self._arrays
        parts = [counts @ self.kernel(seen, distinct[i : i + step]) for i in range(0, len(distinct), step)]
        near: Floats = np.concatenate([np.zeros(0), *parts])[back]
        return near

    def _along(self, values: Floats) -> Floats:
        """Rows near values [G] of the only lever: Σ c (1 − (u − v)²) from cumulative Σ c, Σ c u, Σ c u²."""
        reach, (seen, counts) = self.reach[0], self._sorted
        same = _between(np.cumsum(counts), seen, values - next_to(values), values + next_to(values))
        if reach.width == 0:
            return same
        apart = (
            np.isclose(seen, reach.apart, rtol=0, atol=NEXT) if reach.apart is not None else np.zeros(len(seen), bool)
        )
        rest, many = seen[~apart], counts[~apart]
        u, v = (rest - reach.low) / reach.width, (values - reach.low) / reach.width
        sums = [_between(np.cumsum(many * u**power), u, v - 1, v + 1) for power in range(3)]
        near = np.clip(sums[0] * (1 - v**2) + 2 * v * sums[1] - sums[2], 0, None)
        return near if reach.apart is None else np.where(np.abs(values - reach.apart) <= NEXT, same, near)

    @cached_property
    def _arrays(self) -> tuple[Floats, Floats]:
        return np.asarray(self.seen), np.asarray(self.counts)

    @cached_property
    def _sorted(self) -> tuple[Floats, Floats]:
        seen, counts = self._arrays
        order = np.argsort(seen[:, 0], kind="stable")
        return seen[order, 0], counts[order]

    def holds(self, settings: Floats) -> NDArray[np.bool_]:
        """Whether the data supports each setting [G, L]: inside what was seen, with enough rows around it."""
        if not self.guarded:
            return np.ones(len(settings), dtype=np.bool_)
        distinct, back = _distinct(settings)
        inside = np.all([reach.inside(distinct[:, i]) for i, reach in enumerate(self.reach)], axis=0)
        if self.radius:
            near = np.zeros(len(distinct), dtype=np.bool_)
            near[inside] = self.distance(distinct[inside]) <= self.radius * (1 + 1e-9)
            return near[back]
        return np.asarray(inside & (self.rows_near(distinct) >= self._enough))[back]


def _outside(seen: Floats, low: Floats, high: Floats) -> Floats:
    """How far each seen value [N] lies outside ranges from low to high [G]: [G, N]."""
    return np.maximum(np.maximum(low[:, None] - seen, seen - high[:, None]), 0.0)


def _distinct(settings: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Each setting once, and for each of [G, L] which of them; by hashing, which costs a tenth of sorting."""
    which = np.zeros(len(settings), dtype=np.int64)
    for column in settings.T:
        codes, values = pd.factorize(column, use_na_sentinel=False)
        which = pd.factorize(which * len(values) + codes)[0].astype(np.int64)
    first = np.empty(int(which.max(initial=-1)) + 1, dtype=np.int64)
    first[which[::-1]] = np.arange(len(which) - 1, -1, -1)
    return settings[first], which


def _between(sums: Floats, ordered: Floats, low: Floats, high: Floats) -> Floats:
    """Of cumulative sums over ordered values, the part between low and high [G]."""
    padded = np.concatenate([[0.0], sums])
    return np.asarray(padded[np.searchsorted(ordered, high, "right")] - padded[np.searchsorted(ordered, low, "left")])
