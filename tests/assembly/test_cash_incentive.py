"""The shipped scenario, from its file to its recommendations: what issue 2 says it must show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain.evidence import Evidence, judge
from drivetrain.simulator import Simulator

SCENARIO = Path(__file__).parents[2] / "scenarios" / "cash_incentive.yaml"
USABLE = 2834


@pytest.fixture(scope="module")
def cash(tmp_path_factory: pytest.TempPathFactory) -> dt.Run:
    return dt.run(SCENARIO, tmp_path_factory.mktemp("cash") / "run")


@pytest.fixture(scope="module")
def worth_five(cash: dt.Run) -> Evidence:
    """A result worth 5 USD: the models are the same, since only the objective changes."""
    value = cash.scenario.parameters["result_value"].model_copy(update={"value": 5.0})
    scenario = cash.scenario.model_copy(update={"parameters": {"result_value": value}})
    return judge(Simulator(scenario, cash.simulator.models, cash.simulator.support), cash.table)


def test_the_chosen_model_is_no_worse_than_the_baselines(cash: dt.Run) -> None:
    contest = cash.record["contest"]["collected"]
    loss = {entry["name"]: entry["loss"] for entry in contest["entries"]}
    print(loss)
    assert loss[contest["chosen"]] <= 1.01 * min(loss["linear"], loss["boosting"])


def test_the_published_effect_is_inside_the_interval(cash: dt.Run) -> None:
    (effect,) = cash.judged.effects
    print(effect)
    assert effect.outcome == "collected"
    assert 0.3 < effect.estimate.low <= 0.43 <= effect.estimate.high < 0.55


def test_the_naive_promise_lies_inside_the_honest_interval(cash: dt.Run, worth_five: Evidence) -> None:
    for evidence in (cash.judged, worth_five):
        chosen = evidence.chosen
        print(chosen)
        assert chosen.estimate.low <= chosen.naive <= chosen.estimate.high


def test_at_one_dollar_a_little_cash_beats_none(cash: dt.Run) -> None:
    evidence = cash.judged
    assert evidence.gains["do_nothing"].low > 0
    assert 0 < evidence.single[0] <= 0.3
    assert evidence.policy("do_nothing").estimate.value == pytest.approx(0.34, abs=0.03)
    assert not evidence.policy("current").eligible


def test_a_quarter_dollar_is_worth_what_was_measured(cash: dt.Run) -> None:
    points = {point.setting: point.estimate for point in cash.judged.curve}
    nearest = min(points, key=lambda at: abs(at - 0.25))
    assert points[nearest].low - 0.03 <= (1 - nearest) * 0.62 <= points[nearest].high + 0.03


def test_at_five_dollars_the_top_is_called_flat(worth_five: Evidence) -> None:
    low, high, flat = worth_five.near["incentive"]
    print(low, high, flat, worth_five.recommended, worth_five.single)
    assert flat
    assert low <= 0.3
    assert high >= 1.2


def test_every_usable_row_gets_a_recommendation(cash: dt.Run) -> None:
    recommendations = cash.recommendations
    assert recommendations is not None
    assert len(recommendations) == USABLE == len(cash.table)
    frame = recommendations.frame
    assert frame["row"].is_unique
    assert frame["supported"].all()
    assert frame["incentive"].between(0, 3).all()
    assert np.isfinite(frame[["objective", "gain", "gain_low", "gain_high"]]).all(axis=None)
    assert sum(dropped.count for dropped in cash.table.dropped) == 4820 - USABLE


def test_one_seed_gives_the_same_bytes(cash: dt.Run, tmp_path: Path) -> None:
    again = dt.run(SCENARIO, tmp_path / "again")
    assert again.folder is not None
    assert cash.folder is not None
    for kind in ("csv", "parquet", "json", "xlsx"):
        name = f"recommendations.{kind}"
        assert (again.folder / name).read_bytes() == (cash.folder / name).read_bytes(), name
    assert again.judged == cash.judged


def test_the_folder_reads_back_as_it_was(cash: dt.Run) -> None:
    assert cash.folder is not None
    opened = dt.open_run(cash.folder)
    assert opened.judged == cash.judged
    assert opened.recommendations is not None
    assert cash.recommendations is not None
    pd.testing.assert_frame_equal(opened.recommendations.frame, cash.recommendations.frame)
    assert opened.recommendations.promise == cash.recommendations.promise
    rows = cash.table.subset(np.arange(200))
    pd.testing.assert_frame_equal(opened.recommend(rows).frame, cash.recommend(rows).frame)
