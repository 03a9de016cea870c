"""A lever's values as numbers: what each means, and what is said of one that the lever does not allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.errors import Fault, nearest
from drivetrain.scenario.levers import Categorical, Continuous, Integer, Lever, YesNo

Floats = NDArray[np.float64]

YES_NO = (
    ("yes", "no"),
    ("y", "n"),
    ("true", "false"),
    ("t", "f"),
    ("ja", "nein"),
    ("wahr", "falsch"),
    ("oui", "non"),
    ("sí", "no"),
    ("si", "no"),
    ("1", "0"),
    ("1.0", "0.0"),
)
"""Texts that mean yes and no, in any case."""
YES_NO_SAID = f"{', '.join(map('/'.join, YES_NO[:-2]))} or 1/0"
_YES_NO = {word: float(place == 0) for words in YES_NO for place, word in enumerate(words)}
MOST_READ = 1000
"""So many bad rows are looked through for different values to show."""
COMMA = re.compile(r"[+-]?\d+,\d+")
"""A number that may have a decimal comma."""
_LEAVE = "leave these rows out: remove them, or drop them in a file that data.cleaning names"


def code(lever: Lever, value: Any) -> tuple[float, str]:
    """A value's number, and the rule that it breaks as a sentence; then the number is NaN.

    Args:
        lever: the lever.
        value: a word or a number.
    """
    if isinstance(lever, Categorical):
        text = _text(value)
        place = lever.places.get(text)
        return (np.nan, lever.admits(text)) if place is None else (float(place), "")
    if isinstance(lever, YesNo):
        known = _YES_NO.get(str(value).strip().lower())
        return (np.nan, lever.admits(value)) if known is None else (known, "")
    try:
        number = np.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = np.nan
    if np.isnan(number):
        return np.nan, f"It must be a number from {_ends(lever)}"
    if isinstance(lever, Integer) and not number.is_integer():
        return np.nan, f"It must be a whole number from {_ends(lever)}"
    rule = lever.admits(number)
    return (np.nan, rule) if rule else (number, "")


def named(name: str, lever: Lever) -> str:
    """How faults name a lever: with its column where that is called otherwise."""
    return f"lever '{name}'" + ("" if lever.column in (None, name) else f" (column '{lever.column}')")


def refused(name: str, lever: Lever, value: Any, rule: str) -> Fault:
    """What is said of one setting that a lever does not allow, with the keys of the scenario file that say so.

    Args:
        name: the lever's.
        lever: the lever.
        value: the setting that was asked for.
        rule: that it breaks, as of `code`.
    """
    found = f"found {_said(value)}"
    if isinstance(lever, YesNo):
        return Fault(name, found, f"levers.{name} is a lever of yes and no", "Write yes or no")
    if isinstance(lever, Categorical):
        return Fault(name, found, rule, nearest(str(value), lever.options))
    if isinstance(value, str) and COMMA.fullmatch(value.strip()):
        return Fault(name, found, "A number has a decimal point", f"Write {value.strip().replace(',', '.')}")
    number = pd.to_numeric(value, errors="coerce") if not isinstance(value, bool) else np.nan
    if np.isnan(number):
        return Fault(name, found, rule, "Write the number alone, without a unit or a thousands separator")
    if not lever.min <= number <= lever.max:
        rule = f"levers.{name} in the scenario file goes from {_ends(lever)}"
        return Fault(name, found, rule, "Ask within it; or widen it there, as far as the data goes, and run it")
    step = lever.step or 1
    low = lever.min + np.floor((number - lever.min) / step + 1e-9) * step
    rule = f"levers.{name} in the scenario file has steps of {step:g} from min {lever.min:g}"
    return Fault(name, found, rule, f"Take {low:.10g} or {min(low + step, lever.max):.10g}")


def coded(lever: Lever, series: pd.Series[Any]) -> Floats:
    """[rows] the numbers of a column; NaN where a value is missing, or means nothing to the lever.

    Args:
        lever: the lever.
        series: [rows] its values.
    """
    if isinstance(lever, Continuous | Integer):
        return _declared(lever, _numbers(series))
    places, values = pd.factorize(series.astype(object))
    known = np.array([code(lever, value)[0] for value in values] + [np.nan])
    return np.asarray(known[places], dtype=np.float64)


def breach(name: str, lever: Lever, series: pd.Series[Any], codes: Floats) -> Iterator[Fault]:
    """What is said of a column that holds what its lever does not allow: of the most basic rule that it breaks.

    Args:
        name: the lever's.
        lever: the lever.
        series: [rows] its values.
        codes: [rows] as of `coded`.
    """
    thing = named(name, lever)
    for bad, rule, cure in _breaches(name, lever, series, codes):
        if bad.any():
            yield Fault(thing, _examples(series, bad), rule, cure)
            return


def _breaches(
    name: str, lever: Lever, series: pd.Series[Any], codes: Floats
) -> Iterator[tuple[NDArray[np.bool_], str, str]]:
    """Which rows break which rule, most basic rule first."""
    strange = np.isnan(codes) & series.notna().to_numpy(dtype=bool)
    if isinstance(lever, Categorical):
        listed = ", ".join(lever.options[:12])
        yield strange, f"It must hold only the lever's options: {listed}", f"Add the option, or {_LEAVE}"
    elif isinstance(lever, YesNo):
        yield strange, f"It must hold only {YES_NO_SAID}", "Recode the column"
    else:
        yield strange, "It must hold only numbers", f"Clean the column, or {_LEAVE}"
        outside = (codes < lever.min) | (codes > lever.max)
        if outside.any():
            finite = codes[np.isfinite(codes)] if np.isfinite(codes).any() else np.array([lever.min, lever.max])
            least, most = finite.min(), finite.max()
            rule = f"levers.{name} goes from {_ends(lever)}; these rows go from {least:.10g} to {most:.10g}"
            ends = f"min: {min(least, lever.min):.10g}, max: {max(most, lever.max):.10g}"
            yield outside, rule, f"Widen the lever's range ({ends}), or {_LEAVE}"
        if isinstance(lever, Integer):
            cure = f"Declare the lever continuous, or {_LEAVE}"
            yield np.abs(codes - np.round(codes)) > 0, "It must hold whole numbers", cure


def _ends(lever: Continuous | Integer) -> str:
    return f"min {lever.min:.10g} to max {lever.max:.10g}{' ' * (lever.unit not in ('', '%'))}{lever.unit}"


def _examples(series: pd.Series[Any], bad: NDArray[np.bool_]) -> str:
    """How many are bad, and the first few values, each once; people count rows from 1."""
    rows = np.flatnonzero(bad)
    first = dict(reversed([(_said(series.iloc[row]), row) for row in rows[:MOST_READ]]))
    told = [f"{said} (row {row + 1:,})" for said, row in sorted(first.items(), key=lambda each: each[1])]
    more = " and others" if len(told) > 3 or len(rows) > MOST_READ else ""
    return f"in {len(rows):,} of {len(series):,} rows found {', '.join(told[:3])}{more}"


def _said(value: Any) -> str:
    """A value as people write it: texts in quotes, numbers without a needless point."""
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{plain:.10g}" if isinstance(plain, float) else repr(plain)


def _numbers(series: pd.Series[Any]) -> Floats:
    """Numbers and texts of numbers; anything else NaN."""
    texts = series.map(lambda value: None if isinstance(value, bool | np.bool_) else value).astype(object)
    return np.asarray(pd.to_numeric(texts, errors="coerce").astype("float64"), dtype=np.float64)


def _declared(lever: Continuous | Integer, values: Floats) -> Floats:
    """Values that in 32 bits are an end of the range, or one of its steps, become it: 0.59 came as 0.5899999738."""
    step = lever.step or lever.max - lever.min
    near = np.round(lever.min + np.round((values - lever.min) / step) * step, 12).clip(lever.min, lever.max)
    return np.where(near.astype(np.float32) == values.astype(np.float32), near, values)


def _text(value: Any) -> str:
    """A value as an option's text: whole numbers without a point, since a missing value turns integers to floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
