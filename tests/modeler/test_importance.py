"""Importance where the truth is known, and what is taken for what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from drivetrain.modeler import HeldOut, Link
from drivetrain.modeler.importance import confusion, explained, importance
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, as_table, declare, stand_in

DECLARED = """\
objective: {maximise: spent}
levers: {price: {kind: continuous, min: 0, max: 1}, idle: {kind: continuous, min: 0, max: 1}}
inputs: {mood: {kind: numeric}, noise: {kind: numeric}}
outcomes: {spent: {kind: numeric}}
"""


def world() -> tuple[Scenario, Simulator, pd.DataFrame, np.ndarray]:
    """Spent is 3·mood + price, and the models know; noise and the idle lever do nothing."""
    scenario, random = declare(DECLARED), np.random.default_rng(0)
    frame = pd.DataFrame({"mood": random.normal(size=900), "noise": random.normal(size=900)})
    settings = random.random((900, 2))
    known = stand_in(scenario, {"spent": lambda x, s: 3 * x[..., 0] + s[..., 0]}, anywhere(scenario.space))
    return scenario, known, frame.assign(spent=3 * frame.mood + settings[:, 0]), settings


def test_what_is_dealt_anew_costs_what_it_told() -> None:
    scenario, known, frame, settings = world()
    told = importance(scenario, known.models, as_table(scenario, frame, settings), 1)["spent"]
    by = {each["name"]: each for each in told["by"]}
    assert told["loss_name"] == "absolute error"
    assert told["loss"] == pytest.approx(0, abs=1e-5)
    assert by["noise"]["loss"] == by["idle"]["loss"] == 0
    # E|X − X'| of two normal ones is 2/√π, of two uniform ones 1/3
    assert by["mood"]["loss"] == pytest.approx(3 * 2 / np.sqrt(np.pi), rel=0.1)
    assert by["price"]["loss"] == pytest.approx(1 / 3, rel=0.1)
    assert abs(by["mood"]["loss"] - 6 / np.sqrt(np.pi)) < 4 * by["mood"]["error"]
    assert [by[name]["is"] for name in ("mood", "price")] == ["input", "lever"]


def test_a_row_is_judged_by_members_that_have_not_seen_it() -> None:
    scenario, _, frame, settings = world()
    blind = [lambda x, s, fold=fold: 3 * x[..., 0] + s[..., 0] + fold for fold in range(3)]
    models = stand_in(scenario, {"spent": blind}, anywhere(scenario.space)).models
    told = importance(scenario, models, as_table(scenario, frame, settings), 1)["spent"]
    assert told["loss"] == pytest.approx(1, abs=1e-3)  # 0, 1 and 2 in turn


def test_the_table_is_left_as_it_was() -> None:
    scenario, known, frame, settings = world()
    table = as_table(scenario, frame.copy(), settings.copy())
    explained(scenario, known.models, table)
    pd.testing.assert_frame_equal(table.frame, frame)
    np.testing.assert_array_equal(table.settings, settings)


def test_classes_are_counted_as_seen_and_as_predicted() -> None:
    binary = HeldOut(Link(kind="binary"), np.arange(4), np.array([0.0, 0, 1, 1]), np.array([0.1, 0.6, 0.7, 0.5]))
    assert confusion(binary) == {"options": ["no", "yes"], "rows": [[1, 1], [0, 2]]}
    link = Link(kind="categorical", options=("a", "b", "c"))
    three = HeldOut(link, np.arange(3), np.array([0.0, 1, 2]), np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0, 0, 1]]))
    assert confusion(three) == {"options": ["a", "b", "c"], "rows": [[1, 0, 0], [1, 0, 0], [0, 0, 1]]}
    assert confusion(HeldOut(Link(kind="numeric"), np.arange(1), np.zeros(1), np.zeros(1))) is None
