"""The referee: answers are scored and checked again by code that shares nothing with the search.

The search averages members first and adds up tables in single precision; the referee walks every member down the whole
chain, row by row, and adds up in double precision.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.errors import Fault, RefusedError
from drivetrain.optimizer.bounds import kept, within
from drivetrain.optimizer.choice import Plan
from drivetrain.scenario import Categorical, LeverSpace, YesNo
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLACK = 1e-5
"""By how much of itself a bound may seem to be passed, since members' single precision adds up in another order."""
TIE = 1e-6
"""A share of a row's objective that is no difference."""


def checked(simulator: Simulator, crowd: Crowd, unit: Ints, plan: Plan, now: Floats | None = None) -> Plan:
    """The plan, if it is what it says it is; rows that would be better off as they are stay so where rows decide alone.

    Args:
        simulator: who is asked.
        crowd: N rows.
        unit: [N] the decision that each row belongs to.
        plan: what the search found for them.
        now: [N, L] what would happen without it, such as doing nothing; None where that is not known.

    Raises:
        RefusedError: rows of one decision differ, a lever does not allow its setting, or a constraint is broken.
    """
    worth, _ = sound(simulator, crowd, unit, plan.settings)
    method = f"{plan.method}; scored and checked again"
    if now is None or np.isnan(now).any() or simulator.scenario.objective.risk is not None:
        return replace(plan, method=method)
    return _never_worse(simulator, crowd, unit, replace(plan, method=method), worth, now)


def sound(
    simulator: Simulator, crowd: Crowd, unit: Ints, settings: Floats, share: float = 1.0
) -> tuple[Floats, dict[str, Floats]]:
    """Whether settings [N, L] are what an answer must be; what each row is worth, and uses of each constraint.

    Args:
        simulator: who is asked.
        crowd: N rows.
        unit: [N] the decision that each row belongs to.
        settings: what the search found for them.
        share: the part of all rows that these are; totals are bounded in proportion.

    Returns:
        [N] the objective, better when higher, and key of `Constraint.formulas` → [N].

    Raises:
        RefusedError: rows of one decision differ, a lever does not allow its setting, or a constraint is broken.
    """
    scenario = simulator.scenario
    first = np.unique(unit, return_index=True)[1]
    _require("rows of one decision", bool((settings == settings[first][unit]).all()), "their settings differ")
    for i, name in enumerate(scenario.space.names):
        _require(f"lever {name}", _allowed(scenario.space, i, settings[:, i]), "a setting is not one that it allows")
    worth, uses = _scored(simulator, crowd, settings)
    fine = kept(scenario, uses, crowd.labels, share=share, slack=SLACK)
    _require("constraints", fine, "one of them is broken")
    return worth, uses


def _never_worse(simulator: Simulator, crowd: Crowd, unit: Ints, plan: Plan, worth: Floats, now: Floats) -> Plan:
    """Things as they are, in place of anything that the members expect to be worse."""
    other, uses = _scored(simulator, crowd, now)
    known = simulator.support.holds(now) & np.isfinite(other)
    shared = len(np.unique(unit)) < len(unit) or any(each.over != "each" for each in simulator.scenario.constraints)
    if shared:
        lost = float(other.sum() - worth.sum())
        better = known.all() and lost > TIE * abs(float(worth.sum())) and kept(simulator.scenario, uses, crowd.labels)
        stays = np.full(len(unit), better)
    else:
        stays = known & (other - worth > TIE * np.abs(worth)) & _each_kept(simulator, uses)
    if not stays.any():
        return plan
    method = f"{plan.method}; {int(stays.sum()):,} rows left as they are, which is expected to be better"
    return replace(plan, settings=np.where(stays[:, None], now, plan.settings), method=method)


def _each_kept(simulator: Simulator, uses: dict[str, Floats]) -> NDArray[np.bool_]:
    """[N] whether what holds for each row holds for this one."""
    each = [within(uses[one.name], one) for one in simulator.scenario.constraints if one.over == "each"]
    return np.asarray(np.all(each, axis=0)) if each else np.ones(1, dtype=np.bool_)


def _scored(simulator: Simulator, crowd: Crowd, settings: Floats) -> tuple[Floats, dict[str, Floats]]:
    """[N] the objective, better when higher, and what constraints see of each row."""
    outlook = simulator.paired(crowd, settings)
    uses = {name: value.double().mean(0)[:, 0].numpy() for name, value in outlook.bounded.items()}
    return simulator.scenario.objective.sign * outlook.objective.double().mean(0)[:, 0].numpy(), uses


def _allowed(space: LeverSpace, i: int, values: Floats) -> bool:
    """Whether a lever allows each of these values."""
    lever = space.levers[space.names[i]]
    distinct = np.unique(values)
    if isinstance(lever, Categorical | YesNo):
        most = len(lever.options) if isinstance(lever, Categorical) else 2
        return bool(np.isin(distinct, np.arange(most)).all())
    return all(not lever.admits(value) for value in distinct.tolist())


def _require(thing: str, fine: bool, found: str) -> None:
    if not fine:
        raise RefusedError(
            Fault(
                thing,
                f"found on a second look that {found}",
                "An answer must pass a check by other code than that which found it",
                "Please report it: this is our own fault",
            )
        )
