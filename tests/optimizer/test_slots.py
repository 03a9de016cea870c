"""Sets of options against brute force over all sets."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from drivetrain.optimizer.slots import Slots, best, least, solve
from drivetrain.optimizer.totals import Total


def _sets(options: int, slots: Slots) -> list[tuple[int, ...]]:
    every = combinations(range(options), slots.many)
    if slots.group is None:
        return list(every)
    group = slots.group
    return [s for s in every if all(sum(group[o] == g for o in s) <= slots.most for g in range(group.max() + 1))]


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, Slots, np.random.Generator]:
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    options, many = draw(st.integers(3, 5)), draw(st.integers(2, 3))
    group = None
    if draw(st.booleans()):
        group = np.append(rng.integers(-1, 3, options), np.full(many, -1))  # some are always free
        options += many
    values = rng.normal(size=(draw(st.integers(1, 2)), options)).astype(np.float32)
    return values, Slots(many, group, draw(st.integers(1, 2))), rng


@given(problems())
@settings(max_examples=40, deadline=None)
def test_the_best_set_of_each_decision_is_found(made: tuple[np.ndarray, Slots, np.random.Generator]) -> None:
    values, slots, _ = made
    picked, _, bound = solve(values, [], slots) or pytest.fail("there is always room")
    for row, own in zip(values, picked, strict=True):
        most = max(row[list(s)].sum() for s in _sets(values.shape[1], slots))
        assert row[own].sum() == pytest.approx(most, abs=1e-5)
        assert (np.diff(row[own]) <= 0).all()
        assert tuple(sorted(own)) in _sets(values.shape[1], slots)
    assert bound == pytest.approx(np.take_along_axis(values, picked, 1).sum(), abs=1e-4)


@given(problems())
@settings(max_examples=40, deadline=None)
def test_sets_within_totals_equal_the_best_of_all(made: tuple[np.ndarray, Slots, np.random.Generator]) -> None:
    values, slots, rng = made
    uses = [rng.uniform(0, 1, values.shape).astype(np.float32) for _ in range(2)]
    each = _sets(values.shape[1], slots)
    every = [
        (sum(v[list(s)].sum() for v, s in zip(values, choice, strict=True)),
         [sum(u[i][list(s)].sum() for i, s in enumerate(choice)) for u in uses])
        for choice in product(each, repeat=len(values))
    ]  # fmt: skip
    ceilings = [float(np.quantile([used[k] for _, used in every], 0.35)) for k in range(2)]
    totals = [Total(f"t{k}", uses[k], ceilings[k], 1, 1.0) for k in range(2)]
    fine = [v for v, used in every if all(u <= c + 1e-7 for u, c in zip(used, ceilings, strict=True))]
    found = solve(values, totals, slots, nodes=2000)
    if not fine:
        assert found is None
        return
    assert found is not None
    picked, prices, bound = found
    earned = float(np.take_along_axis(values, picked, 1).sum())
    assert all(tuple(sorted(own)) in each for own in picked.tolist())
    assert all(np.take_along_axis(u, picked, 1).sum() <= c + 1e-5 for u, c in zip(uses, ceilings, strict=True))
    assert earned == pytest.approx(max(fine), abs=1e-4)
    assert bound >= earned - 1e-4
    assert (prices >= 0).all()


def test_many_decisions_come_within_a_hundredth_of_a_percent_of_the_bound() -> None:
    rng = np.random.default_rng(1)
    values = rng.gamma(2, 1, (5_000, 12)).astype(np.float32)
    use = (values * rng.uniform(0.5, 1.5, values.shape)).astype(np.float32)
    slots = Slots(3, np.repeat(np.arange(4), 3), 1)
    total = Total("budget", use, 5_000 * 6.0, 1, 1.0)
    picked, prices, bound = solve(values, [total], slots) or pytest.fail("there is room")
    earned = float(np.take_along_axis(values, picked, 1).sum(dtype=np.float64))
    assert np.take_along_axis(use, picked, 1).sum(dtype=np.float64) <= total.limit + total.slack
    assert (bound - earned) / bound < 1e-4
    assert prices[0] > 0


def test_what_cannot_be_kept_is_told() -> None:
    values, use = np.zeros((2, 3), dtype=np.float32), np.ones((2, 3), dtype=np.float32)
    total = Total("budget", use, 3.9, 1, 1.0)
    assert least(values, total, Slots(2)) == pytest.approx(4)
    assert solve(values, [total], Slots(2)) is None


def test_options_not_allowed_come_last() -> None:
    net = torch.tensor([[-torch.inf, 1.0, 2.0, 3.0]])
    worth, place = best(net, Slots(2, np.array([0, 0, 0, 0]), 1))
    assert worth.tolist() == [[3.0, -torch.inf]]
    worth, place = best(net, Slots(3, np.array([0, 0, 1, 1]), 1))
    assert (place[0, :2].tolist(), worth[0].tolist()) == ([3, 1], [3.0, 1.0, -torch.inf])
