"""Settings that the data cannot speak for are told with the rows that came nearest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drivetrain.decisions.nearest import instead, nearest
from tests.stand_ins import as_table, declare

TEXT = """\
objective: {maximise: y}
levers:
  price: {kind: continuous, min: 0, max: 100, unit: EUR}
  channel: {kind: categorical, options: [post, mail]}
outcomes: {y: {kind: numeric}}
"""


def test_the_nearest_settings_are_named_with_a_row_that_had_them() -> None:
    scenario = declare(TEXT)
    settings = np.array([[10, 0], [12, 0], [12, 0], [14, 1], [15, 0], [np.nan, 0]], dtype=float)
    seen = as_table(scenario, pd.DataFrame(index=range(6)), settings)
    assert nearest(scenario, seen, np.array([90.0, 0.0])).startswith("row 5 (price 15.0 EUR, channel post), row ")
    assert nearest(scenario, seen, np.array([11.9, 0.0])).startswith("row 2 (price 12.0 EUR, channel post), row 1")
    told = instead(scenario, seen, np.array([[90.0, 0.0], [12.0, 0.0]]), np.array([False, True]))
    assert told[1] == ""
    assert told[0].startswith("; the data cannot speak for it: nearest to it row 5 (")
    many = np.column_stack([np.linspace(20, 90, 1500), np.zeros(1500)])
    assert set(instead(scenario, seen, many, np.zeros(1500, dtype=bool))) == {""}
