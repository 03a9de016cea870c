"""What one setting for many rows is worth, for many settings at once, with gradients where models have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.bounds import Limit, limits
from drivetrain.scenario.constraints import KEYS
from drivetrain.simulator import Crowd, Outlook, Simulator, averse, jackknife

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELLS_AT_ONCE = 4_000_000
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Asked:
    """What was found at each of G settings; float64 tensors."""

    goals: Tensor
    """[K, G] the objective, less what risk takes off it, then those beside it: means over rows, more being better."""
    over: Tensor
    """[C, G] by how much of itself each bound is passed; above 0 it is broken."""


@dataclass(frozen=True)
class Landscape:
    """One decision for all rows of a crowd: those that models and formulas cannot tell apart are asked about once."""

    simulator: Simulator
    crowd: Crowd
    """[N] distinct rows."""
    weights: Tensor
    """float64 [N] the rows that each stands for."""
    share: float = 1.0
    """The part of all rows that these are; totals are bounded in proportion."""

    @classmethod
    def of(cls, simulator: Simulator, crowd: Crowd, share: float = 1.0) -> Landscape:
        """The landscape of all rows of a crowd."""
        if not crowd.values:
            return cls(
                simulator, crowd.take(slice(0, 1)), torch.tensor([float(len(crowd))], dtype=torch.float64), share
            )
        table = torch.cat([value.double() for value in crowd.values.values()], dim=1).numpy()
        marked = np.column_stack([np.nan_to_num(table, nan=0.0), np.isnan(table)])
        first, counts = np.unique(marked, axis=0, return_index=True, return_counts=True)[1:]
        order = np.argsort(first)
        few = crowd.take(torch.from_numpy(first[order]))
        return cls(simulator, few, torch.from_numpy(counts[order].astype(np.float64)), share)

    def sample(self, most: int) -> Landscape:
        """A part of the rows, evenly taken, that stands for all."""
        if len(self.crowd) <= most:
            return self
        picked = torch.from_numpy(np.linspace(0, len(self.crowd) - 1, most).round().astype(np.int64))
        few = self.weights[picked]
        scaled = few * (self.weights.sum() / few.sum())
        return replace(self, crowd=self.simulator.ready(self.crowd.take(picked)), weights=scaled)

    @cached_property
    def smooth(self) -> bool:
        """Whether there are gradients."""
        return self.simulator.smooth(self.crowd)

    def ask(self, settings: Floats | Tensor) -> Asked:
        """Goals and bounds at settings [G, L]; a tensor that asks for gradients gets them."""
        at = torch.as_tensor(settings, dtype=torch.float64)
        cells = max(1, len(self.simulator.folds)) * len(self.crowd)
        step = max(1, CELLS_AT_ONCE // cells)
        parts = [self._few(at[start : start + step]) for start in range(0, len(at), step)]
        goals, over = zip(*((part.goals, part.over) for part in parts), strict=True)
        return Asked(torch.cat(goals, 1), torch.cat(over, 1))

    def _few(self, at: Tensor) -> Asked:
        with torch.set_grad_enabled(at.requires_grad):
            return self._asked(self.simulator.grid(self.crowd, at))

    def _asked(self, outlook: Outlook) -> Asked:
        objective, share = self.simulator.scenario.objective, self.weights / self.weights.sum()
        signed = objective.sign * _sum(outlook.objective, share)
        first = averse(signed, jackknife(signed, outlook.folds), objective.risk)
        others = [each.sign * _sum(outlook.beside[each.name], share).mean(0) for each in objective.beside]
        asked = {name: value.mean(0).double() for name, value in outlook.bounded.items()}
        over = [*self._each(asked), *(self._passed(limit, asked) for limit in self._limits)]
        goals = torch.stack([first, *others])
        return Asked(goals, torch.stack(over) if over else goals.new_zeros((0, goals.shape[1])))

    @cached_property
    def _limits(self) -> list[Limit]:
        return limits(self.simulator.scenario, self.crowd.labels, len(self.crowd))

    def _each(self, asked: Mapping[str, Tensor]) -> Iterator[Tensor]:
        """[G] by how much the worst row passes each bound that holds for every row."""
        for constraint in self.simulator.scenario.constraints:
            for key in KEYS if constraint.over == "each" else ():
                if (bound := constraint.bound(key)) is not None:
                    over = asked[constraint.name] - bound
                    yield (over if key == "at_most" else -over).amax(0) / max(1.0, abs(bound))

    def _passed(self, limit: Limit, asked: Mapping[str, Tensor]) -> Tensor:
        """[G] by how much rows together pass a bound."""
        rows = torch.from_numpy(limit.rows)
        weights = self.weights[rows][:, None]
        spent = (weights * limit.use(asked)[rows]).sum(0)
        over, size = limit.constraint.over, max(1.0, abs(limit.bound))
        if over == "ratio":
            to = (weights * asked[limit.constraint.divisor][rows]).sum(0)
            return spent / to.abs().clamp(min=1e-12) / size
        whole = self.share if over == "total" else float(weights.sum())
        return (spent / whole - limit.sign * limit.bound) / size


def _sum(values: Tensor, share: Tensor) -> Tensor:
    """Weighted sum over rows: [M, N, G] → [M, G]."""
    return torch.einsum("mng,n->mg", values.double(), share)
