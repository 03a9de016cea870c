"""Declared effects of levers, held by construction.

An effect is a sum of fixed functions of the lever that each have the declared shape, with weights and factors that
cannot be negative; so the sum has it too, for every row and any setting of the other levers, trained or not, inside
the range seen and beyond it (shape-constrained additive models: Pya & Wood 2015; I-splines: Ramsay 1988).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

AT_REST = 0.541325
"""Softplus of it is 1: a factor of which nothing is known leaves the effect as it is."""
START = 0.003
"""Size of the first weights: next to no effect, but not none, where the gradient would vanish."""
GAIN = 3.0
"""Weights of one sign must grow as far in a few epochs as the sums of weights that other networks share it among."""


def jumps(effect: str, *, at_low: bool) -> tuple[int, ...]:
    """Signs of a step beside doing nothing, at the low or the high end of the range, that keep the declared shape.

    A concave function may jump up from its low end or down to its high end, a convex one the other way round.
    """
    rise, bend = _rise(effect), _bend(effect)
    end = 1 if at_low else -1
    return tuple(sign for sign in (1, -1) if sign != -rise and (not bend or sign == -bend * end))


def width(effect: str, knots: Sequence[float]) -> int:
    """The number of functions in `shaped`."""
    return len(knots) + (1 if _rise(effect) and _bend(effect) else 2)


def shaped(effect: str, values: Tensor, low: float, knots: Sequence[float], high: float) -> Iterator[Tensor]:
    """Functions of the declared shape of which others are sums: each as `values`, spanning about 0 to ±1 or ±2.

    Args:
        effect: the scenario's word.
        values: [...] settings of the lever.
        low: the lowest setting seen.
        knots: where the response may bend, ascending, between low and high.
        high: the highest setting seen.
    """
    rise, bend = _rise(effect), _bend(effect)
    line = 2 * (values - low) / (high - low)
    if rise and not bend:
        yield rise * line
        edges = [low, *knots, high]
        for place, (start, stop) in enumerate(pairwise(edges)):
            part = (values - start) / (stop - start)
            part = part if place == 0 else part.clamp(min=0)
            yield rise * (part if place == len(knots) else part.clamp(max=1))
    elif rise == bend or not rise:  # steeper and steeper
        yield from (line, -line) if not rise else (rise * line,)
        yield from (bend * torch.relu(values - knot) / (high - knot) for knot in knots)
    else:  # flatter and flatter
        yield rise * line
        yield from (rise * (values.clamp(max=knot) - low) / (knot - low) for knot in knots)


def _rise(effect: str) -> int:
    return 1 if "increasing" in effect else -1 if "decreasing" in effect else 0


def _bend(effect: str) -> int:
    return 1 if "convex" in effect else -1 if "concave" in effect else 0


class Held(nn.Module):
    """Effects of levers with a declared shape, as columns of context · setting that only factors above 0 may meet."""

    def __init__(self, spans: Sequence[tuple[int, int]], others: int, width: int, columns: int) -> None:
        """Which features are whose.

        Args:
            spans: for each such lever where its shaped features begin and end.
            others: features of the other levers, which may strengthen or weaken the effect but never turn it.
            width: linear predictors C of the outcome.
            columns: how many different effects rows may mix.
        """
        super().__init__()
        self.spans, self.out = spans, (width, columns)
        many = sum(stop - start for start, stop in spans)
        self.weight = nn.Parameter(START * torch.randn(many, width * columns))
        self.meet = nn.Linear(others, len(spans))
        nn.init.zeros_(self.meet.weight)
        nn.init.constant_(self.meet.bias, AT_REST)

    def forward(self, features: Tensor, others: Tensor) -> Tensor:
        """Features [G, F] and those of the other levers [G, O] → [G, C, columns]."""
        factors, sizes = functional.softplus(self.meet(others)), [stop - start for start, stop in self.spans]
        weights = torch.split(self.weight, sizes)
        parts = [
            (features[:, start:stop] @ (GAIN * weight.abs())) * factors[:, lever : lever + 1]
            for lever, ((start, stop), weight) in enumerate(zip(self.spans, weights, strict=True))
        ]
        return torch.stack(parts).sum(0).reshape(len(features), *self.out)
