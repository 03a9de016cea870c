"""Levers whose options the data says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drivetrain import data, scenario as scenarios
from drivetrain.errors import DataError, FormulaError, ScenarioError

TEXT = """\
version: 1
name: shelf
title: Which item?
objective: {maximise: FORMULA}
levers:
  item: {kind: categorical, options: data, features: {colour: {kind: tags}}}
inputs: {user: {kind: categorical}}
outcomes: {liked: {kind: numeric}}
data: {csv: rows.csv, split: {folds: 2, test: 0}}
model: {kinds: [dot]}
"""


def shelf(folder: Path, formula: str = "liked", colour: str = "red|big") -> scenarios.Scenario:
    rows = [
        [f"i{n % 30}", f"u{n % 7}", n % 5, colour if n == 0 else "red|big" if n % 30 == 0 else "blue"]
        for n in range(90)
    ]
    pd.DataFrame(rows, columns=["item", "user", "liked", "colour"]).to_csv(folder / "rows.csv", index=False)
    (folder / "shelf.yaml").write_text(TEXT.replace("FORMULA", formula))
    return scenarios.load(folder / "shelf.yaml")


def test_the_data_says_which_options_there_are(tmp_path: Path) -> None:
    declared = shelf(tmp_path)
    table = data.load(declared)
    known = declared.resolved(table.options)
    assert known.options["item"] == tuple(sorted(f"i{n}" for n in range(30)))
    assert known.space.decode(table.settings)["item"].tolist() == table.frame["item"].tolist()
    assert known.model_dump_json() == declared.model_dump_json()
    new = data.read_rows(known, pd.DataFrame({"user": ["u1", "u1"], "item": ["i3", "i99"]}))
    assert new.frame["item"].tolist() == ["i3", None]
    assert "never seen" in str(new.flags[0])


def test_what_rows_exclude_is_read_beside_them_and_strangers_are_counted(tmp_path: Path) -> None:
    shelf(tmp_path)
    rows = pd.read_csv(tmp_path / "rows.csv")
    rows.assign(bought=["i1|i2", "gone | i3", *[None] * 88]).to_csv(tmp_path / "rows.csv", index=False)
    text = (tmp_path / "shelf.yaml").read_text().replace("options: data,", "options: data, excluded: bought,")
    (tmp_path / "shelf.yaml").write_text(text)
    declared = scenarios.load(tmp_path / "shelf.yaml")
    table = data.load(declared)
    assert table.frame["item_excluded"].tolist()[:3] == ["i1|i2", "gone | i3", None]
    assert "column 'bought' (item_excluded): names what is no option, such as 'gone' (1 row)" in map(str, table.flags)
    known = declared.resolved(table.options)
    assert data.read_rows(known, pd.DataFrame({"user": ["u1"], "bought": ["i3"]})).frame["item_excluded"][0] == "i3"
    with pytest.raises(DataError, match=r"column 'bought' \(item_excluded\): .* has no such column"):
        data.read_rows(known, pd.DataFrame({"user": ["u1"]}))


def test_formulas_name_only_options_that_exist(tmp_path: Path) -> None:
    with pytest.raises(FormulaError, match="'i300'"):
        data.load(shelf(tmp_path, "liked + (item == 'i300')"))


def test_features_are_the_same_wherever_an_option_stands(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 values where item is 'i0'"):
        data.load(shelf(tmp_path, colour="green"))


def test_open_options_need_factors() -> None:
    with pytest.raises(ScenarioError, match=r"kinds: \[dot\]"):
        scenarios.parse(TEXT.replace("FORMULA", "liked").replace("[dot]", "[joint]"))
