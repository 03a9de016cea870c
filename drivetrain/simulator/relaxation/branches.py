"""Steps, comparisons and choices between bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from drivetrain.simulator.relaxation.relaxed import RULES, Relaxed, both, fixed, joint_shape, rule


def _stepped(step: Callable[[Tensor], Tensor]) -> Callable[[Relaxed], Relaxed]:
    return lambda a: Relaxed.flat(step(a.least), step(a.most), a.dimensions)


for _step in (torch.round, torch.floor, torch.ceil):
    RULES[_step] = _stepped(_step)


@rule(torch.gt, torch.Tensor.gt, torch.Tensor.__gt__)
def _above(one: Any, other: Any) -> Relaxed:
    a, b = both(one, other)
    return Relaxed.flat((a.least > b.most).double(), (a.most > b.least).double(), a.dimensions)


RULES[torch.lt] = lambda one, other: _above(other, one)
RULES[torch.ge] = lambda one, other: 1.0 - _above(other, one)
RULES[torch.le] = lambda one, other: 1.0 - _above(one, other)


@rule(torch.eq, torch.Tensor.eq, torch.Tensor.__eq__)
def _equal(one: Any, other: Any) -> Relaxed:
    a, b = both(one, other)
    surely = (a.least == a.most) & (b.least == b.most) & (a.least == b.least)
    maybe = (a.most >= b.least) & (b.most >= a.least)
    return Relaxed.flat(surely.double(), maybe.double(), a.dimensions)


RULES[torch.ne] = lambda one, other: 1.0 - _equal(one, other)


@rule(torch.where)
def _where(condition: Any, one: Any, other: Any) -> Relaxed:
    known = one if isinstance(one, Relaxed) else other if isinstance(other, Relaxed) else condition
    test = condition if isinstance(condition, Relaxed) else fixed(condition, known.dimensions)
    a, b = (each if isinstance(each, Relaxed) else fixed(each, known.dimensions) for each in (one, other))
    shape = joint_shape(test.shape, a.shape, b.shape)
    test, a, b = (each.broadcast_to(shape) for each in (test, a, b))
    yes, no = test.least > 0, test.most < 1
    least = torch.where(yes, a.least, torch.where(no & (test.most <= 0), b.least, torch.minimum(a.least, b.least)))
    most = torch.where(yes, a.most, torch.where(no & (test.most <= 0), b.most, torch.maximum(a.most, b.most)))
    either = Relaxed.flat(least, most, known.dimensions)
    sure = test.most <= 0
    low = torch.where(yes, a.low, torch.where(sure, b.low, either.low))
    high = torch.where(yes, a.high, torch.where(sure, b.high, either.high))
    return Relaxed.of(low, high, least, most)


@rule(torch.isnan)
def _missing(a: Relaxed) -> Tensor:
    return a.isnan()
