"""What is given up for what: fronts between several objectives.

The optimizer is asked the same question at several bounds. A front is found by the augmented ε-constraint method
(Haimes, Lasdon & Wismer 1971; Mavrotas 2009, Appl. Math. Comput. 213:455): the first objective is made best while the
others keep a bound that moves from one end of the front to the other, and a small share of theirs breaks ties. For one
setting for all rows there is a way that asks far less: see `fronts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.errors import Fault, InfeasibleError, UsageError
from drivetrain.formula import Formula, weighted
from drivetrain.optimizer.asking import asking, confirmed, decided, expected
from drivetrain.optimizer.fronts import shared_front
from drivetrain.optimizer.landscape import Landscape
from drivetrain.optimizer.offers import Offers
from drivetrain.scenario import Constraint, LeverSpace, Objective, Scenario
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TIES = 1e-4
"""The weight of the other objectives, in their ranges, beside the one that is made best in its own."""
SAME = 1e-6
"""Points of a front that are no further apart than this share of every objective's range are one."""


@dataclass(frozen=True)
class Goal:
    """One of several objectives."""

    name: str
    formula: Formula
    sign: int
    """1 where more is better, −1 where less is."""
    unit: str


@dataclass(frozen=True)
class Front:
    """Choices of which none is better than another in every objective, the best in the first objective first."""

    goals: tuple[Goal, ...]
    """`objective`, then those beside it."""
    values: Floats
    """[P, K] what the members expect of each objective, the mean over rows, in its own unit and direction."""
    settings: Floats
    """[P, N, L] each row's setting; [P, N, K] its options, where it gets several."""

    def __len__(self) -> int:
        """P."""
        return len(self.values)

    @property
    def frame(self) -> pd.DataFrame:
        """A line for each choice, a column for each objective."""
        return pd.DataFrame(self.values, columns=[goal.name for goal in self.goals])

    def shared(self, space: LeverSpace) -> pd.DataFrame | None:
        """[P] settings as people read them, where each choice gives all rows the same; None where it does not."""
        if (self.settings != self.settings[:, :1]).any():
            return None
        same, lever = self.settings[:, 0], space.names[0]
        if same.shape[1] == len(space):
            return space.decode(same)
        return pd.DataFrame({f"{lever}_{k + 1}": space.decode(same[:, [k]])[lever] for k in range(same.shape[1])})


def goals(scenario: Scenario) -> tuple[Goal, ...]:
    """All objectives of a scenario, `objective` first. Raises: UsageError: there is only one."""
    first = scenario.objective
    if not first.beside:
        cure = "Add objective: {..., beside: [{name: NAME, minimise: FORMULA}]}"
        raise UsageError(Fault("pareto", "found one objective", "A front lies between two or more", cure))
    own = Goal("objective", scenario.valued, first.sign, first.unit)
    return (own, *(Goal(each.name, each.formula, each.sign, each.unit) for each in first.beside))


def front(simulator: Simulator, crowd: Crowd, unit: Ints, points: int = 21, *, share: float = 1.0) -> Front:
    """The choices between a scenario's objectives that waste nothing.

    Args:
        simulator: who is asked.
        crowd: N rows, at least one.
        unit: [N] the decision that each row belongs to, numbered from 0 without gaps.
        points: how many to look for; fewer are found where the front is short or has gaps.
        share: the part of all rows that these are; totals are bounded in proportion.

    Raises:
        UsageError: there is only one objective.
        InfeasibleError, DataError: as of `optimise`.
        RefusedError: likewise; or a choice does not stand up to a check by other code than found it.
    """
    wanted = goals(simulator.scenario)
    search = _Search(simulator, crowd, unit, share, wanted)
    if unit.max() == 0 and simulator.scenario.slots == 1 and len(plans := search.shared(points)):
        return search.front(plans)
    ends = [search.best(place) for place in range(len(wanted))]
    reached = np.array([search.values(end) for end in ends])
    low, high = reached.min(0), reached.max(0)
    plans = ends
    steps = max(2, round(points ** (1 / (len(wanted) - 1))))
    inner = [np.linspace(low[k], high[k], steps + 1)[1:-1] for k in range(1, len(wanted))]
    for floors in product(*inner):
        plans += search.above(floors, high - low)
    return search.front(plans)


def undominated(values: Floats, ranges: Floats) -> Ints:
    """Which of values [P, K], more being better, no other one beats; of those next to the same only the first.

    Args:
        values: [P, K].
        ranges: [K] how far each objective reaches.
    """
    kept: list[int] = []
    near = SAME * ranges
    for i, value in enumerate(values):
        beaten = (values >= value - near).all(1) & (values > value + near).any(1)
        if not beaten.any() and not any((np.abs(values[j] - value) <= near).all() for j in kept):
            kept.append(i)
    return np.array(kept, dtype=np.int64)


@dataclass(frozen=True)
class _Search:
    """Asks the optimizer for one point of a front after the other; values are signed so that more is better."""

    simulator: Simulator
    crowd: Crowd
    unit: Ints
    share: float
    goals: Sequence[Goal]

    def front(self, plans: Sequence[Floats]) -> Front:
        """What is left of plans, each as `Plan.given`, of which some waste something."""
        values = np.array([self.values(plan) for plan in plans])
        kept = undominated(values, np.ptp(values, axis=0))
        kept = kept[np.argsort(-values[kept, 0], kind="stable")]
        for i in kept:
            confirmed(self.simulator, self.crowd, self.unit, plans[i], self.share)
        signs = np.array([goal.sign for goal in self.goals])
        return Front(tuple(self.goals), values[kept] * signs, np.array([plans[i] for i in kept]))

    def shared(self, points: int) -> list[Floats]:
        """Settings [N, L], the same for every row; none where none keeps all bounds."""
        landscape = Landscape.of(self.simulator, self.crowd, self.share)
        found = shared_front(landscape, Offers.of(self.simulator, self.crowd, self.unit).common(), points)
        return [np.broadcast_to(each, (len(self.crowd), len(each))) for each in found]

    def best(self, place: int) -> Floats:
        """What rows get, as `Plan.given`, that is best in one objective."""
        goal = self.goals[place]
        return self._asked([(float(goal.sign), goal.formula)], ())

    def above(self, floors: Sequence[float], ranges: Floats) -> list[Floats]:
        """What is best in the first objective while the others keep a floor; none where they cannot."""
        scale = np.where(ranges > 0, ranges, 1.0)
        parts = [
            (goal.sign / s * (1.0 if k == 0 else TIES))
            for k, (goal, s) in enumerate(zip(self.goals, scale, strict=True))
        ]
        aim = [(float(part), goal.formula) for part, goal in zip(parts, self.goals, strict=True)]
        others = zip(self.goals[1:], floors, strict=True)
        try:
            return [self._asked(aim, [_floor(goal, floor) for goal, floor in others])]
        except InfeasibleError:
            return []

    def values(self, settings: Floats) -> Floats:
        """[K] the objectives' means over rows."""
        outlook = expected(self.simulator, self.crowd, settings)
        each = [outlook.objective, *(outlook.beside[goal.name] for goal in self.goals[1:])]
        return np.array(
            [g.sign * float(outlook.mean(v).double().mean()) for g, v in zip(self.goals, each, strict=True)]
        )

    def _asked(self, aim: list[tuple[float, Formula]], extra: Sequence[Constraint]) -> Floats:
        scenario = self.simulator.scenario
        constraints = (*scenario.constraints, *extra)
        asked = asking(self.simulator, Objective(maximise=weighted(aim), risk=scenario.objective.risk), constraints)
        return decided(asked, self.crowd, self.unit, self.share).given


def _floor(goal: Goal, floor: float) -> Constraint:
    name = f"objective_{goal.name}"
    if goal.sign > 0:
        return Constraint(name=name, mean=goal.formula, at_least=floor)
    return Constraint(name=name, mean=goal.formula, at_most=-floor)
