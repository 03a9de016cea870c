"""Propensities: how probable it was that a row got a setting near a given one, under the policy that the data shows.

Settings may be numbers with atoms, options, or several levers at once; "near" is the support's kernel, so that a
probability and a kernel-smoothed density are one thing: the expected kernel weight E[K(T, s) | x], here with the
further moments that local-linear weights need (see `kernel`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.evidence.kernel import Seen, scaled
from drivetrain.evidence.laws import Law, candidates, pool
from drivetrain.modeler import InputEncoder
from drivetrain.simulator import Support

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHRINK = 10.0
SHARP = 0.5
"""Laws are told apart with kernels half as wide, or a law that is too sure of itself would look the better one."""


class Propensity(Protocol):
    """What the estimators ask."""

    @property
    def learned(self) -> bool:
        """Whether it was learned from the rows; then weights are divided by their mean, which should be 1."""

    def moments(self, settings: Floats, support: Support) -> Floats:
        """For each training row the moments [N, Q] of the kernel around its setting in settings [N, L]."""


@dataclass(frozen=True)
class Declared:
    """A column gives the probability of each row's own setting; asked of any other, the row has no say."""

    probability: Floats
    learned: bool = False

    def moments(self, settings: Floats, support: Support) -> Floats:  # noqa: ARG002  (the row's own, or none)
        """[N, 1]; only meaningful where the setting is the row's own, and only there it is used."""
        return self.probability[:, None]


@dataclass(frozen=True)
class Stratified:
    """A draw whose chances differ between strata: shares within the row's stratum, shrunk to the shares of all.

    Estimated shares make the estimator more precise than the true chances would (Hirano, Imbens & Ridder 2003,
    Econometrica 71:1161); the shrinkage, worth ten rows, steadies small strata.
    """

    logged: Floats
    stratum: Ints
    learned: bool = False

    def moments(self, settings: Floats, support: Support) -> Floats:
        """[N, Q]."""
        out = self._all.moments(support, settings)
        for rows, seen in self._parts:
            own = seen.moments(support, settings[rows])
            out[rows] = (own * len(rows) + out[rows] * SHRINK) / (len(rows) + SHRINK)
        return out

    @cached_property
    def _all(self) -> Seen:
        return Seen.of(self.logged)

    @cached_property
    def _parts(self) -> list[tuple[Ints, Seen]]:
        """Of each stratum its rows and what they got; none where there is only one."""
        parts = [np.flatnonzero(self.stratum == stratum) for stratum in np.unique(self.stratum)]
        return [(rows, Seen.of(self.logged[rows])) for rows in parts] if len(parts) > 1 else []


@dataclass(frozen=True)
class Learned:
    """Settings were chosen by people or rules: a pool of laws learns which settings such rows get."""

    laws: Mapping[str, Law]
    share: Mapping[str, float]
    """Law → its share in the pool."""
    learned: bool = True

    def moments(self, settings: Floats, support: Support) -> Floats:
        """[N, Q]."""
        parts = (share * self.laws[name].moments(settings, support) for name, share in self.share.items() if share)
        return np.asarray(sum(parts))


def propensity(
    table: Table, support: Support, inputs: InputEncoder, *, randomised: bool, within: tuple[str, ...], seed: int
) -> Propensity:
    """The propensity that the scenario's `assignment` calls for.

    Args:
        table: training rows.
        support: the kernel.
        inputs: reads the inputs for the laws.
        randomised: whether settings were drawn at random.
        within: inputs within whose values the draw had the same chances.
        seed: of what is learned.
    """
    if table.propensity is not None:
        return Declared(table.propensity)
    if not randomised and len(inputs.columns):
        return _learn(table, support, inputs, seed)
    return Stratified(table.settings, strata(table, within))


def strata(table: Table, within: tuple[str, ...]) -> Ints:
    """[N] the number of each row's stratum; a missing value is a value of its own."""
    if not within:
        return np.zeros(len(table), dtype=np.int64)
    codes = [pd.factorize(table.frame[name], use_na_sentinel=True)[0] for name in within]
    return np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].astype(np.int64).ravel()


def _learn(table: Table, support: Support, inputs: InputEncoder, seed: int) -> Learned:
    laws = candidates(table, support, inputs, seed)
    sharp = scaled(support, SHARP)
    likelihood = np.column_stack([law.moments(table.settings, sharp)[:, 0] for law in laws.values()])
    return Learned(laws, dict(zip(laws, pool(np.maximum(likelihood, 1e-6)).tolist(), strict=True)))
