"""How wide kernels are for numbers: settled by the data, by Lepski's principle as SLOPE applies it to policy values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence import kernel
from drivetrain.evidence.estimators import Parts, dr
from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.value import Judge

Floats = NDArray[np.float64]

FACTORS = (0.35, 0.5, 0.71, 1.0)
"""Widths that are tried, in widths of the support's kernel; narrow ones err by chance, wide ones by their bias. None is
wider than the support's: along a curve the bias of a wide one may show elsewhere than where it was looked for."""


@dataclass(frozen=True)
class Width:
    """What a policy is worth under one width of the kernels."""

    factor: float
    estimate: Estimate


def widths(court: Judge, settings: Floats, parts: Parts) -> tuple[Width, ...]:
    """The doubly robust value of a policy under every width; one where no lever is a number with others near it."""
    if not kernel.smooth(court.support):
        return (Width(1.0, court.estimate(dr(parts))),)
    out = []
    for factor in FACTORS:
        weight = court.widened(factor).weights(settings)
        out.append(Width(factor, court.estimate(dr(replace(parts, weight=weight)))))
    return tuple(out)


def lepski(tried: tuple[Width, ...]) -> float:
    """The widest kernel whose interval, like those of all narrower ones, shares a point with them.

    Bias grows with the width and chance falls with it, so the first width whose interval does not meet the others' is
    one whose bias shows (Su, Srinath & Krishnamurthy 2020, "Adaptive Estimator Selection for Off-Policy Evaluation",
    which bounds the loss of this choice; its intervals are two errors to each side).
    """
    low, high, chosen = -np.inf, np.inf, tried[0].factor
    for each in tried:
        low = max(low, each.estimate.value - 2 * each.estimate.error)
        high = min(high, each.estimate.value + 2 * each.estimate.error)
        if low > high:
            break
        chosen = each.factor
    return chosen


def steadied(court: Judge, settings: Mapping[str, Floats | None]) -> tuple[Judge, dict[str, Parts]]:
    """A judge with one width for all policies, the narrowest that any calls for, and the policies' parts under it.

    Args:
        court: with the support's own width.
        settings: policy → its setting for each row [N, L]; None of what the data shows.
    """
    parts = {name: court.shown() if at is None else court.parts(at) for name, at in settings.items()}
    asked = {name: at for name, at in settings.items() if at is not None}
    factor = min((lepski(widths(court, at, parts[name])) for name, at in asked.items()), default=1.0)
    wide = court.widened(factor)
    for name, at in asked.items():
        parts[name] = replace(parts[name], weight=wide.weights(at))
    return wide, parts
