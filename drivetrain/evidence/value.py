"""The value of a policy, doubly robust and cross-fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.evidence import kernel
from drivetrain.evidence.estimators import Parts
from drivetrain.evidence.propensity import Declared, Propensity
from drivetrain.evidence.sample import Estimate, Sample
from drivetrain.simulator import Crowd, Outlook, Simulator, Support

Floats = NDArray[np.float64]

CELLS_AT_ONCE = 8_000_000
MOST_ASKED = 2_000
STEADIED = (0.5, 2.0)
"""Learned weights whose mean lies within are divided by it (Hájek); farther off hardly a row speaks, and none is."""


@dataclass(frozen=True)
class Scores:
    """A policy's doubly robust score of each training row, in its two parts."""

    direct: Floats
    """[N] what models that have not seen the row expect under the policy."""
    correction: Floats
    """[N] the weighted surprise of rows that got a setting near the policy's, 0 for the others."""
    weight: Floats
    """[N] kernel weight over propensity."""

    @classmethod
    def of(cls, parts: Parts) -> Scores:
        """The doubly robust scores, from their parts."""
        return cls(parts.direct, parts.weight * (parts.reward - parts.expected), parts.weight)

    @property
    def total(self) -> Floats:
        """[N]; its mean is the policy's value."""
        return self.direct + self.correction

    @property
    def effective(self) -> float:
        """Effective number of rows that speak for the policy: (Σw)² / Σw²."""
        squares = float((self.weight**2).sum())
        return float(self.weight.sum() ** 2 / squares) if squares else 0.0


@dataclass(frozen=True)
class Judge:
    """Scores settings on training rows, each row by the members that have not seen it.

    Γ_i(π) = q(x_i, π_i) + w(t_i, π_i, x_i) · (f(π_i, y_i) − E_q[f(π_i, Y) | x_i, t_i]), where f is the objective's
    formula and w the weight of `kernel`: for options 1{t_i = π_i} over the chance of that. Unbiased where either the
    models q or the propensities are right (Robins, Rotnitzky & Zhao 1994; kernel-smoothed for continuous settings,
    Kallus & Zhou 2018, "Policy Evaluation and Optimization with Continuous Treatments"; cross-fitted, Chernozhukov et
    al. 2018). Only outcomes are carried over from settings near π: what the formula itself says of the setting, such as
    its price, is known and never smoothed.
    """

    simulator: Simulator
    table: Table
    """Training rows, N."""
    propensity: Propensity
    outcome: str | None = None
    """The outcome that is judged; the objective where none is named."""
    widths: float = 1.0
    """How many times as wide as the support's the kernels are."""
    part: float = 1.0
    """The share of all rows that these are; totals are bounded in proportion."""

    @cached_property
    def sample(self) -> Sample:
        """The rows as a sample of those to decide for."""
        return Sample(len(self.table), self.table.cluster)

    def estimate(self, scores: Floats) -> Estimate:
        """The mean of scores [N], with its error: see `Sample.estimate`."""
        return self.sample.estimate(scores)

    @cached_property
    def folds(self) -> list[tuple[NDArray[np.int64], Simulator, Crowd]]:
        """For each fold: its rows, the simulator that has not seen them, and the rows as it reads them."""
        out = []
        for fold in np.unique(self.table.fold):
            rows = np.flatnonzero(self.table.fold == fold)
            blind = self.simulator.without(int(fold))
            out.append((rows, blind, blind.crowd(self.table.frame.iloc[rows])))
        return out

    @cached_property
    def support(self) -> Support:
        """The kernel: the simulator's; equality where only the chance of a row's own setting is declared."""
        factor = 0.0 if isinstance(self.propensity, Declared) else self.widths
        return kernel.scaled(self.simulator.support, factor)

    def observed(self, told: Floats | None = None) -> Floats:
        """[N] what the data shows the objective, or the outcome, to have been.

        Args:
            told: [N, L] settings that the objective's formula sees; those of the data where left out.
        """
        if self.outcome is None:
            return self.simulator.observed(self.table.frame, self.table.settings if told is None else told)
        return self.simulator.models.outcomes[self.outcome].link.observed(self.table.frame[self.outcome])

    def expected(self, settings: Floats) -> Floats:
        """[N] what blind members expect of each row under its setting in settings [N, L]."""
        out = np.empty(len(self.table))
        for rows, blind, crowd in self.folds:
            out[rows] = self._of(blind.paired(crowd, settings[rows]))[:, 0]
        return out

    def carried(self, told: Floats) -> Floats:
        """[N, G] what blind members expect of outcomes under the data's settings, worth what formulas say of others.

        Args:
            told: [N, G, L], or [1, G, L] for the same settings in every row.
        """
        out = np.empty((len(self.table), told.shape[1]))
        for rows, blind, crowd in self.folds:
            step = max(1, CELLS_AT_ONCE // max(1, told.shape[1] * len(blind.folds)))
            for start in range(0, len(rows), step):
                part = slice(start, start + step)
                at = told if len(told) == 1 else told[rows[part]]
                outlook = blind.carried(crowd.take(part), self.table.settings[rows[part]], at)
                out[rows[part]] = self._of(outlook)
        return out

    def weights(self, settings: Floats, floor: float | None = None) -> Floats:
        """[N] how much each row's outcome counts for its setting in settings [N, L]; see `kernel`.

        A declared chance is known, so it is taken as it is: a floor would bias what it weighs.

        Args:
            settings: [N, L].
            floor: the lowest chance that is believed; `kernel.FLOOR` of one that is not declared, where left out.
        """
        chance = self.propensity.moments(settings, self.support)
        lowest = 0.0 if isinstance(self.propensity, Declared) else kernel.FLOOR
        weight = kernel.weights(self.support, self.table.settings, settings, chance, lowest if floor is None else floor)
        mean = self.sample.mean(weight)
        return weight / mean if self.propensity.learned and STEADIED[0] < mean < STEADIED[1] else weight

    def parts(self, settings: Floats) -> Parts:
        """What every estimator needs to value the policy that gives each row its setting in settings [N, L]."""
        expected = self.carried(settings[:, None])[:, 0]
        return Parts(self.expected(settings), self.observed(settings), expected, self.weights(settings))

    def scores(self, settings: Floats) -> Scores:
        """The scores of the policy that gives each row its setting in settings [N, L]."""
        return Scores.of(self.parts(settings))

    def widened(self, factor: float) -> Judge:
        """The same judge with kernels so many times as wide as the support's."""
        other = replace(self, widths=factor)
        other.__dict__["folds"] = self.folds  # read once
        return other

    def each_single(self, settings: Floats) -> Scores:
        """The scores, all parts [N, P], of the P policies that give everyone one setting of settings [P, L]."""
        direct = np.empty((len(self.table), len(settings)))
        for rows, blind, crowd in self.folds:
            parts = [self._of(outlook) for _, outlook in blind.chunks(crowd, settings)]
            direct[rows] = np.concatenate(parts)
        everyone = [np.tile(setting, (len(self.table), 1)) for setting in settings]
        weight = np.column_stack([self.weights(each) for each in everyone])
        observed = np.column_stack([self.observed(each) for each in everyone])
        return Scores(direct, weight * (observed - self.carried(settings[None])), weight)

    def unseen(self, blind: Simulator, rows: NDArray[np.int64], settings: Floats) -> Floats:
        """What members that have not seen a fold expect of other rows, [n, P], for a choice that is to be blind to it.

        What other members expect of these rows will not do: they have seen the fold, and would lead the choice to what
        happened to turn out well in it.

        Args:
            blind: the members.
            rows: [n] positions, none of the fold; at most 2,000 of them are asked, and stand for the others.
            settings: [P, L].
        """
        asked = rows if len(rows) <= MOST_ASKED else rows[np.linspace(0, len(rows) - 1, MOST_ASKED).astype(np.int64)]
        return np.asarray(np.resize(self.asked(blind, asked, settings), (len(rows), len(settings))))

    def asked(self, blind: Simulator, rows: NDArray[np.int64], settings: Floats) -> Floats:
        """[n, P] what some members expect of rows at positions [n] under each of settings [P, L]."""
        crowd = blind.crowd(self.table.frame.iloc[rows])
        return np.concatenate([self._of(outlook) for _, outlook in blind.chunks(crowd, settings)])

    def shown(self) -> Parts:
        """The parts of the policy that the data shows: every row speaks for it, and its value is what was observed."""
        direct = self.expected(self.table.settings)
        return Parts(direct, self.observed(), direct, np.ones(len(self.table)))

    def logged(self) -> Scores:
        """The scores of the policy that the data shows: their total is what was observed."""
        return Scores.of(self.shown())

    def contrast(self, treated: NDArray[np.bool_], stratum_share: Floats) -> Scores:
        """The scores of "whatever the data did to the treated" against "whatever it did to the others".

        Args:
            treated: [N] which rows count as treated.
            stratum_share: [N] the share of treated among rows with such inputs.
        """
        out = []
        for side, share in ((treated, stratum_share), (~treated, 1 - stratum_share)):
            direct = self._average_over(self.table.settings[side])
            weight = side / np.clip(share, 0.01, 1)
            out.append(direct + weight * (self.observed() - direct))
        return Scores(out[0] - out[1], np.zeros(len(self.table)), np.ones(len(self.table)))

    def _average_over(self, settings: Floats, most: int = 32) -> Floats:
        """[N] the expectation over settings [n, L] of a group, from at most 32 of them, evenly taken."""
        ordered = settings[np.lexsort(settings.T[::-1])]
        picked = ordered[np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(int)]
        out = np.empty(len(self.table))
        for rows, blind, crowd in self.folds:
            parts = [self._of(outlook).mean(1) for _, outlook in blind.chunks(crowd, picked)]
            out[rows] = np.concatenate(parts)
        return out

    def _of(self, outlook: Outlook) -> Floats:
        values = outlook.objective if self.outcome is None else outlook.outcomes[self.outcome]
        mean: Floats = outlook.mean(values).double().numpy()
        return mean
