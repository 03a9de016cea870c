"""What inputs foretell of a lever, as a further input: models then need not take the setting for what led to it.

Where people or rules chose settings from inputs, a model can explain outcomes by the setting or by what led to it, and
shrinkage leads it to mistake one for the other (Hahn, Murray & Carvalho 2020, "Bayesian Regression Tree Models for
Causal Inference", Bayesian Analysis 15:965, who give the propensity to the outcome model as a covariate; Hirano &
Imbens 2004 for doses). Small boosted trees, kept as plain numbers, foretell each lever from the encoded inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from drivetrain.data import Table
from drivetrain.scenario import Categorical, Scenario

Floats = NDArray[np.float64]

FEWEST = 200
"""With fewer rows there is too little to foretell by."""
TOLD = 0.05
"""A lever of which inputs foretell a smaller share of its variance, in rows not seen, is as good as drawn."""
MOST_OPTIONS = 8
DEEP = 4
RUN = 16_384
TREES: dict[str, Any] = {"learning_rate": 0.1, "max_iter": 40, "max_depth": DEEP, "max_leaf_nodes": 8}
TREES |= {"min_samples_leaf": 40, "l2_regularization": 1.0}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Branching(_Frozen):
    """One tree; a leaf is its own child."""

    column: tuple[int, ...]
    """Of the encoded inputs."""
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    """Where the column is at most the threshold."""
    right: tuple[int, ...]
    value: tuple[float, ...]

    def reached(self, x: NDArray[np.float32]) -> Floats:
        """[N] the values of the leaves that rows x [N, W] end in."""
        column, left, right = np.array(self.column), np.array(self.left), np.array(self.right)
        threshold = np.array(self.threshold)
        at, rows = np.zeros(len(x), dtype=np.int64), np.arange(len(x))
        for _ in range(DEEP):
            at = np.where(x[rows, column[at]] <= threshold[at], left[at], right[at])
        return np.array(self.value)[at]


class Foretold(_Frozen):
    """What inputs foretell of one lever, or of one of its options, standardised."""

    lever: str
    option: int | None
    """The option's code; None of a number."""
    base: float
    centre: float
    scale: float
    low: float
    high: float
    """The range, standardised, of what trees foretold of rows that they had not seen; of rows that they have seen they
    are surer, which models have not learned to read."""
    trees: tuple[Branching, ...]

    def of(self, x: NDArray[np.float32]) -> Floats:
        """[N] for encoded inputs x [N, W]: codes, then numbers."""
        out = np.full(len(x), self.base)
        for start in range(0, len(x), RUN):
            part = slice(start, start + RUN)
            for tree in self.trees:
                out[part] += tree.reached(x[part])
        return np.clip((out - self.centre) / self.scale, self.low, self.high)


def learn(scenario: Scenario, table: Table, x: NDArray[np.float32]) -> tuple[tuple[Foretold, ...], NDArray[np.float32]]:
    """What inputs foretell of every lever, and that for each training row by trees that have not seen its fold.

    Args:
        scenario: its design and levers.
        table: training rows, N.
        x: [N, W] their encoded inputs.

    Returns:
        Nothing [N, 0] where settings were drawn at random, or as good as that, inputs or rows are wanting, or a lever
        has many options.
    """
    targets = list(_targets(scenario, table))
    drawn = scenario.assignment.design == "randomised"
    whole = {name for name, _, _ in targets} == set(scenario.levers)
    if drawn or not x.shape[1] or len(table) < FEWEST or not whole:
        return (), np.zeros((len(table), 0), dtype=np.float32)
    outs = [_out_of_fold(x, target, table.fold, scenario.seed) for _, _, target in targets]
    told = {
        name
        for (name, _, target), out in zip(targets, outs, strict=True)
        if ((out - target) ** 2).mean() <= (1 - TOLD) * target.var()
    }
    kept, unseen = [], []
    for (name, option, target), out in zip(targets, outs, strict=True):
        if name in told:
            kept.append(_kept(name, option, _grown(x, target, scenario.seed), out))
            unseen.append((out - kept[-1].centre) / kept[-1].scale)
    return tuple(kept), np.array(unseen, dtype=np.float32).reshape(len(kept), len(table)).T


def _out_of_fold(x: NDArray[np.float32], target: Floats, fold: NDArray[np.int64], seed: int) -> Floats:
    """[N] what trees that have not seen a row's fold foretell of it."""
    out = np.empty(len(x))
    for each in np.unique(fold):
        seen = fold != each
        out[~seen] = _grown(x[seen], target[seen], seed).predict(x[~seen])
    return out


def _kept(name: str, option: int | None, model: Any, out: Floats) -> Foretold:
    """The model as plain numbers, on the scale of what was foretold of rows not seen."""
    centre, scale = float(out.mean()), float(out.std()) or 1.0
    return Foretold(
        lever=name,
        option=option,
        base=float(model._baseline_prediction.ravel()[0]),
        centre=centre,
        scale=scale,
        low=float((out.min() - centre) / scale),
        high=float((out.max() - centre) / scale),
        trees=tuple(_plain(predictor[0].nodes) for predictor in model._predictors),
    )


def _targets(scenario: Scenario, table: Table) -> Iterator[tuple[str, int | None, Floats]]:
    """What is to be foretold: a number, or whether it is an option; nothing of levers with many options."""
    for place, (name, lever) in enumerate(scenario.levers.items()):
        setting = table.settings[:, place]
        if not isinstance(lever, Categorical):
            yield name, None, setting
        elif len(lever.options) <= MOST_OPTIONS:
            for option in range(1, len(lever.options)):
                yield name, option, (setting == option).astype(np.float64)


def _grown(x: NDArray[np.float32], target: Floats, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**TREES, random_state=seed).fit(x, target)


def _plain(nodes: NDArray[Any]) -> Branching:
    places, leaf = np.arange(len(nodes)), nodes["is_leaf"].astype(bool)
    return Branching(
        column=tuple(np.where(leaf, 0, nodes["feature_idx"]).tolist()),
        threshold=tuple(np.where(leaf, 0.0, nodes["num_threshold"]).tolist()),
        left=tuple(np.where(leaf, places, nodes["left"]).tolist()),
        right=tuple(np.where(leaf, places, nodes["right"]).tolist()),
        value=tuple(np.where(leaf, nodes["value"], 0.0).tolist()),
    )
