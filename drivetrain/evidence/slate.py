"""A slate: the few settings among which trees and smoothed policies choose, and what each is worth in every row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from drivetrain.evidence.value import Judge
from drivetrain.optimizer import candidates
from drivetrain.optimizer.bounds import broken
from drivetrain.scenario import Categorical, LeverSpace, YesNo
from drivetrain.simulator import Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 24
BARRED = 1e3
"""What a setting that breaks a bound loses, in standard deviations of what settings are worth."""


@dataclass(frozen=True)
class Slate:
    """Settings [P, L] with their doubly robust scores, in the direction in which more is better."""

    options: Floats
    """[P, L]."""
    direct: Floats
    """[N, P] what models that have not seen the row expect."""
    correction: Floats
    """[N, P] what observed rows add to that."""
    barred: Floats | float = 0.0
    """[N, P] what was taken off what is expected, since a bound would be broken."""

    def sums(self, rows: Ints) -> Floats:
        """[n, 3, P] of some rows: direct, correction and its square, ready to be summed over groups."""
        direct, correction = self.direct[rows], self.correction[rows]
        return np.stack([direct, correction, correction**2], axis=1)

    def credible(self) -> Floats:
        """[N, P] each row's scores, corrected as far as corrections stand out of noise over all rows."""
        share, common = _shares(*_moments(self.sums(np.arange(len(self.direct))).sum(0), np.array(len(self.direct))))
        return self.direct + common + share * (self.correction - common)


def shrunk(sums: Floats, counts: NDArray[np.int64]) -> Floats:
    """What settings are worth in groups, [..., P], from sums [..., 3, P] over so many rows [...].

    The best of many noisy values is the luckiest one. Corrections are therefore shrunk to their common mean, each by
    its own error (empirical Bayes: Efron & Morris 1973, JASA 68:117).
    """
    correction, error = _moments(sums, counts)
    share, common = _shares(correction, error)
    return np.asarray(sums[..., 0, :] / counts[..., None] + common + share * (correction - common))


def _moments(sums: Floats, counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
    many = counts[..., None]
    correction = sums[..., 1, :] / many
    variance = np.maximum(sums[..., 2, :] / many - correction**2, 0) * many / np.maximum(many - 1, 1)
    return correction, variance / many


def _shares(correction: Floats, error: Floats) -> tuple[Floats, Floats]:
    common = correction.mean(-1, keepdims=True)
    true = np.maximum(0.0, correction.var(-1, keepdims=True) - error.mean(-1, keepdims=True))
    return np.divide(true, true + error, out=np.ones_like(error), where=error > 0), common


def slate(court: Judge, singles: Floats, own: Floats | None) -> Slate | None:
    """The settings worth a choice: those that single settings were chosen from, and those that rows would choose.

    Args:
        court: who knows their scores.
        singles: [S, L] settings for everyone.
        own: [N, L] the setting that suits each row, by models that have not seen it; None where there is none.

    Returns:
        None where there is no choice.
    """
    some = singles[np.unique(np.linspace(0, len(singles) - 1, MOST // 2).round().astype(int))]
    options = np.unique(
        np.concatenate([some, typical(court.simulator.scenario.space, _suiting(court) if own is None else own)]), axis=0
    )
    sign, scores = court.simulator.scenario.objective.sign, court.each_single(options)
    known = np.isfinite(scores.total).all(0)
    if known.sum() < 2:
        return None
    options, direct, correction = options[known], sign * scores.direct[:, known], sign * scores.correction[:, known]
    barred = _barred(court, options) * BARRED * float(direct.std() or 1.0)
    return Slate(options, direct - barred, correction, barred)


def unseeing(court: Judge, slate: Slate, blind: Simulator, others: Ints) -> Slate:
    """The slate from which a fold's policy is made: members blind to the fold say what is expected of other rows.

    What their own judges expect of them will not do: these have seen the fold, and a policy that follows them follows
    what happened to turn out well in it, which its value there would count as merit.

    Args:
        court: whose rows.
        slate: of all rows.
        blind: the members that have not seen the fold.
        others: the rows that are not of it.
    """
    scores = slate.direct + slate.barred + slate.correction
    direct = slate.direct + slate.barred
    direct[others] = court.simulator.scenario.objective.sign * court.asked(blind, others, slate.options)
    return replace(slate, direct=direct - slate.barred, correction=scores - direct)


def _suiting(court: Judge) -> Floats:
    """[N, L] what suits each row, by models that have not seen it, were there no bounds."""
    tried = candidates(court.simulator.scenario.space, court.simulator.support)
    sign, out = court.simulator.scenario.objective.sign, np.empty_like(court.table.settings)
    for rows, blind, crowd in court.folds:
        for part, outlook in blind.chunks(crowd, tried):
            out[rows[part]] = tried[(sign * outlook.mean()).nan_to_num(-np.inf).argmax(1).numpy()]
    return out


def typical(space: LeverSpace, own: Floats, most: int = MOST // 2) -> Floats:
    """A dozen of the settings [N, L] that rows would choose, each standing for others like it.

    Args:
        space: the levers.
        own: [N, L].
        most: how many at most.
    """
    distinct, counts = np.unique(own, axis=0, return_counts=True)
    if len(distinct) <= most:
        return distinct
    parts = []
    for i, lever in enumerate(space.levers.values()):
        values = distinct[:, i]
        plain = isinstance(lever, Categorical | YesNo)
        parts.append((values[:, None] == np.unique(values)).astype(float) if plain else _scaled(values)[:, None])
    place = np.column_stack(parts)
    fitted = KMeans(most, n_init=1, random_state=0).fit(place, sample_weight=counts)
    return np.asarray(distinct[np.unique(fitted.transform(place).argmin(0))])


def _scaled(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / (values.std() or 1.0))


def _barred(court: Judge, options: Floats) -> Floats:
    """[N, P] 1 where blind models expect a setting to break what must hold for each row."""
    out = np.zeros((len(court.table), len(options)))
    bounds = [each for each in court.simulator.scenario.constraints if each.over == "each"]
    for rows, blind, crowd in court.folds if bounds else ():
        for part, outlook in blind.chunks(crowd, options):
            for each in bounds:
                out[rows[part]] += broken(each, outlook.mean(outlook.bounded[each.name])).numpy()
    return np.minimum(out, 1.0)
