"""The rows of the data whose settings are nearest to one that the data cannot speak for: what is known instead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Rows
from drivetrain.scenario import Categorical, Scenario, YesNo

Floats = NDArray[np.float64]

NAMED = 3
MOST = 1_000
"""Of more different settings than this none is followed by names: that would take long, and nobody would read it."""


def nearest(scenario: Scenario, seen: Rows, setting: Floats) -> str:
    """`row 12 (price 14.9), row 40 (price 14.8)`: a row for each of the nearest settings that rows had.

    Args:
        scenario: whose levers.
        seen: rows of the data, with what they got.
        setting: [L]; lever by lever a difference counts in standard deviations of what rows got, and another option 1.
    """
    known = np.flatnonzero(np.isfinite(seen.settings).all(1))
    settings, first = np.unique(seen.settings[known], axis=0, return_index=True)
    away = np.zeros(len(settings))
    for i, lever in enumerate(scenario.levers.values()):
        apart = settings[:, i] - setting[i]
        plain = isinstance(lever, Categorical | YesNo)
        away += apart != 0 if plain else (apart / (seen.settings[known, i].std() or 1.0)) ** 2
    order = np.argsort(away, kind="stable")[:NAMED]
    rows = seen.row[known[first[order]]] + 1
    told = zip(rows.tolist(), (scenario.space.describe(each) for each in settings[order]), strict=True)
    return ", ".join(f"row {row:,} ({words})" for row, words in told)


def instead(scenario: Scenario, seen: Rows, settings: Floats, supported: NDArray[np.bool_]) -> list[str]:
    """For each row [N] whose setting [N, L] has no support, words that name the nearest; else nothing."""
    if len(np.unique(settings[~supported], axis=0)) > MOST:
        return [""] * len(settings)
    known: dict[tuple[float, ...], str] = {}
    out = []
    for setting, fine in zip(map(tuple, settings.tolist()), supported, strict=True):
        if fine:
            out.append("")
            continue
        if setting not in known:
            named = nearest(scenario, seen, np.array(setting))
            known[setting] = f"; the data cannot speak for it: nearest to it {named}" if named else ""
        out.append(known[setting])
    return out
