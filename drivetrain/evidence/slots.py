"""Policies that give a row several options, judged slot by slot.

The data shows rows with one option each. So what can be judged without any assumption is one slot: what a row is worth
if one of its options, drawn evenly, stands in it. That is a policy that draws, and its doubly robust score is the mean
of those of its options (as for slates under additivity, Swaminathan et al. 2017, "Off-policy Evaluation for Slate
Recommendation"). What several do together is taken to be the sum; that is said, and is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.errors import Fault, InfeasibleError
from drivetrain.evidence.backing import FEWEST, events, unseen_events
from drivetrain.evidence.balance import balance
from drivetrain.evidence.estimators import Parts
from drivetrain.evidence.judgement import SLACK, Valued, conclude, court_of, guarded, require_known
from drivetrain.evidence.policies import credible
from drivetrain.evidence.refit import between, widened
from drivetrain.evidence.value import Judge, Scores
from drivetrain.evidence.worth import Evidence, Judged
from drivetrain.optimizer import decisions, fill, kept_together, slots_of, used_together
from drivetrain.optimizer.slots import best
from drivetrain.scenario import labelled
from drivetrain.simulator import Crowd, Simulator

Floats = NDArray[np.float64]


def judge_slots(
    simulator: Simulator, table: Table, progress: Callable[[str], None] = lambda _: None, *, examined: bool = True
) -> Evidence:
    """As `judge`, where rows get several options; amounts are for one slot.

    Raises:
        DataError, InfeasibleError, RefusedError: as of `judge`.
    """
    scenario, rows = simulator.scenario, table.training
    design = balance(scenario, rows, simulator.support)
    court = court_of(simulator, table, rows, design)
    require_known(court)
    progress("valuing policies on rows that their models have not seen")
    made, everyone = _policies(court)
    parts = {name: court.shown() if at is None else mixture(court, at) for name, at in made.items()}
    scores = {name: Scores.of(each) for name, each in parts.items()}
    unsure = _unsure(court, made, everyone, scores)
    judged = guarded(tuple(_judged(court, name, made[name], scores[name], unsure[name]) for name in scores))
    drawn = dict.fromkeys(parts)
    found = conclude(
        court, design, Valued(drawn, parts, scores, unsure, judged, everyone[:1]), progress, examined=examined
    )
    return replace(found, slots=tuple(everyone.tolist()))


def mixture(court: Judge, options: Floats) -> Parts:
    """What estimators need of the policy that gives each row one of its options [N, K], drawn evenly."""
    each = [court.parts(options[:, [k]]) for k in range(options.shape[1])]
    shown = court.shown()  # only rows that got one of the options have a say, and they got it as it is
    direct, weight = (np.mean([getattr(part, name) for part in each], axis=0) for name in ("direct", "weight"))
    return Parts(direct, shown.reward, shown.expected, weight)


def _policies(court: Judge) -> tuple[dict[str, Floats | None], Floats]:
    """Policy → each row's options [N, K], made for each fold without it; and the options [K] that are best for all."""
    simulator, rows = court.simulator, len(court.table)
    scenario, nothing = simulator.scenario, simulator.scenario.space.do_nothing
    out: dict[str, Floats | None] = {"current": None} if np.isnan(scenario.space.current).all() else {}
    if nothing is not None and simulator.support.holds(nothing[None])[0]:
        out["do_nothing"] = np.tile(nothing, (rows, 1))
    out["single"], everyone = _singles(court)
    if scenario.decide.unit != "once":
        own = _by_fold(court)
        if own is not None:
            out[scenario.decide.unit] = own
    return out, everyone


def _singles(court: Judge) -> tuple[Floats, Floats]:
    """For each row the options [N, K] that other folds find best for everyone; and those that all find, [K]."""
    simulator, sign, many = court.simulator, court.simulator.scenario.objective.sign, len(court.table)
    options = np.arange(len(next(iter(simulator.scenario.options.values()))), dtype=np.float64)
    nothing = simulator.scenario.space.do_nothing
    fine = simulator.support.holds(options[:, None])
    options = options[fine | (options == nothing[0])] if nothing is not None else options[fine]
    scores = court.each_single(options[:, None])
    out = np.empty((many, simulator.scenario.slots))
    for rows, blind, _ in court.folds:
        others = np.delete(np.arange(many), rows)
        told = credible(scores.total[others], court.unseen(blind, others, options[:, None]))
        out[rows] = _most(simulator, options, sign * told)
    return out, _most(simulator, options, sign * credible(scores.total, scores.direct))


def _most(simulator: Simulator, options: Floats, worth: Floats) -> Floats:
    """The options [K] that are worth most, no more alike than allowed; slots that are better left empty stay so."""
    scenario = simulator.scenario
    if (nothing := scenario.space.do_nothing) is not None:
        empty = np.full(scenario.slots - 1, np.flatnonzero(options == nothing[0])[0])
        options, worth = (np.append(each, each[empty]) for each in (options, worth))
    net = torch.from_numpy(np.where(np.isfinite(worth), worth, -np.inf)[None])
    if len(options) < scenario.slots or not (taken := best(net, slots_of(scenario, options)))[0].isfinite().all():
        found = f"found fewer than {scenario.slots} options that may stand together"
        raise InfeasibleError(Fault(next(iter(scenario.levers)), found, "Each row gets as many", "Choose fewer"))
    return np.asarray(options[taken[1][0].numpy()])


def _by_fold(court: Judge) -> Floats | None:
    """Options [N, K] chosen by models that have not seen the row; None where a fold by itself has no room."""
    scenario, frame = court.simulator.scenario, court.table.frame
    out = np.empty((len(frame), scenario.slots))
    try:
        for rows, blind, crowd in court.folds:
            share = court.part * len(rows) / len(frame)
            out[rows] = _filled(blind, crowd, decisions(scenario, frame.iloc[rows]), share)
    except InfeasibleError:
        _filled(court.simulator, court.simulator.crowd(frame), decisions(scenario, frame), court.part)
        return None
    return out


def _filled(simulator: Simulator, crowd: Crowd, unit: NDArray[np.int64], share: float) -> Floats:
    return fill(simulator, crowd, unit, share=share).given


def _unsure(
    court: Judge, made: Mapping[str, Floats | None], everyone: Floats, scores: Mapping[str, Scores]
) -> dict[str, float]:
    """Policy → the standard error of what its scores' spread cannot show: see `refit.refit_error` and `backing`."""
    finals = {"single": np.tile(everyone, (len(court.table), 1))}
    unit = court.simulator.scenario.decide.unit
    if unit in made:
        frame = court.table.frame
        crowd, whose = court.simulator.crowd(frame), decisions(court.simulator.scenario, frame)
        with suppress(InfeasibleError):  # together they have no room, though each fold had: the folds' error must do
            finals[unit] = _filled(court.simulator, crowd, whose, court.part)
    known = {name: Scores.of(mixture(court, at)) for name, at in finals.items()}
    out = {name: between(court, scores[name].total - each.total) for name, each in known.items()}
    rare = {name: unseen_events(court, court.table.settings, each.weight) for name, each in scores.items()}
    return {name: float(np.hypot(out.get(name, 0.0), rare[name])) for name in scores}


def _judged(court: Judge, name: str, options: Floats | None, scores: Scores, unsure: float) -> Judged:
    scenario, estimate = court.simulator.scenario, court.estimate(scores.total)
    experiment = options is None and scenario.assignment.design == "randomised"
    spoken = not scenario.outcomes or scores.effective >= FEWEST
    fine = bool(np.isfinite(estimate.value)) and spoken and not experiment
    return Judged(
        name,
        widened(estimate, unsure),
        court.sample.mean(scores.direct),
        court.estimate(scores.correction),
        scores.effective,
        fine and _holds(court, court.table.settings if options is None else options),
        events=None if (seen := events(court, scores.weight)) is None else float(seen),
    )


def _holds(court: Judge, options: Floats) -> bool:
    """Whether blind models expect the constraints to hold over all folds, but for a hundredth."""
    scenario, many = court.simulator.scenario, len(court.table)
    uses = {key: np.empty(many) for each in scenario.constraints for key in each.formulas}
    fine = np.empty(many, dtype=np.bool_)
    for rows, blind, crowd in court.folds:
        told, fine[rows] = used_together(blind, crowd, options[rows])
        for key, value in told.items():
            uses[key][rows] = value
    labels = labelled(scenario, court.table.frame)
    return kept_together(scenario, uses, fine, labels, share=court.part, stray=SLACK)
