"""What each column of a file may be in a scenario: guessed at from names and values, never more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.cells import Decimals
from drivetrain.data.columns import times
from drivetrain.data.dates import part_of
from drivetrain.data.delimited import separator
from drivetrain.data.opening import emptied
from drivetrain.data.sources import Source, columns_of, from_file
from drivetrain.errors import DataError, Fault, UsageError, nearest
from drivetrain.formula import FUNCTIONS
from drivetrain.scenario import DatePart

Part = Literal["lever", "input", "outcome", "leave out"]
PARTS: tuple[Part, ...] = ("lever", "input", "outcome", "leave out")

MOST_OPTIONS = 50
PLACEHOLDERS = ("-", "--", "?", ".", "n.a.", "none", "None", "missing", "unknown", "Unknown")
"""Texts that people write where a number is missing."""
FEW_STEPS = 12
_LEVERS = re.compile(
    "price|discount|offer|treat|incentive|coupon|bid|budget|dose|channel|campaign|message|variant|arm$|action|"
    "frequency|temperature|setting|lever"
)
_OUTCOMES = re.compile(
    "bought|buy|convert|conversion|click|purchase|sale|revenue|profit|churn|order|respon|outcome|result|target|label|"
    "rating|visit|spent|demand|y$|quantity|yield|strength|collected|accepted|renewed|cancelled"
)
_KEYS = ("id", "uuid", "guid", "key", "index", "rownames", "row")


@dataclass(frozen=True)
class Guess:
    """One column of a file, and what part it may play."""

    column: str
    name: str
    """Its name in formulas."""
    part: Part
    why: str
    """Why this part, as a clause."""
    kind: Literal["numeric", "yes_no", "categorical", "unreadable"]
    distinct: int
    missing: int
    """How many rows have no value."""
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    """Whether all its numbers are whole."""
    options: tuple[str, ...] = ()
    """The values of a text column; empty where there are too many."""
    of_date: DatePart | None = None
    """The part that it is of the column's dates."""
    decimal: Decimals = "."
    """What stands before the decimals of the file's numbers."""
    missing_as: tuple[str, ...] = ()
    """Texts of the file that stand for a missing value."""

    @property
    def label(self) -> str:
        """How people tell it apart: `order_date (month)`; else the column."""
        return f"{self.column} ({self.of_date})" if self.of_date else self.column


def guess(path: str | Path) -> tuple[Guess, ...]:
    """What each column of a file may be; at least one lever and one outcome where there are columns.

    Raises:
        DataError: the file cannot be read.
    """
    file = Path(path)
    source = _read(file)
    if not len(source.frame):
        raise DataError(Fault(str(path), "the file has a header and no rows", cure="Add rows"))
    missing = tuple(_placeholders(source))
    source, taken = emptied(source, missing), set[str]()
    found = [each for column in source.columns for each in _guesses(source, column, taken)]
    return tuple(replace(each, missing_as=missing) for each in _completed(found))


def _read(file: Path) -> Source:
    """The file; with a decimal comma where columns are separated by something else, and some are numbers only then."""
    source = from_file(file, columns_of(file))
    if file.suffix.lower() != ".csv" or separator(file) == ",":
        return source
    commas = replace(source, decimal=",")
    texts = [name for name in source.columns if source.column(name, "numeric", name).faults]
    return commas if any(not commas.column(name, "numeric", name).faults for name in texts) else source


def _placeholders(source: Source) -> Iterator[str]:
    """Texts that can only stand for a missing value: without them, some column holds numbers and nothing else."""
    without = emptied(source, PLACEHOLDERS)
    for text in PLACEHOLDERS:
        holds = [name for name in source.columns if (source.frame[name].astype(str).str.strip() == text).any()]
        texts = (name for name in holds if source.column(name, "numeric", name).faults)
        read = (without.column(name, "numeric", name) for name in texts)
        if any(not each.faults and not np.isnan(each.values).all() for each in read):
            yield text


def assigned(guesses: Sequence[Guess], parts: Mapping[str, Part]) -> tuple[Guess, ...]:
    """The guesses with parts that somebody chose.

    Args:
        guesses: from `guess`.
        parts: column, or label of what is a part of its dates → its part in the scenario.

    Raises:
        UsageError: a column that the file does not have, or dates as lever or outcome.
    """
    known = {word for each in guesses for word in (each.column, each.label)}
    for column in parts:
        if column not in known:
            raise UsageError(Fault(column, "the file has no such column", "", nearest(column, known)))
    said = [parts.get(each.label, parts.get(each.column)) for each in guesses]
    for each, part in zip(guesses, said, strict=True):
        if each.of_date and part in {"lever", "outcome"}:
            found, cure = f"its dates cannot be the {part}", "Name it an input, or leave it out"
            raise UsageError(Fault(each.column, found, "", cure))
    return tuple(
        each if part is None else replace(each, part=part, why="you said so")
        for each, part in zip(guesses, said, strict=True)
    )


DATE_PARTS: tuple[DatePart, ...] = ("month", "weekday", "days")
KINDS: tuple[Literal["yes_no", "numeric", "categorical"], ...] = ("yes_no", "numeric", "categorical")


def _guesses(source: Source, column: str, taken: set[str]) -> Iterator[Guess]:
    """What a column may be; of dates, a guess for each part that models can learn from."""
    name, series = _name(column, taken), source.frame[column]
    for kind in KINDS:
        if kind == "categorical" and _are_times(series, column):
            yield from (_part_of(series, column, part, _name(f"{name}_{part}", taken)) for part in DATE_PARTS)
            return
        read = source.column(column, kind, column)
        if not read.faults:
            found = Guess(column, name, "input", "", kind, *_counts(read.values), decimal=source.decimal)
            yield _placed(found, read.values, len(series))
            return
    yield Guess(column, name, "leave out", "its values are of several kinds", "unreadable", 0, 0)


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
    part, why = _part(found, rows)
    return replace(found, part=part, why=why)


def _part(found: Guess, rows: int) -> tuple[Part, str]:
    words = set(re.split(r"[^a-z0-9]+", found.column.lower()))
    if found.distinct < 2:
        return "leave out", "it holds one value only"
    if found.of_date:
        return "input", "it is a part of its dates"
    if words & set(_KEYS) and found.distinct > 0.5 * rows:
        return "leave out", "it seems to name rows"
    if (
        found.kind == "numeric"
        and found.whole
        and rows > FEW_STEPS
        and found.distinct == rows == found.high - found.low + 1
    ):
        return "leave out", "it seems to number the rows"
    if found.kind == "categorical" and not found.options:
        if found.distinct > 0.5 * rows:
            return "leave out", "nearly every row has a text of its own"
        return "input", f"it holds {found.distinct:,} texts"
    if any(map(_OUTCOMES.match, words)):
        return "outcome", "its name sounds like something that happens afterwards"
    if any(map(_LEVERS.match, words)):
        return "lever", "its name sounds like something that can be set"
    return "input", "nothing says otherwise"


def _completed(found: list[Guess]) -> list[Guess]:
    """A file of rows has an outcome, most often last, and a lever: where no name says so, something must be it."""
    if not any(each.part == "outcome" for each in found):
        for place in reversed(range(len(found))):
            each = found[place]
            if each.part == "input" and each.kind in {"yes_no", "numeric"} and not each.of_date:
                found[place] = replace(each, part="outcome", why="the last column that could be one")
                break
    if not any(each.part == "lever" for each in found):
        for place, each in enumerate(found):
            few = each.kind == "yes_no" or 2 <= len(each.options) <= FEW_STEPS
            if each.part == "input" and few and not each.of_date:
                found[place] = replace(each, part="lever", why="the first column with few values")
                break
    return found


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
