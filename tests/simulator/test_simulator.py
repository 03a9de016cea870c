"""The simulator against expectations written out by hand, with stand-in models of known probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from drivetrain.errors import FormulaError, RefusedError
from drivetrain.modeler import Link
from drivetrain.modeler.nodes import Nodes
from drivetrain.simulator import Simulator, jackknife

from .conftest import known

Simulate = Callable[..., Simulator]
FRAME = pd.DataFrame({"x": [0.0, 1.0, 2.0], "region": pd.Series(["north", "east", None], dtype=object)})
SETTINGS = np.array([[2.0, 0.0], [5.0, 1.0]])
BINARY, COUNT, NUMERIC = Link(kind="binary"), Link(kind="count"), Link(kind="numeric")
MOOD = Link(kind="categorical", options=("bad", "good"))


def bought(fold: int, x: Any, price: Any, channel: Any, *_: Any) -> Any:
    """0.1 to 0.9, other for each member, row and setting."""
    return 0.2 + 0.1 * fold + 0.1 * x + 0.05 * price * (channel + 1) / 2


def cells() -> tuple[np.ndarray, ...]:
    """Fold [M,1,1], x [1,N,1], price and channel [1,1,G]."""
    fold, x = np.arange(2.0)[:, None, None], FRAME["x"].to_numpy()[None, :, None]
    return fold, x, SETTINGS[None, None, :, 0], SETTINGS[None, None, :, 1]


def near(found: torch.Tensor, expected: Any) -> None:
    shape = (2, 3, 2)
    assert found.shape == shape
    np.testing.assert_allclose(found.numpy(), np.broadcast_to(expected, shape), rtol=2e-5, atol=2e-5)


def test_a_formula_of_all_that_there_is(simulate: Simulate) -> None:
    simulator = simulate(
        "worth * bought - cost + x * (region == 'north')",
        {"bought": {"kind": "binary"}},
        [known("bought", BINARY, bought)],
        price={"cost": "price * bought"},
        channel={"cost": {"mail": 1.5, "sms": 0.25}},
    )
    fold, x, price, channel = cells()
    p = bought(fold, x, price, channel)
    north = np.array([1, 0, 0])[None, :, None]
    outlook = simulator.grid(simulator.crowd(FRAME), SETTINGS)
    near(outlook.outcomes["bought"], p)
    near(outlook.objective, 7.3 * p - price * p - np.where(channel == 0, 1.5, 0.25) + x * north)


def test_chains_are_enumerated_not_averaged(simulate: Simulate) -> None:
    def items(fold: Any, x: Any, price: Any, channel: Any, again: Any) -> Any:
        return 1 + x + 2 * again + 0 * fold + 0 * price

    simulator = simulate(
        "price * items * bought",
        {"bought": {"kind": "binary"}, "again": {"kind": "binary", "when": "bought"},
         "items": {"kind": "numeric", "uses": ["again"]}},
        [known("bought", BINARY, bought), known("again", BINARY, lambda f, x, p, _c: 0.5 + 0.1 * f + 0 * p * x),
         known("items", NUMERIC, items)],
    )  # fmt: skip
    fold, x, price, channel = cells()
    p, q = bought(fold, x, price, channel), 0.5 + 0.1 * fold
    outlook = simulator.grid(simulator.crowd(FRAME), SETTINGS)
    near(outlook.outcomes["again"], p * q)
    near(outlook.outcomes["items"], (1 + x) + 2 * p * q)
    near(outlook.objective, price * p * ((1 + x) + 2 * q))
    assert list(outlook.outcomes) == ["bought", "again", "items"]


def test_nested_when_is_worth_nothing_all_the_way_down(simulate: Simulate) -> None:
    simulator = simulate(
        "10 * (mood == 'bad') + 20 * (mood == 'good') + 1 * (mood != 'bad')",
        {"bought": {"kind": "binary"}, "again": {"kind": "binary", "when": "bought"},
         "mood": {"kind": "categorical", "options": ["bad", "good"], "when": "again"}},
        [known("bought", BINARY, bought), known("again", BINARY, lambda f, _x, p, _c: 0.5 + 0.1 * f + 0 * p),
         known("mood", MOOD, lambda _f, _x, p, _c: (0.3 + 0 * p, 0.7 + 0 * p))],
    )  # fmt: skip
    fold, x, price, channel = cells()
    exists = bought(fold, x, price, channel) * (0.5 + 0.1 * fold)
    outlook = simulator.grid(simulator.crowd(FRAME), SETTINGS)
    near(outlook.outcomes["mood: bad"], 0.3 * exists)
    near(outlook.outcomes["mood: good"], 0.7 * exists)
    near(outlook.objective, exists * (0.3 * 10 + 0.7 * 21) + (1 - exists) * 1)


def test_a_later_model_sees_each_option_of_a_category(simulate: Simulate) -> None:
    simulator = simulate(
        "spent",
        {"mood": {"kind": "categorical", "options": ["bad", "good"]}, "spent": {"kind": "numeric", "uses": ["mood"]}},
        [known("mood", MOOD, lambda _f, _x, p, _c: (0.1 * p, 1 - 0.1 * p)),
         known("spent", NUMERIC, lambda _f, x, p, _c, mood: 5 + 100 * mood + x + 0 * p)],
    )  # fmt: skip
    _, x, price, _ = cells()
    near(simulator.grid(simulator.crowd(FRAME), SETTINGS).objective, 5 + x + 100 * (1 - 0.1 * price))


def test_bent_objectives_of_counts_and_numbers(simulate: Simulate) -> None:
    spread = Nodes.fit(NUMERIC, np.linspace(-20, 40, 100), 8.0)
    simulator = simulate(
        "(visits >= 1) + max(spent - 10, 0)",
        {"visits": {"kind": "count"}, "spent": {"kind": "numeric"}},
        [known("visits", COUNT, lambda f, x, p, _c: 0.5 + x + 0.1 * f + 0 * p),
         known("spent", NUMERIC, lambda _f, x, p, _c: p + 2 * x, spread)],
        constraints=[{"name": "spending", "mean": "spent", "at_most": 100}],
    )  # fmt: skip
    fold, x, price, _ = cells()
    outlook = simulator.grid(simulator.crowd(FRAME), SETTINGS)
    mean = price + 2 * x
    at_least_one = 1 - np.exp(-(0.5 + x + 0.1 * fold))
    z = (10 - mean) / 8
    above = 8 * (stats.norm.pdf(z) - z * stats.norm.sf(z))
    np.testing.assert_allclose(outlook.objective, np.broadcast_to(at_least_one + above, (2, 3, 2)), atol=0.1)
    near(outlook.outcomes["spent"], mean)
    near(outlook.bounded["spending"], mean)  # a mean through bins stays that mean


@pytest.mark.parametrize(
    ("objective", "affine"),
    [("price * bought + x - 3 * visits", True), ("bought * visits", False), ("max(visits - 1, 0) + bought", False)],
)
def test_expected_is_the_mean_over_members_however_it_is_reckoned(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch, objective: str, affine: bool
) -> None:
    simulator = simulate(
        objective,
        {"bought": {"kind": "binary"}, "visits": {"kind": "count"}},
        [known("bought", BINARY, bought), known("visits", COUNT, lambda f, x, p, _c: 0.5 + x + 0.4 * f + 0 * p)],
        constraints=[{"name": "spend", "each": "price * bought + visits", "at_most": 100}],
    )
    assert simulator.chain.affine is affine
    monkeypatch.setattr("drivetrain.simulator.simulator.CELLS_IN_CACHE", 2)
    monkeypatch.setattr("drivetrain.simulator.simulator.READY_AT_ONCE", 2)
    crowd = simulator.crowd(FRAME)
    whole = simulator.grid(crowd, SETTINGS)
    parts = list(simulator.expected(crowd, SETTINGS))
    assert len(parts) == 3 or not affine
    torch.testing.assert_close(torch.cat([each.objective for _, each in parts]), whole.mean())
    bounded = torch.cat([each.bounded["spend"] for _, each in parts])
    torch.testing.assert_close(bounded, whole.mean(whole.bounded["spend"]))
    own = np.repeat(SETTINGS[[1]], 3, axis=0)
    torch.testing.assert_close(simulator.expected_paired(crowd, own).objective, whole.mean()[:, 1:])


def test_rows_come_in_runs(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = simulate("bought", {"bought": {"kind": "binary"}}, [known("bought", BINARY, bought)])
    monkeypatch.setattr("drivetrain.simulator.simulator.ROWS_AT_ONCE", 2)
    parts = list(simulator.crowds(FRAME))
    assert [(part.start, part.stop, len(crowd)) for part, crowd in parts] == [(0, 2, 2), (2, 3, 1)]
    whole = simulator.grid(simulator.crowd(FRAME), SETTINGS).objective
    assert torch.equal(torch.cat([simulator.grid(crowd, SETTINGS).objective for _, crowd in parts], 1), whole)


def test_paired_is_the_diagonal_of_the_grid_and_chunks_are_its_parts(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate(
        "price * bought + (mood == 'good')",
        {"bought": {"kind": "binary"}, "mood": {"kind": "categorical", "options": ["bad", "good"], "uses": ["bought"]}},
        [known("bought", BINARY, bought),
         known("mood", MOOD, lambda _f, _x, p, _c, b: (0.2 + 0.5 * b + 0 * p, 0.8 - 0.5 * b + 0 * p))],
    )  # fmt: skip
    crowd = simulator.crowd(FRAME)
    grid = simulator.grid(crowd, SETTINGS)
    for g in range(2):
        paired = simulator.paired(crowd, np.repeat(SETTINGS[[g]], 3, axis=0))
        assert torch.allclose(paired.objective[..., 0], grid.objective[..., g], atol=1e-5)
        for name, each in paired.outcomes.items():
            assert torch.allclose(each[..., 0], grid.outcomes[name][..., g], atol=1e-6)
    monkeypatch.setattr("drivetrain.simulator.simulator.CELLS_AT_ONCE", 8)
    chunks = list(simulator.chunks(crowd, SETTINGS))
    assert [part for part, _ in chunks] == [slice(0, 2), slice(2, 3)]
    assert torch.allclose(torch.cat([o.objective for _, o in chunks], 1), grid.objective)
    assert len(crowd.take(torch.tensor([2, 0]))) == 2
    assert list(simulator.chunks(simulator.crowd(FRAME.iloc[:0]), SETTINGS)) == []
    assert simulator.paired(simulator.crowd(FRAME.iloc[:0]), np.zeros((0, 2))).objective.shape == (2, 0, 1)


def test_blind_simulators_and_spread(simulate: Simulate) -> None:
    simulator = simulate("bought", {"bought": {"kind": "binary"}}, [known("bought", BINARY, bought)])
    outlook = simulator.grid(simulator.crowd(FRAME), SETTINGS)
    # two members 0.1 apart: √(1/2 · 2 · 0.05²)
    assert outlook.spread().numpy() == pytest.approx(np.full((3, 2), 0.05), abs=1e-6)
    blind = simulator.without(1)
    assert blind.folds.tolist() == [1]
    assert torch.equal(blind.grid(blind.crowd(FRAME), SETTINGS).objective[0], outlook.objective[1])
    assert blind.grid(blind.crowd(FRAME), SETTINGS).spread().abs().max() == 0


@given(hnp.arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(1, 3)), elements=st.floats(-10, 10)))
def test_the_jackknife_by_hand(values: np.ndarray) -> None:
    folds = np.repeat(np.arange(len(values)), 2)
    members = np.repeat(values, 2, axis=0) + np.tile([[0.3], [-0.3]], (len(values), 1))
    found = jackknife(torch.tensor(members), torch.tensor(folds)).numpy()
    many = len(values)
    by_hand = [np.sqrt((many - 1) / many * sum((v - column.mean()) ** 2 for v in column)) for column in values.T]
    assert found == pytest.approx(np.array(by_hand), abs=1e-9)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=12)
    left_out = np.array([np.delete(values, i).mean() for i in range(12)])
    found = jackknife(torch.tensor(left_out)[:, None], torch.arange(12))
    assert float(found[0]) == pytest.approx(values.std(ddof=1) / np.sqrt(12))


def test_what_was_observed(simulate: Simulate) -> None:
    simulator = simulate(
        "price * bought + 0.1 * spent + (mood == 'bad') + (x == 0.3)",
        {"bought": {"kind": "binary"}, "again": {"kind": "binary", "when": "bought"},
         "spent": {"kind": "numeric", "when": "again"},
         "mood": {"kind": "categorical", "options": ["bad", "good"], "when": "bought"}},
        [known("bought", BINARY, bought), known("again", BINARY, bought), known("spent", NUMERIC, bought),
         known("mood", MOOD, bought)],
    )  # fmt: skip
    nan = np.nan
    frame = pd.DataFrame(
        {
            "x": [0.3, 1, 1, 1, 1],
            "region": pd.Series([None] * 5, dtype=object),
            "bought": [1.0, 0, 1, nan, 1],
            "again": [1.0, nan, 0, nan, 1],
            "spent": [50.0, nan, nan, nan, nan],
            "mood": pd.Series(["bad", None, "good", None, "good"], dtype=object),
        }
    )
    settings = np.tile([[4.1, 0.0]], (5, 1))
    assert simulator.observed(frame, settings) == pytest.approx(
        np.array([4.1 + 5 + 1 + 1, 0, 4.1, nan, nan]), nan_ok=True
    )
    assert simulator.observed(frame, settings).dtype == np.float64


def test_formulas_alone(simulate: Simulate) -> None:
    simulator = simulate("price * x - (channel == 'sms') * worth", {}, [])
    crowd = simulator.crowd(FRAME)
    outlook = simulator.grid(crowd, SETTINGS)
    expected = FRAME["x"].to_numpy()[:, None] * SETTINGS[:, 0] - 7.3 * SETTINGS[:, 1]
    assert outlook.mean().numpy() == pytest.approx(expected, abs=1e-5)
    assert outlook.spread().abs().max() == 0
    assert outlook.outcomes == {}
    assert simulator.without(3).grid(crowd, SETTINGS).objective.shape == (1, 3, 2)
    paired = simulator.paired(crowd, np.repeat(SETTINGS[:1], 3, axis=0)).mean()[:, 0].numpy()
    assert simulator.observed(FRAME, np.repeat(SETTINGS[:1], 3, axis=0)) == pytest.approx(paired, abs=1e-5)


def test_a_text_that_no_row_holds_is_a_message(simulate: Simulate) -> None:
    simulator = simulate("price * (region == 'nort')", {}, [])
    with pytest.raises(FormulaError, match=r"found the unknown option 'nort'.*Did you mean 'north'\?"):
        simulator.grid(simulator.crowd(FRAME), SETTINGS)


def test_an_unknown_region_is_no_region_and_is_counted(simulate: Simulate) -> None:
    simulator = simulate("price * (region == 'north') + 100 * (region != 'north')", {}, [])
    crowd = simulator.crowd(FRAME.assign(region=["north", "moon", None]))
    assert simulator.grid(crowd, SETTINGS[:1]).mean()[:, 0].tolist() == [2, 100, 100]
    assert crowd.remarks["region: unseen category"].tolist() == [False, True, False]
    assert crowd.remarks["region: missing"].tolist() == [False, False, True]


def test_a_missing_number_in_a_formula_stays_missing(simulate: Simulate) -> None:
    simulator = simulate("price * x", {}, [])
    crowd = simulator.crowd(FRAME.assign(x=[1.0, np.nan, 2.0]))
    assert simulator.grid(crowd, SETTINGS[:1]).mean()[:, 0].isnan().tolist() == [False, True, False]


def test_chains_too_long_are_refused(simulate: Simulate) -> None:
    outcomes = {f"y{i}": {"kind": "count"} for i in range(4)}
    models = [known(name, COUNT, bought) for name in outcomes]
    with pytest.raises(RefusedError, match=r"found a chain with 6,561 branches.*At most 1,000"):
        simulate("y0 ** 2 + y1 ** 2 + y2 ** 2 + y3 ** 2", outcomes, models)


def test_only_what_must_is_enumerated(simulate: Simulate) -> None:
    asked: list[str] = []

    def noted(name: str) -> Any:
        return lambda fold, x, price, *rest: asked.append(name) or bought(fold, x, price, *rest)

    simulator = simulate(
        "a * price + b + c ** 2",
        {"a": {"kind": "binary"}, "b": {"kind": "numeric"}, "c": {"kind": "count"}},
        [known(name, link, noted(name)) for name, link in (("a", BINARY), ("b", NUMERIC), ("c", COUNT))],
    )
    simulator.grid(simulator.crowd(FRAME), SETTINGS)
    assert asked == ["a", "a", "b", "b", "c", "c"]  # two members each, and no branch asks again
