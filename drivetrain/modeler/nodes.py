"""A few values that stand for an outcome's distribution, where a mean is not enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import comb, inf, lgamma, nan, pi, sqrt

import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor

from drivetrain.modeler import scales
from drivetrain.modeler.links import Link

MOST_NODES = 9
SLICES = 16
MOST_COUNTED = 256
"""Up to here Poisson's probabilities are added up one by one; above, the normal distribution is as good."""
LEAST_WEIGHT = 1e-6
"""Below it a bin's own mean is lost in rounding, and does not matter."""

Part = tuple[float, Tensor, Tensor]


@dataclass(frozen=True)
class Nodes:
    """A few values that stand for an outcome's distribution, where a later stage depends on it.

    A mean is not enough there: the expected cost of claims is not the cost of the expected claim. Binary and
    categorical outcomes are enumerated exactly; numeric (normal around the mean, on the outcome's scale) and count ones
    (Poisson) in bins, of which formulas see the mean inside, so that the bins' weighted mean is the outcome's, and
    later models the value. Ratings are spread over steps of their range (binomial), so that none leaves it.
    """

    link: Link
    values: tuple[float, ...]
    spread: float = 0.0
    """A numeric outcome's standard deviation around its or rating's prediction, out of fold, on its scale."""

    @classmethod
    def fit(cls, link: Link, observed: np.ndarray, spread: float) -> Nodes:
        """Choose up to nine values from observed outcomes [N]."""
        if link.kind == "binary":
            return cls(link, (0.0, 1.0))
        if link.kind == "categorical":
            return cls(link, tuple(float(code) for code in range(link.width)))
        if link.kind == "rating":
            return cls(
                link, tuple(np.linspace(link.low, link.high, _steps(link, observed, spread) + 1).tolist()), spread
            )
        values = np.quantile(observed, np.linspace(0.01, 0.99, MOST_NODES))
        if link.kind == "count":  # few values are told apart one by one
            values = np.arange(MOST_NODES) if values[-1] < MOST_NODES else np.round(values)
        return cls(link, tuple(np.unique(values.astype(np.float64)).tolist()), spread)

    def many(self, *, later: bool) -> int:
        """How many parts there are; `later` as in `parts`."""
        return SLICES if self.link.kind == "numeric" and not later else len(self.values)

    def parts(self, mean: Tensor, *, later: bool) -> Iterator[Part]:
        """For each value: itself, its probability, and the outcome's mean in the bin that it stands for.

        Args:
            mean: [...], or probabilities [..., C] of a categorical outcome.
            later: whether later models see the value. Where they do not, it may be another one for each row: a numeric
                outcome is then cut around its mean, which is far finer, and the value itself means nothing (NaN).

        Returns:
            Tensors that broadcast to [...].
        """
        if self.link.kind == "binary":
            return self._exact((1 - mean, mean))
        if self.link.kind == "categorical":
            return self._exact(mean.unbind(-1))
        if self.link.kind == "count":
            few = self.values[-1] <= MOST_COUNTED
            return self._poisson(mean) if few else self._normal(mean, mean.clamp(min=LEAST_WEIGHT).sqrt())
        if self.link.kind == "rating":
            return self._binomial(mean)
        if self.link.curve != "linear":
            return self._scaled(mean, later)
        return self._normal(mean, torch.tensor(max(self.spread, 1e-9))) if later else self._slices(mean)

    def _exact(self, shares: tuple[Tensor, ...]) -> Iterator[Part]:
        for value, share in zip(self.values, shares, strict=True):
            yield value, share, torch.tensor(value)

    def _slices(self, mean: Tensor) -> Iterator[Part]:
        share = torch.tensor(1 / SLICES)
        for place in _places():
            yield nan, share, mean + self.spread * place

    def _scaled(self, mean: Tensor, later: bool) -> Iterator[Part]:
        """Bins of a distribution that is normal on the outcome's scale."""
        curve, knee, spread = self.link.curve, self.link.knee, max(self.spread, 1e-6)
        centre = scales.middle(curve, knee, mean, spread)
        edges: list[Tensor] = [torch.tensor(edge) for edge in norm.ppf(np.linspace(0, 1, SLICES + 1)).tolist()]
        values: tuple[float, ...] = (nan,) * SLICES
        ends = [nan] * (SLICES + 1)
        if later:
            values, ends = self.values, [-inf, *self._edges, inf]
            inner = scales.there(curve, knee, np.array(self._edges)).tolist()
            edges = [(edge - centre) / spread for edge in (-inf, *inner, inf)]
        for value, within, (low, high) in zip(values, pairwise(ends), pairwise(edges), strict=True):
            share = (torch.special.ndtr(high) - torch.special.ndtr(low)).clamp(min=0)
            moment = scales.moment(curve, knee, centre, spread, (low, high))
            yield value, share, _ratio(moment, share, value, *within) if later else moment / share

    def _binomial(self, mean: Tensor) -> Iterator[Part]:
        """Steps of the range, as if each of them were taken or not by itself."""
        share, steps = ((mean - self.link.low) / (self.link.high - self.link.low)).clamp(0, 1), len(self.values) - 1
        for step, value in enumerate(self.values):
            yield value, comb(steps, step) * share**step * (1 - share) ** (steps - step), torch.tensor(value)

    def _poisson(self, mean: Tensor) -> Iterator[Part]:
        """Counts up to the last edge one by one; the last value takes all that is left."""
        log = mean.clamp(min=1e-9).log()
        left, moment, first = torch.ones_like(mean), mean, 0
        for value, edge in zip(self.values[:-1], self._edges, strict=True):
            counts = range(first, int(edge) + 1)
            each = [torch.exp(count * log - mean - lgamma(count + 1)) for count in counts]
            share = torch.stack(each).sum(0)
            inside = torch.stack([count * part for count, part in zip(counts, each, strict=True)]).sum(0)
            alone = torch.tensor(value)
            yield value, share, alone if len(counts) == 1 else _ratio(inside, share, value, first, counts[-1])
            left, moment, first = left - share, moment - inside, counts[-1] + 1
        last = self.values[-1]
        yield last, left.clamp(min=0), _ratio(moment, left, last, first, inf)

    def _normal(self, mean: Tensor, spread: Tensor) -> Iterator[Part]:
        for value, (low, high) in zip(self.values, pairwise([-inf, *self._edges, inf]), strict=True):
            below, above = (low - mean) / spread, (high - mean) / spread
            share = (torch.special.ndtr(above) - torch.special.ndtr(below)).clamp(min=0)
            inside = mean * share - spread * (_bell(above) - _bell(below))
            yield value, share, _ratio(inside, share, value, low, high)

    @property
    def _edges(self) -> list[float]:
        return [(a + b) / 2 for a, b in pairwise(self.values)]


def _steps(link: Link, observed: np.ndarray, spread: float) -> int:
    """How many steps give a binomial distribution over a rating's range about the spread of its errors."""
    share, width = (observed.mean() - link.low) / (link.high - link.low), link.high - link.low
    explained = max(float(observed.var()) - spread**2, 0.0)
    free = share * (1 - share) * width**2 - explained
    return int(np.clip(round(free / max(spread**2, 1e-12)), 1, MOST_NODES - 1))


def _ratio(moment: Tensor, share: Tensor, value: float, low: float, high: float) -> Tensor:
    """A bin's own mean, or its value where the bin is next to empty."""
    within = (moment / share.clamp(min=LEAST_WEIGHT)).clamp(low, high)
    return torch.where(share < LEAST_WEIGHT, value, within)


def _bell(z: Tensor) -> Tensor:
    """The standard normal density; 0 at infinity."""
    return torch.exp(-z.square() / 2) / sqrt(2 * pi)


def _places() -> list[float]:
    """The means of the standard normal in bins of equal probability."""
    edges = norm.ppf(np.linspace(0, 1, SLICES + 1))
    places: list[float] = (-np.diff(norm.pdf(edges)) * SLICES).tolist()
    return places
