"""Fronts of one setting for all: bent inward, in pieces, on the edge of a bound, without gradients, with options."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from drivetrain.optimizer import candidates, front
from drivetrain.optimizer.archive import Archive, unbeaten
from drivetrain.optimizer.fronts import shared_front
from drivetrain.optimizer.landscape import Landscape
from drivetrain.simulator import Simulator
from tests.stand_ins import Response, anywhere, declare, stand_in

HEAD = "objective: {minimise: one, beside: [{name: second, minimise: two}]}\ndecide: {unit: once}\n"
HEAD += "outcomes: {one: {kind: numeric}, two: {kind: numeric}}\nlevers:\n"
LEVERS = "".join(f"  v{i}: {{kind: continuous, min: 0, max: 1}}\n" for i in range(6))
NOBODY = pd.DataFrame(index=range(3))


def posed(two: Response, more: str = "", levers: str = LEVERS) -> Simulator:
    """The first objective is the first lever."""
    scenario = declare(HEAD + levers + more, folds=2)
    return stand_in(scenario, {"one": lambda _, at: at[..., 0], "two": two}, anywhere(scenario.space))


def found(simulator: Simulator, points: int = 25, budget: int = 4000) -> np.ndarray:
    """[P, 2] both objectives, the first ascending."""
    space, landscape = simulator.scenario.space, Landscape.of(simulator, simulator.crowd(NOBODY))
    tried = candidates(space, simulator.support)
    at = shared_front(landscape, tried, points, budget)
    if not len(at):
        return np.zeros((0, 2))
    assert (np.round(at[:, :1], 3) == at[:, :1]).all()  # told as finely as settings are recommended
    values = -landscape.ask(at).goals.numpy().T
    return values[np.argsort(values[:, 0])]


def rest(at: Tensor) -> Tensor:
    """1 where all levers but the first are at 0.3, else more."""
    return 1 + 9 * ((at[..., 1:] - 0.3) ** 2).mean(-1)


def test_a_front_that_bends_inward_is_found_over_its_whole_length() -> None:
    one, two = found(posed(lambda _, at: rest(at) * (1 - (at[..., 0] / rest(at)) ** 2))).T
    assert len(one) == 25
    assert two == pytest.approx(1 - one**2, abs=0.005)
    assert one[[0, -1]] == pytest.approx([0, 1])
    assert np.diff(one).max() < 0.15


def test_a_front_in_pieces_is_found_piece_by_piece() -> None:
    def two(_: Tensor, at: Tensor) -> Tensor:
        f, g = at[..., 0], rest(at)
        return g * (1 - (f / g).clamp(min=0).sqrt() - f / g * torch.sin(10 * torch.pi * f))

    at = np.linspace(0, 1, 1001)
    curve = np.column_stack([at, 1 - np.sqrt(at) - at * np.sin(10 * np.pi * at)])
    pieces = curve[unbeaten(-curve)]
    told = found(posed(two), 40, 8000)
    assert np.abs(told[:, None] - pieces).max(2).min(1).max() < 0.01  # all lie on the front
    assert np.abs(pieces[:, None] - told).max(2).min(1).max() < 0.06  # and it lies near them, each of five pieces


def test_a_front_along_the_edge_of_a_bound() -> None:
    simulator = posed(lambda _, at: at[..., 1], "constraints: [{name: edge, each: v0 * v0 + v1 * v1, at_least: 1}]\n")
    one, two = found(simulator).T
    assert one**2 + two**2 == pytest.approx(np.ones(len(one)), abs=0.01)
    assert (one**2 + two**2 >= 1 - 1e-5).all()
    assert np.ptp(one) > 0.95


def test_without_gradients_and_with_options() -> None:
    levers = "  v0: {kind: continuous, min: 0, max: 1}\n  v1: {kind: categorical, options: [a, b, c]}\n"
    levers += "  v2: {kind: integer, min: 0, max: 50}\n  v3: {kind: continuous, min: 0, max: 1, step: 0.1}\n"

    def two(_: Tensor, at: Tensor) -> Tensor:
        """As trees do: numpy refuses a tensor that asks for gradients."""
        one, option, whole, stepped = torch.from_numpy(at.numpy()).unbind(-1)
        return 1 - one + 2 * (option != 1) + ((whole - 17) / 50) ** 2 + (stepped - 0.4) ** 2

    simulator = posed(two, levers=levers)
    at = front(simulator, simulator.crowd(NOBODY), np.zeros(3, dtype=np.int64), 15)
    assert at.values.sum(1) == pytest.approx(np.ones(len(at)), abs=1e-5)
    shared = at.shared(simulator.scenario.space)
    assert shared is not None
    assert set(shared["v1"]) == {"b"}
    assert set(shared["v2"]) == {17}
    assert shared["v3"].to_numpy() == pytest.approx(np.full(len(at), 0.4))


def test_none_where_no_setting_keeps_the_bounds() -> None:
    simulator = posed(lambda _, at: at[..., 1], "constraints: [{name: edge, each: v0 + v1, at_least: 3}]\n")
    assert found(simulator, budget=1500).shape == (0, 2)


def test_a_way_in_is_found_where_no_candidate_keeps_the_bounds() -> None:
    narrow = "constraints: [{name: narrow, each: " + " + ".join(f"abs(v{i} - 0.62)" for i in range(1, 6))
    simulator = posed(lambda _, at: 1 - at[..., 0] + rest(at), narrow + ", at_most: 0.02}]\n")
    one, two = found(simulator).T
    assert one + two == pytest.approx(np.full(len(one), 2 + 9 * 0.32**2), abs=0.05)
    assert np.ptp(one) > 0.9


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(2, 3)), elements=st.integers(0, 5).map(float)))
def test_nothing_unbeaten_is_beaten(values: np.ndarray) -> None:
    kept = unbeaten(values)
    for place, value in enumerate(values):
        beaten = ((values >= value).all(1) & (values > value).any(1)).any()
        first = (values == value).all(1).argmax() == place
        assert (place in kept) == (not beaten and first)


@settings(max_examples=30)
@given(arrays(np.float64, (20, 2), elements=st.integers(0, 9).map(float), unique=False))
def test_an_archive_is_what_nothing_beats_however_it_came(values: np.ndarray) -> None:
    archive = Archive(np.zeros((0, 1)), np.zeros((0, 2)))
    for start in range(0, 20, 5):
        archive.add(np.arange(start, start + 5.0)[:, None], values[start : start + 5])
    assert {tuple(each) for each in archive.values} == {tuple(each) for each in values[unbeaten(values)]}
    assert (values[archive.settings[:, 0].astype(int)] == archive.values).all()
    assert len(set(archive.spread(4).tolist())) == min(4, len(archive.values))
