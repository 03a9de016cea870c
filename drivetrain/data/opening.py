"""The source that a scenario, or somebody with new rows, names: its columns there or told, its empty cells empty."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data.columns import Remark
from drivetrain.data.delimited import ENDINGS, separator
from drivetrain.data.packages import from_package
from drivetrain.data.roles import Role
from drivetrain.data.sources import Source, from_file, from_frame, from_query, from_world
from drivetrain.errors import Fault, alike, nearest, path_of
from drivetrain.scenario import Scenario

ROWS = 20_000
"""Drawn from a made world where a scenario does not say how many."""


def declared(scenario: Scenario, wanted: set[str]) -> Source:
    """The rows that a scenario learns from, cells that stand for a missing value emptied.

    Args:
        scenario: what is declared.
        wanted: the columns to read; those that do not exist are left out.

    Raises:
        DataError: the source is not there, or cannot be read.
    """
    return emptied(_source(scenario, wanted), scenario.data.missing)


def given(scenario: Scenario, rows: str | Path | pd.DataFrame, wanted: set[str]) -> Source:
    """Rows that are no part of the scenario; arguments and errors as of `declared`.

    The decimal comma that it declares can't be that of a file with commas between its columns, such as our own exports.
    """
    if isinstance(rows, pd.DataFrame):
        return emptied(from_frame(rows, wanted, rows.attrs.get("source", "a table in memory")), scenario.data.missing)
    file = path_of("rows", rows)
    others = file.suffix.lower() in ENDINGS and file.is_file() and separator(file) != ","
    source = from_file(file, wanted, decimal=scenario.data.decimal or "." if others else ".")
    return emptied(source, scenario.data.missing)


def empty(source: Source, purpose: str) -> Iterator[Fault]:
    """A source without rows; `purpose` says what they are for: `learn from`."""
    if not len(source.frame):
        yield Fault(source.label, "it has columns and no rows", cure=f"Add the rows to {purpose}")


def absent(source: Source, parts: Sequence[Role], cure: str = "") -> Iterator[Fault]:
    """Columns of parts that the source does not have; what another part is read from is no choice for them.

    Args:
        source: as it was read.
        parts: what each column must become.
        cure: what to do where no column is spelled alike; to choose one of the others where left out.
    """
    free = [name for name in source.columns if name not in {role.column for role in parts}]
    for role in parts:
        if role.column not in source.columns:
            mend = alike(role.column, free) or cure or nearest(role.column, free) or "Add the column"
            yield Fault(role.thing, f"{source.label} has no such column", "", mend)


def absent_extra(source: Source, named: Mapping[str, str | None]) -> Iterator[Fault]:
    """Columns with another purpose that the source does not have: key of the scenario → column, None for none."""
    for key, column in named.items():
        if column and column not in source.columns:
            yield Fault(
                f"column '{column}' ({key})", f"{source.label} has no such column", "", nearest(column, source.columns)
            )


def _source(scenario: Scenario, wanted: set[str]) -> Source:
    data = scenario.data
    if data.package:
        return from_package(data.package, data.item or "", wanted)
    if data.generator:
        return from_world(data.generator, data.rows or ROWS, data.seed or 0, wanted)
    if data.sql:
        return from_query(data.sql, data.files, data.database, scenario.folder, wanted)
    file = scenario.folder / (data.csv or data.parquet or data.excel or "")
    return from_file(file, wanted, sheet=data.sheet, decimal=data.decimal or ".")


def emptied(source: Source, missing: Collection[str | float]) -> Source:
    """The source without the texts and numbers that stand for a missing value; what was emptied is counted.

    Args:
        source: as it was read.
        missing: as of `data.missing`.
    """
    columns, remarks = dict[str, Any](), list[Remark]()
    for name, series in source.frame.items() if missing else ():
        out = _stands_for_missing(series, missing)
        if out.any():
            columns[str(name)] = series.astype(object).mask(out, None)
            which = ", ".join(sorted({f"'{str(value).strip()}'" for value in series[out]}))
            remarks.append(Remark(f"column '{name}'", f"{which} read as missing, as data.missing says", int(out.sum())))
    return replace(source, frame=source.frame.assign(**columns), remarks=(*source.remarks, *remarks))


def _stands_for_missing(series: pd.Series[Any], missing: Collection[str | float]) -> NDArray[np.bool_]:
    """[rows] where a cell holds one of them; a number also where it is written as text."""
    texts = {each if isinstance(each, str) else f"{each:g}" for each in missing}
    numbers = [each for each in missing if not isinstance(each, str)]
    if pd.api.types.is_numeric_dtype(series.dtype):
        return np.asarray(series.isin(numbers), dtype=bool)
    return np.array([str(cell).strip() in texts for cell in series.astype(object)], dtype=bool)
