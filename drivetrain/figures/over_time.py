"""Fit over time, drawn: what was observed, what blind models said of it, and the part that is still sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from drivetrain.assembly import OverTime, Run
from drivetrain.data.splits import SEALED
from drivetrain.figures.curves import unit_of
from drivetrain.figures.look import LIGHT, Look, figure, plain, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def over_time(run: Run, told: OverTime, look: Look = LIGHT) -> Figure:
    """An outcome's mean in each period, observed and predicted by models that had not seen it; the sealed part shaded.

    Args:
        run: where it came from.
        told: from `assembly.over_time`.
        look: the theme.
    """
    across = "" if told.start.dtype.kind == "M" else plain(run.scenario.data.split.column or "time")
    out = figure(look, x=across, y=with_unit(plain(told.outcome), plain(unit_of(run, told.outcome))), height=360)
    x = told.start.astype("datetime64[s]").astype(str) if told.start.dtype.kind == "M" else told.start
    _line(out, x, told.observed, {"color": look.other, "width": 2}, "observed")
    _line(out, x, told.predicted, {"color": look.strong, "width": 2.5, "dash": "dash"}, "predicted, unseen")
    sealed = np.flatnonzero(told.fold == SEALED)
    if len(sealed) and sealed[0] > 0:
        words = "sealed, still closed" if told.sealed is None else "sealed, opened"
        grey = look.faint(look.quiet, 0.14)
        out.add_vrect(x0=x[sealed[0]], x1=x[sealed[-1]], fillcolor=grey, line_width=0, layer="below")
        key = {"symbol": "square", "size": 12, "color": look.faint(look.quiet, 0.4)}
        out.add_scatter(x=[None], y=[None], mode="markers", marker=key, name=words)
    return out.update_xaxes(range=[x[0], x[-1]])


def _line(out: Figure, x: Any, y: Any, line: dict[str, Any], name: str) -> None:
    hover = f"%{{x}}: %{{y:.4g}}<extra>{name}</extra>"
    out.add_scatter(x=x, y=y, mode="lines", line=line, name=name, hovertemplate=hover, connectgaps=False)
