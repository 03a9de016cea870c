"""Where models err alike for rows that are alike that is found, and nothing is where corrections are noise."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.evidence.residuals import foretold


def corrections(effect: float, rows: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Setting 1 is worth more than models think where the first input is above 0, and less where it is not."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 4))
    true = np.zeros((rows, 3))
    true[:, 1] = effect * np.sign(x[:, 0])
    return x, true, true + draw.normal(size=(rows, 3))


def test_an_error_that_inputs_foretell_is_found() -> None:
    x, true, seen = corrections(0.5)
    told = foretold(seen, x, 0)
    assert told.sum(1) == pytest.approx(0, abs=1e-9)
    wanted = true - true.mean(1, keepdims=True)
    assert ((told - wanted) ** 2).mean() < 0.15 * (wanted**2).mean()


def test_of_noise_next_to_nothing_is_believed() -> None:
    sizes = []
    for seed in range(4):
        x, _, seen = corrections(0.0, seed=seed)
        sizes.append(float(np.sqrt((foretold(seen, x, 0) ** 2).mean())))
    assert np.mean(sizes) < 0.02  # the noise itself is 1, its mean in a leaf 0.1


def test_few_rows_are_not_divided() -> None:
    x, _, seen = corrections(3.0, rows=120)
    assert not foretold(seen, x, 0).any()
