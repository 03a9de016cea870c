"""One setting for all, of many levers: functions whose best is known, bounds, support, levers without gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from drivetrain.optimizer import candidates, holds, optimise, shortlist
from drivetrain.optimizer.landscape import Landscape
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator, Support
from tests.stand_ins import anywhere, declare, stand_in

LEVERS = "".join(f"  v{i}: {{kind: continuous, min: -3, max: 5}}\n" for i in range(8))
HEAD = "objective: {maximise: y}\noutcomes: {y: {kind: numeric}}\ndecide: {unit: once}\n"
NOBODY = pd.DataFrame(index=range(40))


def bowl(x: Tensor, at: Tensor) -> Tensor:
    """Best at 0, 1/2, 1, ... with value 3."""
    peak = torch.arange(at.shape[-1], dtype=torch.float64) / 2
    return 3 - ((at - peak) ** 2).sum(-1)


def ripples(x: Tensor, at: Tensor) -> Tensor:
    """Rastrigin's function around 1.3: 0 there, and a better neighbour at every unit step towards it."""
    z = at - 1.3
    return -(z**2 - 10 * torch.cos(2 * torch.pi * z) + 10).sum(-1)


def best(
    scenario: Scenario, response: Callable[[Tensor, Tensor], Tensor], support: Support | None = None
) -> np.ndarray:
    simulator = stand_in(scenario, {"y": response}, support or anywhere(scenario.space))
    crowd = simulator.crowd(NOBODY)
    plan = optimise(simulator, crowd, np.zeros(40, dtype=np.int64))
    assert (plan.settings == plan.settings[0]).all()
    assert holds(simulator, crowd, plan.settings)
    assert simulator.support.holds(plan.settings).all()
    return plan.settings[0]


def test_eight_levers_without_and_with_ripples() -> None:
    scenario = declare(HEAD + "levers:\n" + LEVERS)
    assert best(scenario, bowl) == pytest.approx(np.arange(8) / 2, abs=0.011)
    assert best(scenario, ripples) == pytest.approx(np.full(8, 1.3), abs=0.011)


def test_a_bound_that_binds_is_met_and_used() -> None:
    total = " + ".join(f"v{i}" for i in range(8))
    scenario = declare(HEAD + "levers:\n" + LEVERS + f"constraints: [{{name: sum, each: {total}, at_most: 6}}]\n")
    found = best(scenario, bowl)  # the best sums to 14: each gives up the same 1
    assert found == pytest.approx(np.arange(8) / 2 - 1, abs=0.06)
    assert found.sum() == pytest.approx(6, abs=0.02)


def test_levers_without_a_range_are_chosen_too() -> None:
    text = "levers:\n  a: {kind: continuous, min: 0, max: 10}\n  b: {kind: integer, min: 0, max: 400}\n"
    text += "  c: {kind: categorical, options: [one, two, three]}\n  d: {kind: yes_no}\n"
    text += "  e: {kind: continuous, min: 0, max: 1, step: 0.05}\n"

    def response(x: Tensor, at: Tensor) -> Tensor:
        a, b, c, d, e = at.unbind(-1)
        return -((a - 7.13) ** 2) - ((b - 123) / 40) ** 2 + 2 * (c == 1) * (d == 0) - (e - 0.35) ** 2

    assert best(declare(HEAD + text), response) == pytest.approx([7.13, 123, 1, 0, 0.35], abs=0.011)


def test_without_gradients_levers_are_set_in_turn() -> None:
    def steps(x: Tensor, at: Tensor) -> Tensor:
        return torch.from_numpy(np.round(bowl(x, at.detach()).numpy(), 6))

    scenario = declare(HEAD + "levers:\n" + LEVERS)
    simulator = stand_in(scenario, {"y": steps}, anywhere(scenario.space))
    assert not Landscape.of(simulator, simulator.crowd(NOBODY)).smooth
    assert best(scenario, steps) == pytest.approx(np.arange(8) / 2, abs=0.02)


def test_many_levers_have_support_near_what_was_done_and_none_far_from_it() -> None:
    scenario = declare(HEAD + "levers:\n" + LEVERS)
    draw = np.random.default_rng(0)
    logged = draw.uniform(-1, 3, (1500, 8)).round(3)
    support = Support.fit(scenario.space, logged)
    assert support.radius > 0  # hardly any row has ten others around it in eight levers
    assert support.holds(draw.uniform(-0.9, 2.9, (500, 8))).mean() > 0.8
    assert not support.holds(np.full((1, 8), -3.0)).any()
    tied = logged.copy()
    tied[:, 4:] = (tied[:, :4] + draw.normal(0, 0.1, (1500, 4))).clip(-1, 3)  # always set alike
    together = Support.fit(scenario.space, tied)
    assert together.holds(np.array([[0.0] * 8, [2.0] * 8])).all()
    assert not together.holds(np.array([[0.0] * 4 + [2.5] * 4])).any()
    assert len(candidates(scenario.space, support)) > 1000
    assert best(scenario, bowl, support) == pytest.approx(np.arange(8).clip(0, 6) / 2, abs=0.7)


def test_a_setting_at_the_edge_of_support_is_not_passed_over() -> None:
    scenario = declare(HEAD + "levers:\n" + "".join(LEVERS.splitlines(keepends=True)[:2]))
    logged = np.random.default_rng(1).normal(0, 0.5, (1000, 2)).clip(-3, 5).round(4)
    support = Support.fit(scenario.space, logged)

    def slope(x: Tensor, at: Tensor) -> Tensor:
        return at @ torch.tensor([1.0, 1.0], dtype=torch.float64)

    found = best(scenario, slope, support)
    grid = np.stack(np.meshgrid(np.linspace(0, 2, 201), np.linspace(0, 2, 201)), -1).reshape(-1, 2)
    most = grid[support.holds(grid)].sum(1).max()
    assert found.sum() >= most - 0.02


def test_rows_that_nothing_tells_apart_are_asked_about_once() -> None:
    text = HEAD + "levers:\n" + LEVERS + "inputs: {x: {kind: numeric}}\n"
    scenario = declare(text)

    def response(x: Tensor, at: Tensor) -> Tensor:
        return -((at - x) ** 2).sum(-1)

    simulator = stand_in(scenario, {"y": response}, anywhere(scenario.space))
    crowd = simulator.crowd(pd.DataFrame({"x": [0.0] * 30 + [2.0] * 10}))
    landscape = Landscape.of(simulator, crowd)
    assert len(landscape.crowd) == 2
    assert landscape.weights.tolist() == [30, 10]
    assert float(landscape.ask(np.zeros((1, 8))).goals[0, 0]) == pytest.approx(-8)
    plan = optimise(simulator, crowd, np.zeros(40, dtype=np.int64))
    assert plan.settings[0] == pytest.approx(np.full(8, 0.5), abs=0.011)
    assert "local searches by gradient" in plan.method


def test_a_short_list_holds_the_best() -> None:
    scenario = declare(HEAD + "levers:\n" + LEVERS)
    simulator = stand_in(scenario, {"y": bowl}, anywhere(scenario.space))
    listed, feasible = shortlist(simulator, simulator.crowd(NOBODY), 21)
    assert feasible
    assert len(listed) == 21
    assert np.abs(listed - np.arange(8) / 2).max(1).min() < 0.011


@pytest.mark.parametrize("bounded", [False, True])
def test_few_rows_stand_for_all_only_where_no_bound_is_to_be_kept(
    monkeypatch: pytest.MonkeyPatch, bounded: bool
) -> None:
    """One row that a sample passes over has a bound of its own."""
    monkeypatch.setattr("drivetrain.optimizer.choice.LISTED_BY", 50)
    asked: list[int] = []
    ask = Landscape.ask
    monkeypatch.setattr(Landscape, "ask", lambda self, at: asked.append(len(self.crowd)) or ask(self, at))
    scenario = declare(
        "objective: {maximise: y}\noutcomes: {y: {kind: numeric}}\ninputs: {x: {kind: numeric}}\n"
        "levers:\n  v0: {kind: continuous, min: -3, max: 5}\n  v1: {kind: continuous, min: -3, max: 5}\n"
        + ("constraints: [{name: cap, each: v0 + x, at_most: 10}]" if bounded else "")
    )
    simulator = stand_in(scenario, {"y": lambda x, at: -((at - x) ** 2).sum(-1)}, anywhere(scenario.space))
    x = np.random.default_rng(0).normal(1, 0.5, 400)
    x[157] = 10.0
    listed, feasible = shortlist(simulator, simulator.crowd(pd.DataFrame({"x": x})), 21)
    assert feasible
    assert len(listed) == 21 or bounded
    assert max(asked) == (400 if bounded else 50)
    want = np.array([min(x.mean(), 0.0) if bounded else x.mean(), x.mean()])
    assert np.abs(listed - want).max(1).min() < (0.05 if bounded else 0.25)
    assert not bounded or (listed[:, 0] <= 1e-5).all()


def test_two_ways_of_saying_one_landscape_agree() -> None:
    """Goals by the landscape and by the simulator's own outlook, gradients and differences."""
    scenario = declare(HEAD + "levers:\n" + LEVERS)
    simulator: Simulator = stand_in(scenario, {"y": bowl}, anywhere(scenario.space))
    landscape = Landscape.of(simulator, simulator.crowd(NOBODY))
    at = torch.full((1, 8), 0.7, dtype=torch.float64, requires_grad=True)
    value = landscape.ask(at).goals[0, 0]
    (slope,) = torch.autograd.grad(value, at)
    told = simulator.grid(simulator.crowd(NOBODY), np.full((1, 8), 0.7)).mean().mean()
    assert float(value.detach()) == pytest.approx(float(told))
    assert slope[0].numpy() == pytest.approx(-2 * (0.7 - np.arange(8) / 2), rel=1e-4)


def test_bounds_from_columns_hold_for_every_row_that_shares_the_setting() -> None:
    text = "levers:\n  a: {kind: continuous, min: 0, max: 10, at_most: 1.2 * old}\n"
    text += "  b: {kind: continuous, min: 0, max: 10, at_least: old - 2}\ninputs: {old: {kind: numeric}}\n"
    scenario = declare(HEAD + text)

    def response(x: Tensor, at: Tensor) -> Tensor:
        return -((at[..., 0] - 8) ** 2) - (at[..., 1] - 3) ** 2 + at[..., 0] * at[..., 1] / 10

    simulator = stand_in(scenario, {"y": response}, anywhere(scenario.space))
    crowd = simulator.crowd(pd.DataFrame({"old": [5.0, 6.0, 7.5]}))
    found = optimise(simulator, crowd, np.zeros(3, dtype=np.int64)).settings
    assert holds(simulator, crowd, found)
    assert found[0] == pytest.approx([6.0, 5.5], abs=0.011)  # 1.2 · 5 at most, 7.5 − 2 at least
