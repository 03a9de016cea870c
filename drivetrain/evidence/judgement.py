"""The judgement: every policy's honest value, the simplest one that is not clearly beaten, and how flat the top is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.errors import DataError, Fault, InfeasibleError, RefusedError
from drivetrain.evidence.balance import Check, balance
from drivetrain.evidence.bandwidth import steadied
from drivetrain.evidence.curve import Point, curve, near
from drivetrain.evidence.effects import Effect, effects
from drivetrain.evidence.fairness import Gap, gaps
from drivetrain.evidence.many import opinion, require_alone
from drivetrain.evidence.policies import policies, single_settings
from drivetrain.evidence.propensity import propensity
from drivetrain.evidence.refit import refit_errors, widened
from drivetrain.evidence.sample import Estimate, Sample
from drivetrain.evidence.smoothed import Smoothed
from drivetrain.evidence.tree import Tree
from drivetrain.evidence.trust import Case, Trust, drawn_as_declared, examine, grades, worst
from drivetrain.evidence.value import Judge, Scores
from drivetrain.optimizer import best_single, deciders, kept, ranked, used
from drivetrain.scenario import labelled
from drivetrain.simulator import Simulator, jackknife

Floats = NDArray[np.float64]

NAMES = {
    "current": "the current policy",
    "do_nothing": "doing nothing",
    "single": "the best single setting",
    "tree": "one setting for each of a few groups",
    "segment": "one setting for each segment",
    "smoothed": "a smoothed setting for each row",
    "row": "a setting for each row",
}
"""Every policy that can be valued, simplest first, in words."""
FEWEST = 10
"""Where fewer effective rows speak for a policy, its value is its models' opinion and its interval means little."""
TROUBLE = 0.01
"""Share of what the best policy gains over the simplest, below which more complexity is not worth its trouble."""
SLACK = 0.01
"""By how much blind models may expect a bound to be passed, and in what share of rows one that holds for each."""


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
    """Whether it may be recommended: a current policy that was only an experiment, one that breaks a constraint, or
    one for which hardly a row speaks, may not."""


@dataclass(frozen=True)
class Evidence:
    """All that is known of what policies are worth; amounts are in the objective's unit, for one row."""

    grade: str
    """How the settings came about: `randomised`, `adjusted` or `associational`; or `unsupported`, where options or
    levers are so many that the data cannot judge a choice among them."""
    policies: tuple[Judged, ...]
    recommended: str
    """The simplest eligible policy, or the simplest of those that clearly beat it and that none beats."""
    gains: dict[str, Estimate]
    """Policy → how much more the recommended one is worth, paired row by row, in the objective's direction."""
    gain_corrections: dict[str, Estimate]
    """The part of each gain that observed rows add to what blind models expect."""
    single: tuple[float, ...]
    """[L] the best single setting."""
    curve: tuple[Point, ...]
    near: dict[str, tuple[float, float, bool]]
    """Numeric lever → lowest and highest setting about as good as the best, and whether that is wide enough to call it
    flat."""
    effects: tuple[Effect, ...]
    rows: int
    """Rows that judged."""
    trust: Trust | None = None
    """What the recommended policy's value rests on; None where that was not examined, or the grade is `unsupported`."""
    tree: Tree | None = None
    """The groups of the policy `tree`; None where one group does as well."""
    smoothed: Smoothed | None = None
    """The policy `smoothed`, where it is recommended."""
    fairness: tuple[Gap, ...] = ()
    """How far groups are apart under the recommended policy, for every `fairness` that is declared."""

    def policy(self, name: str) -> Judged:
        """A policy by its key in `NAMES`."""
        return next(judged for judged in self.policies if judged.name == name)

    @property
    def chosen(self) -> Judged:
        """The recommended policy."""
        return self.policy(self.recommended)

    def opinion(self, name: str) -> bool:
        """Whether a policy's value is only what models expect, since hardly a row shows it; it has no interval."""
        return self.grade == "unsupported" and name == self.recommended


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
        return _unsupported(simulator, rows, progress)
    design = balance(scenario, rows, simulator.support)
    court = _court(simulator, table, rows, design)
    _require_known(court)
    progress("valuing policies on rows that their models have not seen")
    singles = single_settings(court)
    made = policies(court, singles)
    settings, single = made.settings, singles.best
    court, parts = steadied(court, settings)
    scores = {name: Scores.of(each) for name, each in parts.items()}
    unsure = refit_errors(court, made, single, scores)
    judged = tuple(
        _judged(court, name, settings[name], scores[name], name != "single" or singles.feasible) for name in scores
    )
    judged = tuple(replace(each, estimate=widened(each.estimate, unsure[each.name])) for each in judged)
    spoken = scores["single"].effective >= FEWEST
    if simulator.support.radius and scenario.decide.unit == "once" and not spoken and singles.feasible:
        return _unspoken(court, judged, scores, single)
    recommended = _simplest(judged, scores, scenario.objective.sign, court.sample)
    progress("tracing the value of single settings")
    points = curve(court, single)
    sign, best = scenario.objective.sign, scores[recommended]
    others = {name: each for name, each in scores.items() if name != recommended}
    gains = {name: court.estimate(sign * (best.total - each.total)) for name, each in others.items()}
    trust = None
    if examined:
        progress("testing what the values rest on")
        beside = next((name for name in ("do_nothing", "current") if name in parts), None)
        trust = examine(court, Case(settings, parts, recommended, beside, single, points), design)
    return Evidence(
        grade=worst(grades(scenario, design if trust is None else trust.checks)),
        policies=judged,
        recommended=recommended,
        gains={name: widened(gain, unsure[recommended], unsure[name]) for name, gain in gains.items()},
        gain_corrections={name: court.estimate(sign * (best.correction - o.correction)) for name, o in others.items()},
        single=tuple(single.tolist()),
        curve=points,
        near=near(scenario, points),
        effects=effects(court),
        rows=len(rows),
        trust=trust,
        tree=made.tree,
        smoothed=made.smoothed if recommended == "smoothed" else None,
        fairness=gaps(court, settings[recommended]),
    )


def _court(simulator: Simulator, table: Table, rows: Table, design: tuple[Check, ...]) -> Judge:
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


def _unspoken(court: Judge, judged: Sequence[Judged], scores: Mapping[str, Scores], single: Floats) -> Evidence:
    """Of many levers hardly a row has settings like the best: what models expect is told, and is called that.

    The error of what they expect is their own disagreement (jackknife), which is no interval of the truth.
    """
    simulator, sign = court.simulator, court.simulator.scenario.objective.sign
    everyone = simulator.crowd(court.table.frame)
    each = torch.cat([outlook.objective for _, outlook in simulator.chunks(everyone, single[None])], dim=1)
    error = float(jackknife(each.double().mean((1, 2)), simulator.folds))
    best, none = Estimate(float(scores["single"].direct.mean()), error), Estimate(0.0, error)
    own = Judged("single", best, best.value, none, scores["single"].effective, True)
    others = {each.name: each for each in judged if each.name != "single"}
    gains = {
        name: Estimate(sign * (best.value - each.estimate.value), float(np.hypot(error, each.estimate.error)))
        for name, each in others.items()
    }
    policies = (*(replace(each, eligible=False) for each in others.values()), own)
    kept = tuple(single.tolist())
    rows = len(court.table)
    return Evidence("unsupported", policies, "single", gains, dict.fromkeys(gains, none), kept, (), {}, (), rows)


def _unsupported(simulator: Simulator, rows: Table, progress: Callable[[str], None]) -> Evidence:
    """Of many options none has been tried often enough: what models expect is told, and is called that."""
    scenario = simulator.scenario
    require_alone(scenario)
    progress("asking blind models for everyone's best option")
    told, own = opinion(simulator, rows), scenario.decide.unit
    seen, best = Estimate.of(told.observed), Estimate.of(told.expected)
    none = Estimate(0.0, best.error)
    gain = Estimate(scenario.objective.sign * (best.value - seen.value), float(np.hypot(best.error, seen.error)))
    policies = (
        Judged("current", seen, seen.value, Estimate(0.0, 0.0), float(len(rows)), False),
        Judged(own, best, best.value, none, float(told.spoken), True),
    )
    first = np.unique(deciders(scenario, rows.frame), return_index=True)[1]
    single = tuple(best_single(simulator, rows.frame.iloc[first]).tolist())
    none_of = {"current": none}
    return Evidence("unsupported", policies, own, {"current": gain}, none_of, single, (), {}, (), len(rows))


def _require_known(court: Judge) -> None:
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
    return Judged(
        name,
        estimate,
        court.sample.mean(scores.direct),
        court.estimate(scores.correction),
        scores.effective,
        allowed and _holds(court, court.table.settings if settings is None else settings),
    )


def _holds(court: Judge, settings: Floats) -> bool:
    """Whether blind models expect the constraints to hold over all folds, but for a hundredth."""
    parts = [(rows, used(blind, crowd, settings[rows])) for rows, blind, crowd in court.folds]
    uses = {key: np.empty(len(court.table)) for each in court.simulator.scenario.constraints for key in each.formulas}
    for rows, part in parts:
        for key, value in part.items():
            uses[key][rows] = value
    labels = labelled(court.simulator.scenario, court.table.frame)
    return kept(court.simulator.scenario, uses, labels, share=court.part, slack=SLACK, stray=SLACK)


def _simplest(judged: Sequence[Judged], scores: Mapping[str, Scores], sign: int, sample: Sample) -> str:
    """The simplest eligible policy; or, of those that beat it, the simplest that no more complex one beats.

    To beat is to be worth more by above one standard error of the difference, paired row by row (the rule of one
    standard error, Breiman et al. 1984, 3.4.3), and by above a hundredth of what the best gains over the simplest: less
    is not worth the trouble. A policy that is merely too uncertain to be beaten does not replace a simpler one.
    """
    eligible = [name for name in NAMES if any(each.name == name and each.eligible for each in judged)]
    if not eligible:
        raise _none(judged)
    first = eligible[0]
    most = max(sign * (sample.mean(scores[name].total) - sample.mean(scores[first].total)) for name in eligible)

    def beats(one: str, other: str) -> bool:
        gain = sample.estimate(sign * (scores[one].total - scores[other].total))
        return gain.value > max(gain.error, TROUBLE * most)

    better = [name for name in eligible if name != first and beats(name, first)]
    unbeaten = (name for i, name in enumerate(better) if not any(beats(rival, name) for rival in better[i + 1 :]))
    return next(unbeaten, first)


def _none(judged: Sequence[Judged]) -> InfeasibleError | RefusedError:
    if all(each.effective < FEWEST for each in judged if each.name != "current"):
        return RefusedError(
            Fault(
                "policies",
                f"fewer than {FEWEST} effective rows speak for each",
                "A policy is recommended only where the data has tried something like it",
                "Bring more rows, or let the settings vary more",
            )
        )
    return InfeasibleError(
        Fault(
            "constraints",
            "found no policy that keeps them on rows that its models have not seen",
            "A recommended policy must keep every constraint",
            "Loosen a bound, or widen a lever's range",
        )
    )
