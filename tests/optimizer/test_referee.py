"""The referee: what it lets pass, what it stops, and when things stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from drivetrain.errors import RefusedError
from drivetrain.optimizer import checked, optimise
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

SHOP = """\
objective: {maximise: 10 + y}
levers: {price: {kind: continuous, min: 0, max: 10, step: 0.5}}
inputs: {x: {kind: numeric}}
outcomes: {y: {kind: numeric}}
"""
FRAME = pd.DataFrame({"x": np.linspace(-1, 1, 20)})


def shop(more: str = "") -> Simulator:
    scenario = declare(SHOP + more)
    return stand_in(scenario, {"y": lambda x, at: -((at[..., 0] - 5 - x[..., 0]) ** 2)}, anywhere(scenario.space))


def test_an_answer_that_is_sound_passes_and_says_so() -> None:
    simulator = shop("constraints: [{name: sum, total: price, at_most: 60}]")
    crowd, unit = simulator.crowd(FRAME), np.arange(20)
    plan = optimise(simulator, crowd, unit)
    told = checked(simulator, crowd, unit, plan)
    assert np.array_equal(told.settings, plan.settings)
    assert told.method.endswith("scored and checked again")


@pytest.mark.parametrize(
    ("settings", "unit", "thing"),
    [
        (np.full((20, 1), 9.0), np.arange(20), "constraints"),
        (np.full((20, 1), 2.3), np.arange(20), "lever price"),
        (np.repeat([[2.0], [3.0]], 10, axis=0), np.zeros(20, dtype=np.int64), "rows of one decision"),
    ],
)
def test_an_answer_that_is_not_is_refused(settings: np.ndarray, unit: np.ndarray, thing: str) -> None:
    simulator = shop("constraints: [{name: sum, total: price, at_most: 60}]")
    crowd = simulator.crowd(FRAME)
    wrong = replace(optimise(simulator, crowd, np.arange(20)), settings=settings)
    with pytest.raises(RefusedError) as caught:
        checked(simulator, crowd, unit, wrong)
    assert caught.value.faults[0].thing == thing


def test_rows_that_would_be_worse_off_stay_as_they_are() -> None:
    simulator = shop("constraints: [{name: cap, each: price, at_most: 6}]")
    crowd, unit = simulator.crowd(FRAME), np.arange(20)
    best = optimise(simulator, crowd, unit)
    poor = replace(best, settings=np.where(unit[:, None] < 5, 0.0, best.settings))
    told = checked(simulator, crowd, unit, poor, now=np.full((20, 1), 4.5))
    assert told.settings[:5, 0].tolist() == [4.5] * 5
    assert np.array_equal(told.settings[5:], best.settings[5:])
    assert "5 rows left as they are" in told.method
    forbidden = checked(simulator, crowd, unit, poor, now=np.full((20, 1), 6.5))
    assert np.array_equal(forbidden.settings, poor.settings)


def test_under_a_shared_bound_all_stay_or_none() -> None:
    simulator = shop("constraints: [{name: sum, total: price, at_most: 95}]")
    crowd, unit = simulator.crowd(FRAME), np.arange(20)
    poor = replace(optimise(simulator, crowd, unit), settings=np.zeros((20, 1)))
    assert (checked(simulator, crowd, unit, poor, now=np.full((20, 1), 4.5)).settings == 4.5).all()
    assert (checked(simulator, crowd, unit, poor, now=np.full((20, 1), 5.0)).settings == 0).all()
