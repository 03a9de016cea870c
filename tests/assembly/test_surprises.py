"""Before you clean, train: planted mistakes are found, a filled-in table cleans them, and the effect is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import drivetrain as dt

SHOP = """\
version: 1
name: till
title: What should it cost?
objective: {maximise: price * bought}
levers:
  price: {kind: continuous, min: 0, max: 10, unit: EUR}
inputs:
  wealth: {kind: numeric}
  town: {kind: categorical}
outcomes:
  bought: {kind: binary}
data: {csv: till.csv, split: {by: stratified, folds: 2, test: 0.1}}
assignment: {design: randomised}
model: {kinds: [joint], epochs: 20, batch: 16, repeats: 1, layers: [16], dropout: 0.1, weight_decay: 0.1}
"""
WRONG = np.arange(20, 500, 40)
"""Rows, from 0, whose outcome is noted the wrong way round."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("till")
    draw = np.random.default_rng(5)
    price, wealth = draw.uniform(0, 10, 500).round(3), draw.normal(0, 1, 500).round(3)
    bought = (price - 5 - wealth < 0).astype(int)
    frame = pd.DataFrame(
        {"price": price, "wealth": wealth, "town": draw.choice(["Ulm", "Bonn"], 500), "bought": bought}
    )
    frame.loc[WRONG, "bought"] = 1 - frame.loc[WRONG, "bought"]
    frame.loc[WRONG[1], ["wealth", "price", "bought"]] = [7.5, 3.0, 0]
    frame.loc[WRONG[2], "town"] = "Atlantis"
    frame.loc[WRONG[3], "wealth"] = None
    frame.to_csv(folder / "till.csv", index=False)
    (folder / "till.yaml").write_text(SHOP, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(place: Path) -> dt.Run:
    return dt.train(place / "till.yaml", place / "run")


def test_planted_mistakes_come_first(run: dt.Run) -> None:
    found = run.surprises(12)
    assert len(found) == 12
    assert found["times"].is_monotonic_decreasing
    training = set(run.table.training.row + 1)
    assert set(found["row"]) <= training, "a sealed row was shown"
    planted = set(WRONG + 1) & training
    assert len(planted & set(found["row"])) >= 0.6 * min(12, len(planted))
    assert run.surprises(3).equals(found.head(3))


def test_a_line_says_why(run: dt.Run) -> None:
    found = run.surprises(10_000).set_index("row")
    assert len(found) == len(run.table.training)
    source = run.table.training.frame.set_index(run.table.training.row + 1)
    chance = np.where(
        source["bought"] == 1, found["predicted"].reindex(source.index), 1 - found["predicted"].reindex(source.index)
    )
    np.testing.assert_allclose(found["loss"].reindex(source.index), -np.log(chance), atol=1e-9)
    assert found["times"].mean() == pytest.approx(1)
    row = found.index[0]
    assert found.loc[row, "setting"] == run.scenario.space.describe(np.array([source.loc[row, "price"]]))
    assert found.loc[row, "observed"] == f"{source.loc[row, 'bought']:g}"
    notes = found["unusual"]
    for at, words in ((1, "wealth 7.5 (99% of rows: "), (2, "town 'Atlantis' (in 1 row)"), (3, "wealth is missing")):
        if WRONG[at] + 1 in notes.index:
            assert words in notes[WRONG[at] + 1]
    assert (notes == "").mean() > 0.8


def test_predictions_are_kept_with_the_run(run: dt.Run, place: Path) -> None:
    kept = pd.read_parquet(place / "run" / "held_out.parquet")
    assert list(kept) == ["row", "fold", "bought predicted", "bought observed", "bought loss"]
    found = dt.open_run(place / "run").surprises(10_000).set_index("row")
    np.testing.assert_allclose(kept["bought loss"], found["loss"].reindex(kept["row"]), atol=1e-9)
    told = run.record["contest"]["bought"]
    entry = next(entry for entry in told["entries"] if entry["name"] == told["chosen"])
    assert kept.groupby("fold")["bought loss"].mean().tolist() == pytest.approx(entry["loss_by_fold"], abs=1e-6)


def test_a_filled_in_table_cleans_and_the_effect_is_measured(run: dt.Run, place: Path) -> None:
    found = run.surprises(20)
    found.loc[found["row"].isin(WRONG + 1), "action"] = "drop"
    dt.write(found, place / "clean.csv")
    (place / "cleaned.yaml").write_text(SHOP.replace("till.csv", "till.csv, cleaning: clean.csv"), encoding="utf-8")
    cleaned = dt.train(place / "cleaned.yaml", place / "cleaned")
    many = int((found["action"] == "drop").sum())
    assert many >= 5
    assert [str(reason) for reason in cleaned.table.dropped] == [f"the cleaning file drops it ({many} rows)"]
    assert cleaned.record["data"]["fingerprint"] != run.record["data"]["fingerprint"]
    (told,) = dt.compare(run, cleaned)
    assert (told.outcome, told.loss_name) == ("bought", "log-loss")
    assert told.rows == len(run.table.training) - many
    assert told.left_out == many
    assert told.second < told.first
    assert told.better.value == pytest.approx(told.first - told.second, abs=1e-6)
    (back,) = dt.compare(cleaned, run)
    assert back.better.value == pytest.approx(-told.better.value)
    (same,) = dt.compare(run, run)
    assert (same.better.value, same.left_out) == (0, 0)
    pairs = [replace(each, table=replace(each.table, cluster=each.table.row // 2)) for each in (run, cleaned)]
    (paired,) = dt.compare(*pairs)
    assert paired.better.value == told.better.value
    assert paired.better.error != pytest.approx(told.better.error, rel=1e-3)  # two rows of one person are one witness


def test_runs_of_other_sources_are_not_compared(run: dt.Run, small_run: dt.Run) -> None:
    with pytest.raises(dt.UsageError, match=r"learned from till.csv and visitors.csv"):
        dt.compare(run, small_run)
