"""The next randomised test: which rows, which settings, with which chances, at what expected loss.

Three ways to draw. `decide` settles one decision, the recommended policy against another: chances that make the
difference's error smallest for the loss that is allowed. `thompson` gives each setting the chance that it is the best,
by the models' own disagreement; `top_two` puts half of that on the challenger (Russo 2016, "Simple Bayesian Algorithms
for Best Arm Identification"). Every setting is drawn with a chance that is known, so what comes of it can be judged
without models: `assignment: {propensity: propensity}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from drivetrain.evidence.sample import Z95

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Mode = Literal["decide", "thompson", "top_two"]
LEAST = 0.02
"""The smallest chance of either side of a decision: rarer settings would teach too little to be worth their place."""
SEARCHED = 1e12


@dataclass(frozen=True)
class Draw:
    """Chances and what was drawn."""

    chance: Floats
    """[N, A] of each setting; a row's sum to 1."""
    drawn: Ints
    """[N] the setting that each row gets."""
    loss: float
    """What is expected to be given up for learning, summed over the rows, in the objective's unit."""

    @property
    def propensity(self) -> Floats:
        """[N] the chance with which each row's own setting was drawn."""
        return np.asarray(self.chance[np.arange(len(self.drawn)), self.drawn])


def beliefs(values: Floats, many: int = 1) -> Floats:
    """[N, A] the chance that each setting is a row's best, by the members' votes.

    Args:
        values: [M, N, A] what each member expects, more is better; −inf where a setting may not be given.
        many: of how many, a member's best, its vote is shared out; fewer where fewer may be given.
    """
    many = min(many, values.shape[2])
    best = np.argpartition(-values, many - 1, axis=2)[:, :, :many]
    votes, given = np.zeros(values.shape), np.isfinite(np.take_along_axis(values, best, 2))
    given |= ~given.any(2, keepdims=True)
    np.put_along_axis(votes, best, given / given.sum(2, keepdims=True), 2)
    return np.asarray(votes.mean(0))


def top_two(chance: Floats, lead: float = 0.5) -> Floats:
    """[N, A] the chances of top-two Thompson sampling: the leader with chance `lead`, else a challenger.

    ψ_a = p_a (β + (1 − β) Σ_{b≠a} p_b / (1 − p_b)), Russo (2016), section 3.3; a setting that is sure is given.

    Args:
        chance: [N, A] that each setting is the best.
        lead: β.
    """
    sure = chance.max(1) >= 1 - 1e-12
    odds = chance / np.maximum(1 - chance, 1e-12)
    others = np.where(sure[:, None], 0, odds.sum(1, keepdims=True) - odds)
    mixed = chance * (lead + (1 - lead) * others)
    return np.where(sure[:, None], chance, mixed)


def explore(chance: Floats, worth: Floats, usual: Floats, most: float, seed: int) -> Draw:
    """Draw settings by chances, mixed with what is usually given so that no more than `most` is lost in expectation.

    Args:
        chance: [N, A] as one would explore without a bound.
        worth: [N, A] what is expected of each setting; more is better.
        usual: [N, A] the chances with which each row would get them without an experiment.
        most: the loss that is allowed, summed over the rows.
        seed: of the draw.
    """
    lost = np.maximum(mean(usual, worth)[:, None] - worth, 0.0)
    more = np.maximum(chance - usual, 0.0)
    whole = float((more * np.where(more > 0, lost, 0.0)).sum())
    share = 1.0 if whole <= most else most / whole
    mixed = share * chance + (1 - share) * usual
    return Draw(mixed, drawn(mixed, seed), share * whole)


def mean(chance: Floats, worth: Floats) -> Floats:
    """[N] what is expected of settings drawn by these chances [N, A]; −inf where one that may not be given is."""
    return np.asarray((chance * np.where(chance > 0, worth, 0.0)).sum(1))


def drawn(chance: Floats, seed: int) -> Ints:
    """[N] one setting for each row by its chances [N, A]."""
    point = np.random.default_rng(seed).random(len(chance))
    return np.asarray((point[:, None] > np.cumsum(chance, 1)[:, :-1]).sum(1), dtype=np.int64)


def shares(gain: Floats, most: float) -> Floats:
    """[n] the chance that each row gets the other setting: the smallest error of the difference for the loss.

    The error of a difference between two settings, drawn with chances 1 − q and q and judged doubly robustly, grows
    with Σ 1/q + 1/(1 − q). Its smallest value under Σ q·gain ≤ most solves 1/q² − 1/(1 − q)² = λ·gain in each row.

    Args:
        gain: [n] how much more is expected of the recommended setting than of the other; what is negative costs none.
        most: the loss that is allowed, summed over the rows.
    """
    cost = np.maximum(gain, 0.0)
    if 0.5 * cost.sum() <= most:
        return np.full(len(gain), 0.5)

    def at(price: float) -> Floats:
        return _balanced(price * cost)

    def over(logarithm: float) -> float:
        return float((at(np.exp(logarithm)) * cost).sum()) - most

    scale = float(cost.mean())
    low, high = -np.log(scale * SEARCHED), np.log(SEARCHED / scale)
    if over(high) > 0:
        return np.maximum(at(np.exp(high)), LEAST)
    return np.maximum(at(np.exp(brentq(over, low, high, xtol=1e-9))), 0.0)


def _balanced(slope: Floats) -> Floats:
    """[n] q in (0, ½] with 1/q² − 1/(1 − q)² = slope, by bisection: the left side falls in q."""
    low, high = np.full(len(slope), 1e-9), np.full(len(slope), 0.5)
    for _ in range(60):
        middle = (low + high) / 2
        above = 1 / middle**2 - 1 / (1 - middle) ** 2 > slope
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray((low + high) / 2)


@dataclass(frozen=True)
class Power:
    """How likely a test settles its decision."""

    power: float
    """The chance that the 95% interval of the gain clears 0, if the gain is what is expected."""
    error: float
    """The expected standard error of the mean gain over all rows."""
    gain: float
    """The mean gain over all rows that is expected."""
    rows_needed: int | None
    """How many rows such a test needs for a power of 80%; None where no gain is expected."""


def spread(chance: Floats, one: Floats, other: Floats) -> Floats:
    """[n] how much of a row's noise comes into the difference of two policies: Σ_a (p_a − q_a)² / chance_a.

    Where each side is one setting, drawn with chances 1 − q and q, it is 1 / q + 1 / (1 − q).

    Args:
        chance: [n, A] with which settings are drawn; above 0 wherever a policy's is.
        one: [n, A] with which one policy gives them.
        other: [n, A] with which the other does.
    """
    return np.asarray(((one - other) ** 2 / np.where(chance > 0, chance, 1.0)).sum(1))


def power(gain: Floats, spread: Floats, noise: float, rows: int) -> Power:
    """The power of a test of the recommended policy against another.

    Args:
        gain: [n] what is expected in rows where the two differ and which are tested.
        spread: [n] of these rows, as of `spread`.
        noise: standard deviation of what a row earns around what models expect.
        rows: all rows, those where both are the same among them.
    """
    part = len(gain) / rows
    told = part * float(gain.mean()) if len(gain) else 0.0
    noisy = part * float((noise**2 * spread).mean()) if len(gain) else 0.0
    error = float(np.sqrt(noisy / rows))
    if told <= 0 or error == 0:
        return Power(0.0 if told <= 0 else 1.0, error, told, None)
    needed = noisy * ((Z95 + norm.ppf(0.8)) / told) ** 2
    return Power(float(norm.cdf(told / error - Z95)), error, told, int(np.ceil(needed)))
