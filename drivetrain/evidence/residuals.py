"""What observed rows say against the models, as far as inputs foretell it and rows held out bear it out.

Models are smooth, and with few rows smoother than the truth. Their doubly robust corrections are noisy row by row, but
where models err alike for rows that are alike a regression on inputs shows it (the DR-learner, Kennedy 2023, Electronic
J. of Statistics 17:3008, here of what models leave). How much of it to believe, rows out of the bag say: the slope of
their corrections on what was foretold of them, between 0 and 1.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

Floats = NDArray[np.float64]

TREES = 60
MOST = 5_000
"""Rows that a tree sees at most."""
FEWEST = 50
"""Rows in a leaf at least; twice the square root of all where that is more."""


def foretold(correction: Floats, x: Floats, seed: int) -> Floats:
    """What inputs foretell of the difference between corrections of settings, [n, P]; of mean 0 over settings.

    Args:
        correction: [n, P] of rows and settings.
        x: [n, D] the encoded inputs.
        seed: of the trees.
    """
    many = len(x)
    leaf = max(FEWEST, int(2 * np.sqrt(many)))
    if many < 4 * leaf:
        return np.zeros_like(correction)
    apart = correction - correction.mean(1, keepdims=True)
    apart = apart - apart.mean(0)
    forest = RandomForestRegressor(
        TREES,
        min_samples_leaf=leaf,
        max_features=0.6,
        max_samples=min(many, MOST),
        oob_score=True,
        random_state=seed,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a row that was in every bag: it is foretold 0
        told = np.nan_to_num(forest.fit(x, apart).oob_prediction_)
    squares = float((told**2).sum())
    slope = float((apart * told).sum()) / squares if squares else 0.0
    return np.asarray(np.clip(slope, 0, 1) * told)
