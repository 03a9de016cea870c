"""Levers that decisions share beside their own: against every combination, each solved whole."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from drivetrain.errors import InfeasibleError, ScenarioError
from drivetrain.optimizer import decisions, holds, optimise
from drivetrain.optimizer.mixed import Shared, share_out
from drivetrain.simulator import Simulator
from tests.stand_ins import anywhere, declare, stand_in

TEXT = """\
objective: {maximise: y}
levers:
  price: {kind: integer, min: 0, max: 4}
  discount: {kind: integer, min: 0, max: 2}
inputs: {x: {kind: numeric, bins: [0]}}
outcomes: {y: {kind: numeric}}
"""
PRICES, DISCOUNTS = np.arange(5.0), np.arange(3.0)


def known(more: str) -> Simulator:
    scenario = declare(TEXT + more)

    def response(x, at):
        return x[..., 0] * at[..., 0] - 0.5 * at[..., 0] ** 2 + at[..., 1] * (1 - at[..., 0] * 0.25) * x[..., 0]

    return stand_in(scenario, {"y": response}, anywhere(scenario.space))


def value(x: np.ndarray, price: float, discount: np.ndarray) -> np.ndarray:
    return x * price - 0.5 * price**2 + discount * (1 - price * 0.25) * x


def brute(x: np.ndarray, group: np.ndarray, limit: float | None) -> float:
    """The best over every price of every group; discounts by a programme solved whole."""
    best, groups = -np.inf, int(group.max()) + 1
    for prices in product(PRICES, repeat=groups):
        price = np.array(prices)[group]
        table = value(x[:, None], price[:, None], DISCOUNTS)
        if limit is None:
            best = max(best, table.max(1).sum())
            continue
        spent = (DISCOUNTS + 0 * table + price[:, None]).ravel()
        one = coo_array((np.ones(table.size), (np.repeat(np.arange(len(x)), 3), np.arange(table.size)))).tocsr()
        answer = milp(
            -table.ravel(),
            constraints=[LinearConstraint(one, 1, 1), LinearConstraint(spent[None], -np.inf, limit + 1e-9)],
            integrality=np.ones(table.size),
            bounds=Bounds(0, 1),
        )
        best = max(best, -answer.fun) if answer.x is not None else best
    return best


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@settings(max_examples=20, deadline=None)
def test_it_is_as_good_as_every_combination(seed: int, grouped: bool, limited: bool) -> None:
    draw = np.random.default_rng(seed)
    x = draw.integers(-16, 33, 7) / 8
    limit = float(draw.integers(2, 25)) if limited else None
    more = f"decide: {{unit: row, shared: {{price: {'[x]' if grouped else 'once'}}}}}\n"
    more += f"constraints: [{{name: c, total: price + discount, at_most: {limit}}}]" if limited else ""
    simulator = known(more)
    frame = pd.DataFrame({"x": x})
    group = np.unique(x >= 0, return_inverse=True)[1] if grouped else np.zeros(7, dtype=int)
    plan = optimise(simulator, simulator.crowd(frame), decisions(simulator.scenario, frame))
    for label in np.unique(group):
        assert len(np.unique(plan.settings[group == label, 0])) == 1
    assert holds(simulator, simulator.crowd(frame), plan.settings)
    got = value(x, plan.settings[:, 0], plan.settings[:, 1]).sum()
    assert got == pytest.approx(brute(x, group, limit), rel=1e-4, abs=1e-4)
    assert "shared ones looked at" in plan.method
    assert plan.gap is not None
    assert 0 <= plan.gap <= 0.05 or got == pytest.approx(0, abs=1)  # of so few decisions one may be much of the whole


def test_many_groups_get_within_the_bound_that_is_told() -> None:
    draw = np.random.default_rng(3)
    values = draw.gamma(2, size=(400, 12)).astype(np.float32)
    from drivetrain.optimizer.bounds import Limit
    from drivetrain.optimizer.parts import Use
    from drivetrain.scenario import Constraint

    limit = Limit(Constraint(name="c", total="a", at_most=1200.0), "at_most", 1200.0, "", np.arange(400), 400)
    use = Use(limit, np.arange(400), draw.uniform(0, 10, values.shape).astype(np.float32))
    shared = Shared(np.arange(400) // 20, np.arange(12) // 3)
    found = share_out(values, [use], shared, 1.0, 500)
    assert found is not None
    assert use.used[np.arange(400), found.picked].sum() <= 1200 * (1 + 1e-6)
    assert all(len(np.unique(shared.option[found.picked[shared.group == k]])) == 1 for k in range(20))
    assert found.gap <= 0.01


def test_what_cannot_be_kept_is_named() -> None:
    simulator = known(
        "decide: {shared: {price: once}}\nconstraints: [{name: c, total: price + discount, at_least: 99}]"
    )
    crowd = simulator.crowd(pd.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises(InfeasibleError, match=r"constraints\.c\.at_least"):
        optimise(simulator, crowd, np.arange(2))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{unit: once, shared: {price: once}}", "beside unit: once"),
        ("{shared: {prise: once}}", "Did you mean 'price'"),
        ("{shared: {price: once, discount: once}}", "Use unit instead"),
        ("{shared: {price: [z]}}", "It must be an input"),
        ("{shared: {price: once, discount: [x]}}", "shared alike"),
    ],
)
def test_sharing_that_makes_no_sense_is_told(words: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        declare(TEXT + f"decide: {words}")
