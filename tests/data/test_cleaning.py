"""Cleaning files: applied in memory, counted, refused with file and line; the source stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drivetrain import data
from drivetrain.errors import DataError
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]
HEADER = "row,action,column,value,note\n"


@pytest.fixture
def cleaned(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> Callable[..., data.Table]:
    def load(lines: str, rows: pd.DataFrame | None = None, file: str = "clean.csv", **source: Any) -> data.Table:
        (tmp_path / file).write_text(lines if file.endswith(".yaml") else HEADER + lines, encoding="utf-8")
        told = source or {"csv": "shop.csv"}
        return data.load(shop(frame if rows is None else rows, data={**told, "cleaning": file}))

    return load


LINES = """\
3,drop,,,twice in the till
7,correct,age,41,"a slip, says Ann"
7,correct,town,Bonn,
9,correct,member,no,
11,correct,age,,not known after all
12,keep,,,odd but true
13,,,,later
"""
AS_YAML = """\
rows:
  - {row: 3, action: drop, note: twice in the till}
  - {row: 7, action: correct, column: age, value: 41}
  - {row: 7, action: correct, column: town, value: Bonn}
  - {row: 9, action: correct, column: member, value: "no"}
  - row: 11
    action: correct
    column: age
    value: ""
  - {row: 12, action: keep}
  - {row: 13}
"""


@pytest.mark.parametrize("source", [{"csv": "shop.csv"}, {"parquet": "shop.parquet"}])
@pytest.mark.parametrize("file", ["clean.csv", "clean.yaml"])
def test_rows_are_dropped_corrected_and_kept(
    shop: Shop,
    frame: pd.DataFrame,
    cleaned: Callable[..., data.Table],
    tmp_path: Path,
    source: dict[str, str],
    file: str,
) -> None:
    before = data.load(shop(frame, data=source))
    content = (tmp_path / next(iter(source.values()))).read_bytes()
    after = cleaned(LINES if file == "clean.csv" else AS_YAML, file=file, **source)
    assert (tmp_path / next(iter(source.values()))).read_bytes() == content, "the source was changed"
    assert after.row.tolist() == [row for row in range(400) if row != 2]
    told = after.frame.set_index(after.row)
    assert told.loc[6, ["age", "town"]].tolist() == [41, "Bonn"]
    assert told.loc[8, "member"] == 0
    assert np.isnan(told.loc[10, "age"])
    untouched = [row for row in range(400) if row not in (2, 6, 8, 10)]
    pd.testing.assert_frame_equal(told.loc[untouched], before.frame.loc[untouched], check_names=False)
    np.testing.assert_array_equal(after.fold, np.delete(before.fold, 2), "cleaning moved rows to other folds")
    assert [str(reason) for reason in after.dropped] == ["the cleaning file drops it (1 row)"]
    assert [str(flag) for flag in after.flags if "cleaning" in str(flag)] == [
        f"cleaning file '{file}': dropped (1 row)",
        f"cleaning file '{file}': cells corrected (4 rows)",
        f"cleaning file '{file}': looked at and kept (1 row)",
        f"cleaning file '{file}': not decided yet (1 row)",
    ]
    assert after.fingerprint != before.fingerprint


def test_keeping_changes_nothing_but_the_count(
    shop: Shop, frame: pd.DataFrame, cleaned: Callable[..., data.Table]
) -> None:
    assert cleaned("1,keep,,,\n2,keep,,,\n").fingerprint == data.load(shop(frame)).fingerprint


def test_a_broken_row_can_be_dropped_or_mended(frame: pd.DataFrame, cleaned: Callable[..., data.Table]) -> None:
    broken = frame.astype({"age": object, "bought": object})
    broken.loc[4, "age"] = "forty"
    broken.loc[5, "list_price"] = 9999
    broken.loc[6, "bought"] = "perhaps"
    with pytest.raises(DataError, match="forty"):
        cleaned("1,keep,,,\n", broken)
    assert len(cleaned("5,drop,,,\n6,drop,,,\n7,drop,,,\n", broken)) == 397
    mended = cleaned("5,correct,age,40,\n6,correct,list_price,9.99,\n7,correct,bought,1,\n", broken)
    assert len(mended) + sum(reason.count for reason in mended.dropped) == 400
    assert mended.frame["age"][4] == 40
    assert mended.settings[5, 0] == 9.99


def test_every_fault_is_told_with_its_line(cleaned: Callable[..., data.Table], tmp_path: Path) -> None:
    lines = """\
0,drop,,,
401,drop,,,
one,keep,,,
4,dorp,,,
5,correct,agee,3,
6,correct,,3,
7,correct,age,old,
8,correct,channel,fax,
9,drop,age,,
10,keep,,,
10,drop,,,
11,correct,age,1,
11,correct,age,2,
"""
    with pytest.raises(DataError) as caught:
        cleaned(lines)
    told = [(fault.place.line, fault.thing, str(fault)) for fault in caught.value.faults if fault.place]
    assert len(told) == len(caught.value.faults)
    assert [(line, thing) for line, thing, _ in told] == [
        (2, "row"), (3, "row"), (4, "row"), (5, "action"), (6, "column"), (7, "column"), (8, "value"),
        (10, "column"), (12, "action"), (14, "row"),
    ]  # fmt: skip
    assert told[0][2].startswith(f"{tmp_path / 'clean.csv'}:2: row: found '0'. shop.csv has rows 1 to 400.")
    assert "Did you mean 'drop'?" in told[3][2]
    assert "Did you mean 'age'?" in told[4][2]
    assert "found 'old' for column 'age' (input)" in told[6][2]
    assert "line 11 says to keep" in told[8][2]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("clean.csv", "line,action\n1,drop\n", "clean.csv:1: data.cleaning: found no column 'row'"),
        ("clean.csv", "", "clean.csv: the file is empty"),
        ("clean.yaml", "lines: []\n", "clean.yaml:1:1: rows: found no list"),
        ("clean.yaml", "rows:\n  - {row: 1, acton: drop}\n", r"clean.yaml:2:5: rows\[0\]: found 'acton'. Did you mean"),
        ("clean.yaml", "rows: [", "clean.yaml"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(
    shop: Shop, frame: pd.DataFrame, tmp_path: Path, file: str, content: str, message: str
) -> None:
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        data.load(shop(frame, data={"csv": "shop.csv", "cleaning": file}))


def test_a_missing_file_is_named_with_its_neighbour(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "clean.csv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(DataError, match=r"claen.csv: the file does not exist. Did you mean 'clean.csv'\?"):
        data.load(shop(frame, data={"csv": "shop.csv", "cleaning": "claen.csv"}))
