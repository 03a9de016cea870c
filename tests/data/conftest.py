"""A small shop: a price lever and a channel lever, a purchase and what it spent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from drivetrain import scenario as language
from drivetrain.scenario import Scenario

SHOP: dict[str, Any] = {
    "version": 1,
    "name": "shop",
    "title": "What price, and where to tell of it?",
    "objective": {"maximise": "price * bought"},
    "levers": {
        "price": {"kind": "continuous", "min": 5, "max": 15, "column": "list_price"},
        "channel": {"kind": "categorical", "options": ["mail", "sms", "NA"]},
    },
    "inputs": {
        "age": {"kind": "numeric"},
        "town": {"kind": "categorical"},
        "member": {"kind": "yes_no"},
    },
    "outcomes": {
        "bought": {"kind": "binary"},
        "items": {"kind": "count", "when": "bought"},
        "mood": {"kind": "categorical", "options": ["good", "bad"]},
    },
    "data": {"csv": "shop.csv"},
    "seed": 7,
}


def shop_frame(rows: int = 400) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    bought = generator.integers(0, 2, rows)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "age": generator.integers(18, 90, rows),
            "town": generator.choice(["Ulm", "Bonn", "Köln"], rows),
            "member": generator.choice(["yes", "no"], rows),
            "list_price": generator.integers(10, 31, rows) / 2,
            "channel": generator.choice(["mail", "sms", "NA"], rows),
            "bought": bought,
            "items": np.where(bought == 1, generator.integers(1, 4, rows), np.nan),
            "mood": generator.choice(["good", "bad"], rows),
            "week": pd.date_range("2026-01-01", periods=rows, freq="D").strftime("%Y-%m-%d"),
            "chance": generator.uniform(0.1, 1, rows),
        }
    )


@pytest.fixture
def frame() -> pd.DataFrame:
    return shop_frame()


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Scenario]:
    """Builds the shop's scenario, some of its declarations replaced, over a frame written as the data's format says."""

    def build(frame: pd.DataFrame | None = None, **changes: Any) -> Scenario:
        scenario = language.build(SHOP | changes)
        scenario._path = tmp_path / "shop.yaml"
        if frame is not None and scenario.data.csv:
            frame.to_csv(tmp_path / scenario.data.csv, index=False)
        elif frame is not None and scenario.data.parquet:
            frame.to_parquet(tmp_path / scenario.data.parquet, index=False)
        return scenario

    return build
