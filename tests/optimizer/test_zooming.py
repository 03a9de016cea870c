"""What is found by looking closer and closer is what comparing every setting finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from drivetrain.errors import InfeasibleError
from drivetrain.modeler.links import Link
from drivetrain.optimizer import optimise
from drivetrain.optimizer.choice import _compared
from drivetrain.optimizer.offers import Offers
from drivetrain.optimizer.zooming import Zoom
from drivetrain.simulator import Simulator
from tests.benchmarks import untrained

OBJECTIVES = {
    "margin": "(price - 70) * accepted",
    "inputs": "(price - 70 - x0) * accepted - 2 * x1",
    "minimised": "-(price - 70) * accepted + 3",
    "a step": "(price - 70) * accepted - (5 if price > 101.3 else 0)",
    "bent": "(price - 70) ** 2 / 40 * accepted",
    "price alone": "price - price ** 2 / 200",
    "flat": "accepted * 0",
    "often unknown": "log(price - 90) * accepted",
}


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("step", [None, 0.5])
def test_nothing_better_is_passed_over(objective: str, step: float | None) -> None:
    aim = "minimise" if objective == "minimised" else "maximise"
    _agrees(untrained.simulator(untrained.declared(untrained.ONE[0], OBJECTIVES[objective], step, aim), members=2))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["binary", "count", "log", "asinh", "rating", "calibrated"]))
def test_it_holds_for_every_link(seed: int, kind: str) -> None:
    links = {
        "binary": Link(kind="binary"),
        "calibrated": Link(kind="binary", slope=2.5, shift=(0.7,)),
        "rating": Link(kind="rating", low=1, high=5),
        "count": Link(kind="count"),
        "log": Link(kind="numeric", curve="log", centre=1.0, scale=0.4, smear=(1.2, 0.0)),
        "asinh": Link(kind="numeric", curve="asinh", centre=0.3, scale=0.5, knee=2.0, smear=(1.1, 0.2)),
    }
    simulator = untrained.simulator(untrained.declared(*untrained.ONE), members=2)
    model = simulator.models.outcomes["accepted"]
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for member in model.members:
            for weight in member.network.bend.parameters():
                weight.mul_(1 + 4 * torch.rand((), generator=draw)).add_(
                    torch.randn(weight.shape, generator=draw) * 0.3
                )
    members = tuple(replace(member, link=links[kind]) for member in model.members)
    outcomes = {"accepted": replace(model, members=members)}
    _agrees(replace(simulator, models=replace(simulator.models, outcomes=outcomes)))


def test_three_levers_lie_in_lines_of_one() -> None:
    _agrees(untrained.simulator(untrained.declared(*untrained.THREE), members=2))


def test_what_holds_for_each_row_holds() -> None:
    bound = "constraints: [{name: often, each: price + 10 * accepted, at_most: 120}]\n"
    simulator = untrained.simulator(untrained.declared(*untrained.ONE, 0.5, extra=bound), members=2)
    free = untrained.simulator(untrained.declared(*untrained.ONE, 0.5), members=2)
    assert (_agrees(simulator) != _agrees(free)).any()


def test_rows_without_a_setting_are_told_as_ever() -> None:
    bound = "constraints: [{name: often, each: accepted, at_least: 0.999}]\n"
    simulator = untrained.simulator(untrained.declared(*untrained.ONE, 0.5, extra=bound), members=2)
    with pytest.raises(InfeasibleError, match="often"):
        optimise(simulator, simulator.crowd(untrained.rows(50)), np.arange(50))


def test_where_nothing_is_known_between_settings_all_are_compared() -> None:
    step = "(price - x0 if price > x0 else 0) * accepted"
    for objective, kind in (("(price - 70) * accepted", "joint"), (step, "two_tower")):
        simulator = untrained.simulator(untrained.declared(untrained.ONE[0], objective, 2.0), kind, members=2)
        crowd = simulator.crowd(untrained.rows(50))
        offers = Offers.of(simulator, crowd, np.arange(50))
        assert Zoom.of(simulator, offers) is None
        assert "bounds" not in optimise(simulator, crowd, np.arange(50)).method


def _agrees(simulator: Simulator, many: int = 400) -> np.ndarray:
    crowd = simulator.crowd(untrained.rows(many, seed=3))
    offers = Offers.of(simulator, crowd, np.arange(many))
    zoom = Zoom.of(simulator, offers)
    assert zoom is not None
    found, known = zoom.best(crowd)
    full = _compared(simulator, crowd, replace(offers, tried=zoom.tried))
    assert known.all()
    sign = simulator.scenario.objective.sign
    got, best = (
        sign * simulator.expected_paired(crowd, zoom.tried[each]).objective[:, 0].double().numpy()
        for each in (found, full)
    )
    assert (got >= best - 3e-6 * np.abs(best) - 1e-9).all()
    return found
