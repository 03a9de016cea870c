"""What a network must beat to be worth its name: a constant, a linear model, gradient boosting; on the same folds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import OneHotEncoder

from drivetrain.modeler.examples import Examples
from drivetrain.modeler.links import Link

NAMES = ("constant", "linear", "boosting")
NAMES_OF_MANY = ("constant", "bias", "boosting")
"""Where a lever has many options: `bias` adds up a mean for each category's value and each option, shrunk."""
SHRINK = 4.0
"""Rows that speak for the common mean in those of `bias`."""
MOST_CATEGORIES = 255
MOST_DENSE = 1_000
"""With more categories than this a linear model's table is sparse: a dense one of 100,000 would fill the memory."""


def predict(
    name: str, link: Link, train: Examples, held_out: Examples, seed: int, coded: tuple[int, ...] = ()
) -> np.ndarray:
    """Fit a baseline on some rows and predict others.

    Args:
        name: one of `NAMES` or `NAMES_OF_MANY`.
        link: the outcome's kind.
        train: rows to fit.
        held_out: rows to predict.
        seed: of the boosting's random parts.
        coded: the features that are codes of levers with many options.

    Returns:
        Expected outcomes [N] of the rows held out; probabilities [N, C] of a categorical outcome.
    """
    classes = link.kind in {"binary", "categorical"}
    if not np.ptp(train.observed if train.weight is None else train.observed[train.weight > 0]):
        name = "constant"  # of one value nothing else can be learned
    model = _model(name, link, seed, train)
    model.fit(_table(name, train, train, coded), train.observed, sample_weight=train.weight)
    table = _table(name, train, held_out, coded)
    if not classes:
        return np.asarray(model.predict(table), dtype=np.float64)
    shares = np.zeros((len(held_out), max(link.width, 2)))
    shares[:, model.classes_.astype(int)] = model.predict_proba(table)
    return shares[:, 1] if link.kind == "binary" else shares


def _model(name: str, link: Link, seed: int, train: Examples) -> Any:
    classes, count = link.kind in {"binary", "categorical"}, link.kind == "count"
    if name == "constant":
        return DummyClassifier(strategy="prior") if classes else DummyRegressor()
    if name == "linear":
        return (
            LogisticRegression(max_iter=1000)
            if classes
            else (PoissonRegressor(alpha=1e-3, max_iter=1000) if count else Ridge())
        )
    if name == "bias":
        return (
            LogisticRegression(max_iter=1000, C=1 / SHRINK)
            if classes
            else (PoissonRegressor(alpha=SHRINK / len(train), max_iter=1000) if count else Ridge(SHRINK))
        )
    # Small leaves and a slow rate suit the few thousand rows that decisions are often learned from.
    options: dict[str, Any] = {"learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 20, "random_state": seed}
    options["categorical_features"] = [
        column
        for column in range(train.rows.codes.shape[1])
        if int(train.rows.codes[:, column].max()) < MOST_CATEGORIES
    ]
    if classes:
        return HistGradientBoostingClassifier(**options)
    return HistGradientBoostingRegressor(loss="poisson" if count else "squared_error", **options)


def _table(name: str, train: Examples, rows: Examples, coded: tuple[int, ...]) -> Any:
    """Codes as they are for trees, one column each for a linear model; then numbers and settings."""
    if name == "bias":
        hot = OneHotEncoder(handle_unknown="ignore").fit(_categories(train, coded))
        return hot.transform(_categories(rows, coded))
    codes: Any = rows.rows.codes.numpy()
    plain = [place for place in range(rows.features.shape[1]) if place not in coded]
    numbers = np.column_stack([rows.rows.numbers.numpy(), rows.features.numpy()[:, plain]])
    if name == "linear" and codes.shape[1]:
        codes = OneHotEncoder(handle_unknown="ignore").fit(train.rows.codes.numpy()).transform(codes)
        if codes.shape[1] > MOST_DENSE:
            return sparse.hstack([codes, sparse.csr_matrix(numbers)]).tocsr()
        codes = codes.toarray()
    return np.column_stack([codes, numbers])


def _categories(rows: Examples, coded: tuple[int, ...]) -> np.ndarray:
    return np.column_stack([rows.rows.codes.numpy(), rows.features.numpy()[:, list(coded)].astype(np.int64)])
