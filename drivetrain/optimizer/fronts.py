"""The front of one setting for all rows: all that is asked about is kept, and its gaps are closed one by one.

A front between two objectives may be bent either way, or in pieces. Its ends are found first, each by many local
searches. Then, over and over: settings between those on either side of a wide gap are asked about; where that leaves
it open, a gradient is followed from there, one objective made best above the other's middle of the gap (ε-constraint:
Haimes, Lasdon & Wismer 1971); in between, settings are drawn from differences between those that lie on the front
(differential evolution: Storn & Price 1997), which finds its other pieces. At last every point to be shown is made
better in all objectives, if it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from drivetrain.optimizer.aims import Aim, Lacking
from drivetrain.optimizer.archive import Archive
from drivetrain.optimizer.landscape import TOLERANCE, Asked, Landscape
from drivetrain.optimizer.multistart import Climber

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BUDGET = 20_000
"""Settings that are asked about at most, each gradient counted as one more."""
CELLS = 4_000_000_000
"""Members · rows · settings that are asked about at most; many rows leave less to ask."""
FEWEST = 1_000
TIES = 1e-4
"""The weight of the other objectives, in their ranges, beside the one that is made best in its own."""
FOR_ENDS = 0.1
"""The part of the budget that the search for each end may take."""
FOR_ENTRY = 0.3
"""The part that the search for any setting that keeps all bounds may take."""
FOR_LAST = 0.2
"""The part that is kept for the points to show."""
FIRST = 512
"""Candidates asked about before anything else."""
BETWEEN = (0.5, 0.25, 0.75, 0.1, 0.9)
STEPS = 12
"""Steps along a gradient into a gap at most."""
DRAWN = 100
"""Settings drawn from the front at once."""
ROUNDS = 8
"""Times that gaps are closed, and settings drawn, in turn."""
AT_ONCE = 16
"""Gaps looked into together."""


def shared_front(landscape: Landscape, tried: Floats, points: int, budget: int = BUDGET) -> Floats:
    """Settings [P, L] for all rows at once, none better than another in every objective; none where all break bounds.

    Args:
        landscape: what is asked; it has at least two goals.
        tried: [G, L] candidates, all within support.
        points: P at most.
        budget: settings that are asked about at most, each gradient counted as one more.
    """
    size = max(1, len(landscape.simulator.folds)) * len(landscape.crowd)
    search = _Closing(landscape, int(np.clip(CELLS // size, min(FEWEST, budget), budget)))
    search.begin(tried)
    if not len(search.archive.settings):
        return search.archive.settings
    search.close(points)
    return search.archive.settings[search.archive.spread(points)]


@dataclass
class _Closing:
    """One search; all that it asks about goes to its archive."""

    landscape: Landscape
    budget: int
    archive: Archive = field(init=False)
    asked: int = field(default=0, init=False)
    shut: set[tuple[bytes, bytes]] = field(default_factory=set, init=False)
    """Gaps in which nothing was found, by the values on either side."""

    def __post_init__(self) -> None:
        """An empty archive."""
        self.many = 1 + len(self.landscape.simulator.scenario.objective.beside)
        levers = len(self.landscape.simulator.scenario.space)
        self.archive = Archive(np.zeros((0, levers)), np.zeros((0, self.many)))
        self.draw = np.random.default_rng(0)

    @property
    def left(self) -> int:
        """What may still be asked."""
        return self.budget - self.asked

    def begin(self, tried: Floats) -> None:
        """Some candidates, and the best that can be found in each objective."""
        some = tried[np.linspace(0, len(tried) - 1, min(len(tried), FIRST, self.budget // 8)).astype(int)]
        self.look(some)
        if not len(self.archive.values):
            everything = Lacking((1.0,) * self.many, (-np.inf,) * self.many)
            climber = Climber(self.landscape, everything, int(FOR_ENTRY * self.budget), self.keep)
            climber.seek(some)
            self.asked += climber.asked
        share = int(FOR_ENDS * self.budget)
        for k in range(self.many):
            climber = self.climber(np.eye(self.many)[k], None, share)
            starts = self.archive.settings[np.argsort(-self.archive.values[:, k])[:1]]
            climber.seek(np.vstack([starts, some]))
            self.asked += climber.asked

    def close(self, points: int) -> None:
        """Draw from the front, and close its gaps, in turn until little is left to ask."""
        whole = int((1 - FOR_LAST) * self.budget)
        for turn in range(ROUNDS):
            ends = self.asked + (whole - self.asked) // (ROUNDS - turn)
            half = (self.asked + ends) // 2
            while self.asked + DRAWN <= half:
                self.drawn(2 * points)
            if self.many == 2:
                self._between(0.5 / points, ends)
            elif turn == 0:
                self._above(points, ends)
        self.last(points)

    def climber(self, share: Floats, floors: Floats | None, budget: int) -> Climber:
        """A local search for a weighted sum, the weights in shares of what each objective reaches."""
        weights = (share + TIES) / self.archive.ranges if len(self.archive.values) else share + TIES
        low = np.full(self.many, -np.inf) if floors is None else floors
        return Climber(self.landscape, Aim(tuple(weights), tuple(low)), budget, self.keep)

    def keep(self, settings: Floats, asked: Asked, fine: NDArray[np.bool_]) -> None:
        """Put what was found into the archive."""
        goals = asked.goals.detach().numpy().T
        fine = fine & (asked.over.detach() <= TOLERANCE).all(0).numpy() & np.isfinite(goals).all(1)
        self.archive.add(settings[fine], goals[fine])

    def look(self, settings: Floats) -> None:
        """Ask about settings [G, L]."""
        plain = self.climber(np.ones(self.many), None, self.budget)
        plain.judged(settings)
        self.asked += plain.asked

    def _between(self, narrow: float, until: int) -> None:
        """Close gaps between two objectives that are wider than a share of what they reach."""
        while self.asked < until and len(self.archive.values) > 1:
            order = np.argsort(-self.archive.values[:, 0])
            width = np.abs(np.diff(self.archive.scaled[order], axis=0)).max(1)
            pairs = [(order[i], order[i + 1]) for i in np.argsort(-width, kind="stable") if width[i] > narrow]
            pairs = [pair for pair in pairs if self.key(pair) not in self.shut][:AT_ONCE]
            if not pairs:
                return
            sides = [(self.archive.settings[list(pair)], self.archive.values[list(pair)]) for pair in pairs]
            between = [a + t * (b - a) for (a, b), _ in sides for t in BETWEEN]
            self.look(self.tidy(np.array(between)))
            for settings, values in sides:
                if self.asked < until and not self.inside(values):
                    self.followed(settings, values)
                if not self.inside(values):
                    self.shut.add((values[0].tobytes(), values[1].tobytes()))

    def last(self, points: int) -> None:
        """From each point that will be shown to one that is better in every objective, where there is one."""
        shown = self.archive.spread(points)
        for settings, values in zip(self.archive.settings[shown], self.archive.values[shown], strict=True):
            if self.left < 0:
                return
            climber = self.climber(np.ones(self.many), values, self.left)
            climber.settled(settings, climber.followed(settings, STEPS))
            self.asked += climber.asked

    def key(self, pair: tuple[int, int]) -> tuple[bytes, bytes]:
        """What names a gap."""
        one, other = self.archive.values[list(pair)]
        return one.tobytes(), other.tobytes()

    def inside(self, values: Floats) -> bool:
        """Whether something of the front lies in the middle half of a gap [2, 2]."""
        step = (values[1] - values[0]) / 4
        wide = int(np.abs(step / self.archive.ranges).argmax())
        at = (self.archive.values[:, wide] - values[0, wide]) / step[wide]
        return bool(((at > 0.5) & (at < 3.5)).any())

    def followed(self, settings: Floats, values: Floats) -> None:
        """Follow a gradient into a gap: from the side that keeps the floor, the other objective is made better."""
        wide = int(np.abs((values[1] - values[0]) / self.archive.ranges).argmax())
        floors = np.full(self.many, -np.inf)
        floors[wide] = values[:, wide].mean()
        start = settings[int(values[:, wide].argmax())]
        climber = self.climber(np.eye(self.many)[1 - wide], floors, self.left)
        climber.settled(start, climber.followed(start, STEPS))
        self.asked += climber.asked

    def _above(self, points: int, until: int) -> None:
        """Of more than two objectives: the first made best above a grid of floors for the others."""
        low, high = self.archive.values.min(0), self.archive.values.max(0)
        steps = max(2, round(points ** (1 / (self.many - 1))))
        for inner in product(*(np.linspace(low[k], high[k], steps + 1)[1:-1] for k in range(1, self.many))):
            if self.asked >= until:
                return
            floors = np.array([-np.inf, *inner])
            short = np.clip(floors[1:] - self.archive.values[:, 1:], 0, None) / self.archive.ranges[1:]
            start = self.archive.settings[int(np.lexsort([-self.archive.values[:, 0], short.sum(1)])[0])]
            climber = self.climber(np.eye(self.many)[0], floors, self.left)
            climber.settled(start, climber.followed(start, STEPS))
            self.asked += climber.asked

    def drawn(self, parents_of: int) -> None:
        """Ask about settings drawn from differences between so many of the front."""
        climber = self.climber(np.ones(self.many), None, DRAWN)
        parents = self.archive.settings[self.archive.spread(parents_of)]
        one, two, three = (parents[self.draw.integers(len(parents), size=DRAWN)] for _ in range(3))
        made = one + self.draw.choice([0.3, 0.6, 1.0], (DRAWN, 1)) * (two - three)
        near = self.draw.random((DRAWN, 1)) < 0.5
        step = 10 ** self.draw.uniform(-3, -0.5, (DRAWN, 1)) * (climber.high - climber.low)
        made = np.where(near, one + step * self.draw.standard_normal(made.shape), made)
        crossed = self.draw.random(made.shape) < self.draw.choice([1 / made.shape[1], 0.3, 0.9], (DRAWN, 1))
        crossed[np.arange(DRAWN), self.draw.integers(made.shape[1], size=DRAWN)] = True
        made = np.where(crossed, made, one)
        for i in np.flatnonzero(~climber.free):
            options = climber.room.line(int(i), one[0, i])
            other = np.where(self.draw.random(DRAWN) < 0.5, two[:, i], self.draw.choice(options, DRAWN))
            made[:, i] = np.where(crossed[:, i], other, one[:, i])
        made = np.unique(self.tidy(made), axis=0)
        self.look(made)

    def tidy(self, settings: Floats) -> Floats:
        """Settings [G, L] inside the ranges, on steps and options, as finely as they are told."""
        return self.climber(np.ones(self.many), None, 0).room.allowed(settings)
