"""The cleaning file: rows of the source to drop, correct or keep, decided by people; the source itself stays as it is.

As CSV with the columns `row, action, column, value, note`, or as YAML with the same keys in a list under `rows:`. Rows
count from 1, as faults and `drivetrain surprises` count them. A line without an action is not decided yet.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.cells import SWAPPED
from drivetrain.data.columns import Remark
from drivetrain.data.delimited import separator
from drivetrain.data.roles import Role
from drivetrain.data.sources import Source
from drivetrain.errors import DataError, Fault, Place, ScenarioError, nearest
from drivetrain.scenario import reading

ACTIONS = ("drop", "correct", "keep")
KEYS = ("row", "action", "column", "value", "note")


@dataclass(frozen=True)
class Step:
    """One line of a cleaning file, as it is written there."""

    row: str
    action: str
    column: str
    value: str
    place: Place

    @property
    def at(self) -> int:
        """The row's number, from 0; −1 where it is none."""
        return int(self.row) - 1 if self.row.isdecimal() else -1


@dataclass(frozen=True)
class Cleaned:
    """A source with its corrections."""

    source: Source
    drop: NDArray[np.bool_]
    """[rows] which to leave out."""
    remarks: tuple[Remark, ...]
    """How many lines did what."""


def clean(source: Source, path: Path | None, parts: Sequence[Role]) -> Cleaned:
    """Applies a cleaning file to a source, in memory only.

    Args:
        source: rows as they stand.
        path: the file, `.csv`, `.yaml` or `.yml`; None for no cleaning.
        parts: what each column must become, so that corrections fit.

    Raises:
        DataError: all that is wrong with the file, each fault with its line.
    """
    drop = np.zeros(len(source.frame), dtype=bool)
    if path is None:
        return Cleaned(source, drop, ())
    steps = read(path)
    decided = [step for step in steps if step.action]
    if faults := [fault for step in decided for fault in _faults(step, source, parts)] + list(_clashes(decided)):
        raise DataError(*sorted(faults, key=lambda fault: (fault.place and fault.place.line) or 0))
    drop[[step.at for step in decided if step.action == "drop"]] = True
    corrected = _correct(source, [step for step in decided if step.action == "correct"], parts)
    return Cleaned(corrected, drop, tuple(_remarks(path, steps)))


def read(path: Path) -> list[Step]:
    """The lines of a cleaning file.

    Raises:
        DataError: it is missing, unreadable, or has no `row` and `action`.
    """
    try:
        if path.suffix.lower() in {".yaml", ".yml"}:
            return list(_from_yaml(path))
        return list(_from_csv(path))
    except ScenarioError as error:
        raise DataError(*(replace(fault, thing="data.cleaning") for fault in error.faults)) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        cure = nearest(path.name, beside) if not path.exists() else "Save it as CSV, UTF-8, separated by commas"
        found = "the file does not exist" if not path.exists() else f"cannot be read ({error})"
        raise DataError(Fault(f"data.cleaning {path}", found, "", cure)) from error


def _from_csv(path: Path) -> Iterator[Step]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = csv.reader(stream, delimiter=separator(path))
        header = next(lines, [])
        if missing := [key for key in ("row", "action") if key not in header]:
            found = f"found no column '{missing[0]}'"
            rule = f"Its columns are {', '.join(KEYS)}; others are not looked at"
            raise DataError(Fault("data.cleaning", found, rule, nearest(missing[0], header), Place(str(path), 1)))
        for cells in lines:
            told = dict(zip(header, cells, strict=False))
            if any(cell.strip() for cell in cells):
                yield _step({key: _plain(cell) for key, cell in told.items()}, Place(str(path), lines.line_num))


def _step(told: Mapping[str, str], place: Place) -> Step:
    row, action, column, value = (told.get(key, "") for key in KEYS[:4])
    return Step(row, action, column, value, place)


def _plain(cell: str) -> str:
    """A cell without the mark that exported files set before text that a spreadsheet would reckon."""
    text = cell.strip()
    return text[1:] if text.startswith("'") and text[1:2] in {"=", "+", "-", "@"} else text


def _from_yaml(path: Path) -> Iterator[Step]:
    document = reading.read(reading.decode(path.read_bytes(), str(path)), str(path))
    faults = list(document.faults)
    rows = document.value.get("rows")
    if not isinstance(rows, list):
        raise DataError(Fault("rows", "found no list", "A cleaning file lists rows", "", document.place(())))
    steps = []
    for number, told in enumerate(rows):
        place = document.place(("rows", number))
        strange = sorted(set(told) - set(KEYS)) if isinstance(told, dict) else [str(told)]
        faults += [Fault(f"rows[{number}]", f"found '{key}'", "", nearest(str(key), KEYS), place) for key in strange]
        if not strange:
            steps.append(_step({key: str(value).strip() for key, value in told.items()}, place))
    if faults:
        raise DataError(*faults)
    yield from steps


def _faults(step: Step, source: Source, parts: Sequence[Role]) -> Iterator[Fault]:
    rows = len(source.frame)
    if not 0 <= step.at < rows:
        rule = f"{source.label} has rows 1 to {rows:,}"
        yield Fault("row", f"found '{step.row}'", rule, "Name a row by its number there", step.place)
    if step.action not in ACTIONS:
        yield Fault("action", f"found '{step.action}'", "", nearest(step.action, ACTIONS), step.place)
    if step.action != "correct":
        if step.column and step.action in ACTIONS:
            found = f"found column '{step.column}' of a row to {step.action}"
            yield Fault("column", found, "Only a correction has one", "Remove it, or say correct", step.place)
        return
    if step.column not in source.frame:
        known = list(map(str, source.frame.columns))
        found = f"found '{step.column}'" if step.column else "found none"
        yield Fault("column", found, "A correction is of a column in use", nearest(step.column, known), step.place)
        return
    for role in (role for role in parts if role.column == step.column):
        column = role.read(pd.Series([step.value], dtype=object))
        for fault in column.faults:
            cure = "Correct the value; leave it empty for a missing one"
            yield Fault("value", f"found '{step.value}' for {role.thing}", fault.rule, cure, step.place)


def _clashes(steps: Sequence[Step]) -> Iterator[Fault]:
    """A row is dropped, corrected or kept; and a cell is corrected once."""
    first: dict[int, Step] = {}
    cells: dict[tuple[int, str], Step] = {}
    for step in (step for step in steps if step.at >= 0):
        before = first.setdefault(step.at, step)
        if before.action != step.action:
            found = f"found {step.action} of row {step.row}, which line {before.place.line} says to {before.action}"
            yield Fault("action", found, "A row has one action", "Remove one of the two", step.place)
        again = cells.setdefault((step.at, step.column), step)
        if again is not step and step.action == before.action:
            found = f"row {step.row} stands there twice, first in line {again.place.line}"
            yield Fault("row", found, "Once is enough", "Remove one of the two", step.place)


def _correct(source: Source, steps: Sequence[Step], parts: Sequence[Role]) -> Source:
    kinds: Mapping[str, Role] = {role.column: role for role in reversed(parts)}
    columns: dict[str, pd.Series[Any]] = {}
    for name in dict.fromkeys(step.column for step in steps):
        wanted = [step for step in steps if step.column == name]
        series = source.frame[name].copy() if not source.typed else source.frame[name].astype(object)
        series.iloc[[step.at for step in wanted]] = [_typed(step, kinds.get(name), source) for step in wanted]
        columns[name] = series
    return replace(source, frame=source.frame.assign(**columns)) if columns else source


def _typed(step: Step, role: Role | None, source: Source) -> Any:
    """The new cell: text among texts, written as they are; where the source has types, what the kind makes of it."""
    if source.typed and role is not None and role.of_date is None:
        return role.read(pd.Series([step.value], dtype=object)).values[0]
    swap = source.decimal == "," and role is not None and role.kind == "numeric"
    return (step.value.translate(SWAPPED) if swap else step.value) or (None if source.typed else "")


def _remarks(path: Path, steps: Sequence[Step]) -> Iterator[Remark]:
    thing = f"cleaning file '{path.name}'"
    counts = Counter(step.action for step in steps)
    words = {"drop": "dropped", "correct": "cells corrected", "keep": "looked at and kept", "": "not decided yet"}
    for action, word in words.items():
        if counts[action]:
            yield Remark(thing, word, counts[action])
