"""One setting for all, of many levers: the best of many local searches.

Candidates spread evenly over the levers' ranges are asked about at once; from the best that lie apart, gradients are
followed (L-BFGS-B: Byrd, Lu, Nocedal & Zhu 1995; SLSQP where something bounds the settings: Kraft 1988); every
optimum found is left along one lever at a time, over its whole range, which finds what lies behind a ridge and sets the
levers that have no gradient. One more search begins where the scores of all candidates lead, ripples left aside, and
one from the best setting on the lines through the ends of two others. Multi-start local search is the standard for
functions of this kind (Rinnooy Kan & Timmer 1987, Math. Program. 39:57).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from drivetrain.optimizer.aims import Aim, Lacking, differences, with_gradient
from drivetrain.optimizer.landscape import TOLERANCE, Asked, Landscape
from drivetrain.optimizer.room import LINE, Room
from drivetrain.optimizer.summits import apart, tops, trend

Floats = NDArray[np.float64]

BUDGET = 20_000
"""Settings that are asked about at most; one with its gradient counts twice."""
PATIENCE = 8
SEARCHED = 0.8
"""The part of a budget that may go into local searches from candidates."""
SMALL = 1e-6
"""Scores below are not what others are measured by."""
SHARPENED = 2
"""How often the very tops of summits along a lever are looked for."""
SPREADS = (0.3, 0.1, 0.03, 0.01)
PAIRED, ALONG = 5, (0.5, 0.35, 0.65, 0.2, 0.8, -0.25, 1.25)
"""Ends of the best searches between which is looked, and where on the line through two of them."""
DRAWS = 64
"""Settings drawn around the best one in each round at its end, and how far they spread in shares of the ranges."""
STEPS = 60
NEAR = 0.03
"""Ends of searches that are further apart than this share of some lever's range are different places."""
ROUGH, FINE = 1e-5, 1e-10
"""A local search ends where a step gains less than this share of the score: while many are tried, and the last one."""
BACK = 9
ASTRAY = np.array([0.0, 0.001, 0.003, 0.01, 0.03, 0.06])
"""How far back towards its start the end of a search is taken where rounding has made it break a bound."""
CORNERS = 16
"""Ways of rounding each lever up or down that are tried then."""
NEXT_ROWS, FIRST_ROWS = 2_000, 256
"""Rows that local searches, and the first look at all candidates, ask about; of many rows these stand for all."""


@dataclass
class Climber:
    """One search; remembers what it has asked."""

    landscape: Landscape
    aim: Aim
    budget: int = BUDGET
    keep: Callable[[Floats, Asked, NDArray[np.bool_]], None] | None = None
    """Is told of settings [G, L] that were asked about, what came of them, and which have support."""
    asked: int = field(default=0, init=False)
    cost: int = field(default=2, init=False)
    """What a setting with its gradients counts: one more for each goal that is weighed, and each bound."""
    climbs: int = field(default=0, init=False)
    ends: list[Floats] = field(default_factory=list, init=False)
    """Where local searches ended."""
    first: Floats = field(default_factory=lambda: np.zeros((0, 0)), init=False)
    """The candidates asked about, the best first."""

    def __post_init__(self) -> None:
        """Which levers gradients can move, and how far."""
        simulator = self.landscape.simulator
        self.space, self.support = simulator.scenario.space, simulator.support
        self.room = Room.of(self.space, self.support)
        self.low, self.high, self.free = self.room.low, self.room.high, self.room.free

    @property
    def coarse(self) -> int:
        """Settings along one lever, while there are still places to begin from."""
        return int(np.clip(self.budget // (8 * len(self.low)), 6, LINE))

    @property
    def patience(self) -> int:
        """Local searches in a row that may end nowhere better; few levers leave few places to end."""
        return min(PATIENCE, 2 * max(1, int(self.free.sum())))

    def seek(self, tried: Floats) -> Floats:
        """The best setting [L] found.

        Args:
            tried: [G, L] candidates; all within support.
        """
        some = tried[np.linspace(0, len(tried) - 1, min(len(tried), max(1, self.budget // 3))).astype(int)]
        score = self.judged(some, self.landscape.sample(FIRST_ROWS))
        self.first = some[np.argsort(-score, kind="stable")]
        starts = apart(some, score, self.low, self.high) if np.isfinite(score).any() else self._entry(some)
        if (bowl := trend(some, score, self.free)) is not None:
            starts = np.insert(starts, min(1, len(starts) - 1), self.room.allowed(bowl[None]), axis=0)
        best, worth = starts[0], float(self.judged(starts[:1])[0])
        idle = 0
        for start in starts:  # the best first
            best, worth, better = self._tried(start, best, worth)
            idle = 0 if better else idle + 1
            if idle >= self.patience or self.asked >= SEARCHED * self.budget or worth >= self.aim.enough:
                break
        best, worth = self._across(best, worth)
        many = self.coarse
        while many < LINE and np.isfinite(worth) and worth < self.aim.enough:
            many = min(LINE, 2 * many)
            best, worth = self.crossed(best, worth, many)
        self.ends.append(best)
        best, worth = self._around(best, worth)
        found, value = self.climbed(best, FINE)
        return found if value > worth else best

    def _entry(self, some: Floats) -> Floats:
        """[S, L] where to begin when no candidate keeps the bounds: where they are passed by least, then candidates."""
        plain = apart(some, np.full(len(some), -np.inf), self.low, self.high)
        if isinstance(self.aim, Lacking):
            return plain
        lacking = Lacking(self.aim.weights, self.aim.floors)
        inner = Climber(self.landscape, lacking, self.budget // 2, self.keep)
        found = inner.seek(some)
        self.asked += inner.asked
        return np.vstack([found[None], plain])

    def _tried(self, start: Floats, best: Floats, worth: float) -> tuple[Floats, float, bool]:
        """The best setting after one more local search, its score, and whether it is a better one."""
        found, value = self.climbed(start)
        self.climbs += 1
        self.ends.append(found)
        if value <= worth + 1e-9 * max(1.0, abs(worth)) if np.isfinite(worth) else not np.isfinite(value):
            return best, worth, False
        found, value = self.crossed(found, value, self.coarse)
        self.ends.append(found)
        return found, value, True

    def _across(self, best: Floats, worth: float) -> tuple[Floats, float]:
        """A local search from the best setting on the lines through the ends of two: basins lie around a deeper one."""
        ends = np.unique(np.array(self.ends), axis=0)
        ends = ends[np.argsort(-self.judged(ends), kind="stable")[:PAIRED]]
        pairs = [(a, b) for i, a in enumerate(ends) for b in ends[:i]]
        if not pairs or not self.free.any() or self.asked + len(pairs) * len(ALONG) > self.budget:
            return best, worth
        lines = self.room.allowed(np.array([a + t * (b - a) for a, b in pairs for t in ALONG]))
        score = self.judged(lines)
        found, value, _ = self._tried(lines[int(score.argmax())], best, worth)
        return found, value

    def _around(self, best: Floats, worth: float) -> tuple[Floats, float]:
        """Local searches from settings drawn around the best one (iterated: Lourenço, Martin & Stützle 2003)."""
        draw, idle = np.random.default_rng(0), 0
        while self.free.any() and idle < self.patience and self.asked < self.budget and np.isfinite(worth):
            if worth >= self.aim.enough:
                break
            draws = min(DRAWS, max(8, self.budget // 32), self.budget - self.asked)
            near = np.tile(best, (draws, 1))
            width = SPREADS[idle % len(SPREADS)] * (self.high - self.low)[self.free]
            near[:, self.free] += width * draw.standard_normal((draws, int(self.free.sum())))
            near = self.room.rounded(np.clip(near, self.low, self.high))
            score = self.judged(near)
            best, worth, better = self._tried(near[int(score.argmax())], best, worth)
            idle = 0 if better else idle + 1
        return best, worth

    def judged(self, settings: Floats, landscape: Landscape | None = None) -> Floats:
        """[G] score; −∞ where a bound or the support is not kept."""
        ground = landscape or self.landscape
        self.asked += len(settings)
        asked = ground.ask(settings)
        score: Floats = self.aim.score(asked).numpy().copy()
        held = self.support.holds(settings)
        if self.keep is not None and ground is self.landscape:
            self.keep(settings, asked, held)
        kept = (self.aim.over(asked) <= TOLERANCE).all(0).numpy()  # not so where it is not a number
        score[~(kept & held & np.isfinite(score))] = -np.inf
        return score

    def climbed(self, start: Floats, close: float = ROUGH) -> tuple[Floats, float]:
        """The end of a local search, told as settings are told, and its score."""
        if not self.landscape.smooth or not self.free.any() or self.asked >= self.budget:
            return start, float(self.judged(start[None])[0])
        return self.settled(start, self.followed(start, close=close))

    def settled(self, start: Floats, end: Floats) -> tuple[Floats, float]:
        """The end of a search as settings are told, and its score; where that breaks a bound, what is near it."""
        told = self.room.rounded(end[None])
        first = float(self.judged(told)[0])
        if np.isfinite(first):
            return told[0], first
        way = end + (start - end) * np.concatenate([ASTRAY, np.linspace(0, 1, BACK)[1:]])[:, None]
        up = np.random.default_rng(0).random((CORNERS, len(end))) < 0.5
        about = np.tile(end, (CORNERS, 1))
        corners = np.where(up, self.room.rounded(about, np.ceil), self.room.rounded(about, np.floor))
        near = np.unique(np.vstack([self.room.rounded(way), corners]), axis=0)
        score = self.judged(near)
        place = int(score.argmax())
        return near[place], float(score[place])

    def crossed(self, at: Floats, worth: float, many: int) -> tuple[Floats, float]:
        """From an optimum along each lever in turn, over all its settings, as long as that leads to better ones."""
        while self.asked < self.budget and worth < self.aim.enough:
            before = worth
            for i in range(len(at)):
                values, score = self._along(at, i, many)
                if score.max(initial=-np.inf) > worth:
                    at, worth = at.copy(), float(score.max())
                    at[i] = values[int(score.argmax())]
            if worth <= before + 1e-9 * max(1.0, abs(before)):
                break
            found, value = self.climbed(at)
            if value > worth:
                at, worth = found, value
        return at, worth

    def _along(self, at: Floats, i: int, many: int) -> tuple[Floats, Floats]:
        """Settings of a lever, ascending, and their scores; summits once more, each where a parabola has its top."""
        values, score = self._lined(at, i, self.room.line(i, at[i], many))
        for _ in range(SHARPENED if self.free[i] else 0):
            higher = self.space.rounded(self.space.names[i], tops(values, score))
            new, more = self._lined(
                at, i, np.setdiff1d(higher[(higher >= self.low[i]) & (higher <= self.high[i])], values)
            )
            if not len(new):
                break
            values, score = np.concatenate([values, new]), np.concatenate([score, more])
            order = np.argsort(values)
            values, score = values[order], score[order]
        return values, score

    def _lined(self, at: Floats, i: int, values: Floats) -> tuple[Floats, Floats]:
        """Values of one lever beside the others' own, and their scores; none where too little is left to ask."""
        if not len(values) or self.asked + len(values) > self.budget:
            return values[:0], values[:0]
        line = np.tile(at, (len(values), 1))
        line[:, i] = values
        return values, self.judged(line)

    def followed(self, start: Floats, steps: int = STEPS, close: float = FINE) -> Floats:
        """Where the gradient leads, within the ranges, until a step gains less than a share of the score; not rounded.

        It is given up near where another search ended.
        """
        if not self.landscape.smooth or not self.free.any():  # nothing has a slope
            return start
        free, low, width = self.free, self.low[self.free], (self.high - self.low)[self.free]
        ground = self.landscape.sample(NEXT_ROWS)
        known = np.array(self.ends)[:, free] if self.ends else np.zeros((0, int(free.sum())))
        known = known[(np.abs(known - start[free]) / width).max(1, initial=0) > NEAR]
        seen: dict[bytes, tuple[float, Floats, Floats, Floats]] = {}

        def whole(u: Floats) -> Floats:
            out = start.copy()
            out[free] = low + np.clip(u, 0, 1) * width
            return out

        def told(u: Floats) -> tuple[float, Floats, Floats, Floats]:
            key = u.tobytes()
            if key not in seen:
                if self.asked + self.cost + BACK > self.budget and seen:
                    raise _Spent
                if len(known) and (np.abs(known - whole(u)[free]) / width).max(1).min() < NEAR / 3:
                    raise _Spent
                seen[key] = with_gradient(ground, self.aim, whole(u), free, width)
                self.cost = 1 + sum(weight != 0 for weight in self.aim.weights) + len(seen[key][2])
                self.asked += self.cost
            return seen[key]

        def margin(u: Floats) -> Floats:
            return self.support.margin(np.array([whole(each) for each in np.atleast_2d(u)]))

        rules = [{"type": "ineq", "fun": lambda u: -told(u)[2], "jac": lambda u: -told(u)[3]}]
        support = {"type": "ineq", "fun": margin, "jac": lambda u: differences(margin, u)}
        first = (start[free] - low) / width
        held = (rules if len(told(first)[2]) else []) + ([support] if self.support.limited else [])
        scale = abs(told(first)[0]) if abs(told(first)[0]) > SMALL else max(SMALL, float(np.abs(told(first)[1]).max()))
        search: Any = minimize  # too many overloads for a type checker
        try:
            done = search(
                lambda u: -told(u)[0] / scale,
                first,
                jac=lambda u: -told(u)[1] / scale,
                bounds=[(0.0, 1.0)] * len(first),
                constraints=held,
                method="SLSQP" if held else "L-BFGS-B",
                options={"maxiter": steps, "ftol": close},
            ).x
        except _Spent:
            kept = {key: each for key, each in seen.items() if (each[2] <= TOLERANCE).all()}
            done = np.frombuffer(max(kept, key=lambda key: kept[key][0])) if kept else first
        return whole(done) if np.isfinite(done).all() else start


class _Spent(Exception):  # noqa: N818
    """Nothing more may be asked, or need be."""
