"""Dates as inputs: what a day tells of what happens on it, one part at a time.

A date itself is of no use to a model: no day comes twice. Its month and its day of the week do, and days since a start
tell what drifts. Each part is an input of its own (`month: {column: sold_on, kind: categorical, of_date: month}`), so
that formulas, segments and explanations can speak of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.columns import Column, times
from drivetrain.scenario import DatePart, Scenario


def part_of(series: pd.Series[Any], part: DatePart, thing: str) -> Column:
    """A part of each date, in its canonical form.

    Args:
        series: dates, times, or their texts as of `columns.times`; those with a time zone are taken in UTC.
        part: `year`; `month` and `weekday`, by their English names; `days` since 1970-01-01, with a fraction for the
            time of day.
        thing: how faults name the column.

    Returns:
        [rows] float64 with NaN, or object of str and None, for missing dates; faults where a cell is no date.
    """
    read = times(series, thing)
    when = pd.Series(read.values).dt
    if part == "days":
        values: Any = (pd.Series(read.values) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    elif part == "year":
        values = when.year
    else:
        names = (when.month_name() if part == "month" else when.day_name()).astype(object)
        return Column(names.where(names.notna(), None).to_numpy(), read.faults, ())
    return Column(values.to_numpy(dtype=np.float64, na_value=np.nan), read.faults, ())


def written(scenario: Scenario, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """What rows hold of their inputs, under the columns of the source, so that it can be read again.

    Args:
        scenario: its inputs.
        frame: [rows] inputs in their canonical form.

    Returns:
        Column → [rows] values. A date is written from the `days` of it; where they are no input, each part stands under
        its own name.
    """
    whole = {each.column or name for name, each in scenario.inputs.items() if each.of_date == "days"}
    out: dict[str, NDArray[Any]] = {}
    for name, each in scenario.inputs.items():
        column = each.column or name
        if each.of_date == "days":
            times = pd.Timestamp(0) + pd.to_timedelta(frame[name], unit="D").dt.round("us")
            out[column] = times.map(pd.Timestamp.isoformat, na_action="ignore").astype(object).to_numpy()
        elif each.of_date is None or column not in whole:
            out[name if each.of_date else column] = frame[name].to_numpy()
    return out
