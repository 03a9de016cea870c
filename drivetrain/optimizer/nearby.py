"""How far settings may move before that costs much: near-optimal ranges around each row's setting."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.optimizer.bounds import broken
from drivetrain.optimizer.candidates import candidates
from drivetrain.optimizer.offers import Offers
from drivetrain.scenario import Continuous, Integer, Scenario
from drivetrain.simulator import Crowd, Expected, Simulator

Floats = NDArray[np.float64]

LOSS = 0.01
"""The share of a row's own objective that a setting in its range may cost."""
POINTS = 21
"""Places along each of several levers, the others staying where they are."""


def nearby(simulator: Simulator, crowd: Crowd, settings: Floats) -> Floats:
    """Around each row's setting the unbroken run of settings, along each numeric lever, that lose at most 1%.

    One lever alone is tried at every candidate, all rows at once; of several levers each at 21 candidates, the others
    staying. A setting that breaks what holds for each row, or that the data cannot speak for, ends the run.

    Args:
        simulator: who is asked.
        crowd: N rows.
        settings: [N, L] their settings.

    Returns:
        [N, L, 2] lowest and highest; NaN for levers without an order.
    """
    tried, space = candidates(simulator.scenario.space, simulator.support), simulator.scenario.space
    out = np.full((*settings.shape, 2), np.nan)
    base = _value(simulator.scenario, simulator.expected_paired(crowd, settings))[:, 0]
    floor = (base - LOSS * base.abs()).masked_fill(~torch.isfinite(base), torch.inf)  # nothing is like what is barred
    for i, lever in enumerate(space.levers.values()):
        if not isinstance(lever, Continuous | Integer):
            continue
        line = np.unique(tried[:, i])
        if len(space) == 1:
            for part, expected in simulator.expected(crowd, line[:, None]):
                good = _value(simulator.scenario, expected) >= floor[part, None]
                out[part, i] = _run(line, good, settings[part, i])
        else:
            line = line[np.unique(np.linspace(0, len(line) - 1, POINTS).round().astype(int))]
            out[:, i] = _run(line, _along(simulator, crowd, settings, i, line, floor), settings[:, i])
    return _inside(simulator, crowd, settings, out)


def _inside(simulator: Simulator, crowd: Crowd, settings: Floats, near: Floats) -> Floats:
    """No further than the bounds that levers have for each row, but never short of the row's own setting."""
    ends = Offers.of(simulator, crowd, np.arange(len(crowd), dtype=np.int64)).ends
    if ends is None:
        return near
    low, high = np.maximum(near[..., 0], ends[0]), np.minimum(near[..., 1], ends[1])
    return np.stack([np.minimum(low, settings), np.maximum(high, settings)], axis=-1)


def _value(scenario: Scenario, expected: Expected) -> Tensor:
    """[n, G] better when higher, −∞ where what holds for each is broken or nothing can be computed."""
    value = scenario.objective.sign * expected.objective
    barred = ~torch.isfinite(value)
    for constraint in scenario.constraints:
        if constraint.over == "each":
            barred |= broken(constraint, expected.bounded[constraint.name])
    return value.masked_fill(barred, -torch.inf)


def _along(simulator: Simulator, crowd: Crowd, settings: Floats, i: int, line: Floats, floor: Tensor) -> Tensor:
    """[N, P] whether rows may move to each place of one lever."""
    good = torch.empty(len(settings), len(line), dtype=torch.bool)
    for place, value in enumerate(line):
        moved = settings.copy()
        moved[:, i] = value
        fine = _value(simulator.scenario, simulator.expected_paired(crowd, moved))[:, 0] >= floor
        good[:, place] = fine & torch.from_numpy(simulator.support.holds(moved))
    return good


def _run(line: Floats, good: Tensor, at: Floats) -> Floats:
    """Lowest and highest of the unbroken run of good places [P] around each setting [n]: [n, 2], itself included."""
    bad = (~good).numpy()
    below = np.searchsorted(line, at, "left")
    above = np.searchsorted(line, at, "right")
    places = np.arange(len(line))
    lowest = np.where(bad & (places < below[:, None]), places, -1).max(1) + 1
    highest = np.where(bad & (places >= above[:, None]), places, len(line)).min(1) - 1
    low = np.where(lowest < below, line[np.minimum(lowest, len(line) - 1)], at)
    high = np.where(highest >= above, line[np.maximum(highest, 0)], at)
    return np.column_stack([low, high])
