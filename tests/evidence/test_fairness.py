"""Differences between groups, on a world whose groups are known; and bounds on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.decisions import fairness, recommend
from drivetrain.errors import ScenarioError
from drivetrain.evidence import Evidence, judge
from drivetrain.optimizer import centred
from drivetrain.simulator import Simulator, Support
from tests.stand_ins import as_table, declare, stand_in

TEXT = """\
objective: {maximise: 10 * y - price}
levers: {price: {kind: integer, min: 0, max: 4, do_nothing: 0}}
inputs: {member: {kind: yes_no}}
outcomes: {y: {kind: numeric}}
assignment: {design: randomised}
"""


def response(x, at):
    """The best price is 1 for those who are no members and 3 for members; the best serves all alike."""
    return 1 - 0.2 * (at[..., 0] - 1 - 2 * x[..., 0]) ** 2


def world(fair: str) -> tuple[Simulator, object]:
    draw, scenario, rows = np.random.default_rng(3), declare(TEXT + fair), 1500
    frame = pd.DataFrame({"member": draw.integers(0, 2, rows).astype(float)})
    price = draw.integers(0, 5, rows).astype(float)
    x = torch.tensor(frame[["member"]].to_numpy())
    frame["y"] = response(x, torch.tensor(price[:, None])).numpy() + 0.3 * draw.normal(size=rows)
    table = as_table(scenario, frame, price)
    return stand_in(scenario, {"y": response}, Support.fit(scenario.space, table.settings)), table


def gap(evidence: Evidence, of: str):
    return next(each for each in evidence.fairness if each.of == of)


def test_what_groups_get_and_what_comes_of_it():
    simulator, table = world("fairness: [{by: member}]")
    evidence = judge(simulator, table)
    told = gap(evidence, "price")
    assert [each.group for each in told.groups] == ["yes", "no"]
    assert (told.gap.value, told.gap.error) == (2, 0)
    assert told.groups[0].rows + told.groups[1].rows == 1500
    came = gap(evidence, "y")
    assert came.judged
    assert came.gap.low <= 0 <= came.gap.high  # the best serves all alike
    assert gap(evidence, "objective").gap.value == pytest.approx(2, abs=4 * gap(evidence, "objective").gap.error)
    assert "member yes and member no price differs by 2" in fairness.sentences(simulator.scenario, evidence)[0]
    assert fairness.lines(simulator.scenario, evidence)[0][:4] == ["price", "yes 3.00", "no 1.00", "2.00"]


def test_a_gap_may_be_bounded_and_has_its_price():
    simulator, table = world("fairness: [{by: member, of: price, at_most: 1}]")
    bounded, centres, prices = centred(simulator, table.frame)
    settings = recommend(bounded, replace(judge(simulator, table), recommended="row"), table).plan.settings[:, 0]
    member = table.frame["member"].to_numpy() > 0
    assert settings[member].mean() - settings[~member].mean() <= 1 + 0.02
    assert len(centres) == 1
    gaps, worth = [each.gap for each in prices], [each.objective for each in prices]
    assert gaps == sorted(gaps, reverse=True)
    assert worth == sorted(worth, reverse=True)  # the tighter, the dearer
    assert worth[0] == pytest.approx(8, abs=0.1)
    # One price for all: 2, off by one for everybody, costs 10 * 0.2.
    assert worth[-1] == pytest.approx(8 - 2, abs=0.1)
    assert "gap of at most 1.00 in price by member" in " ".join(
        fairness.prices(simulator.scenario, {"fairness": {"prices": [each.__dict__ for each in prices]}})
    )
    evidence = judge(bounded, table)
    assert gap(evidence, "price").gap.value <= 1.05
    assert evidence.chosen.estimate.value < 8


@pytest.mark.parametrize(
    ("fair", "why"),
    [
        ("{by: membre}", "Did you mean 'member'"),
        ("{by: member, at_most: 1}", "needs both"),
        ("{by: member, of: price}", "needs both"),
        ("{by: member, of: pric, at_most: 1}", "Did you mean 'price'"),
    ],
)
def test_what_cannot_be_compared_is_told(fair: str, why: str):
    with pytest.raises(ScenarioError, match=why):
        declare(TEXT + f"fairness: [{fair}]")
