"""Which rows judge which model: K folds and a sealed test part, drawn from the scenario's seed alone."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SEALED = -1
"""The fold number of the test part, which nobody opens by accident."""

Folds = NDArray[np.int64]


def at_random(rows: int, folds: int, test: float, generator: np.random.Generator) -> Folds:
    """Every row goes where chance sends it; the parts' sizes differ by at most one row.

    Args:
        rows: how many rows there are.
        folds: K, the number of folds.
        test: share of the rows for the test part, in [0, 1).
        generator: where chance comes from.

    Returns:
        [rows] fold numbers 0..K−1, and −1 for the test part.
    """
    sealed = round(test * rows)
    fold = np.full(rows, SEALED, dtype=np.int64)
    fold[generator.permutation(rows)[sealed:]] = np.arange(rows - sealed) % folds
    return fold


def stratified(strata: NDArray[np.int64], folds: int, test: float, generator: np.random.Generator) -> Folds:
    """Chance deals, but every part gets its share of each stratum, to within one row.

    Args:
        strata: [rows] the number of each row's stratum.
        folds: K, the number of folds.
        test: share of the rows for the test part, in [0, 1).
        generator: where chance comes from.

    Returns:
        [rows] fold numbers 0..K−1, and −1 for the test part.
    """
    shuffled = generator.permutation(len(strata))
    order = shuffled[np.argsort(strata[shuffled], kind="stable")]
    sealed = np.diff(np.round(np.arange(len(strata) + 1) * test)) > 0
    fold = np.full(len(strata), SEALED, dtype=np.int64)
    fold[order[~sealed]] = np.arange(int((~sealed).sum())) % folds
    return fold


def strata(values: NDArray[Any], most: int = 10) -> NDArray[np.int64]:
    """[rows] a number for each row's stratum: its value, or its tenth of the rows where numbers are many.

    Args:
        values: [rows] numbers, or texts; a missing one is a stratum of its own, −1.
        most: how many distinct numbers are strata of their own.
    """
    codes, distinct = pd.factorize(values, sort=True)
    if len(distinct) <= most or values.dtype == object:
        return np.asarray(codes, dtype=np.int64)
    edges = np.quantile(values[codes >= 0], np.linspace(0, 1, most + 1)[1:-1])
    return np.where(codes < 0, -1, np.searchsorted(edges, values)).astype(np.int64)


def together(fold: Folds, copies: NDArray[np.int64]) -> Folds:
    """Rows that are copies of one another go where the first of them went.

    Args:
        fold: [rows] as dealt.
        copies: [rows] the same number for rows that are copies, any other for others.
    """
    _, first, member = np.unique(copies, return_index=True, return_inverse=True)
    return fold[first[member]]


def by_time(times: NDArray[np.generic], folds: int, test: float) -> Folds:
    """Blocks in the order of time, the latest part for the test; rows of one moment stay together.

    Args:
        times: [rows] anything with an order, none missing.
        folds: K, the number of folds.
        test: share of the rows for the test part, in [0, 1).

    Returns:
        [rows] fold numbers 0..K−1 from the earliest on, and −1 for the test part.
    """
    training = len(times) - round(test * len(times))
    position = np.searchsorted(np.sort(times), times, side="left")
    block = position * folds // max(training, 1)
    return np.where(position < training, block, SEALED).astype(np.int64)


def by_group(groups: NDArray[np.generic], folds: int, test: float, generator: np.random.Generator) -> Folds:
    """Whole groups go to one part each, the largest first, each to the part with the most room left.

    Args:
        groups: [rows] the group of each row, none missing.
        folds: K, the number of folds.
        test: share of the rows for the test part, in [0, 1).
        generator: decides among groups of one size.

    Returns:
        [rows] fold numbers 0..K−1, and −1 for the test part.
    """
    names, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shuffled = generator.permutation(len(names))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    shares = [(SEALED, test)] if test else []
    shares += [(fold, (1 - test) / folds) for fold in range(folds)]
    room = [(-share * len(groups), part) for part, share in shares]
    heapq.heapify(room)
    chosen = np.empty(len(names), dtype=np.int64)
    for group in order:
        taken, part = heapq.heappop(room)
        chosen[group] = part
        heapq.heappush(room, (taken + float(sizes[group]), part))
    return chosen[member]
