"""Reserves for confidence: as large as what rows that models had not seen fell short of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from drivetrain.errors import InfeasibleError, RefusedError
from drivetrain.optimizer import decisions, optimise
from drivetrain.simulator import Simulator, reserves
from tests.stand_ins import anywhere, as_table, declare, stand_in

MIX = """\
objective: {minimise: cement}
levers: {cement: {kind: continuous, min: 0, max: 100}}
inputs: {heat: {kind: numeric}}
outcomes: {strength: {kind: numeric}}
decide: {unit: once}
constraints: [{name: strong, each: strength + heat, BOUND, confidence: SURE}]
"""


def made(rows: int, sure: float, bound: str = "at_least: 40") -> tuple[Simulator, object, np.ndarray]:
    """Strength is the cement, and a normal surprise with standard deviation 5."""
    scenario = declare(MIX.replace("SURE", str(sure)).replace("BOUND", bound))
    draw = np.random.default_rng(0)
    cement = draw.uniform(0, 100, rows)
    frame = pd.DataFrame({"heat": draw.normal(0, 1, rows), "strength": cement + draw.normal(0, 5, rows)})
    simulator = stand_in(scenario, {"strength": lambda _, a: a[..., 0]}, anywhere(scenario.space))
    return simulator, as_table(scenario, frame, cement), frame["strength"].to_numpy() - cement


@pytest.mark.parametrize("sure", [0.8, 0.95])
@pytest.mark.parametrize(("bound", "sign"), [("at_least: 40", -1), ("at_most: 40", 1)])
def test_it_is_what_all_but_the_rest_stayed_within(sure: float, bound: str, sign: int):
    simulator, table, surprise = made(2_000, sure, bound)
    found = reserves(simulator, table)["strong"]
    assert (sign * surprise <= found).mean() == pytest.approx(sure, abs=1e-3)
    assert found == pytest.approx(5 * stats.norm.ppf(sure), rel=0.1)


def test_settings_keep_it():
    simulator, table, _ = made(2_000, 0.95)
    reserve = reserves(simulator, table)
    kept = replace(simulator, scenario=simulator.scenario.reserved(reserve))
    people = table.frame.assign(heat=0.0)
    for known, wanted in ((simulator, 40.0), (kept, 40.0 + reserve["strong"])):
        plan = optimise(known, known.crowd(people), decisions(known.scenario, people))
        assert plan.settings[0, 0] == pytest.approx(wanted, rel=1e-3)


def test_the_nearest_that_can_be_kept_is_told_as_bounds_are_written():
    simulator, table, _ = made(2_000, 0.95, "at_least: 99")
    reserve = reserves(simulator, table)["strong"]
    kept = replace(simulator, scenario=simulator.scenario.reserved({"strong": reserve}))
    people = table.frame.assign(heat=0.0)
    with pytest.raises(InfeasibleError) as told:
        optimise(kept, kept.crowd(people), decisions(kept.scenario, people))
    assert f"{100 - reserve:.3f}"[:4] in str(told.value)


def test_a_scenario_with_a_reserve_is_declared_as_before():
    simulator, _, _ = made(100, 0.9)
    kept = simulator.scenario.reserved({"strong": 3.0})
    assert kept.model_dump_json() == simulator.scenario.model_dump_json()
    assert kept.constraints[0].reserve == 3
    assert kept.constraints[0].text == "strength + heat"
    assert kept.resolved({}).constraints[0].reserve == 3


def test_few_rows_cannot_speak_of_rare_shortfalls():
    simulator, table, _ = made(30, 0.99)
    with pytest.raises(RefusedError, match="with 30 rows"):
        reserves(simulator, table)
