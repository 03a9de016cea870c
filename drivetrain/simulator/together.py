"""What members expect of many rows together, added up part by part, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.simulator.crowd import Crowd
from drivetrain.simulator.outlook import Outlook, jackknife
from drivetrain.simulator.simulator import CELLS_IN_CACHE, Simulator
from drivetrain.simulator.slots import summed

Floats = NDArray[np.float64]

MOST_SAMPLED = 200_000
"""Quantiles over rows are taken from no more than so many, evenly spread: a rank is then off by about a thousandth."""

SAME = 1e-5
"""Gains smaller than this share of the objective are 0: 32-bit numbers that are reckoned on two ways differ by less."""


@dataclass(frozen=True)
class Asked:
    """Rows, and the setting that each gets."""

    crowds: Iterable[tuple[slice, Crowd]]
    """Runs of rows, in order; asked for once."""
    settings: Floats
    """[N, L], or [1, L] where all get the same; where rows get several options, these, [N or 1, K]: see `summed`."""

    def outlooks(self, simulator: Simulator) -> Iterable[tuple[slice, Outlook]]:
        """What members expect, tensors [M, n, 1], run by run."""
        for part, crowd in self.crowds:
            step = max(1, CELLS_IN_CACHE // max(1, len(simulator.folds)))
            for start in range(0, len(crowd), step):
                few = crowd.take(slice(start, start + step)) if len(crowd) > step else crowd
                at = slice(part.start + start, part.start + start + len(few))
                yield at, self._outlook(simulator, few, at)

    def _outlook(self, simulator: Simulator, crowd: Crowd, at: slice) -> Outlook:
        one = len(self.settings) == 1
        if simulator.scenario.slots > 1:
            return summed(simulator, crowd, np.tile(self.settings, (len(crowd), 1)) if one else self.settings[at])
        return simulator.grid(crowd, self.settings) if one else simulator.paired(crowd, self.settings[at])


@dataclass
class Tally:
    """Sums over rows; members are carried jointly, so that what they disagree in does not average out over rows."""

    folds: Tensor
    """int64 [M]"""
    rows: int = 0
    sums: dict[str, Tensor] = field(default_factory=dict)
    """`objective`, those beside it and each outcome → float64 [M], summed over rows."""
    gains: Tensor | None = None
    """float64 [M]: how much better than the reference, in the objective's direction, summed over rows."""
    worse: float = 0.0
    """The expected number of rows that are worse off than under the reference, as members disagree on each."""
    sampled: list[Floats] = field(default_factory=list)
    """The objective of some rows, the mean over members."""

    def add(self, outlook: Outlook, reference: Tensor | None, sign: int, every: slice) -> None:
        """Add n rows.

        Args:
            outlook: what members expect of them, [M, n, 1].
            reference: the objective that they are compared with, to be broadcast to [M, n, 1]; None for no comparison.
            sign: 1 where more is better, −1 where less is.
            every: which of the rows are sampled.
        """
        self.rows += outlook.objective.shape[1]
        for name, values in {"objective": outlook.objective, **outlook.beside, **outlook.outcomes}.items():
            total = values.sum((1, 2), dtype=torch.float64)
            self.sums[name] = self.sums[name] + total if name in self.sums else total
        self.sampled.append(outlook.mean()[every, 0].double().numpy())
        if reference is None:
            return
        gain, changes = _gained(sign * (outlook.objective - reference), outlook)
        total = gain.sum((1, 2), dtype=torch.float64)
        self.gains = total if self.gains is None else self.gains + total
        likely = torch.special.ndtr(-gain.mean(0) / jackknife(gain, self.folds).clamp(min=1e-30))
        self.worse += float(likely[changes].sum(dtype=torch.float64))

    def total(self, name: str) -> tuple[float, float]:
        """The sum over rows, and its standard error over members."""
        return _with_error(self.sums[name], self.folds)

    @property
    def gain(self) -> tuple[float, float] | None:
        """How much better than the reference all rows together are, and its standard error over members."""
        return None if self.gains is None else _with_error(self.gains, self.folds)

    def quantile(self, *levels: float) -> list[float]:
        """Over rows, of what is expected of each."""
        found: list[float] = np.quantile(np.concatenate(self.sampled), levels).tolist()
        return found


def tally(simulator: Simulator, asked: Asked, rows: int, reference: Asked | float | None = None) -> Tally:
    """What members expect of N rows together.

    Args:
        simulator: who is asked.
        asked: the rows and their settings.
        rows: N.
        reference: the same rows under other settings or inputs, or a number that the objective of each is compared
            with; None for no comparison.
    """
    out, every = Tally(simulator.folds), max(1, rows // MOST_SAMPLED)
    others = iter(reference.outlooks(simulator)) if isinstance(reference, Asked) else None
    fixed = torch.tensor(float(reference)) if isinstance(reference, float) else None
    for part, outlook in asked.outlooks(simulator):
        beside = next(others)[1].objective if others is not None else fixed
        out.add(outlook, beside, simulator.scenario.objective.sign, slice(-part.start % every, None, every))
    return out


def _gained(gain: Tensor, outlook: Outlook) -> tuple[Tensor, Tensor]:
    """What rows gain, [M, n, 1], 0 where nothing changes for any member; and for which something does, [n, 1]."""
    size = outlook.mean().abs()
    changes = gain.abs().amax(0) > SAME * torch.maximum(size, size.mean())
    return torch.where(changes, gain, 0.0), changes


def _with_error(sums: Tensor, folds: Tensor) -> tuple[float, float]:
    return float(sums.mean()), float(jackknife(sums, folds))
