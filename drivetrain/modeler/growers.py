"""Who grows trees: scikit-learn, or LightGBM where it is installed and asked for; both handed over as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from drivetrain.errors import Fault, UsageError
from drivetrain.modeler.guards import CODES
from drivetrain.scenario import Boosting

Floats = NDArray[np.float64]
Loss = Literal["classes", "squared", "poisson"]


@dataclass(frozen=True)
class Sample:
    """n rows as trees see them."""

    table: Floats
    """[n, W]."""
    target: Floats
    """[n] numbers, or codes of classes from 0, each of which is there."""
    weight: Floats | None
    """[n]."""


@dataclass(frozen=True)
class Order:
    """What is to be grown."""

    loss: Loss
    categories: NDArray[np.bool_]
    """[W] which columns hold codes."""
    signs: NDArray[np.int64]
    """[W] 1 where the outcome must not fall as the column rises, else 0."""
    bush: Boosting
    seed: int
    """Of the columns that splits look at."""


@dataclass(frozen=True)
class Tree:
    """m nodes; the first is the root."""

    column: NDArray[np.int64]
    """[m] −1 at a leaf."""
    cut: Floats
    """[m] the largest number that goes left."""
    bits: NDArray[np.int64]
    """[m] the row of `sets` with the codes that go left; −1 where numbers are compared."""
    sets: NDArray[np.bool_]
    """[s, 256]."""
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Floats
    """[m] a leaf's share of the linear predictor."""


@dataclass(frozen=True)
class Grown:
    """Linear predictor = base + Σ over rounds of the trees, one for each class (one alone for two classes)."""

    base: Floats
    rounds: Sequence[Sequence[Tree]]
    losses: Sequence[float]
    """The loss after 0, 1, 2... rounds on the rows that tell when to stop; empty where there are none."""


def scikit_learn(order: Order, rows: Sample, told: Sample | None, most: int, patience: int) -> Grown:
    """Histogram-based boosting.

    Args:
        order: what to grow.
        rows: to learn from.
        told: to stop by; None where there shall be `most` rounds.
        most: rounds.
        patience: rounds without gain that end it.
    """
    kind = HistGradientBoostingClassifier if order.loss == "classes" else HistGradientBoostingRegressor
    model = kind(
        **({} if order.loss == "classes" else {"loss": "poisson" if order.loss == "poisson" else "squared_error"}),
        learning_rate=order.bush.rate,
        max_leaf_nodes=order.bush.leaves,
        min_samples_leaf=order.bush.least,
        max_features=order.bush.columns,
        max_iter=most,
        early_stopping=told is not None,
        n_iter_no_change=patience,
        tol=0.0,
        scoring="loss",
        categorical_features=order.categories,
        monotonic_cst=order.signs if order.signs.any() else None,
        random_state=order.seed,
    )
    beside = {} if told is None else {"X_val": told.table, "y_val": told.target, "sample_weight_val": told.weight}
    model.fit(rows.table, rows.target, rows.weight, **beside)
    known = {int(place): np.unique(rows.table[:, place]).astype(np.int64) for place in np.flatnonzero(order.categories)}
    columns = np.r_[np.flatnonzero(order.categories), np.flatnonzero(~order.categories)]  # its own order of columns
    rounds = [[_from_scikit_learn(tree, columns, known) for tree in each] for each in model._predictors]
    losses = [] if told is None else (-model.validation_score_).tolist()
    return Grown(model._baseline_prediction.ravel().astype(np.float64), rounds, losses)


def _from_scikit_learn(tree: Any, columns: NDArray[np.int64], known: Mapping[int, NDArray[np.int64]]) -> Tree:
    nodes = tree.nodes
    split = ~nodes["is_leaf"].astype(bool)
    category = split & nodes["is_categorical"].astype(bool)
    column = np.where(split, columns[np.where(split, nodes["feature_idx"], 0)], -1)
    sets = np.zeros((int(category.sum()), CODES), np.bool_)
    for place, node in enumerate(np.flatnonzero(category)):
        sets[place] = bool(nodes["missing_go_to_left"][node])  # as all codes that it does not know
        bits = np.unpackbits(tree.raw_left_cat_bitsets[nodes["bitset_idx"][node]].view(np.uint8), bitorder="little")
        codes = known[int(column[node])]
        sets[place, codes] = bits[: len(codes)].astype(bool)
    return Tree(
        column=column,
        cut=np.where(split & ~category, nodes["num_threshold"], 0.0),
        bits=np.where(category, np.cumsum(category) - 1, -1),
        sets=sets,
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        value=np.where(split, 0.0, nodes["value"]),
    )


def lightgbm(order: Order, rows: Sample, told: Sample | None, most: int, patience: int) -> Grown:
    """Microsoft's LightGBM (Ke et al. 2017); as `scikit_learn`.

    Raises:
        UsageError: it is not installed.
    """
    library, many = _lightgbm(), len(np.unique(rows.target))
    classes = ("multiclass", "multi_logloss") if many > 2 else ("binary", "binary_logloss")
    objective, metric = {"classes": classes, "squared": ("regression", "l2"), "poisson": ("poisson", "poisson")}[
        order.loss
    ]
    settings = {
        "objective": objective,
        "metric": metric,
        "num_class": many if objective == "multiclass" else 1,
        "learning_rate": order.bush.rate,
        "num_leaves": order.bush.leaves,
        "min_data_in_leaf": order.bush.least,
        "feature_fraction_bynode": order.bush.columns,
        "monotone_constraints": order.signs.tolist(),
        "seed": order.seed,
        "deterministic": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    codes = np.flatnonzero(order.categories).tolist()

    def seen(sample: Sample) -> Any:
        return library.Dataset(sample.table, sample.target, weight=sample.weight, categorical_feature=codes)

    curve: dict[str, Any] = {}
    stop = [library.early_stopping(patience, verbose=False), library.record_evaluation(curve)] if told else []
    start = seen(rows)
    valid = [start.create_valid(told.table, told.target, weight=told.weight)] if told else None
    model = library.train(settings, start, most, valid_sets=valid, callbacks=stop)
    trees = [_from_lightgbm(each["tree_structure"]) for each in model.dump_model(num_iteration=-1)["tree_info"]]
    each_round = many if objective == "multiclass" else 1
    rounds = [trees[place : place + each_round] for place in range(0, len(trees), each_round)]
    return Grown(np.zeros(each_round), rounds, [np.inf, *curve["valid_0"][metric]] if told else [])


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        found, cure = "found lightgbm, which is not installed", "pip install 'drivetrain[lightgbm]', or leave it out"
        raise UsageError(Fault("model.booster", found, "It is an extra", cure)) from error
    return lightgbm


def _from_lightgbm(root: Mapping[str, Any]) -> Tree:
    nodes = list(_flat(root))
    sets = np.zeros((sum(node["decision_type"] == "==" for node in nodes), CODES), np.bool_)
    bits = np.full(len(nodes), -1)
    for place, at in enumerate([at for at, node in enumerate(nodes) if node["decision_type"] == "=="]):
        bits[at] = place
        sets[place, [int(code) for code in nodes[at]["threshold"].split("||")]] = True
    return Tree(
        column=np.array([node["split_feature"] for node in nodes]),
        cut=np.array([node["threshold"] if node["decision_type"] == "<=" else 0.0 for node in nodes]),
        bits=bits,
        sets=sets,
        left=np.array([node["left"] for node in nodes]),
        right=np.array([node["right"] for node in nodes]),
        value=np.array([node["leaf_value"] for node in nodes]),
    )


def _flat(root: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Nodes one after the other, children by their places."""
    waiting, many = [root], 1
    for node in waiting:  # grows as it goes
        if "split_feature" not in node:
            yield {"split_feature": -1, "decision_type": "", "left": 0, "right": 0, "leaf_value": node["leaf_value"]}
            continue
        waiting += [node["left_child"], node["right_child"]]
        told = {key: node[key] for key in ("split_feature", "decision_type", "threshold")}
        yield {**told, "left": many, "right": many + 1, "leaf_value": 0.0}
        many += 2


GROWERS: dict[str, Callable[[Order, Sample, Sample | None, int, int], Grown]] = {
    "scikit_learn": scikit_learn,
    "lightgbm": lightgbm,
}
