"""Means and their errors: known answers, and coverage where rows are not independent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from drivetrain.evidence import Estimate, Sample
from drivetrain.evidence.sample import Z95


def same(one: Estimate, other: Estimate) -> bool:
    return (one.value, one.error) == pytest.approx((other.value, other.error), abs=1e-12)


def test_rows_that_count_alike_are_the_textbook_mean():
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    assert same(Sample(4).estimate(scores), Estimate.of(scores))
    assert Sample(4, cluster=np.arange(4)).estimate(scores).error == pytest.approx(
        Estimate.of(scores).error * stats.t.ppf(0.975, 3) / Z95
    )


def test_copies_of_a_row_are_one_witness():
    scores = np.random.default_rng(0).normal(size=40)
    copied = Sample(400, cluster=np.repeat(np.arange(40), 10)).estimate(np.repeat(scores, 10))
    once = Sample(40, cluster=np.arange(40)).estimate(scores)
    assert same(copied, once)
    assert copied.error > 3 * Estimate.of(np.repeat(scores, 10)).error


def test_clusters_are_covered_where_rows_alone_are_not():
    draw, cluster = np.random.default_rng(1), np.repeat(np.arange(25), 8)
    hits = np.zeros(3)
    for seed in range(400):
        scores = draw.normal(size=25)[cluster] + draw.normal(size=200)
        sample = Sample(200, cluster=cluster)
        told, naive = sample.estimate(scores), Estimate.of(scores)
        low, high = sample.bootstrap(scores, seed, draws=300)
        hits += [told.low <= 0 <= told.high, low <= 0 <= high, naive.low <= 0 <= naive.high]
    share = hits / 400
    print(f"covered: clustered {share[0]:.1%}, bootstrap {share[1]:.1%}, rows {share[2]:.1%}")
    assert 0.92 <= share[0] <= 0.98
    assert 0.91 <= share[1] <= 0.98
    assert share[2] < 0.75


def test_the_bootstrap_leans_where_scores_lean():
    """Exponential scores: the true mean is more often far above the sample's than far below."""
    scores = np.random.default_rng(2).exponential(size=60)
    sample, plain = Sample(60), Estimate.of(scores)
    low, high = sample.bootstrap(scores, 0)
    assert high - plain.high > plain.low - low
    assert low < plain.value < high
    many = np.random.default_rng(3).normal(size=9_000)
    assert Sample(9_000).bootstrap(many, 0) == pytest.approx((Estimate.of(many).low, Estimate.of(many).high), abs=3e-3)
    assert sample.bootstrap(np.ones(60), 0) == (1.0, 1.0)


def test_a_ratio_by_the_delta_method_is_covered():
    hits = 0
    for seed in range(400):
        draw = np.random.default_rng(seed)
        below = draw.gamma(4, 0.5, 300)
        above = 0.5 * below + draw.normal(size=300)
        told = Sample(300).ratio(above, below)
        hits += told.low <= 0.5 <= told.high
    assert 0.92 <= hits / 400 <= 0.98
    assert same(Sample(300).ratio(3 * below, below), Estimate(3.0, 0.0))
