"""Which levers act on each other: how much of two levers' joint effect on the objective is more than their sum.

The statistic is Friedman & Popescu's (2008, section 8.1) H², on a grid of both levers' settings: of the variance of
their joint partial dependence the share that no sum of one function each explains. 0: each can be set without a look
at the other.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drivetrain.simulator.simulator import Simulator

ROWS = 200
POINTS = 5
MOST_LEVERS = 8

Floats = NDArray[np.float64]


def interplay(simulator: Simulator, frame: pd.DataFrame, settings: Floats, seed: int) -> list[dict[str, Any]]:
    """For each pair of levers `levers`, `share` (H², 0 to 1) and `size` in the objective's unit; the largest first.

    Args:
        simulator: who is asked.
        frame: [N] rows, of which 200 stand for all.
        settings: [N, L] as the data shows them: the grid's values are theirs, and other levers stay as they are.
        seed: of the rows.
    """
    names = list(simulator.scenario.levers)[:MOST_LEVERS]
    if len(names) < 2:
        return []
    rows = np.random.default_rng(seed).permutation(len(frame))[:ROWS]
    asked, base = frame.iloc[rows], settings[rows]
    values = [_values(settings[:, place]) for place in range(len(names))]
    out = []
    for one, other in combinations(range(len(names)), 2):
        joint = _joint(simulator, asked, base, one, other, values)
        both, share = apart(joint)
        size = float(np.sqrt(np.mean(both**2)))
        out.append({"levers": [names[one], names[other]], "share": share, "size": size})
    return sorted(out, key=lambda each: -each["size"])


def apart(joint: Floats) -> tuple[Floats, float]:
    """What of a table [A, B] is more than its lines' and columns' means add up to, and the share of its variance.

    >>> apart(np.array([[0.0, 1.0], [2.0, 3.0]]))[1]
    0.0
    """
    centred = joint - joint.mean()
    both = centred - centred.mean(axis=0) - centred.mean(axis=1, keepdims=True)
    whole = float((centred**2).sum())
    return both, float((both**2).sum()) / whole if whole > 0 else 0.0


def _values(seen: Floats) -> Floats:
    """Up to five settings that the data shows, evenly spread over its rows."""
    return np.unique(np.quantile(seen, np.linspace(0.05, 0.95, POINTS), method="nearest"))


def _joint(
    simulator: Simulator, frame: pd.DataFrame, base: Floats, one: int, other: int, values: list[Floats]
) -> Floats:
    """[A, B] the mean objective over rows where two levers stand at each pair of values."""
    pairs = np.stack(np.meshgrid(values[one], values[other], indexing="ij"), -1).reshape(-1, 2)
    settings = np.tile(base, (len(pairs), 1))
    settings[:, [one, other]] = np.repeat(pairs, len(base), axis=0)
    crowd = simulator.crowd(frame).take(torch.arange(len(base)).repeat(len(pairs)))
    worth = simulator.paired(crowd, settings).mean().double().numpy().reshape(len(pairs), len(base))
    means: Floats = worth.mean(axis=1).reshape(len(values[one]), len(values[other]))
    return means
