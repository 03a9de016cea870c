"""Files that leave the house: tables in four formats, whole or not at all, the same bytes for the same content.

A reader of `write`'s target sees the old file or the new one, never half of one; spreadsheets open every text cell as
text, since one that a formula would start with gets a leading apostrophe.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from drivetrain.errors import Fault, UsageError, nearest, path_of

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the start of a formula (OWASP, CSV injection)."""

_XLSX_ROWS, _XLSX_COLUMNS, _XLSX_TEXT, _XLSX_DIGITS = 1_048_576, 16_384, 32_767, 10**15
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(frame: pd.DataFrame, path: str | Path, *, kind: str | None = None) -> None:
    """Writes a table whole or not at all; equal tables give equal bytes.

    Args:
        frame: the rows; its index is not written, and column names become text.
        path: the file, replaced if it exists; its folder must exist.
        kind: `csv`, `parquet`, `json` or `xlsx`; by default what the file's name ends in.

    Raises:
        UsageError: an unknown format, two columns of one name, a value that the format cannot hold, or a place that
            cannot be written.
    """
    if not isinstance(frame, pd.DataFrame):
        raise UsageError(Fault("frame", f"found {type(frame).__name__}", "A table is a pandas DataFrame"))
    target = path_of("path", path)
    content = rendered(frame, target, kind=kind)
    with replacing(target) as temporary:
        temporary.write_bytes(content)


def rendered(frame: pd.DataFrame, target: Path, *, kind: str | None = None) -> bytes:
    """What `write` writes, and as it raises, but for the place."""
    render = _renderer(target, kind)
    named = frame.set_axis([str(name) for name in frame.columns], axis="columns")
    if repeated := sorted(set(named.columns[named.columns.duplicated()])):
        found = f"{len(repeated)} column names stand twice, first '{repeated[0]}'"
        raise UsageError(Fault(str(target), found, "Each column has a name of its own", "Rename one"))
    return render(named)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Gives a temporary path beside `target`, and puts it in `target`'s place when the block ends well.

    Args:
        target: the file to replace or create.

    Yields:
        The path to write; on an exception it is removed and `target` stays as it was.

    Raises:
        UsageError: the folder is missing, or the operating system refuses to write there.
    """
    target = path_of("path", target)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(target)
        sync(target.parent)
    except OSError as error:
        cure = "Name a file in a folder that exists, that you may write to, and that has room"
        raise UsageError(Fault(str(target), f"cannot be written: {error.strerror or error}", cure=cure)) from error
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Asks the operating system to bring a file, or a folder's list of names, to the disk.

    Args:
        path: a file or a folder (a folder is left out where the system, Windows, cannot open one).
    """
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _renderer(target: Path, kind: str | None) -> Callable[[pd.DataFrame], bytes]:
    word = str(kind or target.suffix).removeprefix(".").lower()
    if word not in _RENDERERS:
        found = f"'{word}' is not a format" if word else "the file's name does not say the format"
        raise UsageError(Fault(str(target), found, f"Tables are written as {', '.join(_RENDERERS)}", _suggest(word)))
    return _RENDERERS[word]


def _suggest(word: str) -> str:
    return nearest(word, _RENDERERS) if word else "End the name in .csv, .parquet, .json or .xlsx"


def _csv(frame: pd.DataFrame) -> bytes:
    safe = frame.set_axis([_harmless(name) for name in frame.columns], axis="columns")
    for position, (_, column) in enumerate(frame.items()):
        if not pd.api.types.is_numeric_dtype(column.dtype):
            safe.isetitem(position, column.astype(object).map(_harmless, na_action="ignore").to_numpy())
    return safe.to_csv(index=False, lineterminator="\n").encode()


def _parquet(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa

    buffer = BytesIO()
    try:
        frame.to_parquet(buffer, engine="pyarrow", index=False)
    except pa.ArrowException as error:
        cure = "Give each column values of one kind"
        raise UsageError(Fault("parquet", f"cannot hold the table: {error}", cure=cure)) from error
    return buffer.getvalue()


def _json(frame: pd.DataFrame) -> bytes:
    names = list(frame.columns)
    columns = [[_plain(value, "JSON") for value in frame[name].astype(object)] for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return (json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n").encode()


def _xlsx(frame: pd.DataFrame) -> bytes:
    from openpyxl import Workbook

    if len(frame) >= _XLSX_ROWS or frame.shape[1] > _XLSX_COLUMNS:
        raise _unfit("xlsx", f"{len(frame):,} rows and {frame.shape[1]:,} columns: more than a sheet holds")
    columns = [[_cell(value) for value in (name, *frame[name].astype(object))] for name in frame.columns]
    workbook = Workbook(write_only=True)
    sheet: WriteOnlyWorksheet = workbook.create_sheet("rows")
    for row in zip(*columns, strict=True):
        sheet.append(row)
    buffer = BytesIO()
    workbook.save(buffer)
    return _without_clock(buffer)


def _without_clock(buffer: BytesIO) -> bytes:
    """The same archive without the times at which it was made."""
    packed = BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"1980-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return packed.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _starts_a_formula(value) else value


def as_meant(cell: str) -> str:
    """The text that stands in a cell of a CSV file that `write` wrote, without the apostrophe that made it harmless."""
    return cell[1:] if cell.startswith("'") and _starts_a_formula(cell) else cell


def _starts_a_formula(text: str) -> bool:
    """Whether it starts one, or would but for apostrophes: these get one more, so that one can be taken away again."""
    return text.lstrip("'").startswith(FORMULA_STARTS)


def _plain(value: Any, format_name: str) -> Any:
    """A scalar as plain Python: missing as None, numpy's numbers as Python's, times as ISO text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    plain = value.item() if hasattr(value, "item") and not isinstance(value, str) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        if math.isnan(plain):
            return None
        raise _unfit(format_name, "an infinite number")
    return plain.isoformat() if hasattr(plain, "isoformat") else plain


def _cell(value: Any) -> Any:
    """What a sheet shows for a scalar; whole numbers beyond a sheet's 15 digits, and other kinds, become text."""
    plain = _plain(value, "xlsx")
    if plain is None or isinstance(plain, (bool, float)):
        return plain
    if isinstance(plain, int):
        return plain if abs(plain) < _XLSX_DIGITS else str(plain)
    text = str(_harmless(str(plain)))
    if len(text) > _XLSX_TEXT:
        raise _unfit("xlsx", f"a text of {len(text):,} characters, where a cell holds {_XLSX_TEXT:,}")
    if control := _CONTROL.search(text):
        raise _unfit("xlsx", f"the control character {control[0]!r} in a text")
    return text


def _unfit(format_name: str, found: str) -> UsageError:
    return UsageError(Fault(format_name, f"cannot hold {found}", cure="Write the table as .csv or .parquet"))


_RENDERERS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
    "xlsx": _xlsx,
}
