"""Response curves: what models expect of outcomes and objective as one lever moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.evidence import Estimate
from drivetrain.optimizer.bounds import broken
from drivetrain.simulator import Crowd, Outlook, Simulator, jackknife

Floats = NDArray[np.float64]

SINGLE = 24
"""Rows whose own curves are told."""


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
    allowed: Floats
    """[G] the share of them for which the scenario's rules for single rows allow the setting."""
    each: Mapping[str, Floats]
    """The same quantities → [R, G] what is expected of some of the rows one by one, evenly taken: individual
    conditional expectation (Goldstein et al. 2015, J. Comput. Graph. Stat. 24:44)."""


def respond(simulator: Simulator, crowd: Crowd, line: Floats, lever: int) -> Response:
    """Ask about settings that differ in one lever only.

    Args:
        simulator: with all its members.
        crowd: the rows.
        line: [G, L] settings, ascending in the lever.
        lever: its place.
    """
    sums: dict[str, Tensor] = {}
    allowed = torch.zeros(len(line), dtype=torch.float64)
    for _, outlook in simulator.chunks(crowd, line):
        for name, values in _told(outlook).items():
            sums[name] = sums.get(name, torch.zeros(())) + values.double().sum(1)
        allowed += _allowed(simulator, outlook).double().sum(0)
    few = torch.from_numpy(np.linspace(0, len(crowd) - 1, min(SINGLE, len(crowd))).round().astype(np.int64))
    single = simulator.grid(crowd.take(few), line)
    return Response(
        lever=simulator.scenario.space.names[lever],
        settings=line[:, lever],
        estimates={name: _estimates(total / len(crowd), simulator.folds) for name, total in sums.items()},
        supported=simulator.support.holds(line),
        rows=len(crowd),
        allowed=(allowed / len(crowd)).numpy(),
        each={name: values.mean(0).double().numpy() for name, values in _told(single).items()},
    )


def _allowed(simulator: Simulator, outlook: Outlook) -> Tensor:
    """[N, G] where all that the scenario asks of each row holds."""
    out = torch.ones(outlook.objective.shape[1:], dtype=torch.bool)
    for each in simulator.scenario.constraints:
        if each.over == "each":
            out &= ~broken(each, outlook.mean(outlook.bounded[each.name]))
    return out


def _told(outlook: Outlook) -> dict[str, Tensor]:
    return {"objective": outlook.objective, **outlook.beside, **outlook.outcomes}


def _estimates(means: Tensor, folds: Tensor) -> tuple[Estimate, ...]:
    """From means [M, G]."""
    errors = jackknife(means, folds)
    return tuple(Estimate(float(v), float(e)) for v, e in zip(means.mean(0), errors, strict=True))
