"""One column at a time, whatever it is stored as → float64, 0/1 or text; a value is kept, counted or refused.

Nothing is guessed: a number written as text becomes that number, `1 234` is refused, so is `1,5` where no decimal comma
is declared, and so is a whole number that float64 cannot hold (beyond 2^53).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import cells
from drivetrain.data.plain import numbers
from drivetrain.errors import Fault

Kind = Literal["numeric", "yes_no", "categorical"]
"""What a column becomes: float64 (missing NaN), float64 0/1 (missing NaN), or object of str (missing None)."""

DATES = "a date or time in ISO 8601, or with dots: day.month.year"
_LISTED = 5
_DOTTED = re.compile(r"^\s*(\d{1,2})\.(\d{1,2})\.(\d{4})(?=\s|$)")


@dataclass(frozen=True)
class Remark:
    """Something counted that does not stop the work, so that nothing happens in silence."""

    thing: str
    """What it is about: `column 'age'`."""
    found: str
    """What was found and what was made of it, as a clause: `missing`."""
    count: int
    """How many rows it concerns."""

    def __str__(self) -> str:
        """One line: `column 'age': missing (441 rows)`."""
        return f"{self.thing}: {self.found} ({self.count:,} row{'' if self.count == 1 else 's'})"


@dataclass(frozen=True)
class Column:
    """A column in its canonical form, with what was found on the way."""

    values: NDArray[Any]
    """[rows] float64, or object of str and None; where there are faults, not to be used."""
    faults: tuple[Fault, ...]
    """Values that cannot be used."""
    remarks: tuple[Remark, ...]
    """Values read as something else than they stand: text numbers, infinities."""
    broken: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    """The rows whose values cannot be used, from 0."""


def convert(
    series: pd.Series[Any],
    kind: Kind,
    thing: str,
    *,
    options: Collection[str] = (),
    typed: bool = True,
    decimal: cells.Decimals = ".",
) -> Column:
    """Brings a column to its canonical form; `series` is not changed.

    Args:
        series: the column as the source gave it, of any dtype.
        kind: what it is to become.
        thing: how faults and remarks name it: `column 'age'`.
        options: texts that are values even where they look like a missing one (an option `NA`).
        typed: whether the source has types, so that a number written as text is worth a remark.
        decimal: what stands before the decimals of numbers that are text.

    Returns:
        The canonical values with faults and remarks.
    """
    values, notes = np.full(len(series), None if kind == "categorical" else math.nan), Counter[str]()
    codes, rest = np.full(len(series), -1), np.ones(len(series), dtype=bool)
    if kind == "numeric":
        values, plain = numbers(series, decimal)
        rest, notes[cells.FROM_TEXT if isinstance(series.dtype, pd.StringDtype) else ""] = ~plain, int(plain.sum())
    codes[rest], distinct = _distinct(series[rest] if not rest.all() else series)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    meant, broken = np.full(len(distinct) + 1, None if kind == "categorical" else math.nan), dict[int, cells.Rule]()
    one: dict[float | str | None, float | str | None] = {}  # equal texts are one object: less memory, and told fast
    for code in np.flatnonzero(counts).tolist():
        try:
            read, note = _read(distinct[code], kind, options, decimal)
            meant[code] = one.setdefault(read, read) if kind == "categorical" else read
            notes[note] += int(counts[code])
        except cells.UnfitError as error:
            broken[code] = error.rule
    values[rest] = meant[codes[rest]]
    kept = (note for note in sorted(+notes) if note and (typed or note != cells.FROM_TEXT))
    remarks = tuple(Remark(thing, note, notes[note]) for note in kept)
    rows = np.flatnonzero(np.isin(codes, list(broken)))
    return Column(values, _faults(codes, distinct, broken, thing), remarks, rows)


def moments(series: pd.Series[Any], thing: str) -> Column:
    """Brings a column of times to an array with their order: numbers as float64, dates and times as datetime64 in UTC.

    Args:
        series: numbers, dates, times, or their texts as of `times`; missing ones become NaN or NaT.
        thing: how faults name it.
    """
    numbers = convert(series, "numeric", thing)
    return times(series, thing, f"A time is a number, or {DATES}") if numbers.faults else numbers


def times(series: pd.Series[Any], thing: str, rule: str = f"A time is {DATES}") -> Column:
    """Brings a column of dates and times to datetime64 in UTC.

    Args:
        series: dates, times, or their texts: ISO 8601, or day.month.year; missing ones become NaT.
        thing: how faults name it.
        rule: what faults say of it.
    """
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return Column(pd.to_datetime(series, utc=True).dt.tz_localize(None).to_numpy(), (), ())
    cell = [None if cells.is_missing(value) else str(value) for value in series.astype(object)]
    ordered = pd.Series(cell, dtype="str").str.replace(_DOTTED, _year_first, regex=True)
    read = pd.to_datetime(ordered, format="ISO8601", errors="coerce", utc=True)
    known = np.array([text is not None and text.strip().lower() not in cells.MISSING for text in cell], dtype=bool)
    strange = np.flatnonzero(known & read.isna().to_numpy())
    faults = []
    if len(strange):
        found = f"row {strange[0] + 1:,} holds {_shown(cell[strange[0]])}{others(len(strange) - 1)}"
        faults.append(Fault(thing, found, rule, "Write times like 2026-01-31 or 2026-01-31T09:30"))
    return Column(read.dt.tz_localize(None).to_numpy(), tuple(faults), ())


def _year_first(dotted: re.Match[str]) -> str:
    day, month, year = dotted.groups()
    return f"{year}-{month:0>2}-{day:0>2}"


def others(count: int) -> str:
    """How many more rows there are, for the end of a clause.

    >>> others(1), others(0)
    (' (and 1 more row)', '')
    """
    return f" (and {count:,} more row{'' if count == 1 else 's'})" if count else ""


def _read(value: Any, kind: Kind, options: Collection[str], decimal: cells.Decimals) -> tuple[float | str | None, str]:
    if cells.is_missing(value):
        return None if kind == "categorical" else math.nan, ""
    if kind == "categorical":
        return cells.text(value, options)
    return cells.number(value, decimal) if kind == "numeric" else cells.zero_or_one(value)


def _distinct(series: pd.Series[Any]) -> tuple[NDArray[np.intp], list[Any]]:
    """(codes [rows], values): a row's value is `values[code]`, −1 is missing; never merges values of two types."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy().astype(np.intp), series.cat.categories.astype(object).tolist()
    if isinstance(dtype, pd.StringDtype) or _is_plain(dtype):
        codes, uniques = pd.factorize(series)
        return codes, uniques.astype(object).tolist()
    return np.arange(len(series)), series.astype(object).tolist()


def _is_plain(dtype: object) -> bool:
    return isinstance(dtype, np.dtype) and (dtype.kind in "biuMm" or dtype == np.float64)


def _faults(
    codes: NDArray[np.intp], distinct: list[Any], broken: Mapping[int, cells.Rule], thing: str
) -> tuple[Fault, ...]:
    """One fault for each rule that is broken, with the first row that breaks it and the number of the others."""
    faults = []
    for rule in sorted(set(broken.values())):
        rows = np.flatnonzero(np.isin(codes, [code for code in broken if broken[code] == rule]))
        found = f"row {rows[0] + 1:,} holds {_shown(distinct[codes[rows[0]]])}{others(len(rows) - 1)}"
        texts = dict.fromkeys(str(distinct[code]).strip() for code in dict.fromkeys(codes[rows].tolist()))
        listed = ", ".join(map(_shown, list(texts)[:_LISTED])) + (", …" if len(texts) > _LISTED else "")
        faults.append(Fault(thing, found, rule.text, rule.cure.format(texts=listed)))
    return tuple(faults)


def _shown(value: object) -> str:
    shown = repr(value) if isinstance(value, (str, bytes)) else str(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
