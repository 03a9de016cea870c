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


def loss(link: Link, observed: np.ndarray, predicted: np.ndarray) -> float:
    """The loss named in `LOSS_NAMES`; smaller is better.

    Args:
        link: the outcome's kind.
        observed: [N], options as codes.
        predicted: [N] expected outcomes; [N, C] probabilities of a categorical outcome.
    """
    if link.kind == "categorical":  # float32 shares add up to 1 only roughly, and scikit-learn minds
        predicted = predicted / predicted.sum(axis=1, keepdims=True)
    if link.kind in {"binary", "categorical"}:
        return float(log_loss(observed, predicted, labels=np.arange(max(link.width, 2))))
    if link.kind == "count":
        return float(mean_poisson_deviance(observed, np.maximum(predicted, 1e-9)))
    return float(root_mean_squared_error(observed, predicted))


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


def entry(name: str, link: Link, observed: np.ndarray, predicted: np.ndarray, fold: np.ndarray) -> dict[str, Any]:
    """One line of the contest.

    It has the name, the loss averaged over folds, each fold's loss, AUC where there is one, and the calibration error:
    how far, on average over ten equal groups by prediction, the mean observed lies from the mean predicted.
    """
    folds = np.unique(fold)
    losses = [loss(link, observed[fold == k], predicted[fold == k]) for k in folds]
    groups = calibration(link, observed, predicted)
    error = np.average([abs(g["predicted"] - g["observed"]) for g in groups], weights=[g["rows"] for g in groups])
    line = {"name": name, "loss": float(np.mean(losses)), "loss_by_fold": losses, "calibration_error": float(error)}
    both = [k for k in folds if np.ptp(observed[fold == k])] if link.kind == "binary" else []
    if both:
        line["auc"] = float(np.mean([roc_auc_score(observed[fold == k], predicted[fold == k]) for k in both]))
    return line


def calibration(link: Link, observed: np.ndarray, predicted: np.ndarray) -> list[dict[str, float]]:
    """Rows in ten equal groups by prediction: mean predicted, mean observed, and the standard error of the latter.

    A categorical outcome's groups pool all its options.
    """
    if link.kind == "categorical":
        observed, predicted = np.eye(link.width)[observed.astype(int)].ravel(), predicted.ravel()
    groups = np.array_split(np.argsort(predicted, kind="stable"), min(BINS, len(predicted)))
    return [
        {
            "predicted": float(predicted[group].mean()),
            "observed": float(observed[group].mean()),
            "error": float(observed[group].std() / np.sqrt(len(group))),
            "rows": len(group),
        }
        for group in groups
    ]
