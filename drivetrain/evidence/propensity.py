"""Propensities: how probable it was that a row got a setting near a given one, under the policy that the data shows.

Settings may be numbers with atoms, options, or several levers at once; "near" is the support's kernel, so that a
probability and a kernel-smoothed density are one thing: the expected kernel weight E[K(T, s) | x].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from drivetrain.data import Table
from drivetrain.modeler import InputEncoder
from drivetrain.simulator import Support

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHRINK = 10.0
FLOOR = 0.01
BINS = 8
MOST_BINS = 16
BLOCK = 2_000_000


class Propensity(Protocol):
    """What the doubly robust estimator asks."""

    def near(self, settings: Floats) -> Floats:
        """For each training row [N] the expected kernel weight around its setting in settings [N, L], above 0."""


@dataclass(frozen=True)
class Declared:
    """A column gives the probability of each row's own setting; asked of any other, the row has no say."""

    probability: Floats

    def near(self, settings: Floats) -> Floats:
        """[N]; only meaningful where the setting is the row's own, and only there it is used.

        A declared chance is known, so it is taken as it is: a floor would bias what it weighs.
        """
        return np.broadcast_to(self.probability, (len(settings),))


@dataclass(frozen=True)
class Stratified:
    """A draw whose chances differ between strata: shares within the row's stratum, shrunk to the shares of all.

    Estimated shares make the estimator more precise than the true chances would (Hirano, Imbens & Ridder 2003,
    Econometrica 71:1161); the shrinkage, worth ten rows, steadies small strata.
    """

    support: Support
    logged: Floats
    stratum: Ints

    def near(self, settings: Floats) -> Floats:
        """[N]."""
        overall = _overall(self.support, self.logged, settings)
        out = np.empty(len(settings))
        for stratum in np.unique(self.stratum):
            rows = np.flatnonzero(self.stratum == stratum)
            own = _overall(self.support, self.logged[rows], settings[rows])
            out[rows] = (own * len(rows) + overall[rows] * SHRINK) / (len(rows) + SHRINK)
        return np.maximum(out, FLOOR)


@dataclass(frozen=True)
class Learned:
    """Settings were chosen by people or rules: a classifier learns which kind of setting such rows get."""

    support: Support
    logged: Floats
    bin: Ints
    chance: Floats
    """[N, B] out-of-fold probability of each bin of settings."""

    def near(self, settings: Floats) -> Floats:
        """[N]: Σ over bins of P(bin | inputs) · E[K(T, s) | bin]."""
        out = np.zeros(len(settings))
        for place in range(self.chance.shape[1]):
            inside = self.logged[self.bin == place]
            out += self.chance[:, place] * _overall(self.support, inside, settings)
        return np.maximum(out, FLOOR)


def propensity(
    table: Table, support: Support, inputs: InputEncoder, *, randomised: bool, within: tuple[str, ...], seed: int
) -> Propensity:
    """The propensity that the scenario's `assignment` calls for.

    Args:
        table: training rows.
        support: the kernel.
        inputs: reads the inputs for the classifier.
        randomised: whether settings were drawn at random.
        within: inputs within whose values the draw had the same chances.
        seed: of the classifier.
    """
    if table.propensity is not None:
        return Declared(table.propensity)
    if not randomised and len(inputs.columns):
        return _learn(table, support, inputs, seed)
    return Stratified(support, table.settings, strata(table, within))


def strata(table: Table, within: tuple[str, ...]) -> Ints:
    """[N] the number of each row's stratum; a missing value is a value of its own."""
    if not within:
        return np.zeros(len(table), dtype=np.int64)
    codes = [pd.factorize(table.frame[name], use_na_sentinel=True)[0] for name in within]
    return np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].astype(np.int64).ravel()


def _learn(table: Table, support: Support, inputs: InputEncoder, seed: int) -> Learned:
    place = _bins(table.settings, support)
    return Learned(support, table.settings, place, chances(table, inputs, place, seed))


def chances(table: Table, inputs: InputEncoder, place: Ints, seed: int) -> Floats:
    """The chance [N, B] that a row with such inputs belongs to each of B kinds, by a classifier that did not see it.

    Args:
        table: training rows, N.
        inputs: reads them.
        place: [N] the kind of each row, from 0.
        seed: of the classifier.
    """
    encoded = inputs.encode(table.frame)
    x = np.column_stack([encoded.codes.numpy(), encoded.numbers.numpy()])
    chance = np.zeros((len(table), int(place.max()) + 1))
    for fold in np.unique(table.fold):
        seen, held = table.fold != fold, table.fold == fold
        if len(np.unique(place[seen])) == 1:
            chance[held, place[seen][0]] = 1.0
            continue
        model = HistGradientBoostingClassifier(
            learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=1.0, random_state=seed
        )
        model.fit(x[seen], place[seen])
        chance[np.ix_(held, model.classes_)] = model.predict_proba(x[held])
    return chance


def _bins(settings: Floats, support: Support) -> Ints:
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


def _overall(support: Support, logged: Floats, settings: Floats) -> Floats:
    """Mean kernel weight of all logged settings around each of [N], asked once per distinct setting."""
    distinct, back = np.unique(settings, axis=0, return_inverse=True)
    seen, counts = np.unique(logged, axis=0, return_counts=True)
    block = max(1, BLOCK // max(1, len(seen)))
    parts = [
        counts @ support.kernel(seen, distinct[i : i + block]) / len(logged) for i in range(0, len(distinct), block)
    ]
    return np.asarray(np.concatenate(parts)[back.ravel()])
