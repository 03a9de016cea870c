"""The cost of changing a row's setting: chosen with it as brute force would, and judged exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.errors import DataError, ScenarioError
from drivetrain.evidence import Judge
from drivetrain.evidence.propensity import Stratified
from drivetrain.optimizer import optimise
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, as_table, declare, stand_in

TEXT = """\
objective: {DIRECTION: SIGN * y, change: CHANGE}
levers: {price: {kind: continuous, min: 0, max: 10, current: CURRENT}}
inputs: {x: {kind: numeric}}
outcomes: {y: {kind: numeric}}
decide: {unit: row}
constraints: [BOUNDS]
"""
X = np.array([2.0, 4.0, 5.05, 8.0, 3.0, 6.0])
NOW = np.array([2.5, 7.0, 5.0, 8.013, 0.0, 9.0])


def _declare(change: str = "1", now: str = "data", direction: str = "maximise", bounds: str = "") -> Scenario:
    sign = "1" if direction == "maximise" else "-1"
    text = TEXT.replace("DIRECTION", direction).replace("SIGN", sign).replace("CHANGE", change)
    return declare(text.replace("CURRENT", now).replace("BOUNDS", bounds))


def _response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return -((at[..., 0] - x[..., 0]) ** 2)


def _simulator(scenario: Scenario) -> Simulator:
    return stand_in(scenario, {"y": _response}, anywhere(scenario.space))


def _frame(now: np.ndarray = NOW) -> pd.DataFrame:
    return pd.DataFrame({"x": X, "price": now})


def _settings(scenario: Scenario) -> np.ndarray:
    simulator = _simulator(scenario)
    return optimise(simulator, simulator.crowd(_frame()), np.arange(len(X))).settings[:, 0]


@pytest.mark.parametrize("direction", ["maximise", "minimise"])
def test_a_row_changes_only_where_that_pays(direction: str) -> None:
    chosen = _settings(_declare("1", direction=direction))
    pays = (NOW - X) ** 2 > 1
    assert (chosen[~pays] == NOW[~pays]).all()
    assert chosen[pays] == pytest.approx(X[pays], abs=0.02)


def test_the_cost_may_grow_with_the_change() -> None:
    chosen = _settings(_declare("2 * abs(price - current_price)"))
    nearer = X + np.clip(NOW - X, -1, 1)  # where the slope of (p − x)² is 2
    assert chosen == pytest.approx(nearer, abs=0.02)


def test_one_current_setting_is_known_without_a_column() -> None:
    simulator = _simulator(_declare("1", now="5"))
    crowd = simulator.crowd(_frame().drop(columns="price"))
    chosen = optimise(simulator, crowd, np.arange(len(X))).settings[:, 0]
    assert chosen == pytest.approx(np.where((X - 5) ** 2 > 1, X, 5), abs=0.02)


@pytest.mark.parametrize("most", [20.0, 26.0])
def test_totals_and_changes_together_equal_brute_force(most: float) -> None:
    scenario = _declare("1", bounds=f"{{name: room, total: price, at_most: {most}}}")
    chosen = _settings(scenario)
    assert chosen.sum() <= most * (1 + 1e-6)
    earned = -((chosen - X) ** 2).sum() - (chosen != NOW).sum()
    best = -np.inf
    for keeps in np.ndindex(*(2,) * len(X)):  # those that change share what room is left, evenly
        free = ~np.array(keeps, dtype=bool)
        over = max(0.0, NOW[~free].sum() + X[free].sum() - most)
        if over and not free.any():
            continue
        at = np.where(free, X - over / max(1, free.sum()), NOW)
        if (at >= 0).all():
            best = max(best, -((at - X) ** 2).sum() - free.sum())
    assert earned == pytest.approx(best, rel=0.01)  # candidates lie a tenth apart
    assert earned <= best + 1e-6


def test_evidence_takes_the_cost_off_exactly() -> None:
    rng = np.random.default_rng(0)
    rows, plain, dear = 400, _declare("0"), _declare("3 + abs(price - current_price)")
    frame = pd.DataFrame({"x": rng.uniform(0, 10, rows), "price": rng.uniform(0, 10, rows)})
    frame["y"] = -((frame["price"] - frame["x"]) ** 2) + rng.normal(0, 1, rows)
    settings, wanted = frame[["price"]].to_numpy(), np.full((rows, 1), 4.0)
    scores = []
    for scenario in (plain, dear):
        simulator = _simulator(scenario)
        table = as_table(scenario, frame, settings)
        court = Judge(simulator, table, Stratified(settings, np.zeros(rows, dtype=np.int64)))
        scores.append((court.scores(wanted), court.logged().total))
    known = 3 + np.abs(4 - settings[:, 0])
    assert scores[0][0].total - scores[1][0].total == pytest.approx(known, abs=1e-4)
    assert scores[0][0].correction == pytest.approx(scores[1][0].correction, abs=1e-4)
    assert scores[0][1] == pytest.approx(scores[1][1])  # what was done is what is current


def test_rows_that_do_not_say_what_is_current_are_told() -> None:
    simulator = _simulator(_declare("1"))
    crowd = simulator.crowd(_frame(np.full(len(X), np.nan)))
    with pytest.raises(DataError, match="current_price"):
        optimise(simulator, crowd, np.arange(len(X)))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("y", "objective.change: found the outcome 'y' in it"),
        ("curent_price", "found the unknown name 'curent_price'"),
    ],
)
def test_strange_costs_of_change_are_told(change: str, found: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        _declare(change)
    assert found in str(caught.value)


def test_the_name_of_what_is_current_is_taken() -> None:
    text = TEXT.replace("DIRECTION", "maximise").replace("SIGN", "1").replace("CHANGE", "1").replace("CURRENT", "5")
    with pytest.raises(ScenarioError, match="found 'current_price' declared beside it"):
        declare(text.replace("inputs: {", "inputs: {current_price: {kind: numeric}, ").replace("BOUNDS", ""))
