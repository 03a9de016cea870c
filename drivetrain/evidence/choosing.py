"""Which policy: the simplest that is not clearly beaten; and what it is worth without the luck of having been chosen.

Every policy's scores are honest, but the best of several honest values is the luckiest one (the winner's curse:
Andrews, Kitagawa & McCloskey 2024, "Inference on Winners", QJE 139:305). So the choice is cross-fitted like all else:
for each fold the rows of the other folds choose, and the fold's rows tell what the chosen one is worth (the outer loop
of nested cross-validation: Varma & Simon 2006, BMC Bioinformatics 7:91; for policies Athey & Wager 2021, Econometrica
89:133, section 4). All that leads to a choice is made anew for each fold: a single step that sees its rows, such as
turning down what then looks poor, lets the luck back in. A little is left: the policies that other folds' rows judge
were made by models that have seen the fold, so that they do what it was lucky for, and are chosen where others were
lucky for it too. To be rid of that, models would have to be fitted without each two folds.
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


class Rivals:
    """Policies of which one is to be chosen, with what each credibly gains over another."""

    def __init__(self, scores: Mapping[str, Scores], sign: int, sample: Sample) -> None:
        """Args: scores: of each policy; sign: 1 where more is better, −1 where less is; sample: all rows."""
        self.scores, self._sign, self._sample = scores, sign, sample
        self._errors: dict[tuple[str, str], tuple[float, float]] = {}

    def gain(self, one: str, other: str, asked: Ints, bore_out: Ints) -> Estimate:
        """What one policy credibly gains over another; arguments as of `credible_gain`."""
        direct, correction = self._apart(self.scores[one], self.scores[other])
        if (one, other) not in self._errors:  # of all rows, whichever choose
            self._errors[one, other] = _errors(direct, correction, self._sample)
        return _credible(direct, correction, asked, bore_out, self._errors[one, other])

    def gain_of(self, told: Scores, other: str, asked: Ints, bore_out: Ints) -> float:
        """The same of scores that are no policy's own."""
        return credible_gain(*self._apart(told, self.scores[other]), self._sample, asked, bore_out).value

    def mixed(self, own: Scores, folds: Sequence[Ints], by_fold: Sequence[str]) -> Scores:
        """A policy's scores; in each fold those of the policy that other folds' rows choose there."""
        direct, correction, weight = own.direct.copy(), own.correction.copy(), own.weight.copy()
        for rows, name in zip(folds, by_fold, strict=True):
            there = self.scores[name]
            direct[rows], correction[rows], weight[rows] = (
                there.direct[rows],
                there.correction[rows],
                there.weight[rows],
            )
        return Scores(direct, correction, weight)

    def _apart(self, one: Scores, other: Scores) -> tuple[Floats, Floats]:
        return self._sign * (one.direct - other.direct), self._sign * (one.correction - other.correction)


def choose(court: Judge, judged: Sequence[Judged], scores: Mapping[str, Scores]) -> Choice:
    """The recommended policy, and honest scores of it.

    For each fold the other folds' rows choose as all rows do, second thoughts included: see `chosen`. That holds where
    things are left as they are too: doing nothing is chosen most where its own scores were lucky.

    Args:
        court: judged the policies.
        judged: says which may be recommended.
        scores: of each policy.
    """
    rivals, folds = Rivals(scores, court.simulator.scenario.objective.sign, court.sample), _folds(court)
    name = chosen(judged, rivals, folds)
    by_fold = tuple(chosen(judged, rivals, _without(folds, place), rows) for place, rows in enumerate(folds))
    own = scores[name]
    if set(by_fold) == {name}:
        return Choice(name, by_fold, own, 0.0)
    luckless = rivals.mixed(own, folds, by_fold).total
    told = Scores(own.direct, luckless - own.direct, own.weight)
    return Choice(name, by_fold, told, between(court, own.total - luckless))


def chosen(judged: Sequence[Judged], rivals: Rivals, folds: Sequence[Ints], asked: Ints | None = None) -> str:
    """The policy that the rows of some folds choose.

    Without the luck of having been chosen it must still credibly gain over every simpler policy, by more than is not
    worth the trouble; else only the simpler ones are left. That too is a choice by what turned out well, so a fold of
    which the value is to be told has no part in it. (Not asked is whether the gain that will be told is above 0: to
    turn down what is told to lose is to tell lucky gains only.)

    Args:
        judged: says which may be recommended.
        rivals: the policies.
        folds: the rows [n] of each fold that has a say.
        asked: rows of a fold that has none, of which models that have not seen it are asked; where left out models are
            asked of each fold's own rows.
    """
    known = np.concatenate(folds)
    everyone = known if asked is None else asked
    name = simplest(judged, rivals, everyone, known)
    simpler = (names := _eligible(judged))[: names.index(name)]
    if not simpler or len(folds) == 1:  # one fold by itself has no others to put its luck right
        return name
    by_fold = [
        simplest(judged, rivals, rows if asked is None else asked, np.concatenate(_without(folds, place)))
        for place, rows in enumerate(folds)
    ]
    luckless = rivals.mixed(rivals.scores[name], folds, by_fold)
    gains = [rivals.gain_of(luckless, other, everyone, known) for other in simpler]
    if all(gain > TROUBLE * max(gains[0], 0.0) for gain in gains):
        return name
    return chosen([each for each in judged if each.name in simpler], rivals, folds, asked)


def _folds(court: Judge) -> list[Ints]:
    return [rows for rows, _, _ in court.folds]


def _without(folds: Sequence[Ints], place: int) -> list[Ints]:
    return [*folds[:place], *folds[place + 1 :]]


def believed(court: Judge, judged: Sequence[Judged], scores: Mapping[str, Scores]) -> dict[str, float]:
    """Policy that may be recommended → its value as the choice sees it: the simplest one's, and the credible gain.

    Arguments as of `choose`.
    """
    everyone, sign, names = np.concatenate(_folds(court)), court.simulator.scenario.objective.sign, _eligible(judged)
    rivals, first = Rivals(scores, sign, court.sample), names[0]
    start = court.sample.mean(scores[first].total)
    gains = {name: rivals.gain(name, first, everyone, everyone) for name in names[1:]}
    return {first: start} | {name: start + sign * gain.value for name, gain in gains.items()}


def _eligible(judged: Sequence[Judged]) -> list[str]:
    """The names of those that may be recommended, the simplest first."""
    return [name for name in NAMES if any(each.name == name and each.eligible for each in judged)]


def simplest(judged: Sequence[Judged], rivals: Rivals, asked: Ints, bore_out: Ints) -> str:
    """The simplest eligible policy; or, of those that beat it, the simplest that no more complex one beats.

    To beat is to be worth more by above one standard error of the credible gain (the rule of one standard error,
    Breiman et al. 1984, 3.4.3; see `credible_gain`), and by above a hundredth of what the best gains over the simplest:
    less is not worth the trouble. A policy that is merely too uncertain to be beaten does not replace a simpler one.

    Args:
        judged: says which are eligible.
        rivals: the policies.
        asked: rows of which models are asked what to expect. Of a fold's own rows they have seen no outcome.
        bore_out: rows that show what came of it.

    Raises:
        InfeasibleError: none keeps the constraints.
        RefusedError: hardly a row speaks for any.
    """
    eligible = _eligible(judged)
    if not eligible:
        raise _none(judged)
    first = eligible[0]
    most = max(rivals.gain(name, first, asked, bore_out).value for name in eligible)

    def beats(one: str, other: str) -> bool:
        told = rivals.gain(one, other, asked, bore_out)
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

    The correction is what rows show of the gain, less what was expected in `asked`: where a fold is kept out, other
    rows' own corrections would bring its luck back, turned round, since their models have seen it.

    Args:
        direct: [N] what models expect of the difference in each row.
        correction: [N] what observed rows add to it.
        sample: all rows; errors are those of all, so that fewer rows choose by the same measure.
        asked: rows of which models are asked.
        bore_out: rows that show what the gain was.
    """
    return _credible(direct, correction, asked, bore_out, _errors(direct, correction, sample))


def _errors(direct: Floats, correction: Floats, sample: Sample) -> tuple[float, float]:
    return sample.estimate(direct).error, sample.estimate(correction).error


def _credible(direct: Floats, correction: Floats, asked: Ints, bore_out: Ints, errors: tuple[float, float]) -> Estimate:
    expected = float(direct[asked].mean())
    fix = float((direct + correction)[bore_out].mean()) - expected
    noise = errors[1] ** 2
    off = max((OFF * expected) ** 2, fix**2 - noise)
    share = off / (off + noise) if noise else 1.0
    return Estimate(expected + share * fix, float(np.sqrt(share * noise + errors[0] ** 2)))


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
