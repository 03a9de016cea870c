"""Near-optimal ranges, against the loss written out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from drivetrain.optimizer import nearby
from tests.stand_ins import anywhere, declare, stand_in

ONE = """\
objective: {maximise: 100 + y}
levers: {price: {kind: continuous, min: 0, max: 10}}
inputs: {x: {kind: numeric}}
outcomes: {y: {kind: numeric}}
"""
TWO = ONE.replace("max: 10}}", "max: 10}, calls: {kind: integer, min: 0, max: 6}, gift: {kind: yes_no}}")


def test_the_range_loses_at_most_a_hundredth_and_one_step_more_loses_more() -> None:
    scenario = declare(ONE)
    simulator = stand_in(scenario, {"y": lambda x, at: -((at[..., 0] - 5 - x[..., 0]) ** 2)}, anywhere(scenario.space))
    x = np.linspace(-2, 2, 9)
    found = nearby(simulator, simulator.crowd(pd.DataFrame({"x": x})), 5 + x[:, None])
    assert found[:, 0, 0] == pytest.approx(5 + x - 1, abs=0.1)
    assert found[:, 0, 1] == pytest.approx(5 + x + 1, abs=0.1)
    lost = (found[:, 0] - 5 - x[:, None]) ** 2
    assert lost.max() <= 1 + 1e-4


def test_a_dip_or_a_constraint_ends_the_run() -> None:
    scenario = declare(ONE + "constraints: [{name: cheap, each: price, at_most: 7.05}]")
    simulator = stand_in(
        scenario,
        {"y": lambda x, at: -50.0 * ((at[..., 0] > 2) & (at[..., 0] < 3)) + 0 * x[..., 0]},
        anywhere(scenario.space),
    )
    found = nearby(simulator, simulator.crowd(pd.DataFrame({"x": [0.0]})), np.array([[5.0]]))
    assert found[0, 0] == pytest.approx([3.0, 7.05], abs=0.11)


def test_each_of_several_levers_moves_by_itself() -> None:
    scenario = declare(TWO)

    def response(x, at):
        return -((at[..., 0] - 5) ** 2) - 0.3 * (at[..., 1] - 3) ** 2 + 0 * x[..., 0]

    simulator = stand_in(scenario, {"y": response}, anywhere(scenario.space))
    found = nearby(simulator, simulator.crowd(pd.DataFrame({"x": [0.0, 1.0]})), np.tile([5.0, 3.0, 1.0], (2, 1)))
    assert found[0, 0] == pytest.approx([4, 6], abs=0.5)
    assert found[0, 1].tolist() == [2, 4]
    assert np.isnan(found[:, 2]).all()


def test_nothing_is_about_as_good_as_a_setting_that_is_barred() -> None:
    """As a person may have fixed it. Every other barred setting was as good as it."""
    scenario = declare(ONE + "constraints: [{name: cheap, each: price, at_most: 7}]")
    simulator = stand_in(scenario, {"y": lambda x, at: 0 * x[..., 0] * at[..., 0]}, anywhere(scenario.space))
    found = nearby(simulator, simulator.crowd(pd.DataFrame({"x": [0.0]})), np.array([[8.0]]))
    assert found[0, 0].tolist() == [8.0, 8.0]
