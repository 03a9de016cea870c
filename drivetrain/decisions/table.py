"""The table of recommendations: a line for each row, with what is expected under its setting, and why in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.data import Rows
from drivetrain.decisions import ranges, slots
from drivetrain.decisions.rounding import numbers
from drivetrain.evidence.sample import Z95
from drivetrain.optimizer import Plan, ranked
from drivetrain.scenario import Scenario, with_unit
from drivetrain.simulator import Crowd, Outlook, Simulator, averse

Floats = NDArray[np.float64]
Column = NDArray[Any] | list[str]

_WORTH = ("objective", "objective_low", "objective_high", "gain", "gain_low", "gain_high")
FIXED = "fixed by a person"
"""The remark of a row whose setting was not decided here."""
COLUMNS = frozenset({"row", *_WORTH, "supported", "remarks", "reason"})
"""Every column of a table of recommendations but the levers and what is expected of outcomes."""


def tabled(
    simulator: Simulator,
    rows: Rows,
    crowd: Crowd,
    plan: Plan,
    chosen: Outlook,
    other: Outlook | None,
    reference: Floats | None,
) -> pd.DataFrame:
    """A line for each row: what it gets, what is expected then, how sure that is, and why.

    Args:
        simulator: who was asked.
        rows: N rows.
        crowd: as models read them, with what was not plain.
        plan: what each gets.
        chosen: what is expected under that.
        other: the same under the policy of comparison; None where there is none.
        reference: [N, L] what that policy sets.
    """
    scenario = simulator.scenario
    out: dict[str, Column] = {"row": rows.row + 1}
    if plan.slots is not None:
        out |= slots.columns(scenario, plan.slots, column_of(next(iter(scenario.levers))))
    else:
        natural = scenario.space.decode(plan.settings)
        out |= {column_of(name): natural[name].to_numpy() for name in scenario.levers}
    out |= {f"expected_{_plain(name)}": _mean(chosen, value) for name, value in chosen.outcomes.items()}
    expected, error = _mean(chosen, chosen.objective), chosen.spread()[:, 0].double().numpy()
    out |= {"objective": expected, "objective_low": expected - Z95 * error, "objective_high": expected + Z95 * error}
    if (objective := scenario.objective).risk is not None:
        signed = objective.sign * chosen.objective
        out["objective_at_risk"] = (
            objective.sign * averse(signed, chosen.spread(), objective.risk)[:, 0].double().numpy()
        )
    out |= {f"objective_{each.name}": _mean(chosen, chosen.beside[each.name]) for each in objective.beside}
    if other is not None and reference is not None:
        gain = scenario.objective.sign * (chosen.objective - other.objective)
        mean, error = _mean(chosen, gain), chosen.spread(gain)[:, 0].double().numpy()
        out |= {"gain": mean, "gain_low": mean - Z95 * error, "gain_high": mean + Z95 * error}
    near = None if ranked(scenario) or plan.slots is not None else ranges.ranges(simulator, crowd, plan)
    out |= ranges.columns(scenario, near, {name: column_of(name) for name in scenario.levers})
    out["supported"] = _supported(simulator, crowd, plan)
    out["remarks"] = _remarks(crowd)
    reasons, wide = _reasons(scenario, _words(scenario, plan), chosen, other), ranges.told(simulator, near, len(rows))
    out["reason"] = [reason + told for reason, told in zip(reasons, wide, strict=True)]
    return pd.DataFrame(out)


def column_of(lever: str) -> str:
    """The column of a lever in a table of recommendations; one named like another column there gets a longer name."""
    return f"{lever}_setting" if lever in COLUMNS or lever.startswith(("expected_", "objective_")) else lever


def columns_of(scenario: Scenario, lever: str) -> tuple[str, ...]:
    """The columns of a lever in a table of recommendations: one, or one for each of the options that a row gets."""
    name = column_of(lever)
    return tuple(f"{name}_{place}" for place in range(1, scenario.slots + 1)) if scenario.slots > 1 else (name,)


def _supported(simulator: Simulator, crowd: Crowd, plan: Plan) -> NDArray[np.bool_]:
    """[N] whether the data speaks for a row's setting, or for all of its options that are not empty slots."""
    if plan.slots is None:
        known = simulator.support.holds(plan.settings)
        return known if simulator.kin is None else known & simulator.kin.holds(simulator, crowd, plan.settings)
    return slots.supported(simulator, plan.slots)


def _words(scenario: Scenario, plan: Plan) -> list[str]:
    """For each row its setting, or its options, in words."""
    if plan.slots is not None:
        return slots.words(scenario, plan.slots)
    known = {tuple(setting): scenario.space.describe(np.array(setting)) for setting in np.unique(plan.settings, axis=0)}
    return [known[tuple(setting)] for setting in plan.settings]


def _plain(name: str) -> str:
    return name.replace(": ", "_").replace(" ", "_")


def _mean(outlook: Outlook, values: Tensor) -> Floats:
    return np.asarray(outlook.mean(values)[:, 0].to(torch.float64).numpy())


def _remarks(crowd: Crowd) -> list[str]:
    lines: list[list[str]] = [[] for _ in range(len(crowd))]
    for what, mask in crowd.remarks.items():
        for i in np.flatnonzero(mask):
            lines[i].append(what)
    return ["; ".join(line) for line in lines]


def _reasons(scenario: Scenario, settings: list[str], chosen: Outlook, other: Outlook | None) -> list[str]:
    """In words: the setting, what it does to each outcome, and what that is worth."""
    after = [numbers(_mean(chosen, value)) for value in chosen.outcomes.values()]
    if other is None:
        return [
            setting + "".join(f"; {n} {v[i]}" for n, v in zip(chosen.outcomes, after, strict=True))
            for i, setting in enumerate(settings)
        ]
    before = [numbers(_mean(other, value)) for value in other.outcomes.values()]
    gain = scenario.objective.sign * (_mean(chosen, chosen.objective) - _mean(other, other.objective))
    worth = [with_unit(told, scenario.objective.unit) for told in numbers(gain, "+")]
    out = []
    for i, setting in enumerate(settings):
        moves = "".join(f"; {name} {b[i]} → {a[i]}" for name, b, a in zip(chosen.outcomes, before, after, strict=True))
        out.append(f"{setting}{moves}; {worth[i]}")
    return out
