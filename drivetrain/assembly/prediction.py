"""What is expected of each row under a setting, and between which bounds what happens there will lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly.changes import changed
from drivetrain.assembly.settings import Settings, settle
from drivetrain.data import Rows
from drivetrain.decisions.slots import require_one
from drivetrain.simulator import Crowd, Errors, Foresight, Outlook, Simulator, span
from drivetrain.simulator.foresight import DRAWS, FEWEST_DRAWS, PAIRS

if TYPE_CHECKING:
    from drivetrain.assembly.answers import Answers

Floats = NDArray[np.float64]


def predict(
    run: Answers, settings: Settings, rows: Rows, inputs: Mapping[str, Any] | None, share: float
) -> pd.DataFrame:
    """See `Run.predict`."""
    simulator = run.simulator
    frame = changed(simulator, rows.frame, inputs) if inputs else rows.frame
    asked = settle(run, rows, settings)[1]
    if np.isfinite(asked[:, len(run.scenario.levers) :]).any():
        require_one(run.scenario, "a line for each row, with its bounds")
    at = np.broadcast_to(asked[:, : len(run.scenario.levers)], (len(rows), len(run.scenario.levers))).copy()
    many = int(np.clip(PAIRS // max(1, len(rows)), FEWEST_DRAWS, DRAWS))
    foresight = Foresight(simulator, Errors.drawn(simulator, run.table, many, run.scenario.seed))
    parts = [
        _part(simulator, crowd.take(part), at[run_of][part], draws, share)
        for run_of, crowd in simulator.crowds(frame)
        for part, draws in foresight.draws(crowd, at[run_of])
    ]
    levers = run.scenario.space.decode(at).rename(columns=lambda name: f"{name} set")
    out = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return pd.concat([pd.DataFrame({"row": rows.row + 1}), levers, out], axis=1)


def _part(simulator: Simulator, crowd: Crowd, settings: Floats, draws: dict[str, Floats], share: float) -> pd.DataFrame:
    outlook = simulator.paired(crowd, settings)
    columns = {"objective": _mean(outlook, "objective")}
    columns |= dict(zip(("objective low", "objective high"), span(draws["objective"], share), strict=True))
    for name, declared in simulator.scenario.outcomes.items():
        for key in _keys(outlook, name):
            columns[key] = _mean(outlook, key)
        if declared.kind not in {"binary", "categorical"}:
            ends = span(draws[name], share, narrow=declared.kind in {"count", "rating"})
            columns |= dict(zip((f"{name} low", f"{name} high"), ends, strict=True))
    return pd.DataFrame(columns)


def _keys(outlook: Outlook, name: str) -> Iterator[str]:
    return (key for key in outlook.outcomes if key == name or key.startswith(f"{name}: "))


def _mean(outlook: Outlook, key: str) -> Floats:
    values = outlook.objective if key == "objective" else outlook.outcomes[key]
    return np.asarray(values.double().mean(0)[:, 0].numpy())
