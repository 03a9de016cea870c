"""Laws: how the setting of a row depends on its inputs, each learned on other rows; a pool of them is the propensity.

Each law answers with moments of the kernel (see `kernel`). Which law to believe is settled on rows that it has not
seen: their pool is the mixture under which the settings that were seen are most likely (linear opinion pool, Hall &
Mitchell 2007, Int. J. Forecasting 23:1). With few rows that is mostly the law that knows no inputs, which is the
shrinkage that a single classifier lacks.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import OneHotEncoder

from drivetrain.data import Table
from drivetrain.evidence.kernel import Seen, smooth
from drivetrain.modeler import InputEncoder
from drivetrain.simulator import Support

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 8
MOST_BINS = 16
MOST_VALUES = 256
"""Columns that the values of one category get; values beyond share one."""
DRAWS = 64
CELLS_AT_ONCE = 4_000_000
ROUNDS = 60
TREES: dict[str, Any] = {"learning_rate": 0.1, "max_iter": 40, "max_leaf_nodes": 8, "min_samples_leaf": 40}
TREES |= {"l2_regularization": 1.0}


class Law(Protocol):
    """What is asked of each."""

    def moments(self, settings: Floats, support: Support) -> Floats:
        """[N, Q] around each row's setting in settings [N, L]."""


@dataclass(frozen=True)
class Anyone:
    """The law that knows no inputs: what all rows got."""

    seen: Seen

    def moments(self, settings: Floats, support: Support) -> Floats:
        """[N, Q]."""
        return self.seen.moments(support, settings)


@dataclass(frozen=True)
class Kinds:
    """A classifier says which kind of setting a row gets; within a kind, what others of it got."""

    seen: tuple[Seen, ...]
    """Of each of B kinds."""
    chance: Floats
    """[N, B] out-of-fold probability of each kind."""

    def moments(self, settings: Floats, support: Support) -> Floats:
        """[N, Q]: Σ over kinds of P(kind | inputs) · E[K·φ | kind]."""
        parts = (self.chance[:, [kind]] * seen.moments(support, settings) for kind, seen in enumerate(self.seen))
        return np.asarray(sum(parts))


@dataclass(frozen=True)
class Around:
    """One number, set around what such rows usually get: centre + scale · a residual, both learned from inputs."""

    centre: Floats
    """[N] out of fold."""
    scale: Floats
    """[N] out of fold."""
    residual: Floats
    """[R] quantiles of (T − centre)/scale."""
    nothing: Floats
    """[N] the chance to get the setting that stands apart; 0 where none does."""

    def moments(self, settings: Floats, support: Support) -> Floats:
        """[N, 3]."""
        reach = support.reach[0]
        out = np.empty((len(settings), 3))
        step = max(1, CELLS_AT_ONCE // len(self.residual))
        for start in range(0, len(settings), step):
            part = slice(start, start + step)
            drawn = np.clip(self.centre[part, None] + self.scale[part, None] * self.residual, reach.low, reach.high)
            distance = (drawn - settings[part]) / reach.width
            kernel = np.clip(1 - distance**2, 0, None)
            for power in range(3):
                out[part, power] = (kernel * distance**power).mean(1) * (1 - self.nothing[part])
        apart = settings[:, 0] == reach.apart
        out[apart] = 0.0
        out[apart, 0] = self.nothing[apart]
        return out


def candidates(table: Table, support: Support, inputs: InputEncoder, seed: int) -> dict[str, Law]:
    """Every law that suits the levers, learned for each fold without it.

    Args:
        table: training rows.
        support: which settings speak for which.
        inputs: reads the inputs.
        seed: of the trees.
    """
    kind, logged = bins(table.settings, support), table.settings
    seen = tuple(Seen.of(logged[kind == each]) for each in range(int(kind.max()) + 1))
    out: dict[str, Law] = {"everyone alike": Anyone(Seen.of(logged))}
    out["logistic regression"] = Kinds(seen, chances(table, inputs, kind, seed, linear=True))
    out["boosted trees"] = Kinds(seen, chances(table, inputs, kind, seed))
    if smooth(support) == [0] and len(support.reach) == 1:
        out["linear, with a residual"] = _around(table, support, inputs, seed, linear=True)
        out["boosted trees, with a residual"] = _around(table, support, inputs, seed, linear=False)
    return out


def pool(likelihood: Floats) -> Floats:
    """The shares [C] of a mixture that make what was seen most likely, by expectation–maximisation.

    Args:
        likelihood: [N, C] what each candidate thought of each row's own setting, unseen.
    """
    share = np.full(likelihood.shape[1], 1 / likelihood.shape[1])
    for _ in range(ROUNDS):
        mixed = likelihood * share
        share = (mixed / np.maximum(mixed.sum(1, keepdims=True), 1e-300)).mean(0)
        share = share / share.sum()
    return np.asarray(np.where(share < 1e-3, 0.0, share) / share[share >= 1e-3].sum())


def chances(table: Table, inputs: InputEncoder, kind: Ints, seed: int, *, linear: bool = False) -> Floats:
    """The chance [N, B] that a row with such inputs is of each of B kinds, by a classifier that did not see it.

    Args:
        table: training rows, N.
        inputs: reads them.
        kind: [N] the kind of each row, from 0.
        seed: of the classifier.
        linear: a logistic regression in place of trees.
    """
    x = features(table, inputs, hot=linear)
    chance = np.zeros((len(table), int(kind.max()) + 1))
    for fold in np.unique(table.fold):
        seen, held = table.fold != fold, table.fold == fold
        if len(np.unique(kind[seen])) == 1:
            chance[held, kind[seen][0]] = 1.0
            continue
        model = (
            LogisticRegression(C=0.3, max_iter=200)
            if linear
            else HistGradientBoostingClassifier(**TREES, random_state=seed)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x[seen], kind[seen])
        chance[np.ix_(held, model.classes_)] = model.predict_proba(x[held])
    return chance


def predicted(table: Table, inputs: InputEncoder, target: Floats, seed: int, *, linear: bool = False) -> Floats:
    """[N] what a regression that did not see the row expects of its target [N], given its inputs."""
    x, out = features(table, inputs, hot=linear), np.empty(len(table))
    for fold in np.unique(table.fold):
        seen, held = (table.fold != fold) & np.isfinite(target), table.fold == fold
        model = RidgeCV(np.logspace(-1, 4, 11)) if linear else HistGradientBoostingRegressor(**TREES, random_state=seed)
        out[held] = model.fit(x[seen], target[seen]).predict(x[held])
    return out


def features(table: Table, inputs: InputEncoder, *, hot: bool) -> Floats:
    """[N, D] inputs as a regression reads them: codes as they are, or a column each."""
    encoded = inputs.bare.encode(table.frame)
    codes, numbers = encoded.codes.numpy(), encoded.numbers.numpy()
    if hot and codes.shape[1]:
        codes = _hot(codes)
    return np.column_stack([codes, numbers]).astype(np.float64)


def _hot(codes: NDArray[np.int64]) -> Floats:
    """A column for every value that is not rare; the rare ones of each category share one."""
    hot = OneHotEncoder(sparse_output=False, min_frequency=5, max_categories=MOST_VALUES, handle_unknown="ignore")
    return np.asarray(hot.fit_transform(codes))


def _around(table: Table, support: Support, inputs: InputEncoder, seed: int, *, linear: bool) -> Around:
    setting, reach = table.settings[:, 0], support.reach[0]
    apart = setting == reach.apart
    target = np.where(apart, np.nan, setting)
    centre = predicted(table, inputs, target, seed, linear=linear)
    error = target - centre
    usual = float(np.sqrt(np.nanmean(error**2))) or 1.0
    scale = np.full(len(table), usual)
    if not linear:
        scale = np.clip(predicted(table, inputs, np.abs(error), seed) * 1.2533, usual / 5, usual * 5)
    residual = np.quantile((error / scale)[~apart], (np.arange(DRAWS) + 0.5) / DRAWS)
    nothing = chances(table, inputs, apart.astype(np.int64), seed)[:, -1] if apart.any() else np.zeros(len(table))
    return Around(centre, scale, residual, nothing)


def bins(settings: Floats, support: Support) -> Ints:
    """A number for each row's kind of setting: exact where a lever has few values, quantile groups where many."""
    each = max(2, int(BINS ** (1 / settings.shape[1])))
    places = []
    for i, reach in enumerate(support.reach):
        values = settings[:, i]
        if reach.width == 0:
            places.append(np.unique(values, return_inverse=True)[1])
            continue
        inner = np.quantile(values[values != reach.apart], np.linspace(0, 1, each + 1)[1:-1])
        places.append(np.where(values == reach.apart, each, np.searchsorted(inner, values)))
    joint = np.unique(np.column_stack(places), axis=0, return_inverse=True)[1].astype(np.int64).ravel()
    return _lumped(joint)


def _lumped(place: Ints) -> Ints:
    """At most sixteen kinds, the rarest together: a classifier learns nothing of kinds with a row or two each."""
    counts = np.bincount(place)
    if len(counts) <= MOST_BINS:
        return place
    common = np.sort(np.argsort(-counts, kind="stable")[: MOST_BINS - 1])
    lumped = np.full(len(counts), MOST_BINS - 1)
    lumped[common] = np.arange(MOST_BINS - 1)
    return np.asarray(lumped[place])
