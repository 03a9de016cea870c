"""Decisions that people have fixed, as they write them: a row's number and its whole setting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import Rows, delimited
from drivetrain.decisions.export import as_meant
from drivetrain.decisions.slots import slate
from drivetrain.decisions.table import column_of, columns_of
from drivetrain.errors import DataError, Fault, UsageError
from drivetrain.scenario import Scenario

Floats = NDArray[np.float64]
Locks = Mapping[int, Mapping[str, Any]]
"""Row number in the source, from 1 → lever → its setting."""


def locks(scenario: Scenario, rows: Rows, given: Locks) -> Floats:
    """The settings [N, L] that are fixed, NaN where a row is free; where rows get several options, these, [N, K].

    Raises:
        UsageError: a row that is not there, an unknown lever, a setting that it does not allow, or one left out.
    """
    if not isinstance(given, Mapping) or not all(isinstance(words, Mapping) for words in given.values()):
        rule = "Fixed decisions are row number → lever → setting, or a file of them"
        raise UsageError(Fault("locks", f"found {given!r}", rule, "Write {12: {'LEVER': SETTING}}"))
    out = np.full((len(rows), max(len(scenario.levers), scenario.slots)), np.nan)
    place = {int(number) + 1: at for at, number in enumerate(rows.row)}
    faults: list[Fault] = []
    for number, words in given.items():
        if number not in place:
            found = f"found row {number}, which is not among the {len(rows):,} rows"
            faults.append(Fault("locks", found, "Rows are named by their number in the source, from 1"))
            continue
        setting, told = _setting(scenario, number, words)
        faults += told
        out[place[number]] = setting
    if faults:
        raise UsageError(*faults)
    return out


def _setting(scenario: Scenario, number: int, words: Mapping[str, Any]) -> tuple[Floats, tuple[Fault, ...]]:
    known = {name: words[name] for name in words if not np.all(pd.isna(words[name]))}
    try:
        setting = scenario.space.parse(known) if scenario.slots == 1 else _slate(scenario, known)
    except UsageError as error:
        faults = (Fault(f"row {number:,}: {each.thing}", each.found, each.rule, each.cure) for each in error.faults)
        return np.full(max(len(scenario.levers), scenario.slots), np.nan), tuple(faults)
    if scenario.slots > 1:
        return setting, ()
    missing = [name for name in scenario.levers if name not in known]
    return setting, tuple(_open(number, missing)) if missing else ()


def _slate(scenario: Scenario, words: Mapping[str, Any]) -> Floats:
    """All slots of a fixed row; those without an option stay empty."""
    lever, nothing, options = next(iter(scenario.levers)), scenario.space.do_nothing, slate(scenario, words)
    if nothing is None and np.isnan(options).all():
        cure = "Add one, or leave the row out"
        raise UsageError(Fault(lever, "found no option", "A fixed row has at least one of them", cure))
    return options if nothing is None else np.where(np.isnan(options), nothing[0], options)


def _open(number: int, missing: list[str]) -> Iterator[Fault]:
    found = f"found no setting of {', '.join(missing)}"
    yield Fault(f"row {number:,}", found, "A fixed row has a setting of every lever", "Add it, or leave the row out")


def read_locks(scenario: Scenario, path: str | Path) -> dict[int, dict[str, Any]]:
    """Fixed decisions from a CSV, Parquet or JSON file: a `row` column and one for each lever, as in recommendations.

    Raises:
        DataError: the file cannot be read, lacks `row` or a lever, or has a row twice.
    """
    place = Path(path)
    if place.suffix.lower() not in _READERS:
        cure = "Save it as one of them"
        raise DataError(Fault(str(path), f"'{place.suffix}' files are not read", "It is .csv, .parquet or .json", cure))
    try:
        frame = _READERS[place.suffix.lower()](place)
        numbers = [_whole(number) for number in frame["row"]] if "row" in frame else []
    except (OSError, ValueError, TypeError) as error:
        rule = "It is a table with a column of row numbers and one for each lever"
        raise DataError(Fault(str(path), f"cannot be read ({type(error).__name__})", rule)) from error
    columns = _columns(scenario, frame)
    if lost := [name for name in ("row", *columns.values()) if name not in frame]:
        rule = "It has the columns of a file of recommendations: row, and one for each lever"
        raise DataError(Fault(str(path), f"found no column {', '.join(lost)}", rule, "Add it"))
    if twice := [number for number, times in Counter(numbers).items() if times > 1]:
        found = f"row {twice[0]:,} stands twice" + (f", as do {len(twice) - 1:,} others" if twice[1:] else "")
        raise DataError(Fault(str(path), found, "A row has one decision", "Leave the other line out"))
    lines = frame[list(columns.values())].to_dict("records")
    return {
        number: {name: line[column] for name, column in columns.items()}
        for number, line in zip(numbers, lines, strict=True)
    }


def _whole(number: Any) -> int:
    """Raises: ValueError, TypeError: it is no whole number."""
    if float(number) != int(number):
        raise ValueError(number)
    return int(number)


def _from_csv(path: Path) -> pd.DataFrame:
    """All cells as the text that was written; empty ones are missing. `007` is no number here, nor `NA` missing."""
    frame, _ = delimited.read(path, delimited.columns(path))
    return frame.map(lambda cell: as_meant(cell) or None)


def _from_json(path: Path) -> pd.DataFrame:
    return pd.read_json(path, dtype=False, convert_dates=False, convert_axes=False)


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _from_csv,
    ".parquet": pd.read_parquet,
    ".json": _from_json,
}


def _columns(scenario: Scenario, frame: pd.DataFrame) -> dict[str, str]:
    """Lever, or `LEVER_1` and so on where rows get several options → its column in a file of recommendations."""
    if scenario.slots == 1:
        return {name: column_of(name) if column_of(name) in frame else name for name in scenario.levers}
    lever = next(iter(scenario.levers))
    return {f"{lever}_{place}": column for place, column in enumerate(columns_of(scenario, lever), 1)}
