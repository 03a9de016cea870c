"""Inputs and levers as columns for linear checks: blocks of columns, one block for each input or lever."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Table
from drivetrain.scenario import Scenario
from drivetrain.simulator import Support

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CATEGORIES = 24
MOST_CROSSED = 8
FEW_VALUES = 8


def inputs(scenario: Scenario, table: Table, without: Collection[str] = ()) -> dict[str, Floats]:
    """Input → its columns [N, k]: a number, its square, and whether it is missing; a category's common values.

    Inputs that never vary are left out.

    Args:
        scenario: what is declared.
        table: the rows.
        without: inputs to leave out.
    """
    told = {
        name: column(table.frame[name], categorical=declared.kind == "categorical")
        for name, declared in scenario.inputs.items()
        if name not in without
    }
    return {name: columns for name, columns in told.items() if columns.shape[1]}


def column(values: pd.Series[Any], *, categorical: bool) -> Floats:
    """One column of a table as columns [N, k] of mean 0 and spread 1; none that never vary."""
    if categorical:
        codes, distinct = pd.factorize(values, use_na_sentinel=False)
        common = np.argsort(-np.bincount(codes, minlength=len(distinct)))[:MOST_CATEGORIES]
        return standard((codes[:, None] == common).astype(np.float64))
    raw = values.to_numpy(dtype=np.float64)
    missing = ~np.isfinite(raw)
    middle = float(np.median(raw[~missing])) if not missing.all() else 0.0
    plain = standard(np.where(missing, middle, raw)[:, None])
    return standard(np.column_stack([plain, plain**2, missing.astype(np.float64)]))


def crossed(blocks: dict[str, Floats]) -> Floats:
    """[N, D] all blocks side by side, with products of two where inputs are few."""
    out = list(blocks.values())
    if 1 < len(blocks) <= MOST_CROSSED:
        firsts = [block[:, :1] for block in out if block.shape[1]]
        out += [standard(a * b) for a, b in combinations(firsts, 2)]
    return np.column_stack(out) if out else np.zeros((0, 0))


def lever(support: Support, settings: Floats, place: int, at: Floats | None = None) -> Floats:
    """What a response along one lever may look like: columns [n, k] of its settings.

    A number: a line and a bend on the scale of what was seen, and a step at the setting that stands apart. Anything
    with few values: whether it is each value but the most common one.

    Args:
        support: tells which.
        settings: [N, L] logged settings, which say the scale.
        place: the lever's place.
        at: [n] settings to give columns for; the logged ones where left out.
    """
    seen, reach = settings[:, place], support.reach[place]
    asked = seen if at is None else at
    if reach.width == 0:
        values, counts = np.unique(seen, return_counts=True)
        if len(values) > FEW_VALUES:
            kept = np.sort(np.argsort(-counts)[:FEW_VALUES])
            values, counts = values[kept], counts[kept]
        others = np.delete(values, counts.argmax())
        return np.asarray(asked[:, None] == others, dtype=np.float64)
    apart = seen == reach.apart
    middle, spread = seen[~apart].mean(), seen[~apart].std() or 1.0
    off = asked == reach.apart
    line = np.where(off, 0.0, (asked - middle) / spread)
    columns = [line, np.where(off, 0.0, line**2)]
    return np.column_stack([*columns, off.astype(np.float64)] if apart.any() else columns)


def within(values: Floats, stratum: Ints) -> Floats:
    """Columns [N, k] less their mean in each row's stratum."""
    counts = np.bincount(stratum)
    means = np.column_stack([np.bincount(stratum, column) / np.maximum(counts, 1) for column in values.T])
    return np.asarray(values - means[stratum])


def standard(values: Floats) -> Floats:
    """Columns [N, k] of mean 0 and spread 1, without those that never vary."""
    largest = np.abs(values).max(0)
    scaled = values / np.where(largest > 0, largest, 1.0)
    spread = scaled.std(0)
    varied = spread > 1e-12
    return np.asarray((scaled[:, varied] - scaled[:, varied].mean(0)) / spread[varied])
