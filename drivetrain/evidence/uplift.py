"""Uplift: whom to act on first, and what that brings, as the recommended policy is given to more and more rows.

Rows are put in the order of what models that have not seen them expect each to gain; what those in front gained is told
by doubly robust scores. That is the Qini curve (Radcliffe 2007, "Using Control Groups to Target on Predicted Lift") of
any policy against another, by scores that bear observed settings (Yadlowsky et al. 2025, "Evaluating Treatment
Prioritization Rules via Rank-Weighted Average Treatment Effects", JASA 120:38). Where a budget binds, rows come by
gain for what they use of it, and the curve is one of value against budget (Sverdrup et al. 2025, "Qini Curves for
Multi-Armed Treatment Rules", JCGS).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence.estimators import Parts, dr
from drivetrain.evidence.refit import widened
from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.value import Judge
from drivetrain.optimizer import used
from drivetrain.scenario import Constraint

Floats = NDArray[np.float64]

STEPS = 20
"""The curve has a point for every twentieth of the rows."""


@dataclass(frozen=True)
class Reached:
    """The recommended policy for the rows in front, the policy of comparison for the others."""

    share: float
    """Of rows that get what is recommended."""
    gain: Estimate
    """Over giving nobody that, for one row of all, in the objective's direction."""
    spent: float | None
    """How much more of the budget is used than where nobody gets it, for one row of all; None where there is none."""


@dataclass(frozen=True)
class Uplift:
    """The curve, from no row to all."""

    against: str
    """The policy of comparison, a key of `NAMES`."""
    points: tuple[Reached, ...]
    area: Estimate
    """The mean gain over all shares (AUUC), for one row."""
    qini: Estimate
    """By how much that is more than were rows taken at random (Qini coefficient)."""
    budget: str | None
    """The constraint of which `spent` tells."""

    @property
    def whole(self) -> Estimate:
        """The gain where all rows get what is recommended."""
        return self.points[-1].gain

    @property
    def half(self) -> Estimate:
        """The gain where the better half of the rows does."""
        return min(self.points, key=lambda each: abs(each.share - 0.5)).gain


@dataclass(frozen=True)
class Given:
    """A policy, as judged."""

    settings: Floats | None
    """[N, L] what each row gets; None of what the data shows."""
    parts: Parts


def uplift(court: Judge, chosen: Given, other: Given, against: str, unsure: float) -> Uplift | None:
    """The curve of the recommended policy against another.

    Args:
        court: judged both.
        chosen: the recommended policy.
        other: the policy of comparison.
        against: its name.
        unsure: the standard error of the gain that scores do not show.

    Returns:
        None where models expect the same gain of every row, so that none comes first.
    """
    sign = court.simulator.scenario.objective.sign
    expected = sign * (chosen.parts.direct - other.parts.direct)
    gain = sign * (dr(chosen.parts) - dr(other.parts))
    if not np.isfinite(gain).all() or np.ptp(expected) <= 1e-9 * max(1.0, float(np.abs(expected).max())):
        return None
    budget = next((each for each in court.simulator.scenario.constraints if _is_budget(each)), None)
    spent = None if budget is None else _spent(court, budget, chosen.settings, other.settings)
    place = _place(expected if spent is None else _for_its_use(expected, spent))
    return Uplift(
        against,
        tuple(_reached(court, gain, spent, place, k / STEPS, unsure) for k in range(STEPS + 1)),
        widened(court.estimate((1 - place) * gain), unsure / 2),
        court.estimate((0.5 - place) * gain),
        None if budget is None else budget.name,
    )


def _reached(court: Judge, gain: Floats, spent: Floats | None, place: Floats, share: float, unsure: float) -> Reached:
    front = place <= share
    told = widened(court.estimate(gain * front), unsure * share)
    return Reached(share, told, None if spent is None else court.sample.mean(spent * front))


def _place(worth: Floats) -> Floats:
    """[N] the share of rows in front of each, by what it is worth; of rows alike in the order in which they lie."""
    out = np.empty(len(worth))
    out[np.argsort(-worth, kind="stable")] = (np.arange(len(worth)) + 0.5) / len(worth)
    return out


def _for_its_use(expected: Floats, spent: Floats) -> Floats:
    """Gain for what a row uses; first of all those that gain and use no more, last those that lose."""
    ratio = np.divide(expected, spent, out=np.full(len(spent), np.inf), where=spent > 0)
    return np.where(expected <= 0, expected, np.where(spent > 0, ratio, np.inf))


def _is_budget(constraint: Constraint) -> bool:
    return constraint.over in {"total", "mean"} and not constraint.by and constraint.at_most is not None


def _spent(court: Judge, budget: Constraint, chosen: Floats | None, other: Floats | None) -> Floats:
    """[N] how much more of a budget blind models expect one policy to use in each row than another."""
    told = []
    for settings in (chosen, other):
        asked, out = court.table.settings if settings is None else settings, np.empty(len(court.table))
        for rows, blind, crowd in court.folds:
            out[rows] = used(blind, crowd, asked[rows])[budget.name]
        told.append(out)
    return np.asarray(told[0] - told[1])
