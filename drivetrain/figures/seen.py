"""How often the data shows each value: bars at the foot of a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from drivetrain.data import Rows
from drivetrain.figures.look import Look

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def stacked(out: Figure, shown: Bars, look: Look) -> None:
    """A low histogram along the foot, on a hidden axis of its own."""
    at, counts, width = shown
    second = float(np.sort(counts)[-2:].min() or counts.max())  # one bar far above all others is cut off
    out.add_bar(
        x=at,
        y=np.minimum(counts, 1.6 * second),
        customdata=counts,
        width=width,
        yaxis="y2",
        marker={"color": look.faint(look.quiet, 0.3), "line": {"width": 0}},
        name="rows in the data",
        hovertemplate="%{customdata:,} rows near %{x:.3g}<extra></extra>",
    )
    top = second * 6
    hidden = {"overlaying": "y", "range": [0, top], "visible": False, "fixedrange": True}
    out.update_layout(yaxis2=hidden)


Bars = tuple[NDArray[Any], NDArray[Any], float]
_COUNTED: WeakKeyDictionary[Rows, dict[int, Bars]] = WeakKeyDictionary()
"""Counted once for as long as the rows live: a figure that is drawn again at every step of a slider shows them."""


def counted(rows: Rows, place: int) -> Bars:
    """Where bars stand, how many rows each counts, and how wide they are."""
    known = _COUNTED.setdefault(rows, {})
    if place not in known:
        known[place] = bars(rows.settings[:, place])
    return known[place]


def bars(logged: NDArray[np.float64], bins: int = 36) -> Bars:
    """A bar a value, or bins where many differ."""
    values, counts = np.unique(logged[np.isfinite(logged)], return_counts=True)
    width = 0.9 * float(np.ptp(values) or 1) / bins
    if len(values) <= bins:
        return values, counts, width
    counts, edges = np.histogram(logged[np.isfinite(logged)], bins=bins)
    return (edges[:-1] + edges[1:]) / 2, counts, width
