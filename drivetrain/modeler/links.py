"""From a network's linear predictor to an outcome, and back: loss, mean and target for each kind of outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.nn import functional

from drivetrain.modeler import scales
from drivetrain.scenario import Scenario

MOST_LOG_COUNT = 20.0
SHARES = frozenset({"binary", "rating"})
"""Kinds whose linear predictor is the log-odds of a share."""


class Link(BaseModel):
    """How one outcome's linear predictor [..., C] becomes a mean, and what training minimises.

    binary: sigmoid and log-loss. numeric: identity on a standardised target, on the outcome's scale, and squared error.
    count: exponential and Poisson deviance. rating: sigmoid stretched over its range and log-loss of the share of the
    range (Papke & Wooldridge 1996). categorical: softmax over C options and log-loss.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["binary", "numeric", "count", "rating", "categorical"]
    options: tuple[str, ...] = ()
    """The names of a categorical outcome's options."""
    centre: float = 0.0
    scale: float = 1.0
    """A numeric outcome's mean and standard deviation on the rows the member was trained on, on the outcome's scale."""
    curve: scales.Curve = "linear"
    """The scale of a numeric outcome."""
    knee: float = 1.0
    """Where the scale asinh bends."""
    smear: scales.Smear = (1.0, 0.0)
    """What the way back from the scale must know of the errors on it; estimated on rows that no member had seen."""
    slope: float = 1.0
    """What a binary or categorical outcome's linear predictor is multiplied by, to be calibrated."""
    shift: tuple[float, ...] = ()
    """[C] what is then added; nothing where empty."""
    low: float = 0.0
    high: float = 1.0
    """The range of a rating."""

    @property
    def width(self) -> int:
        """C, the number of linear predictors."""
        return len(self.options) if self.kind == "categorical" else 1

    def observed(self, values: pd.Series[Any]) -> np.ndarray:
        """A table's column [N] as numbers: a categorical outcome's options as codes; missing is NaN."""
        if self.kind != "categorical":
            return values.to_numpy(dtype=np.float64)
        codes = pd.Index(self.options).get_indexer(pd.Index(values, dtype=object)).astype(np.float64)
        return np.where(codes < 0, np.nan, codes)

    def fitted(self, observed: np.ndarray, weight: np.ndarray | None = None) -> Link:
        """The same link, with the centre and scale of these observed outcomes [N], weighted where weights are given."""
        if self.kind != "numeric":
            return self
        seen = scales.there(self.curve, self.knee, observed)
        centre = float(np.average(seen, weights=weight))
        scale = float(np.sqrt(np.average((seen - centre) ** 2, weights=weight))) or 1.0
        return self.model_copy(update={"centre": centre, "scale": scale})

    def target(self, observed: np.ndarray) -> Tensor:
        """Observed outcomes [N] (options as codes) → what `loss` compares with."""
        if self.kind == "categorical":
            return torch.from_numpy(observed.astype(np.int64))
        if self.kind == "rating":
            observed = (observed - self.low) / (self.high - self.low)
        seen = scales.there(self.curve, self.knee, observed)
        return torch.from_numpy(((seen - self.centre) / self.scale).astype(np.float32))

    def there(self, values: np.ndarray) -> np.ndarray:
        """Values [...] of a numeric outcome in its unit → on its scale."""
        return scales.there(self.curve, self.knee, values)

    def back(self, values: np.ndarray) -> np.ndarray:
        """Values [...] on the scale → in the unit; of values themselves, where `mean` is of what is expected."""
        return scales.back(self.curve, self.knee, (1.0, 0.0), torch.from_numpy(values)).numpy()

    def start(self, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """The linear predictor [C] of a model that knows nothing but the average: where training begins."""
        counts = torch.ones(len(target)) if weight is None else weight
        if self.kind == "categorical":
            shares = torch.bincount(target, counts, minlength=self.width) + 1.0
            return torch.log(shares / shares.sum())
        average = ((target.float() * counts).sum() / counts.sum()).clamp(min=1e-4)
        if self.kind in SHARES:
            return torch.logit(average.clamp(max=1 - 1e-4)).reshape(1)
        return (torch.log(average) if self.kind == "count" else torch.zeros(())).reshape(1)

    def loss(self, linear: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Mean training loss of linear predictors [N, C], each row's times its weight [N], which is 1 on average."""
        how = "mean" if weight is None else "none"
        if self.kind == "categorical":
            each = functional.cross_entropy(linear, target, reduction=how)
        elif self.kind in SHARES:
            each = functional.softplus(linear[:, 0]) - linear[:, 0] * target  # its gradient is a third of the steps
            each = each.mean() if weight is None else each
        elif self.kind == "count":
            each = functional.poisson_nll_loss(linear[:, 0].clamp(max=MOST_LOG_COUNT), target, reduction=how)
        else:
            each = functional.mse_loss(linear[:, 0], target, reduction=how)
        return each if weight is None else (each * weight).mean()

    def mean(self, linear: Tensor) -> Tensor:
        """Linear predictors [..., C] → the expected outcome [...]; of a categorical one the probabilities [..., C]."""
        if self.shift:
            linear = linear * self.slope + torch.tensor(self.shift, dtype=linear.dtype)
        if self.kind == "categorical":
            return torch.softmax(linear, dim=-1)
        only = linear[..., 0]
        if self.kind == "binary":
            return torch.sigmoid(only)
        if self.kind == "count":
            return torch.exp(only.clamp(max=MOST_LOG_COUNT))
        if self.kind == "rating":
            return self.low + (self.high - self.low) * torch.sigmoid(only)
        return scales.back(self.curve, self.knee, self.smear, only * self.scale + self.centre)

    def sag(self, first: Tensor, last: Tensor, stray: Tensor) -> tuple[Tensor, Tensor]:
        """How far `mean` may be from the line between its values at two places, one linear predictor an outcome.

        Args:
            first: linear predictors [...] at one place.
            last: likewise at the other.
            stray: by how much, at most, those between leave the line between these two.

        Returns:
            B and E: at a share t of the way |mean − line| ≤ t (1 − t) · B + E. They rest on bounds of the first and
            second derivative between the two places: of a sigmoid 1/4 and 1/(6 √3), of exponentials that at the top.
        """
        apart = last - first
        if (everywhere := self.steepness) is not None:
            return apart.square_().mul_(everywhere[1] / 2), stray * everywhere[0]
        steep, unit = self._steepest(torch.maximum(first, last) + stray, torch.minimum(first, last) - stray)
        return apart.square_().mul_(steep).mul_(unit / 2), stray * steep

    @property
    def steepness(self) -> tuple[float, float] | None:
        """At most how large the first and second derivative of `mean` are anywhere; None where they have no bound."""
        if self.kind in SHARES:
            slope, height = self.slope if self.shift else 1.0, self.high - self.low if self.kind == "rating" else 1.0
            return height * abs(slope) / 4, height * slope**2 / (6 * 3**0.5)
        return (self.scale, 0.0) if self.kind == "numeric" and self.curve == "linear" else None

    def _steepest(self, top: Tensor, bottom: Tensor) -> tuple[Tensor, float]:
        """Of exponentials between two linear predictors: the first derivative at most, the second in terms of it."""
        if self.kind == "count":
            return torch.where(top < MOST_LOG_COUNT, torch.exp(top), torch.inf), 1.0
        top, bottom = (end * self.scale + self.centre for end in (top, bottom))
        size = self.scale * sum(map(abs, self.smear))
        if self.curve == "asinh":
            top, size = torch.maximum(top, -bottom), size * self.knee
        return torch.where(top < scales.MOST, torch.exp(top) * size, torch.inf), self.scale

    @property
    def nothing(self) -> float:
        """What the outcome is worth where it does not exist: 0, and of a categorical one no option at all."""
        return -1.0 if self.kind == "categorical" else 0.0


def worth(scenario: Scenario, links: Mapping[str, Link], frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """What the data shows each outcome to have been worth, [N]; options as codes, NaN where that is not known.

    An outcome with `when` is `nothing` where that other outcome is no, or does not exist itself.

    Args:
        scenario: what is declared.
        links: for each outcome its kind and options.
        frame: rows with the outcomes as columns.
    """
    values: dict[str, np.ndarray] = {}
    for name, declared in scenario.outcomes.items():
        seen = links[name].observed(frame[name])
        if declared.when:
            happened = values[declared.when]
            seen = np.where(happened == 1, seen, np.where(happened == 0, links[name].nothing, np.nan))
        values[name] = seen
    return values
