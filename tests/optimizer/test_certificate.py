"""Certificates: true against dense search, tight, silent where nothing is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import qmc

from drivetrain.decisions import words
from drivetrain.modeler import Link, Models, OutcomeModel
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.encoder import InputEncoder, NumericColumn
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.networks import Common, Joint, TwoTower
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.settings import SettingColumn, SettingEncoder
from drivetrain.optimizer import certify, optimise
from drivetrain.optimizer.certificate import Certificate
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator, Support
from tests.stand_ins import anywhere, declare, stand_in

ROWS = pd.DataFrame({"x": np.linspace(-1, 1, 7)})
KINDS: dict[str, type[Network]] = {"two_tower": TwoTower, "common": Common, "joint": Joint}


@dataclass(frozen=True)
class Made:
    scenario: Scenario
    simulator: Simulator


def made(
    kind: str, outcome: str, objective: str, more: str = "", levers: int = 3, support: Support | None = None
) -> Made:
    """Two networks with drawn weights, as wide as trained ones are."""
    text = f'objective: {{maximise: "{objective}"}}\nlevers:\n'
    text += "".join(f"  v{i}: {{kind: continuous, min: 0, max: 1}}\n" for i in range(levers))
    text += "  mode: {kind: categorical, options: [slow, fast]}\n"
    text += f"inputs: {{x: {{kind: numeric}}}}\noutcomes: {{y: {{kind: {outcome}}}}}\ndecide: {{unit: once}}\n{more}"
    scenario = declare(text, folds=2)
    columns = [SettingColumn(name=f"v{i}", low=0, high=1, knots=(0.2, 0.5, 0.8)) for i in range(levers)]
    encoder = SettingEncoder(columns=(*columns, SettingColumn(name="mode", options=2)))
    shape, link = Shape((), 2, encoder.width, 1, (16, 8), 3, 0.2), Link(kind=outcome)  # type: ignore[arg-type]
    members = []
    for fold in range(2):
        torch.manual_seed(10 * len(kind) + fold)
        network = KINDS[kind](shape, torch.zeros(1)).eval()
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.4)
        members.append(Member(network, link, fold))
    nodes = Nodes.fit(link, np.array([0.0, 1.0]), 1.0)
    model = OutcomeModel("y", kind, shape, encoder, tuple(members), nodes)
    inputs = InputEncoder(columns=(NumericColumn(name="x", centre=0, scale=1, low=-5, high=5),))
    return Made(scenario, Simulator(scenario, Models(inputs, {"y": model}), support or anywhere(scenario.space)))


def dense(case: Made, many: int = 2**13) -> np.ndarray:
    draws = qmc.Sobol(len(case.scenario.space), seed=1).random(many)
    draws[:, -1] = draws[:, -1] > 0.5
    return draws


def worths(case: Made, settings: np.ndarray) -> np.ndarray:
    crowd = case.simulator.crowd(ROWS)
    return np.concatenate([o.mean().mean(0).double().numpy() for _, o in case.simulator.chunks(crowd, settings)][:1])


@pytest.mark.parametrize(
    ("kind", "outcome", "objective"),
    [
        ("two_tower", "binary", "(v0 + 0.2) * y"),
        ("common", "numeric", "y - v0 ** 2 + 3"),
        ("joint", "numeric", "y * (1 + v1) + 4 if mode == 'fast' else y + 4"),
        ("joint", "count", "y - 0.3 * v2 + 1"),
    ],
)
def test_no_setting_is_better_than_a_certificate_says_and_it_is_tight(kind: str, outcome: str, objective: str) -> None:
    case = made(kind, outcome, objective)
    crowd = case.simulator.crowd(ROWS)
    plan = optimise(case.simulator, crowd, np.zeros(len(ROWS), dtype=np.int64))
    found = certify(case.simulator, crowd, plan.settings[0])
    assert found is not None
    best = worths(case, dense(case)).max()
    assert found.value >= best - 1e-6
    assert found.bound >= best - 1e-6
    assert found.gap <= 0.01 * abs(found.value)
    poor = np.append(np.zeros(3), 0.0)
    other = certify(case.simulator, crowd, poor)
    assert other is not None
    assert other.gap >= best - other.value - 1e-6


def test_bounds_and_support_are_part_of_what_is_proved() -> None:
    more = "constraints: [{name: sum, mean: v0 + v1 + v2, at_most: 0.8}]\n"
    case = made("joint", "numeric", "y + 2 * v0 + v1 + 8", more)
    crowd = case.simulator.crowd(ROWS)
    plan = optimise(case.simulator, crowd, np.zeros(len(ROWS), dtype=np.int64))
    found = certify(case.simulator, crowd, plan.settings[0])
    assert found is not None
    allowed = dense(case)
    allowed = allowed[allowed[:, :3].sum(1) <= 0.8]
    best = worths(case, allowed).max()
    assert best - 1e-6 <= found.bound <= found.value * 1.01
    free = certify(made("joint", "numeric", "y + 2 * v0 + v1 + 8").simulator, crowd, plan.settings[0])
    assert free is not None
    assert free.bound > found.bound + 0.1  # without the bound there is much more to be had
    draw = np.random.default_rng(0)
    logged = np.column_stack([draw.uniform(0.3, 0.6, (400, 3)).round(3), draw.integers(0, 2, 400)])
    near = made("joint", "numeric", "y + 2 * v0 + v1 + 8", support=Support.fit(case.scenario.space, logged))
    inside = dense(near, 2**11)
    inside = inside[near.simulator.support.holds(inside)]
    worth = worths(near, inside)
    found = certify(near.simulator, crowd, inside[worth.argmax()], cells=20_000)
    assert found is not None
    assert worth.max() - 1e-6 <= found.bound < free.bound - 0.1


def test_support_is_denied_to_a_box_only_where_no_setting_in_it_has_any() -> None:
    case = made("common", "numeric", "y")
    draw = np.random.default_rng(0)
    logged = np.column_stack([draw.uniform(0.3, 0.6, (500, 3)).round(3), draw.integers(0, 2, 500)])
    density = Support.fit(case.scenario.space, logged)
    by_distance = density.model_copy(update={"radius": 0.5, "unit": (0.1, 0.1, 0.1, 0.0)})
    for support in (density, by_distance):
        low = np.column_stack([draw.uniform(0, 0.9, (200, 3)), draw.integers(0, 2, 200)])
        high = low + np.append(draw.uniform(0, 0.1, 3), 0)
        denied = support.nowhere(low, high)
        assert 0 < denied.sum() < 200
        for _ in range(20):
            assert not support.holds(low + draw.random(low.shape) * (high - low))[denied].any()


def test_models_that_cannot_be_looked_into_give_none_and_no_words() -> None:
    scenario = declare(
        "objective: {maximise: y}\nlevers: {p: {kind: continuous, min: 0, max: 1}}\noutcomes: {y: {kind: numeric}}\n"
    )

    def trees(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(np.floor(4 * at.numpy())).sum(-1)

    simulator = stand_in(scenario, {"y": trees}, anywhere(scenario.space))
    assert certify(simulator, simulator.crowd(pd.DataFrame(index=range(3))), np.array([0.5])) is None
    assert words.certified(scenario, None) == ""


def test_the_words() -> None:
    scenario = declare("objective: {maximise: p, unit: EUR}\nlevers: {p: {kind: continuous, min: 0, max: 1}}\n")
    told: Any = words.certified(scenario, Certificate(20.0, 20.07, 12))
    assert told == "No setting can be more than 0.4% better (0.070 EUR), as the models see it: that is proved."
    assert words.certified(scenario, replace(Certificate(20.0, 20.0, 12), bound=50.0)) == ""
