"""The policy that is handed out is made by all members; those that were judged never saw the rows that they were on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence.sample import Estimate
from drivetrain.evidence.value import Judge, Scores

Floats = NDArray[np.float64]


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
    apart = scores.total - court.scores(final).total
    weight = np.ones(len(apart)) if court.sample.weight is None else court.sample.weight
    folds = np.unique(court.table.fold)
    parts = np.array([(weight * apart)[court.table.fold == fold].sum() for fold in folds]) / weight.sum()
    return float(np.sqrt(((parts - parts.mean()) ** 2).sum() * len(folds) / max(1, len(folds) - 1)))


def widened(estimate: Estimate, *errors: float) -> Estimate:
    """An estimate whose error counts others in, independent of its own."""
    return Estimate(estimate.value, float(np.sqrt(estimate.error**2 + sum(error**2 for error in errors))))
