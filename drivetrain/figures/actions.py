"""What is recommended over all rows: how settings and expected gains are spread."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly import Run
from drivetrain.decisions.rounding import number, setting
from drivetrain.errors import Fault, UsageError
from drivetrain.figures.look import LIGHT, Look, figure, plain, with_unit
from drivetrain.scenario import Categorical

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 12
BINS = 32
SAME = 1e-4
"""Gains that differ by no more than this share of the largest are the same: models reckon in float32."""
TAIL = 0.005
"""The rows furthest out on either side, which are counted in the last bar."""


def settings(run: Run, lever: str, look: Look = LIGHT) -> Figure:
    """How many rows get which setting of a lever.

    Raises:
        UsageError: the run was only trained.
    """
    declared = run.scenario.levers[lever]
    out = figure(look, x=with_unit(plain(lever), plain(declared.unit)), y="rows", height=300)
    given = _settings(run, lever)
    chosen, counts = np.unique(given[np.isfinite(given)], return_counts=True)
    bar = {"marker": {"color": look.strong, "line": {"width": 0}}, "showlegend": False}
    if len(chosen) <= MOST_BARS:
        words = [plain(setting(declared, value)) for value in chosen]
        out.add_bar(x=words, y=counts, hovertemplate="%{x}: %{y:,} rows<extra></extra>", **bar)
        out.update_xaxes(type="category").update_layout(bargap=0.5)
        return out
    if isinstance(declared, Categorical):  # the most frequent, by name
        most = np.argsort(-counts, kind="stable")[:MOST_BARS]
        words = [plain(setting(declared, value)) for value in chosen[most]]
        out.add_bar(x=words, y=counts[most], hovertemplate="%{x}: %{y:,} rows<extra></extra>", **bar)
        out.update_xaxes(type="category").update_layout(bargap=0.5)
        return out
    _binned(out, given, bar)
    return out


def gains(run: Run, look: Look = LIGHT) -> Figure | None:
    """How expected gains are spread over rows, by what models expect; None where there is nothing to compare with.

    Raises:
        UsageError: the run was only trained.
    """
    frame = _frame(run)
    if "gain" not in frame:
        return None
    told = frame["gain"].to_numpy(dtype=np.float64)
    if np.ptp(told) <= SAME * max(1e-12, float(np.abs(told).max())):
        return None
    out = figure(look, x=with_unit("expected gain of a row", plain(run.scenario.objective.unit)), y="rows", height=300)
    bar = {"marker": {"color": look.strong, "line": {"width": 0}}, "showlegend": False}
    _binned(out, told, bar)
    out.add_vline(x=0, line={"color": look.other, "width": 1, "dash": "dot"})
    return out


def _binned(out: Figure, values: NDArray[np.float64], bar: dict[str, Any]) -> None:
    """A histogram whose bars are counted here: the rows themselves never stand in a figure."""
    low, high = np.quantile(values[np.isfinite(values)], [TAIL, 1 - TAIL])
    counts, edges = np.histogram(np.clip(values, low, high), bins=BINS)
    said = [f"{number(a)} to {number(b)}" for a, b in pairwise(edges)]
    said[0], said[-1] = f"up to {number(edges[1])}", f"{number(edges[-2])} and more"
    out.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=np.diff(edges) * 0.92,
        customdata=said,
        hovertemplate="%{customdata}: %{y:,} rows<extra></extra>",
        **bar,
    )


def _settings(run: Run, lever: str) -> NDArray[np.float64]:
    """[N] what rows get of a lever; [N · K] where they get several of its options, NaN for a slot that stays empty."""
    made = run.recommendations
    if made is None:
        raise UsageError(Fault("the run", "it was only trained", "Actions need a whole run", "Use: drivetrain run"))
    if made.plan.slots is not None:
        return made.plan.slots.ravel()
    return np.asarray(made.plan.settings[:, run.scenario.space.names.index(lever)])


def _frame(run: Run) -> pd.DataFrame:
    return run.decided.frame
