"""The next test, from a run to an assignment that the next run can read; and rounds of it on a made world."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt
from drivetrain import data, scenario as scenarios
from drivetrain.assembly import loop
from drivetrain.assembly.experiment import _noise
from drivetrain.errors import RefusedError, UsageError
from drivetrain.evidence import experiments
from tests.test_cli import Call, call, folder  # noqa: F401  (fixtures)


def visitors(run: dt.Run) -> pd.DataFrame:
    return run.table.frame[["income", "region"]].dropna()


def test_a_test_settles_a_decision_within_its_loss(small_run: dt.Run):
    single = replace(small_run, evidence=replace(small_run.judged, recommended="single"))
    people = visitors(single)
    free = single.experiment(people, 1e9, against="do_nothing")
    assert free.frame["price"].nunique() == 2
    assert set(free.frame["propensity"]) == {0.5}
    assert free.tested == len(people)
    tight = single.experiment(people, free.loss / 10 if free.loss else 0.0, against="do_nothing")
    assert tight.loss <= free.loss / 10 + 1e-6
    assert tight.power is not None
    assert free.power is not None
    assert tight.power.power <= free.power.power
    few = single.experiment(people, 1e9, against="do_nothing", size=100)
    assert few.tested == 100
    assert (few.frame.loc[few.frame["propensity"] == 1, "price"] == single.judged.single[0]).all()
    pd.testing.assert_frame_equal(few.frame, single.experiment(people, 1e9, against="do_nothing", size=100).frame)
    assert "left to chance" in few.sentences("EUR")[0]
    with pytest.raises(UsageError, match="tested against"):
        single.experiment(people, 1, against="row")
    with pytest.raises(UsageError, match="mode"):
        single.experiment(people, 1, mode="thomson")  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="the same"):
        replace(single, evidence=replace(single.judged, single=(10.0,))).experiment(people, 1, against="do_nothing")


def test_power_is_told_for_the_gain_that_is_credible(small_run: dt.Run):
    def planned(believed: float) -> float:
        policies = tuple(
            replace(each, naive=hoped, shrunk=hoped * believed)
            for each in small_run.judged.policies
            for hoped in [{"single": 1.0, "do_nothing": 0.0}.get(each.name, 0.5)]
        )
        judged = replace(small_run.judged, recommended="single", policies=policies)
        told = replace(small_run, evidence=judged).experiment(visitors(small_run), 1e9, against="do_nothing")
        assert told.power is not None
        assert ("Nothing is left" in told.sentences("EUR")[1]) == (told.power.gain <= 0)
        return told.power.gain

    assert planned(0.5) == pytest.approx(planned(1.0) / 2)
    assert planned(-0.2) == 0


def test_a_draw_that_leaves_nothing_to_chance_is_refused(small_run: dt.Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(experiments, "beliefs", lambda values, *_: np.eye(values.shape[2])[values.mean(0).argmax(1)])
    with pytest.raises(RefusedError, match="agree on the best setting of every row"):
        small_run.experiment(visitors(small_run), 10, mode="thompson")


def test_an_assignment_is_the_next_runs_data(call: Call, folder: Path, small_run: dt.Run, tmp_path: Path):  # noqa: F811
    visitors(small_run).to_csv(tmp_path / "people.csv", index=False)
    words = ("--rows", tmp_path / "people.csv", "--max-loss", "50", "--mode", "top_two", "--out", tmp_path / "next.csv")
    told = json.loads(call("experiment", folder, *words, "--json").stdout)
    assert told["loss"] <= 50 + 1e-6
    drawn = pd.read_csv(tmp_path / "next.csv")
    assert list(drawn.columns) == ["row", "income", "region", "price", "propensity"]
    assert drawn["propensity"].between(0, 1, inclusive="right").all()
    assert drawn["price"].nunique() <= 12
    drawn.assign(bought=np.arange(len(drawn)) % 2).to_csv(tmp_path / "next.csv", index=False)
    text = small_run.scenario.text.replace("csv: visitors.csv", f"csv: {tmp_path / 'next.csv'}")
    text = text.replace("{design: randomised}", "{design: randomised, propensity: propensity}")
    table = data.load(scenarios.parse(text))
    assert table.propensity == pytest.approx(drawn["propensity"].to_numpy())


def test_rounds_learn():
    told = loop("discrete_actions", rounds=2, rows=600, seed=1)
    assert list(told.rounds["round"]) == [1, 2]
    assert (told.rounds["earned"] <= told.rounds["best"]).all()
    assert told.rounds["regret"].is_monotonic_increasing
    assert told.rounds["regret"][0] == pytest.approx(told.rounds["uniform"][0], rel=0.1)  # the first round is uniform
    assert 0.6 < told.share <= 1
    assert told.regret < 0.95


def test_rounds_are_told_on_the_command_line(call: Call):  # noqa: F811
    words = ("loop", "randomised_pricing", "--rounds", "1", "--rows", "400", "--quiet")
    shown = call(*words).stdout
    assert "The policy of round 1 is truly worth" in shown
    assert "% of what settings drawn evenly" in shown
    told = json.loads(call(*words, "--json").stdout)
    assert [line["round"] for line in told["rounds"]] == [1]
    assert 0.5 < told["share"] <= 1


def test_rounds_say_what_they_cannot_play():
    with pytest.raises(UsageError, match="randomised_pricing"):
        loop("randomized_pricing")
    with pytest.raises(RefusedError, match="bound over all rows"):
        loop("budgeted_treatment")
    with pytest.raises(RefusedError, match="Play confounded_pricing, discrete_actions"):
        loop("recommender")


def test_noise_is_what_blind_models_leave(small_run: dt.Run):
    """Around what models expect of rows that they have seen there is less of it, and tests would be too small."""
    assert small_run.folder is not None
    kept = pd.read_parquet(small_run.folder / "held_out.parquet")
    price = small_run.table.training.settings[:, 0]
    left = (price - 4) * (kept["bought observed"] - kept["bought predicted"])
    assert _noise(small_run) == pytest.approx(float(left.std(ddof=0)), rel=1e-3)
