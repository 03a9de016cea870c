"""The value of single settings along each lever, and how flat its top is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.value import Judge
from drivetrain.optimizer import seen_alone
from drivetrain.scenario import Continuous, Integer, Lever, Scenario

Floats = NDArray[np.float64]

POINTS = 31
SMALL_LOSS = 0.01
LARGE_LOSS = 0.1
FLAT_SHARE = 0.25


@dataclass(frozen=True)
class Point:
    """The worth of one setting for everyone, one lever moved, the others at the best single setting."""

    lever: str
    setting: float
    """In natural units; an option's code."""
    estimate: Estimate
    loss: Estimate
    """How much less than the best single setting, paired row by row."""
    modelled: float
    """What blind models alone expect."""


def curve(court: Judge, single: Floats) -> tuple[Point, ...]:
    """For each lever, single settings along it."""
    out: list[Point] = []
    for i, (name, lever) in enumerate(court.simulator.scenario.levers.items()):
        if lever.frozen:
            continue
        along = _line(court, single, i)
        told = court.each_single(along)
        scores, direct = told.total, told.direct
        sign = court.simulator.scenario.objective.sign
        best = scores[:, np.abs(along[:, i] - single[i]).argmin()]
        for place, setting in enumerate(along[:, i]):
            loss = court.estimate(sign * (best - scores[:, place]))
            estimate = court.estimate(scores[:, place])
            out.append(Point(name, float(setting), estimate, loss, court.sample.mean(direct[:, place])))
    return tuple(out)


def _line(court: Judge, single: Floats, lever: int) -> Floats:
    """Supported settings [P, L] along one lever, with doing nothing and the best single setting among them."""
    space, support = court.simulator.scenario.space, court.simulator.support
    reach = support.reach[lever]
    name = space.names[lever]
    alone = seen_alone(space, support, lever)
    values = alone if len(alone) else space.grid(name, POINTS)
    if reach.width:
        ends = (
            space.rounded(name, np.array([reach.low]), np.ceil),
            space.rounded(name, np.array([reach.high]), np.floor),
        )
        values = _on_steps(space.levers[name], space.rounded(name, np.linspace(ends[0][0], ends[1][0], POINTS)))
    nothing = space.do_nothing
    extra = [single[lever], *([] if nothing is None else [nothing[lever]])]
    line = np.tile(single, (len(values) + len(extra), 1))
    line[:, lever] = [*values, *extra]
    line = np.unique(line, axis=0)
    return line[support.holds(line)]


def _on_steps(lever: Lever, values: Floats) -> Floats:
    """The nearest settings that a lever can be set to, where it has steps."""
    if not isinstance(lever, Continuous | Integer) or lever.step is None:
        return values
    return lever.min + np.round((values - lever.min) / lever.step) * lever.step


def line(single: Floats, place: int, points: Sequence[Point]) -> Floats:
    """[P, L] the single settings of points along one lever."""
    out = np.tile(single, (len(points), 1))
    out[:, place] = [point.setting for point in points]
    return out


def near(scenario: Scenario, curve: Sequence[Point], single: Floats) -> dict[str, tuple[float, float, bool]]:
    """Around the best single setting, along each numeric lever, the unbroken run of settings that are about as good.

    They lose at most 1%, or at most 10% and nothing that can be told from 0: a loss that is large but uncertain is
    not "about as good". A lever with a single supported setting has nothing to be compared with, and is left out.
    """
    out = {}
    for (name, lever), at in zip(scenario.levers.items(), single, strict=True):
        points = [point for point in curve if point.lever == name]
        if len(points) < 2 or not isinstance(lever, Continuous | Integer):
            continue
        best = int(np.abs([point.setting - at for point in points]).argmin())
        scale = abs(points[best].estimate.value)
        good = [_as_good(point.loss, scale) for point in points]
        first = last = best
        while first > 0 and good[first - 1]:
            first -= 1
        while last < len(points) - 1 and good[last + 1]:
            last += 1
        low, high = points[first].setting, points[last].setting
        whole = points[-1].setting - points[0].setting
        out[name] = (low, high, high - low >= FLAT_SHARE * whole)
    return out


def _as_good(loss: Estimate, scale: float) -> bool:
    return loss.value <= SMALL_LOSS * scale or (loss.low <= 0 and loss.value <= LARGE_LOSS * scale)
