"""The orthogonal look: what remains of levers once inputs have foretold them, and what that goes along with.

Double machine learning (Chernozhukov et al. 2018, Econometrics J. 21:C1; Robinson 1988): with B the columns of the
levers and R a residual, Σ B̃ R̃ over Σ B̃ B̃ᵀ, where ~ takes away what inputs foretell on rows held out. An error in
either foretelling enters only multiplied by one in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from drivetrain.data import Table
from drivetrain.evidence import blocks
from drivetrain.evidence.balance import ALARM, Check, Drawing
from drivetrain.evidence.laws import predicted
from drivetrain.evidence.propensity import strata
from drivetrain.evidence.sample import Estimate, Sample
from drivetrain.evidence.value import Judge

Floats = NDArray[np.float64]

SHUFFLES = 200
SMALL = 400
"""Below so many rows trees foretell nothing that a line does not."""


@dataclass(frozen=True)
class Bent:
    """One point of a response curve by both learners, in the objective's unit, for one row."""

    lever: str
    setting: float
    modelled: float
    """What outcome models that have not seen the row expect if everyone got it."""
    orthogonal: Estimate
    """The same, corrected by what is left of the lever when inputs have foretold it."""


@dataclass(frozen=True)
class Residuals:
    """N rows with what inputs foretell taken away."""

    levers: Floats
    """[N, k] columns of all levers."""
    places: tuple[slice, ...]
    """For each lever its columns."""
    means: Floats
    """[k] what was taken for all rows alike."""
    foretold: Floats
    """[N] what inputs alone foretell of the objective."""
    surprise: Floats
    """[N] the objective less what outcome models expected of it."""
    plain: Floats
    """[N] the objective less what inputs alone foretell."""


def residuals(court: Judge, *, drawn: bool) -> Residuals:
    """Take away what inputs foretell: of a draw the mean of its stratum, else what regressions foretell, held out.

    Args:
        court: judges the training rows.
        drawn: whether settings were drawn at random, and nothing speaks against it.
    """
    scenario, table, support = court.simulator.scenario, court.table, court.support
    parts = [blocks.lever(support, table.settings, place) for place in range(len(scenario.levers))]
    ends = np.cumsum([0, *(part.shape[1] for part in parts)])
    columns = np.column_stack(parts)
    if drawn and table.propensity is None:
        left = blocks.within(columns, strata(table, scenario.assignment.within))
    else:
        left = np.column_stack(
            [columns[:, [j]] - foretell(court, columns[:, j], quick=drawn)[:, None] for j in range(columns.shape[1])]
        )
    logged = court.logged()
    worth = logged.total
    known = foretell(court, worth, quick=drawn)
    surprise = logged.correction - foretell(court, logged.correction, quick=True)
    places = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))
    return Residuals(left, places, columns.mean(0), known, surprise, worth - known)


def foretell(court: Judge, target: Floats, *, quick: bool = False) -> Floats:
    """[N] what inputs foretell of a target [N] on rows held out: the better blend of a line and trees.

    Args:
        court: whose inputs.
        target: what to foretell.
        quick: a line only.
    """
    table, inputs, seed = court.table, court.simulator.models.inputs, court.simulator.scenario.seed
    if not court.simulator.scenario.inputs:
        return np.full(len(table), target.mean())
    line = predicted(table, inputs, target, seed, linear=True)
    if quick or len(table) < SMALL:
        return line
    trees = predicted(table, inputs, target, seed)
    apart = trees - line
    share = float((apart * (target - line)).sum() / max(float((apart**2).sum()), 1e-300))
    return np.asarray(line + np.clip(share, 0, 1) * apart)


def examine(court: Judge, left: Residuals) -> tuple[Check, ...]:
    """Placebo lever, placebo outcome, random common cause, and the outcome models' curve against the orthogonal one."""
    scenario = court.simulator.scenario
    out = []
    for name, place in zip(scenario.levers, left.places, strict=True):
        out.append(_placebo_outcome(court, name, left.levers[:, place], left.foretold))
        out.append(_placebo_lever(court, name, left.levers[:, place], left.plain))
        if scenario.inputs:
            out.append(_random_cause(court, name, left.levers[:, place], left.plain))
    slope, covariance = _fitted(left.levers, left.surprise, court.sample)
    out.append(_wald("orthogonal", "", "", slope, covariance))
    return tuple(out)


def negative_controls(court: Judge, *, drawn: bool) -> tuple[Check, ...]:
    """Whether something declared beyond the reach of levers goes along with one, given the other inputs."""
    scenario, table = court.simulator.scenario, court.table
    declared = scenario.assignment.negative_controls
    out = []
    for control in declared:
        category = control in scenario.inputs and scenario.inputs[control].kind == "categorical"
        category |= control in scenario.outcomes and scenario.outcomes[control].kind == "categorical"
        target = blocks.column(table.frame[control], categorical=category)[:, :1]
        if not target.shape[1]:
            continue  # it never varies
        others = blocks.inputs(scenario, table, without=declared)
        known = target[:, 0] - _line(others, target[:, 0], table)
        for place, name in enumerate(scenario.levers):
            columns = blocks.lever(court.support, table.settings, place)
            if drawn:
                left = blocks.within(columns, strata(table, scenario.assignment.within))
            else:
                left = np.column_stack([column - _line(others, column, table) for column in columns.T])
            slope, covariance = _fitted(left, known, court.sample)
            many = len(declared) * len(scenario.levers)
            out.append(_wald("negative_control", name, control, slope, covariance, many))
    return tuple(out)


def bent(court: Judge, left: Residuals, line: Floats, place: int, modelled: Floats) -> tuple[Bent, ...]:
    """The response along one lever by both learners.

    Args:
        court: judges the training rows.
        left: their residuals.
        line: [P, L] single settings along the lever.
        place: the lever's place.
        modelled: [P] what outcome models expect of each.
    """
    support, settings = court.support, court.table.settings
    slope, covariance = _fitted(left.levers, left.surprise, court.sample)
    own = left.places[place]
    moved = blocks.lever(support, settings, place, line[:, place]) - left.means[own]
    shift, name = moved @ slope[own], court.simulator.scenario.space.names[place]
    error = np.sqrt(np.maximum(np.einsum("pj,jk,pk->p", moved, covariance[own, own], moved), 0))
    return tuple(
        Bent(name, float(at), float(told), Estimate(float(told + by), float(wide)))
        for at, told, by, wide in zip(line[:, place], modelled, shift, error, strict=True)
    )


def contrast(court: Judge, left: Residuals, place: int, to: float, start: float) -> Estimate:
    """What the orthogonal learner adds to the outcome models' difference between two settings of one lever."""
    slope, covariance = _fitted(left.levers, left.surprise, court.sample)
    own = left.places[place]
    ends = blocks.lever(court.support, court.table.settings, place, np.array([to, start]))
    moved = ends[0] - ends[1]
    error = float(np.sqrt(max(0.0, float(moved @ covariance[own, own] @ moved))))
    return Estimate(float(moved @ slope[own]), error)


def tail(ratio: float) -> float:
    """How often chance alone would be as far below 0, in errors."""
    return float(stats.norm.cdf(ratio))


def _placebo_outcome(court: Judge, name: str, left: Floats, foretold: Floats) -> Check:
    """What inputs alone foretell of the objective cannot be the lever's doing."""
    slope, covariance = _fitted(left, foretold - foretold.mean(), court.sample)
    return _wald("placebo_outcome", name, "", slope, covariance)


def _placebo_lever(court: Judge, name: str, left: Floats, plain: Floats) -> Check:
    """A shuffled lever does nothing: how often it seems to, against the 5% that chance allows.

    Where whole clusters were drawn, whole clusters are shuffled: of shuffled rows errors would be right in any case.
    """
    draw, settings = np.random.default_rng(court.simulator.scenario.seed), court.table.settings
    place = court.simulator.scenario.space.names.index(name)
    drawing = Drawing.of(settings[:, place], np.zeros(len(settings), dtype=np.int64), court.sample.cluster)
    seems = 0
    for _ in range(SHUFFLES):
        whose = drawing.first[draw.permutation(len(drawing.first))][drawing.unit]
        slope, covariance = _fitted(left[whose], plain, court.sample)
        seems += _together(slope, covariance)[1] < 0.05
    chance = float(stats.binomtest(seems, SHUFFLES, 0.05, alternative="greater").pvalue)
    return Check("placebo_lever", name, "", seems / SHUFFLES, chance, chance < ALARM)


def _random_cause(court: Judge, name: str, left: Floats, plain: Floats) -> Check:
    """One more input, of noise: by how many errors the lever's slope moves when it is taken into account."""
    noise = np.random.default_rng(court.simulator.scenario.seed).normal(size=(len(left), 1))
    slope, covariance = _fitted(left, plain, court.sample)
    other, _ = _fitted(np.column_stack([left, noise]), plain, court.sample)
    error = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    moved = float(np.abs((other[:-1] - slope) / error).max(initial=0.0))
    return Check("random_cause", name, "", moved, None, moved > 1)


def _fitted(columns: Floats, target: Floats, sample: Sample) -> tuple[Floats, Floats]:
    """Least squares slopes [k] of a target [N] on columns [N, k], and their robust, clustered covariance [k, k].

    With few clusters it is stretched as errors of means are: see `Sample.estimate`.
    """
    inverse = np.linalg.pinv(columns.T @ columns, rcond=1e-9, hermitian=False)
    slope = inverse @ (columns.T @ target)
    score = columns * (target - columns @ slope)[:, None]
    if sample.cluster is not None:
        _, place = np.unique(sample.cluster, return_inverse=True)
        score = np.column_stack([np.bincount(place.ravel(), column) for column in score.T])
        score = score * sample.student * np.sqrt(sample.groups / max(1, sample.groups - 1))
    return slope, inverse @ (score.T @ score) @ inverse.T


def _wald(kind: str, lever: str, about: str, slope: Floats, covariance: Floats, many: int = 1) -> Check:
    """Whether slopes [k] together differ from 0, as one of so many tests; `value` in errors."""
    value, chance = _together(slope, covariance)
    return Check(kind, lever, about, value, chance, chance * many < ALARM)


def _together(slope: Floats, covariance: Floats) -> tuple[float, float]:
    """By how many errors slopes [k] together differ from 0, and how often chance alone makes it so many."""
    rank = int(np.linalg.matrix_rank(covariance)) if len(slope) else 0
    if not rank:
        return 0.0, 1.0
    statistic = float(slope @ np.linalg.pinv(covariance, rcond=1e-9) @ slope)
    return float(np.sqrt(statistic / rank)), float(stats.chi2.sf(statistic, rank))


def _line(others: dict[str, Floats], target: Floats, table: Table) -> Floats:
    """[N] what a ridge regression on blocks of inputs foretells of a target [N], on rows held out."""
    if not others:
        return np.full(len(target), target.mean())
    x = np.column_stack([np.ones(len(target)), blocks.crossed(others)])
    out = np.empty(len(target))
    for held in np.unique(table.fold):
        seen = table.fold != held
        gram = x[seen].T @ x[seen] + np.eye(x.shape[1])
        out[~seen] = x[~seen] @ np.linalg.solve(gram, x[seen].T @ target[seen])
    return out
