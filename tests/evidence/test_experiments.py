"""Chances of the next test, against formulas and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.optimize import minimize

from drivetrain.evidence.experiments import beliefs, drawn, explore, mean, power, shares, spread, top_two


def test_beliefs_are_votes():
    values = np.array([[[1, 2, 3]], [[3, 2, 1]], [[0, 9, 1]], [[0, 9, -np.inf]]], dtype=float)
    assert beliefs(values).tolist() == [[0.25, 0.5, 0.25]]
    assert beliefs(values, 2).tolist() == [[0.25, 0.5, 0.25]]  # each member's better two, half a vote for each
    assert beliefs(values[:, :, :2], 3).tolist() == [[0.5, 0.5]]  # of no more than there are
    assert beliefs(np.array([[[1.0, -np.inf, -np.inf]]]), 2).tolist() == [[1, 0, 0]]


def test_a_difference_of_two_policies_that_draw_is_as_noisy_as_it_is_when_drawn():
    """Policies that put one of two options into a slot, and share one of them: 40,000 rows."""
    one, other, worth = np.array([0.5, 0.5, 0]), np.array([0, 0.5, 0.5]), np.array([3.0, 2.0, 0.0])
    chance = 0.6 * one + 0.4 * other
    draw = np.random.default_rng(0)
    got = drawn(np.tile(chance, (40_000, 1)), 1)
    seen = worth[got] + draw.normal(size=40_000)
    score = (one - other) @ worth + ((one - other) / chance)[got] * (seen - worth[got])
    told = spread(chance[None], one[None], other[None])[0]
    assert score.var() == pytest.approx(told, rel=0.03)
    assert mean(np.array([one, other]), np.array([worth, worth])).tolist() == [2.5, 1.0]
    assert mean(one[None], np.array([[3.0, -np.inf, 0.0]])).tolist() == [-np.inf]
    assert mean(other[None], np.array([[-np.inf, 2.0, 0.0]])).tolist() == [1.0]


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.integers(0, 99))
def test_top_two_is_what_resampling_gives(weights: list[float], seed: int):
    chance = np.array(weights) / sum(weights)
    told = top_two(chance[None])[0]
    assert told.sum() == pytest.approx(1)
    conditional = np.where(np.eye(len(chance)) == 1, 0, chance[None]) / (1 - chance[:, None])
    assert told == pytest.approx(0.5 * chance + 0.5 * chance @ conditional)


def test_what_is_sure_is_given():
    assert top_two(np.array([[1.0, 0.0]])).tolist() == [[1, 0]]


@given(st.integers(0, 1000), st.floats(0, 50))
def test_no_more_is_lost_than_allowed(seed: int, most: float):
    draw = np.random.default_rng(seed)
    chance, worth = draw.dirichlet(np.ones(4), 30), draw.normal(size=(30, 4))
    usual = np.eye(4)[worth.argmax(1)]
    told = explore(chance, worth, usual, most, seed)
    assert told.chance.sum(1) == pytest.approx(np.ones(30))
    lost = (told.chance * (worth.max(1, keepdims=True) - worth)).sum()
    assert lost == pytest.approx(told.loss)
    assert told.loss <= most + 1e-9
    assert (told.propensity > 0).all()


def test_draws_follow_their_chances():
    chance = np.tile([0.2, 0.5, 0.3], (60_000, 1))
    assert np.bincount(drawn(chance, 3)) / 60_000 == pytest.approx([0.2, 0.5, 0.3], abs=0.01)
    assert (drawn(chance, 3) == drawn(chance, 3)).all()


def test_shares_have_the_smallest_error_for_their_loss():
    gain = np.array([0.1, 0.5, 1.0, 3.0, -0.4])
    told, most = shares(gain, 1.0), 1.0
    cost = np.maximum(gain, 0)
    assert told @ cost == pytest.approx(most, rel=1e-6)
    assert told[-1] == pytest.approx(0.5)
    searched = minimize(
        lambda q: (1 / q + 1 / (1 - q)).sum(),
        np.full(5, 0.1),
        bounds=[(1e-3, 1 - 1e-3)] * 5,
        constraints={"type": "ineq", "fun": lambda q: most - q @ cost},
    )
    assert (1 / told + 1 / (1 - told)).sum() == pytest.approx(searched.fun, rel=1e-5)
    assert shares(gain, 100).tolist() == [0.5] * 5


def test_power_is_the_share_of_tests_that_settle_it():
    """A test of 400 rows, drawn 2,000 times."""
    draw, gain, noise = np.random.default_rng(0), np.full(300, 0.5), 2.0
    share = np.full(300, 0.3)
    one, sides = np.tile([1.0, 0.0], (300, 1)), np.column_stack([1 - share, share])
    noisy = spread(sides, one, 1 - one)
    assert noisy == pytest.approx(1 / share + 1 / (1 - share))
    told = power(gain, noisy, noise, rows=400)
    other = draw.random((2000, 300)) < share
    surprise = noise * draw.normal(size=other.shape)
    score = gain + np.where(other, -surprise / share, surprise / (1 - share))
    every = np.hstack([score, np.zeros((2000, 100))])
    mean, error = every.mean(1), every.std(1) / 20
    assert told.gain == pytest.approx(0.375)
    assert error.mean() == pytest.approx(told.error, rel=0.05)
    assert (mean - 1.96 * error > 0).mean() == pytest.approx(told.power, abs=0.04)
    again = power(gain, noisy, noise, rows=400)
    assert again.rows_needed == pytest.approx(400 * (2.8016 * told.error / told.gain) ** 2, rel=0.01)
    assert power(-gain, noisy, noise, 400).rows_needed is None
