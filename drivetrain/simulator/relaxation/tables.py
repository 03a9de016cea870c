"""Layers of networks, and tables put together, between bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from drivetrain.simulator.relaxation.relaxed import RULES, Relaxed, Unbounded, fixed, joint_shape, rule


@rule(torch.nn.functional.linear)
def _linear(a: Relaxed, weight: Tensor, bias: Tensor | None = None) -> Relaxed:
    return _times(a, weight.detach().double().T, bias)


def _times(a: Relaxed, matrix: Tensor, bias: Tensor | None = None) -> Relaxed:
    up, down = matrix.clamp(min=0), matrix.clamp(max=0)
    low, high = a.low @ up + a.high @ down, a.high @ up + a.low @ down
    least, most = a.least @ up + a.most @ down, a.most @ up + a.least @ down
    if bias is not None:
        more = bias.detach().double()
        low, high = (torch.cat([(plane[0] + more)[None], plane[1:]]) for plane in (low, high))
        least, most = least + more, most + more
    return Relaxed.of(low, high, least, most)


@rule(torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__)
def _product(one: Any, other: Any) -> Relaxed:
    if isinstance(one, Relaxed) and not isinstance(other, Relaxed):
        return _times(one, other.detach().double())
    if isinstance(other, Relaxed) and not isinstance(one, Relaxed):
        return _linear(other.T, one).T
    raise Unbounded("a product of matrices that both depend on the setting")


RULES[torch.Tensor.__rmatmul__] = lambda one, other: _product(other, one)


@rule(torch.cat, torch.concat)
def _joined(parts: Sequence[Any], dim: int = 0) -> Relaxed:
    known = _all(parts)
    place = dim if dim < 0 else dim + 1
    return Relaxed(
        torch.cat([each.low for each in known], place),
        torch.cat([each.high for each in known], place),
        torch.cat([each.least for each in known], dim),
        torch.cat([each.most for each in known], dim),
    )


@rule(torch.stack)
def _stacked(parts: Sequence[Any], dim: int = 0) -> Relaxed:
    return _joined([each.unsqueeze(dim) for each in _all(parts, alike=True)], dim)


def _all(parts: Sequence[Any], *, alike: bool = False) -> list[Relaxed]:
    dimensions = next(each.dimensions for each in parts if isinstance(each, Relaxed))
    known = [each if isinstance(each, Relaxed) else fixed(each, dimensions) for each in parts]
    shape = joint_shape(*(each.shape for each in known)) if alike else None
    return known if shape is None else [each.broadcast_to(shape) for each in known]
