"""Levers whose options the data says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from drivetrain import data
from drivetrain import scenario as scenarios
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


def test_formulas_name_only_options_that_exist(tmp_path: Path) -> None:
    with pytest.raises(FormulaError, match="'i300'"):
        data.load(shelf(tmp_path, "liked + (item == 'i300')"))


def test_features_are_the_same_wherever_an_option_stands(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 values where item is 'i0'"):
        data.load(shelf(tmp_path, colour="green"))


def test_open_options_need_factors() -> None:
    with pytest.raises(ScenarioError, match=r"kinds: \[dot\]"):
        scenarios.parse(TEXT.replace("FORMULA", "liked").replace("[dot]", "[joint]"))
