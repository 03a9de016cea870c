"""Kernel weights: moments by brute force, and no first-order bias at the edge of the range."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.evidence import kernel
from drivetrain.evidence.bandwidth import Width, lepski
from drivetrain.evidence.sample import Estimate
from drivetrain.simulator import Support
from drivetrain.simulator.reach import Reach


def support(*widths: float, apart: float | None = None) -> Support:
    reach = tuple(Reach(width=w, low=0.0, high=3.0, apart=apart) for w in widths)
    return Support(reach=reach, seen=((0.0,) * len(widths),), counts=(1.0,))


def test_moments_by_brute_force() -> None:
    draw = np.random.default_rng(0)
    logged = np.column_stack([draw.uniform(0, 3, 60), draw.integers(0, 2, 60), draw.uniform(0, 3, 60)])
    asked = logged[:7] + np.array([0.1, 0, -0.2])
    told = support(0.8, 0.0, 1.5)
    found = kernel.empirical(told, logged, asked)
    for row, setting in zip(found, asked, strict=True):
        k = told.paired(logged, np.tile(setting, (60, 1)))
        u, v = (logged[:, 0] - setting[0]) / 0.8, (logged[:, 2] - setting[2]) / 1.5
        assert row == pytest.approx([(k * f).mean() for f in (np.ones(60), u, v, u * u, u * v, v * v)], abs=1e-12)


def test_weights_have_mean_one_and_no_slope_everywhere() -> None:
    draw = np.random.default_rng(1)
    logged, told = draw.uniform(0, 3, (4000, 1)), support(0.6)
    for at in (0.0, 0.2, 1.5, 3.0):
        asked = np.full((4000, 1), at)
        weight = kernel.weights(told, logged, asked, kernel.empirical(told, logged, asked))
        assert weight.mean() == pytest.approx(1, abs=0.12)
        assert (weight * (logged[:, 0] - at)).mean() == pytest.approx(0, abs=0.05)


def test_the_edge_of_the_range_has_no_bias_of_the_first_order() -> None:
    """Y = 2t: a plain kernel at 0 answers about 0.37 of a width too high, a local line nearly 0."""
    found, plain = [], []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        logged, told, asked = draw.uniform(0, 3, (500, 1)), support(0.6), np.zeros((500, 1))
        y, moments = 2 * logged[:, 0] + draw.normal(size=500), kernel.empirical(told, logged, asked)
        found.append((kernel.weights(told, logged, asked, moments) * y).mean())
        plain.append((kernel.weights(told, logged, asked, moments[:, :1]) * y).mean())
    assert np.mean(plain) > 0.4
    assert abs(np.mean(found)) < 0.12


def test_what_stands_apart_speaks_only_for_itself() -> None:
    logged = np.array([[0.0], [0.0], [0.5], [0.6], [2.0]])
    told = support(1.0, apart=0.0)
    moments = kernel.empirical(told, logged, np.zeros((5, 1)))
    assert kernel.weights(told, logged, np.zeros((5, 1)), moments) == pytest.approx([2.5, 2.5, 0, 0, 0])


def test_a_floor_bounds_what_one_row_can_say() -> None:
    logged, told = np.array([[0.0]] * 999 + [[1.0]]), support(0.0)
    moments = kernel.empirical(told, logged, np.ones((1000, 1)))
    assert kernel.weights(told, logged, np.ones((1000, 1)), moments).max() == pytest.approx(100)
    assert kernel.weights(told, logged, np.ones((1000, 1)), moments, 0).max() == pytest.approx(1000)


def test_the_widest_kernel_whose_bias_does_not_show() -> None:
    def tried(*values: float) -> tuple[Width, ...]:
        return tuple(Width(f, Estimate(v, 0.4 / f)) for f, v in zip((0.5, 1.0, 2.0), values, strict=True))

    assert lepski(tried(1.0, 1.2, 0.9)) == 2.0
    assert lepski(tried(1.0, 1.2, 3.0)) == 1.0
    assert lepski(tried(1.0, 4.0, 1.0)) == 0.5
