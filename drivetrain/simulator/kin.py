"""Support row by row: whether, of the rows most like one, enough had a setting near the one that it would get.

Rows are alike where models expect the same of them, whatever the setting (see `likeness`): in the learned context, and
not in inputs that matter to nothing. A setting that many rows had, but hardly one like this, is extrapolation for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drivetrain.scenario import Scenario
from drivetrain.simulator.crowd import Crowd
from drivetrain.simulator.likeness import outlines
from drivetrain.simulator.simulator import Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KEPT = 4096
ALIKE = 200
"""So many of the kept rows, the most alike, are asked; of few rows a fifth."""
PLACES = 16
"""Settings under which rows are compared."""
ENOUGH, SHARE = 10.0, 0.3
"""So many of them must speak for a setting; or, where that is less, this share of what as many from everywhere do."""
CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class Kin:
    """Rows of the data that others are compared with."""

    frame: pd.DataFrame
    """K training rows' inputs."""
    settings: Floats
    """[K, L] what they had."""
    _last: list[tuple[Simulator, Crowd, Ints]] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, scenario: Scenario, frame: pd.DataFrame, settings: Floats) -> Self | None:
        """From training rows [N], evenly taken; None where the scenario does not ask for it."""
        if scenario.decide.support != "alike":
            return None
        at = np.linspace(0, len(frame) - 1, min(KEPT, len(frame))).round().astype(np.int64)
        return cls(frame.iloc[at].reset_index(drop=True), settings[at])

    def among(self, simulator: Simulator, crowd: Crowd, settings: Floats) -> Bools:
        """[N, G] whether enough of the rows most like each of N speak for each of settings [G, L].

        A row for which that holds of no setting is not guarded: its history tells nothing, and the rows' at large must
        do.
        """
        speaks = simulator.support.kernel(self.settings, settings)
        near, out = self._near(simulator, crowd), np.empty((len(crowd), len(settings)), dtype=np.bool_)
        least, step = self._least(speaks, near), max(1, CELLS_AT_ONCE // max(1, speaks.shape[1] * near.shape[1]))
        for start in range(0, len(crowd), step):
            part = slice(start, start + step)
            told = speaks[near[part]].sum(1)
            out[part] = (told >= least) & (told > 0)
        out[~out.any(1)] = True
        return out

    def holds(self, simulator: Simulator, crowd: Crowd, settings: Floats) -> Bools:
        """[N] whether enough of the rows most like each of N speak for its own setting in settings [N, L]."""
        near, told = self._near(simulator, crowd), np.empty(len(crowd))
        distinct, back = np.unique(settings, axis=0, return_inverse=True)
        step = max(1, CELLS_AT_ONCE // near.shape[1])
        for start in range(0, len(crowd), step):
            part = slice(start, start + step)
            like = self.settings[near[part]]
            asked = np.broadcast_to(settings[part][:, None], like.shape).reshape(-1, like.shape[2])
            told[part] = simulator.support.paired(like.reshape(asked.shape), asked).reshape(like.shape[:2]).sum(1)
        usual = np.concatenate(
            [
                simulator.support.kernel(self.settings, distinct[i : i + 500]).mean(0)
                for i in range(0, len(distinct), 500)
            ]
        )[back.ravel()]
        least = np.minimum(ENOUGH, SHARE * usual * near.shape[1])
        return np.asarray((told >= least) & (told > 0))  # what nobody had, nobody speaks for

    def _least(self, speaks: Floats, near: Ints) -> Floats:
        return np.asarray(np.minimum(ENOUGH, SHARE * speaks.mean(0) * near.shape[1]))

    def _near(self, simulator: Simulator, crowd: Crowd) -> Ints:
        """[N, A] the places of the kept rows most like each; of the crowd asked about last they are remembered."""
        for known, seen, near in self._last:
            if known is simulator and seen is crowd:
                return near
        stops = simulator.support.logged(PLACES)
        others = outlines(simulator, simulator.crowd(self.frame), stops)
        scale = others.std(0)
        kept = scale > 1e-9 * max(float(np.abs(others).max(initial=0.0)), 1e-300)
        many = max(1, min(ALIKE, len(others) // 5))
        if not kept.any():  # all rows are alike
            near = np.tile(np.linspace(0, len(others) - 1, many).round().astype(np.int64), (len(crowd), 1))
        else:
            own = outlines(simulator, crowd, stops)[:, kept] / scale[kept]
            near = _nearest(own, others[:, kept] / scale[kept], many)
        self._last[:] = [(simulator, crowd, near)]
        return near


def _nearest(own: Floats, others: Floats, many: int) -> Ints:
    """[N, A] by Euclidean distance, a run of rows at a time."""
    pool, step = torch.from_numpy(others).float(), max(1, CELLS_AT_ONCE // len(others))
    out = np.empty((len(own), many), dtype=np.int64)
    for start in range(0, len(own), step):
        away = torch.cdist(torch.from_numpy(own[start : start + step]).float(), pool)
        out[start : start + step] = torch.topk(away.nan_to_num(torch.inf), many, dim=1, largest=False).indices.numpy()
    return out
