"""Levers and earlier outcomes as features of the setting tower: lines, hinges, flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from drivetrain.modeler import effects
from drivetrain.modeler.coded import CodedColumn

if TYPE_CHECKING:
    from torch import Tensor

KNOTS = 6
ATOM_SHARE = 0.02


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SettingColumn(_Frozen):
    """One lever, or one earlier outcome, as the setting tower sees it."""

    name: str
    low: float = 0.0
    high: float = 1.0
    knots: tuple[float, ...] = ()
    """Where the response may bend: quantiles of what the data saw."""
    atom: float | None = None
    """A value apart from its neighbours (paying nothing is not paying a little), with a flag of its own."""
    options: int = 0
    """Above 0: a categorical column with that many options, one flag each."""
    effect: str = ""
    """The declared shape of its effect; then all features have it, and their weights may not be negative."""

    @classmethod
    def fit(
        cls, name: str, seen: np.ndarray, *, options: int = 0, atom: float | None = None, effect: str = ""
    ) -> SettingColumn:
        """Args: name: the column; seen: [N] its values in training rows; options, atom, effect: as the fields."""
        if options:
            return cls(name=name, options=options)
        seen = seen[np.isfinite(seen)]
        low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
        if high <= low:  # a chain may ask about other values than the one seen: they must stay within bounds
            return cls(name=name, low=low, high=low + max(1.0, abs(low)), effect=effect)
        apart = stands_apart(seen, atom)
        rest = np.unique(seen[seen != atom]) if apart else np.unique(seen)
        few = len(rest) <= KNOTS + 2
        inner = rest[1:-1] if few else np.quantile(rest, np.linspace(0, 1, KNOTS + 2)[1:-1])
        knots = tuple(sorted({float(knot) for knot in inner if low < knot < high}))
        return cls(name=name, low=low, high=high, knots=knots, atom=atom if apart else None, effect=effect)

    @property
    def width(self) -> int:
        """The number of features."""
        if self.effect:
            return effects.width(self.effect, self.knots) + len(self._jumps)
        return self.options or 1 + len(self.knots) + (self.atom is not None)

    def features(self, values: Tensor) -> list[Tensor]:
        """`width` float tensors of the shape of `values`; differentiable, but for the flags."""
        import torch

        if self.options:
            return [(values == option).to(torch.float32) for option in range(self.options)]
        if self.effect:
            return [part.to(torch.float32) for part in self._shaped(values)]
        span = (self.high - self.low) / 2
        line = (values - self.low) / span - 1
        hinges = [torch.relu(values - knot) / span for knot in self.knots]
        flags = [(values == self.atom).to(torch.float32)] if self.atom is not None else []
        return [part.to(torch.float32) for part in (line, *hinges, *flags)]

    def _shaped(self, values: Tensor) -> Iterator[Tensor]:
        yield from effects.shaped(self.effect, values, self.low, self.knots, self.high)
        for sign in self._jumps:
            yield sign * (values > self.low if self.atom == self.low else values >= self.high)

    @property
    def _jumps(self) -> tuple[int, ...]:
        return () if self.atom is None else effects.jumps(self.effect, at_low=self.atom == self.low)


class SettingEncoder(_Frozen):
    """Levers, then earlier outcomes, as features of the setting tower."""

    columns: tuple[SettingColumn | CodedColumn, ...]

    @property
    def coded(self) -> tuple[tuple[int, int], ...]:
        """For each lever with many options the place of its code among the features, and how many options it has."""
        places = self.slices()
        return tuple((places[c.name].start, c.options) for c in self.columns if isinstance(c, CodedColumn))

    @property
    def width(self) -> int:
        """F, the number of features."""
        return sum(column.width for column in self.columns)

    @property
    def held(self) -> tuple[tuple[int, int], ...]:
        """For each column whose effect has a declared shape where its features begin and end."""
        places = self.slices()
        return tuple((places[c.name].start, places[c.name].stop) for c in self.columns if c.effect)

    def slices(self) -> Mapping[str, slice]:
        """Column → its features' positions."""
        ends = np.cumsum([0, *(column.width for column in self.columns)])
        return {c.name: slice(int(a), int(b)) for c, (a, b) in zip(self.columns, pairwise(ends), strict=True)}

    def encode(self, settings: Tensor) -> Tensor:
        """Float [..., L] in natural units (options as codes) → float32 [..., F]."""
        import torch

        parts: Sequence[Tensor] = [
            feature for i, column in enumerate(self.columns) for feature in column.features(settings[..., i])
        ]
        return torch.stack(list(parts), dim=-1)


def stands_apart(seen: np.ndarray, value: float | None) -> bool:
    """Whether doing nothing is a thing of its own, and not merely the smallest dose.

    So it is where `value` is an end of the range of what was seen [N], and a fair share of the rows has exactly it:
    then the response may jump beside it, and rows on its other side say nothing of it.
    """
    if value is None or len(np.unique(seen)) <= 2 or value not in (seen.min(), seen.max()):
        return False
    return ATOM_SHARE <= float(np.mean(seen == value)) <= 1 - ATOM_SHARE
