"""How strong an influence that nobody recorded would have to be to overturn the decision.

A confounder that explains the share r of what models leave unexplained of the objective, and of how settings came
about, can shift a doubly robust value by at most S·r/√(1 − r), where S² is the mean square of the weighted surprises
(Chernozhukov, Cinelli, Newey, Sharma & Syrgkanis 2022, "Long Story Short", Theorem 2). The r that makes this the gain
is its robustness value (Cinelli & Hazlett 2020, JRSS-B 82:39).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence import blocks
from drivetrain.evidence.estimators import Parts
from drivetrain.evidence.sample import Estimate
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
    """The share of the objective that it alone explains, given levers and other inputs."""
    lever_share: float
    """The share of the levers that it alone explains, given other inputs."""
    bias: float
    """By how much an unseen influence as strong as it could shift the gain, at most."""

    @property
    def times(self) -> float | None:
        """How many times as strong as the strongest input an unseen one must be to bring the gain to nothing."""
        if not self.bias:
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
    surprise = chosen.weight * (chosen.reward - chosen.expected) - other.weight * (other.reward - other.expected)
    scale = float(np.sqrt(court.sample.mean(surprise**2)))
    name, outcome, lever = strongest(court)
    reach = scale * np.sqrt(outcome * lever / max(1 - lever, 1e-9))
    return Sensitivity(
        robustness_value(gain.value, scale),
        robustness_value(gain.low, scale),
        name,
        outcome,
        lever,
        float(reach),
    )


def robustness_value(gain: float, scale: float) -> float:
    """The r at which scale·r/√(1 − r) is the gain; 0 of a gain that is none, 1 where nothing could overturn it."""
    if gain <= 0:
        return 0.0
    if scale <= 0:
        return 1.0
    f = (gain / scale) ** 2
    return float((np.sqrt(f * f + 4 * f) - f) / 2)


def strongest(court: Judge) -> tuple[str, float, float]:
    """The input whose partial shares of objective and levers have the highest product, and these shares.

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
        found.append((name, outcome, lever))
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


def _times(robustness: float, outcome: float, lever: float) -> float:
    """The k with k·√(outcome·lever/(1 − k·lever)) = r/√(1 − r), both shares grown k-fold, as far as lever allows."""
    goal = robustness / np.sqrt(max(1 - robustness, 1e-9))
    low, high = 0.0, min(1 / max(lever, 1e-9), 1e6)
    for _ in range(60):
        k = (low + high) / 2
        reach = k * np.sqrt(outcome * lever / max(1 - k * lever, 1e-12))
        low, high = (k, high) if reach < goal else (low, k)
    return float(low)
