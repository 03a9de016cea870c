"""A limit drawn tighter or looser: what the best settings are worth then, as models see it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly.result import Run
from drivetrain.errors import Fault, InfeasibleError, UsageError, nearest
from drivetrain.evidence import Estimate
from drivetrain.optimizer import candidates, decisions
from drivetrain.optimizer.bounds import broken, limits
from drivetrain.optimizer.parts import Sum, Use
from drivetrain.optimizer.totals import Total, dual, over, worth
from drivetrain.scenario import Constraint, Scenario
from drivetrain.simulator import Outlook, Simulator, jackknife

Floats = NDArray[np.float64]
Table = NDArray[np.float32]

MOST_ROWS = 1_000
MOST_CELLS = 2_000_000
"""Decisions times settings; where settings are many, fewer rows are asked about."""
TRIED = "limit_tried"
"""The name of a constraint that no scenario declares."""


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
    """Settings [N, L] for the rows that were asked about, and the share in which they are mixed."""


@dataclass(frozen=True)
class _Mixture:
    choices: tuple[tuple[NDArray[np.int64], float], ...]
    """A candidate for each decision [U], and its share."""
    prices: Floats
    """One for each total."""


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


def limitable(scenario: Scenario) -> dict[str, Constraint]:
    """What a limit can be drawn on: declared totals and means; else the mean of cost, of levers and of outcomes.

    Args:
        scenario: what is declared.
    """
    known = {each.name: each for each in scenario.constraints if _plain(each)}
    formulas = [("cost", "")] if scenario.cost is not None else []
    formulas += [(name, each.unit) for name, each in scenario.levers.items() if each.kind != "categorical"]
    formulas += [(name, each.unit) for name, each in scenario.outcomes.items() if each.kind != "categorical"]
    for text, unit in formulas:
        if text not in known:
            keys = {"name": TRIED, "mean": text, "at_most": 0.0, "unit": unit}
            known[text] = Constraint.model_validate(keys)
    return known


@dataclass(frozen=True)
class Limits:
    """A constraint whose bound moves, over some of a run's rows; every candidate setting was scored once.

    The scenario's other bounds over rows together are kept, also those by groups and on ratios; so are frozen levers,
    conditions, and what must hold for each row. All of it is what models expect, and nothing of it is judged by
    evidence. Settings are those of the candidates' grid, and totals are kept on average by a mixture of choices (the
    linear relaxation, Dantzig & Wolfe 1960), which differs from whole settings for whole decisions by less than two
    decisions' worth a total.
    """

    run: Run
    constraint: Constraint
    unit: NDArray[np.int64]
    """[N] the decision that each row belongs to."""
    tried: Floats
    """[G, L] candidate settings."""
    members: Tensor
    """float32 [M, U, G] the objective summed over each decision's rows, for every member."""
    folds: Tensor
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
        """
        every, share = np.arange(len(self.values)), self.rows / len(self.run.table)
        totals = [use.total(every, share) for use in self.others]
        if bound is not None:
            totals.append(self._total(bound, upper=upper))
        if not np.isfinite(self.values).any(1).all():
            raise InfeasibleError(Fault("constraints", "some row has no setting that is allowed", "", "Loosen a bound"))
        mixed = self._mixed(totals)
        mine = sum(share * worth(self.usage, picked) for picked, share in mixed.choices) / self.rows
        means = torch.stack([share * self._earned(picked) for picked, share in mixed.choices]).sum(0)
        return Limited(
            bound,
            Estimate(float(means.mean()), float(jackknife(means, self.folds))),
            self._counted(mine),
            0.0 if bound is None else float(mixed.prices[-1]),
            tuple((self.tried[picked][self.unit], share) for picked, share in mixed.choices),
        )

    def _mixed(self, totals: list[Total]) -> _Mixture:
        """The best mixture of choices that keeps all totals on average."""
        if not totals:
            return _Mixture(((self.values.argmax(1), 1.0),), np.zeros(0))
        found = dual(self.values, totals)
        weighted = [(picked, float(share)) for picked, share in zip(found.met, found.shares, strict=True)]
        extra = sum(share * over(picked, totals) for picked, share in weighted)
        for total, more in zip(totals, np.atleast_1d(extra), strict=True):
            if more > 1e-3 * max(total.width, abs(total.limit)):
                told = f"no supported settings keep {total.name}: it comes to {total.told(total.limit + more):.4g}"
                raise InfeasibleError(Fault("limit", told, "", f"Ask for {total.told(total.limit):.4g} or looser"))
        choices = tuple((picked.astype(np.int64), share) for picked, share in weighted if share > 1e-6)
        return _Mixture(choices, found.prices)

    def _earned(self, picked: NDArray[np.int64]) -> Tensor:
        """float64 [M] the objective for one row under a choice, as each member expects it."""
        return self.members[:, torch.arange(len(picked)), torch.from_numpy(picked)].double().sum(1) / self.rows

    def tradeoff(self, *, upper: bool = True, points: int = 11) -> Tradeoff:
        """Bounds evenly from what the best settings use without one to the least (or most) that is possible.

        Raises:
            InfeasibleError: no settings meet the other constraints.
        """
        free, end = self.at(None), self._extreme(upper)
        found = []
        for share in np.linspace(0, 0.999, points):
            try:
                found.append(self.at(free.used + (end - free.used) * float(share), upper=upper))
            except InfeasibleError:
                continue
        ordered = tuple(sorted(found, key=lambda each: each.bound or 0.0))
        return Tradeoff(self.constraint, upper, ordered, free, self.rows)

    def told(self, found: Limited, most: int = 5) -> list[tuple[str, float]]:
        """The settings that most rows get, in words, with their share of rows."""
        every = np.concatenate([settings for settings, _ in found.settings])
        weight = np.concatenate([np.full(len(settings), share) for settings, share in found.settings])
        distinct, at = np.unique(every, axis=0, return_inverse=True)
        shares = np.bincount(at.ravel(), weight) / self.rows
        order = np.argsort(-shares, kind="stable")[:most]
        return [(self.run.scenario.space.describe(distinct[i]), float(shares[i])) for i in order]

    @property
    def unkept(self) -> tuple[str, ...]:
        """What the scenario asks and is not kept here: gaps between groups of people, and what rows share."""
        fair = [f"the gap in {each.of} by {each.by}" for each in self.run.scenario.bounded_fairness]
        return (*fair, *(f"one {lever} for all" for lever in self.run.scenario.decide.shared))

    def _extreme(self, upper: bool) -> float:
        """The least (the most, where the bound is a lower one) that allowed settings use, other totals apart."""
        used = np.where(np.isfinite(self.values), self.usage, np.nan)
        ends = np.nanmin(used, 1) if upper else np.nanmax(used, 1)
        return self._counted(float(ends.sum(dtype=np.float64) / self.rows))

    def _counted(self, mean: float) -> float:
        return mean * len(self.run.table) if self.constraint.over == "total" else mean

    def _total(self, bound: float, *, upper: bool) -> Total:
        scale = self.rows if self.constraint.over == "mean" else self.rows / len(self.run.table)
        sign = 1 if upper else -1
        return Total(self.constraint.name, sign * self.usage, sign * bound * scale, sign, scale)


def _plain(constraint: Constraint) -> bool:
    """Whether it bounds a total or a mean of all rows."""
    return constraint.over in {"total", "mean"} and not constraint.by


def scored(run: Run, constraint: Constraint) -> Limits:
    """Score every candidate setting for some of a run's rows: what `Limits.of` does of a constraint of one's own."""
    others = [each for each in run.scenario.constraints if each.name != constraint.name]
    scenario = run.scenario.model_copy(update={"constraints": (*others, constraint)})
    simulator = replace(run.simulator, scenario=scenario)
    tried = candidates(scenario.space, simulator.support)
    rows = run.table.evenly(max(50, min(MOST_ROWS, MOST_CELLS // len(tried))))
    unit = decisions(scenario, rows.frame)
    crowd = simulator.crowd(rows.frame)
    kept = scenario.model_copy(update={"constraints": tuple(others)})
    beside = [Sum.over(limit, unit, len(tried)) for limit in limits(kept, crowd.labels, len(rows))]
    sums = _Sums.empty(simulator, int(unit.max()) + 1, len(tried))
    for part, outlook in simulator.chunks(crowd, tried):
        sums.add(scenario, constraint, torch.from_numpy(unit[part]), outlook)
        asked = {name: outlook.mean(value) for name, value in outlook.bounded.items()} if beside else {}
        for each in beside:
            each.add(part, asked)
    values = scenario.objective.sign * sums.members.mean(0)
    values[sums.refused > 0] = -torch.inf
    return Limits(
        run,
        constraint,
        unit,
        tried,
        sums.members,
        simulator.folds,
        values.numpy(),
        sums.usage.numpy(),
        tuple(each.use for each in beside),
        len(rows),
    )


@dataclass(frozen=True)
class _Sums:
    """What each decision would get, summed over its rows."""

    members: Tensor
    refused: Tensor
    usage: Tensor

    @classmethod
    def empty(cls, simulator: Simulator, units: int, settings: int) -> _Sums:
        members = torch.zeros(len(simulator.folds), units, settings)
        return cls(members, torch.zeros(units, settings), torch.zeros(units, settings))

    def add(self, scenario: Scenario, limited: Constraint, where: Tensor, outlook: Outlook) -> None:
        """Some rows: the decision of each, and what the members expect."""
        strange = ~torch.isfinite(outlook.objective.mean(0))
        for constraint in scenario.constraints:
            if constraint.over == "each":
                strange = strange | broken(constraint, outlook.mean(outlook.bounded[constraint.name]))
        used = outlook.mean(outlook.bounded[limited.name])
        self.members.index_add_(1, where, outlook.objective.nan_to_num(0.0, 0.0, 0.0))
        self.usage.index_add_(0, where, used.nan_to_num(0.0, 0.0, 0.0))
        self.refused.index_add_(0, where, strange.float())
