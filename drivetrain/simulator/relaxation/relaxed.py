"""What stands for a tensor whose values depend on where in its box a setting lies; it answers as tensors do."""

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
RULES: Final[dict[Any, Callable[..., Any]]] = {}
"""A function of torch's → what it is between bounds; the modules beside this one fill it."""


def rule(*functions: Any) -> Callable[[Rule], Rule]:
    """What is decorated says what these functions of torch's are between bounds."""

    def keep(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, rule))
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
        if function not in RULES:
            raise Unbounded(getattr(function, "__name__", str(function)))
        return RULES[function](*args, **(kwargs or {}))

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
        return self.each(lambda t: t.broadcast_to(shape), lambda t: wide(t, shape))

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
        out = self if min is None else _ruled(torch.relu, self - min) + min
        return out if max is None else max - _ruled(torch.relu, max - out)

    def square(self) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.pow, self, 2.0)

    def abs(self) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.relu, self) + _ruled(torch.relu, -self)

    def sqrt(self) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.sqrt, self)

    def sum(self, dim: int) -> Relaxed:
        """As of a tensor; a place from 0."""
        return Relaxed.of(self.low.sum(dim + 1), self.high.sum(dim + 1), self.least.sum(dim), self.most.sum(dim))

    def mean(self, dim: int) -> Relaxed:
        """As of a tensor; a place from 0."""
        return self.sum(dim) * (1 / self.shape[dim])

    def __add__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.add, self, other)

    def __sub__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.sub, self, other)

    def __rsub__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.sub, other, self)

    def __mul__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.mul, self, other)

    def __truediv__(self, other: Any) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.div, self, other)

    def __neg__(self) -> Relaxed:
        """As of a tensor."""
        return _ruled(torch.sub, 0.0, self)

    def __eq__(self, other: object) -> Any:
        """1 where surely equal, 0 where surely not, else in between."""
        return _ruled(torch.eq, self, other)

    def __ne__(self, other: object) -> Any:
        """The opposite."""
        return _ruled(torch.ne, self, other)

    def __gt__(self, other: Any) -> Relaxed:
        """1 where surely above, 0 where surely not, else in between."""
        return _ruled(torch.gt, self, other)

    def __ge__(self, other: Any) -> Relaxed:
        """Taken as `>`, or the value itself: 1 where surely so, 0 where surely not."""
        return _ruled(torch.ge, self, other)

    __hash__ = object.__hash__
    __radd__, __rmul__ = __add__, __mul__
    __and__ = __mul__


def _ruled(function: Any, *args: Any) -> Relaxed:
    told: Relaxed = RULES[function](*args)
    return told


def joint_shape(*shapes: torch.Size) -> tuple[int, ...]:
    """What several broadcast to."""
    broadcast: Any = torch.broadcast_shapes  # not typed
    return tuple(broadcast(*shapes))


def wide(planes: Tensor, shape: Sequence[int]) -> Tensor:
    """[1 + d, *S] → [1 + d, *shape], as S broadcasts to shape."""
    missing = len(shape) - (planes.dim() - 1)
    return planes.reshape(len(planes), *[1] * missing, *planes.shape[1:]).broadcast_to(len(planes), *shape)


def both(one: Any, other: Any) -> tuple[Relaxed, Relaxed]:
    """Two of one shape; numbers and tensors are between themselves."""
    dimensions = (one if isinstance(one, Relaxed) else other).dimensions
    known = [each if isinstance(each, Relaxed) else fixed(each, dimensions) for each in (one, other)]
    shape = joint_shape(known[0].shape, known[1].shape)
    return known[0].broadcast_to(shape), known[1].broadcast_to(shape)


def fixed(value: Any, dimensions: int) -> Relaxed:
    """A number or tensor that no setting moves."""
    plain = torch.as_tensor(value).detach().double()
    return Relaxed.flat(plain, plain, dimensions)
