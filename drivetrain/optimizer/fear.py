"""What is taken off the worth of a decision because its models may be wrong; see `simulator.averse`."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.simulator import Crowd, Outlook, Simulator, averse, jackknife

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]


def premiums(simulator: Simulator, crowd: Crowd, unit: Ints, settings: Floats) -> Singles:
    """For each of U decisions under each of G settings [G, L] what its rows' sum is worth less than the mean: [U, G].

    Members are asked about a decision as a whole: the errors of its rows add up or cancel as they do.
    """
    units = int(unit.max()) + 1
    if simulator.scenario.objective.risk is None:
        return np.zeros((units, len(settings)), dtype=np.float32)
    if units == len(crowd):
        out = np.empty((units, len(settings)), dtype=np.float32)
        for part, outlook in simulator.chunks(crowd, settings):
            out[unit[part]] = _lost(simulator, outlook.objective)
        return out
    where, sums = torch.from_numpy(unit), torch.zeros(len(simulator.folds), units, len(settings))
    for part, outlook in simulator.chunks(crowd, settings):
        sums.index_add_(1, where[part], outlook.objective)
    return _lost(simulator, sums)


def paired_premiums(simulator: Simulator, outlook: Outlook, unit: Ints) -> Singles:
    """The same for decisions whose rows have one setting each, [U]; the outlook's tensors are [M, N, 1]."""
    if simulator.scenario.objective.risk is None:
        return np.zeros(int(unit.max()) + 1, dtype=np.float32)
    sums = torch.zeros(len(outlook.objective), int(unit.max()) + 1)
    sums.index_add_(1, torch.from_numpy(unit), outlook.objective[..., 0])
    return _lost(simulator, sums)


def _lost(simulator: Simulator, sums: Tensor) -> Singles:
    objective = simulator.scenario.objective
    signed = objective.sign * sums
    lost = signed.mean(0) - averse(signed, jackknife(signed, simulator.folds), objective.risk)
    return np.asarray(lost.nan_to_num(0.0, 0.0, 0.0).numpy())
