"""Was it drawn as declared? A draw knows nothing of the inputs, so nothing in them may foretell it.

And do things go along with a lever that it cannot have changed? Then something moves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from drivetrain.data import Table
from drivetrain.evidence import blocks
from drivetrain.evidence.propensity import strata
from drivetrain.scenario import Scenario
from drivetrain.simulator import Support

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALARM = 0.01
"""A check that chance alone fails less often than this, counted over all levers, raises an alarm."""
SHUFFLES = 499
MOST_ROWS = 20_000
MOST_SETTINGS = 8


@dataclass(frozen=True)
class Check:
    """One test of what the evidence rests on."""

    kind: str
    """`balance`, `propensity`, `negative_control`, `placebo_outcome`, `placebo_lever`, `random_cause`, `orthogonal` or
    `direction`."""
    lever: str
    """Which lever it is about; empty where it is about all."""
    about: str
    """The input or outcome that stands out, or was declared."""
    value: float
    """Of `balance` the share of the lever that inputs foretell on rows held out; of others a number of errors."""
    chance: float | None
    """How often chance alone would look so, or worse; None of `random_cause`, which is all chance."""
    alarm: bool
    """Whether it speaks against the grade that was declared."""


def balance(scenario: Scenario, table: Table, support: Support) -> tuple[Check, ...]:
    """For each lever how far inputs foretell it, beyond what the declared strata do; an alarm only where it was drawn.

    The statistic is the cross-fitted R² of a ridge regression on inputs, their squares and products; how often chance
    does as well is known from shuffles within strata, so the test is exact for a draw within them. Where whole clusters
    were drawn, whole clusters are shuffled: among those with rows of the same strata.

    Args:
        scenario: the design and the inputs.
        table: training rows.
        support: tells numbers from options.
    """
    if not scenario.inputs:
        return ()
    rows = _some(table, scenario.seed)
    drawn = scenario.assignment.design == "randomised"
    if table.propensity is not None:
        return (_declared(scenario, rows),)
    stratum, parts = strata(rows, scenario.assignment.within), blocks.inputs(scenario, rows)
    if not parts:
        return ()
    x = blocks.within(blocks.crossed(parts), stratum)
    out = []
    for place, name in enumerate(scenario.levers):
        columns = blocks.lever(support, rows.settings, place)
        if not columns.shape[1]:
            continue  # it never varies among these rows
        y = blocks.within(columns, stratum)
        drawing = Drawing.of(rows.settings[:, place], stratum, rows.cluster)
        share, chance = _foretold(x, columns, drawing, stratum, rows.fold, scenario.seed + place)
        about = max(parts, key=lambda key: _explained(parts[key], y))
        out.append(Check("balance", name, about, share, chance, drawn and chance * len(scenario.levers) < ALARM))
    return tuple(out)


def _some(table: Table, seed: int) -> Table:
    if len(table) <= MOST_ROWS:
        return table
    return table.subset(np.sort(np.random.default_rng(seed).choice(len(table), MOST_ROWS, replace=False)))


@dataclass(frozen=True)
class Drawing:
    """What was drawn as one, and among what it can be shuffled."""

    unit: Ints
    """[N] the row's unit: itself, or its cluster where that was drawn as a whole."""
    first: Ints
    """[U] a row of each unit."""
    among: Ints
    """[U] units with the same number may have got each other's settings."""

    @classmethod
    def of(cls, settings: Floats, stratum: Ints, cluster: Ints | None) -> Drawing:
        """Rows, or clusters where more of them have one setting than a draw of single rows leaves.

        Args:
            settings: [N] of a lever, or [N, L].
            stratum: [N] within which chances are alike.
            cluster: [N] whose row it is; None where all differ.
        """
        rows = np.arange(len(settings))
        if cluster is None:
            return cls(rows, rows, stratum)
        kind = np.unique(settings, axis=0, return_inverse=True)[1].ravel()
        _, first, place, size = np.unique(cluster, return_index=True, return_inverse=True, return_counts=True)
        alike = np.bincount(place.ravel(), kind == kind[first][place.ravel()]) == size
        share, several = np.bincount(kind) / len(kind), size > 1
        expected = [float((share**many).sum()) for many in size[several]]
        if not several.any() or alike[several].mean() <= (1 + np.mean(expected)) / 2:
            return cls(rows, rows, stratum)
        whole = alike[place.ravel()]
        _, first, unit = np.unique(
            np.where(whole, place.ravel(), len(size) + rows), return_index=True, return_inverse=True
        )
        met = np.zeros((len(first), int(stratum.max()) + 2), dtype=np.bool_)
        met[unit.ravel(), stratum] = True
        met[:, -1] = whole[first]
        return cls(unit.ravel(), first, np.unique(met, axis=0, return_inverse=True)[1].ravel())

    def shuffles(self, draw: np.random.Generator) -> Ints:
        """[N, 1 + shuffles] whose setting each row gets: first its own."""
        order = np.argsort(self.among, kind="stable")
        units = np.empty((len(self.first), SHUFFLES + 1), dtype=np.int64)
        units[:, 0] = np.arange(len(self.first))
        for place in range(1, SHUFFLES + 1):
            units[order, place] = np.lexsort((draw.random(len(self.first)), self.among))
        return np.asarray(self.first[units][self.unit])


def _foretold(x: Floats, y: Floats, drawing: Drawing, stratum: Ints, fold: Ints, seed: int) -> tuple[float, float]:
    """Cross-fitted R² within strata of columns y [N, k] on x [N, D], and how often shuffles of what was drawn do so."""
    shuffles = drawing.shuffles(np.random.default_rng(seed))
    solvers = {int(held): _solver(x[fold != held]) for held in np.unique(fold)}
    lost, whole = np.zeros((2, SHUFFLES + 1))
    for own, column in zip(blocks.within(y, stratum).T, y.T, strict=True):
        if len(drawing.first) == len(y):
            moved, spread = own[shuffles], np.full(SHUFFLES + 1, (own**2).sum())
        else:  # clusters differ in size, so that the means of strata differ from shuffle to shuffle
            moved = blocks.within(column[shuffles], stratum)
            spread = (moved**2).sum(0)
        whole += spread
        for held, solver in solvers.items():
            out = fold == held
            lost += ((moved[out] - x[out] @ (solver @ moved[~out])) ** 2).sum(0)
    share = 1 - lost / np.maximum(whole, 1e-300)
    usual = share[1:]
    counted = (1 + int((usual >= share[0]).sum())) / (SHUFFLES + 1)
    if counted > 1 / (SHUFFLES + 1):
        return float(share[0]), counted
    beyond = float(stats.norm.sf((share[0] - usual.mean()) / (usual.std() or 1e-12)))
    return float(share[0]), min(counted, beyond)


def _solver(x: Floats) -> Floats:
    """[D, N] what makes columns [N] into the coefficients of a ridge regression on x [N, D]."""
    return np.asarray(np.linalg.solve(x.T @ x + max(1, x.shape[1]) * np.eye(x.shape[1]), x.T))


def _explained(x: Floats, y: Floats) -> float:
    """Share of columns y that columns x explain, in sample."""
    if not x.shape[1]:
        return 0.0
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float((fitted**2).sum() / max(float((y**2).sum()), 1e-300))


def _declared(scenario: Scenario, table: Table) -> Check:
    """Whether a setting, weighted by its declared chance, is as common among all kinds of rows as that chance says.

    For each setting s, 1{T = s}/p − 1 has mean 0 whatever the inputs; the largest of its t-ratios with them is compared
    with those of settings drawn anew, where the chance hangs on the setting alone, and else with those of random signs
    (wild bootstrap), which are too sure of a rare setting among few rows.
    """
    assert table.propensity is not None  # noqa: S101  (the caller asked)
    parts = blocks.inputs(scenario, table)
    x = np.column_stack([np.ones(len(table)), *parts.values()])
    names = ["", *(name for name, block in parts.items() for _ in range(block.shape[1]))]
    kind = np.unique(table.settings, axis=0, return_inverse=True)[1].ravel()
    drawing = Drawing.of(table.settings, np.zeros(len(table), dtype=np.int64), table.cluster)
    surprise = _surprise(kind, table.propensity)
    ratios = _ratios(x, surprise)
    draw, alike = np.random.default_rng(scenario.seed), _alike(kind, table.propensity)
    reached = 0
    for _ in range(SHUFFLES):
        if alike is None:
            other = surprise * draw.choice([-1.0, 1.0], len(drawing.first))[drawing.unit][:, None]
        else:
            told = draw.choice(len(alike), len(drawing.first), p=alike / alike.sum())[drawing.unit]
            other = _surprise(told, alike[told])
        reached += int(_ratios(x, other).max(initial=0.0) >= ratios.max(initial=0.0))
    chance = (1 + reached) / (SHUFFLES + 1)
    about = names[int(ratios.max(1).argmax())] if ratios.size else ""
    drawn = scenario.assignment.design == "randomised"
    return Check("propensity", "", about, float(ratios.max(initial=0.0)), chance, drawn and chance < ALARM)


def _surprise(kind: Ints, chance: Floats) -> Floats:
    """[N, S] of each of the S most common settings 1{T = s}/p − 1; of one alone there is nothing to tell."""
    counts = np.bincount(kind)
    common = np.argsort(-counts)[: MOST_SETTINGS if len(counts) > 1 else 0]
    return np.asarray((kind[:, None] == common) / chance[:, None] - 1)


def _ratios(x: Floats, surprise: Floats) -> Floats:
    """[D, S] how many errors the sums of x [N, D] times surprise [N, S] are from 0."""
    return np.asarray(np.abs(x.T @ surprise) / np.sqrt(np.maximum((x**2).T @ surprise**2, 1e-300)))


def _alike(kind: Ints, chance: Floats) -> Floats | None:
    """[K] the chance of each of K settings, where that is the same in every row and they are all there are."""
    told = np.bincount(kind, chance) / np.bincount(kind)
    return told if np.allclose(chance, told[kind], rtol=1e-6) and abs(told.sum() - 1) < 1e-3 else None
