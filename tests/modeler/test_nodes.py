"""Nodes: probabilities that add up, and bins whose own means give the mean back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from scipy import stats

from drivetrain.modeler import Link
from drivetrain.modeler.nodes import MOST_NODES, Nodes

BINARY = Nodes.fit(Link(kind="binary"), np.array([0.0, 1]), 0)
NUMERIC = Nodes.fit(Link(kind="numeric"), np.random.default_rng(0).normal(100, 15, 500), 10.0)
COUNT = Nodes.fit(Link(kind="count"), np.random.default_rng(0).poisson(2, 500).astype(float), 0)
MANY = Nodes.fit(Link(kind="count"), np.random.default_rng(0).poisson(60, 500).astype(float), 0)


def parts(nodes: Nodes, mean: float, *, later: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    each = list(nodes.parts(torch.tensor([mean]), later=later))
    weights = np.array([float(weight.reshape(-1)[0]) for _, weight, _ in each])
    return np.array([value for value, _, _ in each]), weights, np.array([float(v.reshape(-1)[0]) for *_, v in each])


@given(st.floats(0, 1))
def test_binary_is_exact(mean: float) -> None:
    values, weights, inside = parts(BINARY, mean)
    assert values.tolist() == inside.tolist() == [0, 1]
    assert weights == pytest.approx([1 - mean, mean], abs=1e-7)


def test_categorical_is_exact() -> None:
    nodes = Nodes.fit(Link(kind="categorical", options=("a", "b", "c")), np.array([0.0, 1]), 0)
    shares = torch.tensor([[[0.2, 0.3, 0.5]]])
    assert [(value, float(weight[0, 0])) for value, weight, _ in nodes.parts(shares, later=True)] == [
        (0, pytest.approx(0.2)), (1, pytest.approx(0.3)), (2, pytest.approx(0.5))
    ]  # fmt: skip


@pytest.mark.parametrize(("nodes", "low", "high"), [(NUMERIC, -50, 250), (COUNT, 0, 30), (MANY, 0, 200)])
@given(st.data())
def test_weights_add_up_and_bins_give_the_mean_back(nodes: Nodes, low: float, high: float, data: st.DataObject) -> None:
    mean = data.draw(st.floats(low, high))
    _, weights, inside = parts(nodes, mean)
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert (weights >= 0).all()
    assert weights @ inside == pytest.approx(mean, abs=1e-3 + 2e-5 * abs(mean))
    assert (np.diff(inside) > -1e-4).all()


@pytest.mark.parametrize("mean", [0.01, 1.0, 2.5, 7.0])
def test_small_counts_are_told_apart_one_by_one(mean: float) -> None:
    values, weights, inside = parts(COUNT, mean)
    assert values.tolist() == list(range(MOST_NODES))
    assert weights[:-1] == pytest.approx(stats.poisson.pmf(values[:-1], mean), abs=1e-5)
    assert inside[:-1].tolist() == values[:-1].tolist()
    assert inside[-1] >= MOST_NODES - 1


def test_numeric_bins_are_those_of_the_normal() -> None:
    values, weights, inside = parts(NUMERIC, 103.0)
    edges = np.r_[-np.inf, (values[1:] + values[:-1]) / 2, np.inf]
    normal = stats.norm(103, 10)
    assert weights == pytest.approx(np.diff(normal.cdf(edges)), abs=1e-5)
    for low, high, mean in list(zip(edges, edges[1:], inside, strict=False))[2:-2]:
        assert mean == pytest.approx(normal.expect(lb=low, ub=high, conditional=True), abs=1e-2)


def test_a_bent_formula_is_near_its_true_expectation() -> None:
    _, weights, inside = parts(NUMERIC, 100.0)
    true = stats.norm(100, 10).expect(lambda x: max(x - 110, 0))
    assert weights @ np.maximum(inside - 110, 0) == pytest.approx(true, rel=0.25)
    _, weights, inside = parts(NUMERIC, 100.0, later=False)
    assert weights @ np.maximum(inside - 110, 0) == pytest.approx(true, rel=0.03)
    assert weights @ inside == pytest.approx(100)
    assert weights @ (inside - 100) ** 2 == pytest.approx(10**2, rel=0.03)
    _, weights, inside = parts(MANY, 60.0)
    assert weights @ inside**2 == pytest.approx(60 + 60**2, rel=0.01)


def test_without_spread_all_weight_is_on_the_bin_of_the_mean() -> None:
    nodes = Nodes(Link(kind="numeric"), (0.0, 10.0, 20.0), 0.0)
    _, weights, inside = parts(nodes, 12.0)
    assert weights.tolist() == [0, 1, 0]
    assert inside[1] == pytest.approx(12)
