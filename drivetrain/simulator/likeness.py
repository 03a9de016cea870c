"""Which rows are like which, as the models see them: those of which they expect the same, whatever the setting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivetrain.simulator.crowd import Crowd
from drivetrain.simulator.simulator import Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def outlines(simulator: Simulator, crowd: Crowd, settings: Floats) -> Floats:
    """What members expect of each row under each of G settings [G, L], outcome by outcome: [N, G · outcomes].

    Where nothing is learned it is the objective. This is the learned context as far as it matters to any decision: two
    rows with the same outline get the same answers to every what-if, however their inputs differ.
    """
    parts = []
    for _, outlook in simulator.chunks(crowd, settings):
        told = outlook.outcomes or {"objective": outlook.objective}
        parts.append(np.concatenate([outlook.mean(value).double().numpy() for value in told.values()], axis=1))
    many = len(settings) * max(1, len(simulator.models.outcomes))
    return np.concatenate(parts) if parts else np.zeros((0, many))


def nearest(one: Floats, others: Floats, many: int) -> tuple[Ints, Floats]:
    """The rows of `others` [N, D] most like `one` [D], nearest first, and their distances.

    A distance is the root mean square of differences, each in standard deviations of its column over `others`; columns
    that hardly differ between rows count for nothing.
    """
    scale = others.std(0)
    kept = scale > 1e-9 * max(float(np.abs(others).max(initial=0.0)), 1e-300)
    apart = ((others[:, kept] - one[kept]) / scale[kept]) ** 2
    distance = np.sqrt(apart.mean(1)) if kept.any() else np.zeros(len(others))
    distance = np.where(np.isfinite(distance), distance, np.inf)
    first = np.argsort(distance, kind="stable")[:many]
    return first, distance[first]
