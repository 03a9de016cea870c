"""Functions of one value between bounds: those that rise, and those with a corner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from drivetrain.simulator.relaxation.relaxed import Relaxed, Unbounded, both, rule


def rising(a: Relaxed, value: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> Relaxed:
    """A rising function whose slope is lowest at an end of any range: less that slope it still rises (Singh 2018)."""
    least = torch.minimum(slope(a.least), slope(a.most))
    ends = value(a.least), value(a.most)
    low, high = a.low * least, a.high * least
    low = torch.cat([(low[0] + ends[0] - least * a.least)[None], low[1:]])
    high = torch.cat([(high[0] + ends[1] - least * a.most)[None], high[1:]])
    return Relaxed.of(low, high, *ends)


@rule(torch.sigmoid, torch.Tensor.sigmoid)
def _sigmoid(a: Relaxed) -> Relaxed:
    return rising(a, torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x))


@rule(torch.exp, torch.Tensor.exp)
def _exp(a: Relaxed) -> Relaxed:
    return rising(a, torch.exp, torch.exp)


@rule(torch.nn.functional.softplus)
def _softplus(a: Relaxed, *_: Any, **__: Any) -> Relaxed:
    return rising(a, torch.nn.functional.softplus, torch.sigmoid)


@rule(torch.log, torch.Tensor.log)
def _log(a: Relaxed) -> Relaxed:
    return rising(positive(a, "the logarithm"), torch.log, lambda x: 1 / x)


@rule(torch.log1p)
def _log1p(a: Relaxed) -> Relaxed:
    return _log(a + 1.0)


@rule(torch.sqrt)
def _root(a: Relaxed) -> Relaxed:
    return rising(positive(a, "the square root"), torch.sqrt, lambda x: 0.5 * x.rsqrt())


def positive(a: Relaxed, what: str) -> Relaxed:
    """Itself. Raises: Unbounded: it may be 0 or below."""
    if bool((a.least <= 0).any()):
        raise Unbounded(f"{what} of what may not be above 0")
    return a


@rule(torch.relu, torch.nn.functional.relu, torch.Tensor.relu)
def _relu(a: Relaxed, inplace: bool = False) -> Relaxed:
    """The chord above, and below whichever of 0 and the value itself is nearer."""
    del inplace
    across = (a.least < 0) & (a.most > 0)
    chord = torch.where(across, a.most / (a.most - a.least).clamp(min=1e-300), (a.least >= 0).double())
    below = torch.where(across, (a.most > -a.least).double(), (a.least >= 0).double())
    high = a.high * chord
    high = torch.cat([(high[0] - torch.where(across, chord * a.least, 0.0))[None], high[1:]])
    return Relaxed.of(a.low * below, high, a.least.clamp(min=0), a.most.clamp(min=0))


@rule(torch.nn.functional.dropout)
def _dropout(a: Relaxed, p: float = 0.5, training: bool = False, inplace: bool = False) -> Relaxed:
    del p, inplace
    if training:
        raise Unbounded("dropout in training")
    return a


@rule(torch.abs, torch.Tensor.abs)
def _abs(a: Relaxed) -> Relaxed:
    return a.abs()


@rule(torch.minimum)
def _lower(one: Any, other: Any) -> Relaxed:
    a, b = both(one, other)
    return a - _relu(a - b)


@rule(torch.maximum)
def _higher(one: Any, other: Any) -> Relaxed:
    a, b = both(one, other)
    return a + _relu(b - a)
