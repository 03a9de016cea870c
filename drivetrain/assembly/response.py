"""Response curves: what models expect of outcomes and objective as one lever moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.evidence import Estimate
from drivetrain.simulator import Crowd, Outlook, Simulator, jackknife

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """What models expect along one lever, on average over the rows asked about; not judged by any evidence."""

    lever: str
    settings: Floats
    """[G] the lever's settings, ascending, in natural units; an option's code."""
    estimates: Mapping[str, tuple[Estimate, ...]]
    """`objective`, those beside it, each outcome → one estimate a setting, with the members' standard error."""
    supported: NDArray[np.bool_]
    """[G] whether the data has seen enough around the setting, the other levers being as asked."""
    rows: int
    """How many rows were asked about."""


def respond(simulator: Simulator, crowd: Crowd, line: Floats, lever: int) -> Response:
    """Ask about settings that differ in one lever only.

    Args:
        simulator: with all its members.
        crowd: the rows.
        line: [G, L] settings, ascending in the lever.
        lever: its place.
    """
    parts = (outlook for _, outlook in simulator.chunks(crowd, line))
    estimates = _means(parts, len(crowd))
    name = simulator.scenario.space.names[lever]
    return Response(name, line[:, lever], estimates, simulator.support.holds(line), len(crowd))


def _means(parts: Iterable[Outlook], rows: int) -> dict[str, tuple[Estimate, ...]]:
    """The mean over rows and members of each quantity, with the jackknife over members."""
    sums: dict[str, Tensor] = {}
    folds = torch.zeros(0)
    for outlook in parts:
        folds = outlook.folds
        for name, values in _told(outlook).items():
            sums[name] = sums.get(name, torch.zeros(())) + values.double().sum(1)
    return {name: _estimates(total / rows, folds) for name, total in sums.items()}


def _told(outlook: Outlook) -> dict[str, Tensor]:
    return {"objective": outlook.objective, **outlook.beside, **outlook.outcomes}


def _estimates(means: Tensor, folds: Tensor) -> tuple[Estimate, ...]:
    """From means [M, G]."""
    errors = jackknife(means, folds)
    return tuple(Estimate(float(v), float(e)) for v, e in zip(means.mean(0), errors, strict=True))
