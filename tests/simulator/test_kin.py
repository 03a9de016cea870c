"""Support row by row: settings that many had, but hardly one like this row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.errors import ScenarioError
from drivetrain.optimizer import optimise, price
from drivetrain.scenario import Scenario
from drivetrain.simulator import Kin, Simulator, Support
from tests.stand_ins import declare, stand_in

TEXT = """\
objective: {maximise: DIRECTION}
levers: {price: {kind: continuous, min: 0, max: 20}}
inputs: {rich: {kind: numeric}, shoes: {kind: numeric}}
outcomes: {y: {kind: numeric}}
decide: {unit: row, support: SUPPORT}
"""
ROWS = 2_000


def _response(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """More of the price is better, and the rich pay more of it; shoes are of no matter."""
    return at[..., 0] + 10 * x[..., 0]


def _world(support: str = "alike", sign: int = 1) -> tuple[Simulator, pd.DataFrame]:
    """The rich were asked 10 to 15, the others 0 to 5, whatever their shoes."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"rich": rng.integers(0, 2, ROWS).astype(float), "shoes": rng.normal(size=ROWS)})
    settings = (10 * frame["rich"] + rng.uniform(0, 5, ROWS)).to_numpy()[:, None]
    scenario: Scenario = declare(TEXT.replace("SUPPORT", support).replace("DIRECTION", "y" if sign > 0 else "-y"))
    simulator = stand_in(scenario, {"y": _response}, Support.fit(scenario.space, settings))
    return replace(simulator, kin=Kin.of(scenario, frame, settings)), frame.iloc[:50].reset_index(drop=True)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_row_gets_only_what_rows_like_it_had(sign: int) -> None:
    for support in ("everyone", "alike"):
        simulator, people = _world(support, sign)
        chosen = optimise(simulator, simulator.crowd(people), np.arange(50)).settings[:, 0]
        rich = people["rich"].to_numpy() == 1
        if support == "everyone":
            assert (chosen > 10).all() if sign > 0 else (chosen < 5).all()
        else:
            near = simulator.support.reach[0].width  # so far around what rows had they speak
            assert (chosen[rich] > 10 - near).all()
            assert (chosen[~rich] < 5 + near).all()
            assert near < 2.5


def test_one_by_one_and_all_at_once_agree() -> None:
    simulator, people = _world()
    crowd, tried = simulator.crowd(people), np.linspace(0, 20, 21)[:, None]
    assert simulator.kin is not None
    told = simulator.kin.among(simulator, crowd, tried)
    for place, setting in enumerate(tried):
        each = simulator.kin.holds(simulator, crowd, np.tile(setting, (50, 1)))
        assert (each == told[:, place]).all()
    rich = people["rich"].to_numpy() == 1
    assert told[np.ix_(~rich, [2])].all()
    assert not told[np.ix_(rich, [2])].any()


def test_where_settings_were_drawn_next_to_nothing_is_refused() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"rich": rng.normal(size=ROWS), "shoes": rng.normal(size=ROWS)})
    settings = rng.uniform(0, 20, ROWS)[:, None]
    scenario = declare(TEXT.replace("SUPPORT", "alike").replace("DIRECTION", "y"))
    support = Support.fit(scenario.space, settings)
    kin = Kin.of(scenario, frame, settings)
    assert kin is not None
    simulator = replace(stand_in(scenario, {"y": _response}, support), kin=kin)
    tried = np.linspace(1, 19, 37)[:, None]
    assert support.holds(tried).all()
    assert kin.among(simulator, simulator.crowd(frame.iloc[:200]), tried).mean() > 0.99


def test_the_price_of_the_guard() -> None:
    everyone, people = _world("everyone")
    unit = np.arange(50)
    loose = price(everyone, everyone.crowd(people), unit)
    assert loose is not None
    assert loose.free - loose.kept == pytest.approx(20 - everyone.support.reach[0].high, abs=0.6)
    assert loose.beyond == 1
    alike, people = _world()
    strict = price(alike, alike.crowd(people), unit)
    assert strict is not None
    assert strict.price > loose.price + 3
    within = replace(everyone, support=everyone.support.lifted)
    assert (price(within, within.crowd(people), unit) or pytest.fail("it has an answer")).price == 0


def test_it_is_about_rows() -> None:
    text = TEXT.replace("SUPPORT", "alike").replace("DIRECTION", "y").replace("unit: row", "unit: once")
    with pytest.raises(ScenarioError, match=r"decide\.support: found alike beside unit: once"):
        declare(text)
