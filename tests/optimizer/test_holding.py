"""Current settings are kept where the gain of a change is within the members' disagreement about it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drivetrain.optimizer import optimise, settle
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator
from tests.stand_ins import Response, anywhere, declare, stand_in

TEXT = """\
objective: {maximise: y}
levers: {offer: {kind: integer, min: 0, max: 3, current: data}}
inputs: {slope: {kind: numeric}}
outcomes: {y: {kind: numeric}}
decide: {unit: UNIT KEEP}
constraints: [BOUNDS]
"""
DOUBT = 0.1
"""Members say that the slope is this much higher, or lower, than its input tells."""
SLOPES = np.array([1.0, 0.15, 0.05, -0.12, -1.0])
NOW = np.array([1.0, 1.0, 1.0, 2.0, 3.0])


def _scenario(keep: str = ", keep_within: 1", unit: str = "row", bounds: str = "") -> Scenario:
    return declare(TEXT.replace("KEEP", keep).replace("UNIT", unit).replace("BOUNDS", bounds))


def _member(off: float) -> Response:
    return lambda x, at: (x[..., 0] + off) * at[..., 0]


def _simulator(scenario: Scenario) -> Simulator:
    return stand_in(scenario, {"y": [_member(off) for off in (-DOUBT, 0.0, DOUBT)]}, anywhere(scenario.space))


def _settled(scenario: Scenario, now: np.ndarray = NOW) -> np.ndarray:
    simulator = _simulator(scenario)
    frame = pd.DataFrame({"slope": SLOPES, "offer": now})
    return settle(simulator, simulator.crowd(frame), np.arange(len(SLOPES))).settings[:, 0]


def test_a_change_is_made_where_its_gain_stands_out() -> None:
    # the jackknife over three folds makes 0.1155 of slopes that are 0.1 apart: √(2/3 · 2 · 0.1²)
    assert _settled(_scenario("")).tolist() == [3, 3, 3, 0, 0]
    assert _settled(_scenario(", keep_within: 0")).tolist() == [3, 3, 3, 0, 0]
    assert _settled(_scenario()).tolist() == [3, 3, 1, 0, 0]
    assert _settled(_scenario(", keep_within: 2")).tolist() == [3, 1, 1, 2, 0]


def test_rows_that_do_not_say_what_they_have_are_decided_as_ever() -> None:
    assert _settled(_scenario(), np.full(len(SLOPES), np.nan)).tolist() == [3, 3, 3, 0, 0]


def test_what_is_kept_must_be_allowed() -> None:
    bounds = "{name: cap, each: offer, at_most: 2}"
    assert _settled(_scenario(bounds=bounds), np.array([1.0, 1.0, 3.0, 2.0, 2.0])).tolist() == [2, 2, 2, 0, 0]


def test_others_use_the_room_that_rows_leave_by_staying() -> None:
    bounds = "{name: budget, total: offer, at_most: 7}"
    scenario = _scenario(", keep_within: 2", bounds=bounds)
    chosen = _settled(scenario)
    assert chosen.sum() <= 7
    assert (chosen[[2, 3]] == NOW[[2, 3]]).all()
    simulator = _simulator(scenario)
    crowd = simulator.crowd(pd.DataFrame({"slope": SLOPES, "offer": NOW}))
    locked = np.where(chosen == NOW, NOW, np.nan)[:, None]
    again = optimise(simulator, crowd, np.arange(len(SLOPES)), locked=locked)
    assert (again.settings[:, 0] == chosen).all()


def test_blind_members_ask_all_for_their_doubt() -> None:
    simulator = _simulator(_scenario())
    frame = pd.DataFrame({"slope": SLOPES, "offer": NOW})
    unit = np.arange(len(SLOPES))
    blind = simulator.without(1)  # one member, which alone has no doubt
    alone = settle(blind, blind.crowd(frame), unit).settings[:, 0]
    told = settle(blind, blind.crowd(frame), unit, whole=(simulator, simulator.crowd(frame))).settings[:, 0]
    assert alone.tolist() == [3, 3, 3, 0, 0]
    assert told.tolist() == [3, 3, 1, 0, 0]


def test_a_decision_of_several_rows_is_held_as_a_whole() -> None:
    simulator = _simulator(_at_once(_scenario()))
    frame = pd.DataFrame({"slope": [0.3, -0.28], "offer": [1.0, 1.0]})
    crowd = simulator.crowd(frame)
    assert settle(simulator, crowd, np.zeros(2, dtype=np.int64)).settings[:, 0].tolist() == [1, 1]
    apart = simulator.crowd(frame.assign(offer=[1.0, 2.0]))  # there is no one setting to keep
    assert settle(simulator, apart, np.zeros(2, dtype=np.int64)).settings[:, 0].tolist() == [3, 3]


def _at_once(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"decide": scenario.decide.model_copy(update={"unit": "once"})})


def test_members_that_agree_hold_nothing_back() -> None:
    scenario = _scenario()
    same = stand_in(scenario, {"y": [_member(0.0)] * 3}, anywhere(scenario.space))
    crowd = same.crowd(pd.DataFrame({"slope": SLOPES, "offer": NOW}))
    assert settle(same, crowd, np.arange(len(SLOPES))).settings[:, 0].tolist() == [3, 3, 3, 0, 0]
