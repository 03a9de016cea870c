"""Simulators of real networks that were never trained, for timing: prices lower the odds, rows differ in how much."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from drivetrain import scenario as language
from drivetrain.modeler import InputEncoder, Link, Models, OutcomeModel
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.networks import KINDS
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.settings import SettingColumn, SettingEncoder
from drivetrain.scenario import LeverSpace, Scenario
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere

LAYERS, INTERACTIONS, NUMBERS = (200, 100), 4, 8
TEXT = """\
version: 1
name: untrained
title: Networks as they are born
objective: {{{aim}: {objective}}}
levers: {{{levers}}}
inputs: {{{inputs}, region: {{kind: categorical}}, car: {{kind: categorical}}}}
outcomes: {{accepted: {{kind: binary}}}}
data: {{csv: none.csv, split: {{by: random, folds: 5, test: 0}}}}
"""
ONE = ("price: {{kind: continuous, min: 60, max: 160{step}}}", "(price - 70) * accepted")
THREE = (
    "channel: {{kind: categorical, options: [a, b, c, d, e, f, g, h, i, j, k, l]}}, "
    "price: {{kind: continuous, min: 60, max: 158, step: 2}}, gift: {{kind: yes_no}}",
    "(price - 70 - 8 * gift) * accepted - (channel == 'c') - 2 * (channel == 'd')",
)


def declared(
    levers: str, objective: str, step: float | None = None, aim: str = "maximise", extra: str = ""
) -> Scenario:
    inputs = ", ".join(f"x{i}: {{kind: numeric}}" for i in range(NUMBERS))
    levers = levers.format(step=f", step: {step}" if step else "")
    return language.parse(TEXT.format(aim=aim, objective=objective, levers=levers, inputs=inputs) + extra)


def rows(many: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    out: dict[str, np.ndarray] = {f"x{i}": draw.normal(size=many) for i in range(NUMBERS)}
    out["region"] = np.array(list("abcdefghij"), dtype=object)[draw.integers(0, 10, many)]
    out["car"] = np.array(["small", "family", "sport", "van"], dtype=object)[draw.integers(0, 4, many)]
    return pd.DataFrame(out)


def simulator(scenario: Scenario, kind: str = "two_tower", members: int = 5) -> Simulator:
    """Random weights, and a line in the price that makes a top between the ends."""
    encoder = InputEncoder.fit(rows(5000), {name: each.kind for name, each in scenario.inputs.items()})
    seen = _seen(scenario.space)
    columns = [
        SettingColumn.fit(name, seen[:, i], options=len(getattr(lever, "options", ())))
        for i, (name, lever) in enumerate(scenario.levers.items())
    ]
    settings = SettingEncoder(columns=tuple(columns))
    shape = Shape(tuple(encoder.sizes), encoder.numbers, settings.width, 1, LAYERS, INTERACTIONS, 0.0)
    link, place = Link(kind="binary"), settings.slices()["price"].start
    made = [Member(_born(kind, shape, place, number), link, number) for number in range(members)]
    model = OutcomeModel("accepted", kind, shape, settings, tuple(made), Nodes(link, (0.0, 1.0)))
    return Simulator(scenario, Models(encoder, {"accepted": model}), anywhere(scenario.space))


def _seen(space: LeverSpace) -> np.ndarray:
    """Every option and the whole range, often enough for the guard to let all of it through."""
    draw, many = np.random.default_rng(1), 20_000
    return np.column_stack([draw.choice(space.grid(name, 1001), many) for name in space.names])


def _born(kind: str, shape: Shape, price: int, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    network = KINDS[kind](shape, torch.tensor([0.5])).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.15 * torch.randn_like(weight))
        if kind == "two_tower":
            network.main.weight[0, price] -= 2.5
        else:
            network.wide.numbers.weight[0, shape.numbers + price] -= 2.5
    return network.requires_grad_(False)
