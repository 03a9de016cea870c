"""Rankings of many options against brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from drivetrain import scenario as scenarios
from drivetrain.data import Table
from drivetrain.errors import InfeasibleError
from drivetrain.optimizer import exclusions, ranking
from drivetrain.simulator import Outlook

SCENARIO = scenarios.build(
    {
        "version": 1,
        "name": "shelf",
        "title": "Which item?",
        "objective": {"maximise": "liked"},
        "levers": {"item": {"kind": "categorical", "options": "data"}},
        "inputs": {"user": {"kind": "categorical"}},
        "outcomes": {"liked": {"kind": "numeric"}},
        "data": {"csv": "none.csv"},
        "model": {"kinds": ["dot"]},
    }
).resolved({"item": tuple(f"i{place:03}" for place in range(100))})


class _Known:
    """Expected outcomes [N, G] as they are."""

    def __init__(self, values: np.ndarray, holds: np.ndarray) -> None:
        self.values, self.holding, self.scenario, self.support = torch.tensor(values), holds, SCENARIO, self

    def holds(self, settings: np.ndarray) -> np.ndarray:
        return self.holding[settings[:, 0].astype(int)]

    def crowd(self, frame: pd.DataFrame) -> int:
        return len(frame)

    def chunks(self, crowd: int, _: np.ndarray) -> Any:
        for start in range(0, crowd, 3):
            part = slice(start, min(crowd, start + 3))
            both = torch.stack([self.values[part], self.values[part]])
            yield part, Outlook(both, {}, {}, torch.tensor([0, 1]))


def test_rankings_are_those_of_brute_force() -> None:
    random = np.random.default_rng(0)
    values, holds = random.normal(size=(10, 100)), random.random(100) < 0.7
    users = pd.DataFrame({"user": [f"u{i}" for i in range(10)]})
    had = random.integers(0, [10, 100], size=(300, 2))
    seen = Table(
        pd.DataFrame({"user": [f"u{i}" for i in had[:, 0]]}),
        had[:, 1:].astype(float),
        had[:, 0],
        (),
        "",
        "",
        had[:, 0],
        (),
        None,
    )
    known: Any = _Known(values, holds)
    got = ranking(known, users, 7, excluded=exclusions(SCENARIO, users, seen))
    for row in range(10):
        gone = set(had[had[:, 0] == row, 1])
        best = sorted((g for g in range(100) if holds[g] and g not in gone), key=lambda g: -values[row, g])[:7]
        assert got.settings[row, :, 0].tolist() == best
        assert got.objective[row] == pytest.approx(values[row, best])
        assert got.supported[row].all()
    every = ranking(known, users, 100, unsupported=True)
    assert (np.sort(every.settings[..., 0], axis=1) == np.arange(100)).all()
    assert (every.supported == holds[every.settings[..., 0].astype(int)]).all()


def test_nobody_is_left_without_an_option() -> None:
    known: Any = _Known(np.zeros((2, 100)), np.zeros(100, dtype=bool))
    with pytest.raises(InfeasibleError, match="no option left in 2 of 2 rows"):
        ranking(known, pd.DataFrame({"user": ["a", "b"]}), 3)
