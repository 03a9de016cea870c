"""Candidate settings: a grid where it is small enough, a Sobol sequence where it is not, and always doing nothing."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from drivetrain.errors import Fault, RefusedError
from drivetrain.scenario import LeverSpace
from drivetrain.simulator import Support

Floats = NDArray[np.float64]

MOST = 4096
FINEST = 101
COARSEST = 5


def candidates(space: LeverSpace, support: Support) -> Floats:
    """Settings [G, L] to try, each within the data's support.

    One lever is tried at up to 101 values, several at as many as fit into 4,096 combinations; where fewer than five
    values a lever would fit, a Sobol sequence spreads 4,096 settings instead.

    Raises:
        RefusedError: the data supports none of them.
    """
    tried = _all(space, support)
    supported = tried[support.holds(tried)]
    if not len(supported):
        raise RefusedError(
            Fault(
                "levers",
                f"found no support for any of {len(tried):,} settings",
                "A setting can be recommended only where the data has seen rows around it",
                "Bring more rows, or declare narrower levers",
            )
        )
    return supported


def _all(space: LeverSpace, support: Support) -> Floats:
    values = [_values(space, support, i, name) for i, name in enumerate(space.names)]
    kept = [value for value in (space.do_nothing, space.current) if value is not None and np.isfinite(value).all()]
    grid = _sobol(values) if np.prod([float(len(each)) for each in values]) > MOST else np.array(list(product(*values)))
    return np.unique(np.vstack([grid, *kept]), axis=0)


def _values(space: LeverSpace, support: Support, i: int, name: str) -> Floats:
    each = int(MOST ** (1 / len(space)))
    values = space.grid(name, int(np.clip(each, COARSEST, FINEST)))
    if getattr(space.levers[name], "step", None) is None and hasattr(space.levers[name], "min"):
        values = np.append(values, [support.reach[i].low, support.reach[i].high])
    return np.unique(values)


def _sobol(values: list[Floats]) -> Floats:
    draws = qmc.Sobol(len(values), seed=0).random(MOST)
    return np.column_stack(
        [each[(draws[:, i] * len(each)).astype(int).clip(0, len(each) - 1)] for i, each in enumerate(values)]
    )
