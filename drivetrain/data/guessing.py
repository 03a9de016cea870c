"""What each column of a file may be in a scenario: guessed at from names and values, never more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from keyword import iskeyword
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import sounding
from drivetrain.data.columns import times
from drivetrain.data.dates import part_of
from drivetrain.data.delimited import AS_CSV, ENDINGS, lines, separator
from drivetrain.data.guesses import Guess
from drivetrain.data.opening import emptied
from drivetrain.data.sources import Source, columns_of, from_file
from drivetrain.errors import DataError, Fault
from drivetrain.formula import FUNCTIONS
from drivetrain.scenario import DatePart

MOST_OPTIONS = 50
NEARLY = 0.98
"""A column is of a kind where this share of its known cells is, and the others are told."""
PLACEHOLDERS = (
    *("-", "--", "?", ".", "n.a.", "none", "None", "missing", "unknown", "Unknown"),
    *("k.A.", "k. A.", "k.a.", "n.v.", "unbekannt", "fehlt", "inconnu", "n.d.", "s.d.", "desconocido"),
)
"""Texts that people write where a number is missing."""


def guess(path: str | Path) -> tuple[Guess, ...]:
    """What each column of a file may be; at least one lever and one outcome where there are columns.

    Raises:
        DataError: the file cannot be read.
    """
    file = Path(path)
    source = _read(file)
    if not len(source.frame):
        raise DataError(Fault(str(path), "the file has a header and no rows", cure="Add rows"))
    if len(source.columns) < 2:
        rule = "A comma, a semicolon, a tab or | separates columns"
        raise DataError(Fault(str(path), f"found one column, '{source.columns[0][:40]}'", rule, AS_CSV))
    missing = tuple(_placeholders(source))
    source, taken = emptied(source, missing), set[str]()
    found = [each for column in source.columns for each in _guesses(source, column, taken)]
    found = [_placed_in(file, source, each) for each in found]
    return tuple(replace(each, missing_as=missing) for each in sounding.completed(found))


def _read(file: Path) -> Source:
    """The file; with a decimal comma where columns are separated by something else, and some are numbers only then."""
    source = from_file(file, columns_of(file))
    if file.suffix.lower() not in ENDINGS or separator(file) == ",":
        return source
    commas = replace(source, decimal=",")
    texts = [name for name in source.columns if not _is_nearly(source, name, "numeric")]
    return commas if any(_is_nearly(commas, name, "numeric") for name in texts) else source


def _is_nearly(source: Source, column: str, kind: Literal["numeric", "yes_no"]) -> bool:
    """Whether nearly all known cells are of a kind, and those that are not do not stand for a missing value."""
    read = source.column(column, kind, column)
    strange = [text for text in _texts(source, column, read.broken) if text not in PLACEHOLDERS]
    known = int(pd.notna(read.values).sum())
    return known > 0 and known >= NEARLY * (known + len(strange))


def _texts(source: Source, column: str, rows: NDArray[np.intp]) -> list[str]:
    return [str(cell).strip() for cell in source.frame[column].iloc[rows]]


def _placeholders(source: Source) -> Iterator[str]:
    """Texts that can only stand for a missing value: without them, nearly all of some column is numbers, or yes/no."""
    found = set[str]()
    for name in source.columns:
        for kind in NEAR:
            if _is_nearly(source, name, kind):
                found |= set(_texts(source, name, source.column(name, kind, name).broken))
                break
    yield from (text for text in PLACEHOLDERS if text in found)


def _placed_in(file: Path, source: Source, found: Guess) -> Guess:
    """The guess with the cells that are not of its kind."""
    if found.of_date or found.kind == "unreadable":
        return found
    column, kind = found.column, found.kind if found.kind != "categorical" else "numeric"
    rows = source.column(column, kind, column).broken
    if found.kind == "categorical" and (found.options or 2 * len(rows) > len(source.frame)):
        return found  # a text like any other
    first = dict(reversed(list(zip(_texts(source, column, rows), rows.tolist(), strict=True))))
    shown = sorted(first.items(), key=lambda each: each[1])[:MOST_STRAYS]
    line = lines(file, [row for _, row in shown]) if file.suffix.lower() in ENDINGS and shown else {}
    told = (f"row {row + 1:,}{f' (line {line[row]:,})' if row in line else ''} holds {text!r}" for text, row in shown)
    return replace(found, strays=tuple(told), stray_rows=len(rows))


DATE_PARTS: tuple[DatePart, ...] = ("month", "weekday", "days")
NEAR: tuple[Literal["numeric", "yes_no"], ...] = ("numeric", "yes_no")
MOST_STRAYS = 5


def _guesses(source: Source, column: str, taken: set[str]) -> Iterator[Guess]:
    """What a column may be; of dates, a guess for each part that models can learn from."""
    name, series = _name(column, taken), source.frame[column]
    kind = _kind(source, column)
    if kind == "categorical" and _are_times(series, column):
        yield from (_part_of(series, column, part, _name(f"{name}_{part}", taken)) for part in DATE_PARTS)
    elif kind == "unreadable":
        yield Guess(column, name, "leave out", "its values are of several kinds", "unreadable", 0, 0)
    else:
        values = source.column(column, kind, column).values
        found = Guess(column, name, "input", "", kind, *_counts(values), decimal=source.decimal)
        yield _placed(found, values, len(series))


def _kind(source: Source, column: str) -> Literal["yes_no", "numeric", "categorical", "unreadable"]:
    """What all its cells are, else nearly all."""
    if not source.column(column, "yes_no", column).faults:
        return "yes_no"
    if near := next((kind for kind in NEAR if _is_nearly(source, column, kind)), None):
        return near
    return "unreadable" if source.column(column, "categorical", column).faults else "categorical"


def _part_of(series: pd.Series[Any], column: str, part: DatePart, name: str) -> Guess:
    values = part_of(series, part, column).values
    kind: Literal["numeric", "categorical"] = "numeric" if part == "days" else "categorical"
    return _placed(Guess(column, name, "input", "", kind, *_counts(values), of_date=part), values, len(series))


def _are_times(series: pd.Series[Any], column: str) -> bool:
    known = series.dropna()
    return len(known) > 0 and not times(known, column).faults


def _counts(values: NDArray[Any]) -> tuple[int, int]:
    known = pd.notna(values)
    return int(pd.Series(values[known]).nunique()), int((~known).sum())


def _placed(found: Guess, values: NDArray[Any], rows: int) -> Guess:
    """The guess with its range or options, and its part."""
    known = values[pd.notna(values)]
    if found.kind != "categorical" and len(known):
        whole = bool(np.all(known == np.round(known)))
        found = replace(found, low=float(known.min()), high=float(known.max()), whole=whole)
    if found.kind == "categorical" and found.distinct <= MOST_OPTIONS:
        found = replace(found, options=tuple(sorted(map(str, pd.unique(known)))))
    part, why = sounding.part_of(found, rows)
    return replace(found, part=part, why=why)


def _name(column: str, taken: set[str]) -> str:
    plain = re.sub(r"\W+", "_", column, flags=re.ASCII).strip("_") or "column"
    plain = plain if plain[0].isalpha() else f"c_{plain}"
    if iskeyword(plain) or plain in FUNCTIONS or plain == "cost":
        plain += "_1"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    taken.add(name)
    return name
