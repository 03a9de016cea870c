"""What one more unit of a lever brings: on average so far, and at the margin, today and as recommended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly.allowed import obeyed
from drivetrain.assembly.result import Run, of_run
from drivetrain.assembly.waterfall import sides
from drivetrain.decisions.rounding import interval, short, with_unit
from drivetrain.evidence import Estimate
from drivetrain.scenario import Continuous, Integer, Scenario
from drivetrain.simulator import Crowd, Simulator, jackknife

Floats = NDArray[np.float64]

REACH = 0.05
"""A lever is moved so far to either side, as a share of its range: the slope of trees, which are steps, needs room."""


@dataclass(frozen=True)
class Return:
    """One numeric lever; returns in the objective's unit for one row, for one of the lever's units more."""

    lever: str
    unit: str
    """The lever's."""
    before: float
    """Its mean setting under the policy of comparison."""
    after: float
    """Its mean setting as recommended."""
    average: Estimate | None
    """What a unit of it brings on average where it is recommended: with it, less with it at doing nothing, over how far
    that is away; None where nothing like that is declared, or where it does nothing."""
    at_first: Estimate
    """What one more unit would bring under the policy of comparison: the marginal return."""
    at_last: Estimate
    """The same as recommended; near 0 where more would not pay, other than 0 where something holds it back."""


@dataclass(frozen=True)
class Returns:
    """Every numeric lever that is set."""

    against: str
    """The policy of comparison, a key of `evidence.NAMES`."""
    each: tuple[Return, ...]
    rows: int
    """How many rows were asked about."""


@of_run
def returns(run: Run) -> Returns | None:
    """What models expect one more unit of each numeric lever to bring, the other levers as they are.

    Args:
        run: a whole run.

    Returns:
        None where nothing is changed, there is nothing to compare with, or no lever is a number.

    Raises:
        UsageError: the run was only trained.
    """
    if (found := sides(run)) is None:
        return None
    each = tuple(_each(run.simulator, run.simulator.crowd(found.rows.frame), found.before, found.after))
    return Returns(found.against, each, len(found.rows)) if each else None


def header(before: str) -> list[str]:
    """Of `lines`.

    Args:
        before: the policy of comparison, in words.
    """
    return ["lever", before, "recommended", "a unit brings, on average", "one more, before", "one more, as recommended"]


def lines(told: Returns) -> list[list[str]]:
    """A line for each numeric lever: its mean settings, its average return, and its marginal ones with their spread."""
    return [
        [
            f"{each.lever} ({each.unit})" if each.unit else each.lever,
            short(each.before),
            short(each.after),
            "–" if each.average is None else _said(each.average),
            _said(each.at_first),
            _said(each.at_last),
        ]
        for each in told.each
    ]


def note(scenario: Scenario) -> str:
    """How to read them."""
    unit = with_unit("Returns are", f"in {scenario.objective.unit}") if scenario.objective.unit else "Returns are"
    return (
        f"{unit} for one more of the lever's unit, as models expect, with their spread. Near 0 as recommended: more "
        "would not pay. Far from 0: a limit, the lever's range or the edge of the data holds it there."
    )


def _each(simulator: Simulator, crowd: Crowd, before: Floats, after: Floats) -> Iterator[Return]:
    for place, (name, lever) in enumerate(simulator.scenario.levers.items()):
        if lever.frozen or not isinstance(lever, Continuous | Integer):
            continue
        yield Return(
            lever=name,
            unit=lever.unit,
            before=float(before[:, place].mean()),
            after=float(after[:, place].mean()),
            average=_average(simulator, crowd, after, place, lever),
            at_first=_slope(simulator, crowd, before, place, lever),
            at_last=_slope(simulator, crowd, after, place, lever),
        )


def _slope(simulator: Simulator, crowd: Crowd, settings: Floats, place: int, lever: Continuous | Integer) -> Estimate:
    """The mean over rows of the objective's slope along a lever, by differences inside its range.

    A setting that the data speaks for is moved only as far as it does: doing nothing may be another thing than the
    smallest dose.
    """
    reach = simulator.support.reach[place]
    inside = (settings[:, place] >= reach.low) & (settings[:, place] <= reach.high)
    low, high = np.where(inside, reach.low, lever.min), np.where(inside, reach.high, lever.max)
    ends, by = [], max(float(lever.step or 0), REACH * (lever.max - lever.min))
    for side in (-by, by):
        moved = settings.copy()
        moved[:, place] = np.clip(settings[:, place] + side, low, high)
        ends.append(moved)
    change = _means(simulator, crowd, ends[1]) - _means(simulator, crowd, ends[0])
    return _told(simulator, change / (float((ends[1] - ends[0])[:, place].mean()) or 1.0))


def _average(
    simulator: Simulator, crowd: Crowd, after: Floats, place: int, lever: Continuous | Integer
) -> Estimate | None:
    if lever.settled is None:
        return None
    nothing = after.copy()
    nothing[:, place] = float(lever.settled)
    used = float((after - nothing)[:, place].mean())
    if abs(used) < 1e-9 * (lever.max - lever.min):
        return None
    change = _means(simulator, crowd, after) - _means(simulator, crowd, obeyed(simulator, crowd, nothing))
    return _told(simulator, change / used)


def _means(simulator: Simulator, crowd: Crowd, settings: Floats) -> Tensor:
    """[M] the objective for one row, as each member expects it."""
    return simulator.paired(crowd, settings).objective.double().mean((1, 2))


def _told(simulator: Simulator, change: Tensor) -> Estimate:
    return Estimate(float(change.mean()), float(jackknife(change, simulator.folds)))


def _said(estimate: Estimate) -> str:
    value, low, high = interval(estimate)
    return f"{value} ({low} to {high})"
