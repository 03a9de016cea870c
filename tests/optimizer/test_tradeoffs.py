"""Fronts and frontiers whose curves can be written down."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.errors import RefusedError, UsageError
from drivetrain.optimizer import Plan, asking, front, frontier
from drivetrain.optimizer.tradeoffs import undominated
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

HEAD = """\
objective: {{maximise: y, beside: [{beside}]}}
levers: {{price: {{kind: continuous, min: 0, max: 10}}}}
inputs: {{x: {{kind: numeric}}}}
outcomes: {{y: {{kind: numeric}}}}
"""
X = np.linspace(4, 8, 60)


def made(more: str = "", beside: str = "{name: price_paid, minimise: price}") -> Simulator:
    """Each row is worth −(price − x)²."""
    scenario = declare(HEAD.format(beside=beside) + more, folds=2)

    def response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return -((at - x) ** 2).sum(-1)

    return stand_in(scenario, {"y": response}, anywhere(scenario.space))


def test_a_front_of_a_setting_for_each_row_is_the_curve_that_calculus_gives() -> None:
    simulator = made()
    found = front(simulator, simulator.crowd(pd.DataFrame({"x": X})), np.arange(60), 11)
    worth, paid = found.values.T
    assert len(found) >= 10
    assert paid[0] == pytest.approx(X.mean(), abs=0.01)  # best for the first objective alone
    assert paid[-1] == pytest.approx(0, abs=0.01)
    assert (np.diff(worth) < 0).all()
    assert (np.diff(paid) < 0).all()
    gap = X.mean() - paid[paid > 2.1]  # while no price is at its lower end, all move together
    assert worth[paid > 2.1] == pytest.approx(-(gap**2), abs=0.02)


def test_a_front_of_one_setting_for_all_and_of_three_objectives() -> None:
    three = "{name: price_paid, minimise: price}, {name: late, maximise: price ** 2}"
    simulator = made(beside=three)
    found = front(simulator, simulator.crowd(pd.DataFrame({"x": X})), np.zeros(60, dtype=np.int64), 25)
    assert [goal.name for goal in found.goals] == ["objective", "price_paid", "late"]
    shared = found.shared(simulator.scenario.space)
    assert shared is not None
    price = shared["price"].to_numpy()
    assert found.values[:, 1] == pytest.approx(price, abs=1e-5)
    assert found.values[:, 2] == pytest.approx(price**2, abs=1e-4)
    assert found.values[:, 0] == pytest.approx(-((price[:, None] - X) ** 2).mean(1), abs=1e-4)
    assert np.ptp(price) > 9  # paying little and being late pull apart: every price is on the front


def test_one_objective_has_no_front() -> None:
    scenario = declare(HEAD.format(beside=""), folds=2)
    alone = stand_in(scenario, {"y": lambda x, at: -((at - x) ** 2).sum(-1)}, anywhere(scenario.space))
    with pytest.raises(UsageError, match="one objective"):
        front(alone, alone.crowd(pd.DataFrame({"x": X})), np.arange(60))


def test_undominated_keeps_what_nothing_beats_and_each_once() -> None:
    values = np.array([[0.0, 3], [1, 2], [1, 2], [0.5, 2], [3, 0], [3, 0 - 1e-9]])
    assert undominated(values, np.array([3.0, 3.0])).tolist() == [0, 1, 4]


@pytest.mark.parametrize("kind", ["total", "mean"])
def test_a_frontier_and_its_prices_are_those_of_calculus(kind: str) -> None:
    scale = 60 if kind == "total" else 1
    simulator = made(f"constraints: [{{name: budget, {kind}: price, at_most: {5 * scale}}}]")
    found = frontier(simulator, simulator.crowd(pd.DataFrame({"x": X})), np.arange(60), "budget", 9)
    assert found.bounds[0] == pytest.approx(X.mean() * scale / 9, rel=0.01)
    assert found.bounds[-1] == pytest.approx(X.mean() * scale, rel=1e-3)
    assert 5 * scale in found.bounds
    inside = (found.bounds > 2.1 * scale) & (found.bounds < 5.9 * scale)
    gap = X.mean() - found.bounds[inside] / scale
    assert found.values[inside] == pytest.approx(-(gap**2), abs=0.01)
    assert found.prices[inside] == pytest.approx(2 * gap * (60 / scale), rel=0.1)
    assert (found.spent <= found.bounds + 1e-5 * scale).all()
    assert (np.diff(found.values) >= -1e-9).all()


def test_a_frontier_needs_a_bound_over_all_rows() -> None:
    simulator = made("constraints: [{name: cap, each: price, at_most: 9}]")
    crowd = simulator.crowd(pd.DataFrame({"x": X}))
    with pytest.raises(UsageError, match="holds for each row"):
        frontier(simulator, crowd, np.arange(60), "cap")
    with pytest.raises(UsageError, match="no such constraint"):
        frontier(simulator, crowd, np.arange(60), "budget")


@pytest.mark.parametrize("asked", ["front", "frontier"])
def test_what_a_search_finds_is_checked_by_other_code(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = made("constraints: [{name: paid, total: price, at_most: 100}]")
    crowd, unit = simulator.crowd(pd.DataFrame({"x": X})), np.arange(60)
    monkeypatch.setattr(asking, "optimise", lambda *_, **__: Plan(np.full((60, 1), 9.0), "wrong"))
    with pytest.raises(RefusedError, match="second look"):
        front(simulator, crowd, unit, 5) if asked == "front" else frontier(simulator, crowd, unit, "paid", 5)
