"""How the settings in the data are spread, and whether groups of rows got alike ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.assembly import Run
from drivetrain.decisions.rounding import number, setting
from drivetrain.figures.look import LIGHT, Look, figure, plain, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_GROUPS = 4
BINS = 24


def overlap(run: Run, lever: str, by: str | None = None, look: Look = LIGHT) -> Figure:
    """The share of rows that got each setting: of all rows, or of groups of them beside each other.

    Args:
        run: any run.
        lever: whose settings.
        by: an input that tells groups apart: its most frequent values, or the quarters of a number.
        look: the theme.
    """
    declared, place = run.scenario.levers[lever], run.scenario.space.names.index(lever)
    out = figure(look, x=with_unit(plain(lever), plain(declared.unit)), y="share of rows", height=300)
    logged = run.table.settings[:, place]
    groups = [("all rows", np.ones(len(logged), dtype=bool))] if by is None else list(_groups(run, by))
    colours = [look.strong, look.model, look.good, look.other]
    options = declared.kind in {"categorical", "yes_no"}
    values = np.unique(logged[np.isfinite(logged)])
    edges = np.linspace(values.min(), values.max(), BINS + 1) if len(values) > BINS else None
    for i, (name, mask) in enumerate(groups):
        mine = logged[mask & np.isfinite(logged)]
        if options or edges is None:
            shares = [float((mine == value).mean()) if len(mine) else 0.0 for value in values]
            x = [plain(setting(declared, value)) for value in values]
            out.add_bar(
                x=x,
                y=shares,
                name=plain(name),
                marker={"color": colours[i], "pattern": {"shape": ("", "/", ".", "x")[i]}, "line": {"width": 0}},
                hovertemplate="%{x}: %{y:.1%}<extra>" + plain(name) + "</extra>",
            )
        else:
            counts = np.histogram(mine, edges)[0] / max(1, len(mine))
            out.add_scatter(
                x=[edges[0], *edges, edges[-1]],  # from the foot, along every step, and down again
                y=[0.0, *counts, counts[-1], 0.0],
                mode="lines",
                line={"color": colours[i], "width": 3, "shape": "hv", "dash": ("solid", "dash", "dot", "dashdot")[i]},
                name=plain(name),
                hovertemplate="from %{x:.3g}: %{y:.1%}<extra>" + plain(name) + "</extra>",
            )
    out.update_yaxes(tickformat=".0%", rangemode="tozero").update_layout(showlegend=by is not None)
    if options or edges is None:
        out.update_xaxes(type="category").update_layout(bargap=0.5 if len(values) <= 4 else 0.2)
    return out


def _groups(run: Run, by: str) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    declared, column = run.scenario.inputs[by], run.table.frame[by]
    if declared.kind == "yes_no":
        yield f"{by}: no", (column == 0).to_numpy()
        yield f"{by}: yes", (column == 1).to_numpy()
    elif declared.kind == "categorical":
        for value in column.value_counts().index[:MOST_GROUPS]:
            yield f"{by}: {value}", (column == value).to_numpy()
    else:
        cuts = np.unique(column.quantile([0, 0.25, 0.5, 0.75, 1]).to_numpy())
        for place, (low, high) in enumerate(pairwise(cuts)):
            inside = column.ge(low) & (column.le(high) if place == len(cuts) - 2 else column.lt(high))
            yield f"{by} {number(low)} to {number(high)}", np.asarray(pd.Series(inside).fillna(False), dtype=bool)
