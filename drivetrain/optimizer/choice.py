"""The choice of a setting for each decision unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.errors import Fault, InfeasibleError
from drivetrain.optimizer.candidates import candidates
from drivetrain.optimizer.totals import Total, solve
from drivetrain.scenario import Constraint, Continuous, Scenario
from drivetrain.simulator import Crowd, Outlook, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUNDS = 5
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Plan:
    """A setting for every row."""

    settings: Floats
    """[N, L] in natural units; equal within a decision unit."""
    method: str
    """How it was found, in words, for the record."""
    shadow_prices: Mapping[str, float] = field(default_factory=dict)
    """Constraint over all rows → what the objective's total would gain if its bound were one unit looser."""


def decisions(scenario: Scenario, frame: pd.DataFrame) -> Ints:
    """For each row [N] the number, from 0, of the decision it belongs to: its own, its segment's, or the only one."""
    if scenario.decide.unit == "row":
        return np.arange(len(frame))
    if scenario.decide.unit == "once":
        return np.zeros(len(frame), dtype=np.int64)
    keys = frame[list(scenario.decide.by)].astype(object).where(frame[list(scenario.decide.by)].notna(), None)
    return pd.MultiIndex.from_frame(keys).factorize()[0].astype(np.int64)


def optimise(simulator: Simulator, crowd: Crowd, unit: Ints, *, share: float = 1.0) -> Plan:
    """The setting for each decision that scores best on the objective's mean over the members.

    Args:
        simulator: who is asked.
        crowd: N rows.
        unit: [N] the decision that each row belongs to, numbered from 0 without gaps.
        share: the part of all rows that these are; totals are bounded in proportion.

    Raises:
        InfeasibleError: no settings meet the constraints.
        RefusedError: the data supports no candidate.
    """
    tried = candidates(simulator.scenario.space, simulator.support)
    values, allowed, usage = _score(simulator, crowd, unit, tried)
    _require(simulator.scenario, allowed)
    totals = _totals(simulator.scenario, usage, len(crowd), share)
    values = np.where(allowed, values, -np.inf)
    picked, prices = solve(values, totals) if totals else (values.argmax(1), np.zeros(0))
    start = tried[picked]
    refined = _refine(simulator, crowd, unit, start, tried, totals, prices)
    method = f"{len(tried):,} settings tried for every decision"
    method += ", totals by a Lagrangian dual" if totals else ""
    method += ", then refined" if not np.array_equal(refined, start) else ""
    sign = simulator.scenario.objective.sign
    return Plan(refined[unit], method, {t.name: sign * float(p) for t, p in zip(totals, prices, strict=True)})


def shortlist(simulator: Simulator, crowd: Crowd, most: int) -> Floats:
    """Up to `most` settings [P, L] that everyone could get at once under every constraint.

    One lever: evenly spread over what is possible. Several: those that the members expect most of.

    Raises:
        InfeasibleError: no single setting meets the constraints.
        RefusedError: the data supports no candidate.
    """
    tried = candidates(simulator.scenario.space, simulator.support)
    everyone = np.zeros(len(crowd), dtype=np.int64)
    values, allowed, usage = _score(simulator, crowd, everyone, tried)
    _require(simulator.scenario, allowed)
    totals = _totals(simulator.scenario, usage, len(crowd), 1.0)
    if totals:
        solve(np.where(allowed, values, -np.inf), totals)  # says what is infeasible, and by how much
    kept = allowed[0] & np.all([total.used[0] <= total.limit for total in totals], axis=0)
    tried, values = tried[kept], values[0, kept]
    if tried.shape[1] > 1:
        return tried[np.argsort(-values, kind="stable")[:most]]
    return tried[np.unique(np.linspace(0, len(tried) - 1, most).round().astype(int))]


def holds(
    simulator: Simulator, crowd: Crowd, settings: Floats, *, share: float = 1.0, slack: float = TOLERANCE
) -> bool:
    """Whether the members expect every constraint to hold for rows under their settings [N, L].

    Args:
        simulator: who is asked.
        crowd: N rows.
        settings: one for each row.
        share: the part of all rows that these are; totals are bounded in proportion.
        slack: by how much of itself a bound may be passed.
    """
    constraints = simulator.scenario.constraints
    outlook = simulator.paired(crowd, settings) if constraints else None
    for constraint in constraints if outlook else ():
        value = outlook.mean(outlook.bounded[constraint.name])[:, 0].double().numpy()
        sums = {"each": value, "mean": np.array([value.mean()]), "total": np.array([value.sum() / share])}
        over = sums[constraint.over]
        if (
            constraint.at_most is not None
            and (over > constraint.at_most + slack * max(1, abs(constraint.at_most))).any()
        ):
            return False
        if (
            constraint.at_least is not None
            and (over < constraint.at_least - slack * max(1, abs(constraint.at_least))).any()
        ):
            return False
    return True


def _score(
    simulator: Simulator, crowd: Crowd, unit: Ints, tried: Floats
) -> tuple[NDArray[np.float32], NDArray[np.bool_], dict[str, NDArray[np.float32]]]:
    """Sums over each decision's rows, [U, G]: signed objective, whether allowed, and each total's formula."""
    units, scenario = int(unit.max()) + 1, simulator.scenario
    where = torch.from_numpy(unit)
    values = torch.zeros(units, len(tried))
    refused = torch.zeros(units, len(tried))
    usage = {c.name: torch.zeros(units, len(tried)) for c in scenario.constraints if c.over != "each"}
    for part, outlook in simulator.chunks(crowd, tried):
        values.index_add_(0, where[part], scenario.objective.sign * outlook.mean())
        for constraint in scenario.constraints:
            held = outlook.mean(outlook.bounded[constraint.name])
            if constraint.over == "each":
                refused.index_add_(0, where[part], _broken(constraint, held).float())
            else:
                usage[constraint.name].index_add_(0, where[part], held)
    return values.numpy(), (refused == 0).numpy(), {name: table.numpy() for name, table in usage.items()}


def _broken(constraint: Constraint, value: Tensor) -> Tensor:
    broken = torch.zeros_like(value, dtype=torch.bool)
    if constraint.at_most is not None:
        broken |= value > constraint.at_most + TOLERANCE
    if constraint.at_least is not None:
        broken |= value < constraint.at_least - TOLERANCE
    return broken


def _require(scenario: Scenario, allowed: NDArray[np.bool_]) -> None:
    stuck = int((~allowed.any(axis=1)).sum())
    if stuck:
        names = ", ".join(c.name for c in scenario.constraints if c.over == "each")
        raise InfeasibleError(
            Fault(
                f"constraints ({names})",
                f"found no setting that meets them in {stuck:,} of {len(allowed):,} decisions",
                "Every decision needs at least one setting that is allowed and supported by the data",
                "Loosen a bound, or widen a lever's range",
            )
        )


def _totals(scenario: Scenario, usage: Mapping[str, NDArray[np.float32]], rows: int, share: float) -> list[Total]:
    """Each bound over all rows as `sum over decisions of used[U, G] ≤ limit`."""
    out = []
    for constraint in scenario.constraints:
        if constraint.over == "each":
            continue
        scale = rows if constraint.over == "mean" else share
        used = usage[constraint.name]
        if constraint.at_most is not None:
            out.append(Total(constraint.name, used, constraint.at_most * scale, 1, scale))
        if constraint.at_least is not None:
            out.append(Total(constraint.name, -used, -constraint.at_least * scale, -1, scale))
    return out


def _refine(
    simulator: Simulator, crowd: Crowd, unit: Ints, start: Floats, tried: Floats, totals: list[Total], prices: Floats
) -> Floats:
    """Pattern search (Hooke & Jeeves 1961) from the best candidate, along levers that have no step.

    It only ever moves to a better, allowed and supported setting; with totals it climbs the Lagrangian and is given up
    if the totals would then not hold.
    """
    levers = list(simulator.scenario.levers.values())
    free = [i for i, lever in enumerate(levers) if isinstance(lever, Continuous) and not lever.step]
    best, score = start.copy(), _lagrangian(simulator, crowd, unit, start, totals, prices)[0]
    for i in free:
        spacing = np.diff(np.unique(tried[:, i]))
        width = float(np.median(spacing)) / 2 if len(spacing) else 0.0
        for _ in range(ROUNDS):
            for step in (-width, width):
                moved = best.copy()
                moved[:, i] = np.clip(moved[:, i] + step, levers[i].min, levers[i].max)  # type: ignore[union-attr]
                gained, _ = _lagrangian(simulator, crowd, unit, moved, totals, prices)
                better = (gained > score) & simulator.support.holds(moved)
                best[better], score[better] = moved[better], gained[better]
            width /= 2
    _, used = _lagrangian(simulator, crowd, unit, best, totals, prices)
    held = all(float(u.sum()) <= total.limit for u, total in zip(used, totals, strict=True))
    return best if held else start


def _lagrangian(
    simulator: Simulator, crowd: Crowd, unit: Ints, settings: Floats, totals: list[Total], prices: Floats
) -> tuple[Floats, list[Floats]]:
    """For each decision its value less the price of what it uses (−∞ where not allowed), and each total's use, [U]."""
    outlook = simulator.paired(crowd, settings[unit])
    scenario, units = simulator.scenario, len(settings)
    value = _sum(unit, units, scenario.objective.sign * outlook.mean())
    for constraint in scenario.constraints:
        if constraint.over == "each":
            broken = _broken(constraint, outlook.mean(outlook.bounded[constraint.name]))
            value[_sum(unit, units, broken) > 0] = -np.inf
    used = [_used(outlook, total, unit, units) for total in totals]
    return value - sum((price * use for price, use in zip(prices, used, strict=True)), np.zeros(units)), used


def _used(outlook: Outlook, total: Total, unit: Ints, units: int) -> Floats:
    return total.direction * _sum(unit, units, outlook.mean(outlook.bounded[total.name]))


def _sum(unit: Ints, units: int, values: Tensor) -> Floats:
    return np.bincount(unit, weights=values[:, 0].double().numpy(), minlength=units)
