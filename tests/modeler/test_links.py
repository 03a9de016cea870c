"""Links: start, loss and mean against scipy, scikit-learn and plain arithmetic."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit, softmax
from sklearn.metrics import log_loss, mean_poisson_deviance

from drivetrain.modeler import Link, worth
from drivetrain.modeler.links import MOST_LOG_COUNT
from drivetrain.scenario import Scenario

CATEGORY = Link(kind="categorical", options=("a", "b", "c"))
linear = hnp.arrays(np.float32, (8, 1), elements=st.floats(-30, 30, width=32))


@given(linear)
def test_means_of_binary_count_and_numeric(values: np.ndarray) -> None:
    at = torch.from_numpy(values)
    assert Link(kind="binary").mean(at).numpy() == pytest.approx(expit(values[:, 0]), abs=1e-6)
    expected = np.exp(np.minimum(values[:, 0].astype(float), MOST_LOG_COUNT))
    assert Link(kind="count").mean(at).numpy() == pytest.approx(expected, rel=1e-5)
    assert Link(kind="numeric", centre=7.0, scale=2.0).mean(at).numpy() == pytest.approx(values[:, 0] * 2 + 7, abs=1e-4)


@given(hnp.arrays(np.float32, (2, 4, 3), elements=st.floats(-30, 30, width=32)))
def test_probabilities_of_options(values: np.ndarray) -> None:
    shares = CATEGORY.mean(torch.from_numpy(values)).numpy()
    assert shares == pytest.approx(softmax(values.astype(float), axis=-1), abs=1e-6)


def test_losses_are_the_ones_that_the_contest_names() -> None:
    draw = np.random.default_rng(0)
    at = draw.normal(size=(50, 1)).astype(np.float32)
    yes = (draw.random(50) < 0.5).astype(float)
    binary = Link(kind="binary")
    assert float(binary.loss(torch.from_numpy(at), binary.target(yes))) == pytest.approx(
        log_loss(yes, expit(at[:, 0])), rel=1e-5
    )
    three, codes = draw.normal(size=(50, 3)).astype(np.float32), draw.integers(0, 3, 50).astype(float)
    assert float(CATEGORY.loss(torch.from_numpy(three), CATEGORY.target(codes))) == pytest.approx(
        log_loss(codes, softmax(three.astype(float), axis=1)), rel=1e-5
    )
    # Poisson's: half the deviance, up to what does not depend on the prediction
    counts, link = draw.poisson(2, 50).astype(float), Link(kind="count")
    losses = [float(link.loss(torch.from_numpy(each), link.target(counts))) for each in (at, 0 * at)]
    deviances = [mean_poisson_deviance(counts, np.exp(each[:, 0])) for each in (at, 0 * at)]
    assert losses[0] - losses[1] == pytest.approx((deviances[0] - deviances[1]) / 2, rel=1e-4)


@pytest.mark.parametrize("link", [Link(kind="binary"), Link(kind="numeric"), Link(kind="count"), CATEGORY])
def test_training_starts_where_the_mean_is_right_and_the_loss_is_flat(link: Link) -> None:
    observed = np.random.default_rng(1).integers(0, 2 if link.kind == "binary" else 3, 600).astype(float)
    fitted = link.fitted(observed)
    target = fitted.target(observed)
    start = fitted.start(target).clone().requires_grad_()
    loss = fitted.loss(start.expand(len(observed), -1), target)
    (slope,) = torch.autograd.grad(loss, start)
    assert slope.abs().max() < 2e-3
    shares = np.bincount(observed.astype(int)) / len(observed)
    expected = shares if link.kind == "categorical" else observed.mean()
    assert fitted.mean(start.detach()).numpy() == pytest.approx(expected, abs=2e-3)


def test_start_is_finite_where_everyone_or_no_one_says_yes() -> None:
    for link in (Link(kind="binary"), Link(kind="count")):
        for value in (0.0, 1.0):
            assert bool(torch.isfinite(link.start(link.target(np.full(30, value)))).all())
    assert bool(torch.isfinite(CATEGORY.start(CATEGORY.target(np.zeros(30)))).all())


def test_numeric_targets_are_standardised_and_come_back() -> None:
    observed = np.random.default_rng(2).normal(1e6, 3, 100)
    link = Link(kind="numeric").fitted(observed)
    target = link.target(observed)
    assert float(target.mean()) == pytest.approx(0, abs=1e-5)
    assert float(target.std()) == pytest.approx(1, rel=0.02)
    assert link.mean(target.double()[:, None]).numpy() == pytest.approx(observed, abs=1e-4)
    assert Link(kind="numeric").fitted(np.full(5, 3.0)).scale == 1


def test_options_become_codes_and_unknown_ones_are_missing() -> None:
    codes = CATEGORY.observed(pd.Series(["c", "a", None, "z"], dtype=object))
    assert np.array_equal(codes, [2, 0, np.nan, np.nan], equal_nan=True)


def test_worth_of_what_does_not_exist() -> None:
    outcomes = {
        "bought": SimpleNamespace(when=None),
        "items": SimpleNamespace(when="bought"),
        "again": SimpleNamespace(when="bought"),
        "mood": SimpleNamespace(when="again"),
    }
    links = {
        "bought": Link(kind="binary"), "items": Link(kind="count"), "again": Link(kind="binary"),
        "mood": Link(kind="categorical", options=("bad", "good")),
    }  # fmt: skip
    frame = pd.DataFrame(
        {
            "bought": [0, 1, 1, np.nan, 1],
            "items": [np.nan, 2, 3, 1, np.nan],
            "again": [np.nan, 0, 1, 1, np.nan],
            "mood": pd.Series([None, None, "good", "bad", "bad"], dtype=object),
        }
    )
    values = worth(cast(Scenario, cast(Any, SimpleNamespace(outcomes=outcomes))), links, frame)
    nan = np.nan
    expected = {"items": [0, 2, 3, nan, nan], "again": [0, 0, 1, nan, nan], "mood": [-1, -1, 1, nan, nan]}
    for name, each in expected.items():
        assert np.array_equal(values[name], each, equal_nan=True), name
