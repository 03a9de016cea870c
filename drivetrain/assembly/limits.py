"""A limit drawn tighter or looser: what the best settings are worth then, as models see it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly.limit_tables import Side, Sums, searched
from drivetrain.assembly.limitable import TRIED, limitable
from drivetrain.assembly.mixtures import mixed
from drivetrain.assembly.result import Run
from drivetrain.errors import Fault, InfeasibleError, UsageError, integer, nearest
from drivetrain.evidence import Estimate
from drivetrain.optimizer import candidates, decisions, slots_of
from drivetrain.optimizer.bounds import limits
from drivetrain.optimizer.conflict import outward
from drivetrain.optimizer.parts import Sum, Use
from drivetrain.optimizer.slots import Slots, least, worth
from drivetrain.optimizer.totals import Total
from drivetrain.scenario import Constraint
from drivetrain.simulator import jackknife

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Table = NDArray[np.float32]

MOST_ROWS = 1_000
MOST_CELLS = 2_000_000
"""Decisions times settings; where settings are many, fewer rows are asked about."""
HAIR = 1e-4
"""Of what settings differ by, where they are told to be as good."""


@dataclass(frozen=True)
class Limited:
    """The best settings under one bound."""

    bound: float | None
    """As the constraint counts it; None without one."""
    value: Estimate
    """The objective for one row, with the models' spread."""
    used: float
    """What of the bounded quantity they use, as the constraint counts it."""
    price: float
    """The shadow price: what one more unit of room would add to the objective, total for total or mean for mean; 0
    where the bound does not bind."""
    settings: tuple[tuple[Floats, float], ...]
    """Settings for the rows that were asked about, [N, L] or, where rows get several options, [N, K]; and the share in
    which they are mixed."""


@dataclass(frozen=True)
class Tradeoff:
    """The objective against a bound."""

    constraint: Constraint
    upper: bool
    """Whether the bound is `at_most`."""
    points: tuple[Limited, ...]
    """In the order of their bounds; bounds that no settings can meet are left out."""
    free: Limited
    """Without the bound."""
    rows: int


@dataclass(frozen=True)
class Limits:
    """A constraint whose bound moves, over some of a run's rows; every candidate setting was scored once.

    The scenario's other bounds over rows together are kept, also those by groups and on ratios; so are frozen levers,
    conditions, and what must hold for each row. All of it is what models expect, and nothing of it is judged by
    evidence. Settings are those of the candidates' grid. Of few decisions each gets one of them; of many, totals are
    kept on average by a mixture of choices (the linear relaxation, Dantzig & Wolfe 1960), which differs from whole
    settings for whole decisions by less than two decisions' worth a total. Where rows get several options, each is
    taken to bring what it adds to empty slots.
    """

    run: Run
    constraint: Constraint
    unit: NDArray[np.int64]
    """[N] the decision that each row belongs to."""
    tried: Floats
    """[G, L] candidate settings; where slots may stay empty, doing nothing as often as there are slots."""
    slots: Slots
    """How many of them a decision gets: one, or K options."""
    members: Tensor
    """float32 [M, U, G] the objective summed over each decision's rows, for every member; of options what they add."""
    folds: Tensor
    idle: Tensor
    """float64 [M] the objective of one row whose slots are all empty; 0 where there are none."""
    idle_use: float
    """What such a row uses of what is limited."""
    values: Table
    """[U, G] its mean in the direction that is better when higher; −∞ where it is not allowed."""
    usage: Table
    """[U, G] what is limited, summed over each decision's rows."""
    others: tuple[Use, ...]
    """What decisions use of the scenario's other bounds over rows together: totals, means, ratios, also by groups."""
    rows: int

    @classmethod
    def of(cls, run: Run, name: str) -> Limits:
        """Score every candidate setting for some of a run's rows.

        Args:
            run: any run.
            name: what is limited, a key of `limitable`.

        Raises:
            UsageError: nothing of that name can be limited.
            RefusedError: the data supports no setting.
        """
        known = limitable(run.scenario)
        if name not in known:
            raise UsageError(Fault(name, "found nothing of that name to limit", "", nearest(name, known)))
        return scored(run, known[name])

    def at(self, bound: float | None, *, upper: bool = True) -> Limited:
        """The best settings under one bound; without it where it is None.

        Args:
            bound: as the constraint counts it: a total for all rows of the run, or a mean.
            upper: whether it must not be passed from below.

        Raises:
            InfeasibleError: no settings meet it.
            UsageError: the bound is no number.
        """
        if bound is not None and not (isinstance(bound, int | float | np.number) and np.isfinite(bound)):
            raise UsageError(Fault("bound", f"found {bound!r}", "It is a number, or None for no bound", "Write one"))
        self._require_allowed()
        every, share = np.arange(len(self.values)), self.rows / len(self.run.table)
        totals = [use.total(every, share) for use in self.others]
        if bound is not None:
            totals.append(self._total(bound, upper=upper))
        found = mixed(self.values, totals, self.slots, self._passed)
        mine = sum(share * worth(self.usage, picked) for picked, share in found.choices) / self.rows
        means = self.idle + torch.stack([share * self._earned(picked) for picked, share in found.choices]).sum(0)
        return Limited(
            bound,
            Estimate(float(means.mean()), float(jackknife(means, self.folds))),
            self._counted(self.idle_use + mine),
            0.0 if bound is None else float(found.prices[-1]),
            tuple((self._settings(picked), share) for picked, share in found.choices),
        )

    def _settings(self, picked: Ints) -> Floats:
        """[N, L], or the options of each row [N, K]."""
        return (self.tried[picked, 0] if self.slots.many > 1 else self.tried[picked[:, 0]])[self.unit]

    def _passed(self, total: Total, more: float) -> InfeasibleError:
        """That a bound cannot be kept: passed by so much it is the nearest that can, as the constraint counts it."""
        idle = self._counted(self.idle_use) if total.name == self.constraint.name else 0.0
        comes_to = idle + total.told(total.limit + more)
        reached = outward(comes_to, "at_most" if total.direction > 0 else "at_least")
        what = self.constraint.text if total.name == TRIED else total.name
        found = f"no supported settings keep {what}: the nearest that they come to is {reached:g}"
        return InfeasibleError(Fault("limit", found, "", f"Ask for {reached:g} or looser"))

    def _earned(self, picked: Ints) -> Tensor:
        """float64 [M] the objective for one row under a choice, as each member expects it."""
        place = torch.from_numpy(picked)
        return self.members[:, torch.arange(len(picked))[:, None], place].double().sum((1, 2)) / self.rows

    def tradeoff(self, *, upper: bool = True, points: int = 11) -> Tradeoff:
        """Bounds evenly from what the best settings use without one to the least (or most) that is possible.

        Args:
            upper: whether bounds are upper ones.
            points: how many bounds.

        Raises:
            InfeasibleError: no settings meet the other constraints.
            UsageError: `points` is no number of bounds.
        """
        points = integer("points", points)
        self._require_allowed()
        free, end = self._leaning(upper).at(None), self._extreme(upper)
        found = []
        for share in np.linspace(0, 0.999, points):
            try:
                found.append(self.at(free.used + (end - free.used) * float(share), upper=upper))
            except InfeasibleError:
                continue
        ordered = tuple(sorted(found, key=lambda each: each.bound or 0.0))
        return Tradeoff(self.constraint, upper, ordered, free, self.rows)

    def told(self, found: Limited, most: int = 5) -> list[tuple[str, float]]:
        """The settings, or the options, that most rows get, in words, with their share of rows.

        Args:
            found: an answer of `at`.
            most: how many.
        """
        every = np.concatenate([settings for settings, _ in found.settings])
        weight = np.concatenate([np.full(len(settings), share) for settings, share in found.settings])
        if self.slots.many > 1:
            nothing = self.run.scenario.space.do_nothing
            weight, every = np.repeat(weight, every.shape[1]), every.reshape(-1, 1)
            filled = every[:, 0] != (np.nan if nothing is None else nothing[0])
            weight, every = weight[filled], every[filled]
        distinct, at = np.unique(every, axis=0, return_inverse=True)
        shares = np.bincount(at.ravel(), weight, len(distinct)) / self.rows
        order = np.argsort(-shares, kind="stable")[:most]
        return [(self.run.scenario.space.describe(distinct[i]), float(shares[i])) for i in order]

    @property
    def unkept(self) -> tuple[str, ...]:
        """What the scenario asks and is not kept here: gaps between groups of people, and what rows share."""
        fair = [f"the gap in {each.of} by {each.by}" for each in self.run.scenario.bounded_fairness]
        return (*fair, *(f"one {lever} for all" for lever in self.run.scenario.decide.shared))

    def _require_allowed(self) -> None:
        """Raises: InfeasibleError: some row has no setting that is allowed."""
        if (np.isfinite(self.values).sum(1) < self.slots.many).any():
            raise InfeasibleError(Fault("constraints", "some row has no setting that is allowed", "", "Loosen a bound"))

    def _leaning(self, upper: bool) -> Limits:
        """The same where of settings that are as good the one that keeps a tighter bound is a hair better."""
        known = np.isfinite(self.values)
        reach = float(np.ptp(self.values[known])) / (float(np.ptp(self.usage[known])) or 1.0)
        return replace(self, values=self.values - np.float32(HAIR * reach * (1 if upper else -1)) * self.usage)

    def _extreme(self, upper: bool) -> float:
        """The least (the most, where the bound is a lower one) that allowed settings use, other totals apart."""
        sign = 1 if upper else -1
        used = least(self.values, Total("", sign * self.usage, 0.0, sign, 1.0), self.slots)
        return self._counted(self.idle_use + sign * used / self.rows)

    def _counted(self, mean: float) -> float:
        return mean * len(self.run.table) if self.constraint.over == "total" else mean

    def _total(self, bound: float, *, upper: bool) -> Total:
        scale = self.rows if self.constraint.over == "mean" else self.rows / len(self.run.table)
        sign = 1 if upper else -1
        room = sign * (bound * scale - self.idle_use * self.rows)
        return Total(self.constraint.name, sign * self.usage, room, sign, scale)


def _known(run: Run) -> list[Floats]:
    """The one setting [1, L] that a long search has found for everyone, where it did."""
    made = run.recommendations
    alone = made is not None and run.scenario.decide.unit == "once" and run.scenario.slots == 1
    return [made.plan.settings[:1]] if made is not None and alone else []


def scored(run: Run, constraint: Constraint, sides: tuple[Side, ...] = ("minimise", "maximise")) -> Limits:
    """Score every candidate setting for some of a run's rows: what `Limits.of` does of a constraint of one's own.

    Args:
        run: any run.
        constraint: what is limited, its bound not yet known.
        sides: to which of them the limit may be drawn.
    """
    others = [each for each in run.scenario.constraints if each.name != constraint.name]
    scenario = run.scenario.model_copy(update={"constraints": (*others, constraint)})
    simulator = replace(run.simulator, scenario=scenario)
    tried = candidates(scenario.space, simulator.support)
    rows = run.table.evenly(max(50, min(MOST_ROWS, MOST_CELLS // len(tried))))
    unit = decisions(scenario, rows.frame)
    crowd = simulator.crowd(rows.frame)
    kept = scenario.model_copy(update={"constraints": tuple(others)})
    tried = np.unique(np.vstack([tried, *_known(run)]), axis=0)
    tried = searched(replace(simulator, scenario=kept), crowd, unit, constraint, tried, sides)
    beside = [Sum.over(limit, unit, len(tried)) for limit in limits(kept, crowd.labels, len(rows))]
    sums = Sums.empty(simulator, int(unit.max()) + 1, len(tried))
    for part, outlook in simulator.chunks(crowd, tried):
        sums.add(scenario, constraint, torch.from_numpy(unit[part]), outlook)
        asked = {name: outlook.mean(value) for name, value in outlook.bounded.items()} if beside else {}
        for each in beside:
            each.add(part, asked)
    added = sums.beside_nothing(scenario, tried, [each.use for each in beside])
    values = scenario.objective.sign * added.sums.members.mean(0)
    values[added.sums.refused > 0] = -torch.inf
    return Limits(
        run,
        constraint,
        unit,
        added.tried,
        slots_of(scenario, added.tried[:, 0]) if scenario.slots > 1 else Slots(1),
        added.sums.members,
        simulator.folds,
        added.idle.double() / len(rows),
        added.idle_use / len(rows),
        values.numpy(),
        added.sums.usage.numpy(),
        added.uses,
        len(rows),
    )
