"""Reading a column at once and reading each cell agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, strategies as st

from drivetrain.data import cells
from drivetrain.data.columns import convert
from drivetrain.data.plain import numbers

texts = st.from_regex(r"[ +-]?[0-9]{0,18}(\.[0-9]{0,18})?([eE][+-]?[0-9]{1,3})?", fullmatch=True) | st.sampled_from(
    ["", "NA", "inf", "-Infinity", "1,5", "12 km", "0x10", "1_000", "９", "9007199254740993"]
)
columns = (
    st.lists(st.floats() | st.floats(width=32), max_size=8).map(lambda cells: pd.Series(cells, dtype="float64"))
    | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=8).map(lambda cells: pd.Series(cells, dtype="int64"))
    | st.lists(st.none() | texts, max_size=8).map(lambda cells: pd.Series(cells, dtype="str"))
)


def each(series: pd.Series) -> list[float] | None:  # type: ignore[type-arg]
    """Every cell by itself; None where one of them is no number."""
    try:
        return [np.nan if cells.is_missing(value) else cells.number(value)[0] for value in series.astype(object)]
    except cells.UnfitError:
        return None


@given(columns)
def test_a_column_at_once_is_its_cells(series: pd.Series) -> None:  # type: ignore[type-arg]
    column, want = convert(series, "numeric", "it"), each(series)
    assert bool(column.faults) == (want is None)
    if want is not None:
        np.testing.assert_array_equal(column.values, want)


def test_counts_and_faults_name_the_row_in_the_file() -> None:
    series = pd.Series(["1", "2.5", " 3 ", None, "x", "inf"], dtype="str")
    column = convert(series, "numeric", "it")
    assert [fault.found for fault in column.faults] == ["row 5 holds 'x'"]
    assert [(remark.found, remark.count) for remark in column.remarks] == [
        ("infinite numbers read as missing", 1),
        ("numbers written as text read as numbers", 3),
    ]


def test_a_source_is_not_changed() -> None:
    series = pd.Series([1.0, np.inf])
    assert numbers(series)[0].tolist()[0] == 1
    assert series.tolist() == [1, np.inf]


def test_texts_in_pieces_are_one_column() -> None:
    pieces = pd.concat([pd.Series(["1", "x"], dtype="str"), pd.Series([" 2", "3"], dtype="str")])
    assert numbers(pieces)[0][[0, 3]].tolist() == [1, 3]
    assert numbers(pieces)[1].tolist() == [True, False, False, True]
