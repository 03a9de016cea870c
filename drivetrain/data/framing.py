"""A source's cells under the scenario's names: canonical columns, logged settings, chances and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import checks
from drivetrain.data.columns import Remark
from drivetrain.data.roles import Role
from drivetrain.data.sources import Source
from drivetrain.errors import DataError, Fault
from drivetrain.scenario import LeverSpace, Scenario


def framed(scenario: Scenario, source: Source, parts: Sequence[Role]) -> tuple[pd.DataFrame, list[Remark], list[Fault]]:
    """The canonical columns of the parts that the source has and that are sound, with what was found."""
    columns: dict[str, pd.Series[Any]] = {}
    remarks, faults = list(source.remarks), list[Fault]()
    for role in parts:
        if role.column not in source.columns:
            continue
        column = source.placed(role.read(source.frame[role.column], typed=source.typed, decimal=source.decimal))
        bad = column.faults or tuple(checks.of_values(scenario, role, column.values))
        faults += bad
        remarks += column.remarks
        if not bad:
            values = column.values if role.above is None else _over(column.values, role.above)
            columns[role.name] = pd.Series(values, dtype=values.dtype)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(source.frame))), remarks, faults


def _over(values: NDArray[Any], bound: float) -> NDArray[np.float64]:
    """[rows] 1 where a value is above the bound, 0 where it is not, NaN where it is missing."""
    return np.where(np.isnan(values), np.nan, values > bound)


def settings_of(scenario: Scenario, frame: pd.DataFrame) -> tuple[NDArray[np.float64], tuple[Fault, ...]]:
    """[rows, levers] the logged settings, NaN for levers that the frame does not have."""
    empty = pd.DataFrame(dict.fromkeys(scenario.levers), index=frame.index, dtype=object)
    logged = empty.assign(**{name: frame[name] for name in scenario.levers if name in frame})
    try:
        return LeverSpace(scenario.levers).encode(logged), ()
    except DataError as error:
        return np.full(logged.shape, np.nan), error.faults


def chances_of(propensity: str | None, source: Source) -> tuple[NDArray[np.float64] | None, tuple[Fault, ...]]:
    """[rows] the declared probabilities of logged settings, in the column of this name; None where there is none."""
    if propensity is None or propensity not in source.columns:
        return None, ()
    column = source.column(propensity, "numeric", f"column '{propensity}' (propensity)")
    return column.values, column.faults or tuple(checks.of_propensity(propensity, column.values))


def weights_of(weight: str | None, source: Source) -> tuple[NDArray[np.float64] | None, tuple[Fault, ...]]:
    """[rows] how much each counts, in the column of this name; None where there is none."""
    if weight is None or weight not in source.columns:
        return None, ()
    column = source.column(weight, "numeric", f"column '{weight}' (data.weight)")
    return column.values, column.faults or tuple(checks.of_weights(weight, column.values))
