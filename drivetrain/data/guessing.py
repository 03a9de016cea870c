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
from drivetrain.data.delimited import lines, separator
from drivetrain.data.opening import emptied
from drivetrain.data.sources import Source, columns_of, from_file
from drivetrain.errors import DataError, Fault, UsageError, nearest
from drivetrain.formula import FUNCTIONS
from drivetrain.scenario import DatePart

Part = Literal["lever", "input", "outcome", "leave out"]
PARTS: tuple[Part, ...] = ("lever", "input", "outcome", "leave out")

MOST_OPTIONS = 50
NEARLY = 0.98
"""A column is of a kind where this share of its known cells is, and the others are told."""
PLACEHOLDERS = (
    *("-", "--", "?", ".", "n.a.", "none", "None", "missing", "unknown", "Unknown"),
    *("k.A.", "k. A.", "k.a.", "n.v.", "unbekannt", "fehlt", "inconnu", "n.d.", "s.d.", "desconocido"),
)
"""Texts that people write where a number is missing."""
FEW_STEPS = 12
_LEVERS = re.compile(
    "price|discount|offer|treat|incentive|coupon|bid|budget|dose|channel|campaign|message|variant|arm$|action|"
    "frequency|temperature|setting|lever|preis|rabatt|angebot|prix|remise|precio|descuento"
)
_OUTCOMES = re.compile(
    "bought|buy|convert|conversion|click|purchase|sale|revenue|profit|churn|order|respon|outcome|result|target|label|"
    "rating|visit|spent|demand|y$|quantity|yield|strength|collected|accepted|renewed|cancelled|"
    "gebucht|gekauft|umsatz|absatz|erfolg|ergebnis|storniert|achat|vendu|compra|venta"
)
BAD = re.compile("churn|cancel|cost|loss|defect|complaint|default|fraud|delay|error|kosten|storn|coût|cout|coste|costo")
"""In names of what one wants less of."""
BY_NAME = "its name sounds like something that happens afterwards"
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
    strays: tuple[str, ...] = ()
    """The first cells that are not of its kind, each text once: `row 51 (line 52) holds '1.250,00'`."""
    stray_rows: int = 0
    """How many such rows there are."""

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
    found = [_placed_in(file, source, each) for each in found]
    return tuple(replace(each, missing_as=missing) for each in _completed(found))


def _read(file: Path) -> Source:
    """The file; with a decimal comma where columns are separated by something else, and some are numbers only then."""
    source = from_file(file, columns_of(file))
    if file.suffix.lower() != ".csv" or separator(file) == ",":
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
    line = lines(file, [row for _, row in shown]) if file.suffix.lower() == ".csv" and shown else {}
    told = (f"row {row + 1:,}{f' (line {line[row]:,})' if row in line else ''} holds {text!r}" for text, row in shown)
    return replace(found, strays=tuple(told), stray_rows=len(rows))


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


def chosen(guesses: Sequence[Guess], part: Part, columns: Sequence[str]) -> tuple[Guess, ...]:
    """The guesses, with what somebody named as a part in place of all that was guessed for it.

    What sounded like an outcome is left out then, since it must not be known when the decision is made; what was
    guessed for another reason becomes an input.

    Args:
        guesses: from `guess`.
        part: which part.
        columns: as keys of `assigned`; none for a part that nothing plays.

    Raises:
        UsageError: as of `assigned`.
    """
    named = assigned(guesses, dict.fromkeys(columns, part))
    why = f"other columns were named as {part}" if columns else f"no {part} was wanted"
    return tuple(
        each
        if each.part != part or {each.column, each.label} & set(columns)
        else replace(each, part="leave out" if part == "outcome" and each.why == BY_NAME else "input", why=why)
        for each in named
    )


def strange_cells(each: Guess) -> Fault:
    """What is to be said of a column some of whose cells are not of its kind."""
    kind = (
        "yes or no"
        if each.kind == "yes_no"
        else f"numbers with a decimal {'comma' if each.decimal == ',' else 'point'}"
    )
    more = "" if each.stray_rows <= len(each.strays) else ", …"
    verb = "is" if each.stray_rows == 1 else "are"
    found = f"{each.stray_rows:,} of its cells {verb} not {kind}: {', '.join(each.strays)}{more}"
    rule = "" if each.kind == "yes_no" else "A number has no thousands separator and no unit"
    cure = "Correct them, or say data: {missing: [TEXT]} where such a text stands for a missing value"
    return Fault(f"column '{each.column}'", found, rule, cure)


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
        return "outcome", BY_NAME
    if any(map(_LEVERS.match, words)):
        return "lever", "its name sounds like something that can be set"
    return "input", "nothing says otherwise"


def _completed(found: list[Guess]) -> list[Guess]:
    """A file of rows has an outcome, most often last, and a lever: where no name says so, something must be it."""
    if not any(each.part == "outcome" for each in found):
        for place in reversed(range(len(found))):
            each = found[place]
            bad = BAD.search(each.column.lower())
            if each.part == "input" and each.kind in {"yes_no", "numeric"} and not each.of_date and not bad:
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
