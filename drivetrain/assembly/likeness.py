"""The rows of the data that are most like one row: what they got, and what came of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly.result import Run, of_run
from drivetrain.errors import Fault, UsageError, integer

Floats = NDArray[np.float64]


@of_run
def alike(run: Run, place: int, most: int = 10) -> pd.DataFrame:
    """The training rows most like one row in their inputs, by Gower's distance (1971, Biometrics 27:857).

    Numbers differ by their distance over the range that holds 99% of rows, at most 1; texts differ or not; a missing
    value differs from all others.

    Args:
        run: any run.
        place: the row's place in the run's table, from 0.
        most: how many lines.

    Raises:
        UsageError: there is no such place, or `most` is no number of lines.

    Returns:
        A line for each, the most alike first: `row` (number in the source, from 1), `alike` (1 the same, 0 nothing in
        common), the inputs, the levers as they were set, the outcomes as they came.
    """
    table, many = run.table, integer("most", most)
    if integer("place", place, 0) >= len(table):
        raise UsageError(Fault("place", f"found {place}, and {len(table):,} rows", "Places count from 0"))
    known, one = table.training, table.frame.iloc[place]
    others = np.flatnonzero(known.row != table.row[place])
    apart = np.zeros(len(known))
    for name in run.scenario.inputs:
        apart += _apart(known.frame[name], one[name])
    nearest = others[np.argsort(apart[others], kind="stable")[:many]]
    alike = 1 - apart[nearest] / max(1, len(run.scenario.inputs))
    frame = pd.DataFrame({"row": known.row[nearest] + 1, "alike": alike})
    inputs = known.frame.iloc[nearest][list(run.scenario.inputs)].reset_index(drop=True)
    levers = run.scenario.space.decode(known.settings[nearest])
    outcomes = known.frame.iloc[nearest][list(run.scenario.outcomes)].reset_index(drop=True)
    return pd.concat([frame, inputs, levers, outcomes], axis=1)


def _apart(column: pd.Series[Any], value: Any) -> Floats:
    """[N] from 0 to 1."""
    if value is None or value != value:
        return np.asarray(column.notna(), dtype=np.float64)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column != value, dtype=np.float64)
    reach = float(column.quantile(0.995) - column.quantile(0.005)) or 1.0
    apart = np.abs(column.to_numpy(dtype=np.float64) - float(value)) / reach
    return np.asarray(np.clip(np.nan_to_num(apart, nan=1.0), 0, 1), dtype=np.float64)
