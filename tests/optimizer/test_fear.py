"""Decisions that fear models: what members disagree about is chosen less."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from torch import Tensor

from drivetrain.optimizer import optimise, premiums
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

HEAD = """\
objective: {{maximise: y{risk}}}
levers: {{price: {{kind: continuous, min: 0, max: 10}}}}
inputs: {{x: {{kind: numeric}}}}
outcomes: {{y: {{kind: numeric}}}}
"""


def made(risk: str) -> Simulator:
    """The mean of the members is 4·price − price²/2, at its best at 4; they differ by ±price."""
    scenario = declare(HEAD.format(risk=risk), folds=2)

    def say(sign: float) -> object:
        def response(x: Tensor, at: Tensor) -> Tensor:
            return (4 * at - at**2 / 2 + sign * at + 0 * x).sum(-1)

        return response

    return stand_in(scenario, {"y": [say(1.0), say(-1.0)]}, anywhere(scenario.space))  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("risk", "best"),
    [
        ("", 4),
        (", risk: {spread: 1}", 3),
        (", risk: {spread: 2.5}", 1.5),
        (", risk: {cvar: 0.5}", 3),
        (", risk: {quantile: 0.25}", 3.5),
    ],
)
@pytest.mark.parametrize("once", [True, False])
def test_the_best_price_is_lower_the_more_is_feared(risk: str, best: float, once: bool) -> None:
    simulator = made(risk)  # jackknife of two folds: √(1/2 · (p² + p²)) = p
    frame = pd.DataFrame({"x": np.arange(3.0)})
    unit = np.zeros(3, dtype=np.int64) if once else np.arange(3)
    plan = optimise(simulator, simulator.crowd(frame), unit)
    assert plan.settings[:, 0] == pytest.approx([best] * 3, abs=0.03)
    assert ("standard errors" in plan.method) == ("spread" in risk)


def test_what_is_taken_off_a_decision_is_that_of_its_rows_together() -> None:
    scenario = made(", risk: {spread: 1}").scenario

    def say(sign: float) -> object:
        return lambda x, at: (sign * at * x).sum(-1)  # errors of the two rows cancel

    simulator = stand_in(scenario, {"y": [say(1.0), say(-1.0)]}, anywhere(scenario.space))  # type: ignore[list-item]
    crowd = simulator.crowd(pd.DataFrame({"x": [1.0, -1.0]}))
    at = np.array([[2.0], [5.0]])
    assert premiums(simulator, crowd, np.zeros(2, dtype=np.int64), at) == pytest.approx(np.array([[0.0, 0]]))
    assert premiums(simulator, crowd, np.arange(2), at) == pytest.approx(np.array([[2.0, 5], [2, 5]]))
