"""Means over rows, with the errors that belong to them: rows may belong to people or places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Z95 = 1.959964
MOST_CELLS = 4_000_000
MOST_BAGS = 2_000
"""Rows are resampled in at most so many bags: more would change nothing but the time that it takes."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error and 95% interval, in the unit of what was averaged, for one row."""

    value: float
    error: float

    @classmethod
    def of(cls, scores: Floats) -> Estimate:
        """The mean of scores [N] of independent rows that count alike."""
        return Sample(len(scores)).estimate(scores)

    @property
    def low(self) -> float:
        """Lower end of the 95% interval."""
        return self.value - Z95 * self.error

    @property
    def high(self) -> float:
        """Upper end of the 95% interval."""
        return self.value + Z95 * self.error

    def as_dict(self) -> dict[str, float]:
        """For a record."""
        return {"value": self.value, "error": self.error, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Sample:
    """N rows as a sample of those to decide for."""

    size: int
    cluster: Ints | None = None
    """[N] whose row it is: rows of one person or place are no independent witnesses; all differ where left out."""

    def mean(self, scores: Floats) -> float:
        """The mean of scores [N]."""
        return float(scores.mean())

    def estimate(self, scores: Floats) -> Estimate:
        """The mean of scores [N] with its standard error, robust to likeness within clusters.

        The error of clusters is Liang & Zeger's (1986, Biometrika 73:13) with the factor G/(G−1), stretched so that
        1.96 of it reach as far as Student's t with G−1 degrees of freedom.
        """
        return self._estimate(self.mean(scores), self.influence(scores))

    def ratio(self, above: Floats, below: Floats) -> Estimate:
        """The ratio of two means of scores [N], by the delta method: rows move both at once."""
        bottom = self.mean(below)
        value = self.mean(above) / bottom
        return self._estimate(value, self.influence(above - value * below) / bottom)

    def bootstrap(self, scores: Floats, seed: int, draws: int = 999) -> tuple[float, float]:
        """The 95% interval of the mean of scores [N] by the studentised bootstrap over clusters (Hall 1992, 3.5).

        It leans where scores lean, which an interval of ± 1.96 errors cannot.

        Args:
            scores: [N].
            seed: of the draws.
            draws: how many.
        """
        value, parts = self.mean(scores), self._bags(self.influence(scores), seed)
        error = float(np.sqrt((parts**2).sum()))
        if not error:
            return value, value
        ratios = np.concatenate(list(_studentised(parts, seed, draws)))
        low, high = np.quantile(ratios, [0.025, 0.975])
        own = self.estimate(scores).error
        return float(value - high * own), float(value - low * own)

    def influence(self, scores: Floats) -> Floats:
        """[N] what each row adds to the mean of scores [N], times N."""
        return scores - self.mean(scores)

    @cached_property
    def groups(self) -> int:
        """Independent witnesses: clusters, or rows."""
        return self.size if self.cluster is None else len(np.unique(self.cluster))

    def _estimate(self, value: float, influence: Floats) -> Estimate:
        sums, many = self._summed(influence), self.groups
        error = float(np.sqrt((sums**2).sum() * many / max(1, many - 1))) / self.size
        return Estimate(value, error * self.student if many > 1 else float("inf"))

    @cached_property
    def student(self) -> float:
        """How much farther than 1.96 errors Student's t with G−1 degrees of freedom reaches; 1 where rows are alone."""
        if self.cluster is None or self.groups < 2:
            return 1.0
        return float(stats.t.ppf(0.975, self.groups - 1)) / Z95

    def _summed(self, influence: Floats) -> Floats:
        if self.cluster is None:
            return influence
        _, place = np.unique(self.cluster, return_inverse=True)
        return np.bincount(place.ravel(), influence).astype(np.float64)

    def _bags(self, influence: Floats, seed: int) -> Floats:
        """Sums of influence over clusters, gathered by chance into at most `MOST_BAGS` bags."""
        sums = self._summed(influence) / self.size
        if len(sums) <= MOST_BAGS:
            return sums
        bag = np.random.default_rng(seed).permutation(len(sums)) % MOST_BAGS
        return np.bincount(bag, sums).astype(np.float64)


def _studentised(parts: Floats, seed: int, draws: int) -> Iterator[Floats]:
    """Runs of t-ratios of the sum of parts [B], each from B parts drawn with replacement."""
    draw, many = np.random.default_rng(seed), len(parts)
    step = max(1, MOST_CELLS // many)
    for start in range(0, draws, step):
        counts = draw.multinomial(many, np.full(many, 1 / many), size=min(step, draws - start))
        sums, squares = counts @ parts, counts @ parts**2
        error = np.sqrt(np.maximum(squares - sums**2 / many, 1e-300))
        yield np.asarray(sums / error)
