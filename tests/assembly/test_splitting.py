"""Parts of one prediction, returns of levers and rules of single rows: of models whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

import drivetrain as dt
from drivetrain.assembly import shapley
from drivetrain.assembly.allowed import obeyed
from drivetrain.errors import UsageError
from drivetrain.scenario import Constraint
from tests.stand_ins import anywhere, as_table, declare, stand_in

if TYPE_CHECKING:
    from drivetrain import Run

TEXT = """\
objective: {maximise: sold - cost}
levers:
  price: {kind: continuous, min: 0, max: 10, do_nothing: 2}
  gift: {kind: yes_no, do_nothing: no, cost: {yes: 1}, when: price > 5}
inputs: {size: {kind: numeric, unit: m}, age: {kind: numeric}}
outcomes: {sold: {kind: numeric}}
assignment: {design: randomised}
"""


def _run() -> Any:
    """A run whose model is known: sold = 3 · size + size · age + 2 · gift − price² / 10."""
    scenario = declare(TEXT)
    simulator = stand_in(
        scenario,
        {"sold": lambda x, s: 3 * x[..., 0] + x[..., 0] * x[..., 1] + 2 * s[..., 1] - s[..., 0] ** 2 / 10},
        anywhere(scenario.space),
    )
    size, age = np.linspace(1, 3, 40), np.tile([1.0, 2.0, 3.0, 4.0], 10)
    frame = pd.DataFrame({"size": size, "age": age, "sold": 0.0})
    table = as_table(scenario, frame, np.column_stack([np.linspace(0, 10, 40), np.zeros(40)]))
    return dt.Run(scenario, table, simulator, {})


def test_parts_are_shapley_values_and_add_up() -> None:
    run = _run()
    told = dt.contributions(run, 8, price=4.0, gift="no")
    size, age = run.table.frame["size"].to_numpy(), run.table.frame["age"].to_numpy()
    mine = size[7], age[7]
    parts = {part.input: part.change.value for part in told.parts["sold"]}
    assert told.start["sold"] == pytest.approx(float((3 * size + size * age).mean() - 1.6), abs=1e-4)
    assert told.end["sold"] == pytest.approx(3 * mine[0] + mine[0] * mine[1] - 1.6, abs=1e-4)
    assert told.start["sold"] + sum(parts.values()) == pytest.approx(told.end["sold"], abs=1e-4)
    alone = 3 * mine[0] + mine[0] * age - 3 * size - size * age  # size goes first, or last
    last = 3 * mine[0] + mine[0] * mine[1] - 3 * size - size * mine[1]
    assert parts["size"] == pytest.approx(float((alone + last).mean() / 2), abs=1e-4)
    assert [part.value for part in told.parts["sold"] if part.input == "size"] == [f"{mine[0]:.4g} m"]


def test_a_row_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="found 41"):
        dt.contributions(_run(), 41, price=4.0, gift="no")
    with pytest.raises(UsageError, match="gift"):
        dt.contributions(_run(), 4, price=4.0)


def test_one_row_of_a_run_gets_what_is_recommended(small_run: Run) -> None:
    told = dt.contributions(small_run, int(small_run.table.row[0]) + 1)
    assert small_run.recommendations is not None
    expected = small_run.recommendations.frame["expected_bought"].iloc[0]
    assert told.end["bought"] == pytest.approx(expected, abs=1e-3)
    assert {part.input for part in told.parts["bought"]} == {"income", "region"}


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=7))
def test_parts_of_a_sum_are_its_terms(terms: list[float]) -> None:
    orders = shapley.orders(range(len(terms)))
    worth = {known: torch.tensor([sum(terms[i] for i in known)]) for known in shapley.coalitions(orders)}
    told = shapley.parts(orders, worth)
    assert [float(told[i]) for i in range(len(terms))] == pytest.approx(terms, abs=1e-4)


def test_a_condition_is_obeyed_and_its_breach_told() -> None:
    run = _run()
    assert dt.rules(run.scenario) == ["gift only when price > 5"]
    assert dt.breaches(run, {"price": 4.0, "gift": "yes"}) == {"gift only when price > 5": 1.0}
    assert dt.breaches(run, {"price": 6.0, "gift": "yes"}) == {}
    asked = np.array([[4.0, 1.0], [6.0, 1.0]])
    put_back = obeyed(run.simulator, run.simulator.crowd(run.table.frame.head(2)), asked)
    assert put_back.tolist() == [[4.0, 0.0], [6.0, 1.0]]
    assert run.respond("price", price=0, gift="yes").allowed[[0, -1]].tolist() == [0.0, 1.0]


def test_returns_are_slopes(campaign_like: Any) -> None:
    told = dt.returns(campaign_like)
    assert told is not None
    (price,) = told.each
    assert (price.before, price.after) == (2.0, 6.0)
    assert price.at_first.value == pytest.approx(-2 * 2 / 10, abs=1e-3)
    assert price.at_last.value == pytest.approx(-2 * 6 / 10, abs=1e-3)
    # without the price there would be no gift either, which brings 2 and costs 1
    assert price.average is not None
    assert price.average.value == pytest.approx((-(36 - 4) / 10 + 1) / 4, abs=1e-3)
    assert dt.margins.lines(told)[0][:3] == ["price", "2", "6"]


@pytest.fixture
def campaign_like(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The known run, with price 6 and a gift for everyone in place of price 2 and none."""
    from drivetrain.assembly import margins
    from drivetrain.assembly.waterfall import Sides

    run = _run()
    rows = len(run.table)
    sides = Sides("do_nothing", run.table, np.tile([2.0, 0.0], (rows, 1)), np.tile([6.0, 1.0], (rows, 1)))
    monkeypatch.setattr(margins, "sides", lambda _: sides)
    return run


def test_what_is_used_is_added_up_group_by_group(small_run: Run) -> None:
    scenario = small_run.scenario.model_copy(
        update={
            "constraints": (
                Constraint(name="money", total="price", at_most=1e9, unit="EUR"),
                Constraint(name="share", mean="bought", by=("region",), at_most=1.0),
            )
        }
    )
    run = replace(small_run, scenario=scenario, simulator=replace(small_run.simulator, scenario=scenario))
    told = dt.usage(run)
    assert run.recommendations is not None
    assert told["money"] == pytest.approx(run.recommendations.plan.settings.sum(), rel=1e-5)
    north = (run.table.frame["region"] == "north").to_numpy()
    expected = run.recommendations.frame["expected_bought"][north].mean()
    assert told["share (north)"] == pytest.approx(expected, abs=1e-4)
    lines = dt.bounded.lines(scenario, {}, told)
    assert lines[0][3].endswith("EUR")
    assert {line[0] for line in lines[1:]} == {"share (north)", "share (south)", "share (=east)"}
