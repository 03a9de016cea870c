"""Dates as inputs: the parts that models learn from, from cells to tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from drivetrain import data, scenario as language
from drivetrain.data import Table, drafting
from drivetrain.data.dates import part_of, written
from drivetrain.errors import DataError, ScenarioError, UsageError
from drivetrain.scenario import Scenario

INPUTS = {
    "month": {"column": "sold_on", "kind": "categorical", "of_date": "month"},
    "weekday": {"column": "sold_on", "kind": "categorical", "of_date": "weekday"},
    "year": {"column": "sold_on", "kind": "numeric", "of_date": "year"},
    "days": {"column": "sold_on", "kind": "numeric", "of_date": "days"},
}
STAMPS = pd.to_datetime(pd.Series(["2026-02-28", None, "1969-12-31T12:00"]), format="ISO8601")
DECLARED: dict[str, Any] = {
    "version": 1, "name": "kiosk", "title": "What price?",
    "objective": {"maximise": "price * sold * (1 + (weekday == 'Sunday'))"},
    "levers": {"price": {"kind": "continuous", "min": 1, "max": 9}},
    "inputs": INPUTS, "outcomes": {"sold": {"kind": "count"}}, "data": {"csv": "kiosk.csv", "split": {"test": 0}},
}  # fmt: skip


def frame(rows: int = 120) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    days = pd.date_range("2025-11-01", periods=rows).strftime("%Y-%m-%d")
    return pd.DataFrame({"sold_on": days, "price": draw.uniform(1, 9, rows), "sold": draw.poisson(3, rows)})


def made(folder: Path, rows: pd.DataFrame | None = None, **changes: Any) -> tuple[Scenario, Table]:
    (frame() if rows is None else rows).to_csv(folder / "kiosk.csv", index=False)
    (folder / "kiosk.yaml").write_text(pd.Series({**DECLARED, **changes}).to_json(), encoding="utf-8")
    scenario = language.load(folder / "kiosk.yaml")
    return scenario, data.load(scenario)


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(["2026-02-28", None, "1969-12-31T12:00"]),
        pd.Series(["2026-02-28T00:00:00Z", "", "1969-12-31T07:00-05:00"]),
        pd.Series([date(2026, 2, 28), None, pd.Timestamp("1969-12-31 12:00")], dtype=object),
        STAMPS,
        STAMPS.dt.tz_localize("UTC"),
        STAMPS.astype("timestamp[us][pyarrow]"),
    ],
    ids=["text", "zones", "objects", "numpy", "aware", "arrow"],
)
def test_parts_of_dates_by_hand(cells: pd.Series[Any]) -> None:
    parts = {part: part_of(cells, part, "column 'sold_on'") for part in ("year", "month", "weekday", "days")}  # type: ignore[arg-type]
    assert not any(part.faults for part in parts.values())
    assert parts["month"].values.tolist() == ["February", None, "December"]
    assert parts["weekday"].values.tolist() == ["Saturday", None, "Wednesday"]
    np.testing.assert_array_equal(parts["year"].values, [2026, np.nan, 1969])
    np.testing.assert_array_equal(parts["days"].values, [20512, np.nan, -0.5])


@given(st.lists(st.dates(date(1700, 1, 1), date(2250, 1, 1)), min_size=1, max_size=9))
def test_parts_agree_with_the_calendar_of_python(days: list[date]) -> None:
    cells = pd.Series([each.isoformat() for each in days], dtype=object)
    assert part_of(cells, "month", "x").values.tolist() == [f"{each:%B}" for each in days]
    assert part_of(cells, "weekday", "x").values.tolist() == [f"{each:%A}" for each in days]
    assert part_of(cells, "year", "x").values.tolist() == [each.year for each in days]
    epoch = date(1970, 1, 1).toordinal()
    assert part_of(cells, "days", "x").values.tolist() == [each.toordinal() - epoch for each in days]


def test_what_is_no_date_is_refused_with_its_row() -> None:
    (fault,) = part_of(pd.Series(["2026-01-31", "1/31/2026", "soon"]), "month", "column 'sold_on'").faults
    assert "row 2 holds '1/31/2026' (and 1 more row)" in str(fault)
    assert "ISO 8601" in str(fault)
    assert part_of(pd.Series([3.5]), "days", "x").faults


def test_several_inputs_are_parts_of_one_column(tmp_path: Path) -> None:
    scenario, table = made(tmp_path)
    first = table.frame.sort_values("days").iloc[0]
    assert (first.month, first.weekday, first.year) == ("November", "Saturday", 2025)
    assert first.days == (pd.Timestamp("2025-11-01") - pd.Timestamp(0)).days
    new = data.read_rows(scenario, pd.DataFrame({"sold_on": pd.to_datetime(["2026-03-01", None])}))
    assert new.frame.weekday.tolist() == ["Sunday", None]
    with pytest.raises(DataError, match=r"column 'sold_on' \(input 'month'\)"):
        data.read_rows(scenario, pd.DataFrame({"month": ["May"]}))


def test_a_part_of_a_date_has_its_kind_and_its_column_no_other_role(tmp_path: Path) -> None:
    wrong = {
        **INPUTS,
        "year": {**INPUTS["year"], "kind": "categorical"},
        "raw": {"column": "sold_on", "kind": "numeric"},
    }
    with pytest.raises(ScenarioError) as error:
        made(tmp_path, inputs=wrong)
    assert "found categorical for the year of a date. It is numeric. Write kind: numeric." in str(error.value)
    wrong["year"] = INPUTS["year"]
    with pytest.raises(ScenarioError, match=r"inputs.raw.column: found the column 'sold_on', which is also that of"):
        made(tmp_path, inputs=wrong)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_date_can_be_corrected_by_a_cleaning_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "clean.csv").write_text("row,action,column,value\n1,correct,sold_on,2026-07-04\n", encoding="utf-8")
    rows = frame().assign(sold_on=pd.to_datetime(frame().sold_on))
    rows.to_parquet(tmp_path / "kiosk.parquet")
    _, table = made(tmp_path, data={kind: f"kiosk.{kind}", "split": {"test": 0}, "cleaning": "clean.csv"})
    assert table.frame.month[table.row == 0].tolist() == ["July"]


def test_dates_are_written_so_that_they_can_be_read_again(tmp_path: Path) -> None:
    scenario, table = made(tmp_path)
    again = data.read_rows(scenario, pd.DataFrame(written(scenario, table.frame)))
    pd.testing.assert_frame_equal(again.frame, table.frame[list(INPUTS)])
    unknown = pd.DataFrame(written(scenario, table.frame.assign(days=np.nan)))
    assert data.read_rows(scenario, unknown).frame.weekday.isna().all()
    only, table = made(tmp_path, inputs={"weekday": INPUTS["weekday"]})
    assert list(written(only, table.frame)) == ["weekday"]


def test_drafts_name_the_parts_of_dates(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "kiosk.csv", index=False)
    found = drafting.guess(tmp_path / "kiosk.csv")
    assert [each.name for each in found if each.of_date] == ["sold_on_month", "sold_on_weekday", "sold_on_days"]
    text = drafting.draft(tmp_path / "kiosk.csv", found, drafting.Answers(), relative_to=tmp_path)
    (tmp_path / "draft.yaml").write_text(text, encoding="utf-8")
    table = data.load(language.load(tmp_path / "draft.yaml"))
    assert table.frame.sold_on_weekday.nunique() == 7
    left = drafting.assigned(found, {"sold_on (month)": "leave out"})
    assert [each.part for each in left if each.of_date] == ["leave out", "input", "input"]
    with pytest.raises(UsageError, match="its dates cannot be the lever"):
        drafting.assigned(found, {"sold_on": "lever"})
