"""Totals against a referee: the mixed-integer programme solved whole by HiGHS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, vstack

from drivetrain.optimizer.allotment import solve
from drivetrain.optimizer.totals import Total, accept, bounded, dual


def referee(values: np.ndarray, totals: list[Total], *, whole: bool = True) -> float | None:
    """The best value of any choice (of any mixture, unless whole); None where there is none."""
    units, many = values.shape
    allowed = np.isfinite(values).ravel()
    at = np.repeat(np.arange(units), many)
    one = coo_array((np.ones(units * many), (at, np.arange(units * many))), shape=(units, units * many)).tocsr()
    uses = np.stack([t.used.ravel().astype(float) for t in totals])
    limits = np.array([t.limit for t in totals])
    cost = -np.where(allowed, values.ravel(), 0).astype(float)
    if not whole:
        answer = linprog(cost, uses, limits, one, np.ones(units), list(zip(np.zeros(len(cost)), allowed, strict=True)))
        return -answer.fun if answer.success else None
    rows = LinearConstraint(vstack([one, uses]).tocsr(), [1] * units + [-np.inf] * len(totals), [1] * units + [*limits])
    answer = milp(cost, constraints=rows, integrality=np.ones(len(cost)), bounds=Bounds(0, allowed.astype(float)))
    return None if answer.x is None else -answer.fun


def total(name: str, used: np.ndarray, limit: float, direction: int = 1, scale: float = 1.0) -> Total:
    return Total(name, (direction * used).astype(np.float32), direction * limit, direction, scale)


def solved(values: np.ndarray, totals: list[Total]) -> tuple[np.ndarray, np.ndarray]:
    found = solve(values, totals)
    assert found is not None
    return found


def value_of(values: np.ndarray, picked: np.ndarray) -> float:
    return sum(float(values[i, g]) for i, g in enumerate(picked))


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 6), st.integers(1, 3))
@settings(max_examples=120, deadline=None)
def test_solve_is_as_good_as_the_referee_and_infeasible_where_it_is(seed: int, units: int, many: int, bounds: int):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(units, many)).astype(np.float32)
    values[draw.random(values.shape) < 0.1] = -np.inf
    values[:, 0] = draw.normal(size=units)
    totals = []
    for k in range(bounds):
        used = draw.uniform(0, 10, (units, many)).round(2)
        low, high = used.min(1).sum(), used.max(1).sum()
        limit = low + (high - low) * draw.uniform(-0.05, 0.9)
        totals.append(total(f"t{k}", used, float(limit), int(draw.choice([1, -1]))))
    best = referee(values, totals)
    found = solve(values, totals)
    if found is None:
        assert best is None
        return
    picked, prices = found
    if best is None:  # on the very edge: kept but for a rounding error
        best = referee(values, [replace(each, limit=each.limit + each.slack) for each in totals])
    assert best is not None
    assert np.isfinite(values[np.arange(units), picked]).all()
    for each in totals:
        assert sum(float(each.used[i, g]) for i, g in enumerate(picked)) <= each.limit + 1e-6 * max(1, abs(each.limit))
    assert value_of(values, picked) >= best - 1e-4 * max(1, abs(best))
    assert (prices >= 0).all()


def test_alike_decisions_between_two_bounds():
    values = np.tile(np.array([0.0, 1.0], dtype=np.float32), (5000, 1))
    used = np.tile(np.array([0.0, 1.0]), (5000, 1))
    picked, _ = solved(values, [total("most", used, 2100), total("least", used, 2000, -1)])
    assert picked.sum() == 2100
    exactly, _ = solved(-values, [total("most", used, 1234), total("least", used, 1234, -1)])
    assert exactly.sum() == 1234


@pytest.mark.parametrize("bounds", [1, 3, 5])
def test_large_problems_stay_within_a_hair_of_the_bound(bounds: int):
    draw = np.random.default_rng(bounds)
    values = draw.gamma(2, size=(4000, 10)).astype(np.float32)
    totals = [total(f"t{k}", draw.uniform(0, 10, values.shape), 4000 * draw.uniform(3, 4.5)) for k in range(bounds)]
    picked, prices = solved(values, totals)
    limit = referee(values, totals, whole=False)
    assert limit is not None
    assert dual(values, totals).bound == pytest.approx(limit, rel=1e-5)
    assert value_of(values, picked) >= limit * (1 - 2e-4)
    assert all(t.spent(picked) <= t.limit + t.slack for t in totals)
    assert (prices > 0).any()


def test_whole_settings_that_cannot_meet_a_sum_are_none():
    used = np.array([[0.0, 2.0]] * 3)
    assert solve(np.zeros((3, 2), np.float32), [total("most", used, 3.5), total("least", used, 2.5, -1)]) is None


def test_forbidden_settings_are_never_picked_however_cheap():
    values = np.array([[-np.inf, 1.0, 2.0]] * 4, dtype=np.float32)
    used = np.array([[0.0, 1.0, 5.0]] * 4)
    picked, _ = solved(values, [total("cost", used, 12)])
    assert value_of(values, picked) == 6.0


def test_prices_are_the_worth_of_one_more_unit():
    draw = np.random.default_rng(1)
    values, used = np.column_stack([np.zeros(2000), draw.uniform(0, 1, 2000)]), np.array([[0.0, 1.0]] * 2000)
    table = values.astype(np.float32)
    picked, prices = solved(table, [total("cost", used, 500)])
    more, _ = solved(table, [total("cost", used, 520)])
    assert prices[0] == pytest.approx((value_of(values, more) - value_of(values, picked)) / 20, rel=0.05)


def test_accepted_moves_gain_and_leave_room():
    gain, use = np.array([3.0, 2.0, -1.0, 1.0]), np.array([[2.0, 1.0, -5.0, 0.0]])
    assert accept(gain, use, np.array([1.5]), np.array([1.0])).tolist() == [False, True, False, True]


@given(st.integers(0, 10**6))
def test_accepted_moves_are_those_that_a_plain_loop_accepts(seed: int):
    draw = np.random.default_rng(seed)
    gain, use = draw.normal(size=40), draw.uniform(0, 3, (2, 40)).round(1)
    room, prices = draw.uniform(0, 15, 2), draw.uniform(0, 1, 2)
    made, left = accept(gain, use, room, prices), room.copy()
    for i in np.argsort(-gain / np.maximum(prices @ use, 1e-12), kind="stable"):
        fits = gain[i] > 0 and (use[:, i] <= left).all()
        assert made[i] == fits or np.isclose(use[:, i], left).any()
        left = left - made[i] * use[:, i]
    assert (use[:, made].sum(1) <= room + 1e-9).all()


def test_the_bound_holds_and_the_answer_is_near_it():
    draw = np.random.default_rng(2)
    values = draw.gamma(2, size=(4_000, 6)).astype(np.float32)
    totals = [total(f"t{k}", draw.uniform(0, 10, values.shape), 4_000 * 3.5) for k in range(2)]
    picked, prices = solve(values, totals)[:2]
    bound = bounded(values, totals, prices)
    assert value_of(values, picked) <= bound
    assert value_of(values, picked) >= bound * (1 - 1e-5)
