"""How strong an influence that nobody recorded would have to be to overturn the decision.

A confounder that explains the share r of what models leave unexplained of the objective, and of how settings came
about, can shift a doubly robust gain by at most S·r/√(1 − r), where S² = E[(Y − g)²]·E[α²]: the mean square of what
models g leave unexplained, times that of the weights α, one policy's less the other's (Chernozhukov, Cinelli, Newey,
Sharma & Syrgkanis 2022, "Long Story Short", Theorem 2). The r that makes this the gain is
its robustness value (Cinelli & Hazlett 2020, JRSS-B 82:39). What an influence as strong as a recorded one explains
is what that one does, over what it leaves, R²/(1 − R²), as the first paper's benchmarks have it (those of α here by
least squares on columns of levers).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence import blocks
from drivetrain.evidence.estimators import Parts
from drivetrain.evidence.sample import Estimate, Sample
from drivetrain.evidence.value import Judge

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sensitivity:
    """How the gain over the policy of comparison would bear an unseen influence."""

    robustness: float
    """The share, of both the objective and the settings, that it must explain to bring the gain to nothing."""
    robustness_interval: float
    """The share that brings the lower end of the gain's interval to nothing; 0 where it lies there already."""
    strongest: str
    """The recorded input that, left out, would have done most harm; empty where there is none."""
    outcome_share: float
    """The share of what is left unexplained of the objective that an unseen influence as strong as it would explain."""
    lever_share: float
    """The same of the levers; 1 where it explains half or more of them, as none beside it can."""
    bias: float | None
    """By how much an unseen influence as strong as it could shift the gain, at most; None where nothing bounds it."""

    @property
    def times(self) -> float | None:
        """How many times as strong as the strongest input an unseen one must be to bring the gain to nothing."""
        if not self.outcome_share * self.lever_share:
            return None
        return _times(self.robustness, self.outcome_share, self.lever_share)


def sensitivity(court: Judge, chosen: Parts, other: Parts, gain: Estimate) -> Sensitivity:
    """How much it takes to overturn that one policy is better than another.

    Args:
        court: judges the training rows.
        chosen: of the recommended policy.
        other: of the policy of comparison.
        gain: of the one over the other.
    """
    scale = spread(court.observed() - court.expected(court.table.settings), chosen.weight - other.weight, court.sample)
    name, outcome, lever = strongest(court)
    return Sensitivity(
        robustness_value(gain.value, scale),
        robustness_value(gain.low, scale),
        name,
        outcome,
        lever,
        scale * _reach(outcome, lever) if lever < 1 else None,
    )


def spread(surprise: Floats, weight: Floats, sample: Sample) -> float:
    """S of the theorem, from what is left unexplained [N] and the difference of weights [N]."""
    return float(np.sqrt(sample.mean(surprise**2) * sample.mean(weight**2)))


def robustness_value(gain: float, scale: float) -> float:
    """The r at which scale·r/√(1 − r) is the gain; 0 of a gain that is none, 1 where nothing could overturn it."""
    if gain <= 0:
        return 0.0
    if scale <= 0:
        return 1.0
    f = (gain / scale) ** 2
    return float((np.sqrt(f * f + 4 * f) - f) / 2)


def strongest(court: Judge) -> tuple[str, float, float]:
    """The input that does most, and which shares of what is left of objective and levers one like it would explain.

    In-sample least squares with the usual correction for the number of columns.
    """
    scenario, table = court.simulator.scenario, court.table
    parts = blocks.inputs(scenario, table)
    levers = np.column_stack([blocks.lever(court.support, table.settings, i) for i in range(len(scenario.levers))])
    worth = court.observed()[:, None]
    found = [("", 0.0, 0.0)]
    for name in parts:
        rest = [np.ones((len(table), 1)), *(block for other, block in parts.items() if other != name)]
        lever = _partial(parts[name], np.column_stack(rest), levers)
        outcome = _partial(parts[name], np.column_stack([*rest, levers]), worth)
        found.append((name, _left_to(outcome), _left_to(lever)))
    return max(found, key=lambda each: each[1] * each[2])


def _partial(x: Floats, given: Floats, y: Floats) -> float:
    """The share of columns y that columns x explain beyond columns given, adjusted; the largest over y."""
    left = _left(given, y)
    after = _left(np.column_stack([given, x]), y)
    many, used = len(y), given.shape[1]
    before = (left**2).sum(0) / max(1, many - used)
    then = (after**2).sum(0) / max(1, many - used - x.shape[1])
    return float(np.clip(1 - then / np.maximum(before, 1e-300), 0, 1).max(initial=0.0))


def _left(x: Floats, y: Floats) -> Floats:
    return np.asarray(y - x @ np.linalg.lstsq(x, y, rcond=None)[0])


def _left_to(share: float) -> float:
    """What one as strong as an input that explains this share would explain of what that one leaves."""
    return min(1.0, share / max(1 - share, 1e-300))


def _reach(outcome: float, lever: float) -> float:
    """How many S an influence that explains these shares can shift a gain, at most."""
    if not outcome * lever:
        return 0.0
    return float(np.sqrt(outcome * lever / (1 - lever))) if lever < 1 else float("inf")


def _times(robustness: float, outcome: float, lever: float) -> float:
    """The k whose shares, both grown k-fold but never past 1, reach as far as robustness does."""
    goal = robustness / np.sqrt(max(1 - robustness, 1e-9))
    low, high = 0.0, min(1 / lever, 1e6)
    for _ in range(60):
        k = (low + high) / 2
        low, high = (k, high) if _reach(min(1.0, k * outcome), k * lever) < goal else (low, k)
    return low
