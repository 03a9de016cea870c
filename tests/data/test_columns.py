"""Columns become float64, 0/1 or text; a value is kept exactly, counted as changed, or refused."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from drivetrain.data import cells
from drivetrain.data.columns import Kind, convert, moments

KINDS: tuple[Kind, ...] = ("numeric", "yes_no", "categorical")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.floats(width=32).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, str(2**53 + 1), f"-{2**60 + 1}", "1e999", "9" * 400]),
    st.decimals(),
    st.fractions(),
    st.text(max_size=8),
    st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,5})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(
        ["", " ", "NA", "nan", "None", "inf", "-Infinity", "yes", "No", "TRUE", "1,5", "1 234", "0x1A", "1_0"]
    ),
    st.sampled_from([pd.NA, pd.NaT, np.datetime64("NaT"), np.longdouble("0.1"), np.longdouble("1e4000")]),
    st.binary(max_size=3),
    st.complex_numbers(),
    st.datetimes(),
    st.dates(),
    st.timedeltas(),
    st.lists(st.integers(), max_size=2),
)
dtypes = st.sampled_from(
    ["object", "category", "float64", "Int64", "Float64", "boolean", "string", "str", "bool", "int64"]
)


@st.composite
def columns(draw: st.DrawFn) -> pd.Series[Any]:
    values = draw(st.lists(scalars, max_size=8))
    plain = pd.Series(pd.array(values, dtype=object), dtype=object)
    try:
        return plain.astype(draw(dtypes))
    except (TypeError, ValueError, OverflowError, ArithmeticError, NotImplementedError):
        return plain


@pytest.mark.filterwarnings("ignore:.*encountered in cast:RuntimeWarning")
@given(columns(), st.sampled_from(KINDS))
def test_any_column_is_kept_counted_or_refused(series: pd.Series[Any], kind: Kind) -> None:
    before = series.copy()
    column = convert(series, kind, "column 'x'")
    assert series.dtype == before.dtype
    assert len(column.values) == len(series)
    if column.faults:
        assert all(fault.thing == "column 'x'" and fault.found and fault.rule and fault.cure for fault in column.faults)
        return
    counted = sum(remark.count for remark in column.remarks)
    changed = 0
    for given_value, value in zip(series.astype(object), column.values, strict=True):
        if kind == "categorical":
            assert value is None or type(value) is str
            changed += not is_same_text(given_value, value)
        else:
            assert not math.isinf(value)
            assert kind == "numeric" or value in (0, 1) or math.isnan(value)
            changed += not is_same_number(given_value, value)
            assert kind == "yes_no" or not isinstance(given_value, str) or is_read_exactly(given_value, value)
    assert column.values.dtype == (object if kind == "categorical" else np.float64)
    assert changed <= counted, "a value was changed in silence"


def is_same_number(given_value: Any, value: float) -> bool:
    """Whether the cell stands for the number without any reading: independent of the code under test."""
    if cells.is_missing(given_value) or (isinstance(given_value, str) and not given_value.strip()):
        return math.isnan(value)
    if isinstance(given_value, str):
        return given_value.strip().lower() in ("yes", "true", "y", "t", "1", "1.0", "no", "false", "n", "f", "0", "0.0")
    if isinstance(given_value, (Decimal, Fraction)):
        return bool(float(given_value) == value)
    return bool(given_value == value)


def is_read_exactly(given_value: str, value: float) -> bool:
    """Whether a text's number is the nearest float64, and the very number where it is whole."""
    if math.isnan(value):
        return given_value.strip().lower().lstrip("+-") in (*cells.MISSING, "none", "inf", "infinity")
    exact = Decimal(given_value.strip())
    return value == float(given_value) and ("." in given_value or "e" in given_value.lower() or exact == Decimal(value))


def is_same_text(given_value: Any, value: str | None) -> bool:
    if cells.is_missing(given_value) or (isinstance(given_value, str) and not given_value.strip()):
        return value is None
    if isinstance(given_value, str):
        return given_value == value
    return value is not None and (str(given_value) == value or Decimal(str(given_value)) == Decimal(value))


@given(st.lists(st.floats(allow_infinity=False)))
def test_numbers_written_and_read_back_are_the_same(numbers: list[float]) -> None:
    column = convert(pd.Series([repr(number) for number in numbers], dtype="str"), "numeric", "x", typed=False)
    np.testing.assert_array_equal(column.values, np.array(numbers, dtype=float))


@pytest.mark.parametrize(
    ("series", "values"),
    [
        (pd.Series(["1.5", " -2e3 ", "", "NA", "+.5"]), [1.5, -2000, math.nan, math.nan, 0.5]),
        (pd.Series([Decimal("1.5"), None, Decimal("NaN")]), [1.5, math.nan, math.nan]),
        (pd.Series([1, None, 3], dtype="Int64"), [1, math.nan, 3]),
        (pd.Series([1.5, None], dtype=pd.ArrowDtype(pa.float32())), [1.5, math.nan]),
        (pd.Series([Decimal("2.25"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))), [2.25, math.nan]),
        (pd.Series([3, 1, 3], dtype="category"), [3, 1, 3]),
        (pd.Series(["3", "1", None], dtype="category"), [3, 1, math.nan]),
        (pd.Series([True, False]), [1, 0]),
        (pd.Series([np.inf, 1.0, -np.inf]), [math.nan, 1, math.nan]),
        (pd.Series([2**53, -(2**53)]), [2.0**53, -(2.0**53)]),
        (pd.Series([1, 2.5, "3", None, True], dtype=object), [1, 2.5, 3, math.nan, 1]),
        (pd.Series([], dtype=object), []),
        (pd.Series([None, None]), [math.nan, math.nan]),
        (pd.Series([0, 0, 1], dtype=pd.SparseDtype("float64", 0)), [0, 0, 1]),
    ],
)
def test_numbers_in_every_dress(series: pd.Series[Any], values: list[float]) -> None:
    column = convert(series, "numeric", "x")
    assert column.faults == ()
    np.testing.assert_array_equal(column.values, np.array(values, dtype=float))


@pytest.mark.parametrize(
    ("series", "found", "rule", "cure"),
    [
        (pd.Series(["1", "1,5", "2,5"]), "row 2 holds '1,5' (and 1 more row)", "a decimal point", "decimal: ','"),
        (pd.Series(["1 234"]), "row 1 holds '1 234'", "no thousands separator", "Correct the cells"),
        (pd.Series(["5 USD"]), "'5 USD'", "no unit", "Correct the cells"),
        (pd.Series(["٣"]), "'٣'", "A number has", "Correct the cells"),
        (pd.Series(["1_000"]), "'1_000'", "A number has", "Correct the cells"),
        (pd.Series(["yes"]), "'yes'", "words for yes and no", "the kind yes_no"),
        (pd.Series(["1e999"]), "'1e999'", "would change", "round it"),
        (pd.Series(["9007199254740993"]), "'9007199254740993'", "would change", "categorical"),
        (pd.Series([2**53 + 1]), "9007199254740993", "would change", "categorical"),
        (pd.Series([10**400], dtype=object), "row 1 holds", "would change", "categorical"),
        (pd.to_datetime(pd.Series(["2026-01-31"])), "2026-01-31", "not a number", "days since a start"),
        (pd.Series([date(2026, 1, 31)]), "2026-01-31", "not a number", "days since a start"),
        (pd.Series([timedelta(days=1)]), "1 day", "not a number", "days since a start"),
        (pd.Series([pd.Period("2026-01")]), "2026-01", "not a number", "days since a start"),
        (pd.Series([1j]), "1j", "holds numbers", "another kind"),
        (pd.Series([b"1"]), "b'1'", "holds numbers", "another kind"),
        (pd.Series([[1], {}], dtype=object), "[1] (and 1 more row)", "holds numbers", "another kind"),
    ],
)
def test_what_is_no_number_is_refused(series: pd.Series[Any], found: str, rule: str, cure: str) -> None:
    (fault,) = convert(series, "numeric", "x").faults
    assert found in fault.found
    assert rule in fault.rule
    assert cure in fault.cure


def test_each_broken_rule_is_told_once() -> None:
    column = convert(pd.Series(["1,5", datetime(2026, 1, 1), "2,5"], dtype=object), "numeric", "x")
    assert [fault.found for fault in column.faults] == [
        "row 2 holds 2026-01-01 00:00:00",
        "row 1 holds '1,5' (and 1 more row)",
    ]


def test_a_date_with_dots_begins_with_its_day() -> None:
    column = moments(pd.Series(["31.1.2026", "2026-02-01", " 01.12.2025 09:30", None]), "x")
    assert column.faults == ()
    told = list(map(str, pd.Series(column.values)))
    assert told == ["2026-01-31 00:00:00", "2026-02-01 00:00:00", "2025-12-01 09:30:00", "NaT"]


@pytest.mark.parametrize("cell", ["12.31.2026", "1.2.26", "1.2.20266", "30.2.2026", "1.2.2026x"])
def test_no_other_date_is_guessed_at(cell: str) -> None:
    assert moments(pd.Series([cell]), "x").faults


def test_yes_and_no_in_every_dress() -> None:
    words = ["yes", "NO", " True ", "f", "1", "0.0", True, False, 1, 0.0, Decimal(1), np.True_, None, "", "NA"]
    column = convert(pd.Series(words, dtype=object), "yes_no", "x")
    assert column.faults == ()
    assert [None if value != value else value for value in column.values] == [1, 0] * 5 + [1, 1, None, None, None]
    assert [str(remark) for remark in column.remarks] == ["x: text 'NA' read as missing (1 row)"]


@pytest.mark.parametrize("value", [2, "2", "maybe", -1, 0.5, Decimal("0.5"), date(2026, 1, 1), "vielleicht"])
def test_what_is_neither_yes_nor_no_is_refused(value: object) -> None:
    (fault,) = convert(pd.Series([1, value], dtype=object), "yes_no", "x").faults
    assert fault.found.startswith("row 2 holds")
    assert fault.rule.startswith("A yes/no column holds yes/no, y/n, true/false, t/f, ja/nein")


def test_text_keeps_what_tells_values_apart() -> None:
    words = [
        "007",
        "7",
        7,
        7.0,
        "7.0",
        7.5,
        True,
        "True",
        " a",
        "None",
        Decimal("7.00"),
        1e300,
        None,
        "",
        "nan",
        math.inf,
    ]
    column = convert(pd.Series(words, dtype=object), "categorical", "x")
    assert column.values.tolist() == (
        ["007", "7", "7", "7", "7", "7.5", "True", "True", " a", "None", "7", "1e+300", None, None, None, None]
    )
    assert {remark.found: remark.count for remark in column.remarks} == {
        "text 'nan' read as missing": 1,
        "infinite numbers read as missing": 1,
        "whole numbers written with '.0' read without it": 1,
    }


def test_an_option_may_look_like_a_missing_value() -> None:
    column = convert(pd.Series(["NA", "nan"]), "categorical", "x", options=("NA", "EU"))
    assert column.values.tolist() == ["NA", None]


def test_category_codes_are_never_taken_for_values() -> None:
    series = pd.Series(pd.Categorical(["b", None, "a"], categories=["z", "b", "a"]))
    assert convert(series, "categorical", "x").values.tolist() == ["b", None, "a"]


def test_untyped_sources_have_no_remark_on_text_numbers() -> None:
    assert convert(pd.Series(["1"]), "numeric", "x", typed=False).remarks == ()
    assert [str(remark) for remark in convert(pd.Series(["1"]), "numeric", "x").remarks] == [
        "x: numbers written as text read as numbers (1 row)"
    ]


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(["2026-01-31", None, "2025-12-01T09:30", "2026-02-01 00:00:00+02:00"]),
        pd.Series([datetime(2026, 1, 31), pd.NaT, datetime(2025, 12, 1), datetime(2026, 1, 31, 22)]),
        pd.Series([date(2026, 1, 31), None, date(2025, 12, 1), date(2026, 2, 1)]),
        pd.Series(["20.5", "", "3", "1e2"]),
        pd.Series([2026, None, 2025, 2027]),
    ],
)
def test_moments_keep_their_order(series: pd.Series[Any]) -> None:
    column = moments(series, "x")
    assert column.faults == ()
    assert pd.isna(column.values).tolist() == [False, True, False, False]
    assert column.values[2] < column.values[0] < column.values[3]


def test_what_is_no_moment_is_refused() -> None:
    (fault,) = moments(pd.Series(["2026-01-31", "1/31/2026", "soon"]), "x").faults
    assert fault.found == "row 2 holds '1/31/2026' (and 1 more row)"
    assert "ISO 8601" in fault.rule
    assert "2026-01-31" in fault.cure
