"""What none of the settings that were asked about is better than in every objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Archive:
    """Settings that keep every bound, none better than another in every objective."""

    settings: Floats
    """[A, L]"""
    values: Floats
    """[A, K] more being better."""

    def add(self, settings: Floats, values: Floats) -> int:
        """Take in what nothing else beats; how many of these settings are now part of it."""
        if not len(settings):
            return 0
        values, first = np.unique(values, axis=0, return_index=True)
        together = np.vstack([self.values, values])
        kept = unbeaten(together)
        self.values = together[kept]
        self.settings = np.vstack([self.settings, settings[first]])[kept]
        return int((kept >= len(together) - len(values)).sum())

    @property
    def ranges(self) -> Floats:
        """[K] how far each objective reaches; 1 where it is the same throughout."""
        widths = np.ptp(self.values, axis=0)
        return np.where(widths > 0, widths, 1.0)

    @property
    def scaled(self) -> Floats:
        """[A, K] from 0 to 1."""
        return np.asarray((self.values - self.values.min(0)) / self.ranges)

    def spread(self, points: int) -> Ints:
        """At most so many, far apart: the best in each objective, then each time the one furthest from all."""
        scaled = self.scaled
        picked = list(dict.fromkeys(scaled.argmax(0).tolist()))
        away = np.abs(scaled[:, None] - scaled[picked]).max(2).min(1)
        while len(picked) < min(points, len(scaled)) and away.max() > 0:
            picked.append(int(away.argmax()))
            away = np.minimum(away, np.abs(scaled - scaled[picked[-1]]).max(1))
        return np.array(picked, dtype=np.int64)


def unbeaten(values: Floats) -> Ints:
    """Which of values [P, K], more being better, no other one beats; of equal ones the first."""
    order = np.lexsort([np.arange(len(values)), *(-values.T[::-1])])  # the best in the first objective first
    ranked = values[order]
    if values.shape[1] == 2:
        best = np.maximum.accumulate(ranked[:, 1])
        kept = np.concatenate([[True], ranked[1:, 1] > best[:-1]])[: len(ranked)]
        return np.sort(order[kept])
    found: list[int] = []
    for place, value in zip(order.tolist(), ranked, strict=True):
        if not found or not (values[found] >= value).all(1).any():
            found.append(place)
    return np.sort(np.array(found, dtype=np.int64))
