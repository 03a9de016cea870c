"""Risk: what a decision is worth to somebody who fears that the models are wrong.

The risk meant is that of the models, not the luck of single rows: the members say what a decision is worth, each its
own, and their say is a sample of what it may be worth. How far members differ says less than how far they may be off,
since they share most of their rows; their differences from the mean are therefore stretched until their standard
deviation is the jackknife's standard error (see `jackknife`). Members that are all of one fold are taken as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor

from drivetrain.scenario import Risk


def averse(values: Tensor, error: Tensor, risk: Risk | None) -> Tensor:
    """What values are worth, more being better, to somebody with this fear: [M, ...] → [...].

    Args:
        values: what each of M members says.
        error: [...] the standard error of their mean; 0 where it is not known.
        risk: the fear; the mean where there is none. A quantile is interpolated between members; the conditional value
            at risk is the mean of the worst share of them, one taken in part (Rockafellar & Uryasev 2000).
    """
    mean: Tensor = values.mean(0)
    if risk is None or len(values) == 1:
        return mean
    own = values.std(0, correction=0)
    spread = torch.where(error > 0, error, own)
    if risk.spread is not None:
        return mean - risk.spread * spread
    weights = _weights(risk, len(values)).to(values.dtype)
    worst = torch.sort(values - mean, dim=0).values
    out: Tensor = mean + torch.tensordot(weights, worst, dims=1) * (spread / own.clamp(min=1e-30))
    return out


def _weights(risk: Risk, members: int) -> Tensor:
    """[M] of the members' say, the worst first."""
    place = torch.arange(members, dtype=torch.float64)
    if risk.quantile is not None:
        return (1 - (place - risk.quantile * (members - 1)).abs()).clamp(min=0)
    share = float(risk.cvar or 1.0) * members
    return (share - place).clamp(0, 1) / share
