"""What a search for one setting for all makes best, within which bounds, and how steep that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.landscape import TOLERANCE, Asked, Landscape

Floats = NDArray[np.float64]

STEEP = 1e6
"""No slope is steeper: at the edge of a square root it has no end."""


@dataclass(frozen=True)
class Aim:
    """What is made best: a weighted sum of goals, while others keep a floor."""

    weights: tuple[float, ...]
    floors: tuple[float, ...]
    """For each goal; −∞ where it has none."""

    def score(self, asked: Asked) -> Tensor:
        """What is made best, [G]."""
        return torch.tensor(self.weights, dtype=torch.float64) @ asked.goals

    def over(self, asked: Asked) -> Tensor:
        """Above 0 where a bound or a floor is not kept, [C', G]."""
        held = [k for k, floor in enumerate(self.floors) if np.isfinite(floor)]
        scale = torch.tensor([max(1.0, abs(self.floors[k])) for k in held], dtype=torch.float64)
        floors = torch.tensor([self.floors[k] for k in held], dtype=torch.float64)
        short = (floors[:, None] - asked.goals[held]) / scale[:, None]
        return torch.cat([asked.over, short])

    @property
    def enough(self) -> float:
        """A score that need not be bettered."""
        return np.inf


@dataclass(frozen=True)
class Lacking(Aim):
    """By how much all bounds and floors of an aim are passed, made small."""

    def score(self, asked: Asked) -> Tensor:
        """[G] at most 0, and 0 where everything is kept."""
        return -super().over(asked).clamp(min=0).sum(0)

    def over(self, asked: Asked) -> Tensor:
        """Nothing else is asked of settings."""
        return asked.over[:0]

    @property
    def enough(self) -> float:
        """Everything is kept."""
        return -TOLERANCE


def with_gradient(
    ground: Landscape, aim: Aim, setting: Floats, free: NDArray[np.bool_], width: Floats
) -> tuple[float, Floats, Floats, Floats]:
    """Score, its slope in the free levers (ranges as units), what bounds are passed by, and their slopes."""
    at = torch.tensor(setting[None], dtype=torch.float64, requires_grad=True)
    asked = ground.ask(at)
    over = aim.over(asked)[:, 0]

    def slope(value: Tensor, last: bool) -> Floats:
        (found,) = torch.autograd.grad(value, at, retain_graph=not last, allow_unused=True)
        each = torch.zeros_like(at) if found is None else found
        return np.asarray(np.nan_to_num(each[0].numpy()[free] * width, posinf=STEEP, neginf=-STEEP))

    slopes = [slope(each, last=False) for each in over]
    value = aim.score(asked)[0]
    own = slope(value, last=True)
    table = np.array(slopes).reshape(len(slopes), int(free.sum()))
    return float(value.detach()), own, over.detach().numpy().copy(), table


def differences(f: Callable[[Floats], Floats], u: Floats, step: float = 1e-4) -> Floats:
    """[1, n] central differences, one-sided at the ends: cheap, since no model is asked."""
    ahead, behind = np.minimum(u + step * np.eye(len(u)), 1.0), np.maximum(u - step * np.eye(len(u)), 0.0)
    told = f(np.vstack([ahead, behind]))
    between = (ahead - behind).sum(1)
    return np.asarray((told[: len(u)] - told[len(u) :]) / between)[None]
