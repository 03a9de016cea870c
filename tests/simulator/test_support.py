"""Support: kernels, hulls, and settings that speak only for themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from drivetrain.scenario import Categorical, Continuous, LeverSpace
from drivetrain.simulator import Reach, Support
from drivetrain.simulator.support import FEWEST, MOST_KEPT, _distinct

PRICE = Continuous(kind="continuous", min=0, max=100, do_nothing=0)
CHANNEL = Categorical(kind="categorical", options=("mail", "sms", "call"), do_nothing="mail")
SPACE = LeverSpace({"price": PRICE, "channel": CHANNEL})
doses = hnp.arrays(np.float64, 30, elements=st.floats(0, 100))


def seen() -> np.ndarray:
    draw = np.random.default_rng(0)
    price = np.where(draw.random(1000) < 0.2, 0, draw.uniform(20, 60, 1000))
    return np.column_stack([price, draw.choice([0, 1], 1000)])


SUPPORT = Support.fit(SPACE, seen())


@given(doses, doses)
def test_the_kernel_is_symmetric_within_0_and_1_and_1_at_home(a: np.ndarray, b: np.ndarray) -> None:
    first, second = np.column_stack([a, np.arange(30) % 3]), np.column_stack([b, np.arange(30) % 2])
    weight = SUPPORT.kernel(first, second)
    assert weight == pytest.approx(SUPPORT.kernel(second, first).T)
    assert weight.min() >= 0
    assert weight.max() <= 1
    assert np.diag(SUPPORT.kernel(first, first)).tolist() == [1] * 30
    assert SUPPORT.paired(first, second) == pytest.approx(np.diag(weight))


def test_the_kernel_is_epanechnikovs() -> None:
    reach = Reach(width=4.0, low=0, high=10)
    at = np.array([5.0, 6, 7, 9, 11])
    assert reach.kernel(at, np.array([5.0])) == pytest.approx([1, 1 - 1 / 16, 1 - 4 / 16, 0, 0])


def test_doing_nothing_apart_speaks_only_for_itself() -> None:
    reach = SUPPORT.reach[0]
    assert reach.apart == 0
    assert 20 <= reach.low < reach.high <= 60
    assert reach.kernel(np.array([0.0, 0.0, 20, 21]), np.array([0.0, 0.5, 0.0, 21])).tolist() == [1, 0, 0, 1]
    assert reach.inside(np.array([0.0, 0.5, 19, 40, 61])).tolist() == [True, False, False, True, False]


def test_options_speak_only_for_themselves() -> None:
    assert SUPPORT.reach[1].kernel(np.array([0.0, 1, 2]), np.array([1.0])).tolist() == [0, 1, 0]
    assert SUPPORT.reach[1].apart is None


def test_what_is_supported() -> None:
    asked = np.array([[0.0, 0], [40, 0], [40, 1], [40, 2], [10, 0], [80, 1], [0.4, 1]])
    assert SUPPORT.holds(asked).tolist() == [True, True, True, False, False, False, False]


def test_rows_near_are_counted() -> None:
    rows = seen()
    nothing = (rows[:, 0] == 0) & (rows[:, 1] == 1)
    assert SUPPORT.rows_near(np.array([[0.0, 1.0]])) == pytest.approx([nothing.sum()])
    asked = np.array([[33.3, 0.0], [58.0, 1.0]])
    assert SUPPORT.rows_near(asked) == pytest.approx(SUPPORT.kernel(rows, asked).sum(0))


def test_few_rows_are_no_support() -> None:
    space = LeverSpace({"channel": CHANNEL})
    codes = np.r_[np.zeros(100), np.ones(FEWEST), np.full(FEWEST - 1, 2.0)][:, None]
    assert Support.fit(space, codes).holds(np.array([[0.0], [1], [2]])).tolist() == [True, True, False]


def test_a_few_distinct_doses_are_not_bridged() -> None:
    doses = np.repeat([1.0, 2, 5], 50)[:, None]
    support = Support.fit(LeverSpace({"price": PRICE}), doses)
    assert support.reach[0].width == 0
    assert support.holds(np.array([[1.0], [2], [3], [5]])).tolist() == [True, True, False, True]


def test_half_of_a_lumpy_lever_still_has_a_width() -> None:
    lumpy = np.r_[np.full(900, 50.0), np.linspace(0, 100, 100)]
    assert 0 < Reach.fit(lumpy, discrete=False, nothing=None).width < 100


def test_many_settings_are_sampled_and_still_stand_for_all() -> None:
    rows = np.random.default_rng(0).uniform(0, 100, (3 * MOST_KEPT, 1))
    support = Support.fit(LeverSpace({"price": PRICE}), rows, seed=1)
    assert len(support.seen) == MOST_KEPT
    assert sum(support.counts) == pytest.approx(len(rows))
    asked = np.array([[50.0]])
    assert support.rows_near(asked)[0] == pytest.approx(support.kernel(rows, asked).sum(), rel=0.1)
    assert support == Support.fit(LeverSpace({"price": PRICE}), rows, seed=1)


def test_support_survives_json() -> None:
    assert Support.model_validate_json(SUPPORT.model_dump_json()) == SUPPORT


@given(st.integers(0, 10_000), st.sampled_from(["smooth", "few", "apart"]))
def test_rows_near_along_one_lever_equal_the_kernel_summed(seed: int, kind: str) -> None:
    draw = np.random.default_rng(seed)
    values = draw.uniform(2, 9, 200) if kind != "few" else draw.choice([2.0, 5.0, 7.5], 200)
    if kind == "apart":
        values[:60] = 0.0
    space = LeverSpace({"dose": Continuous(kind="continuous", min=0, max=10, do_nothing=0)})
    support = Support.fit(space, values[:, None])
    asked = np.concatenate([draw.uniform(0, 10, 50), values[:20], [0.0, 2.0, 9.0]])[:, None]
    summed = np.asarray(support.counts) @ support.kernel(np.asarray(support.seen), asked)
    np.testing.assert_allclose(support.rows_near(asked), summed, atol=1e-6)


def test_a_million_settings_of_two_levers_fit_in_memory() -> None:
    draw = np.random.default_rng(0)
    levers = {name: Continuous(kind="continuous", min=0, max=1) for name in ("a", "b")}
    support = Support.fit(LeverSpace(levers), draw.random((5000, 2)))
    asked = np.repeat(draw.random((500, 2)), 2000, axis=0)
    np.testing.assert_allclose(support.rows_near(asked)[::2000], support.rows_near(asked[::2000]))


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.sampled_from([0.0, 0.5, 1.0, 7.0])))
def test_each_setting_is_looked_at_once(settings: np.ndarray) -> None:
    distinct, which = _distinct(settings)
    assert np.array_equal(distinct[which], settings)
    assert len(distinct) == len(np.unique(settings, axis=0))
