"""From a network's linear predictor to an outcome, and back: loss, mean and target for each kind of outcome."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.nn import functional as F

MOST_LOG_COUNT = 20.0


class Link(BaseModel):
    """How one outcome's linear predictor [..., C] becomes a mean, and what training minimises.

    binary: sigmoid and log-loss. numeric: identity on a standardised target and squared error. count: exponential
    and Poisson deviance. categorical: softmax over C options and log-loss.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["binary", "numeric", "count", "categorical"]
    options: tuple[str, ...] = ()
    """The names of a categorical outcome's options."""
    centre: float = 0.0
    scale: float = 1.0
    """A numeric outcome's mean and standard deviation on the rows the member was trained on, in the outcome's unit."""

    @property
    def width(self) -> int:
        """C, the number of linear predictors."""
        return len(self.options) if self.kind == "categorical" else 1

    def observed(self, values: pd.Series[Any]) -> np.ndarray:
        """A table's column [N] as numbers: a categorical outcome's options as codes; missing is NaN."""
        if self.kind != "categorical":
            return values.to_numpy(dtype=np.float64)
        codes = pd.Index(self.options).get_indexer(values.astype(object)).astype(np.float64)
        return np.where(codes < 0, np.nan, codes)

    def fitted(self, observed: np.ndarray) -> Link:
        """The same link, with the centre and scale of these observed outcomes [N]."""
        if self.kind != "numeric":
            return self
        return self.model_copy(update={"centre": float(observed.mean()), "scale": float(observed.std()) or 1.0})

    def target(self, observed: np.ndarray) -> Tensor:
        """Observed outcomes [N] (options as codes) → what `loss` compares with."""
        if self.kind == "categorical":
            return torch.from_numpy(observed.astype(np.int64))
        return torch.from_numpy(((observed - self.centre) / self.scale).astype(np.float32))

    def start(self, target: Tensor) -> Tensor:
        """The linear predictor [C] of a model that knows nothing but the average: where training begins."""
        if self.kind == "categorical":
            shares = torch.bincount(target, minlength=self.width).float() + 1.0
            return torch.log(shares / shares.sum())
        average = target.float().mean().clamp(min=1e-4)
        if self.kind == "binary":
            return torch.logit(average.clamp(max=1 - 1e-4)).reshape(1)
        return (torch.log(average) if self.kind == "count" else torch.zeros(())).reshape(1)

    def loss(self, linear: Tensor, target: Tensor) -> Tensor:
        """Mean training loss of linear predictors [N, C]."""
        if self.kind == "categorical":
            return F.cross_entropy(linear, target)
        if self.kind == "binary":
            return F.binary_cross_entropy_with_logits(linear[:, 0], target)
        if self.kind == "count":
            return F.poisson_nll_loss(linear[:, 0].clamp(max=MOST_LOG_COUNT), target)
        return F.mse_loss(linear[:, 0], target)

    def mean(self, linear: Tensor) -> Tensor:
        """Linear predictors [..., C] → the expected outcome [...]; for a categorical outcome its probabilities [..., C]."""
        if self.kind == "categorical":
            return torch.softmax(linear, dim=-1)
        only = linear[..., 0]
        if self.kind == "binary":
            return torch.sigmoid(only)
        if self.kind == "count":
            return torch.exp(only.clamp(max=MOST_LOG_COUNT))
        return only * self.scale + self.centre
