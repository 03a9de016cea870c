"""Each row's best of many settings, without asking about most of them: coarse knots first, then closer around the best.

A span between two knots is looked into only where its ceiling (see `simulator.ceilings`) is above the best setting
known, so nothing that is better by more than a millionth is passed over: branch and bound (Land & Doig 1960), for all
rows at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from drivetrain.optimizer.candidates import spelt_out
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.scoring import Judged
from drivetrain.scenario import Continuous, Integer, LeverSpace
from drivetrain.simulator import Crowd, Simulator
from drivetrain.simulator.ceilings import Ceilings, Level

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STRIDE = 10
"""Each level of knots is so many times as fine as the one above."""
FEWEST = 4
"""So many knots at least along the lever are on the highest level."""
SHORT = 36
"""With fewer settings along a lever all of them are asked about."""
TIE = 1e-6
"""A share of a row's objective that is no difference."""


@dataclass(frozen=True)
class Zoom:
    """Settings in lines along one lever, with knots on several levels; the last level has them all."""

    ceilings: Ceilings
    tried: Floats
    """[G, L] in any order."""
    place: Ints
    """[G] which of these stands where, line by line."""
    levels: list[Level]

    @classmethod
    def of(cls, simulator: Simulator, offers: Offers) -> Zoom | None:
        """For rows that decide alone; of one lever without steps among all settings that could be told.

        None where asking about all settings is as well, or nothing is known of what lies between them.
        """
        if offers.ends is not None or offers.own is not None or simulator.kin is not None:
            return None
        space = simulator.scenario.space
        tried = spelt_out(space, simulator.support, offers.tried)
        if (lever := _longest(space, tried)) is None:
            return None
        others = np.delete(np.arange(len(space)), lever)
        line = (
            np.unique(tried[:, others], axis=0, return_inverse=True)[1].ravel() if len(others) else np.zeros(len(tried))
        )
        order = np.lexsort([tried[:, lever], line])
        settings, line = tried[order], line[order]
        ceilings = Ceilings.of(simulator, settings, space.names[lever])
        if ceilings is None:
            return None
        apart = None if space.do_nothing is None else settings[:, lever] == space.do_nothing[lever]
        knots = _knots(line, apart)
        if len(knots[0]) * 2 > len(tried):
            return None
        return cls(ceilings, tried, order.astype(np.int64), [ceilings.level(each) for each in knots])

    def best(self, crowd: Crowd) -> tuple[Ints, NDArray[np.bool_]]:
        """For each row [N] which of the settings tried is best, and whether any is allowed."""
        search = _Search(self, self.ceilings.bare(crowd))
        search.everywhere()
        for depth in range(1, len(self.levels)):
            search.closer(depth)
        search.rest()
        return self.place[search.where.numpy()], torch.isfinite(search.height).numpy()


def _longest(space: LeverSpace, tried: Floats) -> int | None:
    """The numeric lever with the most values."""
    numeric = [isinstance(lever, Continuous | Integer) for lever in space.levers.values()]
    many = [len(np.unique(tried[:, i])) if plain else 0 for i, plain in enumerate(numeric)]
    return int(np.argmax(many)) if max(many) >= SHORT else None


def _knots(line: Floats | Ints, apart: NDArray[np.bool_] | None) -> list[Ints]:
    """Places of the knots on each level: some of a line, its ends, doing nothing and what is beside it."""
    starts = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    sizes = np.diff(np.r_[starts, len(line)])
    within = np.arange(len(line)) - np.repeat(starts, sizes)
    kept = within == np.repeat(sizes, sizes) - 1
    if apart is not None:
        kept |= apart | np.r_[apart[1:], False] | np.r_[False, apart[:-1]]
    strides = [1]
    while sizes.max() >= FEWEST * STRIDE * strides[-1]:
        strides.append(STRIDE * strides[-1])
    return [np.flatnonzero(kept | (within % stride == 0)) for stride in reversed(strides)]


@dataclass
class _Search:
    """One search; which setting is best for each row so far, and where else something better may be."""

    zoom: Zoom
    crowd: Crowd
    where: Tensor = field(init=False)
    """int64 [N] places among the sorted settings."""
    height: Tensor = field(init=False)
    """float32 [N] what that is worth."""
    near: Tensor = field(init=False)
    """bool [N] whether something better may lie beside it."""
    left: list[tuple[int, Tensor, Tensor, Tensor]] = field(default_factory=list, init=False)
    """Level, spans, rows, ceilings: where else something better may lie."""

    def __post_init__(self) -> None:
        many = len(self.crowd)
        self.where, self.height = torch.zeros(many, dtype=torch.int64), torch.full((many,), -torch.inf)
        self.near = torch.zeros(many, dtype=torch.bool)

    def everywhere(self) -> None:
        """Every row at the knots of the highest level."""
        whole = slice(0, len(self.zoom.levels[0].knots))
        self._look(0, self.crowd, torch.arange(len(self.crowd)), whole)

    def closer(self, depth: int) -> None:
        """Rows at the knots of a level that lie between the neighbours of their best one on the level above."""
        above, knots = self.zoom.levels[depth - 1].knots, self.zoom.levels[depth].knots
        rows = self.near.nonzero()[:, 0]
        for place, some, crowd in self._grouped(rows, self.where[rows]):
            at = int(np.searchsorted(above, place))
            ends = above[max(at - 1, 0)], above[min(at + 1, len(above) - 1)]
            first, last = np.searchsorted(knots, ends).tolist()
            self._look(depth, crowd, some, slice(first, last + 1))

    def rest(self) -> None:
        """What else may hold something better, from end to end."""
        for depth, level in enumerate(self.zoom.levels):
            if not (found := [each for where, *each in self.left if where == depth]):
                continue
            knots, (spans, rows, tops) = level.knots, (torch.cat(each) for each in zip(*found, strict=True))
            open_still = ~(tops <= _enough(self.height[rows]))
            for span, some, crowd in self._grouped(rows[open_still], spans[open_still]):
                part = slice(int(knots[span]) + 1, int(knots[span + 1]))
                for run, height, at in self._all(crowd, part):
                    better = height > self.height[some[run]]
                    which = some[run][better]
                    self.height[which], self.where[which] = height[better], at[better]

    def _look(self, depth: int, crowd: Crowd, rows: Tensor, part: slice) -> None:
        """Rows (which they are: int64 [n]) at a run of a level's knots."""
        level, scenario = self.zoom.levels[depth], self.zoom.ceilings.simulator.scenario
        if depth == len(self.zoom.levels) - 1:
            for run, height, at in self._all(crowd, part):
                self.height[rows[run]], self.where[rows[run]] = height, at
            return
        knots = torch.from_numpy(level.knots[part])
        filled = (knots[1:] - knots[:-1] > 1)[:, None]
        for run, expected, top in self.zoom.ceilings.told(level, crowd, part):
            which = rows[run]
            height, at = Judged.of(scenario, expected, None).net.max(1)
            self.height[which], self.where[which] = height, knots[at]
            alive = functional.pad(~(top <= _enough(height)) & filled, (0, 0, 1, 1))
            beside = torch.stack([at, at + 1])
            self.near[which] = alive.gather(0, beside).any(0)
            spans, places = alive.scatter_(0, beside, value=False)[1:-1].nonzero(as_tuple=True)
            if len(spans):
                self.left.append((depth, part.start + spans, which[places], top[spans, places]))

    def _all(self, crowd: Crowd, part: slice) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Over runs of rows: what the best of a run of settings is worth [n], and which it is [n]."""
        scenario = self.zoom.ceilings.simulator.scenario
        for run, expected in self.zoom.ceilings.expected(crowd, part):
            height, at = Judged.of(scenario, expected, None).net.max(1)
            yield run, height, at + part.start

    def _grouped(self, rows: Tensor, keys: Tensor) -> Iterator[tuple[int, Tensor, Crowd]]:
        """Rows [n] with the same key [n] together: the key, which rows, and these."""
        order = torch.argsort(keys, stable=True)
        sorted_rows = rows[order]
        crowd = self.crowd.take(sorted_rows)
        values, counts = torch.unique_consecutive(keys[order], return_counts=True)
        start = 0
        for key, many in zip(values.tolist(), counts.tolist(), strict=True):
            part = slice(start, start + many)
            yield key, sorted_rows[part], crowd.take(part)
            start += many


def _enough(height: Tensor) -> Tensor:
    """What a ceiling must be above to be of interest."""
    return height + TIE * height.abs()
