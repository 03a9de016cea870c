"""Which policy: the simplest that is not clearly beaten; and what it is worth without the luck of having been chosen.

Every policy's scores are honest, but the best of several honest values is the luckiest one (the winner's curse:
Andrews, Kitagawa & McCloskey 2024, "Inference on Winners", QJE 139:305). So the choice is cross-fitted like all else:
for each fold the rows of the other folds choose, and the fold's rows tell what the chosen one is worth (the outer loop
of nested cross-validation: Varma & Simon 2006, BMC Bioinformatics 7:91; for policies Athey & Wager 2021, Econometrica
89:133, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivetrain.errors import Fault, InfeasibleError, RefusedError
from drivetrain.evidence.backing import FEWEST
from drivetrain.evidence.refit import between
from drivetrain.evidence.sample import Estimate, Sample
from drivetrain.evidence.value import Judge, Scores
from drivetrain.evidence.worth import NAMES, Judged

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TROUBLE = 0.01
"""Share of what the best policy gains over the simplest, below which more complexity is not worth its trouble."""

OFF = 0.5
"""By how much of the gain that they expect models may be off, for all that noise lets one see."""


@dataclass(frozen=True)
class Choice:
    """The recommended policy."""

    name: str
    by_fold: tuple[str, ...]
    """What the rows of the other folds choose, for each fold in turn."""
    scores: Scores
    """Its scores; in a fold for which other rows choose another policy, that one's value, told as a correction."""
    error: float
    """The standard error that the folds' disagreement adds."""


def choose(court: Judge, judged: Sequence[Judged], scores: Mapping[str, Scores]) -> Choice:
    """The recommended policy, and honest scores of it.

    That holds where things are left as they are too: doing nothing is chosen most where its own scores were lucky. And
    without that luck it must still credibly gain over every simpler policy; else the simpler ones are left.

    Args:
        court: judged the policies.
        judged: says which may be recommended.
        scores: of each policy.
    """
    everyone, sign = np.arange(len(court.table)), court.simulator.scenario.objective.sign

    def best(asked: Ints, bore_out: Ints) -> str:
        return simplest(judged, scores, sign, court.sample, asked, bore_out)

    name = best(everyone, everyone)
    by_fold = tuple(best(rows, np.delete(everyone, rows)) for rows, _, _ in court.folds)
    luckless = _mixed(court, by_fold, scores)
    simpler = (names := _eligible(judged))[: names.index(name)]
    if not _gains(court, luckless, {each: scores[each] for each in simpler}):
        return choose(court, [each for each in judged if each.name in simpler], scores)
    own = scores[name]
    if set(by_fold) == {name}:
        return Choice(name, by_fold, own, 0.0)
    told = Scores(own.direct, luckless.total - own.direct, own.weight)
    return Choice(name, by_fold, told, between(court, own.total - luckless.total))


def _mixed(court: Judge, by_fold: Sequence[str], scores: Mapping[str, Scores]) -> Scores:
    """The scores, in each fold, of the policy that other folds' rows choose there."""
    direct, correction, weight = (np.empty(len(court.table)) for _ in range(3))
    for (rows, _, _), name in zip(court.folds, by_fold, strict=True):
        own = scores[name]
        direct[rows], correction[rows], weight[rows] = own.direct[rows], own.correction[rows], own.weight[rows]
    return Scores(direct, correction, weight)


def _gains(court: Judge, told: Scores, simpler: Mapping[str, Scores]) -> bool:
    """Whether a choice credibly gains over every simpler policy, by more than is not worth the trouble, without luck.

    Not whether the gain that will be told is above 0: to turn down what is told to lose is to tell lucky gains only.
    """
    sign, everyone = court.simulator.scenario.objective.sign, np.arange(len(court.table))
    gains = [_gain(told, other, sign, court.sample, everyone, everyone).value for other in simpler.values()]
    return all(gain > TROUBLE * max(gains[0], 0.0) for gain in gains)


def believed(court: Judge, judged: Sequence[Judged], scores: Mapping[str, Scores]) -> dict[str, float]:
    """Policy that may be recommended → its value as the choice sees it: the simplest one's, and the credible gain.

    Arguments as of `choose`.
    """
    everyone, sign, names = np.arange(len(court.table)), court.simulator.scenario.objective.sign, _eligible(judged)
    first = scores[names[0]]
    start = court.sample.mean(first.total)
    gains = {name: _gain(scores[name], first, sign, court.sample, everyone, everyone) for name in names[1:]}
    return {names[0]: start} | {name: start + sign * gain.value for name, gain in gains.items()}


def _gain(one: Scores, other: Scores, sign: int, sample: Sample, asked: Ints, bore_out: Ints) -> Estimate:
    direct, correction = sign * (one.direct - other.direct), sign * (one.correction - other.correction)
    return credible_gain(direct, correction, sample, asked, bore_out)


def _eligible(judged: Sequence[Judged]) -> list[str]:
    """The names of those that may be recommended, the simplest first."""
    return [name for name in NAMES if any(each.name == name and each.eligible for each in judged)]


def simplest(
    judged: Sequence[Judged], scores: Mapping[str, Scores], sign: int, sample: Sample, asked: Ints, bore_out: Ints
) -> str:
    """The simplest eligible policy; or, of those that beat it, the simplest that no more complex one beats.

    To beat is to be worth more by above one standard error of the credible gain (the rule of one standard error,
    Breiman et al. 1984, 3.4.3; see `credible_gain`), and by above a hundredth of what the best gains over the simplest:
    less is not worth the trouble. A policy that is merely too uncertain to be beaten does not replace a simpler one.

    Args:
        judged: says which are eligible.
        scores: of each policy.
        sign: 1 where more is better, −1 where less is.
        sample: all rows.
        asked: rows of which models are asked what to expect. Of a fold's own rows they have seen no outcome.
        bore_out: rows whose outcomes correct that.

    Raises:
        InfeasibleError: none keeps the constraints.
        RefusedError: hardly a row speaks for any.
    """
    eligible = _eligible(judged)
    if not eligible:
        raise _none(judged)
    first = eligible[0]

    def gain(one: str, other: str) -> Estimate:
        return _gain(scores[one], scores[other], sign, sample, asked, bore_out)

    most = max(gain(name, first).value for name in eligible)

    def beats(one: str, other: str) -> bool:
        told = gain(one, other)
        return told.value > max(told.error, TROUBLE * most)

    better = [name for name in eligible if name != first and beats(name, first)]
    unbeaten = (name for i, name in enumerate(better) if not any(beats(rival, name) for rival in better[i + 1 :]))
    return next(unbeaten, first)


def credible_gain(direct: Floats, correction: Floats, sample: Sample, asked: Ints, bore_out: Ints) -> Estimate:
    """What one policy gains over another: as models expect, corrected by observed rows as far as these can tell.

    With few rows the correction is mostly noise, and a choice by it mostly a draw. It is believed by its share
    τ²/(τ² + σ²), where σ is its error and τ how far off models may be: by half of what they expect to gain, or by what
    the correction shows beyond its noise (empirical Bayes: Efron & Morris 1973, JASA 68:117). Where noise prevails, a
    gain is then believed unless rows speak clearly against it; where there is little, rows alone count.

    Args:
        direct: [N] what models expect of the difference in each row.
        correction: [N] what observed rows add to it.
        sample: all rows; errors are those of all, so that fewer rows choose by the same measure.
        asked: rows of which models are asked.
        bore_out: rows whose corrections count.
    """
    expected, fix = _mean(direct, sample, asked), _mean(correction, sample, bore_out)
    noise = sample.estimate(correction).error ** 2
    off = max((OFF * expected) ** 2, fix**2 - noise)
    share = off / (off + noise) if noise else 1.0
    return Estimate(expected + share * fix, float(np.sqrt(share * noise + sample.estimate(direct).error ** 2)))


def _mean(values: Floats, sample: Sample, rows: Ints) -> float:
    return float(np.average(values[rows], weights=None if sample.weight is None else sample.weight[rows]))


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
