"""The judgement: every policy's honest value, the simplest one that is not clearly beaten, and how flat the top is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.errors import DataError, Fault
from drivetrain.evidence.backing import FEWEST, events, unseen_events
from drivetrain.evidence.balance import Check, balance
from drivetrain.evidence.bandwidth import steadied
from drivetrain.evidence.choosing import Choice, believed, choose
from drivetrain.evidence.curve import curve, near
from drivetrain.evidence.effects import effects
from drivetrain.evidence.estimators import Parts
from drivetrain.evidence.fairness import gaps
from drivetrain.evidence.opinions import unspoken, unsupported
from drivetrain.evidence.policies import Policies, policies, single_settings
from drivetrain.evidence.propensity import propensity
from drivetrain.evidence.refit import refit_errors, widened
from drivetrain.evidence.trust import Case, drawn_as_declared, examine, grades, worst
from drivetrain.evidence.uplift import Given, uplift
from drivetrain.evidence.value import Judge, Scores
from drivetrain.evidence.worth import KEPT, Evidence, Judged
from drivetrain.optimizer import kept, ranked, used
from drivetrain.scenario import labelled
from drivetrain.simulator import Simulator

Floats = NDArray[np.float64]

SLACK = 0.01
"""By how much blind models may expect a bound to be passed, and in what share of rows one that holds for each."""


def judge(
    simulator: Simulator, table: Table, progress: Callable[[str], None] = lambda _: None, *, examined: bool = True
) -> Evidence:
    """Value every policy on the training rows, each by members that have not seen the row.

    Args:
        simulator: all members.
        table: the rows; the sealed test part is left alone.
        progress: told, in words, what is being valued.
        examined: whether what the values rest on is tested too: see `Trust`.

    Raises:
        DataError: for some rows the objective or a constraint cannot be computed.
        InfeasibleError: no settings meet the constraints.
        RefusedError: the data supports no setting, or hardly a row speaks for any policy.
    """
    scenario, rows = simulator.scenario, table.training
    if ranked(scenario):
        return unsupported(simulator, rows, progress)
    design = balance(scenario, rows, simulator.support)
    court = court_of(simulator, table, rows, design)
    require_known(court)
    progress("valuing policies on rows that their models have not seen")
    singles = single_settings(court)
    made = policies(court, singles)
    settings, single = made.settings, singles.best
    court, parts = steadied(court, settings)
    scores = {name: Scores.of(each) for name, each in parts.items()}
    unsure = _unsure(court, made, single, scores)
    judged = tuple(
        _judged(court, name, settings[name], scores[name], name != "single" or singles.feasible) for name in scores
    )
    judged = guarded(tuple(replace(each, estimate=widened(each.estimate, unsure[each.name])) for each in judged))
    spoken = scores["single"].effective >= FEWEST
    if simulator.support.radius and scenario.decide.unit == "once" and not spoken and singles.feasible:
        return unspoken(court, judged, scores, single)
    valued = Valued(settings, parts, scores, unsure, judged, single)
    found = conclude(court, design, valued, progress, examined=examined)
    return replace(
        found,
        tree=made.tree,
        smoothed=made.smoothed if found.recommended == "smoothed" else None,
        fairness=gaps(court, settings[found.recommended]),
    )


@dataclass(frozen=True)
class Valued:
    """Policies with what they were found to be worth."""

    settings: Mapping[str, Floats | None]
    """Policy → its setting for each row [N, L]; None of what the data shows, and of one that draws."""
    parts: Mapping[str, Parts]
    scores: Mapping[str, Scores]
    unsure: Mapping[str, float]
    """Policy → the standard error of what the spread of its scores cannot show."""
    judged: tuple[Judged, ...]
    single: Floats
    """[L] the best single setting."""


def conclude(
    court: Judge, design: tuple[Check, ...], valued: Valued, progress: Callable[[str], None], *, examined: bool
) -> Evidence:
    """Choose among policies that were valued, and say what that rests on; arguments as of `judge`."""
    scenario, scores, parts, unsure = court.simulator.scenario, valued.scores, valued.parts, valued.unsure
    choice = choose(court, distinct(court, valued), scores)
    progress("tracing the value of single settings")
    points = curve(court, valued.single)
    sign, best, own = scenario.objective.sign, choice.scores, unsure[choice.name]
    others = {name: each for name, each in scores.items() if name != choice.name}
    gains = {name: court.estimate(sign * (best.total - each.total)) for name, each in others.items()}
    fixes = {name: court.estimate(sign * (best.correction - each.correction)) for name, each in others.items()}
    beside = next((name for name in ("do_nothing", "current") if name in parts), None)
    told, trust, shrunk = _told(court, parts, choice), None, believed(court, valued.judged, scores)
    judged = [replace(each, shrunk=shrunk.get(each.name)) for each in valued.judged]
    if examined:
        progress("testing what the values rest on")
        case = Case(valued.settings, parts, choice.name, told, beside, valued.single, points)
        trust = examine(court, case, design)
    return Evidence(
        grade=worst(grades(scenario, design if trust is None else trust.checks)),
        policies=tuple(_lucky(court, each, choice, own) if each.name == choice.name else each for each in judged),
        recommended=choice.name,
        gains={name: widened(gain, own, unsure[name], choice.error) for name, gain in gains.items()},
        gain_corrections={name: widened(fix, own, unsure[name], choice.error) for name, fix in fixes.items()},
        single=tuple(valued.single.tolist()),
        curve=points,
        near=near(scenario, points, valued.single),
        effects=effects(court),
        rows=len(court.table),
        trust=trust,
        uplift=None
        if beside is None or beside == choice.name or scenario.slots > 1
        else uplift(
            court,
            Given(valued.settings[choice.name], told),
            Given(valued.settings[beside], parts[beside]),
            beside,
            float(np.sqrt(own**2 + unsure[beside] ** 2 + choice.error**2)),
        ),
    )


def distinct(court: Judge, valued: Valued) -> list[Judged]:
    """Policies to choose among: a single setting that does nothing is doing nothing, and told as that."""
    nothing = court.simulator.scenario.space.do_nothing
    same = nothing is not None and court.simulator.scenario.slots == 1 and np.array_equal(valued.single, nothing)
    left = same and any(each.name == "do_nothing" and each.eligible for each in valued.judged)
    return [each for each in valued.judged if not (left and each.name == "single")]


def court_of(simulator: Simulator, table: Table, rows: Table, design: tuple[Check, ...]) -> Judge:
    """Who values policies on the training rows, with the chances of their settings."""
    chances = propensity(
        rows,
        simulator.support,
        simulator.models.inputs,
        randomised=drawn_as_declared(simulator.scenario, design),
        within=simulator.scenario.assignment.within,
        seed=simulator.scenario.seed,
    )
    return Judge(simulator, rows, chances, part=len(rows) / len(table))


def _unsure(court: Judge, made: Policies, single: Floats, scores: dict[str, Scores]) -> dict[str, float]:
    """Policy → the standard error of what its scores' spread cannot show: its refit, and events that nobody saw."""
    out = refit_errors(court, made, single, scores)
    for name, at in made.settings.items():
        asked = court.table.settings if at is None else at
        out[name] = float(np.hypot(out[name], unseen_events(court, asked, scores[name].weight)))
    return out


def require_known(court: Judge) -> None:
    """Raises: DataError: the objective cannot be computed in some rows."""
    unknown = int((~np.isfinite(court.observed())).sum())
    if unknown:
        names = court.simulator.scenario.objective.formula.names & set(court.simulator.scenario.inputs)
        raise DataError(
            Fault(
                "objective",
                f"cannot be computed in {unknown:,} of {len(court.table):,} rows",
                f"Its formula uses {', '.join(sorted(names)) or 'numbers for which it is not defined'}",
                "Fill in what is missing, or leave these rows out",
            )
        )


def _judged(court: Judge, name: str, settings: Floats | None, scores: Scores, feasible: bool) -> Judged:
    scenario, estimate = court.simulator.scenario, court.estimate(scores.total)
    experiment = settings is None and scenario.assignment.design == "randomised"
    spoken = not scenario.outcomes or scores.effective >= FEWEST
    known = bool(np.isfinite(estimate.value))
    allowed = feasible and known and spoken and not experiment
    seen = events(court, scores.weight)
    return Judged(
        name,
        estimate,
        court.sample.mean(scores.direct),
        court.estimate(scores.correction),
        scores.effective,
        allowed and _holds(court, court.table.settings if settings is None else settings),
        events=None if seen is None else float(seen),
    )


def guarded(judged: tuple[Judged, ...]) -> tuple[Judged, ...]:
    """A change for which too few events speak is passed over, unless there is nothing else to recommend."""
    solid = any(each.eligible and (each.name in KEPT or not each.thin) for each in judged)
    return tuple(
        replace(each, eligible=False) if solid and each.thin and each.name not in KEPT else each for each in judged
    )


def _lucky(court: Judge, judged: Judged, choice: Choice, own: float) -> Judged:
    """The recommended policy, told without the luck of having been chosen."""
    estimate, fix = court.estimate(choice.scores.total), court.estimate(choice.scores.correction)
    return replace(
        judged,
        estimate=widened(estimate, own, choice.error),
        correction=widened(fix, own, choice.error),
        scored=judged.estimate,
    )


def _told(court: Judge, parts: Mapping[str, Parts], choice: Choice) -> Parts:
    """What estimators need of the recommended policy: in each fold of the one that other folds' rows choose."""
    if not choice.error:
        return parts[choice.name]
    told = {key: values.copy() for key, values in vars(parts[choice.name]).items()}
    for (rows, _, _), name in zip(court.folds, choice.by_fold, strict=True):
        for key, values in told.items():
            values[rows] = getattr(parts[name], key)[rows]
    return Parts(**told)


def _holds(court: Judge, settings: Floats) -> bool:
    """Whether blind models expect the constraints to hold over all folds, but for a hundredth."""
    parts = [(rows, used(blind, crowd, settings[rows])) for rows, blind, crowd in court.folds]
    uses = {key: np.empty(len(court.table)) for each in court.simulator.scenario.constraints for key in each.formulas}
    for rows, part in parts:
        for key, value in part.items():
            uses[key][rows] = value
    labels = labelled(court.simulator.scenario, court.table.frame)
    return kept(court.simulator.scenario, uses, labels, share=court.part, slack=SLACK, stray=SLACK)
