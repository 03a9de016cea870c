"""Rows fixed by people: they stay, the totals count them, and the rest is as good as a referee's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from drivetrain.errors import InfeasibleError
from drivetrain.optimizer import holds, optimise
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

TEXT = """\
objective: {maximise: y - price}
levers: {price: {kind: integer, min: 0, max: 5}}
inputs: {x: {kind: numeric, bins: [1]}}
outcomes: {y: {kind: numeric}}
constraints:
"""


def known(constraints: str) -> Simulator:
    scenario = declare(TEXT + constraints)
    return stand_in(scenario, {"y": lambda x, at: 2 * x[..., 0] * at[..., 0]}, anywhere(scenario.space))


@given(st.integers(0, 10**6), st.sampled_from(["total", "mean", "ratio", "by"]))
@settings(max_examples=25, deadline=None)
def test_the_rest_is_decided_best_around_what_is_fixed(seed: int, kind: str) -> None:
    draw = np.random.default_rng(seed)
    x, many = draw.uniform(0, 2, 9), 9
    locked = np.where(draw.random((many, 1)) < 0.4, draw.integers(0, 6, (many, 1)), np.nan).astype(float)
    fixed = ~np.isnan(locked[:, 0])
    grid, inside = np.arange(6.0), np.ones(many, dtype=bool)
    bound, use, limit = 20.0, np.tile(grid, (many, 1)), 20.0
    text = f"  - {{name: c, total: price, at_most: {bound}}}"
    if kind == "mean":
        text = "  - {name: c, mean: price, at_most: 2.5}"
        limit = 2.5 * many
    elif kind == "ratio":
        text = "  - {name: c, ratio: {of: price, to: 1 + x}, at_most: 1.25}"
        use, limit = use - 1.25 * (1 + x[:, None]), 0.0
    elif kind == "by":
        text, limit = "  - {name: c, total: price, by: [x], at_most: {1 and above: 9}}", 9.0
        inside = x >= 1
    values, use = (2 * x[:, None] - 1) * grid, use * inside[:, None]
    free = np.ones((many, 6), dtype=bool)
    free[fixed] = grid == locked[fixed]
    one = coo_array((np.ones(values.size), (np.repeat(np.arange(many), 6), np.arange(values.size)))).tocsr()
    answer = milp(
        -values.ravel(),
        constraints=[LinearConstraint(one, 1, 1), LinearConstraint(use.ravel()[None], -np.inf, [limit + 1e-9])],
        integrality=np.ones(values.size),
        bounds=Bounds(0, free.ravel().astype(float)),
    )
    simulator = known(text)
    crowd = simulator.crowd(pd.DataFrame({"x": x}))
    if answer.x is None:
        with pytest.raises(InfeasibleError):
            optimise(simulator, crowd, np.arange(many), locked=locked)
        return
    plan = optimise(simulator, crowd, np.arange(many), locked=locked)
    assert (plan.settings[fixed] == locked[fixed]).all()
    assert holds(simulator, crowd, plan.settings)
    got = float(((2 * x - 1) * plan.settings[:, 0]).sum())
    assert got == pytest.approx(-answer.fun, rel=1e-4, abs=1e-4)
    assert not fixed.any() or f"{fixed.sum()} of 9 rows fixed by people" in plan.method


def test_a_decision_unit_is_decided_without_its_fixed_rows() -> None:
    simulator = known("  - {name: c, total: price, at_most: 100}")
    crowd = simulator.crowd(pd.DataFrame({"x": [0.1, 0.1, 2.0, 2.0]}))
    locked = np.array([[np.nan], [3.0], [np.nan], [np.nan]])
    plan = optimise(simulator, crowd, np.zeros(4, dtype=np.int64), locked=locked)
    assert plan.settings[:, 0].tolist() == [5, 3, 5, 5]


def test_fixed_rows_that_break_a_bound_by_themselves_are_told() -> None:
    simulator = known("  - {name: c, total: price, by: [x], at_most: 4}")
    crowd = simulator.crowd(pd.DataFrame({"x": [0.1, 2.0, 2.0]}))
    locked = np.array([[np.nan], [3.0], [3.0]])
    with pytest.raises(InfeasibleError, match=r"constraints\.c\.at_most \(1 and above\).*rows that are fixed"):
        optimise(simulator, crowd, np.arange(3), locked=locked)
