"""Candidates where the data has few values: those values, and not a grid that misses them."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.optimizer import candidates, seen_alone
from drivetrain.scenario import Continuous, Integer, LeverSpace
from drivetrain.simulator import Support

PRICE = Continuous(kind="continuous", min=0.5, max=1.7, do_nothing=1.09)
PRICES = np.float32([0.59, 0.89, 0.99, 1.09, 1.19, 1.29, 1.59]).astype(np.float64)


def test_a_lever_with_few_prices_is_tried_at_each_of_them_though_they_came_as_32_bit_numbers() -> None:
    space = LeverSpace({"price": PRICE})
    support = Support.fit(space, np.repeat(PRICES, 50)[:, None])
    assert candidates(space, support)[:, 0].tolist() == [0.59, 0.89, 0.99, 1.09, 1.19, 1.29, 1.59]
    assert support.holds(np.array([[1.09], [1.0901]])).tolist() == [True, False]
    assert support.rows_near(np.array([[1.09]])).tolist() == [50]


def test_with_a_second_lever_too() -> None:
    space = LeverSpace({"price": PRICE, "shelf": Integer(kind="integer", min=0, max=10_000)})
    seen = np.array([[price, shelf] for price in PRICES for shelf in (7, 4321)])
    tried = candidates(space, Support.fit(space, np.repeat(seen, 50, axis=0)))
    assert tried == pytest.approx(seen)


def test_settings_lie_on_the_levers_steps() -> None:
    space = LeverSpace({"price": Continuous(kind="continuous", min=0.5, max=1.7, step=0.1)})
    support = Support.fit(space, np.repeat(np.float64([0.6, 0.65, 1.5]), 50)[:, None])
    assert seen_alone(space, support, 0) == pytest.approx([0.6, 1.5])


def test_where_near_values_speak_too_there_are_none_alone() -> None:
    space = LeverSpace({"price": PRICE})
    support = Support.fit(space, np.linspace(0.5, 1.7, 500)[:, None])
    assert not len(seen_alone(space, support, 0))


def test_what_is_frozen_stays_where_it_is_among_many_levers_too() -> None:
    """Settings that the data shows are candidates as well, but not with other values of what is not decided."""
    free = {f"lever_{i}": Continuous(kind="continuous", min=0, max=1) for i in range(6)}
    space = LeverSpace({**free, "age": Integer(kind="integer", min=1, max=90, current=28, frozen=True)})
    draw = np.random.default_rng(1)
    seen = np.column_stack([draw.random((500, 6)), draw.choice([7, 28, 90], 500)])
    assert set(candidates(space, Support.fit(space, seen))[:, -1]) == {28.0}
