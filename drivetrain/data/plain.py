"""Cells whose meaning as a number needs no second look, read a whole column at a time; `cells` reads the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drivetrain.data.cells import SWAPPED, Decimals

EXACT_BELOW = 2.0**53
_PLAIN_TEXT = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_FLOATS = (np.float16, np.float32, np.float64)


def numbers(series: pd.Series[Any], decimal: Decimals = ".") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """[rows] float64 where a cell is a finite number that float64 holds exactly, NaN elsewhere; [rows] where it is.

    Args:
        series: of any dtype; only numpy's numbers and texts are looked at.
        decimal: what stands before the decimals of texts.
    """
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and (dtype.kind in "iu" or dtype in _FLOATS):
        values = series.to_numpy(dtype=np.float64, copy=True)
        plain = np.isfinite(values) if dtype.kind == "f" else np.abs(values) < EXACT_BELOW
    elif isinstance(dtype, pd.StringDtype):
        pointed = series if decimal == "." else series.str.translate(SWAPPED)
        values = _from_text(pa.array(pointed, pa.large_string(), from_pandas=True))
        plain = np.abs(values) < EXACT_BELOW
    else:
        return np.full(len(series), np.nan), np.zeros(len(series), dtype=bool)
    values[~plain] = np.nan
    return values, plain


def _from_text(cells: pa.Array) -> NDArray[np.float64]:
    """[rows] the numbers of plain texts; NaN for others, and for missing ones."""
    plain = pc.fill_null(pc.match_substring_regex(cells, _PLAIN_TEXT), False)
    read = pc.cast(pc.if_else(plain, cells, pa.scalar(None, cells.type)), pa.float64())
    return np.asarray(pc.fill_null(read, float("nan"))).copy()  # Arrow's own memory is read only
