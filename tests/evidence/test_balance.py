"""Declared chances are believed where settings are as common as they say, and not where they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drivetrain.evidence.balance import Check, balance
from drivetrain.scenario import Scenario
from tests.stand_ins import anywhere, as_table, declare

SHOP = """\
objective: {maximise: sold}
levers: {shown: {kind: categorical, options: [OPTIONS]}}
inputs: {who: {kind: categorical}, age: {kind: numeric}}
outcomes: {sold: {kind: binary}}
assignment: {design: randomised, propensity: chance}
"""
ROWS = 1_500


def shop(options: int) -> Scenario:
    return declare(SHOP.replace("OPTIONS", ", ".join(f"o{place}" for place in range(options))))


def checked(options: int, seed: int, chance: np.ndarray, declared: np.ndarray) -> Check:
    """Settings drawn with chances [N, K]; `declared` [N, K] is what the log says."""
    draw, scenario = np.random.default_rng(seed), shop(options)
    shown = (draw.random(ROWS)[:, None] > chance.cumsum(1)).sum(1)
    who = draw.choice(["many", "some", "few", "rare"], ROWS, p=[0.7, 0.25, 0.04, 0.01])
    frame = pd.DataFrame({"who": who, "age": draw.normal(0, 1, ROWS), "sold": draw.integers(0, 2, ROWS)})
    table = as_table(scenario, frame, shown, declared[np.arange(ROWS), shown])
    return balance(scenario, table, anywhere(scenario.space))[0]


def test_rare_settings_among_few_rows_are_no_alarm():
    even = np.full((ROWS, 34), 1 / 34)
    told = [checked(34, seed, even, even) for seed in range(8)]
    assert not any(each.alarm for each in told)
    assert np.mean([each.chance for each in told]) > 0.2


def test_chances_that_are_not_as_declared_are_found():
    even = np.full((ROWS, 4), 0.25)
    tilted = np.tile([0.3, 0.3, 0.2, 0.2], (ROWS, 1))
    assert checked(4, 0, tilted, even).alarm


def test_chances_that_hang_on_inputs_are_judged_by_random_signs():
    hanging = np.where(np.arange(ROWS)[:, None] % 2, [[0.2, 0.8]], [[0.6, 0.4]])
    assert not checked(2, 0, hanging, hanging).alarm
    assert checked(2, 0, np.full((ROWS, 2), 0.5), hanging).alarm
