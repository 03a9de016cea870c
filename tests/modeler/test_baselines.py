"""Baselines where columns are many."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from drivetrain.modeler import EncodedRows, Link, baselines
from drivetrain.modeler.examples import Examples


def examples(rows: int, categories: int) -> Examples:
    random = np.random.default_rng(0)
    codes = torch.from_numpy(random.integers(0, categories, (rows, 1)))
    numbers = torch.from_numpy(random.normal(size=(rows, 2)).astype(np.float32))
    features = torch.from_numpy(random.normal(size=(rows, 1)).astype(np.float32))
    outcome = (numbers[:, 0] + features[:, 0] > 0).numpy().astype(float)
    return Examples(EncodedRows(codes, numbers, {}), features, outcome)


@pytest.mark.parametrize("kind", ["binary", "numeric"])
def test_a_linear_model_of_very_many_categories_fits_in_memory(kind: str) -> None:
    """As a dense table it would take 20 GB."""
    known = examples(50_000, 50_000)
    guess = baselines.predict("linear", Link(kind=kind), known, known.take(np.arange(500)), 0)
    assert np.corrcoef(guess, known.observed[:500])[0, 1] > 0.6


def test_a_sparse_table_says_the_same_as_a_dense_one(monkeypatch: pytest.MonkeyPatch) -> None:
    known = examples(2_000, 20)
    dense = baselines.predict("linear", Link(kind="binary"), known, known, 0)
    monkeypatch.setattr(baselines, "MOST_DENSE", 1)
    sparse = baselines.predict("linear", Link(kind="binary"), known, known, 0)
    np.testing.assert_allclose(sparse, dense, atol=1e-3)
