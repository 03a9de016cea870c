"""Sums, products, quotients and powers between bounds."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from drivetrain.simulator.relaxation.curves import positive, rising
from drivetrain.simulator.relaxation.relaxed import Relaxed, Unbounded, both, rule


@rule(torch.add, torch.Tensor.add, torch.Tensor.__radd__, torch.Tensor.__add__)
def _plus(one: Any, other: Any) -> Relaxed:
    a, b = both(one, other)
    return Relaxed.of(a.low + b.low, a.high + b.high, a.least + b.least, a.most + b.most)


@rule(torch.sub, torch.Tensor.sub, torch.Tensor.__rsub__, torch.Tensor.__sub__)
def _minus(one: Any, other: Any) -> Relaxed:
    a, b = both(one, other)
    return Relaxed.of(a.low - b.high, a.high - b.low, a.least - b.most, a.most - b.least)


@rule(torch.neg, torch.Tensor.neg, torch.Tensor.__neg__)
def _negative(one: Relaxed) -> Relaxed:
    return _minus(0.0, one)


def _scaled(a: Relaxed, by: Tensor) -> Relaxed:
    """Times numbers of the same shape."""
    up, down = by.clamp(min=0), by.clamp(max=0)
    return Relaxed.of(
        a.low * up + a.high * down,
        a.high * up + a.low * down,
        a.least * up + a.most * down,
        a.most * up + a.least * down,
    )


@rule(torch.mul, torch.Tensor.mul, torch.Tensor.__mul__, torch.Tensor.__rmul__)
def _times(one: Any, other: Any) -> Relaxed:
    """McCormick's planes: of the two below, and the two above, the better one in the middle of the box."""
    a, b = both(one, other)
    if not isinstance(one, Relaxed) or not isinstance(other, Relaxed):
        return _scaled(*((a, b.least) if isinstance(one, Relaxed) else (b, a.least)))
    below = [
        _sum(a, b.least, b, a.least, -a.least * b.least, low=True),
        _sum(a, b.most, b, a.most, -a.most * b.most, low=True),
    ]
    above = [
        _sum(a, b.most, b, a.least, -a.least * b.most, low=False),
        _sum(a, b.least, b, a.most, -a.most * b.least, low=False),
    ]
    low = torch.where(below[0][0] >= below[1][0], below[0], below[1])
    high = torch.where(above[0][0] <= above[1][0], above[0], above[1])
    corners = torch.stack([a.least * b.least, a.least * b.most, a.most * b.least, a.most * b.most])
    return Relaxed.of(low, high, corners.amin(0), corners.amax(0))


def _sum(a: Relaxed, of_a: Tensor, b: Relaxed, of_b: Tensor, more: Tensor, *, low: bool) -> Tensor:
    """The plane below, or above, `of_a · a + of_b · b + more`."""
    one, other = _scaled(a, of_a), _scaled(b, of_b)
    plane = one.low + other.low if low else one.high + other.high
    return torch.cat([(plane[0] + more)[None], plane[1:]])


@rule(torch.div, torch.Tensor.div, torch.Tensor.__truediv__, torch.Tensor.__rtruediv__)
def _over(one: Any, other: Any) -> Relaxed:
    if not isinstance(other, Relaxed):
        return _times(one, 1 / torch.as_tensor(other).double())
    if bool((other.least <= 0).any()) and bool((other.most >= 0).any()):
        raise Unbounded("division by what may be 0")
    return _times(one, _negative(rising(other, lambda x: -1 / x, lambda x: 1 / x**2)))


@rule(torch.pow, torch.Tensor.pow)
def _power(a: Relaxed, exponent: Any) -> Relaxed:
    power = float(exponent)
    if power == 2:
        middle = (a.least + a.most) / 2
        below, above = _scaled(a, 2 * middle).low, _scaled(a, a.least + a.most).high
        low = torch.cat([(below[0] - middle**2)[None], below[1:]])
        high = torch.cat([(above[0] - a.least * a.most)[None], above[1:]])
        ends = a.least**2, a.most**2
        across = (a.least < 0) & (a.most > 0)
        return Relaxed.of(low, high, torch.where(across, 0.0, torch.minimum(*ends)), torch.maximum(*ends))
    if power in (0.0, 1.0):
        return a if power else _plus(_times(a, 0.0), 1.0)
    if power > 2 and power.is_integer():
        return _times(a, _power(a, power - 1))
    kept = positive(a, f"the power {power:g}")
    if power > 0:
        return rising(kept, lambda x: x**power, lambda x: power * x ** (power - 1))
    return _negative(rising(kept, lambda x: -(x**power), lambda x: -power * x ** (power - 1)))
