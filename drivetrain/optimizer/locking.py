"""Rows whose settings people have fixed: they stay, count in every total, and leave the rest to be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from drivetrain.errors import Fault, InfeasibleError
from drivetrain.optimizer.bounds import Limit
from drivetrain.optimizer.totals import SLACK
from drivetrain.simulator import Crowd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Rest:
    """What is left to decide."""

    crowd: Crowd
    """n free rows."""
    unit: Ints
    """[n] their decisions, numbered from 0 without gaps."""
    bounds: list[Limit]
    """What settled rows leave of each limit."""


def rest(
    crowd: Crowd, unit: Ints, bounds: list[Limit], fixed: Bools, spent: Mapping[str, Floats], share: float
) -> Rest:
    """The free rows, and what is left for them.

    Args:
        crowd: N rows.
        unit: [N] the decision of each.
        bounds: the limits over all of them.
        fixed: [N] which rows are settled.
        spent: key of `Constraint.formulas` → what each settled row uses.
        share: the part of all rows that these are.

    Raises:
        InfeasibleError: fixed rows alone break a limit on a group without a free row.
    """
    uses = {key: np.zeros(len(crowd)) for key in spent}
    for key, value in spent.items():
        uses[key][fixed] = value
    left = [limit.beside(fixed, uses) for limit in bounds]
    if faults := [_broken(limit) for limit in left if not len(limit.rows) and _passed(limit, share)]:
        raise InfeasibleError(*faults)
    free: Ints = np.unique(unit[~fixed], return_inverse=True)[1].astype(np.int64).ravel()
    return Rest(some(crowd, ~fixed), free, [limit for limit in left if len(limit.rows)])


def some(crowd: Crowd, which: Bools) -> Crowd:
    """Those of the rows [N]."""
    return crowd.take(torch.from_numpy(np.flatnonzero(which)))


def _passed(limit: Limit, share: float) -> bool:
    return limit.ceiling(share) < -SLACK * max(1.0, abs(limit.settled))


def _broken(limit: Limit) -> Fault:
    group = f" ({limit.group})" if limit.group else ""
    return Fault(
        f"constraints.{limit.constraint.name}.{limit.key}{group}",
        f"found {limit.bound:,.6g}, which the rows that are fixed pass, and no other row can make up for them",
        "Fixed rows count in every total",
        "Free some of them, or loosen the bound",
    )
