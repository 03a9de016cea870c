"""Excel workbooks: one sheet, its first line the names of the columns, cells as they were typed."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from drivetrain.errors import DataError, Fault, nearest


def read_sheet(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """All columns of a sheet; numbers, texts, yes/no and times keep their types, empty cells are missing.

    Args:
        path: an `.xlsx` file.
        sheet: its name; may be left out where only one holds anything.

    Raises:
        DataError: it is no workbook, there is no such sheet or several, or a column has no name.
    """
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise DataError(
            Fault(str(path), "this is not a whole Excel workbook", "", "Save it again as .xlsx, or as CSV")
        ) from error
    try:
        sheets = {each.title: [*each.iter_rows(values_only=True)] for each in book.worksheets}
    finally:
        book.close()
    lines = _chosen(
        path, {name: [line for line in lines if any(_filled(line))] for name, lines in sheets.items()}, sheet
    )
    names = list(lines[0])
    while names and names[-1] is None:
        names.pop()
    if len(names) == 1 and any(any(_filled(line[1:])) for line in lines[1:]):
        found, cure = f"its first line, '{str(names[0])[:40]}', names one column of several", "Remove what stands above"
        raise DataError(Fault(str(path), found, "The first line names the columns", f"{cure} the names"))
    if unnamed := [place for place, name in enumerate(names, start=1) if name is None]:
        raise DataError(Fault(str(path), f"column {unnamed[0]} has no name", "The first line names all", "Name it"))
    rows = [list(line[: len(names)]) for line in lines[1:]]
    return pd.DataFrame(rows, columns=[str(name) for name in names], dtype=object)


def _chosen(path: Path, sheets: dict[str, list[tuple[object, ...]]], sheet: str | None) -> list[tuple[object, ...]]:
    filled = {name: lines for name, lines in sheets.items() if lines}
    if sheet is not None and sheet not in filled:
        raise DataError(Fault(str(path), f"there is no sheet '{sheet}' with cells", "", nearest(sheet, [*filled])))
    if sheet is None and len(filled) != 1:
        found = f"found {len(filled)} sheets with cells: {', '.join(filled)}" if filled else "all sheets are empty"
        cure = "Name it: data: {excel: FILE, sheet: NAME}; of new rows leave one" if filled else "Add the rows"
        raise DataError(Fault(str(path), found, "Rows come from one sheet", cure))
    return filled[sheet] if sheet is not None else next(iter(filled.values()))


def _filled(line: tuple[object, ...]) -> list[bool]:
    return [cell is not None for cell in line]
