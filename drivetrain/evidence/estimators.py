"""Estimators of a policy's value, side by side: the doubly robust one is told, the others are witnesses to it.

Each gives a score for each row whose mean is the value and whose spread is its error (its influence), so that all are
compared, paired and resampled alike. Names as in the Open Bandit Pipeline (Saito et al. 2021), which agrees with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence.sample import Estimate, Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NAMES = {
    "direct": "models alone",
    "ips": "inverse propensity weighting",
    "snips": "the same, self-normalised",
    "dr": "doubly robust",
    "sndr": "doubly robust, self-normalised",
    "switch": "doubly robust, models alone where weights are large (SWITCH)",
    "mrdr": "doubly robust, models refitted to lower its error (MRDR)",
}
"""Every estimator, in words."""
APART = 2.81
"""Standard errors of the paired difference beyond which two estimators disagree: 5% shared by ten comparisons."""
THRESHOLDS = 12
FEWEST = 30
PULL = 0.05


@dataclass(frozen=True)
class Parts:
    """What estimators need of N rows to value one policy."""

    direct: Floats
    """[N] what models that have not seen the row expect under the policy."""
    reward: Floats
    """[N] what the row's outcomes would be worth under the policy's setting."""
    expected: Floats
    """[N] what the models expected of that."""
    weight: Floats
    """[N] how much the row's outcomes speak for the policy; of mean 1."""


@dataclass(frozen=True)
class Witness:
    """What another estimator says of the recommended policy."""

    name: str
    """A key of `NAMES`."""
    value: Estimate
    gain: Estimate | None
    """Over the policy of comparison, in the objective's direction; None where there is none."""
    difference: Estimate
    """Its value less the doubly robust one, paired row by row."""
    smoothed: bool = False
    """Whether it takes outcomes of settings near for those of the setting itself, with no model to tell them apart."""

    @property
    def disagrees(self) -> bool:
        """Whether it differs from the doubly robust one beyond chance; not asked of one that is smoothed."""
        return not self.smoothed and abs(self.difference.value) > APART * self.difference.error + 1e-12


def direct(parts: Parts) -> Floats:
    """[N] the direct method."""
    return parts.direct


def ips(parts: Parts) -> Floats:
    """[N] inverse propensity weighting (Horvitz & Thompson 1952)."""
    return parts.weight * parts.reward


def snips(parts: Parts, sample: Sample) -> Floats:
    """[N] self-normalised inverse propensity weighting (Swaminathan & Joachims 2015); its mean is Σwr/Σw."""
    return _normalised(parts.weight, parts.reward, sample)


def dr(parts: Parts) -> Floats:
    """[N] doubly robust (Dudík, Langford & Li 2011)."""
    return parts.direct + parts.weight * (parts.reward - parts.expected)


def sndr(parts: Parts, sample: Sample) -> Floats:
    """[N] doubly robust with self-normalised weights."""
    return parts.direct + _normalised(parts.weight, parts.reward - parts.expected, sample)


def switch(parts: Parts, threshold: float) -> Floats:
    """[N] SWITCH-DR (Wang, Agarwal & Dudík 2017): models alone where the weight exceeds the threshold."""
    kept = np.where(parts.weight <= threshold, parts.weight, 0.0)
    return parts.direct + kept * (parts.reward - parts.expected)


def threshold(parts: Parts, sample: Sample) -> float:
    """The threshold of SWITCH-DR with the least squared error: its variance, and the square of what it leaves out."""
    positive = parts.weight[parts.weight > 0]
    if not len(positive):
        return 0.0
    tried = np.unique(np.quantile(positive, np.linspace(0, 1, THRESHOLDS)))
    whole = dr(parts)

    def loss(at: float) -> float:
        told = switch(parts, at)
        return sample.estimate(told).error ** 2 + sample.mean(whole - told) ** 2

    return float(min(tried, key=loss))


def mrdr(parts: Parts, x: Floats, fold: Ints) -> Floats:
    """[N] more robust doubly robust (Farajtabar, Chow & Ghavamzadeh 2018): models corrected to lower its variance.

    For each fold a linear function of what models expect and of the inputs is added to them, fitted on the other folds
    to the surprises of rows that speak for the policy, weighted by w² − w as the variance weighs them.

    Args:
        parts: of the policy.
        x: [N, D] inputs as numbers.
        fold: [N].
    """
    shift = np.zeros((2, len(fold)))
    importance = np.clip(parts.weight**2 - parts.weight, 0, None)
    ways = [_design(x, parts.direct, parts.expected), _design(x, parts.expected, parts.expected)]
    for held in np.unique(fold):
        rows = (fold != held) & (importance > 0)
        if rows.sum() < FEWEST:
            continue
        coefficients = _ridge(ways[1][rows], (parts.reward - parts.expected)[rows], importance[rows])
        shift[:, fold == held] = [way[fold == held] @ coefficients for way in ways]
    there, here = shift
    return parts.direct + there + parts.weight * (parts.reward - parts.expected - here)


def every(parts: Parts, sample: Sample, x: Floats, fold: Ints) -> dict[str, Floats]:
    """Estimator → its scores [N], in the order of `NAMES`; arguments as of `mrdr`."""
    return {
        "direct": direct(parts),
        "ips": ips(parts),
        "snips": snips(parts, sample),
        "dr": dr(parts),
        "sndr": sndr(parts, sample),
        "switch": switch(parts, threshold(parts, sample)),
        "mrdr": mrdr(parts, x, fold),
    }


def witnesses(
    chosen: dict[str, Floats], reference: dict[str, Floats] | None, sample: Sample, sign: int, *, smooth: bool = False
) -> tuple[Witness, ...]:
    """What each estimator says of the chosen policy and of its gain over a reference.

    Args:
        chosen: as `every` gives it.
        reference: the same of the policy of comparison; None where there is none.
        sample: the rows.
        sign: 1 where more is better, −1 where less is.
        smooth: whether rows with settings near speak for a setting.
    """
    out = []
    for name, scores in chosen.items():
        gain = None if reference is None else sample.estimate(sign * (scores - reference[name]))
        out.append(
            Witness(
                name,
                sample.estimate(scores),
                gain,
                sample.estimate(scores - chosen["dr"]),
                smooth and name in {"ips", "snips"},
            )
        )
    return tuple(out)


def _normalised(weight: Floats, values: Floats, sample: Sample) -> Floats:
    mean = sample.mean(weight)
    if mean == 0:
        return np.zeros(len(weight))
    value = sample.mean(weight * values) / mean
    return value + weight * (values - value) / mean


def _design(x: Floats, told: Floats, like: Floats) -> Floats:
    """[N, 2 + D] a constant, what models expect, and the inputs, on one scale."""
    spread = float(like.std()) or 1.0
    return np.column_stack([np.ones(len(told)), (told - like.mean()) / spread, x])


def _ridge(design: Floats, target: Floats, weight: Floats) -> Floats:
    """[D] weighted least squares with a pull towards no correction."""
    scaled = design * weight[:, None]
    gram = scaled.T @ design
    return np.asarray(np.linalg.solve(gram + PULL * np.trace(gram) / len(gram) * np.eye(len(gram)), scaled.T @ target))
