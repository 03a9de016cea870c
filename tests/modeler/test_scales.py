"""Scales, ratings and amounts: unbiased means, and distributions whose parts give the mean back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st
from scipy import stats

from drivetrain.errors import DataError
from drivetrain.modeler import Fitted, Link, fit, read, scales, write
from drivetrain.modeler.nodes import Nodes
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator
from drivetrain.simulator.support import Support

Make = Callable[..., Any]
LOG = Link(kind="numeric", curve="log")
ASINH = Link(kind="numeric", curve="asinh", knee=20.0)
STARS = Link(kind="rating", low=1, high=5)
CURVES: list[scales.Curve] = ["log", "asinh"]


@pytest.mark.parametrize("curve", CURVES)
@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=20), st.floats(0.1, 1e4))
def test_there_and_back(curve: scales.Curve, values: list[float], knee: float) -> None:
    seen = np.array(values)
    on = torch.tensor(scales.there(curve, knee, seen))
    assert scales.back(curve, knee, (1.0, 0.0), on).numpy() == pytest.approx(seen, rel=1e-9)


@pytest.mark.parametrize("curve", CURVES)
def test_the_way_back_is_a_mean_over_errors(curve: scales.Curve) -> None:
    errors, predicted = np.random.default_rng(0).gumbel(0, 0.7, 999), np.linspace(-1.5, 3, 7)
    each = [scales.back(curve, 20.0, (1.0, 0.0), torch.tensor(errors + at)).mean() for at in predicted]
    mean = scales.back(curve, 20.0, scales.smear(curve, errors), torch.tensor(predicted))
    assert mean.numpy() == pytest.approx(np.array(each), rel=1e-9)


def test_the_knee_is_the_middle_size() -> None:
    assert scales.knee("asinh", np.array([0, -3.0, 5, 0, 100, np.nan])) == 5
    assert scales.knee("asinh", np.zeros(3)) == scales.knee("log", np.array([7.0])) == 1


def parts(nodes: Nodes, mean: float, *, later: bool) -> tuple[np.ndarray, np.ndarray]:
    each = list(nodes.parts(torch.tensor([mean], dtype=torch.float64), later=later))
    shares = [float(share.reshape(-1)[0]) for _, share, _ in each]
    return np.array(shares), np.array([float(inside.reshape(-1)[0]) for *_, inside in each])


@pytest.mark.parametrize("later", [True, False])
@given(mean=st.floats(0.5, 500), spread=st.floats(0, 2))
def test_parts_give_the_mean_back(later: bool, mean: float, spread: float) -> None:
    draw = np.random.default_rng(0)
    for link, sign in ((LOG, 1), (ASINH, 1), (ASINH, -1)):
        observed = np.exp(draw.normal(3, 1, 300)) * (1 if link is LOG else draw.choice([-1, 1], 300))
        shares, inside = parts(Nodes.fit(link, observed, spread), sign * mean, later=later)
        assert shares.sum() == pytest.approx(1, abs=1e-4)
        assert (shares >= 0).all()
        assert shares @ inside == pytest.approx(sign * mean, rel=2e-3, abs=2e-3)
        assert (np.diff(inside[shares > 1e-5]) > -1e-3).all()
        assert link is ASINH or (inside > 0).all()


def test_a_bent_formula_of_a_long_tail_is_near_its_expectation() -> None:
    nodes = Nodes.fit(LOG, np.exp(np.random.default_rng(0).normal(3, 1, 300)), 0.8)
    shares, inside = parts(nodes, 50.0, later=False)
    true = stats.lognorm(0.8, scale=50 * np.exp(-0.32)).expect(lambda x: max(x - 80, 0))
    assert shares @ np.maximum(inside - 80, 0) == pytest.approx(true, rel=0.05)


@given(mean=st.floats(1, 5), spread=st.floats(0.05, 3))
def test_a_rating_never_leaves_its_range(mean: float, spread: float) -> None:
    observed = np.random.default_rng(0).integers(1, 6, 300).astype(float)
    shares, inside = parts(Nodes.fit(STARS, observed, spread), mean, later=True)
    assert shares.sum() == pytest.approx(1)
    assert shares @ inside == pytest.approx(mean)
    assert inside.min() >= 1
    assert inside.max() <= 5


def test_a_rating_is_spread_about_as_its_errors() -> None:
    draw = np.random.default_rng(0)
    observed = (1 + draw.binomial(4, 0.7, 2000)).astype(float)
    shares, inside = parts(Nodes.fit(STARS, observed, float(observed.std())), 3.8, later=False)
    assert len(shares) == 5
    assert np.sqrt(shares @ (inside - 3.8) ** 2) == pytest.approx(observed.std(), rel=0.05)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=9))
def test_predicted_ratings_stay_in_the_range(linear: list[float]) -> None:
    mean = STARS.mean(torch.tensor(linear)[:, None])
    assert (mean >= 1).all()
    assert (mean <= 5).all()
    assert STARS.target(np.array([1.0, 3, 5])).tolist() == [0, 0.5, 1]
    assert STARS.mean(STARS.start(STARS.target(np.array([1.0, 3, 5, 5])))[None]).item() == pytest.approx(3.5)


def sales(rows: int = 1200) -> pd.DataFrame:
    """How much is spent falls with the price, with a long tail; and whether anything is spent at all."""
    draw = np.random.default_rng(5)
    price, town = draw.uniform(0, 10, rows).round(2), draw.choice(["Ulm", "Bonn"], rows)
    level = 4 - 0.2 * price + 0.8 * (town == "Ulm")
    amount = np.exp(level + draw.normal(0, 1, rows))
    chance = 1 / (1 + np.exp(0.3 * (price - 5)))
    gain = level - 3
    return pd.DataFrame(
        {
            "price": price,
            "age": 40,
            "town": town,
            "member": "no",
            "amount": amount,
            "amount_truth": np.exp(level + 0.5),
            "profit": 20 * np.sinh(gain + draw.normal(0, 0.7, rows)),
            "profit_truth": 20 * np.sinh(gain) * np.exp(0.7**2 / 2),
            "spent": np.where(draw.random(rows) < chance, amount, 0.0),
            "spent_truth": chance * np.exp(level + 0.5),
            "stars": np.clip(np.round(level + draw.normal(0, 0.5, rows)), 1, 5),
        }
    )


def expected(made: tuple[Scenario, Any], fitted: Fitted, name: str) -> np.ndarray:
    table, model = made[1], fitted.models.outcomes[name]
    context = model.context(fitted.models.inputs.encode(table.frame))
    return model.paired(context, torch.tensor(table.settings)).double().mean(0).numpy()


@pytest.mark.parametrize(("name", "curve"), [("amount", "log"), ("amount", "asinh"), ("profit", "asinh")])
def test_means_of_long_tails_are_unbiased(name: str, curve: str, make: Make) -> None:
    frame = sales(4000)
    made = make(rows=frame, outcomes={name: {"kind": "numeric", "scale": curve}}, model={"kinds": ["common"]})
    fitted = fit(*made)
    model, found, truth = fitted.models.outcomes[name], expected(made, fitted, name), frame[f"{name}_truth"]
    right = (name, curve) != ("amount", "asinh")  # its errors are not alike on that scale
    plain = {"curve": curve, "knee": model.link.knee}
    middle = torch.tensor(scales.there(**plain, values=frame[name].to_numpy()).mean())
    naive = scales.back(**plain, smear=(1.0, 0.0), predicted=middle)
    assert found.mean() == pytest.approx(truth.mean(), rel=0.1)
    assert abs(naive) < 0.75 * abs(truth.mean()), "without the way back it would show"
    assert np.corrcoef(scales.there(**plain, values=found), scales.there(**plain, values=truth))[0, 1] > 0.97
    for cheap in (frame["price"] < 3, frame["price"] > 7):
        slack = 0.1 if right else 0.2
        assert found[cheap].mean() == pytest.approx(truth[cheap].mean(), abs=slack * truth.abs().mean())
    assert len({member.link.smear for member in model.members}) == 2, "a fold's judge learns from the other fold"
    assert not right or model.nodes.spread == pytest.approx(0.7 if name == "profit" else 1, rel=0.15)


@pytest.mark.parametrize("name", ["amount", "profit"])
def test_declared_effects_hold_on_scales_and_ranges(name: str, make: Make) -> None:
    levers = {"price": {"kind": "continuous", "min": 0, "max": 20, "effect": "decreasing"}}
    kinds = {name: {"kind": "numeric", "scale": "asinh"}, "stars": {"kind": "rating", "min": 1, "max": 5}}
    made = make(rows=sales(400), outcomes=kinds, levers=levers, model={"kinds": ["two_tower"]})
    models = fit(*made).models
    for outcome in kinds:
        model = models.outcomes[outcome]
        context = model.context(models.inputs.encode(made[1].frame))
        means = model.grid(context, torch.linspace(0, 20, 30, dtype=torch.float64)[:, None])
        assert (means.diff(dim=2) <= 1e-4 * means.abs().max()).all()
        assert (means[..., 0] - means[..., 15]).mean() > 0


def test_a_scale_comes_back_from_its_folder(make: Make, tmp_path: Any) -> None:
    made = make(rows=sales(300), outcomes={"amount": {"kind": "numeric", "scale": "asinh"}}, model={"epochs": 1})
    fitted = fit(*made)
    write(fitted.models, tmp_path / "model")
    again = Fitted(read(tmp_path / "model"), fitted.contest)
    assert (expected(made, again, "amount") == expected(made, fitted, "amount")).all()
    assert again.models.outcomes["amount"].nodes == fitted.models.outcomes["amount"].nodes


def test_ratings_are_learned(make: Make) -> None:
    made = make(rows=sales(), outcomes={"stars": {"kind": "rating", "min": 1, "max": 5}})
    fitted = fit(*made)
    told = fitted.contest["stars"]
    losses = {entry["name"]: entry["loss"] for entry in told["entries"]}
    assert told["loss_name"] == "RMSE"
    assert losses[told["chosen"]] < 0.75 * losses["constant"]
    assert losses[told["chosen"]] < 1.02 * losses["linear"]
    found = expected(made, fitted, "stars")
    assert ((found >= 1) & (found <= 5)).all()


AMOUNT = {
    "bought": {"kind": "binary", "column": "spent", "above": 0},
    "spent": {"kind": "numeric", "scale": "log", "when": "bought"},
}


def test_amounts_are_learned_in_two_stages_from_one_column(make: Make) -> None:
    """Whether, and how much: the product is the mean of an outcome that is mostly 0."""
    frame = sales(3000)
    made = make(rows=frame, outcomes=AMOUNT, objective={"maximise": "spent"}, model={"kinds": ["common"]})
    scenario, table = made
    assert table.frame["bought"].tolist() == (frame["spent"] > 0).astype(float).tolist()
    fitted = fit(scenario, table)
    assert fitted.contest["spent"]["rows"] == (frame["spent"] > 0).sum()
    simulator = Simulator(scenario, fitted.models, Support.fit(scenario.space, table.training.settings))
    outlook = simulator.paired(simulator.crowd(table.frame), table.settings)
    found, truth = outlook.mean()[:, 0].double().numpy(), frame["spent_truth"].to_numpy()
    assert found.mean() == pytest.approx(truth.mean(), rel=0.1)
    assert np.corrcoef(found, truth)[0, 1] > 0.97
    assert simulator.observed(table.frame, table.settings).tolist() == frame["spent"].tolist()


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ({"spent": {"kind": "numeric", "scale": "log"}}, "outcome 'spent': .* not above 0.*Say scale: asinh"),
        ({"stars": {"kind": "rating", "min": 1, "max": 4}}, "outcome 'stars': .* hold 5 .*A rating lies between min 1"),
    ],
)  # fmt: skip
def test_values_that_fit_no_scale_are_refused(outcome: dict[str, Any], message: str, make: Make) -> None:
    with pytest.raises(DataError, match=message):
        make(rows=sales(), outcomes=outcome)
