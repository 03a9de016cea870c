"""What the members of a model expect of rows under settings, and how far they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Outlook:
    """What the members expect: each tensor float32 [M, N, G]."""

    objective: Tensor
    """The scenario's formula, in its unit and direction."""
    outcomes: Mapping[str, Tensor]
    """Expected outcomes; of a categorical one the probability of each option, as `name: option`."""
    bounded: Mapping[str, Tensor]
    """The formula of each constraint, by the constraint's name; of a ratio also what divides it, as `name: to`."""
    folds: Tensor = field(repr=False)
    """int64 [M]: the fold that each member has not seen."""
    beside: Mapping[str, Tensor] = field(default_factory=dict)
    """The formula of each further objective, by its name."""

    def mean(self, values: Tensor | None = None) -> Tensor:
        """The mean over members, [N, G]; of the objective where no values are given."""
        return (self.objective if values is None else values).mean(0)

    def spread(self, values: Tensor | None = None) -> Tensor:
        """The standard error over members; of the objective where no values are given. See `jackknife`."""
        return jackknife(self.objective if values is None else values, self.folds)


def jackknife(values: Tensor, folds: Tensor) -> Tensor:
    """Standard error of the mean over members [M, ...] → [...].

    Each fold's members were trained without that fold, so they are a delete-a-group jackknife (Shao & Tu 1995, "The
    Jackknife and Bootstrap", 2.3): √((K−1)/K Σ_k (θ_k − θ̄)²). With one fold there is nothing to compare: 0.
    """
    each = torch.stack([values[folds == fold].mean(0) for fold in torch.unique(folds)])
    many = len(each)
    return torch.sqrt((many - 1) / many * ((each - each.mean(0)) ** 2).sum(0))


@dataclass(frozen=True)
class Expected:
    """The members' mean, where what each of them says is not needed: float32 tensors [N, G]."""

    objective: Tensor
    """The scenario's formula, in its unit and direction."""
    bounded: Mapping[str, Tensor]
    """The formula of each constraint, by the constraint's name; of a ratio also what divides it, as `name: to`."""
