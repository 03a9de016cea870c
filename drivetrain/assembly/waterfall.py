"""From today to what is recommended: which lever, and which stage, brings how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from drivetrain.assembly.result import Run
from drivetrain.decisions import words
from drivetrain.evidence import Estimate
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Outlook, Simulator, jackknife

Floats = NDArray[np.float64]

MOST_ROWS = 5_000
MOST_OPTIONS = 12
MOST_ORDERS = 24
"""All orders of up to four levers; of more levers so many, drawn once and for all."""


@dataclass(frozen=True)
class Step:
    """One part of the way."""

    name: str
    """A lever's name; or what the stage is, in words."""
    change: Estimate
    """What it adds to the objective of one row, in the objective's unit."""


@dataclass(frozen=True)
class Move:
    """One lever or outcome before and after, the mean over rows in its own unit; of an option its share of rows."""

    name: str
    unit: str
    before: float
    after: float


@dataclass(frozen=True)
class Bridge:
    """The way from the policy of comparison to the recommended one, for one row, in the objective's unit."""

    against: str
    """The policy of comparison, a key of `evidence.NAMES`."""
    start: float
    """What models expect of the policy of comparison."""
    end: float
    """What models expect of the recommended settings."""
    levers: tuple[Step, ...]
    """What each lever brings when all move; they add up to the way from start to end."""
    stages: tuple[Step, ...]
    """What the formula alone brings, were nobody to react; and what comes of the reaction. They add up too."""
    correction: Estimate | None
    """What observed rows add to the models' view of the whole way; None where the evidence has no such comparison."""
    moves: tuple[Move, ...]
    """What is set, and what comes of it, before and after: levers, then outcomes as models expect them."""
    rows: int
    """How many rows were asked about."""


def bridge(run: Run) -> Bridge | None:
    """What models expect to happen on the way from today's setting to the recommended one.

    A lever's part is its mean contribution over the orders in which levers can be moved (Shapley 1953), so that no
    order is preferred.

    Args:
        run: a whole run.

    Returns:
        The way; None where nothing is changed, or there is nothing to compare with.

    Raises:
        UsageError: the run was only trained.
    """
    against, made = words.reference(run.judged), run.recommendations
    if made is None or against is None or against == run.judged.recommended:
        return None
    at = np.linspace(0, len(made) - 1, min(MOST_ROWS, len(made))).round().astype(np.int64)
    if len(made) != len(run.table):
        return None
    rows, after = run.table.subset(at), made.plan.settings[at]
    before = _before(run, against, rows.settings)
    crowd = run.simulator.crowd(rows.frame)
    looks = [run.simulator.paired(crowd, settings) for settings in (before, after)]
    start, end = (outlook.objective for outlook in looks)
    honest = run.judged.gains.get(against)
    sign = run.scenario.objective.sign
    moved = float((end - start).mean())
    return Bridge(
        against=against,
        start=float(start.mean()),
        end=float(end.mean()),
        levers=_levers(run.simulator, crowd, before, after),
        stages=_stages(run.simulator, crowd, before, after),
        correction=None if honest is None else Estimate(sign * honest.value - moved, honest.error),
        moves=(*_set(run.scenario, before, after), *_outcomes(run.scenario, *looks)),
        rows=len(rows),
    )


def _set(scenario: Scenario, before: Floats, after: Floats) -> Iterator[Move]:
    for place, (name, lever) in enumerate(scenario.levers.items()):
        sides = before[:, place], after[:, place]
        if lever.kind == "categorical":
            for code in np.unique(np.concatenate(sides)).astype(int)[:MOST_OPTIONS]:
                old, new = (float((side == code).mean()) for side in sides)
                yield Move(f"{name}: {lever.options[code]}", "share of rows", old, new)
        else:
            unit = "share of rows" if lever.kind == "yes_no" else lever.unit
            yield Move(name, unit, *(float(side.mean()) for side in sides))


def _outcomes(scenario: Scenario, before: Outlook, after: Outlook) -> Iterator[Move]:
    for name, old in before.outcomes.items():
        declared = scenario.outcomes.get(name)
        unit = (
            declared.unit if declared is not None and declared.kind not in {"binary", "categorical"} else "probability"
        )
        yield Move(name, unit, float(old.mean()), float(after.outcomes[name].mean()))


def _before(run: Run, against: str, logged: Floats) -> Floats:
    space = run.scenario.space
    if against == "do_nothing" and space.do_nothing is not None:
        return np.tile(space.do_nothing, (len(logged), 1))
    return np.where(np.isnan(space.current), logged, space.current)


def _levers(simulator: Simulator, crowd: Crowd, before: Floats, after: Floats) -> tuple[Step, ...]:
    """Shapley values over the levers that move in some row."""
    names = simulator.scenario.space.names
    moving = [i for i in range(len(names)) if not np.array_equal(before[:, i], after[:, i])]
    seen: dict[frozenset[int], Outlook] = {}

    def outlook(changed: frozenset[int]) -> Outlook:
        if changed not in seen:
            settings = before.copy()
            settings[:, list(changed)] = after[:, list(changed)]
            seen[changed] = simulator.paired(crowd, settings)
        return seen[changed]

    orders = _orders(moving)
    changes: dict[int, list[Estimate]] = {i: [] for i in moving}
    for order in orders:
        for place, lever in enumerate(order):
            changes[lever].append(_moved(outlook(frozenset(order[:place])), outlook(frozenset(order[: place + 1]))))
    return tuple(Step(names[i], _mean(told)) for i, told in changes.items())


def _orders(moving: list[int]) -> list[tuple[int, ...]]:
    if len(moving) <= 4:
        return list(permutations(moving))
    draw = np.random.default_rng(0)
    half = [tuple(draw.permutation(moving).tolist()) for _ in range(MOST_ORDERS // 2)]
    return [*half, *(order[::-1] for order in half)]  # antithetic: each order with its reverse


def _stages(simulator: Simulator, crowd: Crowd, before: Floats, after: Floats) -> tuple[Step, ...]:
    first, last = simulator.paired(crowd, before), simulator.paired(crowd, after)
    unmoved = simulator.carried(crowd, before, after[:, None])
    out = [Step("the settings themselves, were nobody to react", _moved(first, unmoved))]
    if simulator.scenario.outcomes:
        out.append(Step(f"the reaction: {', '.join(simulator.scenario.outcomes)}", _moved(unmoved, last)))
    return tuple(out)


def _moved(before: Outlook, after: Outlook) -> Estimate:
    change = (after.objective - before.objective).double().mean((1, 2))
    return Estimate(float(change.mean()), float(jackknife(change, after.folds)))


def _mean(each: list[Estimate]) -> Estimate:
    return Estimate(float(np.mean([e.value for e in each])), float(np.mean([e.error for e in each])))
