"""Lists of the best few options, a line for each row and place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drivetrain.data import Rows, Table
from drivetrain.evidence.sample import Z95
from drivetrain.optimizer import exclusions, ranking
from drivetrain.simulator import Simulator


def listed(
    simulator: Simulator, rows: Rows, top: int, seen: Table | None = None, *, unsupported: bool = False
) -> pd.DataFrame:
    """The best options for each row, best first; a row that runs out of options has fewer lines.

    Args:
        simulator: who is asked.
        rows: N rows with the scenario's inputs.
        top: how many for each.
        seen: rows that show what everyone has had already, to be left out.
        unsupported: whether options for which hardly a row speaks may be listed.

    Raises:
        InfeasibleError: for some row no option is left.
        UsageError: the scenario has several levers, or one that is no category.
    """
    excluded = None if seen is None else exclusions(simulator.scenario, rows.frame, seen)
    best = ranking(simulator, rows.frame, top, excluded=excluded, unsupported=unsupported)
    many, places = best.objective.shape
    at = np.repeat(np.arange(many), places)
    inputs = {name: rows.frame[name].to_numpy()[at] for name in simulator.scenario.inputs}
    natural = simulator.scenario.space.decode(best.settings.reshape(-1, 1))
    value, error = best.objective.ravel(), best.error.ravel()
    frame = pd.DataFrame(
        {"row": rows.row[at] + 1, **inputs, "place": np.tile(np.arange(1, places + 1), many)}
        | {name: natural[name].to_numpy() for name in natural}
        | {"objective": value, "objective_low": value - Z95 * error, "objective_high": value + Z95 * error}
        | {"supported": best.supported.ravel()}
    )
    return frame[np.isfinite(value)].reset_index(drop=True)
