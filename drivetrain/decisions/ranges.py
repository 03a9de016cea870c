"""How far each recommendation may move for at most a hundredth of its row's objective: columns, and words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivetrain.decisions.rounding import roughly
from drivetrain.evidence.curve import FLAT_SHARE
from drivetrain.optimizer import Plan, nearby
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]


def ranges(simulator: Simulator, crowd: Crowd, plan: Plan) -> Floats | None:
    """[N, L, 2] the lowest and highest setting about as good, each lever by itself; NaN for levers without an order.

    None where a bound over all rows binds: moving one row then costs the others what its own objective does not show.
    """
    if any(price != 0 for price in plan.shadow_prices.values()):
        return None
    return nearby(simulator, crowd, plan.settings)


def columns(scenario: Scenario, near: Floats | None, names: dict[str, str]) -> dict[str, Floats]:
    """`price_near_low` and `price_near_high` for every numeric lever.

    Args:
        scenario: which levers.
        near: as of `ranges`.
        names: lever → its column.
    """
    if near is None:
        return {}
    out: dict[str, Floats] = {}
    for i, name in enumerate(scenario.levers):
        if not np.isnan(near[:, i]).all():
            out |= {f"{names[name]}_near_low": near[:, i, 0], f"{names[name]}_near_high": near[:, i, 1]}
    return out


def told(simulator: Simulator, near: Floats | None, many: int) -> list[str]:
    """For each of N rows, in words: `; 8.20 to 9.60 EUR is about as good`, and flat where that is wide."""
    out = [""] * many
    if near is None:
        return out
    for i, (name, lever) in enumerate(simulator.scenario.levers.items()):
        if np.isnan(near[:, i]).all():
            continue
        reach, which = simulator.support.reach[i], f"{name} " if len(simulator.scenario.levers) > 1 else ""
        wide = max((reach.high - reach.low) * FLAT_SHARE, 1e-12)
        known: dict[tuple[float, float], str] = {}
        for row, (low, high) in enumerate(near[:, i].tolist()):
            if low == high:
                continue
            if (low, high) not in known:
                ends = " to ".join(roughly(lever, low, high))
                flat = "flat: " if high - low >= wide else ""
                known[low, high] = f"; {flat}{which}{ends} is about as good"
            out[row] += known[low, high]
    return out
