"""How far around a setting of one lever other settings still speak for it."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from drivetrain.modeler import stands_apart

Floats = NDArray[np.float64]

FEW_VALUES = 12
NEXT = 1e-9
SHARE_NEXT = 1e-7
"""Settings closer than this, or than this share of their size, are the same: 32-bit numbers are no closer to theirs."""


class Reach(BaseModel):
    """A kernel around settings of one lever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: float
    """Half-width of the kernel, in the lever's unit; 0 where only the same value speaks."""
    low: float
    high: float
    """The range that the data has seen, without `apart`."""
    apart: float | None = None
    """Doing nothing, where that is not merely the smallest dose: it speaks only for itself."""

    @classmethod
    def fit(cls, seen: Floats, *, discrete: bool, nothing: float | None, ranges: int = 1) -> Self:
        """Args: seen: [N] logged settings; discrete: options or yes/no; nothing: doing nothing; ranges: how many."""
        apart = nothing if not discrete and stands_apart(seen, nothing) else None
        rest = seen[seen != apart] if apart is not None else seen
        plain = discrete or len(np.unique(rest)) <= FEW_VALUES
        return cls(width=0.0 if plain else _half_width(rest, ranges), low=rest.min(), high=rest.max(), apart=apart)

    def kernel(self, seen: Floats, setting: Floats) -> Floats:
        """How much each seen setting [..., N, 1] speaks for each setting [..., 1, G]: 1 the same, 0 out of reach."""
        if self.width > 0:
            weight: Floats = np.clip(1 - ((seen - setting) / self.width) ** 2, 0, None)
            if self.apart is None:
                return weight
        same = np.isclose(seen, setting, rtol=SHARE_NEXT, atol=NEXT)
        if self.width == 0:
            return same.astype(np.float64)
        alone = (seen == self.apart) | (setting == self.apart)
        return np.where(alone, same, weight)

    def inside(self, setting: Floats) -> NDArray[np.bool_]:
        """Whether settings [G] lie in the range that was seen."""
        inside: NDArray[np.bool_] = (setting >= self.low - next_to(self.low)) & (
            setting <= self.high + next_to(self.high)
        )
        return inside if self.apart is None else inside | (setting == self.apart)


def next_to(values: Floats | float) -> Floats | float:
    """How far from values others still are the same."""
    return NEXT + SHARE_NEXT * np.abs(values)


def _half_width(seen: Floats, ranges: int) -> float:
    """Silverman's rule (1986, eqs 3.31 and 4.14) for a Gaussian kernel, times 2.2 for the equivalent Epanechnikov one.

    The more levers are smoothed together, the wider the kernel of each: N^(−1 / (4 + ranges)).
    """
    spread = min(seen.std(), (np.quantile(seen, 0.75) - np.quantile(seen, 0.25)) / 1.34) or seen.std()
    factor = 0.9 if ranges <= 1 else (4 / (ranges + 2)) ** (1 / (ranges + 4))
    return float(2.2 * factor * spread * len(seen) ** (-1 / (4 + ranges)))
