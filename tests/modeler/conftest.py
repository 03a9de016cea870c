"""Small tables of generated rows with a strong signal, one for each kind of outcome."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drivetrain import data, scenario as language
from drivetrain.data import Table
from drivetrain.scenario import Scenario

Made = tuple[Scenario, Table]

DECLARED: dict[str, Any] = {
    "version": 1,
    "name": "shop",
    "title": "What price?",
    "objective": {"maximise": "price"},
    "levers": {"price": {"kind": "continuous", "min": 0, "max": 10, "do_nothing": 0}},
    "inputs": {"age": {"kind": "numeric"}, "town": {"kind": "categorical"}, "member": {"kind": "yes_no"}},
    "outcomes": {},
    "data": {"csv": "shop.csv", "split": {"folds": 2, "test": 0}},
    "model": {
        "epochs": 8, "repeats": 1, "layers": [16], "dropout": 0.0, "weight_decay": 0.01, "batch": 32,
        "learning_rate": 0.02, "boosting": {"leaves": 8, "least": 20, "rate": 0.2},
    },
    "seed": 3,
}  # fmt: skip


def frame(rows: int = 400) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    price = np.where(draw.random(rows) < 0.2, 0, draw.uniform(1, 10, rows).round(2))
    town = draw.choice(["Ulm", "Bonn", "Köln"], rows)
    signal = 0.6 * (price - 5) + 2.0 * (town == "Ulm")
    bought = (draw.random(rows) < 1 / (1 + np.exp(-2 * signal))).astype(int)
    mood = np.array(["bad", "fair", "good"])[
        np.clip(np.round(signal / 2 + draw.normal(0, 0.5, rows)) + 1, 0, 2).astype(int)
    ]
    return pd.DataFrame(
        {
            "price": price,
            "age": draw.integers(18, 90, rows),
            "town": town,
            "member": draw.choice(["yes", "no"], rows),
            "bought": bought,
            "spent": np.where(bought == 1, 100 + 30 * signal + draw.normal(0, 10, rows), np.nan).round(2),
            "weight": (1000 + 50 * signal + draw.normal(0, 20, rows)).round(2),
            "visits": draw.poisson(np.exp(0.3 * signal)),
            "mood": mood,
        }
    )


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Made]:
    """A scenario and its table: `make(outcomes={...}, seed=...)`."""

    def build(rows: pd.DataFrame | None = None, **changes: Any) -> Made:
        (frame() if rows is None else rows).to_csv(tmp_path / "shop.csv", index=False)
        declared = {**DECLARED, **changes, "model": {**DECLARED["model"], **changes.get("model", {})}}
        path = tmp_path / "shop.yaml"
        import json

        path.write_text(json.dumps(declared), encoding="utf-8")
        scenario = language.load(path)
        return scenario, data.load(scenario)

    return build
