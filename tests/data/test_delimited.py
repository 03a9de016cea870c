"""CSV files as the world writes them: other separators, decimal commas, and what is no number in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from drivetrain import data
from drivetrain.data import delimited, drafting
from drivetrain.data.columns import convert
from drivetrain.data.sources import from_file
from drivetrain.errors import DataError, ScenarioError
from drivetrain.scenario import Scenario

Shop = Callable[..., Scenario]
letters = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1)
names = st.lists(letters, min_size=2, max_size=4, unique=True)
cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names, st.lists(st.tuples(cells, cells, cells, cells), max_size=4), st.sampled_from(",;\t|"))
def test_any_separator_gives_the_same_cells(
    tmp_path: Path, columns: list[str], rows: list[tuple[str, ...]], mark: str
) -> None:
    frame = pd.DataFrame([row[: len(columns)] for row in rows], columns=columns, dtype=str)
    path = tmp_path / "any.csv"
    frame.to_csv(path, index=False, sep=mark, quoting=1)
    assert delimited.separator(path) == mark
    read = from_file(path, columns).frame
    assert read.to_numpy().tolist() == frame.to_numpy().tolist()


@pytest.fixture
def german(shop: Shop, frame: pd.DataFrame, tmp_path: Path) -> tuple[Scenario, Path]:
    """The shop's file as a spreadsheet in Germany saves it."""
    scenario = shop(frame, data={"csv": "shop.csv", "decimal": ",", "weight": "chance"})
    path = tmp_path / "shop.csv"
    frame.to_csv(path, index=False, sep=";", decimal=",", encoding="utf-8-sig")
    return scenario, path


def test_a_decimal_comma_gives_the_same_table(shop: Shop, frame: pd.DataFrame, german: tuple[Scenario, Path]) -> None:
    told = data.load(german[0])
    plain = data.load(shop(frame, data={"csv": "shop.csv", "weight": "chance"}))
    pd.testing.assert_frame_equal(told.frame, plain.frame)
    assert told.fingerprint == plain.fingerprint
    assert told.weight is not None
    assert plain.weight is not None
    assert told.weight.tolist() == plain.weight.tolist()


def test_new_rows_are_read_as_their_file_is_written(german: tuple[Scenario, Path], frame: pd.DataFrame) -> None:
    scenario, path = german
    frame.to_csv(path.with_name("plain.csv"), index=False)  # such as our own export
    theirs, ours = data.read_rows(scenario, path), data.read_rows(scenario, path.with_name("plain.csv"))
    assert theirs.fingerprint == ours.fingerprint == data.read_rows(scenario, frame).fingerprint


def test_a_correction_is_written_with_a_point(shop: Shop, german: tuple[Scenario, Path]) -> None:
    path = german[1]
    path.with_name("clean.csv").write_text("row;action;column;value\n1;correct;list_price;7.25\n", encoding="utf-8")
    scenario = shop(data={"csv": "shop.csv", "decimal": ",", "cleaning": "clean.csv"})
    assert 7.25 in data.load(scenario).frame["price"].tolist()


@pytest.mark.parametrize("cell", ["1.234", "1.234,5", "1,2,3", "1 234,5"])
def test_a_thousands_separator_is_never_taken_for_a_decimal(cell: str) -> None:
    (fault,) = convert(pd.Series(["1,5", cell], dtype="str"), "numeric", "x", decimal=",").faults
    assert fault.found == f"row 2 holds {cell!r}"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_comma_is_a_point(value: float) -> None:
    told = convert(pd.Series([str(value).replace(".", ","), "1"], dtype="str"), "numeric", "x", decimal=",")
    assert told.faults == ()
    assert told.values[0] == value


def test_a_draft_says_how_numbers_are_written(german: tuple[Scenario, Path]) -> None:
    _, path = german
    text = drafting.draft(path, drafting.guess(path), drafting.Answers(), relative_to=path.parent)
    assert 'data: {csv: shop.csv, decimal: ","}' in text
    assert "list_price: {kind: continuous, min: 5.0, max: 15.0}" in text


def test_a_draft_of_a_workbook(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_excel(tmp_path / "shop.xlsx", index=False)
    text = drafting.draft(tmp_path / "shop.xlsx", drafting.guess(tmp_path / "shop.xlsx"), drafting.Answers())
    assert "shop.xlsx" in text
    assert "excel:" in text


def test_only_a_csv_has_texts_for_numbers(shop: Shop, frame: pd.DataFrame) -> None:
    with pytest.raises(ScenarioError, match=r"data.decimal: found a decimal. Only numbers in a CSV are text"):
        shop(frame, data={"parquet": "shop.parquet", "decimal": ","})


def test_a_point_where_commas_are_declared(german: tuple[Scenario, Path]) -> None:
    scenario, path = german
    path.write_text(path.read_text(encoding="utf-8-sig").replace(";10,5;", ";10.5;"), encoding="utf-8")
    with pytest.raises(DataError, match=r"holds '10.5'.*decimal comma"):
        data.load(scenario)
