"""Excel workbooks as sources, and what is told of those that cannot be one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

from drivetrain import data
from drivetrain.data.workbooks import read_sheet
from drivetrain.errors import DataError, ScenarioError
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    made = Workbook()
    made.remove(made.active)
    for name, lines in sheets.items():
        page = made.create_sheet(name)
        for line in lines:
            page.append(line)
    made.save(path)
    return path


def test_a_workbook_gives_the_same_table_as_a_csv(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> None:
    lines = [list(frame.columns), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()]
    book(tmp_path / "shop.xlsx", notes=[], rows=lines)
    table, want = data.load(shop(data={"excel": "shop.xlsx"})), data.load(shop(frame))
    assert table.fingerprint == want.fingerprint
    rows = data.read_rows(shop(), tmp_path / "shop.xlsx")
    assert len(rows) == len(frame)


def test_a_sheet_is_named_where_several_hold_cells(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> None:
    lines = [list(frame.columns), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()]
    book(tmp_path / "shop.xlsx", legend=[["what it means"]], rows=lines)
    with pytest.raises(DataError, match=r"found 2 sheets with cells: legend, rows.*sheet: NAME"):
        data.load(shop(data={"excel": "shop.xlsx"}))
    assert len(data.load(shop(data={"excel": "shop.xlsx", "sheet": "rows"}))) == 400
    with pytest.raises(DataError, match=r"no sheet 'row'.*'rows'"):
        data.load(shop(data={"excel": "shop.xlsx", "sheet": "row"}))


def test_cells_keep_their_types_and_empty_lines_and_columns_go(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", rows=[["n", "t", "d", None], [1, "x", date(2026, 1, 31)], [], [2.5, None, None]])
    frame = read_sheet(path)
    assert list(frame) == ["n", "t", "d"]
    assert frame.n.tolist() == [1, 2.5]
    assert frame.t.tolist() == ["x", None]
    assert str(frame.d[0]).startswith("2026-01-31")


@pytest.mark.parametrize(
    ("content", "found"), [(b"not a workbook", "not a whole Excel workbook"), (b"PK\x03\x04", "not a whole Excel")]
)
def test_what_is_no_workbook(content: bytes, found: str, shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "shop.xlsx").write_bytes(content)
    with pytest.raises(DataError, match=found):
        data.load(shop(data={"excel": "shop.xlsx"}))


def test_empty_sheets_and_columns_without_a_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="all sheets are empty"):
        read_sheet(book(tmp_path / "a.xlsx", rows=[]))
    with pytest.raises(DataError, match="column 2 has no name"):
        read_sheet(book(tmp_path / "b.xlsx", rows=[["a", None, "c"], [1, 2, 3]]))


def test_a_sheet_needs_its_workbook(shop: Shop) -> None:
    with pytest.raises(ScenarioError, match="Only a workbook has sheets"):
        shop(data={"csv": "shop.csv", "sheet": "rows"})
