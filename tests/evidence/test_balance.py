"""Declared chances are believed where settings are as common as they say, and not where they are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from drivetrain.evidence import Judge, orthogonal
from drivetrain.evidence.balance import Check, Drawing, balance
from drivetrain.evidence.propensity import Declared
from drivetrain.scenario import Scenario
from tests.stand_ins import anywhere, as_table, declare, stand_in

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


TRIAL = """\
objective: {maximise: sold}
levers: {shown: {kind: yes_no}}
inputs: {size: {kind: numeric}, town: {kind: categorical}}
outcomes: {sold: {kind: binary}}
assignment: {design: randomised, within: WITHIN}
"""


def trial(seed: int, within: str = "[]", *, by_row: bool = False, leans: float = 0.0) -> Check:
    """Whole shops drawn half and half, or rows of them: rows of a shop are of much the same size."""
    draw, scenario = np.random.default_rng(seed), declare(TRIAL.replace("WITHIN", within))
    shop = np.repeat(np.arange(40), draw.integers(8, 20, 40))
    usual, town = draw.normal(size=40), np.arange(40) % 2
    size = usual[shop] + 0.3 * draw.normal(size=len(shop))
    chosen = draw.permutation(np.repeat([0, 1], 20)) if not leans else (leans * usual + draw.normal(size=40) > 0)
    shown = draw.integers(0, 2, len(shop)) if by_row else chosen[shop]
    sold = draw.integers(0, 2, len(shop))
    frame = pd.DataFrame({"size": size, "town": np.array(["a", "b"])[town[shop]], "sold": sold})
    table = replace(as_table(scenario, frame, shown), cluster=shop, fold=shop % 3)
    return balance(scenario, table, anywhere(scenario.space))[0]


@pytest.mark.parametrize("within", ["[]", "[town]"])
def test_shops_drawn_as_a_whole_are_shuffled_as_a_whole(within: str):
    """Shuffled rows of them gave 14 alarms in 100."""
    told = [trial(seed, within) for seed in range(40)]
    assert sum(each.alarm for each in told) <= 2
    assert 0.25 < np.mean([each.chance for each in told]) < 0.75


def test_shops_chosen_by_what_they_are_are_found():
    assert np.mean([trial(seed, leans=3).alarm for seed in range(5)]) > 0.5


def test_rows_drawn_one_by_one_are_shuffled_one_by_one():
    draw = np.random.default_rng(0)
    kind, pair, alone = draw.integers(0, 2, 600), np.arange(600) // 2, np.zeros(600, dtype=np.int64)
    assert len(Drawing.of(kind, alone, pair).first) == 600
    assert len(Drawing.of((draw.random(600) < 0.1).astype(np.int64), alone, pair).first) == 600
    assert len(Drawing.of(kind[pair], alone, pair).first) == 300


def test_a_declared_chance_of_whole_shops_is_believed():
    draw, scenario = np.random.default_rng(0), declare(TRIAL.replace("within: WITHIN", "propensity: chance"))
    alarms = 0
    for _ in range(20):
        shop = np.repeat(np.arange(30), 20)
        frame = pd.DataFrame({"size": draw.normal(size=30)[shop], "town": "a", "sold": draw.integers(0, 2, 600)})
        table = as_table(scenario, frame, draw.integers(0, 2, 30)[shop], np.full(600, 0.5))
        alarms += balance(scenario, replace(table, cluster=shop), anywhere(scenario.space))[0].alarm
    assert alarms <= 1


def placebo(shops: int, shown: int, *, by_row: bool = False) -> Check:
    """Of a trial in which so many of the shops were drawn; what a shop earns is its own."""
    draw, scenario = np.random.default_rng(0), declare(TRIAL.replace("WITHIN", "[]"))
    shop = np.repeat(np.arange(shops), 30)
    chosen = draw.permutation(shops) < shown
    earned = draw.normal(size=shops)[shop] + draw.normal(size=len(shop))
    frame = pd.DataFrame({"size": earned, "town": "a", "sold": 0})
    drawn = draw.integers(0, 2, len(shop)) if by_row else chosen[shop]
    table = replace(as_table(scenario, frame, drawn), cluster=shop)
    court = Judge(stand_in(scenario, {}, anywhere(scenario.space)), table, Declared(np.full(len(table), 0.5)))
    return orthogonal._placebo_lever(court, "shown", table.settings - table.settings.mean(), earned)


def test_a_placebo_shuffles_whole_shops_where_these_were_drawn():
    """Two shops against eighteen tell little, and errors are too small; shuffled rows of them seemed fine."""
    assert placebo(20, 2).alarm
    assert not placebo(100, 50).alarm
    assert not placebo(100, 50, by_row=True).alarm
