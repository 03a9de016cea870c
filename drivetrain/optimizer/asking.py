"""One question after the other, whether rows get one setting each or several options: other aims, other bounds.

Points of fronts and frontiers are asked for here, and scored and checked by other code than found them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.optimizer.bounds import used
from drivetrain.optimizer.choice import Plan, optimise
from drivetrain.optimizer.filling import fill, refereed, used_together
from drivetrain.optimizer.referee import sound
from drivetrain.scenario import Constraint, Objective
from drivetrain.simulator import Crowd, Outlook, Simulator, summed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NODES = 0
"""Points of a curve are decided by the dual and its repair; the last whole decision is not searched for."""


def asking(simulator: Simulator, objective: Objective, constraints: Sequence[Constraint]) -> Simulator:
    """The same simulator, asked for another objective within other constraints."""
    changes = {"objective": objective, "constraints": tuple(constraints)}
    return replace(simulator, scenario=simulator.scenario.model_copy(update=changes))


def decided(simulator: Simulator, crowd: Crowd, unit: Ints, share: float) -> Plan:
    """What is best for every decision; arguments and errors as of `optimise`."""
    way = fill if simulator.scenario.slots > 1 else optimise
    return way(simulator, crowd, unit, share=share, nodes=NODES)


def expected(simulator: Simulator, crowd: Crowd, given: Floats) -> Outlook:
    """What members expect of rows that get this each: tensors [M, N, 1].

    Args:
        simulator: who is asked.
        crowd: N rows.
        given: as of `Plan.given`.
    """
    return summed(simulator, crowd, given) if simulator.scenario.slots > 1 else simulator.paired(crowd, given)


def spent(simulator: Simulator, crowd: Crowd, given: Floats) -> dict[str, Floats]:
    """Key of `Constraint.formulas` → what each row [N] uses of it; arguments as of `expected`."""
    if simulator.scenario.slots > 1:
        return used_together(simulator, crowd, given)[0]
    return used(simulator, crowd, given)


def confirmed(simulator: Simulator, crowd: Crowd, unit: Ints, given: Floats, share: float) -> Floats:
    """[N] what each row is worth, better when higher, if the answer is what it must be.

    Raises:
        RefusedError: as of `referee.sound` and `filling.refereed`.
    """
    if simulator.scenario.slots == 1:
        return sound(simulator, crowd, unit, given, share)[0]
    refereed(simulator, crowd, unit, Plan(given[:, :1], "", slots=given), share)
    worth = simulator.scenario.objective.sign * expected(simulator, crowd, given).mean()[:, 0].double()
    return np.asarray(worth.numpy())
