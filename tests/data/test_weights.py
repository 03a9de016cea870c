"""The column that says how much rows count: read, kept, and refused where it cannot say it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drivetrain import data, scenario
from drivetrain.errors import DataError, ScenarioError

TEXT = """\
version: 1
name: made
title: A made problem
objective: {maximise: price * bought}
levers: {price: {kind: continuous, min: 0, max: 10}}
inputs: {age: {kind: numeric}}
outcomes: {bought: {kind: binary}}
data: {csv: rows.csv, weight: counts, split: {folds: 2}}
"""


def table(counts: object) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    price, age = draw.uniform(0, 10, 200).round(2), draw.integers(18, 90, 200)
    return pd.DataFrame({"price": price, "age": age, "bought": draw.integers(0, 2, 200), "counts": counts})


def load(folder: Path, frame: pd.DataFrame, text: str = TEXT) -> data.Table:
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "made.yaml").write_text(text, encoding="utf-8")
    return data.load(scenario.load(folder / "made.yaml"))


def test_weights_come_with_their_rows(tmp_path: Path) -> None:
    counts = np.random.default_rng(1).exponential(size=200).round(3)
    frame = table(counts)
    frame.loc[3, "bought"] = np.nan
    found = load(tmp_path, frame)
    assert found.weight is not None
    assert found.weight.tolist() == counts[found.row].tolist()
    assert found.training.weight is not None
    assert len(found.training.weight) == len(found.training)
    other = load(tmp_path, frame.assign(counts=1.0))
    assert other.fingerprint != found.fingerprint
    assert load(tmp_path, frame, TEXT.replace("weight: counts, ", "")).weight is None


@pytest.mark.parametrize(
    ("row", "value", "words"),
    [
        (4, -1.0, "row 5 holds -1. Every row has a weight of 0 or more. Correct the column"),
        (4, np.nan, "row 5 is missing. Every row has a weight of 0 or more. Fill it in: from a row of 0"),
        (slice(None), 0.0, "every weight is 0. Some rows of each part must count"),
        (4, "much", "row 5 holds 'much'"),
    ],
)
def test_what_weights_cannot_be(tmp_path: Path, row: object, value: object, words: str) -> None:
    counts = np.ones(200, dtype=object)
    counts[row] = value  # type: ignore[call-overload]
    with pytest.raises(DataError) as caught:
        load(tmp_path, table(counts))
    assert "column 'counts' (data.weight)" in str(caught.value)
    assert words in str(caught.value)


def test_a_column_that_is_not_there_or_has_another_role(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"column 'count' \(data.weight\).*no such column"):
        load(tmp_path, table(1.0), TEXT.replace("weight: counts", "weight: count"))
    with pytest.raises(ScenarioError, match=r"data.weight: found the column 'age', which is also that of input 'age'"):
        load(tmp_path, table(1.0), TEXT.replace("weight: counts", "weight: age"))
