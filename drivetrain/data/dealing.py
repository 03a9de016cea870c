"""Dealing the rows of a table to its folds and its test part, as the scenario's split says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import checks, splits
from drivetrain.data.columns import Remark, moments
from drivetrain.data.sources import Source
from drivetrain.errors import Fault
from drivetrain.scenario import Scenario

MOST_COPIES = 0.5
"""Where more rows than this repeat an earlier one, rows are equal because their columns hold few values: no copies."""


def keys_of(scenario: Scenario, source: Source) -> tuple[NDArray[Any] | None, tuple[Fault, ...]]:
    """[rows] the time, the group or the stratum by which rows are split; None where no column tells it.

    Args:
        scenario: what is declared.
        source: its rows. A row without a stratum is in a stratum of its own; one without a time or group has no key.
    """
    split = scenario.data.split
    if split.column is None or split.column not in source.columns:
        return None, ()
    thing = f"column '{split.column}' (data.split)"
    if split.by == "time":
        times = moments(source.frame[split.column], thing)
        return times.values, times.faults
    column = source.column(split.column, "categorical", thing)
    if split.by != "stratified":
        return column.values, column.faults
    numbers = source.column(split.column, "numeric", thing)
    if numbers.faults and column.faults:
        return None, column.faults
    return splits.strata(column.values if numbers.faults else numbers.values), ()


def clusters_of(
    scenario: Scenario, source: Source, keys: NDArray[Any] | None
) -> tuple[NDArray[np.int64] | None, tuple[Fault, ...]]:
    """[rows] the number of each row's cluster; None where none is declared and rows are not split by group.

    Args:
        scenario: what is declared.
        source: its rows. A row that does not say its cluster is one of its own.
        keys: [rows] as of `keys_of`.
    """
    name = scenario.data.cluster
    if name is None:
        return (None if keys is None or scenario.data.split.by != "group" else _numbered(keys)), ()
    if name not in source.columns:
        return None, ()
    column = source.column(name, "categorical", f"column '{name}' (data.cluster)")
    return _numbered(column.values), column.faults


def _numbered(values: NDArray[Any]) -> NDArray[np.int64]:
    codes, distinct = pd.factorize(values, sort=True)
    alone = np.flatnonzero(codes < 0)
    codes[alone] = len(distinct) + np.arange(len(alone))
    return np.asarray(codes, dtype=np.int64)


def deal(
    scenario: Scenario, frame: pd.DataFrame, keys: NDArray[Any] | None, clusters: NDArray[np.int64] | None = None
) -> tuple[splits.Folds, tuple[Remark, ...]]:
    """Deal the used rows; the same rows and seed always lie in the same parts.

    Args:
        scenario: how to split.
        frame: [rows] canonical columns.
        keys: [rows] as of `keys_of`.
        clusters: [rows] as of `clusters_of`; rows of one are kept together, but for a split by time.

    Returns:
        [rows] fold numbers, −1 in the test part; and how many rows follow an earlier one that they repeat.
    """
    split, generator = scenario.data.split, np.random.default_rng(scenario.seed)
    if keys is not None and split.by == "time":
        return splits.by_time(keys, split.folds, split.test), ()
    if keys is not None and split.by == "group":
        return splits.by_group(keys.astype(str), split.folds, split.test, generator), ()
    if split.by == "stratified":
        told = splits.strata(frame[next(iter(scenario.outcomes))].to_numpy()) if keys is None else keys
        fold = splits.stratified(told, split.folds, split.test, generator)
        if clusters is not None:
            return splits.together(fold, clusters), ()
    elif clusters is not None:
        return splits.by_group(clusters, split.folds, split.test, generator), ()
    else:
        fold = splits.at_random(len(frame), split.folds, split.test, generator)
    return _together(frame[[*scenario.inputs, *scenario.levers]], fold)


def _together(known: pd.DataFrame, fold: splits.Folds) -> tuple[splits.Folds, tuple[Remark, ...]]:
    """A row that repeats another in every input and lever is no news to a model that has seen the other, whatever its
    name is.
    """
    known = known.loc[:, [not checks.names_rows(known[name]) for name in known]]
    repeated = int(known.duplicated().sum())
    if not repeated:
        return fold, ()
    if repeated > MOST_COPIES * len(known):
        found = "the same inputs and levers as an earlier row; too common to be copies, so dealt apart"
        return fold, (Remark("rows", found, repeated),)
    copies = known.groupby(list(known.columns), sort=False, dropna=False).ngroup().to_numpy().astype(np.int64)
    found = "the same inputs and levers as an earlier row, and dealt to the same fold"
    return splits.together(fold, copies), (Remark("rows", found, repeated),)
