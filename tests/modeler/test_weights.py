"""Rows that count more or less: a row that counts twice is two rows, one that counts 0 is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from drivetrain.modeler import EncodedRows, Link, baselines, fit, scores
from drivetrain.modeler.boosting import Soil, grow
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.settings import SettingColumn, SettingEncoder
from drivetrain.scenario import Boosting
from tests.modeler.conftest import frame

Make = Callable[..., Any]
LINKS = [
    Link(kind="binary"),
    Link(kind="numeric"),
    Link(kind="count"),
    Link(kind="rating", high=3.0),
    Link(kind="categorical", options=("a", "b", "c", "d")),
]


def made(link: Link, rows: int = 240) -> Examples:
    draw = np.random.default_rng(0)
    numbers, features = (draw.normal(size=(rows, 2)).astype(np.float32) for _ in range(2))
    observed = np.clip(np.round(1.5 + numbers[:, 0] + features[:, 0]), 0, 1 if link.kind == "binary" else 3).astype(
        float
    )
    codes = torch.zeros((rows, 0), dtype=torch.int64)
    weight = draw.integers(0, 4, rows).astype(float)
    return Examples(EncodedRows(codes, torch.from_numpy(numbers), {}), torch.from_numpy(features), observed, weight)


def repeated(examples: Examples) -> Examples:
    assert examples.weight is not None
    rows = examples.take(np.repeat(np.arange(len(examples)), examples.weight.astype(int)))
    return Examples(rows.rows, rows.features, rows.observed)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.kind)
def test_a_row_that_counts_twice_is_two_rows(link: Link) -> None:
    weighted = made(link)
    plain, weight = repeated(weighted), weighted.weight
    assert weight is not None
    fitted = link.fitted(weighted.observed, weight)
    assert fitted.centre == pytest.approx(link.fitted(plain.observed).centre)
    assert fitted.scale == pytest.approx(link.fitted(plain.observed).scale)
    target, counts = fitted.target(weighted.observed), torch.from_numpy(weight).float()
    start = fitted.start(target, counts)
    torch.testing.assert_close(start, fitted.start(fitted.target(plain.observed)))
    linear = torch.randn(len(weighted), link.width, generator=torch.Generator().manual_seed(1))
    twice = linear.repeat_interleave(counts.long(), 0)
    ours = fitted.loss(linear, target, counts / counts.mean())
    torch.testing.assert_close(ours, fitted.loss(twice, fitted.target(plain.observed)))
    mean, again = fitted.mean(linear).double().numpy(), fitted.mean(twice).double().numpy()
    assert scores.loss(link, weighted.observed, mean, weight) == pytest.approx(scores.loss(link, plain.observed, again))
    if link.kind != "rating":
        for name in ("constant", "linear"):
            ours, theirs = (baselines.predict(name, link, rows, plain, 0) for rows in (weighted, plain))
            np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_groups_of_calibration_count_rows_by_weight() -> None:
    observed, predicted = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.1, 0.1, 0.1, 0.1])
    (group,) = scores.calibration(Link(kind="binary"), observed, predicted, np.array([3.0, 1.0, 0.0, 0.0]))[:1]
    groups = scores.calibration(Link(kind="binary"), observed, predicted, np.array([3.0, 1.0, 0.0, 0.0]))
    assert sum(each["rows"] for each in groups) == 2
    assert np.average([g["observed"] for g in groups], weights=[g["weight"] for g in groups]) == 0.25
    del group


def test_trees_do_not_see_rows_that_count_nothing() -> None:
    link = Link(kind="numeric")
    some = made(link)
    wrong = some.weight == 0
    changed = Examples(some.rows, some.features, np.where(wrong, 1e3, some.observed), some.weight)
    settings = SettingEncoder(columns=(SettingColumn(name="a", knots=()), SettingColumn(name="b", knots=())))
    shape = Shape((), 2, 2, 1, (8,), 2, 0.0)
    rows, bush = np.arange(len(some)), Boosting(leaves=4, least=5, rate=0.3)
    found = []
    for each in (some, changed):
        own = link.fitted(each.observed, each.weight)
        trees = grow(Soil.of(each, shape, settings), [rows], [own], [20], bush, 0)[0]
        found.append(own.mean(trees.paired(trees.context(each.rows), each.features)))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


def test_a_run_learns_and_is_scored_by_weight(make: Make) -> None:
    table = frame(400)
    wrong = np.arange(400) % 3 == 0
    table["bought"] = np.where(wrong, 1 - table["bought"], table["bought"])
    table["counts"] = np.where(wrong, 0.0, 2.0)
    data = {"csv": "shop.csv", "split": {"folds": 2, "test": 0}}
    outcomes = {"bought": {"kind": "binary"}}
    misled = fit(*make(table, outcomes=outcomes, data=data)).contest["bought"]
    scenario, loaded = make(table, outcomes=outcomes, data={**data, "weight": "counts"})
    assert loaded.weight.tolist() == table["counts"].tolist()
    told = fit(scenario, loaded).contest["bought"]
    losses = [{line["name"]: line["loss"] for line in each["entries"]} for each in (misled, told)]
    for name in ("two_tower", "joint", "common", "boosting", "linear"):
        assert losses[1][name] < 0.75 * losses[0][name], name
    assert sum(group["rows"] for group in told["calibration"]) == int((~wrong).sum())
