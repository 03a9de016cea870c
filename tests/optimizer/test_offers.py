"""Levers that stay, that need a condition, that each row bounds; against brute force over what a row may have."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st

from drivetrain.errors import InfeasibleError
from drivetrain.optimizer import holds, optimise, shortlist
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

TEXT = """\
objective: {maximise: y - cost}
levers:
  price: {kind: integer, min: 0, max: 40, at_most: 1.2 * old, at_least: 0.8 * old, cost: price * 0.1}
  mailed: {kind: yes_no, do_nothing: no, cost: mailed}
  discount: {kind: integer, min: 0, max: 3, do_nothing: 0, when: mailed and x > 0, cost: 0.5 * discount}
inputs: {x: {kind: numeric}, old: {kind: numeric}}
outcomes: {y: {kind: numeric}}
"""


def known(more: str = "") -> Simulator:
    scenario = declare(TEXT + more)

    def response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return 0.3 * at[..., 0] * x[..., 0] + at[..., 1] * (1 + x[..., 0]) + at[..., 2] * x[..., 0]

    return stand_in(scenario, {"y": response}, anywhere(scenario.space))


def worth(x: float, at: tuple[int, ...]) -> float:
    price, mailed, discount = at
    return 0.3 * price * x + mailed * (1 + x) + discount * x - 0.1 * price - mailed - 0.5 * discount


def allowed(x: float, old: float, at: tuple[int, ...]) -> bool:
    price, mailed, discount = at
    return 0.8 * old <= price <= 1.2 * old and (discount == 0 or (mailed == 1 and x > 0))


EVERY = list(product(range(41), range(2), range(4)))


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_every_row_gets_the_best_that_it_may_have(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, old = draw.normal(size=6), draw.uniform(3, 33, 6)
    simulator = known()
    crowd = simulator.crowd(pd.DataFrame({"x": x, "old": old}))
    plan = optimise(simulator, crowd, np.arange(6))
    assert holds(simulator, crowd, plan.settings)
    for i in range(6):
        got = tuple(int(each) for each in plan.settings[i])
        assert allowed(x[i], old[i], got)
        best = max(worth(x[i], at) for at in EVERY if allowed(x[i], old[i], at))
        assert worth(x[i], got) == pytest.approx(best, rel=1e-4, abs=1e-4)


def test_ends_of_a_row_are_hit_though_no_candidate_lies_there() -> None:
    scenario = declare(
        "objective: {maximise: y}\nlevers: {price: {kind: continuous, min: 0, max: 1000, at_most: 1.2 * old,"
        " at_least: 1.19 * old}}\ninputs: {old: {kind: numeric}}\noutcomes: {y: {kind: numeric}}\n"
    )
    simulator = stand_in(scenario, {"y": lambda _, at: at[..., 0]}, anywhere(scenario.space))
    old = np.array([1.0, 10.0, 123.456, 700.0])
    crowd = simulator.crowd(pd.DataFrame({"old": old}))
    plan = optimise(simulator, crowd, np.arange(4))
    assert (plan.settings[:, 0] <= 1.2 * old * (1 + 1e-6)).all()
    assert (plan.settings[:, 0] >= 1.2 * old - 1).all()
    assert holds(simulator, crowd, plan.settings)


def test_a_segment_keeps_the_bounds_of_all_its_rows() -> None:
    simulator = known()
    crowd = simulator.crowd(pd.DataFrame({"x": [1.0, 1.0, 1.0], "old": [10.0, 11.0, 30.0]}))
    plan = optimise(simulator, crowd, np.array([0, 0, 1]))
    assert plan.settings[:, 0].tolist() == [12, 12, 36]
    with pytest.raises(InfeasibleError, match=r"levers\.price\.at_"):
        optimise(simulator, crowd, np.zeros(3, dtype=np.int64))


def test_segments_of_one_row_each_keep_their_own_bounds_in_any_order() -> None:
    simulator = known()
    crowd = simulator.crowd(pd.DataFrame({"x": [1.0, 1.0, 1.0], "old": [10.0, 30.0, 20.0]}))
    plan = optimise(simulator, crowd, np.array([2, 0, 1]))
    assert plan.settings[:, 0].tolist() == [12, 36, 24]


def test_a_total_is_kept_beside_own_bounds() -> None:
    simulator = known("constraints: [{name: mail, total: mailed, at_most: 2}, {name: gross, mean: price, at_most: 15}]")
    crowd = simulator.crowd(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "old": [10.0, 12.0, 14.0, 20.0]}))
    plan = optimise(simulator, crowd, np.arange(4))
    assert plan.settings[:, 1].tolist() == [0, 0, 1, 1]
    assert plan.settings[:2, 2].tolist() == [0, 0]
    assert plan.settings[:, 0].mean() <= 15
    assert holds(simulator, crowd, plan.settings)


def test_rows_without_room_are_named() -> None:
    simulator = known("constraints: [{name: dear, each: price, at_least: 20}]")
    crowd = simulator.crowd(pd.DataFrame({"x": [1.0, 2.0], "old": [10.0, 30.0]}))
    with pytest.raises(InfeasibleError) as caught:
        optimise(simulator, crowd, np.arange(2))
    told = {fault.thing for fault in caught.value.faults}
    assert {"constraints.dear.at_least", "levers.price.at_most"} <= told
    assert "Write dear.at_least: 12" in str(caught.value)


def test_a_frozen_setting_is_the_only_candidate() -> None:
    scenario = declare(
        "objective: {maximise: y}\nlevers:\n  price: {kind: integer, min: 0, max: 9, current: 3, frozen: true}\n"
        "  gift: {kind: yes_no}\noutcomes: {y: {kind: numeric}}\n"
    )
    simulator = stand_in(scenario, {"y": lambda _, at: at[..., 0] + at[..., 1]}, anywhere(scenario.space))
    crowd = simulator.crowd(pd.DataFrame(index=range(3)))
    assert optimise(simulator, crowd, np.arange(3)).settings.tolist() == [[3, 1]] * 3
    assert (shortlist(simulator, crowd, 9)[0][:, 0] == 3).all()
