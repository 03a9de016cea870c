"""Why trust the value: other estimators, overlap, tests of the design, orthogonal curves, unseen influences; grades."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence import bandwidth, blocks, estimators, kernel, orthogonal
from drivetrain.evidence.balance import Check
from drivetrain.evidence.bandwidth import Width
from drivetrain.evidence.curve import Point, line
from drivetrain.evidence.estimators import Parts, Witness
from drivetrain.evidence.orthogonal import Bent
from drivetrain.evidence.overlap import Overlap, overlap
from drivetrain.evidence.propensity import Declared, Learned, Stratified
from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.sensitivity import Sensitivity, sensitivity
from drivetrain.evidence.value import Judge
from drivetrain.scenario import Scenario

Floats = NDArray[np.float64]

GRADES = ("unsupported", "associational", "adjusted", "randomised")
"""Worst first."""


@dataclass(frozen=True)
class Beside:
    """What stands beside the value and the gain of the recommended policy."""

    witnesses: tuple[Witness, ...]
    """What every estimator says."""
    bootstrap: dict[str, tuple[float, float]]
    """`value`, and `gain` where there is one → the studentised bootstrap's 95% interval."""
    relative: Estimate | None
    """The gain as a share of what the policy of comparison is worth; None where that is not clearly apart from 0."""
    sensitivity: Sensitivity | None
    """How the gain would bear an unseen influence; None where there is no gain."""


@dataclass(frozen=True)
class Trust:
    """What stands behind the value of the recommended policy; amounts in the objective's unit, for one row."""

    grades: dict[str, str]
    """Lever → its grade: `randomised`, `adjusted` or `associational`."""
    source: str
    """Where propensities came from: `declared`, `strata` or `learned`."""
    laws: dict[str, float]
    """Of learned ones each law's share in their pool."""
    foretold: tuple[str, ...]
    """Levers of which outcome models were told what inputs foretell."""
    rows: int
    clusters: int | None
    """People or places that rows belong to, where they do."""
    beside: Beside
    overlap: Overlap
    width: float
    """The width of the kernels that was settled on, in widths of the support's."""
    widths: tuple[Width, ...]
    """The value under each width."""
    checks: tuple[Check, ...]
    curves: tuple[Bent, ...]
    """Response along each lever by outcome models and by the orthogonal learner."""


@dataclass(frozen=True)
class Case:
    """What was judged, and is to be examined."""

    settings: Mapping[str, Floats | None]
    """Policy → its settings [N, L]; None of what the data shows."""
    parts: Mapping[str, Parts]
    recommended: str
    told: Parts
    """The recommended one's; in folds for which other rows choose another, that one's: see `choosing`."""
    reference: str | None
    """The policy of comparison."""
    single: Floats
    curve: Sequence[Point]


def examine(court: Judge, case: Case, design: Sequence[Check]) -> Trust:
    """All that can be said for and against the value of the recommended policy.

    Args:
        court: judged it.
        case: what was judged.
        design: the checks of the draw, which were made first.
    """
    drawn = drawn_as_declared(court.simulator.scenario, design)
    left = orthogonal.residuals(court, drawn=drawn)
    checks = (*design, *orthogonal.negative_controls(court, drawn=drawn), *orthogonal.examine(court, left))
    bents = tuple(_curves(court, case, left))
    checks = (*checks, *_directions(court, case, left))
    return Trust(
        grades=grades(court.simulator.scenario, checks),
        source={Declared: "declared", Stratified: "strata", Learned: "learned"}[type(court.propensity)],
        laws=dict(court.propensity.share) if isinstance(court.propensity, Learned) else {},
        foretold=tuple(dict.fromkeys(each.lever for each in court.simulator.models.inputs.foretold)),
        rows=len(court.table),
        clusters=None if court.table.cluster is None else court.sample.groups,
        checks=checks,
        curves=bents,
        width=court.widths,
        widths=_widths(court, case),
        overlap=overlap(court, case.settings[case.recommended], case.parts[case.recommended]),
        beside=_beside(court, case),
    )


def drawn_as_declared(scenario: Scenario, design: Sequence[Check]) -> bool:
    """Whether settings were declared to be drawn at random, and no check of the draw speaks against it."""
    return scenario.assignment.design == "randomised" and not any(check.alarm for check in design)


def _beside(court: Judge, case: Case) -> Beside:
    """Witnesses, bootstrap, the gain as a share, and how it would bear an unseen influence."""
    sample, seed, sign = court.sample, court.simulator.scenario.seed, court.simulator.scenario.objective.sign
    parts = blocks.inputs(court.simulator.scenario, court.table)
    x = np.column_stack(list(parts.values())) if parts else np.zeros((len(court.table), 0))
    chosen = estimators.every(case.told, sample, x, court.table.fold)
    smooth = bool(kernel.smooth(court.support))
    told = {"value": sample.bootstrap(chosen["dr"], seed)}
    if case.reference is None or case.reference == case.recommended:
        witnesses = estimators.witnesses(chosen, None, sample, sign, smooth=smooth)
        return Beside(witnesses, told, None, None)
    other = estimators.every(case.parts[case.reference], sample, x, court.table.fold)
    apart = sign * (chosen["dr"] - other["dr"])
    told["gain"] = sample.bootstrap(apart, seed)
    base = sample.estimate(other["dr"])
    known = min(abs(base.low), abs(base.high)) > 0.1 * abs(base.value) and base.low * base.high > 0
    pair = (case.told, case.parts[case.reference])
    return Beside(
        estimators.witnesses(chosen, other, sample, sign, smooth=smooth),
        told,
        sample.ratio(apart, np.sign(base.value) * other["dr"]) if known else None,
        sensitivity(court, *pair, sample.estimate(apart)),
    )


def _widths(court: Judge, case: Case) -> tuple[Width, ...]:
    settings = case.settings[case.recommended]
    return () if settings is None else bandwidth.widths(court, settings, case.parts[case.recommended])


def _curves(court: Judge, case: Case, left: orthogonal.Residuals) -> list[Bent]:
    out: list[Bent] = []
    for place, name in enumerate(court.simulator.scenario.levers):
        points = [point for point in case.curve if point.lever == name]
        if points:
            modelled = np.array([point.modelled for point in points])
            out += orthogonal.bent(court, left, line(case.single, place, points), place, modelled)
    return out


def _directions(court: Judge, case: Case, left: orthogonal.Residuals) -> list[Check]:
    """For each lever whether its best single setting beats the reference's by one learner, and loses by the other."""
    scenario = court.simulator.scenario
    start = scenario.space.do_nothing
    if start is None or not court.support.holds(start[None])[0]:
        start = np.median(court.table.settings, axis=0)
    out = []
    for place, name in enumerate(scenario.levers):
        points = {point.setting: point for point in case.curve if point.lever == name}
        if len(points) < 2:
            continue
        at = min(points, key=lambda setting: abs(setting - start[place]))
        best = max(points, key=lambda setting: scenario.objective.sign * points[setting].modelled)
        told = scenario.objective.sign * (points[best].modelled - points[at].modelled)
        shift = orthogonal.contrast(court, left, place, best, at)
        value = told + scenario.objective.sign * shift.value
        ratio = value / max(shift.error, 1e-300)
        out.append(Check("direction", name, "", ratio, orthogonal.tail(ratio), told > 0 and ratio < -2.33))
    return out


def grades(scenario: Scenario, checks: Sequence[Check]) -> dict[str, str]:
    """Lever → the declared design's grade, lowered by what speaks against it."""
    declared = scenario.assignment.design == "randomised"
    start = "randomised" if declared else "adjusted" if scenario.inputs else "associational"

    def of(lever: str) -> str:
        own = [check for check in checks if check.alarm and check.lever in {lever, ""}]
        grade = start
        if declared and any(check.kind in {"balance", "propensity"} for check in own):
            grade = "adjusted" if scenario.inputs else "associational"
        if any(check.kind in {"negative_control", "direction"} for check in own):
            grade = "associational"
        return grade

    return {name: of(name) for name in scenario.levers}


def worst(grades: Mapping[str, str]) -> str:
    """The worst grade of all levers."""
    rank: Callable[[str], int] = GRADES.index
    return min(grades.values(), key=rank)
