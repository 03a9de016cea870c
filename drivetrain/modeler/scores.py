"""How good predictions of rows are that no model had seen: loss, a familiar figure beside it, and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy
from sklearn.metrics import log_loss, mean_poisson_deviance, roc_auc_score, root_mean_squared_error

from drivetrain.modeler.links import Link

LOSS_NAMES = {
    "binary": "log-loss",
    "categorical": "log-loss",
    "numeric": "RMSE",
    "rating": "RMSE",
    "count": "Poisson deviance",
}
BINS = 10
TINY = 1e-15
"""No probability is taken to be smaller, so that losses stay finite."""


Weight = np.ndarray | None
"""[N] how much each row counts; None where all count the same."""


def loss(link: Link, observed: np.ndarray, predicted: np.ndarray, weight: Weight = None) -> float:
    """The loss named in `LOSS_NAMES`; smaller is better.

    Args:
        link: the outcome's kind.
        observed: [N], options as codes.
        predicted: [N] expected outcomes; [N, C] probabilities of a categorical outcome.
        weight: how much each row counts.
    """
    if link.kind == "categorical":  # float32 shares add up to 1 only roughly, and scikit-learn minds
        predicted = predicted / predicted.sum(axis=1, keepdims=True)
    if link.kind in {"binary", "categorical"}:
        return float(log_loss(observed, predicted, labels=np.arange(max(link.width, 2)), sample_weight=weight))
    if link.kind == "count":
        return float(mean_poisson_deviance(observed, np.maximum(predicted, 1e-9), sample_weight=weight))
    return float(root_mean_squared_error(observed, predicted, sample_weight=weight))


def each(link: Link, observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Each row's own loss [N]: log-loss, Poisson deviance, or a number's absolute error.

    Args:
        link: the outcome's kind.
        observed: [N], options as codes.
        predicted: [N] expected outcomes; [N, C] probabilities of a categorical outcome.
    """
    if link.kind == "categorical":
        return np.asarray(-np.log(np.maximum(predicted[np.arange(len(observed)), observed.astype(int)], TINY)))
    if link.kind == "binary":
        return np.asarray(-np.log(np.maximum(np.where(observed == 1, predicted, 1 - predicted), TINY)))
    if link.kind == "count":
        mean = np.maximum(predicted, 1e-9)
        return np.asarray(2 * (xlogy(observed, observed / mean) - observed + mean))
    return np.asarray(np.abs(observed - predicted))


def entry(
    name: str, link: Link, observed: np.ndarray, predicted: np.ndarray, fold: np.ndarray, weight: Weight = None
) -> dict[str, Any]:
    """One line of the contest.

    It has the name, the loss averaged over folds, each fold's loss, AUC where there is one, and the calibration error:
    how far, on average over ten equal groups by prediction, the mean observed lies from the mean predicted.
    """
    folds = np.unique(fold)
    counts = np.ones(len(fold)) if weight is None else weight
    losses = [loss(link, observed[fold == k], predicted[fold == k], counts[fold == k]) for k in folds]
    groups = calibration(link, observed, predicted, weight)
    error = np.average([abs(g["predicted"] - g["observed"]) for g in groups], weights=[g["weight"] for g in groups])
    line = {"name": name, "loss": float(np.mean(losses)), "loss_by_fold": losses, "calibration_error": float(error)}
    both = [k for k in folds if np.ptp(observed[fold == k])] if link.kind == "binary" else []
    if both:
        areas = [
            roc_auc_score(observed[fold == k], predicted[fold == k], sample_weight=counts[fold == k]) for k in both
        ]
        line["auc"] = float(np.mean(areas))
    return line


def calibration(
    link: Link, observed: np.ndarray, predicted: np.ndarray, weight: Weight = None
) -> list[dict[str, float]]:
    """Rows in ten equal groups by prediction: mean predicted, mean observed, and the standard error of the latter.

    A categorical outcome's groups pool all its options.
    """
    counts = np.ones(len(observed)) if weight is None else weight
    if link.kind == "categorical":
        observed, predicted = np.eye(link.width)[observed.astype(int)].ravel(), predicted.ravel()
        counts = np.repeat(counts, link.width)
    some = np.flatnonzero(counts > 0)
    observed, predicted, counts = observed[some], predicted[some], counts[some]
    groups = np.array_split(np.argsort(predicted, kind="stable"), min(BINS, len(predicted)))
    return [_group(observed[group], predicted[group], counts[group]) for group in groups]


def _group(observed: np.ndarray, predicted: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    mean = float(np.average(observed, weights=weight))
    variance = float(np.average((observed - mean) ** 2, weights=weight))
    effective = float(weight.sum() ** 2 / (weight**2).sum())  # rows of equal weight that would be worth as much
    return {
        "predicted": float(np.average(predicted, weights=weight)),
        "observed": mean,
        "error": float(np.sqrt(variance / effective)),
        "rows": len(observed),
        "weight": float(weight.sum()),
    }
