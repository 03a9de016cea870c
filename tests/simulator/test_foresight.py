"""What may come of single rows: errors on top of what is expected, joint along the chain, and bounds that hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain.modeler import Link
from drivetrain.simulator import Errors, Foresight, span
from drivetrain.simulator.foresight import _errors, _happening
from tests.stand_ins import anywhere, declare, stand_in

CHAIN = """
objective: {maximise: price * sold - 2 * waste}
levers: {price: {kind: continuous, min: 0, max: 10}}
inputs: {x: {kind: numeric}}
outcomes: {sold: {kind: numeric}, waste: {kind: numeric, uses: [sold]}}
"""
LINKS = [
    Link(kind="numeric"),
    Link(kind="numeric", curve="log"),
    Link(kind="numeric", curve="asinh", knee=2.0),
    Link(kind="count"),
    Link(kind="rating", low=1.0, high=5.0),
    Link(kind="binary"),
    Link(kind="categorical", options=("a", "b", "c")),
]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.kind}-{link.curve}")
def test_an_error_on_its_own_prediction_is_what_was_observed(link: Link) -> None:
    draw = np.random.default_rng(0)
    observed = {"binary": draw.integers(0, 2, 50), "categorical": draw.integers(0, 3, 50)}.get(
        link.kind, draw.integers(1, 6, 50)
    )
    shares = draw.dirichlet([1, 1, 1], 50)
    mean = {"categorical": shares, "binary": shares[:, 0]}.get(link.kind, draw.uniform(1, 5, 50))
    errors = _errors(link, observed.astype(float), mean, draw)
    again = np.array([_happening(link, mean[[i]][:, None], errors[[i]])[0, 0] for i in range(50)])
    np.testing.assert_allclose(again, observed, atol=1e-9)


def test_a_chain_is_asked_with_what_happened_and_errors_stay_together() -> None:
    scenario = declare(CHAIN)

    def sold(inputs: torch.Tensor, settings: torch.Tensor) -> torch.Tensor:
        return inputs[..., 0] - settings[..., 0]

    def waste(inputs: torch.Tensor, settings: torch.Tensor) -> torch.Tensor:
        return 3 * settings[..., 1]

    simulator = stand_in(scenario, {"sold": sold, "waste": waste}, anywhere(scenario.space))
    fold = np.array([0, 1, 2, 0])
    errors = Errors(fold, {"sold": np.array([0.0, 1.0, -1.0, 2.0]), "waste": np.array([0.0, 10.0, 20.0, 30.0])})
    crowd = simulator.crowd(pd.DataFrame({"x": [20.0, 30.0]}))
    ((part, draws),) = Foresight(simulator, errors).draws(crowd, np.array([[1.0], [2.0]]))
    assert part == slice(0, 2)
    np.testing.assert_allclose(draws["sold"], [[19, 20, 18, 21], [28, 29, 27, 30]])
    np.testing.assert_allclose(draws["waste"], 3 * draws["sold"] + [0, 10, 20, 30])
    price = np.array([[1.0], [2.0]])
    np.testing.assert_allclose(draws["objective"], price * draws["sold"] - 2 * draws["waste"])


def test_what_does_not_exist_is_worth_nothing() -> None:
    text = CHAIN.replace("sold: {kind: numeric}", "sold: {kind: binary}")
    scenario = declare(text.replace("uses: [sold]", "when: sold"))
    responses: dict[str, Any] = {
        "sold": lambda inputs, settings: 0.5 + 0 * (inputs[..., 0] + settings[..., 0]),
        "waste": lambda inputs, settings: 7 + 0 * (inputs[..., 0] + settings[..., 0]),
    }
    simulator = stand_in(scenario, responses, anywhere(scenario.space))
    errors = Errors(np.array([0, 1]), {"sold": np.array([0.2, 0.9]), "waste": np.array([1.0, 1.0])})
    crowd = simulator.crowd(pd.DataFrame({"x": [0.0]}))
    ((_, draws),) = Foresight(simulator, errors).draws(crowd, np.array([[1.0]]))
    assert draws["sold"].tolist() == [[0, 1]]
    assert draws["waste"].tolist() == [[0, 8]]


def test_spans_leave_as_much_below_as_above_or_are_the_shortest() -> None:
    draws = np.arange(1.0, 100.0)[None]
    assert [end.tolist() for end in span(draws, 0.9)] == [[5.0], [95.0]]
    low, high = span(np.array([[0.0] * 50 + [1.0] * 30 + [2.0] * 15 + [9.0] * 4]), 0.9, narrow=True)
    assert (low.tolist(), high.tolist()) == ([0.0], [2.0])
    draw = np.random.default_rng(2)
    for narrow in (False, True):
        low, high = span(draw.normal(size=(3000, 199)), 0.8, narrow=narrow)
        inside = float(np.mean([(low <= new) & (new <= high) for new in draw.normal(size=(20, 3000))]))
        assert 0.77 < inside < 0.83 + (0.0 if narrow else 0.01)
