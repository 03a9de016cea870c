"""Who comes first: the area and the end of the curve are those of the truth, and a budget goes where it brings most."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.decisions import grounds
from drivetrain.evidence import judge
from drivetrain.figures import uplift as drawn
from drivetrain.simulator import Support
from tests.stand_ins import as_table, declare, stand_in

TEXT = """\
objective: {maximise: 10 * y, unit: EUR}
levers: {offer: {kind: integer, min: 0, max: 1, do_nothing: 0}}
inputs: {x: {kind: numeric}, fee: {kind: numeric}}
outcomes: {y: {kind: numeric}}
assignment: {design: randomised}
decide: {unit: row}
"""
BUDGET = "constraints: [{name: spend, mean: fee * offer, at_most: 0.9, unit: EUR}]\n"


def lifted(x, at):
    """Rows gain x, from 0 to 1."""
    return x[..., 0] * at[..., 0]


def judged(text: str = TEXT, response=lifted, noise: float = 0.5):
    draw, scenario, rows = np.random.default_rng(4), declare(text), 3000
    frame = pd.DataFrame({"x": draw.random(rows), "fee": draw.choice([0.5, 2.0], rows)})
    offer = draw.integers(0, 2, rows).astype(float)
    inputs = torch.tensor(frame[["x", "fee"]].to_numpy())
    frame["y"] = response(inputs, torch.tensor(offer[:, None])).numpy() + noise * draw.normal(size=rows)
    table = as_table(scenario, frame, offer)
    simulator = stand_in(scenario, {"y": response}, Support.fit(scenario.space, table.settings))
    return judge(simulator, table), scenario


def test_the_area_and_the_end_are_those_of_the_truth() -> None:
    """Gains of 10·x with x even on 0 to 1: those in front of share s bring 10·(s − s²/2), 5 in all, 3.33 on average."""
    evidence, scenario = judged()
    told = evidence.uplift
    assert told is not None
    assert told.against == "do_nothing"
    for each in told.points:
        true = 10 * (each.share - each.share**2 / 2)
        assert abs(each.gain.value - true) < 3.5 * each.gain.error + 1e-9
        assert each.spent is None
    assert told.whole.value == pytest.approx(evidence.gains["do_nothing"].value)
    assert told.whole.error == pytest.approx(evidence.gains["do_nothing"].error)
    assert abs(told.area.value - 10 / 3) < 3 * told.area.error
    assert abs(told.qini.value - (10 / 3 - 2.5)) < 3 * told.qini.error
    assert told.qini.low > 0
    assert any("the better half of rows brings" in line for line in grounds.sentences(scenario, evidence))
    figure = drawn(scenario, evidence)
    assert figure is not None
    curve = next(trace for trace in figure.data if trace.name == "best rows first, 95% interval" and trace.fill is None)
    assert list(curve.y) == [each.gain.value for each in told.points]
    assert drawn(scenario, evidence, budget=True) is None


def test_where_all_gain_alike_nobody_comes_first() -> None:
    evidence, scenario = judged(response=lambda x, at: 0 * x[..., 0] + 0.5 * at[..., 0])
    assert evidence.uplift is None
    assert drawn(scenario, evidence) is None


def test_an_order_that_tells_nothing_is_called_that() -> None:
    """Models that believe in x where every row gains the same: the curve is the straight line."""
    draw, scenario = np.random.default_rng(5), declare(TEXT)
    frame = pd.DataFrame({"x": draw.random(3000), "fee": 1.0 + draw.random(3000)})
    offer = draw.integers(0, 2, 3000).astype(float)
    frame["y"] = 0.5 * offer + draw.normal(size=3000)
    table = as_table(scenario, frame, offer)
    evidence = judge(stand_in(scenario, {"y": lifted}, Support.fit(scenario.space, table.settings)), table)
    assert evidence.uplift is not None
    assert evidence.uplift.qini.low <= 0 <= evidence.uplift.qini.high
    assert any("cannot be told" in line for line in grounds.sentences(scenario, evidence))


def test_a_budget_goes_to_those_who_gain_most_for_what_they_cost() -> None:
    evidence, scenario = judged(TEXT + BUDGET)
    told = evidence.uplift
    assert told is not None
    assert told.budget == "spend"
    spent = [each.spent or 0.0 for each in told.points]
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(0.9, abs=0.03)
    value = [each.gain.value for each in told.points]
    slopes = np.diff(value) / np.maximum(np.diff(spent), 1e-12)
    used = np.diff(spent) > 0.005
    assert slopes[used][0] > 2 * slopes[used][-1] > 0
    figure = drawn(scenario, evidence, budget=True)
    assert figure is not None
    assert figure.layout.xaxis.title.text == "used of spend, for one row (EUR)"
