"""Overlap: whether rows like these got settings like the recommended ones, and whether those that did are like all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence import blocks, estimators, kernel
from drivetrain.evidence.estimators import Parts
from drivetrain.evidence.propensity import Declared
from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.value import Judge

Floats = NDArray[np.float64]

UNLIKELY = 0.1
"""A chance below this share of what all rows together have is called unlikely."""
STEPS = (0.0, 0.03, 0.1, 0.3, 0.6, 0.9, 1.1, 1.5, 2.0, 3.0, 5.0)
"""Where bars of the histogram begin; the last has no end."""


@dataclass(frozen=True)
class Balanced:
    """How unlike all rows those are that speak for the policy, in standard deviations of one input."""

    input: str
    before: float
    """As they are; of a category the most unlike of its values."""
    after: float
    """As they are weighed; near 0 where propensities are right."""


@dataclass(frozen=True)
class Overlap:
    """Whether rows like these got settings like the recommended ones."""

    effective: float
    """Effective number of rows that speak, (Σw)²/Σw²."""
    largest: float
    """The share of all weight that one row has."""
    mean: Estimate
    """Mean weight; 1 where propensities are right."""
    chance: tuple[float, ...]
    """The 1st, 5th, 25th and 50th percentile of the chance (of a number, expected kernel weight) to get near what is
    recommended; empty where only the chance of each row's own setting is known."""
    unlikely: float
    """Share of rows for which that is less than a tenth of what it is for all rows together."""
    clipped: float
    """Share of the rows that speak whose chance was raised to the lowest that is believed."""
    clipping: Estimate
    """By how much that changes the value: the bias that it costs, for the noise that it saves."""
    histogram: tuple[int, ...] = ()
    """Rows by how their chance compares with that of all rows together, in `STEPS`."""
    balance: tuple[Balanced, ...] = ()


def overlap(court: Judge, settings: Floats | None, parts: Parts) -> Overlap:
    """How rows speak for a policy; `settings` None where it is what the data shows."""
    weight = parts.weight
    total = float(np.abs(weight).sum())
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if total else 0.0
    told = Overlap(
        effective,
        float(np.abs(weight).max() / total) if total else 0.0,
        court.estimate(weight),
        (),
        0.0,
        0.0,
        Estimate(0.0, 0.0),
        (),
        _balance(court, settings, weight),
    )
    if settings is None or isinstance(court.propensity, Declared):
        return told
    chance = court.propensity.moments(settings, court.support)[:, 0]
    common = kernel.empirical(court.support, court.table.settings, settings)[:, 0]
    speaks = weight != 0
    plain = replace(parts, weight=court.weights(settings, 1e-9))
    return replace(
        told,
        chance=tuple(np.quantile(chance, (0.01, 0.05, 0.25, 0.5)).tolist()),
        unlikely=float((chance < UNLIKELY * common).mean()),
        clipped=float((chance[speaks] < kernel.FLOOR).mean()) if speaks.any() else 0.0,
        clipping=court.estimate(estimators.dr(parts) - estimators.dr(plain)),
        histogram=tuple(np.histogram(chance / np.maximum(common, 1e-12), [*STEPS, np.inf])[0].tolist()),
    )


def _balance(court: Judge, settings: Floats | None, weight: Floats) -> tuple[Balanced, ...]:
    if settings is None or not weight.sum():
        return ()
    near = court.support.paired(court.table.settings, settings)
    parts = blocks.inputs(court.simulator.scenario, court.table)

    def apart(x: Floats, by: Floats) -> float:
        return float(np.abs(by @ x / by.sum()).max(initial=0.0))

    return tuple(Balanced(name, apart(x, near), apart(x, weight)) for name, x in parts.items())
