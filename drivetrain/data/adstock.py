"""What earlier periods leave behind: an input that carries over a column's past, such as last weeks' advertising."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.columns import moments
from drivetrain.data.sources import Source
from drivetrain.errors import Fault, nearest
from drivetrain.scenario import Scenario


def carry_over(scenario: Scenario, source: Source) -> tuple[Source, tuple[Fault, ...]]:
    """The source with a column for each input that has an `adstock`, under the input's name.

    Args:
        scenario: what is declared; its split says in which column the time stands.
        source: rows in any order.

    Returns:
        The source, and what was wrong with a column or the times.
    """
    declared = {name: each for name, each in scenario.inputs.items() if each.adstock is not None}
    time = scenario.data.split.column
    if not declared or time not in source.columns:
        return source, ()
    when = moments(source.frame[time], f"column '{time}' (data.split)")
    faults, frame = list(when.faults), source.frame.copy()
    for name, each in declared.items():
        column, frame[name] = each.column or name, np.nan
        thing = f"column '{column}' (input '{name}')"
        if column not in source.columns:
            faults.append(Fault(thing, f"{source.label} has no such column", "", nearest(column, source.columns)))
            continue
        past = source.column(column, "numeric", thing)
        faults += past.faults
        if not past.faults and not when.faults:
            frame[name] = adstock(past.values, when.values, each.adstock or 0.0)
    return replace(source, frame=frame, columns=(*source.columns, *declared)), tuple(faults)


def adstock(values: NDArray[np.float64], times: NDArray[np.generic], rate: float) -> NDArray[np.float64]:
    """Σ_j rate^j x_{t−j} over the periods j ≥ 1 before each row's own (Broadbent 1979, J. Market Res. Soc. 21).

    Args:
        values: [N] what was done in each row; missing counts as 0.
        times: [N] when; rows of one time are one period, and their sum is carried over. Missing ones come last.
        rate: what is left after one period, from 0 to 1.

    Returns:
        [N], 0 in the first period.

    >>> adstock(np.array([1.0, 2.0, 4.0]), np.array([3, 1, 2]), 0.5)
    array([2.5, 0. , 1. ])
    """
    place, periods = pd.factorize(times, sort=True, use_na_sentinel=False)
    spent = np.bincount(place, weights=np.nan_to_num(values), minlength=len(periods))
    left = np.zeros(len(periods))
    for period in range(1, len(periods)):
        left[period] = rate * (spent[period - 1] + left[period - 1])
    return np.asarray(left[place])
