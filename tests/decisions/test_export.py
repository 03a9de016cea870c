"""Tables leave whole, the same each time, and harmless to a spreadsheet."""

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from drivetrain.decisions.export import FORMULA_STARTS, replacing, write
from drivetrain.errors import UsageError

KINDS = ("csv", "parquet", "json", "xlsx")
ATTACK = '=HYPERLINK("http://evil.example","x")'


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "village": ["a", ATTACK, None, "-1+2"],
            "incentive": [0.1 + 0.2, -1.5, float("nan"), 3.0],
            "rows": [1, -2, 3, 4],
            "offered": [True, False, True, True],
            "week": pd.to_datetime(["2024-01-01", None, "2024-01-15", "2024-02-01"]),
            "=cmd": ["x", "y", "@z", "\tq"],
        }
    )


@pytest.mark.parametrize("kind", KINDS)
def test_equal_tables_give_equal_bytes(tmp_path: Path, kind: str) -> None:
    write(frame(), tmp_path / f"one.{kind}")
    time.sleep(1.1)  # an xlsx stores seconds, a zip archive two of them
    write(frame(), tmp_path / f"two.{kind}")
    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_csv_keeps_numbers_and_disarms_text(tmp_path: Path) -> None:
    write(frame(), tmp_path / "a.csv")
    back = pd.read_csv(tmp_path / "a.csv")
    assert back["village"].tolist()[:2] == ["a", f"'{ATTACK}"]
    assert back["village"].tolist()[3] == "'-1+2"
    assert back["incentive"].tolist()[:2] == [0.1 + 0.2, -1.5]
    assert back["rows"].tolist() == [1, -2, 3, 4]
    assert back.columns[-1] == "'=cmd"
    assert back["'=cmd"].tolist() == ["x", "y", "'@z", "'\tq"]


def test_xlsx_holds_no_formula(tmp_path: Path) -> None:
    write(frame(), tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}
    assert [cell.value for cell in sheet["A"]] == ["village", "a", f"'{ATTACK}", None, "'-1+2"]
    assert [cell.value for cell in sheet["B"]][2:] == [-1.5, None, 3]
    assert [cell.value for cell in sheet["D"]][1:3] == [True, False]
    assert sheet["E2"].value == "2024-01-01T00:00:00"


@pytest.mark.parametrize("start", FORMULA_STARTS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_start_of_a_formula_is_disarmed(tmp_path: Path, start: str, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    write(pd.DataFrame({"text": pd.Series([f"{start}1"], dtype="category")}), path)
    back = pd.read_csv(path) if kind == "csv" else pd.read_excel(path)
    assert back["text"][0].replace("_x000D_", "\r").startswith(f"'{start}".replace("\r", "")[:1])
    assert back["text"][0][0] == "'"


def test_json_and_parquet_hold_the_values_as_they_are(tmp_path: Path) -> None:
    write(frame(), tmp_path / "a.json")
    write(frame(), tmp_path / "a.parquet")
    rows = json.loads((tmp_path / "a.json").read_text())
    assert rows[1]["village"] == ATTACK
    assert rows[0]["incentive"] == 0.1 + 0.2
    assert rows[2]["incentive"] is None
    assert rows[1]["week"] is None
    assert rows[0]["offered"] is True
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), frame())


@given(st.lists(st.floats(allow_infinity=False), min_size=1), st.lists(st.text(), min_size=1))
def test_json_gives_back_every_number_and_text(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], texts: list[str]
) -> None:
    size = min(len(numbers), len(texts))
    path = tmp_path_factory.mktemp("json") / "a.json"
    write(pd.DataFrame({"n": numbers[:size], "t": pd.Series(texts[:size], dtype=object)}), path)
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert [row["t"] for row in rows] == texts[:size]
    assert [row["n"] for row in rows] == [None if n != n else n for n in numbers[:size]]


def test_a_sheet_keeps_what_excel_would_round_or_reject(tmp_path: Path) -> None:
    content = pd.DataFrame({"id": [2**60, 7], "d": [Decimal("1.5"), datetime(2024, 1, 1, tzinfo=UTC)]})
    write(content, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert [cell.value for cell in sheet["A"]] == ["id", str(2**60), 7]
    assert [cell.value for cell in sheet["B"]] == ["d", "1.5", "2024-01-01T00:00:00+00:00"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xls", {"x": [1]}, ["'xls' is not a format", "csv, parquet, json, xlsx", "Did you mean 'xlsx'?"]),
        ("a", {"x": [1]}, ["the file's name does not say the format", "End the name in .csv"]),
        (
            "no/a.csv",
            {"x": [1]},
            ["no/a.csv", "cannot be written: No such file", "Name a file in a folder that exists"],
        ),
        ("a.json", {"x": [np.inf]}, ["JSON", "cannot hold an infinite number", ".csv or .parquet"]),
        ("a.xlsx", {"x": [-np.inf]}, ["xlsx", "cannot hold an infinite number", ".csv or .parquet"]),
        ("a.xlsx", {"x": ["y" * 40_000]}, ["xlsx", "a text of 40,000 characters", "32,767"]),
        ("a.xlsx", {"x": ["\x01"]}, ["xlsx", "the control character", ".csv or .parquet"]),
        ("a.xlsx", {"x": np.zeros(1_048_576)}, ["1,048,576 rows", "more than a sheet holds"]),
        ("a.parquet", {"x": [1, "b"]}, ["parquet", "cannot hold the table", "values of one kind"]),
    ],
)
def test_what_cannot_be_written_is_said(
    tmp_path: Path, name: str, content: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        write(pd.DataFrame(content), tmp_path / name)
    assert caught.value.exit_code == 2
    for word in words:
        assert word in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stand twice, first 'x'"):
        write(pd.DataFrame([[1, 2]], columns=["x", "x"]), tmp_path / "a.json")


def test_the_kind_can_be_named(tmp_path: Path) -> None:
    write(pd.DataFrame({"x": [1]}), tmp_path / "a.txt", kind="csv")
    assert (tmp_path / "a.txt").read_text() == "x\n1\n"


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_table_is_a_table(tmp_path: Path, kind: str) -> None:
    write(frame().iloc[:0], tmp_path / f"a.{kind}")
    assert (tmp_path / f"a.{kind}").stat().st_size > 0


def test_a_write_cut_off_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write(pd.DataFrame({"x": [1]}), path)

    def cut_off() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert path.read_text() == "x\n1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    write(pd.DataFrame({"x": [1]}), path)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write(pd.DataFrame({"x": [2]}), path)
    assert path.read_text() == "x\n1\n"
    assert list(tmp_path.iterdir()) == [path]
