"""The contest on generated data whose signal is strong: what wins, and what the record says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, root_mean_squared_error

from drivetrain.errors import FormulaError
from drivetrain.modeler import EncodedRows, Fitted, Link, baselines, fit, scores
from drivetrain.modeler.examples import Examples
from tests.modeler.conftest import frame

Make = Callable[..., Any]
OUTCOMES: dict[str, dict[str, Any]] = {
    "binary": {"bought": {"kind": "binary"}},
    "numeric": {"weight": {"kind": "numeric"}},
    "count": {"visits": {"kind": "count"}},
    "categorical": {"mood": {"kind": "categorical"}},
}


def losses(fitted: Fitted, outcome: str) -> dict[str, float]:
    return {entry["name"]: entry["loss"] for entry in fitted.contest[outcome]["entries"]}


@pytest.mark.parametrize("kind", OUTCOMES)
def test_networks_beat_the_constant_on_every_kind_of_outcome(kind: str, make: Make) -> None:
    fitted = fit(*make(outcomes=OUTCOMES[kind]))
    (name,) = OUTCOMES[kind]
    found = losses(fitted, name)
    plain = {"two_tower", "joint", "common", "boosting", "constant", "linear"}
    contestants = found.keys() - {"constant", "linear"}
    assert plain <= found.keys() <= plain | {f"{network} + boosting" for network in ("two_tower", "joint", "common")}
    assert found["two_tower"] < 0.8 * found["constant"]
    assert found["joint"] < 0.8 * found["constant"]
    told = fitted.contest[name]
    assert told["loss_name"] == {"numeric": "RMSE", "count": "Poisson deviance"}.get(kind, "log-loss")
    assert told["chosen"] == min(contestants, key=lambda who: found[who]) == fitted.models.outcomes[name].kind
    assert told["rows"] == 400
    for entry in told["entries"]:
        assert entry["loss"] == pytest.approx(np.mean(entry["loss_by_fold"]))
    assert sum(group["rows"] for group in told["calibration"]) == 400 * (3 if kind == "categorical" else 1)
    assert fitted.models.folds.tolist() == [0, 1]


def test_an_outcome_with_when_learns_only_where_it_exists(make: Make) -> None:
    outcomes = {
        "bought": {"kind": "binary"},
        "spent": {"kind": "numeric", "when": "bought"},
        "visits": {"kind": "count", "uses": ["spent"]},
    }
    scenario, table = make(outcomes=outcomes, model={"kinds": ["two_tower"], "epochs": 1})
    fitted = fit(scenario, table)
    bought = int(table.frame["bought"].sum())
    assert {name: told["rows"] for name, told in fitted.contest.items()} == {
        "bought": 400,
        "spent": bought,
        "visits": 400,
    }
    column = fitted.models.outcomes["visits"].settings.columns[-1]
    assert (column.name, column.low, column.atom) == ("spent", 0, 0)
    assert fitted.models.outcomes["bought"].settings.columns[0].atom == 0


def test_one_seed_one_contest_and_no_row_judges_itself(make: Make) -> None:
    made = make(outcomes=OUTCOMES["binary"], model={"kinds": ["joint"], "epochs": 1})
    first, again = fit(*made), fit(*made)
    assert first.contest == again.contest
    for a, b in zip(first.models.outcomes["bought"].members, again.models.outcomes["bought"].members, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a.network.parameters(), b.network.parameters(), strict=True))
    # what the record says of a fold is what its own, blind member says
    table = made[1]
    rows, model = np.flatnonzero(table.fold == 1), first.models.outcomes["bought"].without(1)
    context = model.context(first.models.inputs.encode(table.frame.iloc[rows]))
    predicted = model.paired(context, torch.tensor(table.settings[rows]))[0].numpy()
    loss = log_loss(table.frame["bought"].iloc[rows], predicted.astype(float))
    assert first.contest["bought"]["entries"][0]["loss_by_fold"][1] == pytest.approx(loss, rel=1e-5)


def test_texts_that_no_row_holds_are_refused_before_training(make: Make) -> None:
    made = make(
        outcomes=OUTCOMES["categorical"],
        objective={"maximise": "price * (town == 'Boon') + (mood == 'good')"},
        constraints=[{"name": "few", "mean": "price * (mood == 'god')", "at_most": 3}],
    )
    with pytest.raises(FormulaError) as caught:
        fit(*made, progress=lambda _: pytest.fail("training began"))
    assert [str(fault) for fault in caught.value.faults] == [
        "objective.maximise: found 'town' compared with the unknown text 'Boon'. "
        "It must be a value of 'town' in the training rows. Did you mean 'Bonn'?",
        "constraints.0.mean: found 'mood' compared with the unknown text 'god'. "
        "It must be a value of 'mood' in the training rows. Did you mean 'good'?",
    ]


def test_early_stopping_is_in_the_record(make: Make) -> None:
    scenario, table = make(
        outcomes={"bought": {"kind": "binary"}}, model={"patience": 2, "epochs": 12, "kinds": ["joint", "boosting"]}
    )
    told = fit(scenario, table).contest["bought"]
    assert told["passes"].keys() == {"joint"}
    assert len(told["passes"]["joint"]) == 2
    assert all(1 <= passes <= 12 for passes in told["passes"]["joint"])


def test_what_happens_on_sundays_is_learned_of_dates(make: Make) -> None:
    rows = frame(500)
    days = pd.date_range("2024-01-01", periods=len(rows))
    rows["bought"] = ((days.day_name() == "Sunday") | (days.month == 7)).astype(int)
    dated = {"column": "day", "kind": "categorical"}
    scenario, table = make(
        rows.assign(day=days.strftime("%Y-%m-%d")),
        inputs={"month": {**dated, "of_date": "month"}, "weekday": {**dated, "of_date": "weekday"}},
        outcomes={"bought": {"kind": "binary"}}, model={"kinds": ["joint"], "epochs": 30},
    )  # fmt: skip
    found = losses(fit(scenario, table), "bought")
    assert found["joint"] < 0.3 * found["constant"]


def test_formulas_alone_need_no_network(make: Make) -> None:
    fitted = fit(*make(objective={"maximise": "price * (age > 40)"}))
    assert (fitted.models.outcomes, fitted.contest) == ({}, {})


def test_no_inputs_are_no_obstacle(make: Make) -> None:
    fitted = fit(*make(inputs={}, outcomes=OUTCOMES["binary"]))
    found = losses(fitted, "bought")
    assert found["two_tower"] < 0.85 * found["constant"]


def parts(rows: int, kind: str) -> Examples:
    draw = np.random.default_rng(rows)
    codes, numbers = draw.integers(0, 3, (rows, 1)), draw.normal(size=(rows, 2)).astype(np.float32)
    features = draw.normal(size=(rows, 2)).astype(np.float32)
    seen = numbers[:, 0] + features[:, 1] + (codes[:, 0] == 2) + draw.normal(0, 0.3, rows)
    observed = (seen > 0).astype(float) if kind == "binary" else seen.astype(float)
    return Examples(
        EncodedRows(torch.from_numpy(codes), torch.from_numpy(numbers), {}), torch.from_numpy(features), observed
    )


def plain(examples: Examples) -> np.ndarray:
    flags = np.eye(3)[examples.rows.codes[:, 0].numpy()]
    return np.column_stack([flags, examples.rows.numbers.numpy(), examples.features.numpy()])


@pytest.mark.parametrize("kind", ["binary", "numeric"])
def test_baselines_are_those_of_scikit_learn(kind: str) -> None:
    train, test = parts(200, kind), parts(50, kind)
    link = Link(kind=kind)  # type: ignore[arg-type]
    model = (LogisticRegression(max_iter=1000) if kind == "binary" else Ridge()).fit(plain(train), train.observed)
    theirs = model.predict_proba(plain(test))[:, 1] if kind == "binary" else model.predict(plain(test))
    assert baselines.predict("linear", link, train, test, 0) == pytest.approx(theirs, abs=1e-9)
    dummy = (DummyClassifier(strategy="prior") if kind == "binary" else DummyRegressor()).fit(
        plain(train), train.observed
    )
    theirs = dummy.predict_proba(plain(test))[:, 1] if kind == "binary" else dummy.predict(plain(test))
    assert baselines.predict("constant", link, train, test, 0) == pytest.approx(theirs)
    boosted = baselines.predict("boosting", link, train, test, 0)
    better = scores.loss(link, test.observed, boosted) < scores.loss(link, test.observed, theirs)
    assert better


def test_baselines_of_one_class_say_so() -> None:
    train, test = parts(60, "binary"), parts(20, "binary")
    only = Examples(train.rows, train.features, np.ones(60))
    for name in baselines.NAMES:
        assert baselines.predict(name, Link(kind="binary"), only, test, 0).tolist() == [1] * 20


def test_scores_by_hand() -> None:
    observed, fold = np.array([0.0, 1, 1, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    predicted = np.array([0.2, 0.7, 0.6, 0.4, 0.3, 0.9])
    line = scores.entry("x", Link(kind="binary"), observed, predicted, fold)
    by_fold = [-np.log([0.8, 0.7, 0.6]).mean(), -np.log([0.6, 0.3, 0.9]).mean()]
    assert line["loss_by_fold"] == pytest.approx(by_fold)
    assert line["loss"] == pytest.approx(np.mean(by_fold))
    assert line["auc"] == pytest.approx((1 + 0.5) / 2)
    assert "auc" not in scores.entry("x", Link(kind="binary"), np.ones(6), predicted, fold)
    numeric = scores.loss(Link(kind="numeric"), observed, predicted)
    assert numeric == pytest.approx(root_mean_squared_error(observed, predicted))
    assert scores.loss(Link(kind="count"), np.array([0.0]), np.array([0.5])) == pytest.approx(1.0)  # 2 · mean


@pytest.mark.filterwarnings("error")
def test_shares_in_float32_raise_no_warning() -> None:
    shares = torch.softmax(torch.randn(1000, 7, generator=torch.Generator().manual_seed(0)), 1).numpy().astype(float)
    link = Link(kind="categorical", options=tuple("abcdefg"))
    assert scores.loss(link, np.arange(1000) % 7 * 1.0, shares) > 1


def test_calibration_groups_rows_by_prediction() -> None:
    draw = np.random.default_rng(0)
    predicted = draw.random(5000)
    groups = scores.calibration(Link(kind="binary"), (draw.random(5000) < predicted).astype(float), predicted)
    assert [group["rows"] for group in groups] == [500] * 10
    assert pd.Series([group["predicted"] for group in groups]).is_monotonic_increasing
    assert all(abs(group["predicted"] - group["observed"]) < 4 * group["error"] for group in groups)


def test_what_levers_do_to_each_other_is_learned(make: Make) -> None:
    draw = np.random.default_rng(5)
    table = frame(500)
    table["price"], table["gift"] = draw.uniform(0, 10, 500).round(2), draw.integers(0, 2, 500)
    table["weight"] = (table["price"] - 5) * (2 * table["gift"] - 1) + draw.normal(0, 0.3, 500)
    levers = {"price": {"kind": "continuous", "min": 0, "max": 10}, "gift": {"kind": "yes_no"}}
    outcomes, model = {"weight": {"kind": "numeric"}}, {"epochs": 30}
    found = losses(fit(*make(table, levers=levers, outcomes=outcomes, model=model)), "weight")
    for kind in ("two_tower", "joint", "common", "boosting"):
        assert found[kind] < 0.4 * found["linear"], kind
    assert found["two_tower"] < 1.1 * found["boosting"]
