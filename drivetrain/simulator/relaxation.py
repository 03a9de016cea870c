"""Bounds that hold for every setting in a box, found by running the same networks and formulas on bounds.

A `Relaxed` stands for a tensor of quantities that depend on where in its box a setting lies. Each is kept between two
planes over the box (linear relaxation in forward mode: Zhang et al. 2018, "Efficient Neural Network Robustness
Certification", there backward; for products McCormick 1976, Math. Program. 10:147), so that bounds tighten with the
square of the box's width wherever a model is smooth. It takes part in torch's own functions (`__torch_function__`), so
that what is bounded is the very code that predicts; a function without a rule here raises `Unbounded`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import torch
from torch import Tensor


class Unbounded(Exception):  # noqa: N818
    """A step in models or formulas for which no bound is known; whoever asked does without a certificate."""


Rule = TypeVar("Rule", bound=Callable[..., Any])
Number = float
_RULES: Final[dict[Any, Callable[..., Any]]] = {}


def _rule(*functions: Any) -> Callable[[Rule], Rule]:
    def keep(rule: Rule) -> Rule:
        _RULES.update(dict.fromkeys(functions, rule))
        return rule

    return keep


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Quantities of shape S over boxes: `low · (1, t) ≤ value ≤ high · (1, t)` for all t in [−1, 1]^d."""

    low: Tensor
    """float64 [1 + d, *S]: the plane below, its height in the middle first."""
    high: Tensor
    """float64 [1 + d, *S]: the plane above."""
    least: Tensor
    """float64 [*S]: no value is lower; at least as tight as the plane's lowest point."""
    most: Tensor
    """float64 [*S]: no value is higher."""

    @classmethod
    def of(cls, low: Tensor, high: Tensor, least: Tensor | None = None, most: Tensor | None = None) -> Relaxed:
        """From planes, and bounds that are known besides."""
        below, above = low[0] - low[1:].abs().sum(0), high[0] + high[1:].abs().sum(0)
        least = below if least is None else torch.maximum(below, least)
        most = above if most is None else torch.minimum(above, most)
        return cls(low, high, least, torch.maximum(most, least))

    @classmethod
    def flat(cls, least: Tensor, most: Tensor, dimensions: int) -> Relaxed:
        """Between two numbers, wherever the setting lies."""
        zeros = least.new_zeros((dimensions, *least.shape))
        return cls(torch.cat([least[None], zeros]), torch.cat([most[None], zeros]), least, most)

    @classmethod
    def boxes(cls, low: Tensor, high: Tensor) -> Relaxed:
        """The settings themselves: [G, L] lowest and highest ones → shape [G, L], d = L."""
        plane = torch.cat([((low + high) / 2)[None], torch.diag_embed((high - low) / 2).movedim(-1, 0)])
        return cls(plane, plane, low, high)

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Called by torch for each of its functions that meets one of these."""
        del types
        if function not in _RULES:
            raise Unbounded(getattr(function, "__name__", str(function)))
        return _RULES[function](*args, **(kwargs or {}))

    @property
    def shape(self) -> torch.Size:
        """S."""
        return self.least.shape

    @property
    def dimensions(self) -> int:
        """Levers that a setting may move in a box, d."""
        return len(self.low) - 1

    dtype, device, requires_grad = torch.float64, torch.device("cpu"), False

    def each(self, change: Callable[[Tensor], Tensor], planes: Callable[[Tensor], Tensor]) -> Relaxed:
        """Rearranged: one way for tensors of shape S, the other with the planes' place before it."""
        return Relaxed(planes(self.low), planes(self.high), change(self.least), change(self.most))

    def __len__(self) -> int:
        """The first of S."""
        return len(self.least)

    def __iter__(self) -> Iterator[Relaxed]:
        """Along the first of S."""
        return (self[i] for i in range(len(self)))

    def __getitem__(self, where: Any) -> Relaxed:
        """As of a tensor."""
        whole = where if isinstance(where, tuple) else (where,)
        return self.each(lambda t: t[where], lambda t: t[(slice(None), *whole)])

    def reshape(self, *shape: int) -> Relaxed:
        """As of a tensor."""
        return self.each(lambda t: t.reshape(*shape), lambda t: t.reshape(len(t), *self.least.reshape(*shape).shape))

    def unsqueeze(self, dim: int) -> Relaxed:
        """As of a tensor."""
        return self.each(lambda t: t.unsqueeze(dim), lambda t: t.unsqueeze(dim if dim < 0 else dim + 1))

    def movedim(self, source: int, to: int) -> Relaxed:
        """As of a tensor; places from 0."""
        return self.each(lambda t: t.movedim(source, to), lambda t: t.movedim(source + 1, to + 1))

    def broadcast_to(self, shape: Sequence[int]) -> Relaxed:
        """As of a tensor."""
        return self.each(lambda t: t.broadcast_to(shape), lambda t: _wide(t, shape))

    def repeat(self, *times: int) -> Relaxed:
        """As of a tensor, with as many numbers as it has places."""
        return self.each(lambda t: t.repeat(*times), lambda t: t.repeat(1, *times))

    def unbind(self, dim: int) -> list[Relaxed]:
        """As of a tensor; the last place only."""
        return [self[..., i] for i in range(self.shape[dim])]

    @property
    def T(self) -> Relaxed:  # noqa: N802
        """As of a tensor of two places."""
        return self.movedim(0, 1)

    def to(self, *_: Any) -> Relaxed:
        """All is float64."""
        return self

    def float(self) -> Relaxed:
        """All is float64."""
        return self

    double = float  # noqa: A003

    def contiguous(self) -> Relaxed:
        """As of a tensor."""
        return self

    def isnan(self) -> Tensor:
        """Missing inputs make formulas missing whatever the setting; they are not bounded."""
        return torch.isnan(self.least) | torch.isnan(self.most)

    def clamp(self, min: Number | None = None, max: Number | None = None) -> Relaxed:  # noqa: A002
        """As of a tensor."""
        out = self if min is None else _plus(_relu(_plus(self, -min)), min)
        return out if max is None else _minus(max, _relu(_minus(max, out)))

    def square(self) -> Relaxed:
        """As of a tensor."""
        return _power(self, 2.0)

    def abs(self) -> Relaxed:
        """As of a tensor."""
        return _plus(_relu(self), _relu(_minus(0.0, self)))

    def sqrt(self) -> Relaxed:
        """As of a tensor."""
        return _root(self)

    def sum(self, dim: int) -> Relaxed:
        """As of a tensor; a place from 0."""
        return Relaxed.of(self.low.sum(dim + 1), self.high.sum(dim + 1), self.least.sum(dim), self.most.sum(dim))

    def mean(self, dim: int) -> Relaxed:
        """As of a tensor; a place from 0."""
        return _times(self.sum(dim), 1 / self.shape[dim])

    def __add__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _plus(self, other)

    def __sub__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _minus(self, other)

    def __rsub__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _minus(other, self)

    def __mul__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _times(self, other)

    def __truediv__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _over(self, other)

    def __neg__(self) -> Relaxed:
        """As of a tensor."""
        return _minus(0.0, self)

    def __eq__(self, other: object) -> Any:
        """1 where surely equal, 0 where surely not, else in between."""
        return _equal(self, other)

    def __ne__(self, other: object) -> Any:
        """The opposite."""
        return _minus(1.0, _equal(self, other))

    def __gt__(self, other: Any) -> Relaxed:
        """1 where surely above, 0 where surely not, else in between."""
        return _above(self, other)

    def __ge__(self, other: Any) -> Relaxed:
        """Taken as `>`, or the value itself: 1 where surely so, 0 where surely not."""
        return _minus(1.0, _above(other, self))

    __hash__ = object.__hash__
    __radd__, __rmul__ = __add__, __mul__
    __and__ = __mul__


def _shape(*shapes: torch.Size) -> tuple[int, ...]:
    broadcast: Any = torch.broadcast_shapes  # not typed
    return tuple(broadcast(*shapes))


def _wide(planes: Tensor, shape: Sequence[int]) -> Tensor:
    """[1 + d, *S] → [1 + d, *shape], as S broadcasts to shape."""
    missing = len(shape) - (planes.dim() - 1)
    return planes.reshape(len(planes), *[1] * missing, *planes.shape[1:]).broadcast_to(len(planes), *shape)


def _both(one: Any, other: Any) -> tuple[Relaxed, Relaxed]:
    """Two of one shape; numbers and tensors are between themselves."""
    dimensions = (one if isinstance(one, Relaxed) else other).dimensions
    known = [each if isinstance(each, Relaxed) else _fixed(each, dimensions) for each in (one, other)]
    shape = _shape(known[0].shape, known[1].shape)
    return known[0].broadcast_to(shape), known[1].broadcast_to(shape)


def _fixed(value: Any, dimensions: int) -> Relaxed:
    plain = torch.as_tensor(value).detach().double()
    return Relaxed.flat(plain, plain, dimensions)


@_rule(torch.add, torch.Tensor.add, torch.Tensor.__radd__, torch.Tensor.__add__)
def _plus(one: Any, other: Any) -> Relaxed:
    a, b = _both(one, other)
    return Relaxed.of(a.low + b.low, a.high + b.high, a.least + b.least, a.most + b.most)


@_rule(torch.sub, torch.Tensor.sub, torch.Tensor.__rsub__, torch.Tensor.__sub__)
def _minus(one: Any, other: Any) -> Relaxed:
    a, b = _both(one, other)
    return Relaxed.of(a.low - b.high, a.high - b.low, a.least - b.most, a.most - b.least)


@_rule(torch.neg, torch.Tensor.neg, torch.Tensor.__neg__)
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


@_rule(torch.mul, torch.Tensor.mul, torch.Tensor.__mul__, torch.Tensor.__rmul__)
def _times(one: Any, other: Any) -> Relaxed:
    """McCormick's planes: of the two below, and the two above, the better one in the middle of the box."""
    a, b = _both(one, other)
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


@_rule(torch.div, torch.Tensor.div, torch.Tensor.__truediv__, torch.Tensor.__rtruediv__)
def _over(one: Any, other: Any) -> Relaxed:
    if not isinstance(other, Relaxed):
        return _times(one, 1 / torch.as_tensor(other).double())
    if bool((other.least <= 0).any()) and bool((other.most >= 0).any()):
        raise Unbounded("division by what may be 0")
    return _times(one, _negative(_rising(other, lambda x: -1 / x, lambda x: 1 / x**2)))


def _rising(a: Relaxed, value: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> Relaxed:
    """A rising function whose slope is lowest at an end of any range: less that slope it still rises (Singh 2018)."""
    least = torch.minimum(slope(a.least), slope(a.most))
    ends = value(a.least), value(a.most)
    low, high = a.low * least, a.high * least
    low = torch.cat([(low[0] + ends[0] - least * a.least)[None], low[1:]])
    high = torch.cat([(high[0] + ends[1] - least * a.most)[None], high[1:]])
    return Relaxed.of(low, high, *ends)


@_rule(torch.sigmoid, torch.Tensor.sigmoid)
def _sigmoid(a: Relaxed) -> Relaxed:
    return _rising(a, torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x))


@_rule(torch.exp, torch.Tensor.exp)
def _exp(a: Relaxed) -> Relaxed:
    return _rising(a, torch.exp, torch.exp)


@_rule(torch.nn.functional.softplus)
def _softplus(a: Relaxed, *_: Any, **__: Any) -> Relaxed:
    return _rising(a, torch.nn.functional.softplus, torch.sigmoid)


@_rule(torch.log, torch.Tensor.log)
def _log(a: Relaxed) -> Relaxed:
    return _rising(_positive(a, "the logarithm"), torch.log, lambda x: 1 / x)


@_rule(torch.log1p)
def _log1p(a: Relaxed) -> Relaxed:
    return _log(_plus(a, 1.0))


@_rule(torch.sqrt)
def _root(a: Relaxed) -> Relaxed:
    return _rising(_positive(a, "the square root"), torch.sqrt, lambda x: 0.5 * x.rsqrt())


def _positive(a: Relaxed, what: str) -> Relaxed:
    if bool((a.least <= 0).any()):
        raise Unbounded(f"{what} of what may not be above 0")
    return a


@_rule(torch.relu, torch.nn.functional.relu, torch.Tensor.relu)
def _relu(a: Relaxed, inplace: bool = False) -> Relaxed:
    """The chord above, and below whichever of 0 and the value itself is nearer."""
    del inplace
    across = (a.least < 0) & (a.most > 0)
    chord = torch.where(across, a.most / (a.most - a.least).clamp(min=1e-300), (a.least >= 0).double())
    below = torch.where(across, (a.most > -a.least).double(), (a.least >= 0).double())
    high = a.high * chord
    high = torch.cat([(high[0] - torch.where(across, chord * a.least, 0.0))[None], high[1:]])
    return Relaxed.of(a.low * below, high, a.least.clamp(min=0), a.most.clamp(min=0))


@_rule(torch.nn.functional.dropout)
def _dropout(a: Relaxed, p: float = 0.5, training: bool = False, inplace: bool = False) -> Relaxed:
    del p, inplace
    if training:
        raise Unbounded("dropout in training")
    return a


@_rule(torch.pow, torch.Tensor.pow)
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
    kept = _positive(a, f"the power {power:g}")
    if power > 0:
        return _rising(kept, lambda x: x**power, lambda x: power * x ** (power - 1))
    return _negative(_rising(kept, lambda x: -(x**power), lambda x: -power * x ** (power - 1)))


@_rule(torch.abs, torch.Tensor.abs)
def _abs(a: Relaxed) -> Relaxed:
    return a.abs()


@_rule(torch.minimum)
def _lower(one: Any, other: Any) -> Relaxed:
    a, b = _both(one, other)
    return _minus(a, _relu(_minus(a, b)))


@_rule(torch.maximum)
def _higher(one: Any, other: Any) -> Relaxed:
    a, b = _both(one, other)
    return _plus(a, _relu(_minus(b, a)))


def _stepped(step: Callable[[Tensor], Tensor]) -> Callable[[Relaxed], Relaxed]:
    return lambda a: Relaxed.flat(step(a.least), step(a.most), a.dimensions)


for _step in (torch.round, torch.floor, torch.ceil):
    _RULES[_step] = _stepped(_step)


@_rule(torch.gt, torch.Tensor.gt, torch.Tensor.__gt__)
def _above(one: Any, other: Any) -> Relaxed:
    a, b = _both(one, other)
    return Relaxed.flat((a.least > b.most).double(), (a.most > b.least).double(), a.dimensions)


_RULES[torch.lt] = lambda one, other: _above(other, one)
_RULES[torch.ge] = lambda one, other: _minus(1.0, _above(other, one))
_RULES[torch.le] = lambda one, other: _minus(1.0, _above(one, other))


@_rule(torch.eq, torch.Tensor.eq, torch.Tensor.__eq__)
def _equal(one: Any, other: Any) -> Relaxed:
    a, b = _both(one, other)
    surely = (a.least == a.most) & (b.least == b.most) & (a.least == b.least)
    maybe = (a.most >= b.least) & (b.most >= a.least)
    return Relaxed.flat(surely.double(), maybe.double(), a.dimensions)


_RULES[torch.ne] = lambda one, other: _minus(1.0, _equal(one, other))


@_rule(torch.where)
def _where(condition: Any, one: Any, other: Any) -> Relaxed:
    known = one if isinstance(one, Relaxed) else other if isinstance(other, Relaxed) else condition
    test = condition if isinstance(condition, Relaxed) else _fixed(condition, known.dimensions)
    a, b = (each if isinstance(each, Relaxed) else _fixed(each, known.dimensions) for each in (one, other))
    shape = _shape(test.shape, a.shape, b.shape)
    test, a, b = (each.broadcast_to(shape) for each in (test, a, b))
    yes, no = test.least > 0, test.most < 1
    least = torch.where(yes, a.least, torch.where(no & (test.most <= 0), b.least, torch.minimum(a.least, b.least)))
    most = torch.where(yes, a.most, torch.where(no & (test.most <= 0), b.most, torch.maximum(a.most, b.most)))
    either = Relaxed.flat(least, most, known.dimensions)
    sure = test.most <= 0
    low = torch.where(yes, a.low, torch.where(sure, b.low, either.low))
    high = torch.where(yes, a.high, torch.where(sure, b.high, either.high))
    return Relaxed.of(low, high, least, most)


@_rule(torch.isnan)
def _missing(a: Relaxed) -> Tensor:
    return a.isnan()


@_rule(torch.nn.functional.linear)
def _linear(a: Relaxed, weight: Tensor, bias: Tensor | None = None) -> Relaxed:
    matrix = weight.detach().double().T
    up, down = matrix.clamp(min=0), matrix.clamp(max=0)
    low, high = a.low @ up + a.high @ down, a.high @ up + a.low @ down
    least, most = a.least @ up + a.most @ down, a.most @ up + a.least @ down
    if bias is not None:
        more = bias.detach().double()
        low, high = (torch.cat([(plane[0] + more)[None], plane[1:]]) for plane in (low, high))
        least, most = least + more, most + more
    return Relaxed.of(low, high, least, most)


@_rule(torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__)
def _product(one: Any, other: Any) -> Relaxed:
    if isinstance(one, Relaxed) and not isinstance(other, Relaxed):
        return _linear(one, other.T)
    if isinstance(other, Relaxed) and not isinstance(one, Relaxed):
        return _linear(other.T, one).T
    raise Unbounded("a product of matrices that both depend on the setting")


_RULES[torch.Tensor.__rmatmul__] = lambda one, other: _product(other, one)


@_rule(torch.cat, torch.concat)
def _joined(parts: Sequence[Any], dim: int = 0) -> Relaxed:
    known = _all(parts)
    place = dim if dim < 0 else dim + 1
    return Relaxed(
        torch.cat([each.low for each in known], place),
        torch.cat([each.high for each in known], place),
        torch.cat([each.least for each in known], dim),
        torch.cat([each.most for each in known], dim),
    )


@_rule(torch.stack)
def _stacked(parts: Sequence[Any], dim: int = 0) -> Relaxed:
    return _joined([each.unsqueeze(dim) for each in _all(parts, alike=True)], dim)


def _all(parts: Sequence[Any], *, alike: bool = False) -> list[Relaxed]:
    dimensions = next(each.dimensions for each in parts if isinstance(each, Relaxed))
    known = [each if isinstance(each, Relaxed) else _fixed(each, dimensions) for each in parts]
    shape = _shape(*(each.shape for each in known)) if alike else None
    return known if shape is None else [each.broadcast_to(shape) for each in known]
