"""Decisions that keep what they have: where the gain of a change does not stand out of what models do not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.errors import InfeasibleError
from drivetrain.optimizer.allotment import NODES
from drivetrain.optimizer.bounds import used, within
from drivetrain.optimizer.choice import Plan, optimise
from drivetrain.simulator import Crowd, Simulator, jackknife

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def settle(
    simulator: Simulator,
    crowd: Crowd,
    unit: Ints,
    *,
    share: float = 1.0,
    nodes: int = NODES,
    locked: Floats | None = None,
    whole: tuple[Simulator, Crowd] | None = None,
) -> Plan:
    """`optimise`; then decisions keep their current setting where `decide.keep_within` says so.

    That is where the gain over it is not above so many standard errors: the members' disagreement about the difference
    of the two settings, summed over the decision's rows. What others use within totals is then decided once more.

    Args:
        simulator: as of `optimise`.
        crowd: likewise.
        unit: likewise.
        share: likewise.
        nodes: likewise.
        locked: likewise.
        whole: all members, and the rows as these read them, where `simulator` has few: the size of their disagreement
            is asked, and nothing else of them.

    Raises:
        DataError, InfeasibleError, RefusedError: as of `optimise`.
    """
    plan, errors = optimise(simulator, crowd, unit, share=share, nodes=nodes, locked=locked), _errors(simulator)
    if errors is None or crowd.current is None:
        return plan
    stays = _uncertain(simulator, crowd, unit, plan.settings, errors, whole or (simulator, crowd))
    if locked is not None:
        stays &= ~np.isfinite(locked).all(1)
    if not stays.any():
        return plan
    told = f"; {int(stays.sum()):,} rows keep what they have, since the gain is within {errors:g} standard errors"
    kept = np.where(stays[:, None], crowd.current, np.nan if locked is None else locked)
    if not any(each.over != "each" for each in simulator.scenario.constraints):
        settings = np.where(stays[:, None], crowd.current, plan.settings)
        return replace(plan, settings=settings, method=plan.method + told)
    try:
        again = optimise(simulator, crowd, unit, share=share, nodes=nodes, locked=kept)
    except InfeasibleError:  # only with changes are the bounds kept
        return plan
    return replace(again, method=plan.method + told)


def _errors(simulator: Simulator) -> float | None:
    return simulator.scenario.decide.keep_within


def _uncertain(
    simulator: Simulator, crowd: Crowd, unit: Ints, settings: Floats, errors: float, whole: tuple[Simulator, Crowd]
) -> Bools:
    """[N] whether a row's decision may keep what it has, and its change is not surely better."""
    now = crowd.current
    assert now is not None  # noqa: S101  (asked only where it is known)
    known = np.asarray(np.isfinite(now).all(1))
    stand = np.where(known[:, None], now, settings)
    gain = _gain(simulator, crowd, unit, settings, stand).mean(0)
    apart = _gain(*whole, unit, settings, stand)
    sure = (gain > errors * jackknife(apart, whole[0].folds)).numpy()
    first = np.unique(unit, return_index=True)[1]
    fine = known & simulator.support.holds(stand) & (now == now[first][unit]).all(1)
    uses = used(simulator, crowd, stand)
    for each in simulator.scenario.constraints:
        if each.over == "each":
            fine &= within(uses[each.name], each)
    barred = np.zeros(len(first), dtype=np.bool_)
    np.logical_or.at(barred, unit, ~fine)
    return np.asarray(~(sure | barred)[unit] & (settings != stand).any(1))


def _gain(simulator: Simulator, crowd: Crowd, unit: Ints, settings: Floats, now: Floats) -> Tensor:
    """[M, U] how much more each member expects of decisions as they are chosen than as they are."""
    each = simulator.paired(crowd, settings).objective - simulator.paired(crowd, now).objective
    sums = torch.zeros(len(each), int(unit.max()) + 1)
    sums.index_add_(1, torch.from_numpy(unit), each[..., 0])
    return simulator.scenario.objective.sign * sums
