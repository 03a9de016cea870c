"""From today to what is recommended: which lever, and which stage, brings how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.assembly import shapley
from drivetrain.assembly.adding import added
from drivetrain.assembly.allowed import obeyed
from drivetrain.assembly.result import Run, of_run
from drivetrain.data import Table
from drivetrain.decisions import words
from drivetrain.decisions.rounding import number, short
from drivetrain.evidence import Estimate
from drivetrain.scenario import Scenario
from drivetrain.simulator import Crowd, Outlook, Simulator, jackknife, looked

Floats = NDArray[np.float64]

MOST_ROWS = 5_000
SHARE = "share of rows"
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
    """`share of rows` of an option, and of yes."""
    before: float
    after: float
    lever: bool = True
    """False of an outcome."""

    @property
    def what(self) -> str:
        """Its name and unit; shares are told in per cent, and need none."""
        return self.name if self.unit in {"", self.name, SHARE} else f"{self.name}, {self.unit}"

    def said(self, value: float, sign: str = "") -> str:
        """One of its values, or their difference with a `+`, as people read it."""
        if self.unit == SHARE:
            return f"{100 * value:{sign}.0f} points" if sign else f"{value:.0%}"
        return f"{sign if value > 0 else ''}{short(value) if self.lever else number(value)}"


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
    """What each lever brings when all move; they add up to the way from start to end. Where rows get several options:
    what each option adds by itself, those that add most first."""
    stages: tuple[Step, ...]
    """What the formula alone brings, were nobody to react; and what comes of the reaction. They add up too. Where rows
    get several options: what each slot adds."""
    correction: Estimate | None
    """What observed rows add to the models' view of the whole way; None where the evidence has no such comparison."""
    moves: tuple[Move, ...]
    """What is set, and what comes of it, before and after: levers, then outcomes as models expect them."""
    rows: int
    """How many rows were asked about."""


@of_run
def bridge(run: Run) -> Bridge | None:
    """What models expect to happen on the way from today's setting to the recommended one.

    A lever's part is its mean contribution over the orders in which levers can be moved (Shapley 1953), so that no
    order is preferred; on the way a lever with a condition that does not hold yet stays at doing nothing. Where rows
    get several options, each is taken to add what it adds by itself, and observed rows correct it slot by slot.

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
    looks = [looked(run.simulator, crowd, settings) for settings in (before, after)]
    start, end = (outlook.objective for outlook in looks)
    honest, worth = run.judged.gains.get(against), run.judged.policy(against).estimate.value
    sign, slots = run.scenario.objective.sign, run.scenario.slots
    moved = float((end - start).mean())
    if slots > 1:
        levers, stages = _by_slot(run.simulator, crowd, after)
    else:
        levers = _levers(run.simulator, crowd, before, after)
        stages = _stages(run.simulator, crowd, before, after)
    return Bridge(
        against=against,
        start=worth,
        end=worth + moved,
        levers=levers,
        stages=stages,
        correction=None if honest is None else Estimate(sign * slots * honest.value - moved, slots * honest.error),
        moves=(*_set(run.scenario, before, after), *_outcomes(run.scenario, *looks)),
        rows=len(rows),
    )


Parts = tuple[tuple[Step, ...], tuple[Step, ...]]
"""Levers (or options), and stages (or slots)."""


@dataclass(frozen=True)
class Sides:
    """Where the way begins, and where it ends."""

    against: str
    """The policy of comparison, a key of `evidence.NAMES`."""
    rows: Table
    """Rows evenly taken, where there are many."""
    before: Floats
    """[N, L] what the policy of comparison sets; where rows get several options these, [N, K]."""
    after: Floats
    """The same of what is recommended."""


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
    slots = made.plan.slots
    if slots is not None and against != "do_nothing":  # the way from one option to several has no step between
        return None
    at = np.linspace(0, len(made) - 1, min(most, len(made))).round().astype(np.int64)
    rows = run.table.subset(at)
    after = (made.plan.settings if slots is None else slots)[at]
    before = _before(run, against, rows.settings)
    return Sides(against, rows, before if slots is None else np.repeat(before, after.shape[1], 1), after)


def _set(scenario: Scenario, before: Floats, after: Floats) -> Iterator[Move]:
    for place, (name, lever) in enumerate(scenario.levers.items()):
        if lever.kind == "categorical":
            own = [side if scenario.slots > 1 else side[:, [place]] for side in (before, after)]
            codes = np.unique(np.concatenate(own)).astype(int)
            shares = np.array([[(side == code).any(1).mean() for code in codes] for side in own])
            often = np.sort(np.argsort(-shares.max(0), kind="stable")[:MOST_OPTIONS])
            for code, old, new in zip(codes[often], *shares[:, often].tolist(), strict=True):
                yield Move(f"{name}: {lever.options[code]}", SHARE, old, new)
        else:
            unit = SHARE if lever.kind == "yes_no" else lever.unit
            told = f"{name}: yes" if lever.kind == "yes_no" else name
            yield Move(told, unit, float(before[:, place].mean()), float(after[:, place].mean()))


def _outcomes(scenario: Scenario, before: Outlook, after: Outlook) -> Iterator[Move]:
    for name, old in before.outcomes.items():
        declared = scenario.outcomes.get(name)
        unit = (
            declared.unit if declared is not None and declared.kind not in {"binary", "categorical"} else "probability"
        )
        yield Move(name, unit, float(old.mean()), float(after.outcomes[name].mean()), lever=False)


def _before(run: Run, against: str, logged: Floats) -> Floats:
    space = run.scenario.space
    if against == "do_nothing" and space.do_nothing is not None:
        return np.tile(space.do_nothing, (len(logged), 1))
    return np.where(np.isnan(space.current), logged, space.current)


def _by_slot(simulator: Simulator, crowd: Crowd, after: Floats) -> Parts:
    """What options and slots add to doing nothing."""
    told = added(simulator, crowd, after)
    options = tuple(Step(name, _told(change, simulator.folds)) for name, change in told.options)
    return options, tuple(Step(name, _told(change, simulator.folds)) for name, change in told.slots)


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
