"""From today to what is recommended: which lever, and which stage, brings how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly import shapley
from drivetrain.assembly.allowed import obeyed
from drivetrain.assembly.result import Run
from drivetrain.data import Table
from drivetrain.decisions import words
from drivetrain.evidence import Estimate
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Outlook, Simulator, jackknife

Floats = NDArray[np.float64]

MOST_ROWS = 5_000
MOST_OPTIONS = 12


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
    """What the policy of comparison is worth, by the evidence."""
    end: float
    """What that comes to with all that models expect of the way."""
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
    order is preferred; on the way a lever with a condition that does not hold yet stays at doing nothing.

    Args:
        run: a whole run.

    Returns:
        The way; None where nothing is changed, or there is nothing to compare with.

    Raises:
        UsageError: the run was only trained.
    """
    if (found := sides(run)) is None:
        return None
    against, rows, before, after = found.against, found.rows, found.before, found.after
    crowd = run.simulator.crowd(rows.frame)
    looks = [run.simulator.paired(crowd, settings) for settings in (before, after)]
    start, end = (outlook.objective for outlook in looks)
    honest, worth = run.judged.gains.get(against), run.judged.policy(against).estimate.value
    sign = run.scenario.objective.sign
    moved = float((end - start).mean())
    return Bridge(
        against=against,
        start=worth,
        end=worth + moved,
        levers=_levers(run.simulator, crowd, before, after),
        stages=_stages(run.simulator, crowd, before, after),
        correction=None if honest is None else Estimate(sign * honest.value - moved, honest.error),
        moves=(*_set(run.scenario, before, after), *_outcomes(run.scenario, *looks)),
        rows=len(rows),
    )


@dataclass(frozen=True)
class Sides:
    """Where the way begins, and where it ends."""

    against: str
    """The policy of comparison, a key of `evidence.NAMES`."""
    rows: Table
    """Rows evenly taken, where there are many."""
    before: Floats
    """[N, L] what the policy of comparison sets."""
    after: Floats
    """[N, L] what is recommended."""


def sides(run: Run, most: int = MOST_ROWS) -> Sides | None:
    """What the policy of comparison sets and what is recommended; None where nothing is changed or compared.

    Args:
        run: a whole run.
        most: rows.

    Raises:
        UsageError: the run was only trained.
    """
    against, made = words.reference(run.judged), run.recommendations
    if made is None or against is None or against == run.judged.recommended or len(made) != len(run.table):
        return None
    if made.plan.slots is not None:  # the way to several options is not the way to one of them
        return None
    at = np.linspace(0, len(made) - 1, min(most, len(made))).round().astype(np.int64)
    rows = run.table.subset(at)
    return Sides(against, rows, _before(run, against, rows.settings), made.plan.settings[at])


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
    asked = shapley.orders([i for i in range(len(names)) if not np.array_equal(before[:, i], after[:, i])])
    worth: dict[shapley.Coalition, Tensor] = {}
    for changed in shapley.coalitions(asked):
        settings = before.copy()
        settings[:, list(changed)] = after[:, list(changed)]
        allowed = obeyed(simulator, crowd, settings) if 0 < len(changed) < len(asked[0]) else settings
        worth[changed] = _means(simulator.paired(crowd, allowed))
    return tuple(Step(names[i], _told(change, simulator.folds)) for i, change in shapley.parts(asked, worth).items())


def _stages(simulator: Simulator, crowd: Crowd, before: Floats, after: Floats) -> tuple[Step, ...]:
    first, last = simulator.paired(crowd, before), simulator.paired(crowd, after)
    unmoved = simulator.carried(crowd, before, after[:, None])
    out = [Step("the settings themselves, were nobody to react", _moved(first, unmoved))]
    if simulator.scenario.outcomes:
        out.append(Step(f"the reaction: {', '.join(simulator.scenario.outcomes)}", _moved(unmoved, last)))
    return tuple(out)


def _moved(before: Outlook, after: Outlook) -> Estimate:
    return _told(_means(after) - _means(before), after.folds)


def _means(outlook: Outlook) -> Tensor:
    """[M] the objective for one row, as each member expects it."""
    return outlook.objective.double().mean((1, 2))


def _told(change: Tensor, folds: Tensor) -> Estimate:
    """From a change [M]."""
    return Estimate(float(change.mean()), float(jackknife(change, folds)))
