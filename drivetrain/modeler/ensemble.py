"""An outcome's fitted members, and the shape in which the simulator asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor, inf, nan, pi, sqrt

import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor

from drivetrain.modeler.encoder import EncodedRows, InputEncoder, SettingEncoder
from drivetrain.modeler.links import Link
from drivetrain.modeler.networks import Context, Network, Shape

MOST_NODES = 9
SLICES = 16
LEAST_WEIGHT = 1e-6
"""Below it a bin's own mean is lost in rounding, and does not matter."""


@dataclass(frozen=True)
class Member:
    """One network, and the fold that it has never seen."""

    network: Network
    link: Link
    fold: int


@dataclass(frozen=True)
class Nodes:
    """A few values that stand for an outcome's distribution, where a later stage depends on it.

    A mean is not enough there: the expected cost of claims is not the cost of the expected claim. Binary and
    categorical outcomes are enumerated exactly; numeric (normal around the mean) and count ones (Poisson) in bins, of
    which formulas see the mean inside, so that the bins' weighted mean is the outcome's, and later models the value.
    """

    link: Link
    values: tuple[float, ...]
    spread: float = 0.0
    """A numeric outcome's standard deviation around its prediction, out of fold, in its unit."""

    @classmethod
    def fit(cls, link: Link, observed: np.ndarray, spread: float) -> Nodes:
        """Choose up to nine values from observed outcomes [N]."""
        if link.kind == "binary":
            return cls(link, (0.0, 1.0))
        if link.kind == "categorical":
            return cls(link, tuple(float(code) for code in range(link.width)))
        values = np.quantile(observed, np.linspace(0.01, 0.99, MOST_NODES))
        if link.kind == "count":  # few values are told apart one by one
            values = np.arange(MOST_NODES) if values[-1] < MOST_NODES else np.round(values)
        return cls(link, tuple(np.unique(values.astype(np.float64)).tolist()), spread)

    def many(self, *, later: bool) -> int:
        """How many parts there are; `later` as in `parts`."""
        return SLICES if self.link.kind == "numeric" and not later else len(self.values)

    def parts(self, mean: Tensor, *, later: bool) -> Iterator[tuple[float, Tensor, Tensor]]:
        """For each value: itself, its probability [...], and the outcome's mean in the bin that it stands for.

        Args:
            mean: [...], or probabilities [..., C] of a categorical outcome.
            later: whether later models see the value. Where they do not, it may be another one for each row: a numeric
                outcome is then cut around its mean, which is far finer, and the value itself means nothing (NaN).
        """
        if self.link.kind == "numeric" and not later:
            share = torch.tensor(1 / SLICES)
            yield from ((nan, share, mean + self.spread * place) for place in _places())
            return
        bounds = pairwise([-inf, *self._edges, inf])
        for value, weight, (low, high) in zip(self.values, self.weights(mean), bounds, strict=True):
            yield value, weight, self._inside(mean, value, weight, low, high)

    def weights(self, mean: Tensor) -> Tensor:
        """Probability of each value, [J, ...], given means [...] (a categorical outcome's probabilities [..., C])."""
        if self.link.kind == "binary":
            return torch.stack([1 - mean, mean])
        if self.link.kind == "categorical":
            return mean.movedim(-1, 0)
        below = [self._below(mean, edge) for edge in (-inf, *self._edges, inf)]
        return torch.stack([(b - a).clamp(min=0) for a, b in pairwise(below)])

    @property
    def _edges(self) -> list[float]:
        return [(a + b) / 2 for a, b in pairwise(self.values)]

    def _below(self, mean: Tensor, edge: float) -> Tensor:
        """P(outcome ≤ edge) around these means."""
        if edge == inf or (edge < 0 and self.link.kind == "count"):
            return torch.full_like(mean, float(edge == inf))
        if self.link.kind == "count":
            below: Tensor = torch.special.gammaincc(torch.full_like(mean, floor(edge) + 1.0), mean.clamp(min=1e-9))
        else:
            below = torch.special.ndtr((edge - mean) / max(self.spread, 1e-9))
        return below

    def _inside(self, mean: Tensor, value: float, weight: Tensor, low: float, high: float) -> Tensor:
        """E[outcome | low < outcome ≤ high] around these means; `value` where that bin is next to empty."""
        count = self.link.kind == "count"
        alone = count and high < inf and floor(high) - max(-1, floor(max(low, -1))) == 1
        if alone or self.link.kind in {"binary", "categorical"}:
            return torch.tensor(value)
        some = weight.clamp(min=LEAST_WEIGHT)
        if count:  # k · Poisson(k) = mean · Poisson(k − 1)
            within = mean * (self._below(mean, high - 1) - self._below(mean, low - 1)) / some
        else:
            spread = max(self.spread, 1e-9)
            within = mean - spread * (_bell((high - mean) / spread) - _bell((low - mean) / spread)) / some
        return torch.where(weight < LEAST_WEIGHT, value, within.clamp(low, high))


@dataclass(frozen=True)
class OutcomeModel:
    """M members that predict one outcome from inputs, levers and earlier outcomes."""

    outcome: str
    kind: str
    """The network's kind: `two_tower` or `joint`."""
    shape: Shape
    settings: SettingEncoder
    """Levers in the scenario's order, then the earlier outcomes that this one uses."""
    members: tuple[Member, ...]
    nodes: Nodes

    @property
    def link(self) -> Link:
        """Kind and options of the outcome."""
        return self.nodes.link

    def without(self, fold: int) -> OutcomeModel:
        """Only the members that have never seen rows of this fold: its honest judges."""
        return replace(self, members=tuple(member for member in self.members if member.fold == fold))

    def context(self, rows: EncodedRows) -> list[Context]:
        """For each member what does not depend on the setting; computed once per row."""
        return [member.network.context(rows) for member in self.members]

    def grid(self, context: Sequence[Context], settings: Tensor) -> Tensor:
        """Expected outcome [M, N, G] under each of G settings [G, L + E] (categorical: probabilities [M, N, G, C])."""
        features = self.settings.encode(settings)
        return self._ask(lambda member, rows: member.network.grid(rows, features), context)

    def paired(self, context: Sequence[Context], settings: Tensor) -> Tensor:
        """Expected outcome [M, N] of each row under its own setting [N, L + E] (categorical: [M, N, C])."""
        features = self.settings.encode(settings)
        return self._ask(lambda member, rows: member.network.paired(rows, features), context)

    def _ask(self, how: Callable[[Member, Context], Tensor], context: Sequence[Context]) -> Tensor:
        with torch.no_grad():
            pairs = zip(self.members, context, strict=True)
            return torch.stack([member.link.mean(how(member, rows)) for member, rows in pairs])


@dataclass(frozen=True)
class Models:
    """Everything that was learned: one encoder of inputs and a model for each outcome, in the order of the chain."""

    inputs: InputEncoder
    outcomes: dict[str, OutcomeModel]

    @property
    def links(self) -> dict[str, Link]:
        """Outcome → its kind and options."""
        return {name: model.link for name, model in self.outcomes.items()}

    @property
    def folds(self) -> Tensor:
        """int64 [M]: the fold that each member has not seen; the same for every outcome."""
        return torch.tensor([member.fold for member in next(iter(self.outcomes.values())).members])

    def without(self, fold: int) -> Models:
        """Only the members that have never seen rows of this fold."""
        return replace(self, outcomes={name: model.without(fold) for name, model in self.outcomes.items()})


def _bell(z: Tensor) -> Tensor:
    """The standard normal density; 0 at infinity."""
    return torch.exp(-z.square() / 2) / sqrt(2 * pi)


def _places() -> list[float]:
    """The means of the standard normal in bins of equal probability."""
    edges = norm.ppf(np.linspace(0, 1, SLICES + 1))
    places: list[float] = (-np.diff(norm.pdf(edges)) * SLICES).tolist()
    return places
