"""Learned propensities: the pool finds the right law, and with few rows or none to find shrinks to "everyone alike"."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from drivetrain.evidence.laws import pool
from drivetrain.evidence.propensity import Learned, propensity
from drivetrain.simulator import Support
from tests.stand_ins import Inputs, as_table, declare

TEXT = """\
objective: {maximise: y}
levers: {price: {kind: continuous, min: 0, max: 10, do_nothing: 0}}
inputs: {x: {kind: numeric}, z: {kind: numeric}}
outcomes: {y: {kind: numeric}}
"""
SCENARIO = declare(TEXT)


def learned(price: np.ndarray, x: np.ndarray) -> tuple[Learned, Support, Any]:
    frame = pd.DataFrame({"x": x, "z": np.random.default_rng(9).normal(size=len(x)), "y": 0.0})
    table = as_table(SCENARIO, frame, price)
    support = Support.fit(SCENARIO.space, table.settings)
    inputs: Any = Inputs(("x", "z"))
    made = propensity(table, support, inputs, randomised=False, within=(), seed=0)
    assert isinstance(made, Learned)
    return made, support, table


def test_a_pool_is_the_likeliest_mixture() -> None:
    draw = np.random.default_rng(0)
    first = draw.random(4000) < 0.3
    likelihood = np.column_stack([np.where(first, 0.8, 0.2), np.where(first, 0.2, 0.8)])
    kept = draw.random(4000) < 0.5
    assert pool(np.column_stack([likelihood[:, 0], likelihood[:, 0] / 10])) == pytest.approx([1, 0])
    share = pool(np.where(kept[:, None], likelihood, likelihood[:, ::-1]))
    assert share.sum() == pytest.approx(1)


def test_a_narrow_price_rule_is_seen() -> None:
    """Price = 5 + 1.5 x ± 0.4: the density near a row's own price is many times what it is among all rows."""
    draw = np.random.default_rng(1)
    x = draw.normal(size=1500)
    price = np.clip(5 + 1.5 * x + 0.4 * draw.normal(size=1500), 0.1, 10)
    made, support, table = learned(price, x)
    assert made.share["everyone alike"] < 0.1
    near = made.moments(table.settings, support)[:, 0]
    own = 5 + 1.5 * x[:, None] + 0.4 * draw.normal(size=(1500, 400))
    true = np.clip(1 - ((own - price[:, None]) / support.reach[0].width) ** 2, 0, None).mean(1)
    assert np.median(np.abs(np.log(near / true))) < 0.15


@pytest.mark.parametrize("rows", [150, 800])
def test_prices_that_hang_on_nothing_are_shrunk_to_everyone_alike(rows: int) -> None:
    draw = np.random.default_rng(2)
    made, support, _ = learned(draw.uniform(1, 9, rows), draw.normal(size=rows))
    near = made.moments(np.full((rows, 1), 5.0), support)[:, 0]
    assert near.std() / near.mean() < 0.1


def test_doing_nothing_has_a_chance_of_its_own() -> None:
    draw = np.random.default_rng(3)
    x = draw.normal(size=2000)
    chance = 1 / (1 + np.exp(-1.5 * x))
    price = np.where(draw.random(2000) < chance, 0.0, np.clip(5 + draw.normal(size=2000), 1, 9))
    made, support, _ = learned(price, x)
    assert support.reach[0].apart == 0
    near = made.moments(np.zeros((2000, 1)), support)
    assert np.corrcoef(near[:, 0], chance)[0, 1] > 0.95
    assert np.abs(near[:, 0] - chance).mean() < 0.06
    assert near[:, 1:] == pytest.approx(0)
