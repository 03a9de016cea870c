"""Candidate settings: a grid where it is small enough, a Sobol sequence where it is not, and always doing nothing."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from drivetrain.errors import Fault, RefusedError
from drivetrain.scenario import Continuous, Integer, Lever, LeverSpace, places, stepped
from drivetrain.simulator import Support
from drivetrain.simulator.reach import NEXT, SHARE_NEXT

Floats = NDArray[np.float64]

MOST = 4096
FINEST = 103
"""A hundred steps and the two ends of what was seen."""
MOST_STEPS = 256
"""A lever with no more steps than this is tried at each of them."""
COARSEST = 5


def candidates(space: LeverSpace, support: Support) -> Floats:
    """Settings [G, L] to try, each within the data's support.

    One lever is tried at up to a hundred steps, several at as many as fit into 4,096 combinations; where fewer than
    five values a lever would fit, a Sobol sequence spreads 4,096 settings instead, beside some that the data shows.

    Raises:
        RefusedError: the data supports none of them.
    """
    tried = _all(space, support)
    supported = tried[support.holds(tried)]
    if not len(supported):
        raise RefusedError(
            Fault(
                "levers",
                f"found no support for any of {len(tried):,} settings",
                "A setting can be recommended only where the data has seen rows around it",
                "Bring more rows, or declare narrower levers",
            )
        )
    return supported


def spelt_out(space: LeverSpace, support: Support, tried: Floats) -> Floats:
    """Candidates [G, L], and of one lever alone that has no steps every supported setting that could be told."""
    lever = next(iter(space.levers.values()))
    if (
        len(space) > 1
        or not isinstance(lever, Continuous)
        or lever.step
        or lever.frozen
        or support.alone(0) is not None
    ):
        return tried
    scale = 10.0 ** places(lever)
    told = np.arange(np.ceil(lever.min * scale - 1e-6), np.floor(lever.max * scale + 1e-6) + 1) / scale
    told = space.rounded(space.names[0], told)[:, None]
    return np.unique(np.vstack([tried, told[support.holds(told)]]), axis=0)


def _all(space: LeverSpace, support: Support) -> Floats:
    finest = [_values(space, support, i, _finest(space.levers[name])) for i, name in enumerate(space.names)]
    values = [_values(space, support, i, count) for i, count in enumerate(_counts([len(each) for each in finest]))]
    kept = [value for value in (space.do_nothing, space.current) if value is not None and np.isfinite(value).all()]
    grid = np.array(list(product(*values))) if prod(map(len, values)) <= MOST else _spread(space, support, finest)
    return np.unique(np.vstack([grid, *kept]), axis=0)


def _finest(lever: Lever) -> int:
    return MOST_STEPS if isinstance(lever, Continuous | Integer) and lever.step else FINEST


def _counts(finest: list[int]) -> list[int]:
    """How many values each lever may have for all combinations to fit; levers with few leave more to the others."""
    counts, room = list(finest), float(MOST)
    for place, lever in enumerate(order := sorted(range(len(finest)), key=finest.__getitem__)):
        share = room ** (1 / (len(order) - place))
        counts[lever] = min(finest[lever], max(COARSEST, int(share + 1e-9)))
        room /= counts[lever]
    return counts


def _values(space: LeverSpace, support: Support, i: int, count: int) -> Floats:
    """At most `count` values of one lever (options all the same), the ends of what was seen among them.

    Where the data has few values, each of which speaks only for itself, it is those.
    """
    name, reach = space.names[i], support.reach[i]
    lever = space.levers[name]
    if lever.frozen:
        return space.current[i : i + 1]
    if len(seen := seen_alone(space, support, i)):
        return seen
    if not isinstance(lever, Continuous) or lever.step:
        return space.grid(name, count)
    ends = [space.rounded(name, np.array([reach.low]), np.ceil), space.rounded(name, np.array([reach.high]), np.floor)]
    return np.unique(np.concatenate([space.rounded(name, space.grid(name, max(2, count - 2))), *ends]))


def seen_alone(space: LeverSpace, support: Support, i: int) -> Floats:
    """The values of a numeric lever that were seen, where each speaks only for itself; none where near ones do too.

    They are told as finely as settings are recommended where that is the same value, and lie on the lever's steps.
    """
    name, seen = space.names[i], support.alone(i)
    lever = space.levers[name]
    if seen is None or not isinstance(lever, Continuous | Integer):
        return np.zeros(0)
    step = lever.step
    plain = stepped(lever, seen) if step else space.rounded(name, seen)
    same = np.isclose(plain, seen, rtol=SHARE_NEXT, atol=NEXT)
    return np.unique(plain[same]) if step else np.unique(np.where(same, plain, seen))


def _spread(space: LeverSpace, support: Support, finest: list[Floats]) -> Floats:
    """Settings spread evenly over the ranges that were seen, and some of those that were."""
    inside = [each[reach.inside(each)] for each, reach in zip(finest, support.reach, strict=True)]
    seen = support.logged(MOST // 4)
    for i, (name, lever) in enumerate(space.levers.items()):
        if lever.frozen:
            seen[:, i] = space.current[i]
        elif isinstance(lever, Continuous | Integer) and lever.step:
            seen = seen[np.isin(seen[:, i], space.grid(name, 10**6).round(12))]
        else:
            seen[:, i] = space.rounded(name, seen[:, i])
    return np.vstack([_sobol([few if len(few) else each for few, each in zip(inside, finest, strict=True)]), seen])


def _sobol(values: list[Floats]) -> Floats:
    draws = qmc.Sobol(len(values), seed=0).random(MOST)
    return np.column_stack(
        [each[(draws[:, i] * len(each)).astype(int).clip(0, len(each) - 1)] for i, each in enumerate(values)]
    )
