"""A first draft of a scenario from nothing but a file of rows: which column may be what, and the file that says so.

Names and values are guessed at, never more: whoever reads the draft decides. See `drivetrain init`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.columns import convert
from drivetrain.data.sources import columns_of, from_file
from drivetrain.errors import DataError, Fault, UsageError, nearest
from drivetrain.formula import FUNCTIONS
from drivetrain.scenario import parse

Part = Literal["lever", "input", "outcome", "leave out"]
PARTS: tuple[Part, ...] = ("lever", "input", "outcome", "leave out")

MOST_OPTIONS = 50
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
_BAD = ("churn", "cancel", "cost", "loss", "defect", "complaint", "default", "fraud", "delay", "error")


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


@dataclass(frozen=True)
class Answers:
    """What a draft must be told, since no file of rows can say it."""

    title: str = ""
    objective: str = ""
    """A formula over levers, inputs and outcomes; guessed where left out."""
    minimise: bool = False
    unit: str = ""
    design: Literal["randomised", "observational"] = "observational"
    unit_of_decision: Literal["row", "once"] = "row"


def guess(path: str | Path) -> tuple[Guess, ...]:
    """What each column of a CSV or Parquet file may be; at least one lever and one outcome where there are columns.

    Raises:
        DataError: the file cannot be read.
    """
    file = Path(path)
    source = from_file(file, columns_of(file))
    if not len(source.frame):
        raise DataError(Fault(str(path), "the file has a header and no rows", cure="Add rows"))
    taken: set[str] = set()
    found = [_guess(source.frame[column], column, taken) for column in source.columns]
    return tuple(_completed(found))


def assigned(guesses: Sequence[Guess], parts: Mapping[str, Part]) -> tuple[Guess, ...]:
    """The guesses with parts that somebody chose.

    Args:
        guesses: from `guess`.
        parts: column → its part.

    Raises:
        UsageError: a column that the file does not have.
    """
    known = {each.column for each in guesses}
    for column in parts:
        if column not in known:
            raise UsageError(Fault(column, "the file has no such column", "", nearest(column, known)))
    return tuple(
        replace(each, part=parts[each.column], why="you said so") if each.column in parts else each for each in guesses
    )


def objective(guesses: Sequence[Guess]) -> tuple[str, bool]:
    """A formula to begin with, and whether less of it is better: an amount; else price times whether it was bought."""
    levers = [each for each in guesses if each.part == "lever"]
    outcomes = [each for each in guesses if each.part == "outcome"]
    if not outcomes:
        return (levers[0].name if levers else ""), False
    last = next((each for each in outcomes if each.kind == "numeric"), outcomes[0])
    price = next((each.name for each in levers if "price" in each.name and each.kind == "numeric"), None)
    bad = any(word in last.name for word in _BAD)
    return (f"{price} * {last.name}" if price and last.kind == "yes_no" and not bad else last.name), bad


def draft(path: str | Path, guesses: Sequence[Guess], answers: Answers, *, relative_to: str | Path = ".") -> str:
    """A scenario file's text.

    Args:
        path: the file of rows.
        guesses: what each column is.
        answers: what the file cannot say.
        relative_to: the folder in which the scenario file will stand.

    Raises:
        ScenarioError: the answers do not fit, such as an objective with an unknown name; all faults at once.
        UsageError: no column is a lever.
    """
    if not any(each.part == "lever" for each in guesses):
        raise UsageError(Fault("levers", "found none", "A decision needs something that can be set", "Name a column"))
    file = Path(path)
    said, bad = objective(guesses)
    text, less = (answers.objective, answers.minimise) if answers.objective else (said, bad or answers.minimise)
    lines = [
        "version: 1",
        f"name: {scenario_name(file.stem)}",
        f"title: {_text(answers.title or f'What should we do in {file.stem}?')}",
        f"objective: {{{'minimise' if less else 'maximise'}: {_text(text)}, unit: {_text(answers.unit)}}}",
        *_section("levers", guesses, "lever", _lever),
        *_section("inputs", guesses, "input", _input),
        *_section("outcomes", guesses, "outcome", _outcome),
        f"data: {{{'parquet' if file.suffix.lower() == '.parquet' else 'csv'}: {_text(_beside(file, relative_to))}}}",
        f"assignment: {{design: {answers.design}}}",
        f"decide: {{unit: {answers.unit_of_decision}}}",
        "seed: 0",
    ]
    whole = "\n".join(lines) + "\n"
    parse(whole, "the draft")
    return whole


def scenario_name(word: str) -> str:
    """A word as a scenario may be called.

    >>> scenario_name("Sales 2026 (final)"), scenario_name("2026")
    ('sales_2026_final', 'case_2026')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_") or "case"
    return (plain if plain[0].isalpha() else f"case_{plain}")[:64]


KINDS: tuple[Literal["yes_no", "numeric", "categorical"], ...] = ("yes_no", "numeric", "categorical")


def _guess(series: pd.Series[Any], column: str, taken: set[str]) -> Guess:
    name = _name(column, taken)
    for kind in KINDS:
        read = convert(series, kind, column)
        if not read.faults:
            return _placed(Guess(column, name, "input", "", kind, *_counts(read.values)), read.values, len(series))
    return Guess(column, name, "leave out", "its values are of several kinds", "unreadable", 0, 0)


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
    if words & set(_KEYS) and found.distinct > 0.5 * rows:
        return "leave out", "it seems to name rows"
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
            if found[place].part == "input" and found[place].kind in {"yes_no", "numeric"}:
                found[place] = replace(found[place], part="outcome", why="the last column that could be one")
                break
    if not any(each.part == "lever" for each in found):
        for place, each in enumerate(found):
            if each.part == "input" and (each.kind == "yes_no" or 2 <= len(each.options) <= FEW_STEPS):
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


def _section(title: str, guesses: Sequence[Guess], part: Part, line: Any) -> list[str]:
    mine = [each for each in guesses if each.part == part]
    return [f"{title}:", *(f"  {each.name}: {{{line(each)}}}" for each in mine)] if mine else []


def _column(each: Guess) -> str:
    return f"column: {_text(each.column)}, " if each.column != each.name else ""


def _lever(each: Guess) -> str:
    if each.kind == "yes_no":
        return f"{_column(each)}kind: yes_no"
    if each.kind == "categorical":
        return f"{_column(each)}kind: categorical, options: [{', '.join(map(_text, each.options))}]"
    if each.whole and each.distinct <= FEW_STEPS:
        return f"{_column(each)}kind: integer, min: {each.low:.0f}, max: {each.high:.0f}"
    return f"{_column(each)}kind: continuous, min: {each.low!r}, max: {each.high!r}"


def _input(each: Guess) -> str:
    return f"{_column(each)}kind: {each.kind}"


def _outcome(each: Guess) -> str:
    kind = {"yes_no": "binary", "numeric": "numeric", "categorical": "categorical"}[each.kind]
    return f"{_column(each)}kind: {kind}"


def _text(word: str) -> str:
    """A text as YAML: plain where that cannot be misread, else in quotes."""
    plain = re.fullmatch(r"[A-Za-z][\w ./()*+-]*\w|[A-Za-z]", word)
    if plain and word.lower() not in {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}:
        return word
    return json.dumps(word, ensure_ascii=False)


def _beside(file: Path, folder: str | Path) -> str:
    try:
        return file.resolve().relative_to(Path(folder).resolve()).as_posix()
    except ValueError:
        return file.resolve().as_posix()
