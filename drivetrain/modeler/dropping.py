"""Dropout whose random numbers are bytes: one draw leaves out or keeps eight values, which is most of its cost."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

SIDES = 256
"""Values of a byte: shares are rounded to whole ones of so many."""
_LOW, _HIGH = -(2**63), 2**63 - 1


class Drop(nn.Module):
    """As `torch.nn.Dropout`: in training each value is 0 with a chance, and the others are larger by as much."""

    def __init__(self, share: float) -> None:
        """Args: share: the chance, rounded to 1/256, but never to 0 or 1."""
        super().__init__()
        self.out = min(max(round(share * SIDES), 1), SIDES - 1) if share else 0

    def forward(self, values: Tensor) -> Tensor:
        """[...] → [...]."""
        if not self.training or not self.out:
            return values
        many = prod(values.shape)
        draws = torch.randint(_LOW, _HIGH, (-(-many // 8),), dtype=torch.int64).view(torch.uint8)
        kept = (draws[:many] >= self.out).reshape(values.shape)
        return values * (kept * (SIDES / (SIDES - self.out)))


def cheaper(module: nn.Module) -> None:
    """Put it in the place of every `torch.nn.Dropout` inside a module."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Dropout:
                setattr(parent, name, Drop(child.p))
