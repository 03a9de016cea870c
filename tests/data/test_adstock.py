"""What earlier periods leave behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from drivetrain import data, scenario as language
from drivetrain.data.adstock import adstock
from drivetrain.errors import DataError, ScenarioError
from drivetrain.scenario import Scenario

WEEKS = pd.DataFrame(
    {
        "week": pd.date_range("2024-01-01", periods=60, freq="W").strftime("%Y-%m-%d"),
        "tv": np.arange(60) % 7 + 1.0,
        "sales": np.arange(60) % 5 + 10.0,
    }
)
TEXT = """
version: 1
name: weeks
title: How much television?
objective: {maximise: sales - tv}
levers: {tv: {kind: continuous, min: 0, max: 10}}
inputs: {tv_before: {kind: numeric, column: tv, adstock: 0.5}}
outcomes: {sales: {kind: numeric}}
data: {csv: weeks.csv, split: {by: time, column: week, folds: 3}}
"""


@pytest.fixture
def weeks(tmp_path: Path) -> Callable[..., Scenario]:
    def make(*changes: tuple[str, str], frame: pd.DataFrame = WEEKS) -> Scenario:
        frame.to_csv(tmp_path / "weeks.csv", index=False)
        text = TEXT
        for old, new in changes:
            text = text.replace(old, new)
        (tmp_path / "weeks.yaml").write_text(text)
        return language.load(tmp_path / "weeks.yaml")

    return make


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0.01, 0.99), st.randoms())
def test_it_is_the_decayed_sum_of_all_earlier_periods(spent: list[float], rate: float, random: object) -> None:
    many, values = len(spent), np.array(spent)
    told = [sum(rate ** (t - j) * values[j] for j in range(t)) for t in range(many)]
    order = np.random.default_rng(len(spent)).permutation(many)
    assert adstock(values[order], order, rate) == pytest.approx(np.array(told)[order], abs=1e-9)


def test_rows_of_one_time_are_one_period() -> None:
    assert adstock(np.array([1.0, 3.0, 5.0]), np.array([1, 1, 2]), 0.5).tolist() == [0.0, 0.0, 2.0]


def test_an_input_carries_over_the_past_of_a_lever(weeks: Callable[..., Scenario]) -> None:
    shuffled = WEEKS.sample(frac=1, random_state=1).reset_index(drop=True)
    table = data.load(weeks(frame=shuffled))
    by_week = table.frame.assign(week=shuffled["week"][table.row].to_numpy()).sort_values("week")
    assert by_week["tv_before"].iloc[:3].tolist() == [0.0, 0.5, 1.25]
    assert by_week["tv"].iloc[:3].tolist() == [1.0, 2.0, 3.0]


def test_new_rows_bring_it_under_its_own_name(weeks: Callable[..., Scenario]) -> None:
    rows = data.read_rows(weeks(), pd.DataFrame({"tv_before": [4.0]}))
    assert rows.frame["tv_before"].tolist() == [4.0]
    with pytest.raises(DataError, match="tv_before"):
        data.read_rows(weeks(), pd.DataFrame({"tv": [4.0]}))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("split: {by: time, column: week, folds: 3}", "split: {folds: 3}", "found it without a split by time"),
        ("{kind: numeric, column: tv, adstock", "{kind: categorical, column: tv, adstock", "Only a numeric input"),
        ("adstock: 0.5", "adstock: 1.5", "less than 1"),
    ],
)
def test_where_it_makes_no_sense(weeks: Callable[..., Scenario], old: str, new: str, told: str) -> None:
    with pytest.raises(ScenarioError, match="adstock") as caught:
        weeks((old, new))
    assert told in str(caught.value)


def test_a_column_that_is_not_there(weeks: Callable[..., Scenario]) -> None:
    with pytest.raises(DataError, match=r"column 'tvv' \(input 'tv_before'\): weeks\.csv has no such column"):
        data.load(weeks(("column: tv, adstock", "column: tvv, adstock")))
