"""The judgement: every policy's honest value, the simplest one that is not clearly beaten, and how flat the top is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.errors import Fault, InfeasibleError
from drivetrain.evidence.curve import Point, curve, near
from drivetrain.evidence.effects import Effect, effects
from drivetrain.evidence.propensity import propensity
from drivetrain.evidence.value import Estimate, Judge, Scores
from drivetrain.optimizer import decisions, holds, optimise, shortlist
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator

Floats = NDArray[np.float64]

NAMES = {
    "current": "the current policy",
    "do_nothing": "doing nothing",
    "single": "the best single setting",
    "segment": "one setting for each segment",
    "row": "a setting for each row",
}
"""Every policy that can be valued, simplest first, in words."""
SINGLES = 128


@dataclass(frozen=True)
class Judged:
    """One policy's worth, for one row."""

    name: str
    """A key of `NAMES`."""
    estimate: Estimate
    naive: float
    """What the models that chose the policy promise of it, optimistic by nature; kept for comparison."""
    correction: Estimate
    """The part of the estimate that observed rows add to what blind models expect."""
    effective: float
    """Effective number of rows that speak for it."""
    eligible: bool
    """Whether it may be recommended: a current policy that was only an experiment, or one that breaks a constraint,
    may not."""


@dataclass(frozen=True)
class Evidence:
    """All that is known of what policies are worth; amounts are in the objective's unit, for one row."""

    grade: str
    """How the settings came about: `randomised`, `adjusted` or `associational`."""
    policies: tuple[Judged, ...]
    recommended: str
    """The simplest eligible policy that no more complex one clearly beats."""
    gains: dict[str, Estimate]
    """Policy → how much more the recommended one is worth, paired row by row, in the objective's direction."""
    gain_corrections: dict[str, Estimate]
    """The part of each gain that observed rows add to what blind models expect."""
    single: tuple[float, ...]
    """[L] the best single setting."""
    curve: tuple[Point, ...]
    near: dict[str, tuple[float, float, bool]]
    """Numeric lever → lowest and highest setting about as good as the best, and whether that is wide enough to say flat."""
    effects: tuple[Effect, ...]
    rows: int
    """Rows that judged."""

    def policy(self, name: str) -> Judged:
        """A policy by its key in `NAMES`."""
        return next(judged for judged in self.policies if judged.name == name)

    @property
    def chosen(self) -> Judged:
        """The recommended policy."""
        return self.policy(self.recommended)


def judge(simulator: Simulator, table: Table, progress: Callable[[str], None] = lambda _: None) -> Evidence:
    """Value every policy on the training rows, each by members that have not seen the row.

    Args:
        simulator: all members.
        table: the rows; the sealed test part is left alone.
        progress: told, in words, what is being valued.

    Raises:
        InfeasibleError: no setting meets the constraints.
        RefusedError: the data supports no setting.
    """
    scenario, rows = simulator.scenario, table.training
    design = scenario.assignment
    chances = propensity(
        rows,
        simulator.support,
        simulator.models.inputs,
        randomised=design.design == "randomised",
        within=design.within,
        seed=scenario.seed,
    )
    court = Judge(simulator, rows, chances)
    progress("valuing policies on rows that their models have not seen")
    single, singles = _singles(court)
    settings = _policies(court, scenario, singles)
    scores = {name: court.logged() if at is None else court.scores(at) for name, at in settings.items()}
    judged = tuple(_judged(court, name, settings[name], scores[name]) for name in scores)
    recommended = _simplest(judged, scores, scenario.objective.sign)
    progress("tracing the value of single settings")
    points = curve(court, single)
    sign, best = scenario.objective.sign, scores[recommended]
    others = {name: each for name, each in scores.items() if name != recommended}
    return Evidence(
        grade=_grade(scenario),
        policies=judged,
        recommended=recommended,
        gains={name: Estimate.of(sign * (best.total - each.total)) for name, each in others.items()},
        gain_corrections={name: Estimate.of(sign * (best.correction - o.correction)) for name, o in others.items()},
        single=tuple(single.tolist()),
        curve=points,
        near=near(scenario, points),
        effects=effects(court),
        rows=len(rows),
    )


def _policies(court: Judge, scenario: Scenario, singles: Floats) -> dict[str, Floats | None]:
    """Policy → its setting for each training row, made for each fold without it; None is what the data shows."""
    space, rows = scenario.space, len(court.table)
    current = space.current
    out: dict[str, Floats | None] = {}
    out["current"] = None if np.isnan(current).any() else np.tile(current, (rows, 1))
    nothing = space.do_nothing
    if nothing is not None and court.simulator.support.holds(nothing[None])[0]:
        out["do_nothing"] = np.tile(nothing, (rows, 1))
    out["single"] = singles
    if scenario.decide.unit != "once":
        out[scenario.decide.unit] = _by_fold(court, lambda frame: decisions(scenario, frame))
    return out


def _by_fold(court: Judge, unit: Callable[[pd.DataFrame], NDArray[np.int64]]) -> Floats:
    out = np.empty_like(court.table.settings)
    for rows, blind, crowd in court.folds:
        share = len(rows) / len(court.table)
        out[rows] = optimise(blind, crowd, unit(court.table.frame.iloc[rows]), share=share).settings
    return out


def _singles(court: Judge) -> tuple[Floats, Floats]:
    """The best single setting [L], by doubly robust value, and for each row [N, L] the one that other folds chose.

    By value and not by what models expect, because with one number to choose the data itself can speak.
    """
    options = shortlist(court.simulator, court.simulator.crowd(court.table.frame), SINGLES)
    scores = court.simulator.scenario.objective.sign * court.each_single(options)[0]
    chosen = np.empty_like(court.table.settings)
    for rows, _, _ in court.folds:
        chosen[rows] = options[np.delete(scores, rows, axis=0).mean(0).argmax()]
    return options[scores.mean(0).argmax()], chosen


def _judged(court: Judge, name: str, settings: Floats | None, scores: Scores) -> Judged:
    scenario = court.simulator.scenario
    experiment = settings is None and scenario.assignment.design == "randomised"
    return Judged(
        name,
        Estimate.of(scores.total),
        float(scores.direct.mean()),
        Estimate.of(scores.correction),
        scores.effective,
        not experiment and (settings is None or _holds(court, settings)),
    )


def _holds(court: Judge, settings: Floats) -> bool:
    """Whether blind models expect the constraints to hold in every fold, but for a hundredth."""
    many = len(court.table)
    return all(
        holds(blind, crowd, settings[rows], share=len(rows) / many, slack=0.01) for rows, blind, crowd in court.folds
    )


def _simplest(judged: Sequence[Judged], scores: dict[str, Scores], sign: int) -> str:
    """The simplest eligible policy that no more complex eligible one beats with an interval above 0."""
    eligible = [name for name in NAMES if any(each.name == name and each.eligible for each in judged)]
    if not eligible:
        raise InfeasibleError(_none_holds())
    for place, name in enumerate(eligible):
        rivals = (Estimate.of(sign * (scores[other].total - scores[name].total)) for other in eligible[place + 1 :])
        if all(rival.low <= 0 for rival in rivals):
            return name
    return eligible[-1]


def _none_holds() -> Fault:
    return Fault(
        "constraints",
        "found no policy that keeps them on rows that its models have not seen",
        "A recommended policy must keep every constraint",
        "Loosen a bound, or widen a lever's range",
    )


def _grade(scenario: Scenario) -> str:
    if scenario.assignment.design == "randomised":
        return "randomised"
    return "adjusted" if scenario.inputs else "associational"
