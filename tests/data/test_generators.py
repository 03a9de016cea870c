"""Made worlds tell the truth about themselves, and are reached from scenarios like any source."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from drivetrain import data, scenario as scenarios
from drivetrain.data.generators import WORLDS, best
from drivetrain.data.generators.actions import COSTS
from drivetrain.data.generators.lifetime import COSTS as CONTACT, GIVEN
from drivetrain.errors import ScenarioError
from drivetrain.scenario.sources import World as Name

EARNED = {
    "randomised_pricing": lambda f: (f.price - f.claims) * f.accepted,
    "confounded_pricing": lambda f: (f.price - f.claims) * f.accepted,
    "discrete_actions": lambda f: f.margin * f.returned - f.action.map(COSTS),
    "three_levers": lambda f: (
        f.basket * (0.5 - f.discount) * f.bought
        - f.channel.map({"web": 0, "shop": 0.3, "phone": 1.2})
        - 0.2 * f.reminder
    ),
    "budgeted_treatment": lambda f: 100 * f.recovered,
    "renewal_chain": lambda f: f.premium * f.accepted - f.damage * f.claimed.fillna(0) + 60 * f.renewed.fillna(0),
}


EXAMPLES = {
    "insurance_pricing": lambda f: (
        f.accepted
        * (
            (f.place * f.rival - 40 - f.risk * np.where(f.cover == "full", 1, 0.65))
            * (1 - 1.0753 ** -f.years.fillna(0))
            / (1 - 1 / 1.0753)
            - 30 * f.voucher
        )
    ),
    "recommender": lambda f: f.sales,
    "lifetime_value": lambda f: (
        (0.45 - f.offer.map(GIVEN).fillna(0)) * f.basket * f.ordered - f.offer.map(CONTACT) + (1 - f.left) * f.later
    ),
    "server_farm": lambda f: -(0.2 * (f.power * (1 + 0.92 * f.effort) + 6 * f.airflow**3) + 0.02 * f.servers),
}
"""Worlds that a shipped scenario declares."""


def test_every_declared_world_exists():
    assert set(get_args(Name)) == set(WORLDS) == set(EARNED) | set(EXAMPLES)
    assert {name for name, world in WORLDS.items() if world.declares} == set(EARNED)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_truth_of_an_example_is_the_mean_of_what_happens(name: str):
    frame = WORLDS[name].frame(40_000, 3)
    earned, expected = EXAMPLES[name](frame), WORLDS[name].worth(frame, frame)
    error = (earned - expected).std() / np.sqrt(len(frame))
    assert abs(earned.mean() - expected.mean()) < 4 * error


@pytest.mark.parametrize("name", EARNED)
def test_the_truth_is_the_mean_of_what_happens(name: str):
    world, rows = WORLDS[name], 40_000
    frame, declared = world.frame(rows, 3), world.scenario(rows)
    earned = EARNED[name](frame)
    expected = world.worth(frame[list(declared.inputs)], frame[list(declared.levers)])
    error = (earned - expected).std() / np.sqrt(rows)
    assert abs(earned.mean() - expected.mean()) < 4 * error


@pytest.mark.parametrize("name", EARNED)
def test_no_policy_beats_the_oracle(name: str):
    world = WORLDS[name]
    declared = world.scenario(400)
    frame = world.frame(400, 5)
    people, levers = frame[list(declared.inputs)], frame[list(declared.levers)]
    settings, worth = best(world, people)
    assert worth == pytest.approx(world.worth(people, settings))
    if world.allowance is None:
        assert (worth >= world.worth(people, levers) - 0.02 * worth.mean()).all()
    else:
        spent = (people[world.allowance[0]] * settings["treated"]).mean()
        assert 0.95 * world.allowance[1] < spent <= world.allowance[1]


def test_a_scenario_reads_a_world_like_a_file():
    declared = WORLDS["discrete_actions"].scenario(300, seed=4)
    table = data.load(declared)
    assert len(table) == 300
    assert table.source == "discrete_actions, seed 4"
    assert table.fingerprint == data.load(declared).fingerprint
    assert table.fingerprint != data.load(WORLDS["discrete_actions"].scenario(300, seed=5)).fingerprint
    pd.testing.assert_frame_equal(WORLDS["discrete_actions"].frame(300, 4), WORLDS["discrete_actions"].frame(300, 4))


def test_rows_and_seed_belong_to_a_world():
    text = """\
version: 1
name: x
title: x
objective: {maximise: a}
levers: {a: {kind: yes_no}}
data: {csv: a.csv, rows: 100}
"""
    with pytest.raises(ScenarioError, match="without a generator"):
        scenarios.parse(text)
    with pytest.raises(ScenarioError, match="randomised_pricing"):
        scenarios.parse(text.replace("csv: a.csv", "generator: pricing"))
