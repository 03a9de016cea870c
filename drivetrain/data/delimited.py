"""CSV files: text in UTF-8 whose header names the columns and shows what separates them; cells stay text."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from drivetrain.errors import DataError, Fault, Place

AS_CSV = "Save it as CSV, UTF-8 (in Excel: Save As, type 'CSV UTF-8')"

ENDINGS = frozenset({".csv", ".tsv", ".txt"})
"""Of files that are read as CSV."""

NAMED = "The first line names the columns"
_CHUNK = 1 << 20
_MARKS = ",;\t|"
_SIGNATURES = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
} | dict.fromkeys((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "text in UTF-16")


def read(path: Path, wanted: Collection[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """[rows] those of the wanted columns that exist, all text; and the names of all columns.

    Raises:
        DataError: the file is no CSV, ragged, or names a column twice.
    """
    _scan(path)
    columns, mark = _header(path)
    refuse_repeated(columns, str(path))
    present = [name for name in columns if name in wanted]
    ragged: list[Fault] = []

    def note(row: pa.csv.InvalidRow) -> str:
        found = f"{row.actual_columns} cells, where the header has {row.expected_columns}"
        ragged.append(Fault("the row", found, "", f"Quote cells that hold {_said(mark)}", Place(str(path), row.number)))
        return "skip"

    try:
        table = pa.csv.read_csv(
            path,
            pa.csv.ReadOptions(use_threads=False, block_size=_CHUNK * 16),
            pa.csv.ParseOptions(delimiter=mark, newlines_in_values=True, invalid_row_handler=note),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), include_columns=present or columns[:1]
            ),
        )
    except pa.ArrowException as error:
        raise DataError(Fault(str(path), f"this is not a CSV file: {first_line(error)}", cure=AS_CSV)) from error
    if ragged:
        more = [Fault(str(path), f"{len(ragged) - 5:,} more rows of the wrong length")] if len(ragged) > 5 else []
        raise DataError(*ragged[:5], *more)
    return table.to_pandas()[present], tuple(columns)


def columns(path: Path) -> tuple[str, ...]:
    """The names of a file's columns, in order.

    Raises:
        DataError: the file is no CSV.
    """
    _scan(path)
    return tuple(_header(path)[0])


def separator(path: Path) -> str:
    """What separates the columns: a comma (a tab in .tsv); or where the header has none, the first of , ; tab | in it.

    Raises:
        DataError: the header cannot be read.
    """
    return _header(path)[1]


def lines(path: Path, rows: Collection[int]) -> dict[int, int]:
    """Row, from 0 → the line of the file that it ends in, from 1; empty where a cell is too long to look behind.

    Args:
        path: a CSV file.
        rows: those to look for.
    """
    with suppress(csv.Error), path.open(encoding="utf-8-sig", newline="") as stream:
        told = csv.reader(stream, delimiter=separator(path))
        filled = (told.line_num for cells in told if cells)
        return {row: line for row, line in enumerate(filled, -1) if row in rows}
    return {}


def refuse_repeated(columns: Sequence[str], label: str) -> None:
    """Raises DataError where columns share a name; `label` says whose they are."""
    if repeated := [name for name in dict.fromkeys(columns) if columns.count(name) > 1]:
        faults = (Fault(label, f"column '{name}' stands twice", cure="Rename or remove one") for name in repeated)
        raise DataError(*faults)


def first_line(error: BaseException) -> str:
    """The first line of what a library says, not too long."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _scan(path: Path) -> None:
    """Refuses a file that is no text in UTF-8, or in which a quotation mark is left open."""
    decoder, lines, quotes = codecs.getincrementaldecoder("utf-8")(), 1, 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            if lines == 1 and (
                kind := next((name for mark, name in _SIGNATURES.items() if chunk.startswith(mark)), "")
            ):
                raise DataError(Fault(str(path), f"this is {kind}, not CSV", cure=AS_CSV))
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
        found = f"byte 0x{error.object[error.start]:02x} is not UTF-8{_perhaps(error)}"
        raise DataError(Fault("the text", found, "", AS_CSV, Place(start.file, line))) from error
    if "\0" in text:
        raise DataError(Fault(start.file, "this is a binary file, not CSV", cure=AS_CSV))


def _perhaps(error: UnicodeDecodeError) -> str:
    """Which letter it would be in Windows-1252, as Excel saves plain CSV in much of Europe and America."""
    letter = error.object[error.start : error.start + 1].decode("cp1252", errors="ignore")
    return f"; in Windows-1252, as Excel's plain CSV often is, it is '{letter}'" if letter.isalpha() else ""


def _header(path: Path) -> tuple[list[str], str]:
    """The names of the columns, and what separates them."""
    try:
        mark = "\t" if path.suffix.lower() == ".tsv" else ","
        names = _names(path, mark)
        if len(names) == 1 and (found := next((mark for mark in _MARKS if mark in names[0]), "")):
            names, mark = _names(path, found), found
    except csv.Error as error:
        raise DataError(Fault(str(path), f"the header cannot be read: {error}", cure=AS_CSV)) from error
    if not any(names):
        raise DataError(Fault(str(path), "the file is empty", NAMED, AS_CSV))
    unnamed = sum(not name.strip() for name in names)
    if unnamed > 1 or re.fullmatch("sep=", names[0], re.IGNORECASE):
        found = f"its first line, '{mark.join(names)[:40]}', names no columns"
        found = f"{unnamed} of {len(names)} columns have no name" if unnamed < len(names) - 1 else found
        raise DataError(Fault(str(path), found, NAMED, "Remove what stands above the names, or name each column"))
    return names, mark


def _names(path: Path, mark: str) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return next((row for row in csv.reader(stream, delimiter=mark) if row), [])


def _said(mark: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "an upright line"}[mark]
