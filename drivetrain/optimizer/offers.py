"""What each decision may be offered: the candidate settings, moved inside a decision's own bounds where it has some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.candidates import candidates
from drivetrain.scenario import Continuous, Integer, LeverSpace
from drivetrain.simulator import Crowd, Expected, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAIRS_AT_ONCE = 262_144


@dataclass(frozen=True)
class Offers:
    """G settings for each of U decisions."""

    tried: Floats
    """[G, L]"""
    unit: Ints
    """[N] the decision of each row."""
    ends: tuple[Floats, Floats] | None = None
    """Lowest and highest setting [U, L] of each decision; None where all have the levers' own."""
    unmoved: int = 0
    """So many of the settings are offered as they are, inside a decision's bounds or not."""
    own: Floats | None = None
    """[U, L] what each decision is set to now, offered to it last, as setting G; NaN where its rows differ in that, or
    the data does not support it. None where changes cost nothing."""

    @classmethod
    def of(cls, simulator: Simulator, crowd: Crowd, unit: Ints) -> Offers:
        """What the data supports, within what levers allow each row: the tightest of its rows for each decision.

        Where risk is taken off, settings are not moved, and those outside a decision's bounds are only refused.

        Raises:
            RefusedError: the data supports no candidate.
        """
        scenario = simulator.scenario
        tried = candidates(scenario.space, simulator.support)
        own = [each for each in scenario.space.levers.values() if _bounded(each)]
        now = _now(simulator, crowd, unit)
        if not own or scenario.objective.risk is not None:
            return cls(tried, unit, own=now)
        return cls(tried, unit, _ends(simulator, crowd, unit), own=now)

    @property
    def both(self) -> Offers:
        """Every setting as it is, and once more inside each decision's bounds: to tell which rule stands in the way."""
        if self.ends is None:
            return self
        return replace(self, tried=np.vstack([self.tried, self.tried]), unmoved=len(self.tried))

    def alike(self, levers: list[int]) -> Offers:
        """The same, some levers never moved, since decisions share them."""
        if self.ends is None:
            return replace(self, own=None)
        low, high = (end.copy() for end in self.ends)
        low[:, levers], high[:, levers] = -np.inf, np.inf
        return replace(self, ends=(low, high), own=None)

    def __len__(self) -> int:
        """G, and one more where decisions are offered what they are set to now."""
        return len(self.tried) + (self.own is not None)

    def settings(self, picked: Ints) -> Floats:
        """[U, L] for a choice [U]."""
        chosen = self.tried[np.minimum(picked, len(self.tried) - 1)]
        chosen = chosen if self.ends is None else np.clip(chosen, *self.ends)
        return chosen if self.own is None else np.where((picked == len(self.tried))[:, None], self.own, chosen)

    def common(self) -> Floats:
        """[G, L] what everyone is offered, where there is one decision."""
        return self.tried if self.ends is None else np.clip(self.tried, self.ends[0][0], self.ends[1][0])

    def expected(self, simulator: Simulator, crowd: Crowd) -> Iterator[tuple[slice, Expected, Tensor | None]]:
        """Over runs of rows: what members expect [n, G], and what is barred though others may have it: settings that
        moving them has taken out of support, and those for which hardly a row like this one speaks.
        """
        alone = simulator.kin is not None and len(self.unit) == int(self.unit.max()) + 1
        among = simulator.kin.among(simulator, crowd, self.tried) if simulator.kin is not None and alone else None
        for part, expected, unmovable in self._common(simulator, crowd):
            barred = unmovable
            if among is not None:
                unlike = torch.from_numpy(~among[part])
                barred = unlike if barred is None else barred | unlike
            told = part, expected, barred
            yield told if self.own is None else self._with_own(simulator, crowd, *told)

    def _with_own(
        self, simulator: Simulator, crowd: Crowd, part: slice, expected: Expected, barred: Tensor | None
    ) -> tuple[slice, Expected, Tensor]:
        """One more column: what rows are set to now."""
        assert self.own is not None  # noqa: S101  (it is asked only then)
        now = self.own[self.unit[part]]
        unknown = np.asarray(np.isnan(now).any(1))
        told = simulator.expected_paired(crowd.take(part), np.where(unknown[:, None], self.tried[0], now))
        bounded = {name: torch.cat([value, told.bounded[name]], dim=1) for name, value in expected.bounded.items()}
        closed = torch.zeros(expected.objective.shape, dtype=torch.bool) if barred is None else barred
        both = torch.cat([closed, torch.from_numpy(unknown)[:, None]], dim=1)
        return part, Expected(torch.cat([expected.objective, told.objective], dim=1), bounded), both

    def _common(self, simulator: Simulator, crowd: Crowd) -> Iterator[tuple[slice, Expected, Tensor | None]]:
        """The same for the settings that all decisions are offered."""
        if self.ends is None:
            yield from ((part, expected, None) for part, expected in simulator.expected(crowd, self.tried))
            return
        many, step = len(self.tried), max(1, PAIRS_AT_ONCE // len(self.tried))
        for start in range(0, len(crowd), step):
            part = slice(start, min(start + step, len(crowd)))
            low, high = (end[self.unit[part]][:, None] for end in self.ends)
            settings = np.clip(self.tried[None], low, high)
            settings[:, : self.unmoved] = self.tried[: self.unmoved]
            moved = (settings != self.tried).any(2)
            barred = np.zeros(moved.shape, dtype=np.bool_)
            barred[moved] = ~simulator.support.holds(settings[moved])
            rows = torch.arange(part.start, part.stop).repeat_interleave(many)
            expected = simulator.expected_paired(crowd.take(rows), settings.reshape(-1, settings.shape[2]))
            bounded = {name: value.reshape(-1, many) for name, value in expected.bounded.items()}
            yield part, Expected(expected.objective.reshape(-1, many), bounded), torch.from_numpy(barred)


def _now(simulator: Simulator, crowd: Crowd, unit: Ints) -> Floats | None:
    """[U, L] what each decision is set to now, NaN where it cannot be kept; None where nobody asks."""
    if crowd.current is None or not simulator.scenario.remembered:
        return None
    first = np.unique(unit, return_index=True)[1]
    own: Floats = crowd.current[first].copy()
    torn = np.zeros(len(own), dtype=np.bool_)
    np.logical_or.at(torn, unit, (crowd.current != own[unit]).any(1))
    known = np.asarray(~torn & np.isfinite(own).all(1))
    known &= simulator.support.holds(np.where(known[:, None], own, 0.0))
    if simulator.kin is not None and len(unit) == len(own):
        asked = np.where(known[unit][:, None], crowd.current, simulator.support.seen[0])
        known[unit] &= simulator.kin.holds(simulator, crowd, asked)
    for i, lever in enumerate(simulator.scenario.levers.values()):
        if isinstance(lever, Continuous | Integer):
            known &= (own[:, i] >= lever.min) & (own[:, i] <= lever.max)
    own[~known] = np.nan
    return own


def _bounded(lever: object) -> bool:
    return isinstance(lever, Continuous | Integer) and (lever.at_most is not None or lever.at_least is not None)


def _ends(simulator: Simulator, crowd: Crowd, unit: Ints) -> tuple[Floats, Floats]:
    space, units = simulator.scenario.space, int(unit.max()) + 1
    low, high = np.full((units, len(space)), -np.inf), np.full((units, len(space)), np.inf)
    for i, (name, lever) in enumerate(space.levers.items()):
        if not isinstance(lever, Continuous | Integer):
            continue
        if lever.at_least is not None:
            np.maximum.at(low[:, i], unit, np.nan_to_num(simulator.known(crowd, lever.at_least), nan=-np.inf))
        if lever.at_most is not None:
            np.minimum.at(high[:, i], unit, np.nan_to_num(simulator.known(crowd, lever.at_most), nan=np.inf))
        low[:, i], high[:, i] = _inward(space, name, low[:, i], high[:, i])
    return low, high


def _inward(space: LeverSpace, name: str, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """The ends on the lever's steps, or as finely as settings are said where that leaves room, and inside its range."""
    lever = space.levers[name]
    assert isinstance(lever, Continuous | Integer)  # noqa: S101  (only these have ends)
    low, high = np.clip(low, lever.min, lever.max), np.clip(high, lever.min, lever.max)
    if lever.step:
        return tuple(
            lever.min + how((end - lever.min) / lever.step) * lever.step
            for end, how in ((low - 1e-9, np.ceil), (high + 1e-9, np.floor))
        )  # type: ignore[return-value]
    tidy = space.rounded(name, low, np.ceil), space.rounded(name, high, np.floor)
    room = tidy[0] <= tidy[1]
    return np.where(room, tidy[0], low), np.where(room, tidy[1], high)
