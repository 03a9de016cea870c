"""The policy that is handed out is made by all members; those that were judged never saw the rows that they were on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from drivetrain.errors import InfeasibleError
from drivetrain.evidence.policies import Policies
from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.value import Judge, Scores
from drivetrain.optimizer import decisions, settle

Floats = NDArray[np.float64]


def refit_errors(court: Judge, made: Policies, single: Floats, scores: Mapping[str, Scores]) -> dict[str, float]:
    """Policy → the standard error that making it anew on all rows adds to its value; 0 of one that is not made.

    Args:
        court: judged the policies.
        made: the folds' policies.
        single: [L] the best single setting.
        scores: of the folds' policies.
    """
    finals = dict(_finals(court, made, single))
    return {name: refit_error(court, each, finals[name]) if name in finals else 0.0 for name, each in scores.items()}


def _finals(court: Judge, made: Policies, single: Floats) -> Iterator[tuple[str, Floats]]:
    """The settings [N, L] that the policies that are handed out give the rows that judged."""
    scenario, frame = court.simulator.scenario, court.table.frame
    yield "single", np.tile(single, (len(frame), 1))
    if made.tree is not None:
        yield "tree", made.tree.settings(frame)
    if made.smoothed is not None:
        yield "smoothed", made.smoothed.settings(court.simulator.models.inputs, frame)
    if scenario.decide.unit in made.settings:
        everyone = court.simulator.crowd(frame)
        try:
            yield (
                scenario.decide.unit,
                settle(court.simulator, everyone, decisions(scenario, frame), share=court.part).settings,
            )
        except InfeasibleError:  # together they have no room, though each fold had: the folds' own error must do
            return


def refit_error(court: Judge, scores: Scores, final: Floats) -> float:
    """The standard error that making the policy anew on all rows adds to the value of the policies of the folds.

    On each fold's rows the fold's policy is compared with the final one. Were both always worth the same, these
    differences would not vary from fold to fold; their variance, by which the mean over folds is uncertain, counts in.
    (That errors of cross-validation must count what is shared and not shared between folds: Bates, Hastie & Tibshirani
    2023, JASA 119:1434.) The mean difference does not count: the final policy has seen these rows.

    Args:
        court: judged the policy.
        scores: of the folds' policies.
        final: [N, L] the settings that the policy made by all members gives the same rows.
    """
    return between(court, scores.total - court.scores(final).total)


def between(court: Judge, apart: Floats) -> float:
    """The standard error of the mean of differences [N], from how their means vary from fold to fold."""
    folds = np.unique(court.table.fold)
    parts = np.array([apart[court.table.fold == fold].sum() for fold in folds]) / len(apart)
    return float(np.sqrt(((parts - parts.mean()) ** 2).sum() * len(folds) / max(1, len(folds) - 1)))


def widened(estimate: Estimate, *errors: float) -> Estimate:
    """An estimate whose error counts others in, independent of its own."""
    return Estimate(estimate.value, float(np.sqrt(estimate.error**2 + sum(error**2 for error in errors))))
