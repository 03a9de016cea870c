"""Policies that give rows several options: judged slot by slot against a known world, and recommended whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.data import Table
from drivetrain.decisions import locks, reasons, recommend, words, write
from drivetrain.errors import InfeasibleError, UsageError
from drivetrain.evidence import Judge, judge_slots
from drivetrain.evidence.propensity import Stratified
from drivetrain.evidence.slots import _most, mixture
from drivetrain.evidence.value import Scores
from drivetrain.simulator import Simulator, Support
from tests.stand_ins import anywhere, as_table, declare, stand_in

TEXT = """\
objective: {maximise: sales, unit: EUR per visit}
levers: {shown: {kind: categorical, options: [none, a, b, c, d], choose: 2, do_nothing: none}}
inputs: {taste: {kind: numeric}}
outcomes: {sales: {kind: numeric, unit: EUR}}
assignment: {design: randomised}
decide: {unit: row}
"""
ROWS = 3_000
ADDS = torch.tensor([[0.0, 2.0, 1.0, -1.0, 0.2], [0.0, -1.0, 1.0, 2.0, 0.2]], dtype=torch.float64)
"""What each option adds to 5 EUR, for either taste."""


def _response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    taste, option = torch.broadcast_tensors(x[..., 0].long(), at[..., 0].long())
    return 5 + ADDS[taste, option]


def _world() -> tuple[Simulator, Table]:
    scenario, rng = declare(TEXT), np.random.default_rng(3)
    taste, option = rng.integers(0, 2, ROWS), rng.integers(0, 5, ROWS)
    frame = pd.DataFrame({"taste": taste.astype(float)})
    frame["sales"] = 5 + ADDS.numpy()[taste, option] + rng.normal(0, 1, ROWS)
    settings = option[:, None].astype(float)
    frame["shown"] = [scenario.options["shown"][code] for code in option]
    support = Support.fit(scenario.space, settings)
    return stand_in(scenario, {"sales": _response}, support), as_table(scenario, frame, settings)


def test_one_slot_of_several_options_is_worth_their_mean() -> None:
    simulator, table = _world()
    court = Judge(simulator, table, Stratified(table.settings, np.zeros(ROWS, dtype=np.int64)))
    pair = np.tile([1.0, 3.0], (ROWS, 1))
    both = Scores.of(mixture(court, pair))
    alone = [court.scores(pair[:, [k]]).total for k in range(2)]
    assert both.total == pytest.approx(np.mean(alone, axis=0))
    assert both.weight.mean() == pytest.approx(1, abs=0.1)
    assert both.effective > court.scores(pair[:, :1]).effective


def test_fewer_options_than_slots_is_told() -> None:
    """Where too few of them have been tried, and none does nothing."""
    scenario = declare(TEXT.replace(", do_nothing: none", "").replace("choose: 2", "choose: 3"))
    simulator = stand_in(scenario, {"sales": _response}, anywhere(scenario.space))
    with pytest.raises(InfeasibleError, match="found fewer than 3 options that may stand together"):
        _most(simulator, np.array([1.0, 2.0]), np.array([0.5, 0.6]))


def test_a_set_for_each_row_is_judged_and_recommended(tmp_path: Path) -> None:
    simulator, table = _world()
    evidence = judge_slots(simulator, table)
    assert evidence.recommended == "row"
    own = evidence.policy("row").estimate
    assert own.low < 5 + 1.5 < own.high  # 2 and 1 for either taste, in one slot drawn evenly
    assert evidence.gains["do_nothing"].low < 1.5 < evidence.gains["do_nothing"].high
    assert evidence.grade == "randomised"
    made = recommend(simulator, evidence, table)
    for taste, options in ((0.0, ["a", "b"]), (1.0, ["c", "b"])):
        rows = made.frame[table.frame["taste"].to_numpy() == taste]
        assert (rows[["shown_1", "shown_2"]].to_numpy() == options).all()
    assert made.frame["objective"].to_numpy() == pytest.approx(8)
    assert made.frame["gain"].to_numpy() == pytest.approx(3)
    assert made.frame["reason"][0].startswith(f"shown {made.frame['shown_1'][0]}, b; sales 5.00 → 8.00")
    gain = made.promise.gain
    assert gain is not None
    assert gain.low < 3 * ROWS < gain.high
    assert made.promise.total.low < 8 * ROWS < made.promise.total.high
    write(made.frame, tmp_path / "actions.xlsx")
    assert words.action(simulator.scenario, evidence) == "Choose up to 2 options of shown for each row on its own"
    assert any("is an assumption" in line for line in reasons.verdict(simulator.scenario, evidence))


def test_people_fix_the_options_of_rows() -> None:
    simulator, table = _world()
    evidence = judge_slots(simulator, table)
    scenario = simulator.scenario
    given = locks(scenario, table, {1: {"shown_1": "c", "shown_2": None}, 2: {"shown": ["b", "a"]}})
    made = recommend(simulator, evidence, table, locked=given)
    assert made.frame.loc[:1, ["shown_1", "shown_2"]].values.tolist() == [["c", "none"], ["b", "a"]]
    assert (made.frame["remarks"] == "fixed by a person").sum() == 2
    assert made.plan.method.startswith(f"2 of {ROWS:,} rows fixed by people")
    wrong = {
        1: {"shown": "a", "shown_3": "b"},
        2: {"shown": ["a", "a"]},
        3: {"shown": ["a", "b", "c"]},
        4: {"shown": "z"},
    }
    with pytest.raises(UsageError) as refused:
        locks(scenario, table, wrong)
    for told in (
        "row 1: shown_3: found an unknown lever",
        "row 2: shown: found an option in two",
        "row 3: shown: found 3",
    ):
        assert told in str(refused.value)
    assert "row 4: shown: found 'z'" in str(refused.value)
