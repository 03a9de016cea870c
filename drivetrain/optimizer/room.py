"""Where settings may go: the ranges that the data has seen, the levers' steps and options, as settings are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.scenario import Continuous, Integer, LeverSpace
from drivetrain.simulator import Support

Floats = NDArray[np.float64]

LINE = 33
"""Settings along one lever."""


@dataclass(frozen=True)
class Room:
    """What may be set, lever by lever."""

    space: LeverSpace
    support: Support
    low: Floats
    """[L] the lowest setting of each lever."""
    high: Floats
    """[L] the highest."""
    free: NDArray[np.bool_]
    """[L] which levers gradients can move."""

    @classmethod
    def of(cls, space: LeverSpace, support: Support) -> Room:
        """What levers allow and the data has seen."""
        levers = list(zip(support.reach, space.levers.values(), strict=True))
        low = np.array([max(reach.low, getattr(lever, "min", 0.0)) for reach, lever in levers])
        high = np.array([min(reach.high, getattr(lever, "max", np.inf)) for reach, lever in levers])
        plain = [isinstance(lever, Continuous) and not (lever.step or lever.frozen) for _, lever in levers]
        alone = [support.alone(i) is not None for i in range(len(levers))]
        return cls(space, support, low, high, np.array(plain) & ~np.array(alone) & (high > low))

    def line(self, i: int, at: float, many: int = LINE) -> Floats:
        """Settings along a lever: its options, or some spread over what was seen, and those next to the present one."""
        name = self.space.names[i]
        lever = self.space.levers[name]
        if lever.frozen:
            return np.array([at])
        if (seen := self.support.alone(i)) is not None and len(seen) <= LINE:
            return seen
        if not isinstance(lever, Continuous | Integer):
            return self.space.grid(name, LINE)
        width = (self.high[i] - self.low[i]) / (many - 1)
        fine = np.linspace(-1, 1, 9 if many == LINE else 1)
        values = at + width * np.concatenate([np.arange(-many, many + 1), fine])
        values = values[(values > self.low[i]) & (values < self.high[i])]
        if lever.step:
            near = at + lever.step * np.array([-1, 0, 1])
            values = lever.min + np.round((np.append(values, near) - lever.min) / lever.step) * lever.step
        values = np.unique(np.concatenate([self.space.rounded(name, values), [self.low[i], self.high[i], at]]))
        if lever.step:
            on = np.abs((values - lever.min) / lever.step - np.round((values - lever.min) / lever.step)) < 1e-6
            values = values[on]
        return values[(values >= lever.min) & (values <= lever.max)]

    def rounded(self, settings: Floats, how: Callable[[Floats], Floats] = np.round) -> Floats:
        """[G, L] as settings are told."""
        out = settings.copy()
        for i in np.flatnonzero(self.free):
            out[:, i] = self.space.rounded(self.space.names[i], settings[:, i], how)
        return out

    def allowed(self, settings: Floats) -> Floats:
        """[G, L] inside the ranges, on steps and options, as settings are told."""
        out = self.rounded(np.clip(settings, self.low, self.high))
        for i in np.flatnonzero(~self.free):
            lever, seen = self.space.levers[self.space.names[i]], self.support.alone(int(i))
            if lever.frozen:
                out[:, i] = self.space.current[i]
            elif seen is not None:
                out[:, i] = seen[np.abs(out[:, i, None] - seen).argmin(1)]
            elif not isinstance(lever, Continuous | Integer):
                out[:, i] = np.round(out[:, i])
            elif lever.step:
                out[:, i] = lever.min + np.round((out[:, i] - lever.min) / lever.step) * lever.step
        return out
