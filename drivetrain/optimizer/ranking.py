"""A lever with thousands of options: all of them scored for everyone at once, and the best few kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drivetrain import data
from drivetrain.data import Table
from drivetrain.errors import Fault, InfeasibleError, UsageError
from drivetrain.optimizer.bounds import broken
from drivetrain.optimizer.filling import slots_of
from drivetrain.optimizer.slots import best
from drivetrain.scenario import Categorical, Scenario
from drivetrain.simulator import Simulator, averse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FLAGGED = 64
"""Levers with more options than this are ranked."""


@dataclass(frozen=True)
class Ranking:
    """For each of N rows its best options, best first."""

    settings: Floats
    """[N, T, 1] codes; NaN where fewer than T options are left."""
    objective: Floats
    """[N, T] what the members expect, in the objective's unit."""
    error: Floats
    """[N, T] the members' standard error."""
    supported: NDArray[np.bool_]
    """[N, T] whether enough rows speak for the option."""


def ranked(scenario: Scenario) -> bool:
    """Whether decisions are made by ranking: some lever's options are the data's, and there are many, or no's drawn."""
    if scenario.implicit is not None:
        return True
    options = [lever for lever in scenario.levers.values() if isinstance(lever, Categorical) and lever.open]
    return any(len(lever.options) > FLAGGED for lever in options)


def deciders(scenario: Scenario, frame: pd.DataFrame) -> Ints:
    """[N] who decides, numbered from 0: rows equal in `decide.by`, or in every input, are one."""
    by = list(scenario.decide.by) or list(scenario.inputs)
    if not by or scenario.decide.unit == "once":
        return np.zeros(len(frame), dtype=np.int64)
    codes = [pd.factorize(frame[name], use_na_sentinel=True)[0] for name in by]
    return np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].astype(np.int64).ravel()


def ranking(
    simulator: Simulator,
    frame: pd.DataFrame,
    top: int,
    *,
    excluded: tuple[Ints, Ints] | None = None,
    unsupported: bool = False,
) -> Ranking:
    """The best options of the only lever for each row: `context · setting` for all, constraints of each row kept, and
    no more of them alike than the lever's `diverse` says.

    Args:
        simulator: who is asked.
        frame: N rows with the scenario's inputs.
        top: T, how many are kept.
        excluded: pairs of row and option code that may not be chosen.
        unsupported: whether options that hardly a row speaks for may be chosen; they are marked all the same.

    Raises:
        UsageError: there is another lever, or `top` is not positive.
        InfeasibleError: some row has no option left.
    """
    (options,) = _only(simulator.scenario, top)
    codes = np.arange(options, dtype=np.float64)[:, None]
    holds = simulator.support.holds(codes)
    barred = np.zeros(options, dtype=bool) if unsupported else ~holds
    crowd = simulator.crowd(frame)
    alike = replace(slots_of(simulator.scenario, codes[:, 0]), many=min(top, options))
    parts: list[tuple[Floats, Floats, Floats]] = []
    for part, outlook in simulator.chunks(crowd, codes):
        signed = simulator.scenario.objective.sign * outlook.objective
        value = averse(signed, outlook.spread(), simulator.scenario.objective.risk)
        for constraint in (each for each in simulator.scenario.constraints if each.over == "each"):
            value[broken(constraint, outlook.mean(outlook.bounded[constraint.name]))] = -torch.inf
        value[:, torch.from_numpy(barred)] = -torch.inf
        if excluded is not None:
            inside = (excluded[0] >= part.start) & (excluded[0] < part.stop)
            value[excluded[0][inside] - part.start, excluded[1][inside]] = -torch.inf
        value = value.nan_to_num(-torch.inf, neginf=-torch.inf)
        chosen, place = best(value, alike)
        error = outlook.spread().gather(1, place)
        worth = torch.where(torch.isfinite(chosen), outlook.mean().gather(1, place), chosen)
        parts.append((worth.double().numpy(), place.double().numpy(), error.double().numpy()))
    values, places, errors = (np.concatenate(each) for each in zip(*parts, strict=True))
    _require(values)
    gone = ~np.isfinite(values)
    supported = holds[places.astype(np.int64)] & ~gone
    values, errors = (np.where(gone, np.nan, each) for each in (values, errors))
    settings = np.where(gone, np.nan, places)[..., None]
    return Ranking(settings, values, errors, supported)


def _only(scenario: Scenario, top: int) -> Iterator[int]:
    lever = next(iter(scenario.levers.values()))
    if len(scenario.levers) > 1 or not isinstance(lever, Categorical):
        found = f"found the levers {', '.join(scenario.levers)}"
        raise UsageError(
            Fault("rank", found, "Options of one categorical lever are ranked", "Use: drivetrain recommend")
        )
    if top < 1:
        raise UsageError(Fault("top", f"found {top}", "It must be 1 or more"))
    yield len(lever.options)


def _require(values: Floats) -> None:
    stuck = int((~np.isfinite(values[:, 0])).sum())
    if stuck:
        found = f"found no option left in {stuck:,} of {len(values):,} rows"
        rule = "An option must be supported, not excluded, and within every constraint"
        raise InfeasibleError(Fault("options", found, rule, "Allow unsupported ones, or loosen a bound"))


def exclusions(scenario: Scenario, frame: pd.DataFrame, seen: Table) -> tuple[Ints, Ints]:
    """Pairs of row of a frame and option code that those who decide have had, by what the data shows.

    Args:
        scenario: who decides: rows equal in `decide.by`, or in every input.
        frame: N rows.
        seen: the rows that show what they have had.
    """
    by = list(scenario.decide.by) or list(scenario.inputs)
    if not by:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    asked = frame[by].assign(row_=np.arange(len(frame))).dropna()
    seen = data.had(scenario, seen)
    had = seen.frame[by].assign(code_=seen.settings[:, 0]).dropna().drop_duplicates()
    pairs = asked.merge(had, on=by)
    return pairs["row_"].to_numpy(dtype=np.int64), pairs["code_"].to_numpy(dtype=np.int64)


def best_single(simulator: Simulator, frame: pd.DataFrame) -> Floats:
    """The supported option [1] that the members expect most of, on average over rows."""
    (options,) = _only(simulator.scenario, 1)
    codes = np.arange(options, dtype=np.float64)[:, None]
    total = np.zeros(options)
    for _, outlook in simulator.chunks(simulator.crowd(frame), codes):
        total += simulator.scenario.objective.sign * outlook.mean().double().sum(0).numpy()
    best = np.where(simulator.support.holds(codes), total, -np.inf)
    single: Floats = codes[int(best.argmax())]
    return single
